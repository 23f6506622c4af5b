#include <stdlib.h>
#include "labs/5_frontier/key_numbers/calculator/fit.h"
#include "labs/5_frontier/key_numbers/model/open.h"

enum { TOLD = 5 };

// From most bits to fewest: what is published comes first where it is none of these.
static const char *const ladder[] = {"bf16", "q8_0", "fp8", "q6_k", "q4_k_m"};
enum { LADDER = sizeof ladder / sizeof *ladder };

typedef struct Sized {
    const Model *model;
    uint64_t     params;
} Sized;

static int by_size(const void *left, const void *right)
{
    const Sized *a = left, *b = right;
    return a->params < b->params ? 1 : a->params > b->params ? -1 : 0;
}

static int load_models(Arena *arena, Sized **models, Error *err)
{
    const CatalogueEntry *entries;
    int                   count = catalogue_list(arena, &entries, err);
    if (count < 0) return -1;
    *models = arena_alloc(arena, ((size_t)count + 1) * sizeof **models);
    for (int i = 0; i < count; i++) {
        const Model *model = catalogue_model(arena, entries[i].name, err);
        if (model == NULL) return -1;
        (*models)[i] = (Sized){model, model_params(model)};
    }
    qsort(*models, (size_t)count, sizeof **models, by_size);
    return count;
}

// As it is published, unless that is more than 16 bits; then down the ladder.
static bool holds(Arena *arena, const Model *model, const Question *question, Serving *serving)
{
    WeightBytes published;
    if (model->max_context > 0 && model->max_context < question->context) return false;
    if (question->weights != NULL)
        return fit_alone(arena, model, question, question->weights, serving);
    if (!format_weights(arena, model, NULL, &published, NULL)) return false;
    bool held = published.bits_per_weight < 17 && fit_alone(arena, model, question, NULL, serving);
    for (int i = 0; i < LADDER && !held; i++)
        held = fit_alone(arena, model, question, ladder[i], serving) &&
               serving->weights.bits_per_weight <= published.bits_per_weight;
    return held;
}

static void tell_model(Sheet *sheet, const Sized *sized, const Serving *serving, int i)
{
    const char *at   = sheet_path(sheet, "fit.largest_models[%d]", i);
    const char *text = arena_print(sheet->arena, "%s: %.4ge9 in %s, %.4g GB", sized->model->name,
                                   (double)sized->params / 1e9, serving->weights.format,
                                   (double)serving->weights.bytes / 1e9);
    sheet_text(sheet, sheet_path(sheet, "%s.summary", at),
               i == 0 ? "largest models on one" : "then", text);
    sheet_text(sheet, sheet_path(sheet, "%s.model", at), NULL, sized->model->name);
    sheet_count(sheet, sheet_path(sheet, "%s.parameters", at), NULL, sized->params,
                UNIT_PARAMETERS);
    sheet_text(sheet, sheet_path(sheet, "%s.weights", at), NULL, serving->weights.format);
    sheet_count(sheet, sheet_path(sheet, "%s.bytes", at), NULL, serving->weights.bytes, UNIT_BYTES);
    sheet_count(sheet, sheet_path(sheet, "%s.requests", at), NULL, serving->max_requests,
                UNIT_REQUESTS);
}

bool fit_largest_tell(Sheet *sheet, const Question *question, Error *err)
{
    Sized  *models;
    Serving serving;
    int     told = 0, count = load_models(sheet->arena, &models, err);
    if (count < 0) return false;
    for (int i = 0; i < count && told < TOLD; i++)
        if (holds(sheet->arena, models[i].model, question, &serving))
            tell_model(sheet, &models[i], &serving, told++);
    if (told == 0)
        sheet_null(sheet, "fit.largest_models", "largest models on one",
                   "it holds none of the catalogue");
    return true;
}
