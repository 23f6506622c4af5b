/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 * The wanted values come from a hand or from plain loops in double, never from transformer.c. A case calls
 * functions of its own exercise only.
 */
#include <math.h>
#include "transformer.h"
#include "tests/cases.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 1: standardize ----

// By the definition, in double.
static void expect_standardized(const float *x, size_t n)
{
    float *z = floats_filled(n, NAN);
    double *want = doubles_zero(n), mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++) mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++) variance += pow((double)x[i] - mean, 2) / (double)n;
    for (size_t i = 0; i < n; i++) want[i] = ((double)x[i] - mean) / sqrt(variance);
    transformer_standardize(z, x, n);
    assert_near(z, want, SHAPE((int)n), .name = "z", .formula = "z[i] = (x[i] - mean) / deviation");
}

static void standardize__gives_what_a_hand_computes(void **state)
{
    (void)state;
    float *x = FLOATS(2, 4, 4, 4, 5, 5, 7, 9), *z = floats_filled(8, NAN);    // mean 5, deviation 2
    transformer_standardize(z, x, 8);
    assert_near(z, ((double[]){-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2}), SHAPE(8), .name = "z",
                .formula = "z[i] = (x[i] - mean) / deviation");
}

static void standardize__of_any_count_follows_the_definition(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(1);
    for (size_t n = 2; n < 40; n++) expect_standardized(floats_normal(&rng, n), n);
    expect_standardized(floats_normal(&rng, 10007), 10007);
}

static void standardize__of_equal_numbers_is_zero(void **state)
{
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        float *z = floats_filled(n, NAN);
        transformer_standardize(z, floats_filled(n, 0.1f), n);
        assert_near(z, doubles_zero(n), SHAPE((int)n), .name = "z", .exact = true);
    }
}

static void standardize__keeps_its_digits_far_from_zero(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(2);
    float *x = floats_normal(&rng, 1001);
    for (int i = 0; i < 1001; i++) x[i] = 1e8f + 100 * x[i];
    expect_standardized(x, 1001);
}

static void standardize__takes_very_large_and_very_small_numbers(void **state)
{
    (void)state;
    expect_standardized(FLOATS(1e30f, -2e30f, 3e30f), 3);
    expect_standardized(FLOATS(1e-30f, -2e-30f, 3e-30f), 3);
}

static void standardize__may_overwrite_its_input(void **state)
{
    (void)state;
    float *x = FLOATS(2, 4, 4, 4, 5, 5, 7, 9);
    transformer_standardize(x, x, 8);
    assert_near(x, ((double[]){-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2}), SHAPE(8), .name = "z");
}

static void standardize__leaves_its_input_alone(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(3);
    float *x = floats_normal(&rng, 35), *before = floats_copy(x, 35);
    transformer_standardize(floats_filled(35, 0), x, 35);
    assert_kept("x", x, before, 35);
}

static void standardize__lets_a_nan_and_infinity_out(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        float *z = floats_filled(3, 0);
        transformer_standardize(z, FLOATS(1, bad[i], 2), 3);
        for (int j = 0; j < 3; j++)
            if (!isnan(z[j]))
                fail_msg("x[1] is %g, z[%d] is %g; expected nan", (double)bad[i], j, (double)z[j]);
    }
}

static void standardize__takes_the_same_array_again(void **state)
{
    (void)state;
    float *x = FLOATS(1, 3), *z = floats_filled(2, NAN);
    transformer_standardize(z, x, 2);
    x[0] = 7;    // mean 5, deviation 2
    transformer_standardize(z, x, 2);
    assert_near(z, ((double[]){1, -1}), SHAPE(2), .name = "z of the second call");
}

// ---- 2: accuracy ----

static void expect_accuracy(const float *scores, const int32_t *labels, size_t B, size_t C,
                            double want)
{
    float got = transformer_accuracy(scores, labels, B, C);
    assert_near(&got, &want, SHAPE(1), .name = "accuracy");
}

static void accuracy__counts_the_rows_whose_label_wins(void **state)
{
    (void)state;
    float *scores = FLOATS(3, 1, 2, /**/ -5, -1, -2, /**/ 0, 7, 8, /**/ 1, 2, 3, /**/ 9, 1, 1);
    expect_accuracy(scores, (int32_t[]){0, 1, 1, 2, 2}, 5, 3, 0.6);
    expect_accuracy(scores, (int32_t[]){1, 0, 0, 0, 1}, 5, 3, 0);
    expect_accuracy(scores, (int32_t[]){0, 1, 2, 2, 0}, 5, 3, 1);
}

static void accuracy__of_one_row_or_one_class(void **state)
{
    (void)state;
    expect_accuracy(FLOATS(-2, -1), (int32_t[]){1}, 1, 2, 1);
    expect_accuracy(FLOATS(-2, -1), (int32_t[]){0}, 1, 2, 0);
    expect_accuracy(FLOATS(4, 5, 6), (int32_t[]){0, 0, 0}, 3, 1, 1);
}

static void accuracy__counts_a_tie_as_a_miss(void **state)
{
    (void)state;
    expect_accuracy(FLOATS(0, 0, /**/ 1, 1, /**/ 0, 1), (int32_t[]){0, 1, 1}, 3, 2, 1 / 3.0);
}

static void accuracy__counts_a_nan_as_a_miss(void **state)
{
    (void)state;
    expect_accuracy(FLOATS(NAN, 1, /**/ 1, NAN, /**/ NAN, NAN), (int32_t[]){0, 0, 1}, 3, 2, 0);
    expect_accuracy(FLOATS(INFINITY, 1, /**/ -INFINITY, 1), (int32_t[]){0, 1}, 2, 2, 1);
}

static const struct CMUnitTest standardize_cases[] = {
    cmocka_unit_test(standardize__gives_what_a_hand_computes),
    cmocka_unit_test(standardize__of_any_count_follows_the_definition),
    cmocka_unit_test(standardize__of_equal_numbers_is_zero),
    cmocka_unit_test(standardize__keeps_its_digits_far_from_zero),
    cmocka_unit_test(standardize__takes_very_large_and_very_small_numbers),
    cmocka_unit_test(standardize__may_overwrite_its_input),
    cmocka_unit_test(standardize__leaves_its_input_alone),
    cmocka_unit_test(standardize__lets_a_nan_and_infinity_out),
    cmocka_unit_test(standardize__takes_the_same_array_again),
    {0},
};

static const struct CMUnitTest accuracy_cases[] = {
    cmocka_unit_test(accuracy__counts_the_rows_whose_label_wins),
    cmocka_unit_test(accuracy__of_one_row_or_one_class),
    cmocka_unit_test(accuracy__counts_a_tie_as_a_miss),
    cmocka_unit_test(accuracy__counts_a_nan_as_a_miss),
    {0},
};

const CaseList lab_cases[] = {standardize_cases, accuracy_cases, NULL};
