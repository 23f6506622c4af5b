#include "labs/5_frontier/key_numbers/app/report/report.h"
#include "labs/5_frontier/key_numbers/app/plan/compute.h"
#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/report/parameters.h"
#include "labs/5_frontier/key_numbers/app/plan/training.h"

Rows *report_of(Arena *arena, const Model *model, const Question *question, Error *err)
{
    Rows *rows = rows_new(arena);
    parameters_tell(rows, model);
    bool told = inference_tell(rows, model, question, err) &&
                training_tell(rows, model, question, err) &&
                compute_tell(rows, model, question, err) && fit_tell(rows, model, question, err);
    return told ? rows : NULL;
}
