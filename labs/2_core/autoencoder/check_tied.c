/* Exercises 5 and 6: the decoder that shares the encoder's weight. check.c says how cases are made. */
#include "labs/2_core/autoencoder/check.h"
#include <math.h>
#include "labs/2_core/autoencoder/autoencoder.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 5 and 6: the tied decoder ----

typedef struct Tied {
    int B, I, O;
    size_t h_size, w_size, y_size;
    float *h, *w, *bias, *dy;    // [B,O] [O,I] [I] [B,I]
} Tied;

static Tied tied_new(int B, int I, int O, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Tied tied = {.B = B, .I = I, .O = O};
    tied.h_size = (size_t)(B * O), tied.w_size = (size_t)(O * I), tied.y_size = (size_t)(B * I);
    tied.h = floats_normal(&rng, tied.h_size);
    tied.w = floats_normal(&rng, tied.w_size);
    tied.bias = floats_normal(&rng, (size_t)I);
    tied.dy = floats_normal(&rng, tied.y_size);
    return tied;
}

// Other contents in the same memory.
static void tied_scale(Tied tied, float factor)
{
    for (size_t i = 0; i < tied.h_size; i++) tied.h[i] *= factor;
    for (size_t i = 0; i < tied.w_size; i++) tied.w[i] *= -factor;
    for (int i = 0; i < tied.I; i++) tied.bias[i] *= factor * factor;
    for (size_t i = 0; i < tied.y_size; i++) tied.dy[i] *= factor;
}

static void assert_tied_forward(Tied t)
{
    int B = t.B, I = t.I, O = t.O;
    float *y = floats_filled(t.y_size, 7), *before = floats_copy(y, t.y_size);
    double *want = doubles_zero(t.y_size);
    for (int b = 0; b < B; b++)
        for (int i = 0; i < I; i++) {
            double sum = (double)t.bias[i];
            for (int o = 0; o < O; o++) sum += (double)t.h[b * O + o] * (double)t.w[o * I + i];
            want[b * I + i] = sum;
        }
    ae_tied_forward(y, t.h, t.w, t.bias, B, I, O);
    assert_near(y, want, SHAPE(B, I), .name = "y", .replaces = before, SUM_TOLERANCE,
                .formula = "y[b,i] = bias[i] + sum_o h[b,o] w[o,i]");
}

static void check_tied_forward(int B, int I, int O, uint64_t seed)
{
    assert_tied_forward(tied_new(B, I, O, seed));
}

static void tied_forward__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    const float *h = FLOATS(1, 0, -1), *w = FLOATS(3, 4, 5, 6, 7, 9), *bias = FLOATS(0.5f, 1);
    float *y = floats_filled(2, NAN);
    ae_tied_forward(y, h, w, bias, 1, 2, 3);
    assert_near(y, ((double[]){-3.5, -4}), SHAPE(1, 2), .name = "y",
                .formula = "y[b,i] = bias[i] + sum_o h[b,o] w[o,i]");
}

static void tied_forward__matches_plain_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 61; seed <= 62; seed++) check_tied_forward(3, 4, 5, seed);
}

static void tied_forward__does_not_transpose_a_square_weight(void **state)
{
    (void)state;
    check_tied_forward(3, 4, 4, 63);
}

static void tied_forward__handles_batch_1_one_input_and_one_output(void **state)
{
    (void)state;
    check_tied_forward(1, 4, 3, 64);
    check_tied_forward(4, 1, 3, 65);
    check_tied_forward(4, 3, 1, 66);
    check_tied_forward(1, 1, 1, 67);
}

static void tied_forward__handles_sizes_that_no_tile_divides(void **state)
{
    (void)state;
    check_tied_forward(67, 129, 35, 68);
}

static void tied_forward__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Tied t = tied_new(3, 4, 5, 69), before = tied_new(3, 4, 5, 69);
    ae_tied_forward(floats_filled(12, 0), t.h, t.w, t.bias, 3, 4, 5);
    assert_kept("h", t.h, before.h, t.h_size);
    assert_kept("w", t.w, before.w, t.w_size);
    assert_kept("bias", t.bias, before.bias, 4);
}

