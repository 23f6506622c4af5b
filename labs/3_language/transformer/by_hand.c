#include "labs/3_language/transformer/by_hand.h"
#include <string.h>
#include "common/attention.h"
#include "common/error.h"
#include "common/host.h"
#include "common/norm.h"
#include "common/ops.h"
#include "kernels/kernels.h"
#include "labs/3_language/transformer/transformer.h"

// Each op is your function in the host's memory (host.h), with the backward that you wrote on the tape.

static const float *in(Host *host, const Tensor *x)
{
    return host_in(host, tensor_floats(x), tensor_count(x));
}

static float *out(Host *host, const Tensor *x)
{
    return host_out(host, tensor_floats(x), tensor_count(x));
}

static const float *arrived(Host *host, const Tensor *y)
{
    return host_in(host, y->grad, tensor_count(y));
}

static float *zeros(Arena *arena, size_t n)
{
    return memset(arena_alloc(arena, sizeof(float) * n), 0, sizeof(float) * n);
}

// A gradient of x's, to add to. What is not wanted goes into memory that is never read.
static float *grad(Host *host, float *dx, const Tensor *x)
{
    return dx != NULL ? host_inout(host, dx, tensor_count(x)) : zeros(host->arena, tensor_count(x));
}

static int *read_ints(Arena *arena, const Tensor *x)
{
    int *values = arena_alloc(arena, sizeof *values * tensor_count(x));
    tensor_read_ints(x, values);
    return values;
}

static int width_of(const Tensor *x)
{
    return x->shape.size[x->shape.dims - 1];
}

// Rows of the last dimension.
static int rows_of(const Tensor *x)
{
    return (int)(tensor_count(x) / (size_t)width_of(x));
}

// ---- tokens and positions ----

typedef struct Lookup {
    int *ids;    // [B,T]
    int B, T, C;
} Lookup;

static void embed_backward(const TapeNode *node)
{
    const Lookup *l = node->saved;
    Tensor *table = node->in[1];
    float *dtable = tape_grad_sum(node, table);
    Host host = host_begin(node->tape->arena);
    tf_embedding_backward(grad(&host, dtable, table), NULL, arrived(&host, node->out[0]), l->ids,
                          l->B, l->T, l->C);
    host_end(&host);
}

static Tensor *embed(Tape *tape, Tensor *ids, Tensor *table)
{
    int B = ids->shape.size[0], T = ids->shape.size[1], C = width_of(table);
    Tensor *y = tensor_new(tape->arena, SHAPE(B, T, C));
    Lookup *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Lookup){read_ints(tape->arena, ids), B, T, C};
    for (int n = 0; n < B * T; n++)
        REQUIRE(saved->ids[n] >= 0 && saved->ids[n] < table->shape.size[0],
                "token %d is %d; expected 0 to %d", n, saved->ids[n], table->shape.size[0] - 1);
    Host host = host_begin(tape->arena);
    tf_embedding(out(&host, y), saved->ids, in(&host, table), NULL, B, T, C);
    host_end(&host);
    return tape_record(tape, y, embed_backward, saved, INPUTS(ids, table));
}

// The rows of x, each with its own number as its id, are the table of tokens.
typedef struct Shift {
    Lookup rows;
    int first;
} Shift;

static void add_positions_backward(const TapeNode *node)
{
    const Shift *s = node->saved;
    Tensor *x = node->in[0], *table = node->in[1];
    float *dx = tape_grad_sum(node, x), *dtable = tape_grad_sum(node, table);
    Host host = host_begin(node->tape->arena);
    float *dpositions = grad(&host, dtable, table) + s->first * s->rows.C;
    tf_embedding_backward(grad(&host, dx, x), dpositions, arrived(&host, node->out[0]), s->rows.ids,
                          s->rows.B, s->rows.T, s->rows.C);
    host_end(&host);
}

