/* ops.c -- check, make room, dispatch; each backward stands right above its op.
 *
 * Notation in the comments: dy is d(loss)/dy, the gradient that arrives; every rule adds to the
 * gradients of the inputs (+=), since a tensor may be used by several ops. The first use in a pass
 * writes instead (beta 0).
 */
#include "common/ops.h"
#include "common/error.h"
#include "kernels/kernels.h"

// ---- activations

// y may be x.
static void activate(Activation activation, float *y, const float *x, size_t n)
{
    switch (activation) {
    case ACTIVATION_NONE: break;
    case ACTIVATION_RELU: kernels.relu(y, x, n); break;
    case ACTIVATION_SIGMOID: kernels.sigmoid(y, x, n); break;
    case ACTIVATION_TANH: kernels.tanh(y, x, n); break;
    }
}

// relu: dx += dy where y > 0;  sigmoid: dx += dy y (1 - y);  tanh: dx += dy (1 - y^2)
static void activate_backward(Activation activation, Grad dx, const Tensor *y)
{
    size_t n = tensor_count(y);
    switch (activation) {
    case ACTIVATION_NONE: break;
    case ACTIVATION_RELU: kernels.relu_backward(dx.at, y->grad, y->data, dx.beta, n); break;
    case ACTIVATION_SIGMOID: kernels.sigmoid_backward(dx.at, y->grad, y->data, dx.beta, n); break;
    case ACTIVATION_TANH: kernels.tanh_backward(dx.at, y->grad, y->data, dx.beta, n); break;
    }
}

static void activation_backward(const TapeNode *node)
{
    const Activation *activation = node->saved;
    activate_backward(*activation, tape_grad(node, node->in[0]), node->out[0]);
}

static const Activation *saved_activation(Tape *tape, Activation activation)
{
    Activation *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = activation;
    return saved;
}

Tensor *op_activation(Tape *tape, Tensor *x, Activation activation)
{
    if (activation == ACTIVATION_NONE) return x;
    Tensor *y = tensor_new(tape->arena, x->shape);
    activate(activation, y->data, tensor_floats(x), tensor_count(y));
    return tape_record(tape, y, activation_backward, saved_activation(tape, activation), INPUTS(x));
}

Tensor *op_relu(Tape *tape, Tensor *x)
{
    return op_activation(tape, x, ACTIVATION_RELU);
}

Tensor *op_sigmoid(Tape *tape, Tensor *x)
{
    return op_activation(tape, x, ACTIVATION_SIGMOID);
}

Tensor *op_tanh(Tape *tape, Tensor *x)
{
    return op_activation(tape, x, ACTIVATION_TANH);
}

// ---- products

// Whatever the leading dimensions, [rows,in] -> [rows,out]; either may be 0.
static int rows_of(const Tensor *x)
{
    Shape rows = x->shape;
    rows.dims--;
    return (int)shape_count(rows);
}

// y = f(z), z = x w^T + b   =>   dz = dy f'(z),   dx += dz w,   dw += dz^T x,   db += sum over the rows of dz
static void linear_backward(const TapeNode *node)
{
    const Activation *activation = node->saved;
    Tensor *x = node->in[0], *w = node->in[1], *b = node->in[2], *y = node->out[0];
    int in = w->shape.size[1], out = w->shape.size[0], rows = rows_of(y);
    float *dz = y->grad;
    activate_backward(*activation, (Grad){dz, 0.0f}, y);    // in place: dy has no other use
    Grad dx = tape_grad(node, x), dw = tape_grad(node, w), db = tape_grad(node, b);
    if (dx.at) matmul(dx.at, dz, w->data, rows, in, out, dx.beta);
    if (dw.at) matmul_tn(dw.at, dz, x->data, out, in, rows, dw.beta);
    if (db.at) kernels.sum_rows(db.at, dz, rows, out, db.beta);
}

Tensor *op_linear_activated(Tape *tape, Tensor *x, Tensor *w, Tensor *b, Activation activation)
{
    int last = x->shape.dims - 1;
    REQUIRE(last >= 0 && w->shape.dims == 2 && x->shape.size[last] == w->shape.size[1],
            "x is %s and w is %s; expected [...,I] and [O,I]", TENSOR_TEXT(x), TENSOR_TEXT(w));
    int in = w->shape.size[1], out = w->shape.size[0];
    REQUIRE(!b || shape_equal(b->shape, SHAPE(out)), "b is %s; expected [%d] for w %s",
            TENSOR_TEXT(b), out, TENSOR_TEXT(w));
    Shape shape = x->shape;
    shape.size[last] = out;
    Tensor *y = tensor_new(tape->arena, shape);
    int rows = rows_of(y);
    matmul_nt(y->data, tensor_floats(x), tensor_floats(w), rows, out, in, 0.0f);
    if (b) kernels.add_row(y->data, y->data, tensor_floats(b), rows, out);
    activate(activation, y->data, y->data, tensor_count(y));
    return tape_record(tape, y, linear_backward, saved_activation(tape, activation),
                       INPUTS(x, w, b));
}

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b)
{
    return op_linear_activated(tape, x, w, b, ACTIVATION_NONE);
}

