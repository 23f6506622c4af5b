/* Pooling against windows counted by hand, and what it refuses. */
#include "common/ops.h"
#include "common/pool.h"
#include "kernels/kernels.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})

static Tensor *zeros(Shape shape)
{
    return tensor_zeros(tape->arena, shape);
}

// x, which wants its gradient, through max pooling; every output's gradient is 1.
static float *gradient_of_ones(Tensor *x, PoolConfig config)
{
    tensor_want_grad(keep, x);
    Tensor *y = op_max_pool(tape, x, config);
    Tensor *ones = tensor_new(tape->arena, SHAPE((int)tensor_count(y), 1));
    kernels.fill(ones->data, 1, tensor_count(y));
    Tensor *row = tensor_view(tape->arena, y, SHAPE(1, (int)tensor_count(y)));
    tape_backward(tape, op_matmul(tape, row, ones));
    return grad_of(x);
}

static void max_pool_takes_the_largest_of_each_window(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 1, 4, 5), 1, 2, 3, 4, 9, 5, 6, 7, 8, 9, -1, -2, -3, -4, 9, -5, -6,
                       -7, -8, 9);
    Tensor *y = op_max_pool(tape, x, (PoolConfig){.kernel = 2});
    assert_near(values_of(y), ((double[]){6, 8, -1, -3}), SHAPE(1, 1, 2, 2), .name = "y",
                .exact = true);
    assert_string_equal(TENSOR_TEXT(y), "[1,1,2,2]");
    // The padding is never the largest, even of negative numbers.
    y = op_max_pool(tape, VALUES(SHAPE(1, 1, 1, 2), -3, -5),
                    (PoolConfig){.kernel = 2, .stride = 1, .pad = 1});
    assert_near(values_of(y), ((double[]){-3, -3, -5, -3, -3, -5}), SHAPE(1, 1, 2, 3), .name = "y",
                .exact = true);
}

// PyTorch's shapes: 49 pixels by 3, stride 2, are 24.
static void sizes_are_rounded_down(void **state)
{
    (void)state;
    assert_string_equal(TENSOR_TEXT(op_max_pool(tape, zeros(SHAPE(1, 2, 49, 10)),
                                                (PoolConfig){.kernel = 3, .stride = 2})),
                        "[1,2,24,4]");
    assert_string_equal(
        TENSOR_TEXT(op_avg_pool(tape, zeros(SHAPE(1, 2, 5, 2)), (PoolConfig){.kernel = 2})),
        "[1,2,2,1]");
    assert_string_equal(
        TENSOR_TEXT(op_avg_pool(tape, zeros(SHAPE(3, 1, 7, 7)), (PoolConfig){3, 2, 1})),
        "[3,1,4,4]");
    assert_string_equal(
        TENSOR_TEXT(op_max_pool(tape, zeros(SHAPE(0, 4, 8, 8)), (PoolConfig){.kernel = 2})),
        "[0,4,4,4]");
}

// pytorch, tensorflow and Theano have each been asked where the gradient of a tie goes.
static void the_gradient_of_a_tie_goes_to_the_first_and_is_whole(void **state)
{
    (void)state;
    assert_near(gradient_of_ones(VALUES(SHAPE(1, 1, 2, 2), 1, 2, 2, 2), (PoolConfig){.kernel = 2}),
                ((double[]){0, 1, 0, 0}), SHAPE(2, 2), .name = "dx", .exact = true);
    assert_near(gradient_of_ones(zeros(SHAPE(1, 1, 2, 2)), (PoolConfig){.kernel = 2}),
                ((double[]){1, 0, 0, 0}), SHAPE(2, 2), .name = "dx", .exact = true);
}

// 1 3 2 by windows of 2: the 3 is the largest of both.
static void overlapping_windows_add_their_gradients(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 1, 2, 3), 1, 3, 2, 0, 0, 0);
    assert_near(gradient_of_ones(x, (PoolConfig){.kernel = 2, .stride = 1}),
                ((double[]){0, 2, 0, 0, 0, 0}), SHAPE(2, 3), .name = "dx", .exact = true);
}

static void max_pool_does_not_hide_nan(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        float values[4] = {1, -INFINITY, INFINITY, 2};
        values[i] = NAN;
        Tensor *y = op_max_pool(tape, tensor_from(tape->arena, SHAPE(1, 1, 2, 2), values),
                                (PoolConfig){.kernel = 2});
        assert_true(isnan(*values_of(y)));
    }
    Tensor *low = VALUES(SHAPE(1, 1, 2, 2), -INFINITY, -INFINITY, -INFINITY, -INFINITY);
    assert_near(gradient_of_ones(low, (PoolConfig){.kernel = 2}), ((double[]){1, 0, 0, 0}),
                SHAPE(2, 2), .name = "dx", .exact = true);
}

static void avg_pool_counts_the_padding_as_zeros(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 1, 2, 2), 4, 8, 12, 16);
    assert_near(values_of(op_avg_pool(tape, x, (PoolConfig){.kernel = 2})), ((double[]){10}),
                SHAPE(1), .name = "y", .exact = true);
    assert_near(values_of(op_avg_pool(tape, x, (PoolConfig){.kernel = 2, .pad = 1})),
                ((double[]){1, 2, 3, 4}), SHAPE(2, 2), .name = "y", .exact = true);
}

static void global_avg_pool_is_the_mean_of_each_plane(void **state)
{
    (void)state;
    Tensor *y = op_global_avg_pool(tape, VALUES(SHAPE(1, 2, 1, 3), 1, 2, 6, -1, 0, 1));
    assert_near(values_of(y), ((double[]){3, 0}), SHAPE(1, 2), .name = "y");
    assert_string_equal(TENSOR_TEXT(y), "[1,2]");
    assert_string_equal(TENSOR_TEXT(op_global_avg_pool(tape, zeros(SHAPE(0, 5, 7, 7)))), "[0,5]");
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    Tensor *x = zeros(SHAPE(1, 16, 5, 4));
    stops_with("op_max_pool: x is [1,16,5,4]; a window of 5 does not fit into its 5 by 4 pixels "
               "with pad 0",
               op_max_pool(tape, x, (PoolConfig){.kernel = 5}));
    stops_with("op_avg_pool: x is [784]; expected [B,C,H,W]",
               op_avg_pool(tape, zeros(SHAPE(784)), (PoolConfig){.kernel = 2}));
    stops_with("op_max_pool: kernel 0 and stride 0; expected at least 1 of each",
               op_max_pool(tape, x, (PoolConfig){0}));
    stops_with("kernel 2 and stride -1; expected at least 1",
               op_max_pool(tape, x, (PoolConfig){.kernel = 2, .stride = -1}));
    stops_with("pad 2 for kernel 3; expected 0 to 1, half the kernel",
               op_avg_pool(tape, x, (PoolConfig){.kernel = 3, .pad = 2}));
    stops_with("op_global_avg_pool: x is [2,3,0,4]; expected [B,C,H,W] with at least 1 pixel",
               op_global_avg_pool(tape, zeros(SHAPE(2, 3, 0, 4))));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(max_pool_takes_the_largest_of_each_window),
        EACH_DEVICE(sizes_are_rounded_down),
        EACH_DEVICE(the_gradient_of_a_tie_goes_to_the_first_and_is_whole),
        EACH_DEVICE(overlapping_windows_add_their_gradients),
        EACH_DEVICE(max_pool_does_not_hide_nan),
        EACH_DEVICE(avg_pool_counts_the_padding_as_zeros),
        EACH_DEVICE(global_avg_pool_is_the_mean_of_each_plane),
        CASE(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