static Tensor *add_positions(Tape *tape, Tensor *x, Tensor *table, int first)
{
    int B = x->shape.size[0], T = x->shape.size[1], C = x->shape.size[2];
    Tensor *y = tensor_new(tape->arena, x->shape);
    Shift *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Shift){{arena_alloc(tape->arena, sizeof(int) * (size_t)(B * T)), B, T, C}, first};
    for (int n = 0; n < B * T; n++) saved->rows.ids[n] = n;
    Host host = host_begin(tape->arena);
    tf_embedding(out(&host, y), saved->rows.ids, in(&host, x), in(&host, table) + first * C, B, T,
                 C);
    host_end(&host);
    return tape_record(tape, y, add_positions_backward, saved, INPUTS(x, table));
}

typedef struct Turned {
    TfRope shape;
    int B;
    size_t sequence;                  // floats of one
    int32_t *positions, *negative;    // [T]: forward and back
} Turned;

static void turn(float *x, const int32_t *positions, const Turned *s)
{
    for (int b = 0; b < s->B; b++) tf_rope(x + (size_t)b * s->sequence, positions, s->shape);
}

static void rope_backward(const TapeNode *node)
{
    const Turned *s = node->saved;
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    size_t n = tensor_count(x);
    Host host = host_begin(node->tape->arena);
    float *sum = grad(&host, dx, x), *back = arena_alloc(node->tape->arena, sizeof *back * n);
    memcpy(back, arrived(&host, node->out[0]), sizeof *back * n);
    turn(back, s->negative, s);
    for (size_t i = 0; i < n; i++) sum[i] += back[i];
    host_end(&host);
}

static Tensor *rope(Tape *tape, Tensor *qkv, const Rope *rope, int heads, int head, int first)
{
    RopeConfig config = rope->config;
    if (config.scaling.kind != ROPE_PLAIN || config.head != head)
        return op_rope(tape, qkv, rope, heads, head, first);
    int T = qkv->shape.size[1], row = width_of(qkv);
    Turned *s = arena_alloc(tape->arena, sizeof *s);
    *s = (Turned){
        {T, heads, head, row, config.theta, config.interleaved ? TF_INTERLEAVED : TF_HALVES},
        qkv->shape.size[0],
        (size_t)(T * row),
        arena_alloc(tape->arena, sizeof(int32_t) * (size_t)T),
        arena_alloc(tape->arena, sizeof(int32_t) * (size_t)T)};
    for (int t = 0; t < T; t++) s->positions[t] = first + t, s->negative[t] = -first - t;
    Tensor *y = tensor_new(tape->arena, qkv->shape);
    Host host = host_begin(tape->arena);
    float *turned = memcpy(out(&host, y), in(&host, qkv), sizeof(float) * tensor_count(qkv));
    turn(turned, s->positions, s);
    host_end(&host);
    return tape_record(tape, y, rope_backward, s, INPUTS(qkv));
}

// ---- attention ----

typedef struct Attended {
    TfHeads s;
    int B, row;
    float *p;    // [B,H,T,T], in the host's memory
} Attended;

// One sequence: the heads' gradients side by side, split as the numbers are.
static void sequence_backward(float *dqkv, const float *dy, const float *p, const float *qkv,
                              const Attended *a, float *room)
{
    TfHeads s = a->s;
    int head = s.T * s.D, keys = s.H * s.D, values = (s.H + s.KV) * s.D, row = a->row;
    float *q = room, *k = q + s.H * head, *v = k + s.KV * head, *dout = v + s.KV * head;
    float *dq = dout + s.H * head, *dk = dq + s.H * head, *dv = dk + s.KV * head;
    float *merged = dv + s.KV * head;
    tf_split_heads(q, qkv, s.T, s.H, s.D, row);
    tf_split_heads(k, qkv + keys, s.T, s.KV, s.D, row);
    tf_split_heads(v, qkv + values, s.T, s.KV, s.D, row);
    tf_split_heads(dout, dy, s.T, s.H, s.D, s.H * s.D);
    memset(dq, 0, sizeof *dq * (size_t)((s.H + 2 * s.KV) * head));
    for (int h = 0; h < s.H; h++) {
        int shared = h / (s.H / s.KV) * head, own = h * head;
        tf_attention_backward(dq + own, dk + shared, dv + shared, dout + own, p + h * s.T * s.T,
                              q + own, k + shared, v + shared, (TfAttention){s.T, s.T, s.D});
    }
    tf_merge_heads(merged, dq, s.T, s.H, s.D, row);
    tf_merge_heads(merged + keys, dk, s.T, s.KV, s.D, row);
    tf_merge_heads(merged + values, dv, s.T, s.KV, s.D, row);
    for (int i = 0; i < s.T * row; i++) dqkv[i] += merged[i];
}

