#include "labs/5_frontier/key_numbers/app/model/gguf_layer.h"
#include <inttypes.h>
#include <string.h>

// ---- its tensors ----

// ggml writes the innermost dimension first: [in, out], and of experts [in, out, experts].
static GgufItem item_of(const GgufName *name, const GgufTensor *tensor)
{
    const uint64_t *shape = tensor->shape;
    GgufItem item = {.name = name->plain,
                     .order = name->order,
                     .component = name->component,
                     .role = name->role,
                     .rows = shape[1],
                     .cols = shape[0],
                     .copies = shape[2] * shape[3],
                     .bytes = tensor->bytes};
    if (name->component == COMPONENT_EXPERTS && name->role == ROLE_BIAS)
        item.rows = 1, item.copies = shape[1];
    // The up-projection [a (d_n + d_v), r_kv] of latent attention, in two, one of them transposed: k_b
    // [d_n, r_kv, a] and v_b [r_kv, d_v, a].
    if (strcmp(name->plain, "attn_k_b.weight") == 0)
        item.rows = shape[0] * shape[2], item.cols = shape[1], item.copies = 1;
    if (strcmp(name->plain, "attn_v_b.weight") == 0)
        item.rows = shape[1] * shape[2], item.copies = 1;
    if (name->role == ROLE_KV_B) item.name = "attn_kv_b.weight";
    return item;
}

static GgufItem *find(GgufLayer *layer, const char *name)
{
    for (int i = 0; i < layer->count; i++)
        if (strcmp(layer->items[i].name, name) == 0) return &layer->items[i];
    return NULL;
}

bool gguf_layer_add(GgufLayer *layer, const GgufName *name, const GgufTensor *tensor,
                    const GgufSource *source, Error *err)
{
    GgufItem item = item_of(name, tensor);
    for (int i = 0; i < layer->count; i++) {
        GgufItem *other = &layer->items[i];
        if (strcmp(other->name, item.name) != 0 || other->cols != item.cols) continue;
        if (item.role != ROLE_KV_B && other->rows != item.rows) continue;
        if (item.role == ROLE_KV_B) other->rows += item.rows;
        else other->copies += item.copies;
        other->bytes += item.bytes;
        return true;
    }
    if (layer->count == GGUF_MAX_ITEMS)
        return error_set(err, "%s: '%s' stands in a layer of over %d tensors", source->path,
                         tensor->name, GGUF_MAX_ITEMS);
    item.name = arena_print(source->arena, "%s", item.name);
    int at = layer->count++;
    for (; at > 0 && layer->items[at - 1].order > item.order; at--)
        layer->items[at] = layer->items[at - 1];
    layer->items[at] = item;
    return true;
}

uint64_t gguf_layer_elements(const GgufLayer *layer)
{
    uint64_t sum = 0;
    for (int i = 0; i < layer->count; i++)
        sum += layer->items[i].rows * layer->items[i].cols * layer->items[i].copies;
    return sum;
}

bool gguf_layer_same(const GgufLayer *a, const GgufLayer *b)
{
    bool same = a->count == b->count && a->window == b->window && a->index_dim == b->index_dim &&
                a->block.heads == b->block.heads && a->block.kv_heads == b->block.kv_heads &&
                a->block.head_dim == b->block.head_dim;
    for (int i = 0; same && i < a->count; i++) {
        const GgufItem *x = &a->items[i], *y = &b->items[i];
        same = strcmp(x->name, y->name) == 0 && x->rows == y->rows && x->cols == y->cols &&
               x->copies == y->copies;
    }
    return same;
}

// ---- what they make ----

typedef struct Describing {
    GgufLayer *layer;
    int number;
    const GgufSource *source;
    Error *err;
} Describing;

static bool has(const Describing *d, const char *name)
{
    return find(d->layer, name) != NULL;
}

static bool is_vector(const Describing *d, const char *name, uint64_t size)
{
    const GgufItem *item = find(d->layer, name);
    return item != NULL && item->rows == 1 && item->cols == size;
}

// The matrix must be there, and of this shape by the settings.
static bool expect(const Describing *d, const char *name, uint64_t rows, uint64_t cols)
{
    const GgufItem *item = find(d->layer, name);
    if (item == NULL)
        return error_set(d->err, "%s: layer %d has no %s, and layers without are not known here",
                         d->source->path, d->number, name);
    return (item->rows == rows && item->cols == cols) ||
           error_set(d->err,
                     "%s: %s of layer %d takes %" PRIu64 " numbers to %" PRIu64
                     ", expected %" PRIu64 " to %" PRIu64 " by the "
                     "settings",
                     d->source->path, name, d->number, item->cols, item->rows, cols, rows);
}

static bool get(const Describing *d, const char *key, uint64_t *number)
{
    return gguf_source_get(d->source, key, d->number, number, d->err);
}

