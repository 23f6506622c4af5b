/* Exercises 1 to 4: convolution, forward. check.c says how cases are made. */
#include <math.h>
#include "labs/2_core/cnn/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 1: the size of an output ----

#define assert_size(size, kernel, stride, pad, want)                                               \
    assert_integer("cnn_output_size(" #size ", " #kernel ", " #stride ", " #pad ")",               \
                   cnn_output_size(size, kernel, stride, pad), want)

CASE(output_size__matches_published_networks)
{
    assert_size(32, 5, 1, 0, 28);      // LeCun et al. 1998: C1 of LeNet-5
    assert_size(28, 2, 2, 0, 14);      // S2
    assert_size(227, 11, 4, 0, 55);    // Krizhevsky et al. 2012: AlexNet
    assert_size(224, 7, 2, 3, 112);    // He et al. 2016: ResNet
    assert_size(112, 3, 2, 1, 56);
}

CASE(output_size__matches_the_figures_of_dumoulin_and_visin)
{
    assert_size(4, 3, 1, 0, 2);    // relationship 1
    assert_size(5, 4, 1, 2, 6);    // 2
    assert_size(5, 3, 1, 1, 5);    // 3: half padding
    assert_size(5, 3, 1, 2, 7);    // 4: full padding
    assert_size(5, 3, 2, 0, 2);    // 5
    assert_size(5, 3, 2, 1, 3);    // 6
    assert_size(6, 3, 2, 1, 3);    // 6: the last row and column are not reached
    assert_size(49, 3, 2, 0, 24);
}

CASE(output_size__counts_the_places_of_the_window)
{
    for (int size = 1; size <= 12; size++)
        for (int kernel = 1; kernel <= 14; kernel++)
            for (int stride = 1; stride <= 5; stride++)
                for (int pad = 0; pad <= 4; pad++) {
                    int got = cnn_output_size(size, kernel, stride, pad);
                    int want = places_of(size, kernel, stride, pad);
                    assert_that(got == want,
                                "size %d, kernel %d, stride %d, pad %d: got %d, expected %d", size,
                                kernel, stride, pad, got, want);
                }
}

CASE(output_size__is_1_where_the_kernel_just_fits_and_0_where_it_does_not)
{
    assert_size(5, 5, 3, 0, 1);
    assert_size(3, 5, 2, 1, 1);
    assert_size(4, 5, 2, 0, 0);    // -1 / 2 is 0
    assert_size(4, 7, 2, 1, 0);
    assert_size(1, 100, 1, 0, 0);
}

CASE(output_size__counts_exactly_above_16_million)
{
    assert_size(100000003, 1, 1, 0, 100000003);
    assert_size(100000003, 2, 2, 0, 50000001);
}

// ---- 2 and 4: convolution ----

static const char conv_formula[] =
    "y[b,o,i,j] = bias[o] + sum_ckl w[o,c,k,l] x[b,c, i stride - pad + k, j stride - pad + l]";

typedef struct Wide {
    const Layer *layer;
    double *y;
} Wide;

static void add_tap(Tap tap, void *data)
{
    const Wide *wide = data;
    if (tap.pixel != NO_PIXEL)
        wide->y[tap.out] += (double)wide->layer->w[tap.weight] * (double)wide->layer->x[tap.pixel];
}

typedef enum Way { LOOPS, MATMUL } Way;

static void convolve(Way way, float *y, const float *x, const float *w, const float *bias,
                     CnnConv s)
{
    if (way == LOOPS) {
        cnn_conv_loops(y, x, w, bias, s);
    } else {
        int places = places_of(s.H, s.K, s.stride, s.pad) * places_of(s.W, s.K, s.stride, s.pad);
        cnn_conv_matmul(y, x, w, bias, floats_filled(count_of(s.C, s.K, s.K, places), NAN), s);
    }
}

static void assert_conv(Way way, Layer layer, bool with_bias)
{
    double *want = doubles_zero(layer.y_size);
    for (size_t i = 0; i < layer.y_size && with_bias; i++)
        want[i] = (double)layer.bias[i / layer.places % (size_t)layer.s.O];
    layer_taps(&layer, add_tap, &(Wide){&layer, want});
    float *y = floats_filled(layer.y_size, 7), *before = floats_copy(y, layer.y_size);
    convolve(way, y, layer.x, layer.w, with_bias ? layer.bias : NULL, layer.s);
    assert_near(y, want, SHAPE(layer.s.B, layer.s.O, layer.rows, layer.cols), .name = "y",
                .replaces = before, SUM_TOLERANCE, .formula = conv_formula);
}

