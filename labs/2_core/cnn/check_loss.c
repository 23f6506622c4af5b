/* Exercises 14 to 16: dropout and the loss. check.c says how cases are made. */
#include <math.h>
#include "labs/2_core/cnn/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 14 and 15: dropout ----

static const char dropout_formula[] = "y[i] = 0 if the draw is below p, else x[i] / (1 - p)";
static const char dropout_backward_formula[] = "dx[i] += dy[i] mask[i]";

// `theirs` and `same` are at the same place of one stream.
static void assert_dropout(float *y, const float *x, size_t n, float p, Rng *theirs, Rng *same)
{
    float *mask = floats_filled(n, 7), *before = floats_copy(mask, n);
    double *y_want = doubles_zero(n), *mask_want = doubles_zero(n);
    for (size_t i = 0; i < n; i++) {
        bool dropped = rng_uniform(same) < p;
        mask_want[i] = dropped ? 0 : 1 / (1 - (double)p);
        y_want[i] = dropped ? 0 : (double)x[i] * mask_want[i];
    }
    cnn_dropout(y, mask, x, n, p, theirs);
    assert_near(mask, mask_want, SHAPE((int)n), .name = "mask", .replaces = before,
                .formula = "mask[i] = 0 if the draw is below p, else 1 / (1 - p)");
    assert_near(y, y_want, SHAPE((int)n), .name = "y", .rtol = 1e-5, .formula = dropout_formula);
    assert_that(theirs->state == same->state,
                "%zu elements need %zu draws of rng_uniform(), one each; another number was drawn",
                n, n);
}

static void check_dropout(size_t n, float p, uint64_t seed)
{
    Rng rng = rng_from_seed(seed), same = rng_stream(seed, 1), theirs = same;
    float *x = floats_normal(&rng, n), *kept = floats_copy(x, n);
    assert_dropout(floats_filled(n, 7), x, n, p, &theirs, &same);
    assert_kept("x", x, kept, n);
}

CASE(dropout__drops_where_the_draw_is_below_p_and_scales_the_rest)
{
    check_dropout(20, 0.5f, 320);
    check_dropout(20, 0.2f, 321);
    check_dropout(1, 0.75f, 322);
    check_dropout(1003, 0.9f, 323);
    check_dropout(0, 0.5f, 324);
}

CASE(dropout__keeps_all_for_p_0_and_drops_all_for_p_1)
{
    check_dropout(50, 0, 325);
    check_dropout(50, 1, 326);
}

CASE(dropout__keeps_an_element_where_the_draw_equals_p)
{
    Rng rng = rng_from_seed(327), same = rng, first = rng;
    float p = rng_uniform(&first);
    assert_dropout(floats_filled(2, 7), FLOATS(3, 4), 2, p, &rng, &same);
}

CASE(dropout__keeps_the_expected_value)
{
    // The mean of n = 100,000 values of 0 or 1/(1-p) has a standard deviation of sqrt(p / (1-p) / n).
    const float ps[] = {0.1f, 0.45f, 0.8f};
    for (int k = 0; k < 3; k++) {
        float p = ps[k];
        Rng rng = rng_from_seed(328);
        float *y = floats_filled(100000, NAN);
        double sum = 0;
        cnn_dropout(y, floats_filled(100000, NAN), floats_filled(100000, 1), 100000, p, &rng);
        for (int i = 0; i < 100000; i++) sum += (double)y[i];
        assert_number(sum / 100000, 1, .name = "the mean of y for x = 1",
                      .atol = 5 * sqrt((double)(p / (1 - p)) / 100000), .formula = dropout_formula);
    }
}

CASE(dropout__may_overwrite_its_input)
{
    Rng rng = rng_from_seed(329), same = rng, data = rng_from_seed(330);
    float *x = floats_normal(&data, 33), *copy = floats_copy(x, 33), *y = floats_filled(33, 7),
          *mask = floats_filled(33, 7);
    cnn_dropout(y, mask, copy, 33, 0.4f, &same);
    cnn_dropout(x, mask, x, 33, 0.4f, &rng);
    assert_near(x, floats_wide(y, 33), SHAPE(33), .name = "y in place of x", .exact = true,
                .formula = dropout_formula);
}

