/* Exercises 5 and 6: convolution, backward. check.c says how cases are made. */
#include <math.h>
#include "kernels/kernels.h"
#include "labs/2_core/cnn/check.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 5: col2im ----

static const char col2im_formula[] =
    "dimage[c, i stride - pad + k, j stride - pad + l] += columns[(c K + k) K + l, i W' + j]";

typedef struct Columns {
    const Layer *layer;
    const float *columns;
    double *image;
} Columns;

static void add_column(Tap tap, void *data)
{
    const Columns *wide = data;
    if (tap.b == 0 && tap.o == 0 && tap.pixel != NO_PIXEL)
        wide->image[tap.pixel] += (double)wide->columns[tap.row * wide->layer->places + tap.place];
}

static void assert_col2im(Layer layer, float *columns, float held)
{
    size_t n = layer.taps * layer.places, pixels = layer.x_size / (size_t)layer.s.B;
    float *dimage = floats_filled(pixels, held), *before = floats_copy(dimage, pixels),
          *kept = floats_copy(columns, n);
    double *want = floats_wide(dimage, pixels);
    layer_taps(&layer, add_column, &(Columns){&layer, columns, want});
    cnn_col2im(dimage, columns, layer.s);
    assert_near(dimage, want, SHAPE(layer.s.C, layer.s.H, layer.s.W), .name = "dimage",
                .added_to = before, .formula = col2im_formula);
    assert_kept("columns", columns, kept, n);
}

static void check_col2im(CnnConv s, uint64_t seed, float held)
{
    Rng rng = rng_from_seed(seed);
    Layer layer = layer_new(s, seed);
    assert_col2im(layer, floats_normal(&rng, layer.taps * layer.places), held);
}

CASE(col2im__matches_an_example_computed_by_hand)
{
    // Each pixel gets as many ones as there are windows over it.
    float *dimage = floats_filled(9, 0);
    CnnConv s = {.B = 1, .C = 1, .H = 3, .W = 3, .O = 1, .K = 2, .stride = 1};
    cnn_col2im(dimage, floats_filled(16, 1), s);
    assert_near(dimage, ((double[]){1, 2, 1, 2, 4, 2, 1, 2, 1}), SHAPE(1, 3, 3), .name = "dimage",
                .formula = col2im_formula);
}

CASE(col2im__adds_every_element_to_the_pixel_it_came_from)
{
    for (int i = 0; i < CONV_SHAPES; i++) check_col2im(conv_shapes[i], 80 + (uint64_t)i, 0);
}

CASE(col2im__accumulates_into_dimage)
{
    check_col2im(conv_shapes[1], 100, 7);
    check_col2im(conv_shapes[5], 101, 7);    // pixels that no window covers keep what they hold
}

CASE(col2im__takes_the_same_arrays_again_with_other_contents)
{
    Layer one = layer_new(conv_shapes[2], 102), other = layer_new(conv_shapes[3], 103);
    Rng rng = rng_from_seed(104);
    float *columns = floats_normal(&rng, one.taps * one.places),
          *others = floats_normal(&rng, other.taps * other.places);
    assert_col2im(one, columns, 0);
    for (size_t i = 0; i < one.taps * one.places; i++) columns[i] *= -2;
    assert_col2im(one, columns, 0);
    assert_col2im(other, others, 0);
    assert_col2im(one, columns, 0);
}

CASE(col2im__drops_the_padding_and_propagates_nan)
{
    CnnConv s = {.B = 1, .C = 1, .H = 1, .W = 2, .O = 1, .K = 1, .stride = 1, .pad = 1};
    // Places 5 and 6 of the 3 x 4 are the image.
    float *columns = floats_filled(12, INFINITY), *dimage = floats_filled(2, 0);
    columns[5] = 3, columns[6] = 1e30f;
    cnn_col2im(dimage, columns, s);
    assert_near(dimage, ((double[]){3, (double)1e30f}), SHAPE(1, 1, 2), .name = "dimage",
                .formula = col2im_formula);
    columns[5] = NAN, columns[6] = -INFINITY;
    cnn_col2im(dimage, columns, s);
    assert_near(dimage, ((double[]){NAN, -INFINITY}), SHAPE(1, 1, 2), .name = "dimage",
                .formula = col2im_formula);
}

