/* Convolution against sums made by hand, the shapes it refuses, and its layer. */
#include "common/conv.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

static Tensor *zeros(Shape shape)
{
    return tensor_zeros(tape->arena, shape);
}

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})

static void a_window_slides_over_the_image(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 1, 3, 4), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    Tensor *w = VALUES(SHAPE(1, 1, 2, 2), 1, 10, 100, 1000), *b = VALUES(SHAPE(1), 0.5f);
    Tensor *y = op_conv2d(tape, x, w, b, (ConvConfig){0});
    assert_near(values_of(y), ((double[]){6521.5, 7632.5, 8743.5, 10965.5, 12076.5, 13187.5}),
                SHAPE(1, 1, 2, 3), .name = "y", .exact = true);
    assert_string_equal(TENSOR_TEXT(y), "[1,1,2,3]");
}

static void padding_is_zeros_and_a_stride_leaves_out(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 1, 2, 3), 1, 2, 3, 4, 5, 6);
    Tensor *w = VALUES(SHAPE(1, 1, 2, 2), 1, 10, 100, 1000);
    Tensor *y = op_conv2d(tape, x, w, NULL, (ConvConfig){.pad = 1, .stride = 2});
    assert_near(values_of(y), ((double[]){1000, 3200, 40, 65}), SHAPE(1, 1, 2, 2), .name = "y",
                .exact = true);
    y = op_conv2d(tape, x, w, NULL, (ConvConfig){.pad = 1, .dilation = 2});
    assert_near(values_of(y), ((double[]){5000, 6400, 500, 20, 31, 2}), SHAPE(1, 1, 2, 3),
                .name = "y, dilated", .exact = true);
}

static void channels_add_up_and_groups_see_their_own(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(2, 2, 1, 2), 1, 2, 3, 4, 5, 6, 7, 8);
    Tensor *w = VALUES(SHAPE(2, 2, 1, 1), 1, 10, 100, 1000);
    Tensor *y = op_conv2d(tape, x, w, NULL, (ConvConfig){0});
    assert_near(values_of(y), ((double[]){31, 42, 3100, 4200, 75, 86, 7500, 8600}),
                SHAPE(2, 2, 1, 2), .name = "y", .exact = true);
    w = VALUES(SHAPE(2, 1, 1, 1), 10, 100);
    y = op_conv2d(tape, x, w, NULL, (ConvConfig){.groups = 2});
    assert_near(values_of(y), ((double[]){10, 20, 300, 400, 50, 60, 700, 800}), SHAPE(2, 2, 1, 2),
                .name = "y of two groups", .exact = true);
}

static void a_fused_relu_is_the_op_behind_it(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(1);
    Conv2d layer = conv2d_new(params, "conv", 3, 5, 3, (ConvConfig){.pad = 1}, true, &rng);
    float values[2 * 3 * 6 * 7];
    rng_fill_normal(&rng, values, 2 * 3 * 6 * 7);
    Tensor *x = tensor_from(tape->arena, SHAPE(2, 3, 6, 7), values);
    Tensor *y = op_relu(tape, conv2d_forward(tape, &layer, x));
    Tensor *fused = op_conv2d_relu(tape, x, layer.weight, layer.bias, layer.config);
    assert_memory_equal(values_of(fused), values_of(y), tensor_bytes(y));
}

static void an_empty_batch_gives_an_empty_result(void **state)
{
    (void)state;
    Tensor *y =
        op_conv2d(tape, zeros(SHAPE(0, 2, 5, 5)), zeros(SHAPE(3, 2, 3, 3)), NULL, (ConvConfig){0});
    assert_string_equal(TENSOR_TEXT(y), "[0,3,3,3]");
}