static void attention_backward(const TapeNode *node)
{
    const Attended *a = node->saved;
    TfHeads s = a->s;
    Tensor *qkv = node->in[0];
    float *dqkv = tape_grad_sum(node, qkv);
    Host host = host_begin(node->tape->arena);
    float *sum = grad(&host, dqkv, qkv);
    const float *x = in(&host, qkv), *dy = arrived(&host, node->out[0]);
    float *room = zeros(node->tape->arena,
                        (size_t)(s.T * (4 * s.H + 4 * s.KV) * s.D) + (size_t)(s.T * a->row));
    for (int b = 0; b < a->B; b++)
        sequence_backward(sum + b * s.T * a->row, dy + b * s.T * s.H * s.D,
                          a->p + b * s.H * s.T * s.T, x + b * s.T * a->row, a, room);
    host_end(&host);
}

static Tensor *attention(Tape *tape, Tensor *qkv, int heads, int kv_heads)
{
    int B = qkv->shape.size[0], T = qkv->shape.size[1], row = width_of(qkv);
    int D = row / (heads + 2 * kv_heads);
    Attended *a = arena_alloc(tape->arena, sizeof *a);
    *a = (Attended){{T, heads, kv_heads, D},
                    B,
                    row,
                    arena_alloc(tape->arena, sizeof(float) * (size_t)(B * heads * T * T))};
    Tensor *y = tensor_new(tape->arena, SHAPE(B, T, heads * D));
    Host host = host_begin(tape->arena);
    float *room =
        arena_alloc(tape->arena, sizeof(float) * (size_t)(2 * (heads + kv_heads) * T * D));
    float *to = out(&host, y);
    const float *from = in(&host, qkv);
    for (int b = 0; b < B; b++)
        tf_multi_head(to + b * T * heads * D, a->p + b * heads * T * T, from + b * T * row, room,
                      a->s);
    host_end(&host);
    return tape_record(tape, y, attention_backward, a, INPUTS(qkv));
}

static Tensor *attention_cached(Tape *tape, Tensor *qkv, Tensor *k_cache, Tensor *v_cache, int past,
                                int heads, int kv_heads)
{
    int T = qkv->shape.size[1], row = width_of(qkv), D = row / (heads + 2 * kv_heads);
    Tensor *y = tensor_new(tape->arena, SHAPE(1, T, heads * D));
    Host host = host_begin(tape->arena);
    float *room = arena_alloc(tape->arena, sizeof(float) * (size_t)(past + T));
    float *to = out(&host, y), *k = grad(&host, tensor_floats(k_cache), k_cache),
          *v = grad(&host, tensor_floats(v_cache), v_cache);
    const float *from = in(&host, qkv);
    for (int t = 0; t < T; t++)
        tf_cache_step(to + t * heads * D, k, v, from + t * row, room, past + t,
                      (TfHeads){1, heads, kv_heads, D});
    host_end(&host);
    return y;
}

// ---- normalization and activations ----

typedef struct Normed {
    NormKind kind;
    float *mean, *rstd;    // [N], in the host's memory
} Normed;

static void norm_backward(const TapeNode *node)
{
    const Normed *s = node->saved;
    Tensor *x = node->in[0], *gamma = node->in[1], *shift = node->in[2];
    int N = rows_of(x), C = width_of(x);
    float *dx = tape_grad_sum(node, x), *dgamma = tape_grad_sum(node, gamma);
    float *dshift = shift != NULL ? tape_grad_sum(node, shift) : NULL;
    Host host = host_begin(node->tape->arena);
    if (s->kind == NORM_RMS)
        tf_rms_norm_backward(grad(&host, dx, x), grad(&host, dgamma, gamma),
                             arrived(&host, node->out[0]), in(&host, x), s->rstd, in(&host, gamma),
                             N, C);
    else
        tf_layer_norm_backward(grad(&host, dx, x), grad(&host, dgamma, gamma),
                               grad(&host, dshift, gamma), arrived(&host, node->out[0]),
                               in(&host, x), s->mean, s->rstd, in(&host, gamma), N, C);
    host_end(&host);
}

