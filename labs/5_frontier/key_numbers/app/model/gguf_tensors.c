#include "labs/5_frontier/key_numbers/app/model/gguf_tensors.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/gguf_name.h"

enum { NAMES_MOST = 2000 };

bool gguf_too_many(const GgufSource *source, const char *key, uint64_t layers, Error *err)
{
    return error_set(err, "%s: %s.%s is %" PRIu64 ", expected at most %d", source->path,
                     source->arch, key, layers, GGUF_LAYERS_MOST);
}

// In the order of their bytes.
void gguf_add_types(const GgufSource *source, Model *model, const StoredType types[DTYPE_COUNT])
{
    StoredType *sorted = arena_alloc(source->arena, DTYPE_COUNT * sizeof *sorted);
    for (int t = 0; t < DTYPE_COUNT; t++) {
        if (types[t].name == NULL) continue;
        int at = model->stored_count++;
        for (; at > 0 && sorted[at - 1].bytes < types[t].bytes; at--) sorted[at] = sorted[at - 1];
        sorted[at] = types[t];
    }
    model->stored = sorted;
}

// llama.cpp, include/llama.h: enum llama_ftype. The names are those of formats/ggml_mix.h.
const char *gguf_file_type(const GgufSource *source, const Model *model)
{
    static const char *const NAMES[] = {
        [0] = "f32",      [1] = "f16",      [2] = "q4_0",      [3] = "q4_1",    [7] = "q8_0",
        [8] = "q5_0",     [9] = "q5_1",     [10] = "q2_k",     [11] = "q3_k_s", [12] = "q3_k_m",
        [13] = "q3_k_l",  [14] = "q4_k_s",  [15] = "q4_k_m",   [16] = "q5_k_s", [17] = "q5_k_m",
        [18] = "q6_k",    [19] = "iq2_xxs", [20] = "iq2_xs",   [21] = "q2_k_s", [22] = "iq3_xs",
        [23] = "iq3_xxs", [24] = "iq1_s",   [25] = "iq4_nl",   [26] = "iq3_s",  [27] = "iq3_m",
        [28] = "iq2_s",   [29] = "iq2_m",   [30] = "iq4_xs",   [31] = "iq1_m",  [32] = "gguf-bf16",
        [36] = "tq1_0",   [37] = "tq2_0",   [38] = "mxfp4_moe"};
    uint64_t type;
    bool known = gguf_integer_at(gguf_value(source->files[0], "general.file_type"), 0, &type) &&
                 type < sizeof NAMES / sizeof *NAMES && NAMES[type] != NULL;
    return known ? NAMES[type]
                 : arena_print(source->arena, "a mix of %s and others", model->stored[0].name);
}

// ---- an architecture whose tensors are not all known ----

typedef struct Reading {
    GgufSource *source;
    Model *model;
    StoredType types[DTYPE_COUNT];
} Reading;

static uint64_t rows_of(const GgufTensor *tensor)
{
    uint64_t rows = 1;
    for (int d = 1; d < tensor->dims; d++) rows *= tensor->shape[d];
    return rows;
}

// "blk.12.attn_k.weight": 12, and the rest. OUTSIDE and all of it for other names.
static int layer_of(const char *name, const char **plain)
{
    int layer = OUTSIDE, used = 0;
    *plain = name;
    if (sscanf(name, "blk.%d.%n", &layer, &used) != 1 || used == 0) return OUTSIDE;
    *plain = name + used;
    return layer >= 0 && layer < GGUF_LAYERS_MOST ? layer : OUTSIDE;
}

// What a layer's tensors say of its cache: rows of keys, of values, of a latent.
typedef struct CacheRows {
    uint64_t keys, values, latent;
} CacheRows;

