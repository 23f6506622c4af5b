/* row_norm.c -- layer and RMS normalisation of rows, and of a row's heads. */
#include "common/error.h"
#include "common/norm.h"
#include "kernels/kernels.h"

static Tensor *added(Params *params, const char *name, const char *part, int cols, float value)
{
    REQUIRE(cols > 0, "layer '%s' of %d columns; expected at least 1", name, cols);
    Tensor *x = params_add(params, arena_print(params->arena, "%s.%s", name, part), SHAPE(cols));
    kernels.fill(x->data, value, tensor_count(x));
    return x;
}

LayerNorm layer_norm_new(Params *params, const char *name, int cols)
{
    return (LayerNorm){.weight = added(params, name, "weight", cols, 1.0f),
                       .bias = added(params, name, "bias", cols, 0.0f),
                       .eps = 1e-5f};
}

Tensor *layer_norm_forward(Tape *tape, const LayerNorm *norm, Tensor *x)
{
    return op_layer_norm(tape, x, norm->weight, norm->bias, norm->eps);
}

RmsNorm rms_norm_new(Params *params, const char *name, int cols)
{
    return (RmsNorm){.weight = added(params, name, "weight", cols, 1.0f), .eps = 1e-5f};
}

Tensor *rms_norm_forward(Tape *tape, const RmsNorm *norm, Tensor *x)
{
    return op_rms_norm(tape, x, norm->weight, norm->eps);
}

typedef struct Saved {
    NormRows shape;
    float *mean, *rstd;        // of each row; an RMS has no mean
    float *dgamma, *dshift;    // [C]: room for backward's sums
} Saved;

static float *numbers(Tape *tape, size_t n)
{
    return arena_numbers(tape->arena, n * sizeof(float));
}

static Saved *saved_new(Tape *tape, NormRows shape)
{
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    const size_t cols = (size_t)shape.cols;
    *saved = (Saved){shape, numbers(tape, norm_parts(shape)), numbers(tape, norm_parts(shape)),
                     numbers(tape, cols), numbers(tape, cols)};
    return saved;
}

// The rows of x, [...,C] with gamma [C].
static NormRows rows_of(const Tensor *x, const Tensor *gamma)
{
    const int last = x->shape.dims - 1;
    REQUIRE(last >= 0 && x->shape.size[last] > 0 &&
                shape_equal(gamma->shape, SHAPE(x->shape.size[last])),
            "x is %s and gamma is %s; expected [...,C] and [C]", TENSOR_TEXT(x),
            TENSOR_TEXT(gamma));
    const int cols = x->shape.size[last];
    return norm_rows((int)(tensor_count(x) / (size_t)cols), cols);
}

// What backward has summed goes to where the parameter's gradient is.
static void add_gradient(const TapeNode *node, Tensor *parameter, const float *sum)
{
    Grad d = tape_grad(node, parameter);
    if (d.at) kernels.axpby(d.at, sum, 1.0f, d.beta, tensor_count(parameter));
}

// list.h has dx, dgamma and dshift.
static void layer_norm_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    Tensor *x = node->in[0], *gamma = node->in[1], *shift = node->in[2];
    Grad dx = tape_grad(node, x);
    kernels.layer_norm_backward(dx.at, saved->dgamma, shift ? saved->dshift : NULL,
                                node->out[0]->grad, x->data, gamma->data, saved->mean, saved->rstd,
                                dx.beta, saved->shape);
    add_gradient(node, gamma, saved->dgamma);
    add_gradient(node, shift, saved->dshift);
}

Tensor *op_layer_norm(Tape *tape, Tensor *x, Tensor *gamma, Tensor *shift, float eps)
{
    Saved *saved = saved_new(tape, rows_of(x, gamma));
    REQUIRE(!shift || shape_equal(shift->shape, gamma->shape), "shift is %s; expected %s as gamma",
            TENSOR_TEXT(shift), TENSOR_TEXT(gamma));
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.layer_norm(y->data, saved->mean, saved->rstd, tensor_floats(x), tensor_floats(gamma),
                       shift ? tensor_floats(shift) : NULL, eps, saved->shape);
    return tape_record(tape, y, layer_norm_backward, saved, INPUTS(x, gamma, shift));
}

