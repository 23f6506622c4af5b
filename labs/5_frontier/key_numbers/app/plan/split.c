#include "labs/5_frontier/key_numbers/app/plan/split.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { NODE = 8 };    // GPUs that are linked closely enough to share each product

uint64_t split_gpus(Split split)
{
    return split.tp * split.pp * split.ep;
}

// ---- the basis ----

// In one layer. Of a tensor that was read from a file only what all layers take together is known, or
// of a file that does not say even that, the sum of all tensors.
static uint64_t layer_bytes(const Model *model, const FormatInfo *format,
                            const WeightBytes *weights, const Weight *w, int layer)
{
    if (format != NULL) return format_weight_bytes(model, format, w, layer);
    double layers = weight_layers(model, w), bytes = (double)w->stored_bytes;
    if (w->stored_bytes == 0)
        bytes = (double)weights->bytes *
                ((double)weight_elements(model, w) / (double)model_params(model));
    return (uint64_t)ceil(bytes / layers);
}

static int find_layer(const SplitBasis *basis, int kind, const uint64_t *bytes)
{
    size_t size = (size_t)basis->model->weight_count * sizeof *bytes;
    for (int d = 0; d < basis->distinct_count; d++)
        if (basis->distinct[d].kind == kind && memcmp(basis->distinct[d].bytes, bytes, size) == 0)
            return d;
    return basis->distinct_count;
}

void split_basis(Arena *arena, const Model *model, const FormatInfo *format,
                 const WeightBytes *weights, SplitBasis *basis)
{
    size_t row_bytes = ((size_t)model->weight_count + 1) * sizeof(uint64_t),
           layers = (size_t)model->layers;
    uint64_t *row = arena_zeros(arena, row_bytes);
    *basis = (SplitBasis){.model = model,
                          .outside = arena_zeros(arena, row_bytes),
                          .distinct = arena_alloc(arena, (layers + 1) * sizeof *basis->distinct),
                          .layer = arena_alloc(arena, (layers + 1) * sizeof *basis->layer)};
    for (int i = 0; i < model->weight_count; i++)
        if (model->weights[i].kind == OUTSIDE)
            basis->outside[i] = layer_bytes(model, format, weights, &model->weights[i], OUTSIDE);
    for (int l = 0; l < model->layers; l++) {
        int kind = model->kind_of[l];
        for (int i = 0; i < model->weight_count; i++) {
            const Weight *w = &model->weights[i];
            row[i] = w->kind == kind ? layer_bytes(model, format, weights, w, l) : 0;
        }
        basis->layer[l] = find_layer(basis, kind, row);
        if (basis->layer[l] < basis->distinct_count) continue;
        basis->distinct[basis->distinct_count++] = (LayerWeights){kind, row};
        row = arena_zeros(arena, row_bytes);
    }
}

// ---- which splits there are ----

// Query heads are divided; key/value heads are divided or copied, all of them alike.
static bool heads_divide(const KnBlock *block, uint64_t tp)
{
    uint64_t k = block->kv_heads;
    return block->heads % tp == 0 && (block->kv_rank > 0 || k == 0 || k % tp == 0 || tp % k == 0);
}

static uint64_t most_experts(const Model *model)
{
    uint64_t most = 0;
    for (int k = 0; k < model->kind_count; k++)
        if (model->kinds[k].block.experts > most) most = model->kinds[k].block.experts;
    return most;
}

bool split_check(const Model *model, Split split, Error *err)
{
    uint64_t sharing = split.tp * split.ep, gpus = split_gpus(split), experts = most_experts(model);
    if (model->layers == 0 && gpus > 1)
        return error_set(
            err, "%s: without a config.json its layers are not known, nor how to split them",
            model->name);
    for (int k = 0; k < model->kind_count; k++) {
        const KnBlock *b = &model->kinds[k].block;
        if (heads_divide(b, split.tp)) continue;
        return error_set(err,
                         "tp: %" PRIu64 " query and %" PRIu64
                         " key/value heads of %s cannot be divided over %" PRIu64 " GPUs",
                         b->heads, b->kv_heads, model->name, split.tp);
    }
    if (split.pp > 1 && split.pp > (uint64_t)model->layers)
        return error_set(err, "pp: %s has %d layers, too few for %" PRIu64 " stages", model->name,
                         model->layers, split.pp);
    if (split.ep > 1 && sharing > experts)
        return error_set(err,
                         "ep: %s has %" PRIu64 " experts, too few for tp x ep = %" PRIu64 " GPUs",
                         model->name, experts, sharing);
    return true;
}

Split split_choose(const Model *model, uint64_t gpus)
{
    uint64_t tp = 1;
    for (uint64_t next = 2; next <= NODE && gpus % next == 0; next *= 2) {
        bool divides = model->layers > 0;
        for (int k = 0; k < model->kind_count; k++)
            divides = divides && heads_divide(&model->kinds[k].block, next);
        if (divides) tp = next;
    }
    return (Split){tp, gpus / tp, 1};
}