static bool read_strange(Reading *r, CacheRows *rows, const GgufTensor *tensor, Error *err)
{
    static const char *const integers[] = {"I8", "I16", "I32", "I64"};
    Model *model = r->model;
    const char *plain, *type = dtype_name(tensor->type);
    int layer = layer_of(tensor->name, &plain);
    if (tensor->count == 0 || tensor->count > GGUF_ELEMENTS_MOST)
        return error_set(err, "%s: '%s' has no numbers, or over 2^53", r->source->path,
                         tensor->name);
    StoredType *stored = &r->types[tensor->type];
    stored->name = type;
    stored->elements += tensor->count, stored->bytes += tensor->bytes;
    if (strcmp(plain, "attn_k.weight") == 0 && layer >= 0) rows[layer].keys = rows_of(tensor);
    if (strcmp(plain, "attn_v.weight") == 0 && layer >= 0) rows[layer].values = rows_of(tensor);
    if (strcmp(plain, "attn_kv_a_mqa.weight") == 0 && layer >= 0)
        rows[layer].latent = rows_of(tensor);
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        if (strcmp(type, integers[i]) == 0) return true;    // tables
    uint64_t cols = tensor->dims > 0 ? tensor->shape[0] : 1, count = tensor->count / cols;
    for (int i = 0; i < model->weight_count; i++) {
        Weight *w = &model->weights[i];
        if (w->rows != count || w->cols != cols || strcmp(w->name, plain) != 0) continue;
        w->copies++, w->stored_bytes += tensor->bytes;
        return true;
    }
    if (model->weight_count == NAMES_MOST)
        return error_set(err, "%s: has tensors of over %d names", r->source->path, NAMES_MOST);
    GgufName name;
    gguf_name_read(&name, tensor->name);
    bool known = name.part != GGUF_UNKNOWN;
    Component other = strstr(plain, "ssm") != NULL ? COMPONENT_LINEAR : COMPONENT_MLP;
    Weight *w =
        build_weight(model, OUTSIDE, known ? name.component : other, known ? name.role : ROLE_OTHER,
                     build_name(model, "%s", plain), count, cols);
    w->stored_bytes = tensor->bytes;
    if (strcmp(plain, "token_embd.weight") == 0) model->width = cols, model->vocab = count;
    return true;
}

// Layers of one kind keep as much. Heads are as the settings say, or one.
static bool add_caches(Reading *r, const CacheRows *rows, int layers)
{
    Model *model = r->model;
    model->layers = layers;
    model->kind_of = arena_alloc(r->source->arena, ((size_t)layers + 1) * sizeof *model->kind_of);
    CacheRows of[KINDS_MAX];
    for (int l = 0; l < layers; l++) {
        const CacheRows *c = &rows[l];
        int k = 0;
        while (k < model->kind_count && memcmp(&of[k], c, sizeof *c) != 0) k++;
        if (k == KINDS_MAX) return false;
        if (k == model->kind_count) {
            uint64_t dim = 0, both = (c->keys + c->values) / 2;
            Error unused;
            gguf_source_get(r->source, "attention.key_length", 0, &dim, &unused);
            if (dim == 0 || both % dim != 0) dim = both;
            of[k] = *c;
            KnBlock block = {.width = model->width, .kv_rank = c->latent, .heads = 1};
            if (c->latent == 0 && both > 0)
                block.heads = block.kv_heads = both / dim, block.head_dim = dim;
            build_kind(model, (LayerKind){.name = c->latent > 0 ? "latent attention"
                                                  : both > 0    ? "full attention"
                                                                : "no attention",
                                          .block = block,
                                          .caches = true,
                                          .causal = true});
        }
        model->kinds[k].count++;
        model->kind_of[l] = k;
    }
    return true;
}

Model *gguf_by_tensors(GgufSource *source, const char *why, Error *err)
{
    Reading *r = arena_zeros(source->arena, sizeof *r);
    const char *path = source->path;
    uint64_t layers = 0;
    CacheRows *rows = arena_zeros(source->arena, GGUF_LAYERS_MOST * sizeof *rows);
    Model *model = build_model(source->arena, source->arch, path);
    r->source = source, r->model = model;
    model->source = "gguf", model->named = true;
    if (!gguf_source_need(source, "block_count", 0, &layers, err) ||
        !gguf_source_get(source, "context_length", 0, &model->max_context, err))
        return NULL;
    if (layers > GGUF_LAYERS_MOST) {
        gguf_too_many(source, "block_count", layers, err);
        return NULL;
    }
    for (int f = 0; f < source->count; f++)
        for (int t = 0; t < source->files[f]->tensor_count; t++)
            if (!read_strange(r, rows, &source->files[f]->tensors[t], err)) return NULL;
    if (!add_caches(r, rows, (int)layers)) {
        error_set(err, "%s: has layers of over %d kinds", path, KINDS_MAX);
        return NULL;
    }
    gguf_add_types(source, model, r->types);
    build_warning(model, "counted from the tensors: %s", why);
    build_warning(model,
                  "the KV cache is counted as full attention over all tokens (--window), "
                  "without the state of a recurrence; FLOPs and a split over GPUs do not hold");
    model->published = gguf_file_type(source, model);
    build_finish(model);
    return model;
}
