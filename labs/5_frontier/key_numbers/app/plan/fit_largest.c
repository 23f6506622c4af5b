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

static void tell_model(Rows *rows, const Model *model, const Serving *serving, int i)
{
    const char *at = row_path(rows, "fit.largest_models[%d]", i);
    const char *text = arena_print(rows->arena, "%s: %.4ge9 in %s, %.4g GB", model->name,
                                   (double)model_params(model) / 1e9, serving->weights.format,
                                   (double)serving->weights.bytes / 1e9);
    row_text(rows, row_path(rows, "%s.summary", at), i == 0 ? "largest models on one" : "then",
             text);
    row_text(rows, row_path(rows, "%s.model", at), NULL, model->name);
    row_count(rows, row_path(rows, "%s.parameters", at), NULL, model_params(model),
              UNIT_PARAMETERS);
    row_text(rows, row_path(rows, "%s.weights", at), NULL, serving->weights.format);
    row_count(rows, row_path(rows, "%s.bytes", at), NULL, serving->weights.bytes, UNIT_BYTES);
    row_count(rows, row_path(rows, "%s.requests", at), NULL, serving->max_requests, UNIT_REQUESTS);
}

bool fit_largest_tell(Rows *rows, const Question *question, Error *err)
{
    const Model **models;
    Serving serving;
    int told = 0, count = catalogue_all(rows->arena, &models, err);
    if (count < 0) return false;
    qsort(models, (size_t)count, sizeof *models, by_size);
    for (int i = 0; i < count && told < TOLD; i++)
        if (holds(rows->arena, models[i], question, &serving))
            tell_model(rows, models[i], &serving, told++);
    if (told == 0)
        row_null(rows, "fit.largest_models", "largest models on one",
                 "it holds none of the catalogue");
    return true;
}
