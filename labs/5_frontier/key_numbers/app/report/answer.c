#include "labs/5_frontier/key_numbers/app/report/answer.h"
#include "labs/5_frontier/key_numbers/app/plan/compute.h"
#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/report/parameters.h"
#include "labs/5_frontier/key_numbers/app/plan/training.h"

Sheet *answer(Arena *arena, const Model *model, const Question *question, Error *err)
{
    Sheet *sheet = sheet_new(arena);
    parameters_tell(sheet, model);
    bool told = inference_tell(sheet, model, question, err) &&
                training_tell(sheet, model, question, err) &&
                compute_tell(sheet, model, question, err) && fit_tell(sheet, model, question, err);
    return told ? sheet : NULL;
}
