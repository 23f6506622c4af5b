/* ops.c -- check, make room, dispatch; each backward stands right below its op's derivative rule.
 *
 * Notation in the comments: dy is d(loss)/dy, the gradient that arrives; every rule adds to the
 * gradients of the inputs (+=), since a tensor may be used by several ops.
 */
#include "common/ops.h"
#include "common/error.h"
#include "kernels/kernels.h"

// y = x w' + b   =>   dx += dy w,   dw += dy' x,   db += sum over the batch of dy
static void linear_backward(const TapeNode *node)
{
    Tensor *x = node->in[0], *w = node->in[1], *b = node->in[2], *y = node->out;
    int     batch = x->shape.size[0], in = w->shape.size[1], out = w->shape.size[0];
    if (x->grad) matmul(x->grad, y->grad, w->data, batch, in, out, 1.0f);
    if (w->grad) matmul_tn(w->grad, y->grad, x->data, out, in, batch, 1.0f);
    if (b && b->grad) kernels.sum_rows(b->grad, y->grad, batch, out);
}

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b)
{
    REQUIRE(x->shape.dims == 2 && w->shape.dims == 2 && x->shape.size[1] == w->shape.size[1],
            "x is %s and w is %s; expected [B,I] and [O,I]", TENSOR_TEXT(x), TENSOR_TEXT(w));
    int batch = x->shape.size[0], in = w->shape.size[1], out = w->shape.size[0];
    REQUIRE(!b || shape_equal(b->shape, SHAPE(out)), "b is %s; expected [%d] for w %s",
            TENSOR_TEXT(b), out, TENSOR_TEXT(w));
    Tensor *y = tensor_new(tape->arena, SHAPE(batch, out));
    matmul_nt(y->data, x->data, w->data, batch, out, in, 0.0f);
    if (b) kernels.add_row(y->data, y->data, b->data, batch, out);
    return tape_record(tape, y, linear_backward, NULL, INPUTS(x, w, b));
}

// y = a b   =>   da += dy b',   db += a' dy
static void matmul_backward(const TapeNode *node)
{
    Tensor *a = node->in[0], *b = node->in[1], *y = node->out;
    int     m = a->shape.size[0], k = a->shape.size[1], n = b->shape.size[1];
    if (a->grad) matmul_nt(a->grad, y->grad, b->data, m, k, n, 1.0f);
    if (b->grad) matmul_tn(b->grad, a->data, y->grad, k, n, m, 1.0f);
}

Tensor *op_matmul(Tape *tape, Tensor *a, Tensor *b)
{
    REQUIRE(a->shape.dims == 2 && b->shape.dims == 2 && a->shape.size[1] == b->shape.size[0],
            "a is %s and b is %s; expected [m,k] and [k,n]", TENSOR_TEXT(a), TENSOR_TEXT(b));
    int     m = a->shape.size[0], k = a->shape.size[1], n = b->shape.size[1];
    Tensor *y = tensor_new(tape->arena, SHAPE(m, n));
    matmul(y->data, a->data, b->data, m, n, k, 0.0f);
    return tape_record(tape, y, matmul_backward, NULL, INPUTS(a, b));
}

// y = a + b   =>   da += dy,   db += dy
static void add_backward(const TapeNode *node)
{
    Tensor *a = node->in[0], *b = node->in[1], *y = node->out;
    if (a->grad) kernels.axpy(a->grad, y->grad, 1.0f, tensor_count(y));
    if (b->grad) kernels.axpy(b->grad, y->grad, 1.0f, tensor_count(y));
}

Tensor *op_add(Tape *tape, Tensor *a, Tensor *b)
{
    REQUIRE(shape_equal(a->shape, b->shape), "a is %s and b is %s; expected the same shape",
            TENSOR_TEXT(a), TENSOR_TEXT(b));
    Tensor *y = tensor_new(tape->arena, a->shape);
    kernels.add(y->data, a->data, b->data, tensor_count(y));
    return tape_record(tape, y, add_backward, NULL, INPUTS(a, b));
}

// y = a b, element by element   =>   da += dy b,   db += dy a
static void mul_backward(const TapeNode *node)
{
    Tensor *a = node->in[0], *b = node->in[1], *y = node->out;
    if (a->grad) kernels.mul_add(a->grad, y->grad, b->data, tensor_count(y));
    if (b->grad) kernels.mul_add(b->grad, y->grad, a->data, tensor_count(y));
}

Tensor *op_mul(Tape *tape, Tensor *a, Tensor *b)
{
    REQUIRE(shape_equal(a->shape, b->shape), "a is %s and b is %s; expected the same shape",
            TENSOR_TEXT(a), TENSOR_TEXT(b));
    Tensor *y = tensor_new(tape->arena, a->shape);
    kernels.mul(y->data, a->data, b->data, tensor_count(y));
    return tape_record(tape, y, mul_backward, NULL, INPUTS(a, b));
}

// y = alpha x   =>   dx += alpha dy
static void scale_backward(const TapeNode *node)
{
    const float *alpha = node->saved;
    kernels.axpy(node->in[0]->grad, node->out->grad, *alpha, tensor_count(node->out));
}

Tensor *op_scale(Tape *tape, Tensor *x, float alpha)
{
    Tensor *y     = tensor_new(tape->arena, x->shape);
    float  *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved        = alpha;
    kernels.scale(y->data, x->data, alpha, tensor_count(y));
    return tape_record(tape, y, scale_backward, saved, INPUTS(x));
}

// y = exp(x)   =>   dx += dy y
static void exp_backward(const TapeNode *node)
{
    const Tensor *y = node->out;
    kernels.mul_add(node->in[0]->grad, y->grad, y->data, tensor_count(y));
}

Tensor *op_exp(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.exp(y->data, x->data, tensor_count(y));
    return tape_record(tape, y, exp_backward, NULL, INPUTS(x));
}

// y = max(x, 0)   =>   dx += dy where y > 0
static void relu_backward(const TapeNode *node)
{
    const Tensor *y = node->out;
    kernels.relu_backward(node->in[0]->grad, y->grad, y->data, tensor_count(y));
}

Tensor *op_relu(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.relu(y->data, x->data, tensor_count(y));
    return tape_record(tape, y, relu_backward, NULL, INPUTS(x));
}

// y = 1 / (1 + exp(-x))   =>   dx += dy y (1 - y)
static void sigmoid_backward(const TapeNode *node)
{
    const Tensor *y = node->out;
    kernels.sigmoid_backward(node->in[0]->grad, y->grad, y->data, tensor_count(y));
}

Tensor *op_sigmoid(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.sigmoid(y->data, x->data, tensor_count(y));
    return tape_record(tape, y, sigmoid_backward, NULL, INPUTS(x));
}

// y = tanh(x)   =>   dx += dy (1 - y^2)
static void tanh_backward(const TapeNode *node)
{
    const Tensor *y = node->out;
    kernels.tanh_backward(node->in[0]->grad, y->grad, y->data, tensor_count(y));
}

Tensor *op_tanh(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.tanh(y->data, x->data, tensor_count(y));
    return tape_record(tape, y, tanh_backward, NULL, INPUTS(x));
}