// ---- 6: the gradients ----

typedef struct Gradients {
    const Layer *layer;
    double *dx, *dw;
} Gradients;

static void add_products(Tap tap, void *data)
{
    const Gradients *wide = data;
    const Layer *layer = wide->layer;
    if (tap.pixel == NO_PIXEL) return;
    wide->dx[tap.pixel] += (double)layer->dy[tap.out] * (double)layer->w[tap.weight];
    wide->dw[tap.weight] += (double)layer->dy[tap.out] * (double)layer->x[tap.pixel];
}

// Starts from `held` in all gradients. With dx and dbias or without.
static void assert_conv_backward(Layer l, float held, bool with_dx, bool with_dbias)
{
    CnnConv s = l.s;
    size_t O = (size_t)s.O;
    float *dx = floats_filled(l.x_size, held), *dw = floats_filled(l.w_size, held),
          *dbias = floats_filled(O, held);
    float *dx_before = floats_copy(dx, l.x_size), *dw_before = floats_copy(dw, l.w_size),
          *dbias_before = floats_copy(dbias, O);
    Gradients want = {&l, floats_wide(dx, l.x_size), floats_wide(dw, l.w_size)};
    double *dbias_want = floats_wide(dbias, O);
    layer_taps(&l, add_products, &want);
    for (size_t i = 0; i < l.y_size; i++) dbias_want[i / l.places % O] += (double)l.dy[i];
    cnn_conv_backward(with_dx ? dx : NULL, dw, with_dbias ? dbias : NULL, l.dy, l.x, l.w,
                      floats_filled(l.taps * l.places, NAN), s);
    assert_near(dw, want.dw, SHAPE(s.O, s.C, s.K, s.K), .name = "dw", .added_to = dw_before,
                .batch = s.B, SUM_TOLERANCE,
                .formula = "dw[o,c,k,l] += sum_bij dy[b,o,i,j] x[b,c, i stride - pad + k, ..]");
    if (with_dbias)
        assert_near(dbias, dbias_want, SHAPE(s.O), .name = "dbias", .added_to = dbias_before,
                    .batch = s.B, SUM_TOLERANCE, .formula = "dbias[o] += sum_bij dy[b,o,i,j]");
    if (with_dx)
        assert_near(dx, want.dx, SHAPE(s.B, s.C, s.H, s.W), .name = "dx", .added_to = dx_before,
                    .batch = s.B, SUM_TOLERANCE,
                    .formula = "dx[b,c, i stride - pad + k, ..] += sum_o dy[b,o,i,j] w[o,c,k,l]");
}

CASE(conv_backward__matches_an_example_computed_by_hand)
{
    CnnConv s = {.B = 1, .C = 1, .H = 3, .W = 3, .O = 1, .K = 2, .stride = 1};
    float *dx = floats_filled(9, 0), *dw = floats_filled(4, 0), *dbias = floats_filled(1, 0);
    cnn_conv_backward(dx, dw, dbias, FLOATS(1, 0, 0, -1), FLOATS(0, 1, 2, 3, 4, 5, 6, 7, 8),
                      FLOATS(0, 1, 2, 3), floats_filled(16, NAN), s);
    assert_near(dx, ((double[]){0, 1, 0, 2, 3, -1, 0, -2, -3}), SHAPE(1, 1, 3, 3), .name = "dx",
                .formula = "w at the first window, minus w at the last");
    assert_near(dw, ((double[]){-4, -4, -4, -4}), SHAPE(1, 1, 2, 2), .name = "dw",
                .formula = "the first window minus the last");
    assert_near(dbias, &(double){0}, SHAPE(1), .name = "dbias", .formula = "the sum of dy");
}