static void check_example(Way way)
{
    CnnConv s = {.B = 1, .C = 1, .H = 3, .W = 3, .O = 1, .K = 2, .stride = 1};
    float *y = floats_filled(4, NAN);
    convolve(way, y, FLOATS(1, 0, 2, 0, 3, 1, 2, 1, 0), FLOATS(1, 2, 3, 4), FLOATS(0.5f), s);
    assert_near(y, ((double[]){13.5, 17.5, 16.5, 8.5}), SHAPE(1, 1, 2, 2), .name = "y",
                .formula = conv_formula);
    convolve(way, y, FLOATS(0, 1, 2, 3, 4, 5, 6, 7, 8), FLOATS(0, 1, 2, 3), NULL, s);
    assert_near(y, ((double[]){19, 25, 37, 43}), SHAPE(1, 1, 2, 2), .name = "y",
                .formula = conv_formula);    // D2L, section 7.2
}

static void check_padding(Way way)
{
    // 1 2 3 4 with the kernel 1 1 in the middle row: zeros on both sides, and above and below.
    const float *x = FLOATS(1, 2, 3, 4);
    float *y = floats_filled(6, NAN);
    CnnConv s = {.B = 1, .C = 1, .H = 1, .W = 4, .O = 1, .K = 3, .stride = 1, .pad = 1};
    convolve(way, y, x, FLOATS(0, 0, 0, 1, 1, 0, 0, 0, 0), NULL, s);
    assert_near(y, ((double[]){1, 3, 5, 7}), SHAPE(1, 1, 1, 4), .name = "y",
                .formula = conv_formula);
    s.stride = 2;
    convolve(way, y, x, FLOATS(0, 0, 0, 1, 10, 100, 0, 0, 0), NULL, s);
    assert_near(y, ((double[]){210, 432}), SHAPE(1, 1, 1, 2), .name = "y", .formula = conv_formula);
}

static void check_shapes(Way way)
{
    for (int i = 0; i < CONV_SHAPES; i++)
        assert_conv(way, layer_new(conv_shapes[i], 10 + (uint64_t)i), true);
}

static void check_null_bias(Way way)
{
    for (int i = 0; i < 4; i++)
        assert_conv(way, layer_new(conv_shapes[i], 30 + (uint64_t)i), false);
}

static void check_inputs_kept(Way way)
{
    Layer layer = layer_new(conv_shapes[2], 40), before = layer_new(conv_shapes[2], 40);
    convolve(way, floats_filled(layer.y_size, 0), layer.x, layer.w, layer.bias, layer.s);
    assert_kept("x", layer.x, before.x, layer.x_size);
    assert_kept("w", layer.w, before.w, layer.w_size);
    assert_kept("bias", layer.bias, before.bias, (size_t)layer.s.O);
}

static void check_repeated(Way way)
{
    Layer one = layer_new(conv_shapes[1], 41), other = layer_new(conv_shapes[3], 42);
    assert_conv(way, one, true);
    layer_scale(one, 2);
    assert_conv(way, one, true);
    assert_conv(way, other, true);
    assert_conv(way, one, true);
}

// All of one sign, so that no sum cancels.
static void check_large_numbers(Way way)
{
    Layer layer = layer_new(conv_shapes[1], 43);
    for (size_t i = 0; i < layer.x_size; i++) layer.x[i] = 1e15f * (0.1f + fabsf(layer.x[i]));
    for (size_t i = 0; i < layer.w_size; i++) layer.w[i] = 1e15f * (0.1f + fabsf(layer.w[i]));
    assert_conv(way, layer, true);
}

static void check_nan(Way way)
{
    Layer layer = layer_new(conv_shapes[0], 44);
    for (size_t i = 0; i < layer.w_size; i++) layer.w[i] = i % 2 ? 0 : layer.w[i];
    layer.x[17] = NAN;
    layer.x[80] = INFINITY;
    assert_conv(way, layer, true);
    layer = layer_new(conv_shapes[0], 45);
    layer.w[30] = NAN;
    for (size_t i = 0; i < layer.x_size; i++) layer.x[i] = i % 2 ? 0 : layer.x[i];
    assert_conv(way, layer, true);
}