static Tensor *norm(Tape *tape, const Norm *norm, Tensor *x)
{
    int N = rows_of(x), C = width_of(x);
    Normed *s = arena_alloc(tape->arena, sizeof *s);
    *s = (Normed){norm->kind, zeros(tape->arena, (size_t)N), zeros(tape->arena, (size_t)N)};
    Tensor *y = tensor_new(tape->arena, x->shape);
    Host host = host_begin(tape->arena);
    const float *shift = norm->bias != NULL ? in(&host, norm->bias) : zeros(tape->arena, (size_t)C);
    if (norm->kind == NORM_RMS)
        tf_rms_norm(out(&host, y), s->rstd, in(&host, x), in(&host, norm->weight), N, C, norm->eps);
    else
        tf_layer_norm(out(&host, y), s->mean, s->rstd, in(&host, x), in(&host, norm->weight), shift,
                      N, C, norm->eps);
    host_end(&host);
    return tape_record(tape, y, norm_backward, s, INPUTS(x, norm->weight, norm->bias));
}

static void gelu_backward(const TapeNode *node)
{
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    Host host = host_begin(node->tape->arena);
    tf_gelu_backward(grad(&host, dx, x), arrived(&host, node->out[0]), in(&host, x),
                     tensor_count(x));
    host_end(&host);
}

static void swiglu_backward(const TapeNode *node)
{
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    Host host = host_begin(node->tape->arena);
    tf_swiglu_backward(grad(&host, dx, x), arrived(&host, node->out[0]), in(&host, x), rows_of(x),
                       width_of(x) / 2);
    host_end(&host);
}

static Tensor *mlp(Tape *tape, Tensor *x, MlpKind kind)
{
    if (kind == MLP_GELU_ERF) return op_gelu_erf(tape, x);
    Shape shape = x->shape;
    if (kind == MLP_SWIGLU) shape.size[shape.dims - 1] /= 2;
    Tensor *y = tensor_new(tape->arena, shape);
    Host host = host_begin(tape->arena);
    if (kind == MLP_SWIGLU) tf_swiglu(out(&host, y), in(&host, x), rows_of(x), width_of(y));
    else tf_gelu(out(&host, y), in(&host, x), tensor_count(x));
    host_end(&host);
    return tape_record(tape, y, kind == MLP_SWIGLU ? swiglu_backward : gelu_backward, NULL,
                       INPUTS(x));
}

// ---- loss ----

static void loss_backward(const TapeNode *node)
{
    const Tensor *gradient = node->saved;
    Grad dz = tape_grad(node, node->in[0]);
    if (dz.at != NULL)
        kernels.axpby_scalar(dz.at, gradient->data, node->out[0]->grad, dz.beta,
                             tensor_count(gradient));
}

static Tensor *loss(Tape *tape, Tensor *x, Tensor *w, Tensor *labels)
{
    Tensor *logits = op_linear(tape, x, w, NULL),
           *gradient = tensor_new(tape->arena, logits->shape);
    int *next = read_ints(tape->arena, labels);
    Host host = host_begin(tape->arena);
    float value = tf_cross_entropy(out(&host, gradient), in(&host, logits), next, rows_of(logits),
                                   width_of(logits));
    host_end(&host);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &value), loss_backward, gradient,
                       INPUTS(logits));
}

const BlockOps exercise_ops = {.embed = embed,
                               .add_positions = add_positions,
                               .norm = norm,
                               .linear = op_linear,
                               .qk_norm = op_head_rms_norm,
                               .rope = rope,
                               .attention = attention,
                               .attention_cached = attention_cached,
                               .mlp = mlp,
                               .residual = op_add,
                               .loss = loss};