Tensor *op_linear_relu(Tape *tape, Tensor *x, Tensor *w, Tensor *b)
{
    return op_linear_activated(tape, x, w, b, ACTIVATION_RELU);
}

// The last two dimensions, [rows,cols] or transposed, of all the leading ones.
static Mat mat(const float *data, const Tensor *x, bool transposed)
{
    size_t rows = (size_t)x->shape.size[x->shape.dims - 2],
           cols = (size_t)x->shape.size[x->shape.dims - 1];
    return (Mat){data, transposed ? 1 : cols, transposed ? cols : 1, rows * cols};
}

// c = beta c + a b, matrix by matrix; c is [...,m,n].
static void multiply(Grad c, const Tensor *shape_of_c, Mat a, Mat b, int k)
{
    const Shape s = shape_of_c->shape;
    int m = s.size[s.dims - 2], n = s.size[s.dims - 1], batch = 1;
    for (int i = 0; i < s.dims - 2; i++) batch *= s.size[i];
    kernels.matmul(c.at, (size_t)n, (size_t)m * (size_t)n, a, b, batch, m, n, k, c.beta);
}

// y = a b   =>   da += dy b^T,   db += a^T dy
static void matmul_backward(const TapeNode *node)
{
    Tensor *a = node->in[0], *b = node->in[1], *y = node->out[0];
    int last = y->shape.dims - 1;
    Grad da = tape_grad(node, a), db = tape_grad(node, b);
    if (da.at) multiply(da, a, mat(y->grad, y, false), mat(b->data, b, true), y->shape.size[last]);
    if (db.at)
        multiply(db, b, mat(a->data, a, true), mat(y->grad, y, false), y->shape.size[last - 1]);
}

Tensor *op_matmul(Tape *tape, Tensor *a, Tensor *b)
{
    int last = a->shape.dims - 1;
    Shape shape = a->shape;
    bool fits = last >= 1 && b->shape.dims == a->shape.dims &&
                a->shape.size[last] == b->shape.size[last - 1];
    for (int i = 0; fits && i < last - 1; i++) fits = a->shape.size[i] == b->shape.size[i];
    REQUIRE(fits, "a is %s and b is %s; expected [...,m,k] and [...,k,n]", TENSOR_TEXT(a),
            TENSOR_TEXT(b));
    shape.size[last] = b->shape.size[last];
    Tensor *y = tensor_new(tape->arena, shape);
    multiply((Grad){y->data, 0.0f}, y, mat(tensor_floats(a), a, false),
             mat(tensor_floats(b), b, false), a->shape.size[last]);
    return tape_record(tape, y, matmul_backward, NULL, INPUTS(a, b));
}

// ---- element by element

static void require_equal(const char *op, const Tensor *a, const Tensor *b)
{
    REQUIRE(shape_equal(a->shape, b->shape), "%s: a is %s and b is %s; expected the same shape", op,
            TENSOR_TEXT(a), TENSOR_TEXT(b));
}

// y = a + b   =>   da += dy,   db += dy
static void add_backward(const TapeNode *node)
{
    const Tensor *y = node->out[0];
    for (int i = 0; i < 2; i++) {
        Grad d = tape_grad(node, node->in[i]);
        if (d.at) kernels.axpby(d.at, y->grad, 1.0f, d.beta, tensor_count(y));
    }
}

Tensor *op_add(Tape *tape, Tensor *a, Tensor *b)
{
    require_equal(__func__, a, b);
    Tensor *y = tensor_new(tape->arena, a->shape);
    kernels.add(y->data, tensor_floats(a), tensor_floats(b), tensor_count(y));
    return tape_record(tape, y, add_backward, NULL, INPUTS(a, b));
}

// y = a b, element by element   =>   da += dy b,   db += dy a
static void mul_backward(const TapeNode *node)
{
    const Tensor *y = node->out[0];
    for (int i = 0; i < 2; i++) {
        Grad d = tape_grad(node, node->in[i]);
        if (d.at) kernels.mul(d.at, y->grad, node->in[1 - i]->data, d.beta, tensor_count(y));
    }
}

Tensor *op_mul(Tape *tape, Tensor *a, Tensor *b)
{
    require_equal(__func__, a, b);
    Tensor *y = tensor_new(tape->arena, a->shape);
    kernels.mul(y->data, tensor_floats(a), tensor_floats(b), 0.0f, tensor_count(y));
    return tape_record(tape, y, mul_backward, NULL, INPUTS(a, b));
}