#define BOTH_WAYS(promise, check)                                                                  \
    CASE(conv_loops__##promise)                                                                    \
    {                                                                                              \
        check(LOOPS);                                                                              \
    }                                                                                              \
    CASE(conv_matmul__##promise)                                                                   \
    {                                                                                              \
        check(MATMUL);                                                                             \
    }
BOTH_WAYS(matches_examples_computed_by_hand, check_example)
BOTH_WAYS(pads_with_zeros_on_all_four_sides, check_padding)
BOTH_WAYS(matches_plain_loops_in_double, check_shapes)
BOTH_WAYS(takes_null_for_a_bias_of_0, check_null_bias)
BOTH_WAYS(does_not_modify_its_inputs, check_inputs_kept)
BOTH_WAYS(takes_the_same_arrays_again_with_other_contents, check_repeated)
BOTH_WAYS(handles_large_numbers, check_large_numbers)
BOTH_WAYS(propagates_nan, check_nan)

// ---- 3: im2col ----

static const char im2col_formula[] =
    "columns[(c K + k) K + l, i W' + j] = image[c, i stride - pad + k, j stride - pad + l], or 0";

static void want_column(Tap tap, void *data)
{
    const Wide *wide = data;
    if (tap.b == 0 && tap.o == 0)
        wide->y[tap.row * wide->layer->places + tap.place] =
            tap.pixel == NO_PIXEL ? 0 : (double)wide->layer->x[tap.pixel];
}

static void assert_im2col(Layer layer)
{
    size_t n = layer.taps * layer.places;
    double *want = doubles_zero(n);
    layer_taps(&layer, want_column, &(Wide){&layer, want});
    float *columns = floats_filled(n, 7), *before = floats_copy(columns, n);
    // Only the first image: its array ends there.
    const float *image = floats_copy(layer.x, layer.x_size / (size_t)layer.s.B);
    float *kept = floats_copy(image, layer.x_size / (size_t)layer.s.B);
    cnn_im2col(columns, image, layer.s);
    assert_near(columns, want, SHAPE((int)layer.taps, (int)layer.places), .name = "columns",
                .replaces = before, .exact = true, .formula = im2col_formula);
    assert_kept("image", image, kept, layer.x_size / (size_t)layer.s.B);
}

CASE(im2col__matches_an_example_computed_by_hand)
{
    float *columns = floats_filled(16, NAN);
    CnnConv s = {.B = 1, .C = 1, .H = 3, .W = 3, .O = 1, .K = 2, .stride = 1};
    cnn_im2col(columns, FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9), s);
    assert_near(columns, ((double[]){1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9}), SHAPE(4, 4),
                .name = "columns", .formula = im2col_formula);
    s.stride = 2, s.pad = 1;    // the four corners of the padded image, two steps apart
    cnn_im2col(columns, FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9), s);
    assert_near(columns, ((double[]){0, 0, 0, 5, 0, 0, 4, 6, 0, 2, 0, 8, 1, 3, 7, 9}), SHAPE(4, 4),
                .name = "columns", .formula = im2col_formula);
}

CASE(im2col__copies_every_window_of_one_image)
{
    for (int i = 0; i < CONV_SHAPES; i++)
        assert_im2col(layer_new(conv_shapes[i], 50 + (uint64_t)i));
}

CASE(im2col__takes_the_same_arrays_again_with_other_contents)
{
    CnnConv s = {.B = 1, .C = 1, .H = 2, .W = 2, .O = 1, .K = 1, .stride = 1};
    float *image = FLOATS(1, 2, 3, 4), *columns = floats_filled(16, NAN);
    cnn_im2col(columns, image, s);
    image[2] = -5;
    cnn_im2col(columns, image, s);
    assert_near(columns, ((double[]){1, 2, -5, 4}), SHAPE(1, 4), .name = "columns of a second call",
                .exact = true, .formula = im2col_formula);
    s.pad = 1, s.stride = 2;
    cnn_im2col(columns, image, s);
    assert_near(columns, ((double[]){0, 0, 0, 4}), SHAPE(1, 4), .name = "columns of another shape",
                .exact = true, .formula = im2col_formula);
}

CASE(im2col__copies_nan_infinity_and_large_numbers)
{
    Layer layer = layer_new(conv_shapes[1], 70);
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, 1e-40f, -1e-40f};
    for (int i = 0; i < 6; i++) layer.x[9 * i + 4] = odd[i];
    assert_im2col(layer);
}

const struct CMUnitTest conv_cases[] = {
    cmocka_unit_test(output_size__matches_published_networks),
    cmocka_unit_test(output_size__matches_the_figures_of_dumoulin_and_visin),
    cmocka_unit_test(output_size__counts_the_places_of_the_window),
    cmocka_unit_test(output_size__is_1_where_the_kernel_just_fits_and_0_where_it_does_not),
    cmocka_unit_test(output_size__counts_exactly_above_16_million),
    cmocka_unit_test(conv_loops__matches_examples_computed_by_hand),
    cmocka_unit_test(conv_loops__pads_with_zeros_on_all_four_sides),
    cmocka_unit_test(conv_loops__matches_plain_loops_in_double),
    cmocka_unit_test(conv_loops__takes_null_for_a_bias_of_0),
    cmocka_unit_test(conv_loops__does_not_modify_its_inputs),
    cmocka_unit_test(conv_loops__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(conv_loops__handles_large_numbers),
    cmocka_unit_test(conv_loops__propagates_nan),
    cmocka_unit_test(im2col__matches_an_example_computed_by_hand),
    cmocka_unit_test(im2col__copies_every_window_of_one_image),
    cmocka_unit_test(im2col__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(im2col__copies_nan_infinity_and_large_numbers),
    cmocka_unit_test(conv_matmul__matches_examples_computed_by_hand),
    cmocka_unit_test(conv_matmul__pads_with_zeros_on_all_four_sides),
    cmocka_unit_test(conv_matmul__matches_plain_loops_in_double),
    cmocka_unit_test(conv_matmul__takes_null_for_a_bias_of_0),
    cmocka_unit_test(conv_matmul__does_not_modify_its_inputs),
    cmocka_unit_test(conv_matmul__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(conv_matmul__handles_large_numbers),
    cmocka_unit_test(conv_matmul__propagates_nan),
    {0},
};