static void wrong_shapes_are_refused_and_named(void **state)
{
    (void)state;
    Tensor *x = zeros(SHAPE(2, 4, 5, 5)), *w = zeros(SHAPE(6, 4, 3, 3));
    stops_with("x is [2,4,5,5] and w is [6,3,3,3]; expected [B,I,H,W] and [O,I/1,KH,KW]",
               op_conv2d(tape, x, zeros(SHAPE(6, 3, 3, 3)), NULL, (ConvConfig){0}));
    stops_with("x is [4,5,5] and w is [6,4,3,3]; expected",
               op_conv2d(tape, zeros(SHAPE(4, 5, 5)), w, NULL, (ConvConfig){0}));
    stops_with("x is [2,4,5,5] and w is [6,4,3,3]; expected [B,I,H,W] and [O,I/2,KH,KW]",
               op_conv2d(tape, x, w, NULL, (ConvConfig){.groups = 2}));
    stops_with("w is [6,1,3,3]; expected a multiple of 4 channels, the groups",
               op_conv2d(tape, x, zeros(SHAPE(6, 1, 3, 3)), NULL, (ConvConfig){.groups = 4}));
    stops_with("b is [4]; expected [6] for w [6,4,3,3]",
               op_conv2d(tape, x, w, zeros(SHAPE(4)), (ConvConfig){0}));
    stops_with(
        "w is [6,4,3,3], dilation 3; expected a kernel that fits into x [2,4,5,5] with pad 0",
        op_conv2d(tape, x, w, NULL, (ConvConfig){.dilation = 3}));
    stops_with("stride -1, pad 0, dilation 0, groups 0; expected none below 0",
               op_conv2d(tape, x, w, NULL, (ConvConfig){.stride = -1}));
}

static void a_layer_adds_its_parameters_by_pytorch_names(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(2);
    Conv2d layer = conv2d_new(params, "conv1", 4, 6, 3, (ConvConfig){.groups = 2}, true, &rng);
    assert_int_equal(params->count, 2);
    assert_ptr_equal(params_find(params, "conv1.weight"), layer.weight);
    assert_ptr_equal(params_find(params, "conv1.bias"), layer.bias);
    assert_string_equal(TENSOR_TEXT(layer.weight), "[6,2,3,3]");
    assert_near(values_of(layer.bias), (double[6]){0}, SHAPE(6), .name = "bias", .exact = true);
    assert_null(conv2d_new(params, "conv2", 1, 1, 1, (ConvConfig){0}, false, &rng).bias);
    assert_int_equal(params->count, 3);
}

// As for a linear layer: bounds are four deviations of a mean square.
static void weights_are_normal_with_variance_two_by_fan_in(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(3);
    double variance = 2.0 / (32 * 9), sum = 0, squares = 0;
    const int n = 64 * 32 * 9;
    const float *values = values_of(
        conv2d_new(params, "conv", 64, 64, 3, (ConvConfig){.groups = 2}, false, &rng).weight);
    for (int i = 0; i < n; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    assert_close(sum / n, 0, 4 * sqrt(variance / n));
    assert_close(squares / n, variance, 4 * variance * sqrt(2.0 / n));
}

static void layers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(4);
    stops_with("layer 'a' from 0 to 3 channels, kernel 3; expected at least 1",
               conv2d_new(params, "a", 0, 3, 3, (ConvConfig){0}, true, &rng));
    stops_with("layer 'a' from 4 to 6 channels in 4 groups; expected multiples of them",
               conv2d_new(params, "a", 4, 6, 3, (ConvConfig){.groups = 4}, true, &rng));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_window_slides_over_the_image),
        EACH_DEVICE(padding_is_zeros_and_a_stride_leaves_out),
        EACH_DEVICE(channels_add_up_and_groups_see_their_own),
        EACH_DEVICE(a_fused_relu_is_the_op_behind_it),
        EACH_DEVICE(an_empty_batch_gives_an_empty_result),
        CASE(wrong_shapes_are_refused_and_named),
        EACH_DEVICE(a_layer_adds_its_parameters_by_pytorch_names),
        CASE(weights_are_normal_with_variance_two_by_fan_in),
        CASE(layers_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
