/* loss.c -- sums over a batch, divided once at the end; backward carries the same factor. What
 * arrives there, d(total)/d(loss), stays on the device: no step waits for a number.
 */
#include "common/loss.h"
#include "common/error.h"
#include "common/ops.h"
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
    float *p;         // probabilities [rows,classes]
    float *factor;    // 1 / rows that count
} Classes;

static void require_labels(const Tensor *labels, int rows, int classes)
{
    REQUIRE(shape_equal(labels->shape, SHAPE(rows)), "labels are %s; expected [%d]",
            TENSOR_TEXT(labels), rows);
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
    const Tensor *z = node->in[0];
    Grad dz = tape_grad(node, node->in[0]);
    float *scale = node->out[0]->grad;    // it has no other use
    kernels.mul(scale, scale, saved->factor, 0.0f, 1);
    kernels.cross_entropy_backward(dz.at, scale, 1.0f, saved->p, tensor_ints(node->in[1]),
                                   z->shape.size[0], z->shape.size[1], dz.beta);
}

Tensor *loss_cross_entropy(Tape *tape, Tensor *z, Tensor *labels)
{
    REQUIRE(z->shape.dims == 2 && tensor_count(z) > 0, "z is %s; expected [B,C]", TENSOR_TEXT(z));
    const int rows = z->shape.size[0], classes = z->shape.size[1];
    require_labels(labels, rows, classes);
    Tensor *loss = tensor_new(tape->arena, SCALAR), *p = tensor_new(tape->arena, z->shape);
    Classes *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Classes){p->data, factor_of(tape, labels)};
    kernels.cross_entropy(loss->data, p->data, tensor_floats(z), tensor_ints(labels), rows,
                          classes);
    kernels.mul(loss->data, loss->data, saved->factor, 0.0f, 1);
    return tape_record(tape, loss, cross_entropy_backward, saved, INPUTS(z, labels));
}

Tensor *loss_linear_cross_entropy(Tape *tape, Tensor *x, Tensor *w, Tensor *labels)
{
    return loss_cross_entropy(tape, op_linear(tape, x, w, NULL), labels);
}
