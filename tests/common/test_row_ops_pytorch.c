/* What a transformer's rows go through, with the gradients, against PyTorch's and `transformers`', by one weighted sum
 * of each result (make_row_ops_pytorch.py). */
#include "common/embedding.h"
#include "common/loss.h"
#include "common/norm.h"
#include "common/ops.h"
#include "common/rope.h"
#include "tests/facts.h"
#include "tests/tape_fixture.h"

typedef struct RowCase {
    int size[3];
    double want[8];
} RowCase;

typedef struct RopeCase {
    RopeKind kind;
    int head, time, first;
    float theta, factor;
    int original;
    float low, high;
    double want[2];
} RopeCase;

#include "tests/common/row_ops_pytorch.inc"

#define COUNT(list) (int)(sizeof(list) / sizeof *(list))

// filled() of the script.
static float value(size_t i, int seed)
{
    return (float)((int)((i * 37 + (size_t)seed * 101) % 97) - 48) / 32;
}

static Tensor *input(Shape shape, int seed)
{
    const size_t n = shape_count(shape);
    float *values = arena_alloc(keep, n * sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = value(i, seed);
    Tensor *x = tensor_from(keep, shape, values);
    tensor_want_grad(keep, x);
    return x;
}

enum { WEIGHTS = 9 };    // the seed

static void hold(const char *what, int number, const float *x, size_t n, double want, double rtol)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        const double term = (double)value(i, WEIGHTS) * (double)x[i];
        sum += term;
        size += fabs(term);
    }
    assert_that(fabs(sum - want) <= rtol * size, "%s of case %d: %.9g; expected %.9g within %.3g",
                what, number, sum, want, rtol * size);
}

// Holds y, then, with the weights arriving at it, each input's gradient: NULL ends them.
static void hold_all(const char *what, int number, Tensor *y, Tensor *const inputs[],
                     const double *want, double rtol)
{
    hold(what, number, values_of(y), tensor_count(y), *want++, rtol);
    Tensor *product = op_mul(tape, y, input(y->shape, WEIGHTS));
    Tensor *column = tensor_view(tape->arena, product, SHAPE(1, (int)tensor_count(y)));
    float *ones = arena_alloc(keep, tensor_count(y) * sizeof *ones);
    for (size_t i = 0; i < tensor_count(y); i++) ones[i] = 1;
    Tensor *sum = op_matmul(tape, column, tensor_from(keep, SHAPE((int)tensor_count(y), 1), ones));
    tape_backward(tape, sum);
    for (; *inputs != NULL; inputs++)
        hold(what, number, grad_of(*inputs), tensor_count(*inputs), *want++, rtol);
}

#define INPUT_LIST(...) ((Tensor *[]){__VA_ARGS__, NULL})

static Shape shape_of(const RowCase *c)
{
    return SHAPE(c->size[0], c->size[1], c->size[2]);
}

static void norms_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(layer_norms); i++) {
        const RowCase *c = &layer_norms[i];
        const Shape cols = SHAPE(c->size[2]);
        Tensor *x = input(shape_of(c), 1), *gamma = input(cols, 2), *shift = input(cols, 3);
        hold_all("layer_norm", i, op_layer_norm(tape, x, gamma, shift, 1e-5f),
                 INPUT_LIST(x, gamma, shift), c->want, 1e-6);
    }
    for (int i = 0; i < COUNT(rms_norms); i++) {
        const RowCase *c = &rms_norms[i];
        Tensor *x = input(shape_of(c), 1), *gamma = input(SHAPE(c->size[2]), 2);
        hold_all("rms_norm", i, op_rms_norm(tape, x, gamma, 1e-5f), INPUT_LIST(x, gamma), c->want,
                 1e-6);
    }
}

static void gates_are_pytorchs(void **state)
{
    (void)state;
    Tensor *(*const ops[])(Tape *, Tensor *) = {op_gelu, op_gelu_erf, op_silu};
    for (int i = 0; i < COUNT(gates); i++) {
        const RowCase *c = &gates[i];
        for (int k = 0; k < COUNT(ops); k++) {
            Tensor *x = input(shape_of(c), 1);
            hold_all("gate", 10 * k + i, ops[k](tape, op_scale(tape, x, 3)), INPUT_LIST(x),
                     c->want + 2 * k, 1e-6);
        }
        Tensor *x = input(SHAPE(c->size[0], c->size[1], 2 * c->size[2]), 1);
        hold_all("swiglu", i, op_swiglu(tape, x), INPUT_LIST(x), c->want + 6, 1e-6);
    }
}

static void losses_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * COUNT(losses); i++) {
        const RowCase *c = &losses[i / 2];
        const int rows = c->size[0], width = c->size[1], classes = c->size[2];
        Tensor *x = input(SHAPE(rows, width), 1), *w = input(SHAPE(classes, width), 2);
        int32_t *label = arena_alloc(keep, sizeof *label * (size_t)rows);
        for (int r = 0; r < rows; r++) label[r] = r % 3 == 1 ? -100 : r * 7 % classes;
        Tensor *labels = tensor_from_ints(keep, SHAPE(rows), label);
        Tensor *loss = i % 2 ? loss_linear_cross_entropy(tape, x, w, labels)
                             : loss_cross_entropy(tape, op_linear(tape, x, w, NULL), labels);
        assert_that(fabs((double)tensor_item(loss) - c->want[0]) <= 2e-6,
                    "loss %d: %.9g; expected %.9g", i, (double)tensor_item(loss), c->want[0]);
        tape_backward(tape, loss);
        hold("dx", i, grad_of(x), tensor_count(x), c->want[1], 2e-6);
        hold("dw", i, grad_of(w), tensor_count(w), c->want[2], 2e-6);
    }
}

static void embeddings_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(embeddings); i++) {
        const RowCase *c = &embeddings[i];
        int32_t *id = arena_alloc(keep, sizeof *id * (size_t)c->size[0]);
        for (int t = 0; t < c->size[0]; t++) id[t] = t * 7 % c->size[2];
        Tensor *table = input(SHAPE(c->size[2], c->size[1]), 1);
        Tensor *ids = tensor_from_ints(keep, SHAPE(c->size[0]), id);
        hold_all("embedding", i, op_embedding(tape, ids, table), INPUT_LIST(table), c->want, 1e-6);
    }
}

static void rotations_are_those_of_transformers(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(ropes); i++) {
        const RopeCase *c = &ropes[i];
        const Rope *rope =
            rope_new(keep, (RopeConfig){.head = c->head,
                                        .positions = c->first + c->time,
                                        .theta = c->theta,
                                        .scaling = {.kind = c->kind,
                                                    .factor = c->factor,
                                                    .original_positions = c->original,
                                                    .low_freq_factor = c->low,
                                                    .high_freq_factor = c->high}});
        Tensor *x = input(SHAPE(1, c->time, 2 * c->head), 1);    // its angles are floats
        hold_all("rope", i, op_rope(tape, x, rope, 2, c->head, c->first), INPUT_LIST(x), c->want,
                 1e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(norms_are_pytorchs),
        EACH_DEVICE(gates_are_pytorchs),
        EACH_DEVICE(losses_are_pytorchs),
        EACH_DEVICE(embeddings_are_pytorchs),
        EACH_DEVICE(rotations_are_those_of_transformers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
