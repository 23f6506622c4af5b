#include <stdlib.h>
#include "labs/5_frontier/key_numbers/app/plan/fit.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"

enum { TOLD = 5 };

static int by_size(const void *left, const void *right)
{
    uint64_t a = model_params(*(const Model *const *)left);
    uint64_t b = model_params(*(const Model *const *)right);
    return a < b ? 1 : a > b ? -1 : 0;
}

static bool holds(Arena *arena, const Model *model, const Question *question, Serving *serving)
{
    if (model->max_context > 0 && model->max_context < question->context) return false;
    if (question->weights != NULL)
        return fit_alone(arena, model, question, question->weights, serving);
    return fit_best(arena, model, question, FIT_GOOD_FORMATS, serving, NULL) &&
           serving->weights.format != NULL;
}

static void tell_model(Sheet *sheet, const Model *model, const Serving *serving, int i)
{
    const char *at = sheet_path(sheet, "fit.largest_models[%d]", i);
    const char *text = arena_print(sheet->arena, "%s: %.4ge9 in %s, %.4g GB", model->name,
                                   (double)model_params(model) / 1e9, serving->weights.format,
                                   (double)serving->weights.bytes / 1e9);
    sheet_text(sheet, sheet_path(sheet, "%s.summary", at),
               i == 0 ? "largest models on one" : "then", text);
    sheet_text(sheet, sheet_path(sheet, "%s.model", at), NULL, model->name);
    sheet_count(sheet, sheet_path(sheet, "%s.parameters", at), NULL, model_params(model),
                UNIT_PARAMETERS);
    sheet_text(sheet, sheet_path(sheet, "%s.weights", at), NULL, serving->weights.format);
    sheet_count(sheet, sheet_path(sheet, "%s.bytes", at), NULL, serving->weights.bytes, UNIT_BYTES);
    sheet_count(sheet, sheet_path(sheet, "%s.requests", at), NULL, serving->max_requests,
                UNIT_REQUESTS);
}

bool fit_largest_tell(Sheet *sheet, const Question *question, Error *err)
{
    const Model **models;
    Serving serving;
    int told = 0, count = catalogue_all(sheet->arena, &models, err);
    if (count < 0) return false;
    qsort(models, (size_t)count, sizeof *models, by_size);
    for (int i = 0; i < count && told < TOLD; i++)
        if (holds(sheet->arena, models[i], question, &serving))
            tell_model(sheet, models[i], &serving, told++);
    if (told == 0)
        sheet_null(sheet, "fit.largest_models", "largest models on one",
                   "it holds none of the catalogue");
    return true;
}
