/* Dropout as an op, on each device: one mask for forward and backward, none while evaluating. Its gradient
 * against finite differences: test_gradients.c; its kernel: tests/kernels/test_philox.c. */
#include "common/ops.h"
#include "tests/floats.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"
#include <math.h>

enum { N = 301 };
static const Draw draw = {5, 6};

static Tensor *x;    // N(0,1), wants a gradient

static void draw_x(void)
{
    Rng rng = rng_from_seed(3);
    x = tensor_from(keep, SHAPE(N), floats_normal(&rng, N));
    tensor_want_grad(keep, x);
}

// d(sum of y^2 / 2)/dx
static float *gradient_of_half_the_squares(Tensor *y)
{
    Tensor *row = tensor_view(tape->arena, y, SHAPE(1, N)),
           *column = tensor_view(tape->arena, y, SHAPE(N, 1));
    Tensor *loss = op_scale(tape, op_matmul(tape, row, column), 0.5f);
    tape_quiet(tape, true);    // the mask is forward's, whatever the tape is for by now
    tape_backward(tape, loss);
    tape_quiet(tape, false);
    return grad_of(x);
}

// y is 4 x or 0, both some of the time, and the gradient of half its squares 4 y.
static void assert_dropped_out(const float *y, const float *gradient)
{
    const float *was = values_of(x);
    int kept = 0;
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == 0 || y[i] == 4 * was[i]);
        assert_true(gradient[i] == 4 * y[i]);
        kept += y[i] != 0;
    }
    assert_in_range(kept, N / 4 - 40, N / 4 + 40);    // 5 standard deviations
}

static void backward_has_the_mask_of_forward(void **state)
{
    (void)state;
    draw_x();
    Tensor *y = op_dropout(tape, x, 0.75f, draw);
    assert_dropped_out(values_of(y), gradient_of_half_the_squares(y));
}

static Tensor *part(Tape *t, const void *context, Tensor *const in[])
{
    (void)context;
    return op_dropout(t, in[0], 0.75f, draw);
}

static void a_part_that_is_computed_again_has_the_same_mask(void **state)
{
    (void)state;
    draw_x();
    Tensor *y = tape_recompute(tape, part, NULL, SHAPE(N), INPUTS(x));
    assert_dropped_out(values_of(y), gradient_of_half_the_squares(y));
}

static void another_draw_is_another_mask(void **state)
{
    (void)state;
    draw_x();
    float *a = values_of(op_dropout(tape, x, 0.75f, draw_at(1, 0, 0)));
    float *b = values_of(op_dropout(tape, x, 0.75f, draw_at(1, 0, 1)));
    float *c = values_of(op_dropout(tape, x, 0.75f, draw_at(1, 1, 0)));
    assert_memory_not_equal(a, b, N * sizeof *a);
    assert_memory_not_equal(a, c, N * sizeof *a);
    assert_memory_not_equal(b, c, N * sizeof *a);
}

static void dropout_is_the_identity_while_evaluating(void **state)
{
    (void)state;
    draw_x();
    tape_quiet(tape, true);
    assert_ptr_equal(op_dropout(tape, x, 0.75f, draw), x);
    tape_reset(tape);    // does not change what the tape is for
    assert_ptr_equal(op_dropout(tape, x, 0.75f, draw), x);
    float *y = values_of(tape_recompute(tape, part, NULL, SHAPE(N), INPUTS(x)));
    assert_memory_equal(y, values_of(x), N * sizeof *y);
    tape_quiet(tape, false);
    assert_ptr_not_equal(op_dropout(tape, x, 0.75f, draw), x);
}

static void a_p_outside_0_to_1_stops_the_program(void **state)
{
    (void)state;
    draw_x();
    stops_with("p is -0.5; expected 0 to 1", op_dropout(tape, x, -0.5f, draw));
    stops_with("p is 1.5; expected 0 to 1", op_dropout(tape, x, 1.5f, draw));
    stops_with("p is nan; expected 0 to 1", op_dropout(tape, x, NAN, draw));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DEVICE(a_p_outside_0_to_1_stops_the_program, "ref"),
        EACH_DEVICE(backward_has_the_mask_of_forward),
        EACH_DEVICE(a_part_that_is_computed_again_has_the_same_mask),
        EACH_DEVICE(another_draw_is_another_mask),
        EACH_DEVICE(dropout_is_the_identity_while_evaluating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