CASE(conv_backward__matches_plain_loops_in_double)
{
    for (int i = 0; i < CONV_SHAPES; i++)
        assert_conv_backward(layer_new(conv_shapes[i], 110 + (uint64_t)i), 0, true, true);
}

CASE(conv_backward__accumulates_into_dx_dw_and_dbias)
{
    assert_conv_backward(layer_new(conv_shapes[1], 130), 7, true, true);
    assert_conv_backward(layer_new(conv_shapes[5], 131), 7, true, true);
}

CASE(conv_backward__skips_dx_and_dbias_when_they_are_null)
{
    assert_conv_backward(layer_new(conv_shapes[2], 132), 0, false, true);
    assert_conv_backward(layer_new(conv_shapes[2], 133), 0, true, false);
    assert_conv_backward(layer_new(conv_shapes[2], 134), 0, false, false);
}

typedef struct WideLayer {
    const Layer *layer;
    double *x, *w, *bias;
    double *y;
} WideLayer;

static void add_wide(Tap tap, void *data)
{
    const WideLayer *wide = data;
    if (tap.pixel != NO_PIXEL) wide->y[tap.out] += wide->w[tap.weight] * wide->x[tap.pixel];
}

// Any function of y with the gradient dy will do: sum dy y is the simplest.
static double conv_score(const void *argument)
{
    const WideLayer *wide = argument;
    const Layer *layer = wide->layer;
    double sum = 0;
    for (size_t i = 0; i < layer->y_size; i++)
        wide->y[i] = wide->bias[i / layer->places % (size_t)layer->s.O];
    layer_taps(layer, add_wide, (void *)wide);
    for (size_t i = 0; i < layer->y_size; i++) sum += (double)layer->dy[i] * wide->y[i];
    return sum;
}

CASE(conv_backward__matches_finite_differences)
{
    for (int stride = 1; stride <= 3; stride++)
        for (int pad = 0; pad <= 3; pad++) {
            CnnConv s = {
                .B = 2, .C = 2, .H = 5, .W = 4, .O = 3, .K = 3, .stride = stride, .pad = pad};
            Layer l = layer_new(s, 140);
            WideLayer wide = {&l, floats_wide(l.x, l.x_size), floats_wide(l.w, l.w_size),
                              floats_wide(l.bias, 3), doubles_zero(l.y_size)};
            float *dx = floats_filled(l.x_size, 0), *dw = floats_filled(l.w_size, 0),
                  *dbias = floats_filled(3, 0);
            cnn_conv_backward(dx, dw, dbias, l.dy, l.x, l.w, floats_filled(l.taps * l.places, NAN),
                              s);
            assert_near(dx, slopes(conv_score, &wide, wide.x, l.x_size), SHAPE(2, 2, 5, 4),
                        .name = "dx", .formula = "dx = d sum(dy y) / dx");
            assert_near(dw, slopes(conv_score, &wide, wide.w, l.w_size), SHAPE(3, 2, 3, 3),
                        .name = "dw", .formula = "dw = d sum(dy y) / dw");
            assert_near(dbias, slopes(conv_score, &wide, wide.bias, 3), SHAPE(3), .name = "dbias",
                        .formula = "dbias = d sum(dy y) / dbias");
        }
}

