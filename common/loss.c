/* loss.c -- sums over a batch, divided once at the end; backward carries the same factor. What
 * arrives there, d(total)/d(loss), stays on the device: no step waits for a number.
 */
#include "common/loss.h"
#include "common/error.h"
#include "kernels/device.h"

typedef struct Saved {
    float factor;    // what the sum is multiplied by: 1/B or 1/(B D)
} Saved;

static Saved *saved_new(Tape *tape, float factor)
{
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Saved){factor};
    return saved;
}

static void require_targets(const Tensor *x, const Tensor *target)
{
    REQUIRE(x->shape.dims >= 1 && tensor_count(x) > 0, "x is %s; expected a batch of rows",
            TENSOR_TEXT(x));
    REQUIRE(shape_equal(x->shape, target->shape), "x is %s and target is %s; expected the same",
            TENSOR_TEXT(x), TENSOR_TEXT(target));
}

// [] times the factor, in place.
static Tensor *scaled(Tensor *loss, float factor)
{
    kernels.axpby(loss->data, loss->data, factor, 0.0f, 1);
    return loss;
}

// L = f sum (x - t)^2   =>   dx += 2 f (x - t) dL
static void squared_error_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const Tensor *x = node->in[0], *target = node->in[1];
    Grad dx = tape_grad(node, node->in[0]);
    if (dx.at)
        kernels.squared_error_backward(dx.at, node->out[0]->grad, saved->factor, x->data,
                                       target->data, dx.beta, tensor_count(x));
}

static Tensor *squared_error(Tape *tape, Tensor *x, Tensor *target, float factor)
{
    Tensor *loss = tensor_new(tape->arena, SCALAR);
    kernels.squared_error(loss->data, tensor_floats(x), tensor_floats(target), tensor_count(x));
    return tape_record(tape, scaled(loss, factor), squared_error_backward, saved_new(tape, factor),
                       INPUTS(x, target));
}

Tensor *loss_mse(Tape *tape, Tensor *x, Tensor *target)
{
    require_targets(x, target);
    return squared_error(tape, x, target, 1.0f / (float)tensor_count(x));
}

Tensor *loss_squared_error(Tape *tape, Tensor *x, Tensor *target)
{
    require_targets(x, target);
    return squared_error(tape, x, target, 1.0f / (float)x->shape.size[0]);
}

// L = -f sum t log s(z) + (1 - t) log(1 - s(z))   =>   dz += f (s(z) - t) dL
static void bce_logits_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const Tensor *z = node->in[0], *target = node->in[1];
    Grad dz = tape_grad(node, node->in[0]);
    if (dz.at)
        kernels.bce_logits_backward(dz.at, node->out[0]->grad, saved->factor, z->data, target->data,
                                    dz.beta, tensor_count(z));
}

Tensor *loss_bce_logits(Tape *tape, Tensor *z, Tensor *target)
{
    require_targets(z, target);
    float factor = 1.0f / (float)z->shape.size[0];
    Tensor *loss = tensor_new(tape->arena, SCALAR);
    kernels.bce_logits(loss->data, tensor_floats(z), tensor_floats(target), tensor_count(z));
    return tape_record(tape, scaled(loss, factor), bce_logits_backward, saved_new(tape, factor),
                       INPUTS(z, target));
}

// ---- cross-entropy: the mean over the rows whose label is not negative. How many they are, only the device knows.

typedef struct Classes {
    int rows, classes;
    float *p;         // probabilities [rows,classes]
    float *factor;    // 1 / rows that count
} Classes;

// One for each row of z [...,C] or x [...,d], in the same shape or in a row.
static void require_labels(const Tensor *labels, const Tensor *x, int classes)
{
    Shape leading = x->shape;
    leading.dims--;
    const int rows = (int)shape_count(leading);
    REQUIRE(shape_equal(labels->shape, leading) || shape_equal(labels->shape, SHAPE(rows)),
            "labels are %s; expected %s for %s", TENSOR_TEXT(labels), SHAPE_TEXT(leading),
            TENSOR_TEXT(x));
    const int32_t *label = tensor_ints(labels);
    for (int r = 0; device->on_host && r < rows; r++)
        REQUIRE(label[r] < classes,
                "label %d of row %d; expected 0 to %d, or less than 0 to ignore it", label[r], r,
                classes - 1);
}

