/* Exercises 1 and 2: the linear layer. check.c says how cases are made. */
#include "labs/2_core/autoencoder/check.h"
#include <math.h>
#include "labs/2_core/autoencoder/autoencoder.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 1 and 2: the linear layer ----

typedef struct Layer {
    int B, I, O;
    size_t x_size, w_size, y_size;
    float *x, *w, *bias, *dy;    // [B,I] [O,I] [O] [B,O]
} Layer;

static Layer layer_new(int B, int I, int O, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Layer layer = {.B = B, .I = I, .O = O};
    layer.x_size = (size_t)(B * I), layer.w_size = (size_t)(O * I), layer.y_size = (size_t)(B * O);
    layer.x = floats_normal(&rng, layer.x_size);
    layer.w = floats_normal(&rng, layer.w_size);
    layer.bias = floats_normal(&rng, (size_t)O);
    layer.dy = floats_normal(&rng, layer.y_size);
    return layer;
}

// Other contents in the same memory.
static void layer_scale(Layer layer, float factor)
{
    for (size_t i = 0; i < layer.x_size; i++) layer.x[i] *= factor;
    for (size_t i = 0; i < layer.w_size; i++) layer.w[i] *= -factor;
    for (int o = 0; o < layer.O; o++) layer.bias[o] *= factor * factor;
    for (size_t i = 0; i < layer.y_size; i++) layer.dy[i] *= factor;
}

static void assert_linear_forward(Layer layer)
{
    int B = layer.B, I = layer.I, O = layer.O;
    float *y = floats_filled(layer.y_size, 7), *before = floats_copy(y, layer.y_size);
    double *want = doubles_zero(layer.y_size);
    for (int b = 0; b < B; b++)
        for (int o = 0; o < O; o++) {
            double sum = (double)layer.bias[o];
            for (int i = 0; i < I; i++)
                sum += (double)layer.x[b * I + i] * (double)layer.w[o * I + i];
            want[b * O + o] = sum;
        }
    ae_linear_forward(y, layer.x, layer.w, layer.bias, B, I, O);
    assert_near(y, want, SHAPE(B, O), .name = "y", .replaces = before, SUM_TOLERANCE,
                .formula = "y[b,o] = bias[o] + sum_i x[b,i] w[o,i]");
}

static void check_linear_forward(int B, int I, int O, uint64_t seed)
{
    assert_linear_forward(layer_new(B, I, O, seed));
}

static void linear_forward__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    const float *x = FLOATS(1, 2), *w = FLOATS(3, 4, 5, 6, 7, 8), *bias = FLOATS(0.5f, -1, 0);
    float *y = floats_filled(3, NAN);
    ae_linear_forward(y, x, w, bias, 1, 2, 3);
    assert_near(y, ((double[]){11.5, 16, 23}), SHAPE(1, 3), .name = "y",
                .formula = "y[b,o] = bias[o] + sum_i x[b,i] w[o,i]");
}

static void linear_forward__matches_plain_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) check_linear_forward(3, 4, 5, seed);
}

static void linear_forward__handles_wide_and_tall_weights(void **state)
{
    (void)state;
    check_linear_forward(2, 9, 2, 3);
    check_linear_forward(2, 2, 9, 4);
}

static void linear_forward__handles_batch_1_one_input_and_one_output(void **state)
{
    (void)state;
    check_linear_forward(1, 4, 3, 5);
    check_linear_forward(4, 1, 3, 6);
    check_linear_forward(4, 3, 1, 7);
    check_linear_forward(1, 1, 1, 8);
}

static void linear_forward__handles_sizes_that_no_tile_divides(void **state)
{
    (void)state;
    check_linear_forward(67, 129, 35, 9);
}

static void linear_forward__adds_the_bias_to_every_row(void **state)
{
    (void)state;
    Layer layer = layer_new(3, 2, 4, 10);
    float *y = floats_filled(12, NAN), *x = floats_filled(6, 0);
    double want[12];
    for (int i = 0; i < 12; i++) want[i] = (double)layer.bias[i % 4];
    ae_linear_forward(y, x, layer.w, layer.bias, 3, 2, 4);
    assert_near(y, want, SHAPE(3, 4), .name = "y", .formula = "for x = 0:  y[b,o] = bias[o]");
}

static void linear_forward__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Layer layer = layer_new(3, 4, 5, 11), before = layer_new(3, 4, 5, 11);
    ae_linear_forward(floats_filled(15, 0), layer.x, layer.w, layer.bias, 3, 4, 5);
    assert_kept("x", layer.x, before.x, layer.x_size);
    assert_kept("w", layer.w, before.w, layer.w_size);
    assert_kept("bias", layer.bias, before.bias, 5);
}

