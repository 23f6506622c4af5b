#include "labs/5_frontier/key_numbers/app/model/extras.h"
#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/kept.h"

enum { TILE = 128, MX_BLOCK = 32, FLOAT_BYTES = 4 };

static bool is_published(const Model *model, const char *format)
{
    return strcmp(model->published, format) == 0;
}

// What is stored in 8 bits under fp8.
static bool is_tiled(const Weight *weight)
{
    return weight_projects(weight) && !weight_in_tower(weight);
}

static uint64_t tiles(const Weight *weight)
{
    return is_tiled(weight) ? (weight->rows + TILE - 1) / TILE *
                                  ((weight->cols + TILE - 1) / TILE) * weight->copies
                            : 0;
}

// ---- a module that predicts one token more ----

// DeepSeek-AI 2024 (V3), section 2.2: a layer like the last one; two norms and a matrix that join what the
// model has with the next token's embedding, and a norm before the head.
static void add_modules(Model *model, uint64_t modules)
{
    uint64_t h = model->width, join = 2 * h * h, norms = 3 * h;
    int last = model->kind_of[model->layers - 1];
    bool fp8 = is_published(model, "fp8");
    uint64_t elements = join + norms, bytes = 2 * (join + norms);
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->kind != last) continue;
        uint64_t count = w->rows * w->cols * w->copies;
        bool balance = w->role == ROLE_BIAS && w->component == COMPONENT_ROUTER;
        elements += count;
        bytes += count * (!fp8 ? 2 : is_tiled(w) ? 1 : balance ? FLOAT_BYTES : 2);
    }
    build_extra(model, modules * elements, modules * bytes,
                "%" PRIu64 " module%s that predict%s one token more: a layer "
                "like the last, a matrix and norms",
                modules, modules > 1 ? "s" : "", modules > 1 ? "" : "s");
}

static void predicting_ends(Model *model)
{
    uint64_t count = 2 * model->vocab * model->width;
    build_extra(model, count, count * 2,
                "embedding and head again, in the module that predicts one token more");
}

// ---- scales ----

static void add_tiles(Model *model, uint64_t modules)
{
    uint64_t count = 0;
    int last = model->kind_of[model->layers - 1];
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        count += tiles(w) * ((uint64_t)weight_layers(model, w) - weight_kept_layers(model, w) +
                             (w->kind == last ? modules : 0));
    }
    build_extra(model, count, count * FLOAT_BYTES,
                "a float for each %d x %d of the matrices in 8 bits", TILE, TILE);
}

static void add_microscales(Model *model)
{
    uint64_t count = 0;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->component == COMPONENT_EXPERTS && w->rows > 1)
            count += weight_elements(model, w) / MX_BLOCK;
    }
    build_extra(model, count, count, "a byte of scale for each %d of the experts' weights",
                MX_BLOCK);
}

void extras_add(Model *model, uint64_t modules)
{
    if (model->layers == 0) return;
    if (modules > 0) add_modules(model, modules);
    if (modules > 0 && model->ends_again) predicting_ends(model);
    if (is_published(model, "fp8")) add_tiles(model, modules);
    if (is_published(model, "mxfp4")) add_microscales(model);
}

// ---- habits ----

static uint64_t bytes_of(const Model *model)
{
    return is_published(model, "fp32") ? 4 : 2;
}

static uint64_t layers(const Model *model)
{
    return (uint64_t)model->layers;
}

static void causal_masks(Model *model)
{
    uint64_t side = model->max_context, count = layers(model) * side * side;
    // GPT-2's are floats, GPT-NeoX's are booleans.
    uint64_t each = strcmp(model->family, "gpt_neox") == 0 ? 1 : bytes_of(model);
    build_extra(model, count, count * each, "%d causal masks of %" PRIu64 " x %" PRIu64,
                model->layers, side, side);
}

// Half of the part of a head that turns with the position; `share` of it in per cent.
static void frequencies(Model *model, uint64_t times, uint64_t share)
{
    uint64_t each = model->kinds[0].block.head_dim * share / 100 / 2;
    build_extra(model, times * each, times * each * bytes_of(model),
                "%" PRIu64 " x %" PRIu64 " frequencies of the positions", times, each);
}

static void rotary(Model *model)
{
    frequencies(model, layers(model), 100);
}

static void rotary_quarter(Model *model)
{
    frequencies(model, layers(model), 25);
}

static void rotary_once(Model *model)
{
    frequencies(model, 1, 50);
}

static void tied_head(Model *model)
{
    uint64_t count = model->vocab * model->width;
    build_extra(model, count, count * bytes_of(model), "the head again, which is the embedding");
}

#define HABIT_LIST(X)                                                                              \
    X(causal_masks) X(rotary) X(rotary_quarter) X(rotary_once) X(tied_head) X(predicting_ends)

bool extras_habit(Model *model, const char *habit, Error *err)
{
    static const struct {
        const char *name;
        void (*add)(Model *);
    } habits[] = {
#define X(name) {#name, name},
        HABIT_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        if (strcmp(habits[i].name, habit) != 0) continue;
        habits[i].add(model);
        return true;
    }
    return error_set(err, "\"stored\" has '%s', which is none that is known", habit);
}