static float *factor_of(Tape *tape, const Tensor *labels)
{
    float *factor = tensor_floats(tensor_new(tape->arena, SCALAR));
    kernels.label_factor(factor, tensor_ints(labels), tensor_count(labels));
    return factor;
}

// L = -1/N sum_r log p[r, label[r]],  p = softmax(z)   =>   dz += 1/N (p - onehot(label)) dL
static void cross_entropy_backward(const TapeNode *node)
{
    const Classes *saved = node->saved;
    Grad dz = tape_grad(node, node->in[0]);
    float *scale = node->out[0]->grad;    // it has no other use
    kernels.mul(scale, scale, saved->factor, 0.0f, 1);
    kernels.cross_entropy_backward(dz.at, scale, 1.0f, saved->p, tensor_ints(node->in[1]),
                                   saved->rows, saved->classes, dz.beta);
}

Tensor *loss_cross_entropy(Tape *tape, Tensor *z, Tensor *labels)
{
    const int last = z->shape.dims - 1;
    REQUIRE(last >= 1 && tensor_count(z) > 0, "z is %s; expected [B,C]", TENSOR_TEXT(z));
    const int classes = z->shape.size[last], rows = (int)(tensor_count(z) / (size_t)classes);
    require_labels(labels, z, classes);
    Tensor *loss = tensor_new(tape->arena, SCALAR), *p = tensor_new(tape->arena, z->shape);
    Classes *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Classes){rows, classes, p->data, factor_of(tape, labels)};
    kernels.cross_entropy(loss->data, p->data, tensor_floats(z), tensor_ints(labels), rows,
                          classes);
    kernels.mul(loss->data, loss->data, saved->factor, 0.0f, 1);
    return tape_record(tape, loss, cross_entropy_backward, saved, INPUTS(z, labels));
}

// ---- the same with the last layer

enum {
    LOGITS_MOST = 16 << 20
};    // numbers: beyond, only some rows' logits are in memory at a time

typedef struct Head {
    Tensor *x, *w, *labels;
    int rows, cols, classes;
    float *loss, *factor;
    float *p;          // of all rows, for backward; NULL: backward's products are made in forward
    float *dx, *dw;    // these products, without the factor and dL; NULL where not wanted
    bool used_up;      // backward works where p is
} Head;

// z = x w^T of some rows at p, which becomes softmax(z), and their share of the loss.
static void forward_rows(const Head *h, float *p, float *loss, int first, int rows)
{
    const float *x = tensor_floats(h->x) + (size_t)first * (size_t)h->cols;
    matmul_nt(p, x, tensor_floats(h->w), rows, h->classes, h->cols, 0.0f);
    kernels.cross_entropy(loss, p, p, tensor_ints(h->labels) + first, rows, h->classes);
}

// dz = scale (p - onehot(label)), where p is;  dx += dz w,   dw += dz^T x
static void backward_rows(const Head *h, float *p, const float *scale, Grad dx, Grad dw, int first,
                          int rows)
{
    const float *x = tensor_floats(h->x) + (size_t)first * (size_t)h->cols;
    kernels.cross_entropy_backward(p, scale, 1.0f, p, tensor_ints(h->labels) + first, rows,
                                   h->classes, 0.0f);
    if (dx.at)
        matmul(dx.at + (size_t)first * (size_t)h->cols, p, tensor_floats(h->w), rows, h->cols,
               h->classes, dx.beta);
    if (dw.at) matmul_tn(dw.at, p, x, h->classes, h->cols, rows, dw.beta);
}

static float *numbers(Tape *tape, size_t n)
{
    return arena_numbers(tape->arena, n * sizeof(float));
}