static bool need(const Describing *d, const char *key, uint64_t *number)
{
    return gguf_source_need(d->source, key, d->number, number, d->err);
}

// Latent attention (DeepSeek). Since it is stored as if all heads shared one key, the size of a head is
// in key_length_mla, and in older files in key_length.
static bool describe_latent(const Describing *d, KnBlock *b)
{
    uint64_t key = 0, value = 0;
    if (!get(d, "attention.key_length", &key) || !get(d, "attention.key_length_mla", &key) ||
        !get(d, "attention.value_length", &value) ||
        !get(d, "attention.value_length_mla", &value) ||
        !get(d, "attention.q_lora_rank", &b->q_rank) ||
        !need(d, "rope.dimension_count", &b->rope_dim))
        return false;
    if (key <= b->rope_dim || value == 0)
        return error_set(d->err,
                         "%s: %s.attention.key_length_mla is %" PRIu64
                         ", expected over the %" PRIu64 " of "
                         "rope.dimension_count, and a value_length_mla",
                         d->source->path, d->source->arch, key, b->rope_dim);
    b->nope_dim = key - b->rope_dim, b->value_dim = value, b->kv_heads = b->heads;
    if (!has(d, "attn_q_a.weight")) b->q_rank = 0;    // DeepSeek-V2-Lite
    uint64_t a = b->heads, h = b->width, r = b->q_rank;
    if (r > 0 ? !expect(d, "attn_q_a.weight", r, h) || !expect(d, "attn_q_b.weight", a * key, r)
              : !expect(d, "attn_q.weight", a * key, h))
        return false;
    return expect(d, "attn_kv_a_mqa.weight", b->kv_rank + b->rope_dim, h) &&
           expect(d, "attn_kv_b.weight", a * (b->nope_dim + value), b->kv_rank) &&
           expect(d, "attn_output.weight", h, a * value);
}

static bool describe_grouped(const Describing *d, KnBlock *b)
{
    uint64_t a = b->heads, h = b->width, key = h / a, value = h / a;
    b->kv_heads = a;
    if (!get(d, "attention.head_count_kv", &b->kv_heads) || !get(d, "attention.key_length", &key) ||
        !get(d, "attention.value_length", &value))
        return false;
    if (key != value || b->kv_heads == 0 || a % b->kv_heads != 0)
        return error_set(d->err,
                         "%s: layer %d has %" PRIu64 " heads with keys of %" PRIu64
                         " and values of %" PRIu64 ", and %" PRIu64 " "
                         "key heads, which is not known here",
                         d->source->path, d->number, a, key, value, b->kv_heads);
    b->head_dim = key;
    uint64_t k = b->kv_heads;
    bool in_one = has(d, "attn_qkv.weight");
    if (in_one
            ? !expect(d, "attn_qkv.weight", (a + 2 * k) * key, h)
            : !expect(d, "attn_q.weight", a * key, h) || !expect(d, "attn_k.weight", k * key, h) ||
                  !expect(d, "attn_v.weight", k * key, h))
        return false;
    b->qk_norm = is_vector(d, "attn_q_norm.weight", key) && is_vector(d, "attn_k_norm.weight", key);
    b->qkv_bias = in_one ? has(d, "attn_qkv.bias")
                         : has(d, "attn_q.bias") && has(d, "attn_k.bias") && has(d, "attn_v.bias");
    b->out_bias = has(d, "attn_output.bias");
    return expect(d, "attn_output.weight", h, a * key);
}

static bool describe_window(const Describing *d)
{
    const char *key = "attention.sliding_window_pattern";
    const GgufValue *pattern = gguf_source_value(d->source, key);
    uint64_t period = d->source->custom->period, window = d->source->custom->window;
    bool slides = true;
    if (!get(d, "attention.sliding_window", &window)) return false;
    if (pattern != NULL && pattern->array && pattern->kind == GGUF_BOOL) {
        if (!gguf_bool_at(pattern, (uint64_t)d->number, &slides))
            return error_set(d->err, "%s: '%s' has no element for layer %d", d->source->path,
                             pattern->key, d->number);
    } else if (pattern != NULL && pattern->array) {
        uint64_t number = 0;
        if (!get(d, key, &number)) return false;
        slides = number != 0;
    } else {
        if (!get(d, key, &period)) return false;
        uint64_t at = period > 0 ? (uint64_t)d->number % period : 0;
        slides = period == 0 || at != (d->source->custom->first ? 0 : period - 1);
    }
    d->layer->window = slides ? window : 0;
    return get(d, "attention.indexer.key_length", &d->layer->index_dim);
}