static void assert_tied_backward(Tied t, float held)
{
    int B = t.B, I = t.I, O = t.O;
    float *dh = floats_filled(t.h_size, held), *dw = floats_filled(t.w_size, held),
          *dbias = floats_filled((size_t)I, held);
    float *dh_before = floats_copy(dh, t.h_size), *dw_before = floats_copy(dw, t.w_size);
    float *dbias_before = floats_copy(dbias, (size_t)I);
    double *dh_want = floats_wide(dh, t.h_size), *dw_want = floats_wide(dw, t.w_size);
    double *dbias_want = floats_wide(dbias, (size_t)I);
    for (int b = 0; b < B; b++)
        for (int i = 0; i < I; i++) {
            double dy = (double)t.dy[b * I + i];
            for (int o = 0; o < O; o++) {
                dh_want[b * O + o] += dy * (double)t.w[o * I + i];
                dw_want[o * I + i] += dy * (double)t.h[b * O + o];
            }
            dbias_want[i] += dy;
        }
    ae_tied_backward(dh, dw, dbias, t.dy, t.h, t.w, B, I, O);
    assert_near(dw, dw_want, SHAPE(O, I), .name = "dw", .added_to = dw_before, .batch = B,
                SUM_TOLERANCE, .formula = "dw[o,i] += sum_b h[b,o] dy[b,i]");
    assert_near(dbias, dbias_want, SHAPE(I), .name = "dbias", .added_to = dbias_before, .batch = B,
                SUM_TOLERANCE, .formula = "dbias[i] += sum_b dy[b,i]");
    assert_near(dh, dh_want, SHAPE(B, O), .name = "dh", .added_to = dh_before, .batch = B,
                SUM_TOLERANCE, .formula = "dh[b,o] += sum_i dy[b,i] w[o,i]");
}

static void check_tied_backward(int B, int I, int O, uint64_t seed, float held)
{
    assert_tied_backward(tied_new(B, I, O, seed), held);
}

static void tied_backward__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    const float *h = FLOATS(1, 0, -1), *w = FLOATS(3, 4, 5, 6, 7, 9), *dy = FLOATS(1, 2);
    float *dh = floats_filled(3, 0), *dw = floats_filled(6, 0), *dbias = floats_filled(2, 0);
    ae_tied_backward(dh, dw, dbias, dy, h, w, 1, 2, 3);
    assert_near(dh, ((double[]){11, 17, 25}), SHAPE(1, 3), .name = "dh",
                .formula = "dh[b,o] += sum_i dy[b,i] w[o,i]");
    assert_near(dw, ((double[]){1, 2, 0, 0, -1, -2}), SHAPE(3, 2), .name = "dw",
                .formula = "dw[o,i] += sum_b h[b,o] dy[b,i]");
    assert_near(dbias, ((double[]){1, 2}), SHAPE(2), .name = "dbias",
                .formula = "dbias[i] += sum_b dy[b,i]");
}

static void tied_backward__matches_plain_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 71; seed <= 72; seed++) check_tied_backward(3, 4, 5, seed, 0);
}

static void tied_backward__does_not_transpose_a_square_weight(void **state)
{
    (void)state;
    check_tied_backward(3, 4, 4, 73, 0);
}

static void tied_backward__accumulates_into_the_dw_of_the_encoder(void **state)
{
    (void)state;
    check_tied_backward(3, 4, 5, 74, 7);
}

static void tied_backward__handles_batch_1_one_input_and_one_output(void **state)
{
    (void)state;
    check_tied_backward(1, 4, 3, 75, 0);
    check_tied_backward(4, 1, 3, 76, 0);
    check_tied_backward(4, 3, 1, 77, 0);
    check_tied_backward(1, 1, 1, 78, 0);
    check_tied_backward(1, 4, 3, 79, 2);    // accumulates here too
}

static void tied_backward__handles_sizes_that_no_tile_divides(void **state)
{
    (void)state;
    check_tied_backward(67, 129, 35, 79, 1);
}

typedef struct WideTied {
    int B, I, O;
    double *h, *w, *bias, *dy;
} WideTied;

static double tied_score(const void *argument)
{
    const WideTied *t = argument;    // x is h [B,O], y and dy are [B,I]
    double sum = 0;
    for (int b = 0; b < t->B; b++)
        for (int i = 0; i < t->I; i++) {
            double y = t->bias[i];
            for (int o = 0; o < t->O; o++) y += t->h[b * t->O + o] * t->w[o * t->I + i];
            sum += t->dy[b * t->I + i] * y;
        }
    return sum;
}

static void tied_backward__matches_finite_differences(void **state)
{
    (void)state;
    Tied t = tied_new(3, 5, 2, 80);
    WideTied wide = {3,
                     5,
                     2,
                     floats_wide(t.h, t.h_size),
                     floats_wide(t.w, t.w_size),
                     floats_wide(t.bias, 5),
                     floats_wide(t.dy, t.y_size)};
    float *dh = floats_filled(6, 0), *dw = floats_filled(10, 0), *dbias = floats_filled(5, 0);
    ae_tied_backward(dh, dw, dbias, t.dy, t.h, t.w, 3, 5, 2);
    assert_near(dh, slopes(tied_score, &wide, wide.h, 6), SHAPE(3, 2), .name = "dh",
                .formula = "dh = d sum(dy y) / dh");
    assert_near(dw, slopes(tied_score, &wide, wide.w, 10), SHAPE(2, 5), .name = "dw",
                .formula = "dw = d sum(dy y) / dw");
    assert_near(dbias, slopes(tied_score, &wide, wide.bias, 5), SHAPE(5), .name = "dbias",
                .formula = "dbias = d sum(dy y) / dbias");
}