// The kernels' gradients are held against PyTorch's in tests/kernels.
CASE(conv_backward__agrees_with_the_kernel_table)
{
    for (int i = 0; i < CONV_SHAPES; i++) {
        Layer l = layer_new(conv_shapes[i], 150 + (uint64_t)i);
        CnnConv s = l.s;
        ConvShape shape = {s.B, s.C, s.H, s.W, s.O, s.K, s.K, s.stride, s.pad, 1, 1};
        float *dx = floats_filled(l.x_size, 0), *dw = floats_filled(l.w_size, 0),
              *dx_want = floats_filled(l.x_size, 0), *dw_want = floats_filled(l.w_size, 0);
        kernels.conv2d_backward_input(dx_want, l.dy, l.w, 0, shape);
        kernels.conv2d_backward_weight(dw_want, l.dy, l.x, 0, shape);
        cnn_conv_backward(dx, dw, NULL, l.dy, l.x, l.w, floats_filled(l.taps * l.places, NAN), s);
        assert_near(dx, floats_wide(dx_want, l.x_size), SHAPE(s.B, s.C, s.H, s.W), .name = "dx",
                    SUM_TOLERANCE, .formula = "dx as by the kernel table");
        assert_near(dw, floats_wide(dw_want, l.w_size), SHAPE(s.O, s.C, s.K, s.K), .name = "dw",
                    SUM_TOLERANCE, .formula = "dw as by the kernel table");
    }
}

CASE(conv_backward__does_not_modify_its_inputs)
{
    Layer l = layer_new(conv_shapes[2], 141), before = layer_new(conv_shapes[2], 141);
    cnn_conv_backward(floats_filled(l.x_size, 0), floats_filled(l.w_size, 0),
                      floats_filled((size_t)l.s.O, 0), l.dy, l.x, l.w,
                      floats_filled(l.taps * l.places, NAN), l.s);
    assert_kept("dy", l.dy, before.dy, l.y_size);
    assert_kept("x", l.x, before.x, l.x_size);
    assert_kept("w", l.w, before.w, l.w_size);
}

CASE(conv_backward__takes_the_same_arrays_again_with_other_contents)
{
    Layer one = layer_new(conv_shapes[1], 142), other = layer_new(conv_shapes[3], 143);
    assert_conv_backward(one, 0, true, true);
    layer_scale(one, 2);
    assert_conv_backward(one, 0, true, true);
    assert_conv_backward(other, 0, true, true);
    assert_conv_backward(one, 0, true, true);
}

CASE(conv_backward__handles_large_numbers)
{
    Layer l = layer_new(conv_shapes[1], 144);
    for (size_t i = 0; i < l.x_size; i++) l.x[i] = 1e15f * (0.1f + fabsf(l.x[i]));
    for (size_t i = 0; i < l.w_size; i++) l.w[i] = 1e15f * (0.1f + fabsf(l.w[i]));
    for (size_t i = 0; i < l.y_size; i++) l.dy[i] = 1e15f * (0.1f + fabsf(l.dy[i]));
    assert_conv_backward(l, 0, true, true);
}

CASE(conv_backward__propagates_nan)
{
    for (int where = 0; where < 3; where++) {
        Layer l = layer_new(conv_shapes[0], 145);
        for (size_t i = 0; i < l.y_size; i += 2) l.dy[i] = 0;
        if (where == 0) l.dy[21] = NAN;
        if (where == 1) l.x[37] = NAN;
        if (where == 2) l.w[30] = NAN;
        assert_conv_backward(l, 0, true, true);
    }
}

const struct CMUnitTest conv_backward_cases[] = {
    cmocka_unit_test(col2im__matches_an_example_computed_by_hand),
    cmocka_unit_test(col2im__adds_every_element_to_the_pixel_it_came_from),
    cmocka_unit_test(col2im__accumulates_into_dimage),
    cmocka_unit_test(col2im__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(col2im__drops_the_padding_and_propagates_nan),
    cmocka_unit_test(conv_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(conv_backward__matches_plain_loops_in_double),
    cmocka_unit_test(conv_backward__accumulates_into_dx_dw_and_dbias),
    cmocka_unit_test(conv_backward__skips_dx_and_dbias_when_they_are_null),
    cmocka_unit_test(conv_backward__matches_finite_differences),
    cmocka_unit_test(conv_backward__agrees_with_the_kernel_table),
    cmocka_unit_test(conv_backward__does_not_modify_its_inputs),
    cmocka_unit_test(conv_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(conv_backward__handles_large_numbers),
    cmocka_unit_test(conv_backward__propagates_nan),
    {0},
};