CASE(dropout__of_a_nan_is_0_where_it_is_dropped)
{
    Rng rng = rng_from_seed(331), same = rng;
    float *y = floats_filled(4, 7);
    assert_dropout(y, FLOATS(NAN, INFINITY, -INFINITY, 3e38f), 4, 1, &rng, &same);
    assert_near(y, doubles_zero(4), SHAPE(4), .name = "y", .exact = true,
                .formula = dropout_formula);
    assert_dropout(y, FLOATS(NAN, INFINITY, -INFINITY, 3e38f), 4, 0, &rng, &same);
    assert_dropout(y, FLOATS(1e38f, 1e-38f, 1e-30f, -1e30f), 4, 0.5f, &rng, &same);
}

CASE(dropout__continues_the_generators_it_is_given)
{
    Rng one = rng_from_seed(332), other = rng_from_seed(333), same = one, twin = other;
    float *x = FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9), *y = floats_filled(9, 7);
    assert_dropout(y, x, 9, 0.5f, &one, &same);
    x[0] = -1;
    assert_dropout(y, x, 9, 0.5f, &other, &twin);
    assert_dropout(y, x, 9, 0.5f, &one, &same);
    one = same = rng_from_seed(334);
    assert_dropout(y, x, 9, 0.25f, &one, &same);
}

static void check_dropout_backward(size_t n, float p, uint64_t seed, float held)
{
    Rng rng = rng_from_seed(seed);
    float *dx = floats_filled(n, held), *dy = floats_normal(&rng, n), *mask = floats_filled(n, 0);
    float *before = floats_copy(dx, n), *dy_kept = floats_copy(dy, n);
    double *want = floats_wide(dx, n);
    for (size_t i = 0; i < n; i++) {
        mask[i] = rng_uniform(&rng) < p ? 0 : 1 / (1 - p);
        want[i] += (double)dy[i] * (double)mask[i];
    }
    float *mask_kept = floats_copy(mask, n);
    cnn_dropout_backward(dx, dy, mask, n);
    assert_near(dx, want, SHAPE((int)n), .name = "dx", .added_to = before,
                .formula = dropout_backward_formula);
    assert_kept("dy", dy, dy_kept, n);
    assert_kept("mask", mask, mask_kept, n);
}

CASE(dropout_backward__multiplies_by_the_mask)
{
    check_dropout_backward(20, 0.5f, 340, 0);
    check_dropout_backward(1, 0, 341, 0);
    check_dropout_backward(1003, 0.3f, 342, 0);
    check_dropout_backward(0, 0.5f, 343, 0);
}

CASE(dropout_backward__accumulates_into_dx)
{
    check_dropout_backward(20, 0.5f, 344, 7);
}

CASE(dropout_backward__adds_nothing_where_the_element_was_dropped)
{
    float *dx = floats_filled(5, 2);
    cnn_dropout_backward(dx, FLOATS(NAN, INFINITY, NAN, 1e38f, 1e-30f), FLOATS(0, 0, 2, 2, 2), 5);
    assert_near(dx, ((double[]){2, 2, NAN, 2e38, 2}), SHAPE(5), .name = "dx",
                .formula = dropout_backward_formula);
}

CASE(dropout_backward__takes_the_same_arrays_again_with_other_contents)
{
    float *dx = floats_filled(2, 0), *dy = FLOATS(1, 1), *mask = FLOATS(0, 2);
    cnn_dropout_backward(dx, dy, mask, 2);
    mask[0] = 2, mask[1] = 0, dy[0] = 5;
    cnn_dropout_backward(dx, dy, mask, 2);
    assert_near(dx, ((double[]){10, 2}), SHAPE(2), .name = "dx of two calls",
                .formula = dropout_backward_formula);
}

// ---- 16: softmax with cross-entropy ----