static void tied_backward__does_not_modify_its_inputs(void **state)
{
    (void)state;
    Tied t = tied_new(3, 4, 5, 81), before = tied_new(3, 4, 5, 81);
    ae_tied_backward(floats_filled(15, 0), floats_filled(20, 0), floats_filled(4, 0), t.dy, t.h,
                     t.w, 3, 4, 5);
    assert_kept("dy", t.dy, before.dy, t.y_size);
    assert_kept("h", t.h, before.h, t.h_size);
    assert_kept("w", t.w, before.w, t.w_size);
}

CASE(tied_forward__takes_the_same_arrays_again_with_other_contents)
{
    Tied one = tied_new(3, 4, 5, 70), other = tied_new(3, 4, 5, 71);
    assert_tied_forward(one);
    tied_scale(one, 2);
    assert_tied_forward(one);
    assert_tied_forward(other);
    assert_tied_forward(one);
}

CASE(tied_forward__handles_large_numbers)
{
    Tied t = tied_new(3, 4, 5, 72);
    tied_scale(t, 1e6f);
    t.bias[0] = 0;    // so that the sums are seen beside it
    assert_tied_forward(t);
}

CASE(tied_forward__propagates_nan)
{
    Tied t = tied_new(3, 4, 5, 73);
    for (int i = 0; i < 4; i++) t.w[2 * 4 + i] = 0;
    t.h[1 * 5 + 2] = NAN;    // row 1
    for (int b = 0; b < 3; b++) t.h[b * 5 + 4] = 0;
    t.w[4 * 4 + 3] = NAN;    // pixel 3
    assert_tied_forward(t);
}

CASE(tied_backward__takes_the_same_arrays_again_with_other_contents)
{
    Tied one = tied_new(3, 4, 5, 90), other = tied_new(3, 4, 5, 91);
    assert_tied_backward(one, 0);
    tied_scale(one, 2);
    assert_tied_backward(one, 0);
    assert_tied_backward(other, 0);
    assert_tied_backward(one, 0);
}

CASE(tied_backward__handles_large_numbers)
{
    Tied t = tied_new(3, 4, 5, 92);
    tied_scale(t, 1e6f);
    assert_tied_backward(t, 0);
}

CASE(tied_backward__propagates_nan)
{
    for (int where = 0; where < 4; where++) {
        Tied t = tied_new(3, 4, 5, 93);
        for (int i = 0; i < 4; i++) t.dy[1 * 4 + i] = 0;    // row 1
        for (int o = 0; o < 5 && where == 3; o++) t.h[1 * 5 + o] = 0;
        if (where == 3) t.dy[1 * 4 + 2] = NAN;
        if (where == 0) t.dy[1 * 4 + 2] = NAN;
        if (where == 1) t.h[1 * 5 + 2] = NAN;
        if (where == 2) t.w[3 * 4 + 1] = NAN;
        assert_tied_backward(t, 0);
    }
}

const struct CMUnitTest tied_cases[] = {
    cmocka_unit_test(tied_forward__matches_an_example_computed_by_hand),
    cmocka_unit_test(tied_forward__matches_plain_loops),
    cmocka_unit_test(tied_forward__does_not_transpose_a_square_weight),
    cmocka_unit_test(tied_forward__handles_batch_1_one_input_and_one_output),
    cmocka_unit_test(tied_forward__handles_sizes_that_no_tile_divides),
    cmocka_unit_test(tied_forward__does_not_modify_its_inputs),
    cmocka_unit_test(tied_forward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(tied_forward__handles_large_numbers),
    cmocka_unit_test(tied_forward__propagates_nan),
    cmocka_unit_test(tied_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(tied_backward__matches_plain_loops),
    cmocka_unit_test(tied_backward__does_not_transpose_a_square_weight),
    cmocka_unit_test(tied_backward__accumulates_into_the_dw_of_the_encoder),
    cmocka_unit_test(tied_backward__handles_batch_1_one_input_and_one_output),
    cmocka_unit_test(tied_backward__handles_sizes_that_no_tile_divides),
    cmocka_unit_test(tied_backward__matches_finite_differences),
    cmocka_unit_test(tied_backward__does_not_modify_its_inputs),
    cmocka_unit_test(tied_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(tied_backward__handles_large_numbers),
    cmocka_unit_test(tied_backward__propagates_nan),
    {0},
};