// A slice of rows at a time; of the gradients' products nothing is wanted when evaluating.
static void forward_slices(Tape *tape, Head *h, bool wanted)
{
    const size_t all = (size_t)h->rows * (size_t)h->cols;
    if (wanted && h->x->wants_grad) h->dx = numbers(tape, all);
    if (wanted && h->w->wants_grad) h->dw = numbers(tape, tensor_count(h->w));
    const int fit = LOGITS_MOST / h->classes, most = fit > 32 ? fit / 32 * 32 : 32;
    const int slice = h->rows < most ? h->rows : most;
    const ArenaMark mark = arena_mark(tape->arena);
    float *p = numbers(tape, (size_t)slice * (size_t)h->classes), *one = numbers(tape, 2),
          *part = one + 1;
    kernels.fill(one, 1.0f, 1);
    kernels.fill(h->loss, 0.0f, 1);
    for (int first = 0; first < h->rows; first += slice) {
        const int rows = h->rows - first < slice ? h->rows - first : slice;
        forward_rows(h, p, part, first, rows);
        kernels.add(h->loss, h->loss, part, 1);
        backward_rows(h, p, one, (Grad){h->dx, 0.0f}, (Grad){h->dw, first > 0 ? 1.0f : 0.0f}, first,
                      rows);
    }
    arena_rewind(tape->arena, mark);
}

static void linear_cross_entropy_backward(const TapeNode *node)
{
    Head *h = *(Head *const *)node->saved;
    REQUIRE(!h->used_up, "backward of this loss has run before; its numbers are used up");
    float *scale = node->out[0]->grad;    // it has no other use
    kernels.mul(scale, scale, h->factor, 0.0f, 1);
    Grad dx = tape_grad(node, h->x), dw = tape_grad(node, h->w);
    if (h->p != NULL) {
        h->used_up = true;
        backward_rows(h, h->p, scale, dx, dw, 0, h->rows);
    } else {
        if (dx.at) kernels.axpby_scalar(dx.at, h->dx, scale, dx.beta, tensor_count(h->x));
        if (dw.at) kernels.axpby_scalar(dw.at, h->dw, scale, dw.beta, tensor_count(h->w));
    }
}

Tensor *loss_linear_cross_entropy(Tape *tape, Tensor *x, Tensor *w, Tensor *labels)
{
    const int last = x->shape.dims - 1;
    REQUIRE(last >= 1 && w->shape.dims == 2 && x->shape.size[last] == w->shape.size[1] &&
                tensor_count(x) > 0 && tensor_count(w) > 0,
            "x is %s and w is %s; expected [...,d] and [V,d]", TENSOR_TEXT(x), TENSOR_TEXT(w));
    Tensor *loss = tensor_new(tape->arena, SCALAR);
    Head *h = arena_alloc(tape->arena, sizeof *h),
         **saved = arena_alloc(tape->arena, sizeof *saved);
    const int cols = w->shape.size[1], classes = w->shape.size[0];
    *h = (Head){.x = x,
                .w = w,
                .labels = labels,
                .rows = (int)(tensor_count(x) / (size_t)cols),
                .cols = cols,
                .classes = classes,
                .loss = loss->data};
    *saved = h;
    require_labels(labels, x, classes);
    h->factor = factor_of(tape, labels);
    const bool wanted = tape->recording && (x->wants_grad || w->wants_grad);
    const size_t logits = (size_t)h->rows * (size_t)classes;
    if (wanted && (logits <= LOGITS_MOST || h->rows <= cols)) {    // or they are smaller than w
        h->p = numbers(tape, logits);
        forward_rows(h, h->p, h->loss, 0, h->rows);
    } else {
        forward_slices(tape, h, wanted);
    }
    kernels.mul(h->loss, h->loss, h->factor, 0.0f, 1);
    return tape_record(tape, loss, linear_cross_entropy_backward, saved, INPUTS(x, w, labels));
}