static const char loss_formula[] = "L = -1/B sum_b log softmax(z[b])[label[b]]";
static const char dz_formula[] = "dz[b,k] = (p[b,k] - [k is the label]) / B";

typedef struct Logits {
    int B, K;
    double *z;
    const int32_t *labels;
} Logits;

static double largest(const double *z, int K)
{
    double most = z[0];
    for (int k = 0; k < K; k++) most = z[k] > most ? z[k] : most;
    return most;
}

static double sum_of_exponentials(const double *z, int K)
{
    double sum = 0, most = largest(z, K);
    for (int k = 0; k < K; k++) sum += exp(z[k] - most);
    return sum;
}

static double loss_of(const void *argument)
{
    const Logits *l = argument;
    double loss = 0;
    for (int b = 0; b < l->B; b++) {
        double *z = l->z + b * l->K;
        loss += log(sum_of_exponentials(z, l->K)) + (largest(z, l->K) - z[l->labels[b]]);
    }
    return loss / l->B;
}

// With a tolerance relative to the values alone where `relative` says so.
static void assert_loss(float *z, const int32_t *labels, int B, int K, bool relative)
{
    size_t n = count_of(B, K, 1, 1);
    float *dz = floats_filled(n, 7), *before = floats_copy(dz, n), *kept = floats_copy(z, n);
    Logits wide = {B, K, floats_wide(z, n), labels};
    double want = loss_of(&wide), *dz_want = doubles_zero(n), atol = relative ? 0 : 1e-6;
    for (int b = 0; b < B; b++) {
        double *row = wide.z + b * K, sum = sum_of_exponentials(row, K);
        double others = 0;    // 1 - p of the label, without the cancellation
        for (int k = 0; k < K; k++) {
            dz_want[b * K + k] = exp(row[k] - largest(row, K)) / sum / B;
            if (k != labels[b]) others += dz_want[b * K + k];
        }
        dz_want[b * K + labels[b]] = -others;
    }
    float loss = cnn_cross_entropy(dz, z, labels, B, K);
    assert_near(&loss, &want, SCALAR, .name = "L", .batch = B, .atol = atol, .rtol = 1e-5,
                .formula = loss_formula);
    assert_near(dz, dz_want, SHAPE(B, K), .name = "dz", .replaces = before, .batch = B,
                .atol = atol, .rtol = 1e-5, .formula = dz_formula);
    assert_kept("z", z, kept, n);
}

static void check_loss(int B, int K, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    int *labels = ints_filled((size_t)B, 0);
    for (int b = 0; b < B; b++) labels[b] = (int)rng_below(&rng, (uint32_t)K);
    assert_loss(floats_normal(&rng, count_of(B, K, 1, 1)), labels, B, K, false);
}

CASE(cross_entropy__matches_an_example_computed_by_hand)
{
    // p = 1/6 2/6 3/6 and 1/3 1/3 1/3: L = (log 2 + log 3) / 2
    float *z = FLOATS(0, logf(2), logf(3), 5, 5, 5), *dz = floats_filled(6, NAN);
    float loss = cnn_cross_entropy(dz, z, (int32_t[]){2, 0}, 2, 3);
    assert_number((double)loss, 0.89587973, .name = "L", .rtol = 1e-6, .formula = loss_formula);
    assert_near(dz, ((double[]){1 / 12.0, 2 / 12.0, -3 / 12.0, -2 / 6.0, 1 / 6.0, 1 / 6.0}),
                SHAPE(2, 3), .name = "dz", .formula = dz_formula);
}

CASE(cross_entropy__matches_the_formula_in_double)
{
    check_loss(3, 4, 350);
    check_loss(4, 3, 351);
    check_loss(1, 10, 352);
    check_loss(5, 2, 353);
    check_loss(64, 10, 354);
    check_loss(3, 1003, 355);
    check_loss(2, 1, 356);    // one class: probability 1
    // L is log 2; a sum in float is off in the fourth digit.
    assert_loss(floats_filled(60022, 0), ints_filled(30011, 0), 30011, 2, false);
}

