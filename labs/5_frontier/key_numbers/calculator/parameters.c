#include "labs/5_frontier/key_numbers/calculator/parameters.h"

void parameters_tell(Sheet *sheet, const Model *model)
{
    sheet_text(sheet, "model.name", "model", model->name);
    sheet_count(sheet, "parameters.total", "parameters", model_params(model), UNIT_PARAMETERS);
}
