#include "common/attention.h"
#include <math.h>
#include "common/error.h"
#include "kernels/device.h"

static AttentionShape shape_of(const char *op, const Tensor *qkv, int heads, int kv_heads)
{
    REQUIRE(kv_heads > 0 && heads > 0 && heads % kv_heads == 0,
            "%s: %d heads and %d key and value heads; expected a multiple of them", op, heads,
            kv_heads);
    const int *size = qkv->shape.size, parts = heads + 2 * kv_heads;
    REQUIRE(qkv->shape.dims == 3 && size[2] > 0 && size[2] % parts == 0,
            "%s: qkv is %s; expected [B,T,%d D] for %d heads and %d key and value heads", op,
            TENSOR_TEXT(qkv), parts, heads, kv_heads);
    const int head = size[2] / parts;
    const size_t row = (size_t)size[2];
    return (AttentionShape){.batch = size[0],
                            .heads = heads,
                            .kv_heads = kv_heads,
                            .queries = size[1],
                            .keys = size[1],
                            .head = head,
                            .q_row = row,
                            .k_row = row,
                            .v_row = row,
                            .y_row = (size_t)heads * (size_t)head,
                            .scale = (float)(1 / sqrt(head)),
                            .causal = true};
}

// Where a row's keys and values begin.
static size_t keys_at(AttentionShape s)
{
    return (size_t)s.heads * (size_t)s.head;
}

static size_t values_at(AttentionShape s)
{
    return (size_t)(s.heads + s.kv_heads) * (size_t)s.head;
}

static Tensor *output_new(Tape *tape, AttentionShape s)
{
    return tensor_new(tape->arena, SHAPE(s.batch, s.queries, s.heads * s.head));
}

typedef struct Saved {
    AttentionShape shape;
    float *lse;    // [B,heads,T]
} Saved;

// y = p v, p = softmax(scale q k^T)   =>   dv += p^T dy,   dp = dy v^T,
// ds = p (dp - sum p dp),   dq += scale ds k,   dk += scale ds^T q
static void attention_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const AttentionShape s = saved->shape;
    const Tensor *qkv = node->in[0], *y = node->out[0];
    const float *q = qkv->data;
    Grad d = tape_grad(node, node->in[0]);
    kernels.attention_backward(d.at, d.at + keys_at(s), d.at + values_at(s), y->grad, y->data,
                               saved->lse, q, q + keys_at(s), q + values_at(s), d.beta, s);
}

Tensor *op_attention(Tape *tape, Tensor *qkv, int heads, int kv_heads)
{
    const AttentionShape s = shape_of(__func__, qkv, heads, kv_heads);
    const float *q = tensor_floats(qkv);
    Tensor *y = output_new(tape, s);
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Saved){s, NULL};
    if (tape->recording && qkv->wants_grad)
        saved->lse = tensor_new(tape->arena, SHAPE(s.batch, heads, s.queries))->data;
    kernels.attention(y->data, saved->lse, q, q + keys_at(s), q + values_at(s), s);
    return tape_record(tape, y, attention_backward, saved, INPUTS(qkv));
}

Tensor *op_attention_cached(Tape *tape, Tensor *qkv, Tensor *k_cache, Tensor *v_cache, int past,
                            int heads, int kv_heads)
{
    AttentionShape s = shape_of(__func__, qkv, heads, kv_heads);
    REQUIRE(!tape->recording, "the tape records; a KV cache has no gradient (tape_quiet)");
    REQUIRE(s.batch == 1, "qkv is %s; expected one sequence", TENSOR_TEXT(qkv));
    const int cols = kv_heads * s.head;
    REQUIRE(k_cache->shape.dims == 2 && k_cache->shape.size[1] == cols &&
                shape_equal(k_cache->shape, v_cache->shape),
            "the caches are %s and %s; expected [context,%d] for qkv %s", TENSOR_TEXT(k_cache),
            TENSOR_TEXT(v_cache), cols, TENSOR_TEXT(qkv));
    REQUIRE(past >= 0 && past <= k_cache->shape.size[0] - s.queries,
            "%d tokens behind %d; expected at most %d in all, the caches' rows", s.queries, past,
            k_cache->shape.size[0]);
    const float *q = tensor_floats(qkv);
    float *k = tensor_floats(k_cache), *v = tensor_floats(v_cache);
    for (size_t t = 0; t < (size_t)s.queries; t++) {
        const size_t to = ((size_t)past + t) * (size_t)cols;
        device->copy(k + to, q + t * s.q_row + keys_at(s), (size_t)cols * sizeof *k);
        device->copy(v + to, q + t * s.q_row + values_at(s), (size_t)cols * sizeof *v);
    }
    s.keys = past + s.queries;
    s.k_row = s.v_row = (size_t)cols;
    Tensor *y = output_new(tape, s);
    kernels.attention(y->data, NULL, q, k, v, s);
    return y;
}

float *attention_weights(Arena *arena, const Tensor *qkv, int b, int heads, int kv_heads)
{
    const AttentionShape s = shape_of(__func__, qkv, heads, kv_heads);
    REQUIRE(b >= 0 && b < s.batch, "sequence %d of %d", b, s.batch);
    const size_t tokens = (size_t)s.queries, head = (size_t)s.head;
    float *weights = arena_alloc(arena, (size_t)heads * tokens * tokens * sizeof *weights);
    const float *q = tensor_values(arena, qkv) + (size_t)b * tokens * s.q_row, *k = q + keys_at(s);
    for (size_t h = 0; h < (size_t)heads; h++)
        for (size_t i = 0; i < tokens; i++) {
            float *row = weights + (h * tokens + i) * tokens, max = -INFINITY;
            const size_t group = h / (size_t)(heads / kv_heads);
            double sum = 0;
            for (size_t j = 0; j <= i; j++) {
                double score = 0;
                for (size_t d = 0; d < head; d++)
                    score +=
                        (double)q[i * s.q_row + h * head + d] * k[j * s.k_row + group * head + d];
                row[j] = s.scale * (float)score;
                max = row[j] > max ? row[j] : max;
            }
            for (size_t j = 0; j <= i; j++) sum += row[j] = expf(row[j] - max);
            for (size_t j = 0; j < tokens; j++) row[j] = j <= i ? row[j] / (float)sum : 0;
        }
    return weights;
}