bool split_resolve(const Model *model, Split asked, uint64_t gpus, Split *split, Error *err)
{
    *split = asked;
    if (gpus > 0 && split_gpus(asked) == 1) *split = split_choose(model, gpus);
    else if (gpus > 0 && asked.pp == 1) split->pp = gpus / (asked.tp * asked.ep);
    if (gpus > 0 && split_gpus(*split) != gpus)
        return error_set(err,
                         "gpus: %" PRIu64 " cannot be had as tp x pp x ep with %" PRIu64
                         " x %" PRIu64 " x %" PRIu64 " asked for",
                         gpus, asked.tp, asked.pp, asked.ep);
    return split_check(model, *split, err);
}

void split_stage(int layers, uint64_t pp, uint64_t stage, int *from, int *to)
{
    int each = layers / (int)pp, rest = layers % (int)pp, s = (int)stage;
    int first = (int)pp - 1 - rest;    // the rest: one more for each of first..pp-2
    *from = s * each + (s > first ? s - first : 0);
    *to = *from + each + (s >= first && s < (int)pp - 1 ? 1 : 0);
}

// ---- what a GPU holds ----

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

// ceil(bytes part / whole), where bytes x part may not fit in 64 bits; all where there is nothing to divide by.
static uint64_t share(uint64_t bytes, uint64_t part, uint64_t whole)
{
    if (whole == 0) return bytes;
    return bytes / whole * part + ceil_div(bytes % whole * part, whole);
}

uint64_t split_held(const Model *model, const Weight *w, uint64_t bytes, Split split)
{
    uint64_t tp = split.tp;
    if (w->kind == OUTSIDE) {
        bool by_word = w->role == ROLE_EMBED || w->role == ROLE_HEAD;
        return by_word && w->rows > 1 ? share(bytes, ceil_div(w->rows, tp), w->rows) : bytes;
    }
    const KnBlock *b = &model->kinds[w->kind].block;
    if (w->component == COMPONENT_EXPERTS && split.ep > 1)
        return share(bytes, ceil_div(w->copies, tp * split.ep), w->copies);
    uint64_t kv = ceil_div(b->kv_heads, tp);
    switch (w->role) {
    case ROLE_Q:
    case ROLE_Q_B:
    case ROLE_KV_B:
    case ROLE_O: return share(bytes, b->heads / tp, b->heads);
    case ROLE_K:
    case ROLE_V: return share(bytes, kv, b->kv_heads);
    case ROLE_QKV: return share(bytes, b->heads / tp + 2 * kv, b->heads + 2 * b->kv_heads);
    case ROLE_GATE:
    case ROLE_UP: return share(bytes, ceil_div(w->rows, tp), w->rows);
    case ROLE_GATE_UP: return share(bytes, 2 * ceil_div(w->rows / 2, tp), w->rows);
    case ROLE_DOWN: return share(bytes, ceil_div(w->cols, tp), w->cols);
    case ROLE_EMBED:
    case ROLE_HEAD:
    case ROLE_POSITION:
    case ROLE_Q_A:
    case ROLE_KV_A:
    case ROLE_ROUTER:
    case ROLE_NORM:
    case ROLE_BIAS:
    case ROLE_OTHER: break;
    }
    return bytes;
}

bool split_has(const Model *model, const Weight *w, bool first, bool last)
{
    if (w->component == COMPONENT_HEAD || w->component == COMPONENT_NORM ||
        w->component == COMPONENT_POOLER)
        return last;
    return first || (w->role == ROLE_EMBED && model->tied && last);
}

static void add_outside(StageWeights *stage, const SplitBasis *basis, Split split, bool first,
                        bool last)
{
    const Model *model = basis->model;
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->kind != OUTSIDE) continue;
        bool is_head = w->role == ROLE_EMBED && model->tied;
        if (!split_has(model, w, first, last)) continue;
        uint64_t bytes = split_held(model, w, basis->outside[i], split);
        stage->all += bytes;
        if (w->component == COMPONENT_POS || weight_in_tower(w) ||
            w->component == COMPONENT_POOLER || (w->role == ROLE_EMBED && !(is_head && last)))
            stage->idle += bytes;
    }
}

const StageWeights *split_weights(Arena *arena, const SplitBasis *basis, Split split,
                                  const int *ends)
{
    const Model *model = basis->model;
    StageWeights *stages = arena_zeros(arena, split.pp * sizeof *stages);
    StageWeights *layer = arena_zeros(arena, ((size_t)basis->distinct_count + 1) * sizeof *layer);
    for (int d = 0; d < basis->distinct_count; d++)
        for (int i = 0; i < model->weight_count; i++) {
            uint64_t bytes = basis->distinct[d].bytes[i];
            if (bytes == 0) continue;
            bytes = split_held(model, &model->weights[i], bytes, split);
            layer[d].all += bytes;
            if (model->weights[i].component == COMPONENT_EXPERTS) layer[d].experts += bytes;
        }
    for (uint64_t s = 0; s < split.pp; s++) {
        StageWeights *stage = &stages[s];
        split_stage(model->layers, split.pp, s, &stage->from, &stage->to);
        if (ends != NULL) stage->from = s > 0 ? ends[s - 1] : 0, stage->to = ends[s];
        for (int l = stage->from; l < stage->to; l++) {
            const StageWeights *one = &layer[basis->layer[l]];
            stage->all += one->all;
            stage->experts += one->experts;
            if (!model->kinds[model->kind_of[l]].caches) stage->encoder += one->all;
        }
        add_outside(stage, basis, split, s == 0, s == split.pp - 1);
    }
    return stages;
}