// Starts from `held` in all gradients. With dx or without.
static void assert_linear_backward(Layer l, float held, bool with_dx)
{
    int B = l.B, I = l.I, O = l.O;
    float *dx = floats_filled(l.x_size, held), *dw = floats_filled(l.w_size, held),
          *dbias = floats_filled((size_t)O, held);
    float *dx_before = floats_copy(dx, l.x_size), *dw_before = floats_copy(dw, l.w_size);
    float *dbias_before = floats_copy(dbias, (size_t)O);
    double *dx_want = floats_wide(dx, l.x_size), *dw_want = floats_wide(dw, l.w_size);
    double *dbias_want = floats_wide(dbias, (size_t)O);
    for (int b = 0; b < B; b++)
        for (int o = 0; o < O; o++) {
            double dy = (double)l.dy[b * O + o];
            for (int i = 0; i < I; i++) {
                dx_want[b * I + i] += dy * (double)l.w[o * I + i];
                dw_want[o * I + i] += dy * (double)l.x[b * I + i];
            }
            dbias_want[o] += dy;
        }
    ae_linear_backward(with_dx ? dx : NULL, dw, dbias, l.dy, l.x, l.w, B, I, O);
    assert_near(dw, dw_want, SHAPE(O, I), .name = "dw", .added_to = dw_before, .batch = B,
                SUM_TOLERANCE, .formula = "dw[o,i] += sum_b dy[b,o] x[b,i]");
    assert_near(dbias, dbias_want, SHAPE(O), .name = "dbias", .added_to = dbias_before, .batch = B,
                SUM_TOLERANCE, .formula = "dbias[o] += sum_b dy[b,o]");
    if (with_dx)
        assert_near(dx, dx_want, SHAPE(B, I), .name = "dx", .added_to = dx_before, .batch = B,
                    SUM_TOLERANCE, .formula = "dx[b,i] += sum_o dy[b,o] w[o,i]");
}

static void check_linear_backward(int B, int I, int O, uint64_t seed, float held, bool with_dx)
{
    assert_linear_backward(layer_new(B, I, O, seed), held, with_dx);
}

static void linear_backward__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    const float *x = FLOATS(1, 2), *w = FLOATS(3, 4, 5, 6, 7, 8), *dy = FLOATS(1, 0, -1);
    float *dx = floats_filled(2, 0), *dw = floats_filled(6, 0), *dbias = floats_filled(3, 0);
    ae_linear_backward(dx, dw, dbias, dy, x, w, 1, 2, 3);
    assert_near(dx, ((double[]){-4, -4}), SHAPE(1, 2), .name = "dx",
                .formula = "dx[b,i] += sum_o dy[b,o] w[o,i]");
    assert_near(dw, ((double[]){1, 2, 0, 0, -1, -2}), SHAPE(3, 2), .name = "dw",
                .formula = "dw[o,i] += sum_b dy[b,o] x[b,i]");
    assert_near(dbias, ((double[]){1, 0, -1}), SHAPE(3), .name = "dbias",
                .formula = "dbias[o] += sum_b dy[b,o]");
}

static void linear_backward__matches_plain_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 22; seed++) check_linear_backward(3, 4, 5, seed, 0, true);
}

static void linear_backward__accumulates_into_dx_dw_and_dbias(void **state)
{
    (void)state;
    check_linear_backward(3, 4, 5, 23, 7, true);
}

static void linear_backward__skips_dx_when_it_is_null(void **state)
{
    (void)state;
    check_linear_backward(3, 4, 5, 24, 0, false);
}

static void linear_backward__handles_batch_1_one_input_and_one_output(void **state)
{
    (void)state;
    check_linear_backward(1, 4, 3, 25, 0, true);
    check_linear_backward(4, 1, 3, 26, 0, true);
    check_linear_backward(4, 3, 1, 27, 0, true);
    check_linear_backward(1, 1, 1, 28, 0, true);
    check_linear_backward(1, 4, 3, 29, 2, true);    // accumulates here too
}

static void linear_backward__handles_sizes_that_no_tile_divides(void **state)
{
    (void)state;
    check_linear_backward(67, 129, 35, 29, 1, true);
}

typedef struct WideLayer {
    int B, I, O;
    double *x, *w, *bias, *dy;
} WideLayer;

// Any function of y with the gradient dy will do: sum dy y is the simplest.
static double linear_score(const void *argument)
{
    const WideLayer *l = argument;
    double sum = 0;
    for (int b = 0; b < l->B; b++)
        for (int o = 0; o < l->O; o++) {
            double y = l->bias[o];
            for (int i = 0; i < l->I; i++) y += l->x[b * l->I + i] * l->w[o * l->I + i];
            sum += l->dy[b * l->O + o] * y;
        }
    return sum;
}

