/* gguf_model.c -- a model from the header of its GGUF: the settings say how its layers work, and the
 * tensors which numbers there are. Where both give a size they must agree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/gguf_layer.h"
#include "labs/5_frontier/key_numbers/app/model/gguf_tensors.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"

// Numbers beside the parameters.
typedef struct Beside {
    int tensors;
    uint64_t elements, bytes;
} Beside;

typedef struct Reading {
    GgufSource source;
    int layers, encoder;    // all; those of an encoder that a decoder follows
    GgufLayer *layer;       // [layers]
    GgufLayer outside;
    Beside constants, scales, ahead, again;
    StoredType types[DTYPE_COUNT];
    bool routed, causal, predicts;
    bool strange;    // a tensor has a name that is not known, in an architecture that is not
    Model *model;
} Reading;

static void beside(Beside *sum, const GgufTensor *tensor)
{
    sum->tensors++;
    sum->elements += tensor->count;
    sum->bytes += tensor->bytes;
}

// ---- tensors ----

static bool read_tensor(Reading *r, const GgufTensor *tensor, Error *err)
{
    const char *path = r->source.path;
    GgufName name;
    gguf_name_read(&name, tensor->name);
    if (tensor->count == 0) return error_set(err, "%s: '%s' has no numbers", path, tensor->name);
    StoredType *type = &r->types[tensor->type];
    type->name = dtype_name(tensor->type);
    type->elements += tensor->count;
    type->bytes += tensor->bytes;
    if (name.decoder && r->encoder == 0) name.part = GGUF_UNKNOWN;
    // Modules that predict further tokens come after the layers.
    bool second = name.decoder || r->encoder == 0;
    if (name.layer != OUTSIDE && name.decoder) name.layer += r->encoder;
    if (name.layer >= (second ? r->layers : r->encoder)) name.part = GGUF_AHEAD;
    switch (name.part) {
    case GGUF_CONSTANT: beside(&r->constants, tensor); return true;
    case GGUF_SCALE: beside(&r->scales, tensor); return true;
    case GGUF_AHEAD: beside(&r->ahead, tensor); return true;
    case GGUF_UNKNOWN:
        r->strange = !gguf_source_known(&r->source);
        return error_set(
            err, "%s: '%s' is no tensor of a transformer that is known here (architecture %s)",
            path, tensor->name, r->source.arch);
    default: break;
    }
    if (name.role == ROLE_HEAD && r->source.custom->tied) {
        beside(&r->again, tensor);
        return true;
    }
    r->routed |= name.component == COMPONENT_EXPERTS;
    GgufLayer *layer = name.layer == OUTSIDE ? &r->outside : &r->layer[name.layer];
    return gguf_layer_add(layer, &name, tensor, &r->source, err);
}

static bool read_tensors(Reading *r, Error *err)
{
    uint64_t all = 0;
    for (int f = 0; f < r->source.count; f++)
        for (int t = 0; t < r->source.files[f]->tensor_count; t++) {
            const GgufTensor *tensor = &r->source.files[f]->tensors[t];
            if (__builtin_add_overflow(all, tensor->count, &all) || all > GGUF_ELEMENTS_MOST)
                return error_set(err, "%s: has over 2^53 numbers", r->source.path);
            if (!read_tensor(r, tensor, err)) return false;
        }
    return all > 0 ||
           error_set(err, "%s: holds no tensors, but a vocabulary alone", r->source.path);
}

static bool count_layers(Reading *r, Error *err)
{
    uint64_t layers, ahead = 0, decoder = 0;
    if (!gguf_source_need(&r->source, "block_count", 0, &layers, err) ||
        !gguf_source_get(&r->source, "nextn_predict_layers", 0, &ahead, err))
        return false;
    if (r->source.custom->decoder) decoder = layers;
    if (!gguf_source_get(&r->source, "decoder_block_count", 0, &decoder, err)) return false;
    if (layers > GGUF_LAYERS_MOST) return gguf_too_many(&r->source, "block_count", layers, err);
    if (decoder > GGUF_LAYERS_MOST)
        return gguf_too_many(&r->source, "decoder_block_count", decoder, err);
    if (ahead >= layers)
        return error_set(err, "%s: of %" PRIu64 " layers %" PRIu64 " predict further tokens",
                         r->source.path, layers, ahead);
    r->predicts = ahead > 0;
    r->encoder = decoder > 0 ? (int)(layers - ahead) : 0;
    r->layers = (int)(layers - ahead + decoder);
    return true;
}

static bool read_layers(Reading *r, Error *err)
{
    if (!count_layers(r, err)) return false;
    r->layer = arena_zeros(r->source.arena, (size_t)r->layers * sizeof *r->layer);
    if (!read_tensors(r, err)) return false;
    if (!r->predicts && r->ahead.tensors > 0)
        return error_set(err, "%s: has tensors past its %d layers", r->source.path, r->layers);
    for (int l = 0; l < r->layers; l++) {
        if (!gguf_layer_describe(&r->layer[l], l, &r->source, err)) return false;
        if (r->encoder > 0 && r->layer[l].cross != (l >= r->encoder))
            return error_set(err, "%s: layer %d of its two stacks is no %s's", r->source.path, l,
                             l < r->encoder ? "encoder" : "decoder");
    }
    return true;
}

// ---- the model ----

static const char *kind_name(const Reading *r, const GgufLayer *layer)
{
    if (r->encoder > 0) return layer->cross ? "decoder" : "encoder";
    // Bidirectional attention goes by a name of the JSON's.
    const char *attention = layer->block.kv_rank > 0 ? "latent attention"
                            : layer->window > 0      ? "sliding attention"
                            : r->causal              ? "full attention"
                                                     : "attention both ways";    // image: both ways
    const char *mlp = !r->routed ? "" : layer->block.experts > 0 ? ", experts" : ", dense MLP";
    return arena_print(r->source.arena, "%s%s", attention, mlp);
}

static void add_weight(const Reading *r, int kind, const GgufItem *item)
{
    // MLPs without experts are separate where there are both.
    Component component =
        item->component == COMPONENT_MLP && r->routed ? COMPONENT_DENSE_MLP : item->component;
    Weight *weight =
        build_weight(r->model, kind, component, item->role, item->name, item->rows, item->cols);
    weight->copies = item->copies;
    weight->stored_bytes = item->bytes;
}

static void add_kind(Reading *r, const GgufLayer *layer)
{
    bool causal = r->encoder > 0 ? layer->cross : r->causal;
    int kind = build_kind(r->model, (LayerKind){.name = kind_name(r, layer),
                                                .block = layer->block,
                                                .window = layer->window,
                                                .index_dim = layer->index_dim,
                                                .caches = causal,
                                                .cross = layer->cross,
                                                .causal = causal});
    for (int i = 0; i < layer->count; i++) add_weight(r, kind, &layer->items[i]);
}

// Layers of the same tensors, heads and window are one kind; a kind's weights take the bytes of all.
static bool add_layers(Reading *r, Error *err)
{
    Model *model = r->model;
    model->layers = r->layers;
    model->kind_of = arena_alloc(r->source.arena, (size_t)r->layers * sizeof *model->kind_of);
    for (int l = 0; l < r->layers; l++) {
        GgufLayer *layer = &r->layer[l];
        int first = 0;
        while (!gguf_layer_same(layer, &r->layer[first])) first++;    // itself, at last
        if (first == l && model->kind_count == KINDS_MAX)
            return error_set(err, "%s: has layers of over %d kinds", r->source.path, KINDS_MAX);
        if (first == l) layer->kind = model->kind_count, add_kind(r, layer);
        int kind = model->kind_of[l] = r->layer[first].kind;
        model->kinds[kind].count++;
        Weight *weight = model->weights;
        while (weight->kind != kind) weight++;
        for (int i = 0; i < layer->count && first < l; i++)
            weight[i].stored_bytes += layer->items[i].bytes;
    }
    return true;
}

static bool add_outside(Reading *r, Error *err)
{
    Model *model = r->model;
    const GgufItem *embed = NULL, *head = NULL;
    for (int i = 0; i < r->outside.count; i++) {
        const GgufItem *item = &r->outside.items[i];
        add_weight(r, OUTSIDE, item);
        if (item->role == ROLE_EMBED) embed = item;
        if (item->role == ROLE_HEAD) head = item;
    }
    if (embed == NULL) return error_set(err, "%s: has no token_embd.weight", r->source.path);
    if (embed->cols != r->layer[0].block.width)
        return error_set(err,
                         "%s: token_embd.weight has rows of %" PRIu64 ", expected %" PRIu64
                         " by the settings",
                         r->source.path, embed->cols, r->layer[0].block.width);
    model->width = embed->cols;
    model->vocab = embed->rows;
    model->tied = head == NULL && r->causal;
    return true;
}

static void add_extra(Reading *r, const Beside *sum, const char *what)
{
    if (sum->tensors > 0)
        build_extra(r->model, sum->elements, sum->bytes, "%d tensor%s: %s", sum->tensors,
                    sum->tensors > 1 ? "s" : "", what);
}

static void add_notes(Reading *r)
{
    Model *model = r->model;
    add_extra(r, &r->constants, "factors of rotary positions, computed from the settings");
    add_extra(r, &r->scales, "scales beside quantised matrices");
    add_extra(r, &r->ahead, "a module that predicts further tokens (MTP)");
    add_extra(r, &r->again, "the head, which is the embedding once more");
    model->rope_factors = r->constants.elements;
    bool windows = false;
    for (int k = 0; k < model->kind_count; k++) windows |= model->kinds[k].window > 0;
    if (!gguf_source_known(&r->source))
        build_warning(model,
                      "the architecture %s is not known here: its layers are assumed to "
                      "work like LLaMA's",
                      r->source.arch);
    if (windows && r->source.custom->period == 0 &&
        gguf_source_value(&r->source, "attention.sliding_window_pattern") == NULL)
        build_warning(
            model, "%s.attention.sliding_window is given without a pattern: taken for every layer",
            r->source.arch);
    if (r->source.count > 1) build_note(model, "read from %d files", r->source.count);
}

static bool read(Reading *r, Error *err)
{
    bool causal = !r->source.custom->encoder;
    gguf_bool_at(gguf_source_value(&r->source, "attention.causal"), 0, &causal);
    r->causal = causal;
    if (!read_layers(r, err)) return false;
    r->model = build_model(r->source.arena, r->source.arch, r->source.path);
    r->model->source = "gguf";
    if (!gguf_source_get(&r->source, "context_length", 0, &r->model->max_context, err) ||
        !add_outside(r, err) || !add_layers(r, err))
        return false;
    gguf_add_types(&r->source, r->model, r->types);
    add_notes(r);
    r->model->published = gguf_file_type(&r->source, r->model);
    build_finish(r->model);
    return true;
}

Model *gguf_model(Arena *arena, const char *path, Error *err)
{
    Reading *r = arena_zeros(arena, sizeof *r);
    if (!gguf_source_open(&r->source, arena, arena_print(arena, "%s", path), err)) return NULL;
    bool whole = read(r, err);
    if (!whole && r->strange) {
        Error why = *err;
        r->model = gguf_by_tensors(&r->source, why.message, err);
        whole = r->model != NULL;
    }
    gguf_source_close(&r->source);
    return whole ? r->model : NULL;
}