CASE(cross_entropy__gradient_matches_finite_differences)
{
    Rng rng = rng_from_seed(357);
    float *z = floats_normal(&rng, 12), *dz = floats_filled(12, NAN);
    const int32_t labels[] = {3, 0, 2};
    Logits wide = {3, 4, floats_wide(z, 12), labels};
    cnn_cross_entropy(dz, z, labels, 3, 4);
    assert_near(dz, slopes(loss_of, &wide, wide.z, 12), SHAPE(3, 4), .name = "dz", .batch = 3,
                .formula = "dz = dL/dz");
}

CASE(cross_entropy__is_stable_for_large_logits)
{
    assert_loss(FLOATS(1000, 999, 998, -1000, -999, -998), (int32_t[]){1, 0}, 2, 3, false);
    assert_loss(FLOATS(0, 200, -200, 0), (int32_t[]){0, 0}, 2, 2, false);    // L of 200 in each
    assert_loss(FLOATS(-1e30f, 1e30f), (int32_t[]){0}, 1, 2, false);
    assert_loss(FLOATS(3e38f, 3e38f, 3e38f), (int32_t[]){1}, 1, 3, false);
    assert_loss(FLOATS(-INFINITY, 1, 2, -INFINITY), (int32_t[]){2}, 1, 4, false);
}

CASE(cross_entropy__keeps_the_digits_of_a_small_loss)
{
    assert_loss(FLOATS(20, 0, 1), (int32_t[]){0}, 1, 3, true);
    assert_loss(FLOATS(0, 12, 0, 14), (int32_t[]){1, 1}, 2, 2, true);
}

CASE(cross_entropy__propagates_nan_within_its_row)
{
    for (int k = 0; k < 3; k++) {
        float *z = FLOATS(1, 2, 3, 0, 0, 0, 3, 2, 1);
        z[3 + k] = NAN;
        assert_loss(z, (int32_t[]){0, 1, 2}, 3, 3, false);
    }
}

CASE(cross_entropy__takes_the_same_arrays_again_with_other_contents)
{
    float *z = FLOATS(1, 2, 3, 0, 0, 1);
    int32_t labels[] = {0, 1};
    assert_loss(z, labels, 2, 3, false);
    z[0] = 5, labels[1] = 2;
    assert_loss(z, labels, 2, 3, false);
    check_loss(3, 4, 358);
    assert_loss(z, labels, 2, 3, false);
}

const struct CMUnitTest loss_cases[] = {
    cmocka_unit_test(dropout__drops_where_the_draw_is_below_p_and_scales_the_rest),
    cmocka_unit_test(dropout__keeps_all_for_p_0_and_drops_all_for_p_1),
    cmocka_unit_test(dropout__keeps_an_element_where_the_draw_equals_p),
    cmocka_unit_test(dropout__keeps_the_expected_value),
    cmocka_unit_test(dropout__may_overwrite_its_input),
    cmocka_unit_test(dropout__of_a_nan_is_0_where_it_is_dropped),
    cmocka_unit_test(dropout__continues_the_generators_it_is_given),
    cmocka_unit_test(dropout_backward__multiplies_by_the_mask),
    cmocka_unit_test(dropout_backward__accumulates_into_dx),
    cmocka_unit_test(dropout_backward__adds_nothing_where_the_element_was_dropped),
    cmocka_unit_test(dropout_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(cross_entropy__matches_an_example_computed_by_hand),
    cmocka_unit_test(cross_entropy__matches_the_formula_in_double),
    cmocka_unit_test(cross_entropy__gradient_matches_finite_differences),
    cmocka_unit_test(cross_entropy__is_stable_for_large_logits),
    cmocka_unit_test(cross_entropy__keeps_the_digits_of_a_small_loss),
    cmocka_unit_test(cross_entropy__propagates_nan_within_its_row),
    cmocka_unit_test(cross_entropy__takes_the_same_arrays_again_with_other_contents),
    {0},
};