static void rms_norm_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    Tensor *x = node->in[0], *gamma = node->in[1];
    Grad dx = tape_grad(node, x);
    kernels.rms_norm_backward(dx.at, saved->dgamma, node->out[0]->grad, x->data, gamma->data,
                              saved->rstd, dx.beta, saved->shape);
    add_gradient(node, gamma, saved->dgamma);
}

Tensor *op_rms_norm(Tape *tape, Tensor *x, Tensor *gamma, float eps)
{
    Saved *saved = saved_new(tape, rows_of(x, gamma));
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.rms_norm(y->data, saved->rstd, tensor_floats(x), tensor_floats(gamma), eps,
                     saved->shape);
    return tape_record(tape, y, rms_norm_backward, saved, INPUTS(x, gamma));
}

// ---- of heads

typedef struct SavedHeads {
    Saved *q, *k;
    size_t k_at;    // where a row's keys begin
} SavedHeads;

// v's gradient passes; q's and k's are written over it, into numbers of their own where dx holds some already.
static void head_rms_norm_backward(const TapeNode *node)
{
    const SavedHeads *saved = node->saved;
    Tensor *qkv = node->in[0], *gamma_q = node->in[1], *gamma_k = node->in[2];
    const float *dy = node->out[0]->grad, *x = qkv->data;
    const size_t n = tensor_count(qkv), k = saved->k_at;
    Grad dx = tape_grad(node, qkv);
    float *at = dx.at != NULL && dx.beta != 0 ? numbers(node->tape, n) : dx.at;
    if (at) kernels.axpby(at, dy, 1.0f, 0.0f, n);
    kernels.rms_norm_backward(at, saved->q->dgamma, dy, x, gamma_q->data, saved->q->rstd, 0.0f,
                              saved->q->shape);
    kernels.rms_norm_backward(at ? at + k : NULL, saved->k->dgamma, dy + k, x + k, gamma_k->data,
                              saved->k->rstd, 0.0f, saved->k->shape);
    if (at != dx.at) kernels.axpby(dx.at, at, 1.0f, dx.beta, n);
    add_gradient(node, gamma_q, saved->q->dgamma);
    add_gradient(node, gamma_k, saved->k->dgamma);
}

Tensor *op_head_rms_norm(Tape *tape, Tensor *qkv, Tensor *gamma_q, Tensor *gamma_k, int heads,
                         int kv_heads, float eps)
{
    const int last = qkv->shape.dims - 1,
              head = gamma_q->shape.dims == 1 ? gamma_q->shape.size[0] : 0;
    REQUIRE(last >= 0 && heads > 0 && kv_heads > 0 && head > 0 &&
                shape_equal(gamma_q->shape, gamma_k->shape) &&
                qkv->shape.size[last] == (heads + 2 * kv_heads) * head,
            "qkv is %s, gamma_q %s and gamma_k %s; expected [...,(%d + 2 %d) D], [D] and [D]",
            TENSOR_TEXT(qkv), TENSOR_TEXT(gamma_q), TENSOR_TEXT(gamma_k), heads, kv_heads);
    const size_t row = (size_t)qkv->shape.size[last], n = tensor_count(qkv);
    const int rows = (int)(n / row);
    SavedHeads *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (SavedHeads){saved_new(tape, (NormRows){rows, heads, head, row}),
                          saved_new(tape, (NormRows){rows, kv_heads, head, row}),
                          (size_t)heads * (size_t)head};
    const float *x = tensor_floats(qkv);
    Tensor *y = tensor_new(tape->arena, qkv->shape);
    float *out = y->data;
    kernels.axpby(out, x, 1.0f, 0.0f, n);
    kernels.rms_norm(out, saved->q->rstd, x, tensor_floats(gamma_q), eps, saved->q->shape);
    kernels.rms_norm(out + saved->k_at, saved->k->rstd, x + saved->k_at, tensor_floats(gamma_k),
                     eps, saved->k->shape);
    return tape_record(tape, y, head_rms_norm_backward, saved, INPUTS(qkv, gamma_q, gamma_k));
}
