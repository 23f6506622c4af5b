/* loss.c -- sums over a batch, divided once at the end; backward carries the same factor. */
#include "common/loss.h"
#include "common/error.h"
#include "kernels/kernels.h"

typedef struct Saved {
    const float *target;           // or, for classes, the probabilities
    const int   *labels;
    float        factor;           // what the sum is multiplied by: 1/B or 1/(B D)
} Saved;

static Saved *saved_new(Tape *tape, const float *target, const int *labels, float factor)
{
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved       = (Saved){target, labels, factor};
    return saved;
}

// d(total)/d(loss) times the loss's own factor: the scale that every loss kernel's backward takes.
static float backward_scale(const TapeNode *node)
{
    const Saved *saved = node->saved;
    return node->out->grad[0] * saved->factor;
}

static void require_targets(const Tensor *x, const Tensor *target)
{
    REQUIRE(x->shape.dims >= 1 && tensor_count(x) > 0, "x is %s; expected a batch of rows",
            TENSOR_TEXT(x));
    REQUIRE(shape_equal(x->shape, target->shape), "x is %s and target is %s; expected the same",
            TENSOR_TEXT(x), TENSOR_TEXT(target));
}

// L = f sum (x - t)^2   =>   dx += 2 f (x - t) dL
static void squared_error_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    Tensor      *x     = node->in[0];
    kernels.squared_error_backward(x->grad, backward_scale(node), x->data, saved->target,
                                   tensor_count(x));
}

static Tensor *squared_error(Tape *tape, Tensor *x, const Tensor *target, float factor)
{
    Tensor *loss = tensor_new(tape->arena, SCALAR);
    kernels.squared_error(loss->data, x->data, target->data, tensor_count(x));
    kernels.scale(loss->data, loss->data, factor, 1);
    return tape_record(tape, loss, squared_error_backward,
                       saved_new(tape, target->data, NULL, factor), INPUTS(x));
}

Tensor *loss_mse(Tape *tape, Tensor *x, const Tensor *target)
{
    require_targets(x, target);
    return squared_error(tape, x, target, 1.0f / (float)tensor_count(x));
}

Tensor *loss_squared_error(Tape *tape, Tensor *x, const Tensor *target)
{
    require_targets(x, target);
    return squared_error(tape, x, target, 1.0f / (float)x->shape.size[0]);
}

// L = -f sum t log s(z) + (1 - t) log(1 - s(z))   =>   dz += f (s(z) - t) dL
static void bce_logits_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    Tensor      *z     = node->in[0];
    kernels.bce_logits_backward(z->grad, backward_scale(node), z->data, saved->target,
                                tensor_count(z));
}

Tensor *loss_bce_logits(Tape *tape, Tensor *z, const Tensor *target)
{
    require_targets(z, target);
    float   factor = 1.0f / (float)z->shape.size[0];
    Tensor *loss   = tensor_new(tape->arena, SCALAR);
    kernels.bce_logits(loss->data, z->data, target->data, tensor_count(z));
    kernels.scale(loss->data, loss->data, factor, 1);
    return tape_record(tape, loss, bce_logits_backward,
                       saved_new(tape, target->data, NULL, factor), INPUTS(z));
}

// L = -1/B sum_r log p[r, label[r]],  p = softmax(z)   =>   dz += 1/B (p - onehot(label)) dL
static void cross_entropy_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    Tensor      *z     = node->in[0];
    kernels.cross_entropy_backward(z->grad, backward_scale(node), saved->target, saved->labels,
                                   z->shape.size[0], z->shape.size[1]);
}

Tensor *loss_cross_entropy(Tape *tape, Tensor *z, const int *labels)
{
    REQUIRE(z->shape.dims == 2 && tensor_count(z) > 0, "z is %s; expected [B,C]", TENSOR_TEXT(z));
    int rows = z->shape.size[0], classes = z->shape.size[1];
    for (int r = 0; r < rows; r++)
        REQUIRE(labels[r] >= 0 && labels[r] < classes, "label %d of row %d; expected 0 to %d",
                labels[r], r, classes - 1);
    float   factor = 1.0f / (float)rows;
    Tensor *loss = tensor_new(tape->arena, SCALAR), *p = tensor_new(tape->arena, z->shape);
    kernels.cross_entropy(loss->data, p->data, z->data, labels, rows, classes);
    kernels.scale(loss->data, loss->data, factor, 1);
    return tape_record(tape, loss, cross_entropy_backward, saved_new(tape, p->data, labels, factor),
                       INPUTS(z));
}