// y = alpha x   =>   dx += alpha dy
static void scale_backward(const TapeNode *node)
{
    const float *alpha = node->saved;
    Grad dx = tape_grad(node, node->in[0]);
    kernels.axpby(dx.at, node->out[0]->grad, *alpha, dx.beta, tensor_count(node->out[0]));
}

Tensor *op_scale(Tape *tape, Tensor *x, float alpha)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    float *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = alpha;
    kernels.axpby(y->data, tensor_floats(x), alpha, 0.0f, tensor_count(y));
    return tape_record(tape, y, scale_backward, saved, INPUTS(x));
}

// y = exp(x)   =>   dx += dy y
static void exp_backward(const TapeNode *node)
{
    const Tensor *y = node->out[0];
    Grad dx = tape_grad(node, node->in[0]);
    kernels.mul(dx.at, y->grad, y->data, dx.beta, tensor_count(y));
}

Tensor *op_exp(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.exp(y->data, tensor_floats(x), tensor_count(y));
    return tape_record(tape, y, exp_backward, NULL, INPUTS(x));
}

// ---- gates: their slope is no function of y, so backward needs x

typedef void GateBackward(float *dx, const float *dy, const float *x, float beta, size_t n);

// y = f(x)   =>   dx += dy f'(x)
static void gate_backward(const TapeNode *node, GateBackward *kernel)
{
    Tensor *x = node->in[0];
    Grad dx = tape_grad(node, x);
    kernel(dx.at, node->out[0]->grad, x->data, dx.beta, tensor_count(x));
}

static void gelu_backward(const TapeNode *node)
{
    gate_backward(node, kernels.gelu_backward);
}

Tensor *op_gelu(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.gelu(y->data, tensor_floats(x), tensor_count(x));
    return tape_record(tape, y, gelu_backward, NULL, INPUTS(x));
}

static void gelu_erf_backward(const TapeNode *node)
{
    gate_backward(node, kernels.gelu_erf_backward);
}

Tensor *op_gelu_erf(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.gelu_erf(y->data, tensor_floats(x), tensor_count(x));
    return tape_record(tape, y, gelu_erf_backward, NULL, INPUTS(x));
}

static void silu_backward(const TapeNode *node)
{
    gate_backward(node, kernels.silu_backward);
}

Tensor *op_silu(Tape *tape, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    kernels.silu(y->data, tensor_floats(x), tensor_count(x));
    return tape_record(tape, y, silu_backward, NULL, INPUTS(x));
}

// y = silu(g) u   =>   dg += dy u silu'(g),   du += dy silu(g)
static void swiglu_backward(const TapeNode *node)
{
    const Tensor *x = node->in[0], *y = node->out[0];
    Grad dx = tape_grad(node, node->in[0]);
    kernels.swiglu_backward(dx.at, y->grad, x->data, dx.beta, rows_of(y),
                            y->shape.size[y->shape.dims - 1]);
}

Tensor *op_swiglu(Tape *tape, Tensor *gate_up)
{
    Shape shape = gate_up->shape;
    const int last = shape.dims - 1;
    REQUIRE(last >= 0 && shape.size[last] % 2 == 0, "gate_up is %s; expected [...,2F]",
            TENSOR_TEXT(gate_up));
    shape.size[last] /= 2;
    Tensor *y = tensor_new(tape->arena, shape);
    kernels.swiglu(y->data, tensor_floats(gate_up), rows_of(y), shape.size[last]);
    return tape_record(tape, y, swiglu_backward, NULL, INPUTS(gate_up));
}

// ---- dropout

typedef struct Dropout {
    float p;
    Draw draw;
} Dropout;

// y = m x, each m 0 or 1 / (1 - p)   =>   dx += m dy: the mask is drawn again instead of stored
static void dropout_backward(const TapeNode *node)
{
    const Dropout *saved = node->saved;
    const Tensor *y = node->out[0];
    Grad dx = tape_grad(node, node->in[0]);
    kernels.dropout(dx.at, y->grad, saved->p, saved->draw, dx.beta, tensor_count(y));
}

Tensor *op_dropout(Tape *tape, Tensor *x, float p, Draw draw)
{
    REQUIRE(p >= 0 && p <= 1, "p is %g; expected 0 to 1", (double)p);
    if (tape->evaluating) return x;
    Tensor *y = tensor_new(tape->arena, x->shape);
    Dropout *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Dropout){p, draw};
    kernels.dropout(y->data, tensor_floats(x), p, draw, 0.0f, tensor_count(y));
    return tape_record(tape, y, dropout_backward, saved, INPUTS(x));
}