static void linear_backward__matches_finite_differences(void **state)
{
    (void)state;
    Layer l = layer_new(3, 5, 2, 30);
    WideLayer wide = {3,
                      5,
                      2,
                      floats_wide(l.x, l.x_size),
                      floats_wide(l.w, l.w_size),
                      floats_wide(l.bias, 2),
                      floats_wide(l.dy, l.y_size)};
    float *dx = floats_filled(15, 0), *dw = floats_filled(10, 0), *dbias = floats_filled(2, 0);
    ae_linear_backward(dx, dw, dbias, l.dy, l.x, l.w, 3, 5, 2);
    assert_near(dx, slopes(linear_score, &wide, wide.x, 15), SHAPE(3, 5), .name = "dx",
                .formula = "dx = d sum(dy y) / dx");
    assert_near(dw, slopes(linear_score, &wide, wide.w, 10), SHAPE(2, 5), .name = "dw",
                .formula = "dw = d sum(dy y) / dw");
    assert_near(dbias, slopes(linear_score, &wide, wide.bias, 2), SHAPE(2), .name = "dbias",
                .formula = "dbias = d sum(dy y) / dbias");
}

static void linear_backward__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Layer l = layer_new(3, 4, 5, 31), before = layer_new(3, 4, 5, 31);
    ae_linear_backward(floats_filled(12, 0), floats_filled(20, 0), floats_filled(5, 0), l.dy, l.x,
                       l.w, 3, 4, 5);
    assert_kept("dy", l.dy, before.dy, l.y_size);
    assert_kept("x", l.x, before.x, l.x_size);
    assert_kept("w", l.w, before.w, l.w_size);
}

CASE(linear_forward__takes_the_same_arrays_again_with_other_contents)
{
    Layer one = layer_new(3, 4, 5, 12), other = layer_new(3, 4, 5, 13);
    assert_linear_forward(one);
    layer_scale(one, 2);
    assert_linear_forward(one);
    assert_linear_forward(other);
    assert_linear_forward(one);
}

CASE(linear_forward__handles_large_and_small_numbers)
{
    Layer large = layer_new(3, 4, 5, 14), small = layer_new(3, 4, 5, 15);
    layer_scale(large, 1e6f);
    large.bias[0] = 0;    // so that the sums are seen beside it
    assert_linear_forward(large);
    layer_scale(small, 1e-1f);
    assert_linear_forward(small);
}

CASE(linear_forward__propagates_nan)
{
    Layer l = layer_new(3, 4, 5, 16);
    for (int o = 0; o < 5; o++) l.w[o * 4 + 1] = 0;
    l.x[1 * 4 + 1] = NAN;    // row 1
    l.w[2 * 4 + 3] = NAN;    // output 2
    for (int b = 0; b < 3; b++) l.x[b * 4 + 3] = 0;
    assert_linear_forward(l);
}

CASE(linear_backward__takes_the_same_arrays_again_with_other_contents)
{
    Layer one = layer_new(3, 4, 5, 32), other = layer_new(3, 4, 5, 33);
    assert_linear_backward(one, 0, true);
    layer_scale(one, 2);
    assert_linear_backward(one, 0, true);
    assert_linear_backward(other, 0, true);
    assert_linear_backward(one, 0, true);
}

CASE(linear_backward__handles_large_numbers)
{
    Layer l = layer_new(3, 4, 5, 34);
    layer_scale(l, 1e6f);
    assert_linear_backward(l, 0, true);
}

CASE(linear_backward__propagates_nan)
{
    for (int where = 0; where < 3; where++) {
        Layer l = layer_new(3, 4, 5, 35);
        for (int o = 0; o < 5; o++) l.dy[1 * 5 + o] = 0;    // row 1
        if (where == 0) l.dy[1 * 5 + 2] = NAN;
        if (where == 1) l.x[1 * 4 + 2] = NAN;
        if (where == 2) l.w[3 * 4 + 1] = NAN;
        assert_linear_backward(l, 0, true);
    }
}

const struct CMUnitTest layer_cases[] = {
    cmocka_unit_test(linear_forward__matches_an_example_computed_by_hand),
    cmocka_unit_test(linear_forward__matches_plain_loops),
    cmocka_unit_test(linear_forward__handles_wide_and_tall_weights),
    cmocka_unit_test(linear_forward__handles_batch_1_one_input_and_one_output),
    cmocka_unit_test(linear_forward__handles_sizes_that_no_tile_divides),
    cmocka_unit_test(linear_forward__adds_the_bias_to_every_row),
    cmocka_unit_test(linear_forward__does_not_modify_its_inputs),
    cmocka_unit_test(linear_forward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(linear_forward__handles_large_and_small_numbers),
    cmocka_unit_test(linear_forward__propagates_nan),
    cmocka_unit_test(linear_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(linear_backward__matches_plain_loops),
    cmocka_unit_test(linear_backward__accumulates_into_dx_dw_and_dbias),
    cmocka_unit_test(linear_backward__skips_dx_when_it_is_null),
    cmocka_unit_test(linear_backward__handles_batch_1_one_input_and_one_output),
    cmocka_unit_test(linear_backward__handles_sizes_that_no_tile_divides),
    cmocka_unit_test(linear_backward__matches_finite_differences),
    cmocka_unit_test(linear_backward__does_not_modify_its_inputs),
    cmocka_unit_test(linear_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(linear_backward__handles_large_numbers),
    cmocka_unit_test(linear_backward__propagates_nan),
    {0},
};
