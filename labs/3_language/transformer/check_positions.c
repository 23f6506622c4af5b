/* Exercises 12 and 13: positions without a table of parameters. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char table_formula[] =
    "table[t,2i] = sin(t / 10000^(2i/C)), table[t,2i+1] = cos(t / 10000^(2i/C))";

// ---- 12: sinusoidal positions ----

// The angle by exp and log, and not by pow.
static void assert_sinusoidal(float *table, int T, int C)
{
    size_t n = (size_t)(T * C);
    double *want = doubles_zero(n);
    float *before = floats_copy(table, n);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < C; c++) {
            double angle = t * exp(-log(10000) * (c / 2 * 2) / C);
            want[t * C + c] = c % 2 == 0 ? sin(angle) : cos(angle);
        }
    tf_sinusoidal(table, T, C);
    assert_near(table, want, SHAPE(T, C), .name = "table", .replaces = before, .atol = 2e-7,
                .formula = table_formula);
}

CASE(sinusoidal__matches_values_computed_by_hand)
{
    // C 4: angles t and t / 100
    float *table = floats_filled(12, NAN);
    tf_sinusoidal(table, 3, 4);
    assert_near(table,
                ((double[]){0, 1, 0, 1, 0.841470985, 0.540302306, 0.00999983333, 0.999950000,
                            0.909297427, -0.416146837, 0.0199986667, 0.999800007}),
                SHAPE(3, 4), .name = "table", .atol = 1e-7, .formula = table_formula);
}

CASE(sinusoidal__matches_the_formula_in_double)
{
    const int shapes[][2] = {{1, 2}, {2, 2}, {5, 6}, {6, 10}, {33, 64}, {3, 130}};
    for (int i = 0; i < 6; i++)
        assert_sinusoidal(floats_filled((size_t)(shapes[i][0] * shapes[i][1]), 7), shapes[i][0],
                          shapes[i][1]);
}

CASE(sinusoidal__keeps_its_digits_at_large_positions)
{
    assert_sinusoidal(floats_filled(20011 * 6, 7), 20011, 6);
}

CASE(sinusoidal__turns_by_the_same_angle_for_the_same_distance)
{
    // sin(a + b) = sin a cos b + cos a sin b, at the distance 4
    float *table = floats_filled(40, NAN);
    tf_sinusoidal(table, 10, 4);
    for (int i = 0; i < 4; i += 2) {
        const float *a = table + 20 + i, *b = table + 16 + i, *sum = table + 36 + i;
        assert_number((double)sum[0], (double)a[0] * (double)b[1] + (double)a[1] * (double)b[0],
                      .name = "sin of position 9", .atol = 3e-7, .formula = table_formula);
    }
}

CASE(sinusoidal__overwrites_the_same_table_for_another_shape)
{
    float *table = floats_filled(24, 7);
    assert_sinusoidal(table, 6, 4);
    assert_sinusoidal(table, 4, 6);
    for (int i = 0; i < 24; i++) table[i] = -3;
    assert_sinusoidal(table, 12, 2);
    assert_sinusoidal(table, 4, 6);
}

// ---- 13: RoPE ----

static const char rope_formula[] =
    "(x, x') -> (x cos a - x' sin a, x sin a + x' cos a), a = positions[t] / theta^(2i/D)";

static const TfRope rope_shapes[] = {
    // T, H, D, row, theta
    {1, 1, 2, 2, 10000, 0},     {3, 2, 4, 8, 10000, 0},   {4, 3, 6, 25, 500, 0},
    {2, 1, 8, 8, 1e6f, 0},      {7, 2, 10, 60, 10000, 0}, {33, 5, 64, 321, 10000, 0},
    {3, 1, 134, 137, 10000, 0},
};
enum { ROPE_SHAPES = sizeof rope_shapes / sizeof *rope_shapes };

static size_t rope_size(TfRope s)
{
    return (size_t)((s.T - 1) * s.row + s.H * s.D);
}

static int *counted(int T, int first, int step)
{
    int *positions = ints_filled((size_t)T, 0);
    for (int t = 0; t < T; t++) positions[t] = first + step * t;
    return positions;
}

static void want_rope(double *x, const int *positions, TfRope s)
{
    for (int t = 0; t < s.T; t++)
        for (int h = 0; h < s.H; h++)
            for (int i = 0; i < s.D / 2; i++) {
                double *head = x + t * s.row + h * s.D;
                double *a = head + (s.layout == TF_INTERLEAVED ? 2 * i : i);
                double *b = head + (s.layout == TF_INTERLEAVED ? 2 * i + 1 : i + s.D / 2);
                double angle = positions[t] * exp(-log((double)s.theta) * 2 * i / s.D);
                double x0 = *a, x1 = *b;
                *a = x0 * cos(angle) - x1 * sin(angle);
                *b = x0 * sin(angle) + x1 * cos(angle);
            }
}

// Both layouts.
static void assert_rope(const float *x, const int *positions, TfRope s)
{
    size_t n = rope_size(s);
    int *kept = ints_copy(positions, (size_t)s.T);
    for (int layout = TF_INTERLEAVED; layout <= TF_HALVES; layout++) {
        float *turned = floats_copy(x, n);
        double *want = floats_wide(x, n);
        s.layout = (TfLayout)layout;
        want_rope(want, positions, s);
        tf_rope(turned, positions, s);
        assert_near(turned, want, SHAPE((int)n), .formula = rope_formula, .atol = 2e-6,
                    .rtol = 2e-6, .name = layout == TF_HALVES ? "x, halves" : "x, interleaved");
        for (int t = 0; t < s.T; t++)
            if (positions[t] != kept[t]) fail_msg("positions[%d] was changed", t);
    }
}

static float *rope_rows(TfRope s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    return floats_normal(&rng, rope_size(s));
}

CASE(rope__matches_complex_multiplication_by_pytorch)
{
    // view_as_complex(x) * polar(1, positions / 10000^(2i/4)), positions 0, 1, 5
    float *x = waves(12, 0, 1, 0);
    tf_rope(x, INTS(0, 1, 5), (TfRope){3, 1, 4, 4, 10000, TF_INTERLEAVED});
    assert_near(
        x,
        ((double[]){0, 0.841470985, 0.909297427, 0.141120008, 0.39800482, -1.15493634, -0.285971284,
                    0.654159641, 0.675833942, -0.831817209, -0.493362546, -1.0259302}),
        SHAPE(3, 4), .name = "x, interleaved", .atol = 1e-6, .formula = rope_formula);
}

CASE(rope__matches_the_halves_of_hugging_face)
{
    // apply_rotary_pos_emb of transformers' LLaMA, whose cosines are floats
    float *x = waves(12, 0, 1, 0);
    tf_rope(x, INTS(0, 1, 5), (TfRope){3, 1, 4, 4, 10000, TF_HALVES});
    assert_near(x,
                ((double[]){0, 0.841470985, 0.909297427, 0.141120008, -0.17378213, -0.965446077,
                            -0.787796166, 0.647364661, -0.241031523, 0.461582124, -1.10303788,
                            -0.97814315}),
                SHAPE(3, 4), .name = "x, halves", .atol = 1e-6, .formula = rope_formula);
}

CASE(rope__matches_the_formula_in_double_and_leaves_the_rest_of_a_row)
{
    for (int i = 0; i < ROPE_SHAPES; i++) {
        TfRope s = rope_shapes[i];
        assert_rope(rope_rows(s, 600 + (uint64_t)i), counted(s.T, 0, 1), s);
        assert_rope(rope_rows(s, 610 + (uint64_t)i), counted(s.T, 17, 3), s);
    }
}

CASE(rope__turns_back_at_negative_positions)
{
    for (int i = 0; i < ROPE_SHAPES; i++) {
        TfRope s = rope_shapes[i];
        assert_rope(rope_rows(s, 620 + (uint64_t)i), counted(s.T, -1, -2), s);
    }
}

CASE(rope__makes_a_dot_product_depend_on_the_distance_alone)
{
    for (int layout = TF_INTERLEAVED; layout <= TF_HALVES; layout++) {
        double dots[2];
        for (int i = 0; i < 2; i++) {
            Rng rng = rng_from_seed(630);
            float *x = floats_normal(&rng, 16);    // a query and a key of 8
            tf_rope(x, INTS(9 + 100 * i, 4 + 100 * i), (TfRope){2, 1, 8, 8, 100, (TfLayout)layout});
            dots[i] = 0;
            for (int d = 0; d < 8; d++) dots[i] += (double)x[d] * (double)x[8 + d];
        }
        assert_number(dots[1], dots[0], .name = "q . k, 100 tokens later", .atol = 3e-6,
                      .formula = rope_formula);
    }
}

CASE(rope__keeps_its_digits_at_large_positions)
{
    TfRope s = {3, 1, 6, 6, 10000, 0};
    assert_rope(rope_rows(s, 640), INTS(131071, 1000003, 20011), s);
}

CASE(rope__propagates_nan_within_its_pair_and_takes_large_numbers)
{
    TfRope s = {2, 1, 6, 6, 10000, 0};
    float *x = rope_rows(s, 641);
    x[2] = NAN, x[6] = 1e30f, x[9] = -1e30f, x[7] = 1e-30f;
    assert_rope(x, INTS(2, 3), s);
}

CASE(rope__takes_the_same_arrays_again_with_other_contents)
{
    TfRope s = {3, 2, 4, 9, 10000, TF_HALVES};
    float *x = rope_rows(s, 642);
    int *positions = counted(3, 0, 1);
    for (int i = 0; i < 3; i++) {
        double *want = floats_wide(x, rope_size(s));
        want_rope(want, positions, s);
        tf_rope(x, positions, s);
        assert_near(x, want, SHAPE((int)rope_size(s)), .name = "x", .formula = rope_formula);
        positions[1] += 5;
        s.theta = 100;
    }
    assert_rope(x, positions, s);
}

const struct CMUnitTest position_cases[] = {
    cmocka_unit_test(sinusoidal__matches_values_computed_by_hand),
    cmocka_unit_test(sinusoidal__matches_the_formula_in_double),
    cmocka_unit_test(sinusoidal__keeps_its_digits_at_large_positions),
    cmocka_unit_test(sinusoidal__turns_by_the_same_angle_for_the_same_distance),
    cmocka_unit_test(sinusoidal__overwrites_the_same_table_for_another_shape),
    cmocka_unit_test(rope__matches_complex_multiplication_by_pytorch),
    cmocka_unit_test(rope__matches_the_halves_of_hugging_face),
    cmocka_unit_test(rope__matches_the_formula_in_double_and_leaves_the_rest_of_a_row),
    cmocka_unit_test(rope__turns_back_at_negative_positions),
    cmocka_unit_test(rope__makes_a_dot_product_depend_on_the_distance_alone),
    cmocka_unit_test(rope__keeps_its_digits_at_large_positions),
    cmocka_unit_test(rope__propagates_nan_within_its_pair_and_takes_large_numbers),
    cmocka_unit_test(rope__takes_the_same_arrays_again_with_other_contents),
    {0},
};