// The MLP that each token goes through. Gate and up may stand in one matrix.
static bool describe_mlp(const Describing *d, KnBlock *b)
{
    GgufItem *up = find(d->layer, "ffn_up.weight"), *down = find(d->layer, "ffn_down.weight");
    if (up == NULL && down == NULL) return true;
    if (down == NULL) return expect(d, "ffn_down.weight", b->width, 0);
    b->ffn = down->cols;
    b->gated = has(d, "ffn_gate.weight");
    bool in_one = !b->gated && up != NULL && up->rows == 2 * b->ffn;
    if (in_one) up->role = ROLE_GATE_UP, b->gated = true;
    b->mlp_bias = has(d, "ffn_up.bias") && has(d, "ffn_down.bias") &&
                  (in_one || !b->gated || has(d, "ffn_gate.bias"));
    return expect(d, "ffn_up.weight", in_one ? 2 * b->ffn : b->ffn, b->width) &&
           expect(d, "ffn_down.weight", b->width, b->ffn) &&
           (in_one || !b->gated || expect(d, "ffn_gate.weight", b->ffn, b->width));
}

static bool has_experts(const GgufLayer *layer)
{
    for (int i = 0; i < layer->count; i++)
        if (layer->items[i].component == COMPONENT_EXPERTS) return true;
    return false;
}

static bool describe_experts(const Describing *d, KnBlock *b)
{
    const GgufItem *down = find(d->layer, "ffn_down_exps.weight");
    if (!has_experts(d->layer)) return true;
    if (down == NULL) return expect(d, "ffn_down_exps.weight", b->width, 0);
    b->expert_ffn = down->cols;
    uint64_t f = b->expert_ffn, h = b->width;
    bool in_one = has(d, "ffn_gate_up_exps.weight");
    b->gated = in_one || has(d, "ffn_gate_exps.weight");
    b->mlp_bias = in_one ? has(d, "ffn_gate_up_exps.bias") : has(d, "ffn_up_exps.bias");
    b->router_bias =
        has(d, "ffn_gate_inp.bias") || has(d, "exp_probs_b.bias") || has(d, "exp_probs_b");
    if (!need(d, "expert_count", &b->experts) || !need(d, "expert_used_count", &b->active_experts))
        return false;
    for (int i = 0; i < d->layer->count; i++) {
        const GgufItem *item = &d->layer->items[i];
        if (item->component != COMPONENT_EXPERTS || item->copies == b->experts) continue;
        return error_set(d->err,
                         "%s: %s of layer %d is of %" PRIu64 " experts, expected %" PRIu64
                         " by the settings",
                         d->source->path, item->name, d->number, item->copies, b->experts);
    }
    if (b->active_experts > b->experts)
        return error_set(d->err, "%s: a token goes to %" PRIu64 " of %" PRIu64 " experts",
                         d->source->path, b->active_experts, b->experts);
    if (!expect(d, "ffn_gate_inp.weight", b->experts, h) ||
        !expect(d, "ffn_down_exps.weight", h, f))
        return false;
    if (in_one ? !expect(d, "ffn_gate_up_exps.weight", 2 * f, h)
               : !expect(d, "ffn_up_exps.weight", f, h) ||
                     (b->gated && !expect(d, "ffn_gate_exps.weight", f, h)))
        return false;
    const GgufItem *shared = find(d->layer, "ffn_down_shexp.weight");
    if (shared == NULL) return true;
    b->shared_ffn = shared->cols;
    return expect(d, "ffn_down_shexp.weight", h, b->shared_ffn) &&
           expect(d, "ffn_up_shexp.weight", b->shared_ffn, h) &&
           (!b->gated || expect(d, "ffn_gate_shexp.weight", b->shared_ffn, h));
}

bool gguf_layer_describe(GgufLayer *layer, int number, const GgufSource *source, Error *err)
{
    const Describing d = {layer, number, source, err};
    KnBlock *b = &layer->block;
    *b = (KnBlock){0};
    if (!need(&d, "embedding_length", &b->width) || !need(&d, "attention.head_count", &b->heads) ||
        !get(&d, "attention.kv_lora_rank", &b->kv_rank))
        return false;
    if (b->kv_rank > 0 ? !describe_latent(&d, b) : !describe_grouped(&d, b)) return false;
    if (!describe_mlp(&d, b) || !describe_experts(&d, b) || !describe_window(&d)) return false;
    layer->cross = has(&d, "cross_attn_q.weight");
    for (int i = 0; i < layer->count; i++)
        if (layer->items[i].component == COMPONENT_NORM)
            b->norms += layer->items[i].rows * layer->items[i].cols;
    uint64_t formula = kn_block_params(b).total, all = gguf_layer_elements(layer);
    // What is more is counted beside the block: sinks, an indexer, a gate.
    return formula <= all ||
           error_set(err,
                     "%s: layer %d has %" PRIu64 " numbers, expected %" PRIu64 " by the settings",
                     source->path, number, all, formula);
}
