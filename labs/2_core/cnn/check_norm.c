/* Exercises 11 and 12: batch normalization, forward. check.c says how cases are made. */
#include <math.h>
#include "labs/2_core/cnn/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

// clang-format off
const CnnNorm norm_shapes[NORM_SHAPES] = {
    // B  C   P   eps    momentum
    { 3,  4,  5, 1e-5f, 0.1f},
    { 3,  4,  5, 0.5f,  0.3f},     // an eps that is seen beside the variance
    { 1,  2,  7, 1e-5f, 0.1f},     // one image
    { 6,  3,  1, 1e-5f, 0.1f},     // after a linear layer
    { 4,  1,  9, 1e-5f, 1},        // one channel; the running statistics are replaced
    { 2,  5,  3, 1e-5f, 0},        // they stay
    { 2,  1,  1, 1e-5f, 0.1f},     // two values
    {17, 33, 49, 1e-5f, 0.1f},
};
// clang-format on

Norm norm_new(CnnNorm s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Norm norm = {.s = s, .n = s.B * s.P, .C = (size_t)s.C, .size = count_of(s.B, s.C, s.P, 1)};
    norm.x = floats_normal(&rng, norm.size);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 3 * norm.x[i] + 1;
    norm.gamma = floats_normal(&rng, norm.C);
    norm.shift = floats_normal(&rng, norm.C);
    norm.dy = floats_normal(&rng, norm.size);
    norm.running_mean = floats_normal(&rng, norm.C);
    norm.running_var = floats_normal(&rng, norm.C);
    for (size_t c = 0; c < norm.C; c++) norm.running_var[c] = fabsf(norm.running_var[c]) + 0.1f;
    return norm;
}

Norm norm_copy(Norm norm)
{
    norm.x = floats_copy(norm.x, norm.size), norm.dy = floats_copy(norm.dy, norm.size);
    norm.gamma = floats_copy(norm.gamma, norm.C), norm.shift = floats_copy(norm.shift, norm.C);
    norm.running_mean = floats_copy(norm.running_mean, norm.C);
    norm.running_var = floats_copy(norm.running_var, norm.C);
    return norm;
}

void norm_assert_kept(Norm norm, Norm before)
{
    assert_kept("x", norm.x, before.x, norm.size);
    assert_kept("dy", norm.dy, before.dy, norm.size);
    assert_kept("gamma", norm.gamma, before.gamma, norm.C);
    assert_kept("shift", norm.shift, before.shift, norm.C);
    assert_kept("running_mean", norm.running_mean, before.running_mean, norm.C);
    assert_kept("running_var", norm.running_var, before.running_var, norm.C);
}

void norm_move(Norm norm, float factor, float offset)
{
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = factor * norm.x[i] + offset;
}

void norm_check_again(void (*check)(Norm norm), uint64_t seed)
{
    Norm one = norm_new(norm_shapes[0], seed), other = norm_new(norm_shapes[3], seed + 1);
    check(one);
    norm_move(one, -2, 5);
    for (size_t i = 0; i < one.size; i++) one.dy[i] *= -3;
    one.gamma[0] = 9, one.shift[1] = 9, one.running_mean[2] = 9, one.running_var[3] = 9;
    check(one);
    check(other);
    check(one);
}

size_t norm_at(const Norm *norm, size_t c, int i)
{
    return ((size_t)(i / norm->s.P) * norm->C + c) * (size_t)norm->s.P + (size_t)(i % norm->s.P);
}

double norm_average(const Norm *norm, size_t c, const double *u, const double *v)
{
    double sum = 0;
    for (int i = 0; i < norm->n; i++)
        sum += (u != NULL ? u[norm_at(norm, c, i)] : 1) * (v != NULL ? v[norm_at(norm, c, i)] : 1);
    return sum / norm->n;
}

void norm_center(const Norm *norm, double *x, double *mean, double *variance)
{
    for (size_t c = 0; c < norm->C; c++) {
        mean[c] = norm_average(norm, c, x, NULL);
        for (int i = 0; i < norm->n; i++) x[norm_at(norm, c, i)] -= mean[c];
        variance[c] = norm_average(norm, c, x, x);
    }
}

// ---- 11: in training ----

static void assert_batch_norm(Norm norm)
{
    CnnNorm s = norm.s;
    size_t C = norm.C;
    Norm before = norm_copy(norm), moved = norm_copy(norm);
    float *y = floats_filled(norm.size, 7), *mean = floats_filled(C, 7),
          *rstd = floats_filled(C, 7), *y_before = floats_copy(y, norm.size),
          *held = floats_copy(mean, C);
    double *want = floats_wide(norm.x, norm.size), *mean_want = doubles_zero(C),
           *variance = doubles_zero(C), *rstd_want = doubles_zero(C);
    double *running_mean = floats_wide(moved.running_mean, C),
           *running_var = floats_wide(moved.running_var, C);
    norm_center(&norm, want, mean_want, variance);
    for (size_t c = 0; c < C; c++) {
        rstd_want[c] = 1 / sqrt(variance[c] + (double)s.eps);
        for (int i = 0; i < norm.n; i++)
            want[norm_at(&norm, c, i)] =
                want[norm_at(&norm, c, i)] * rstd_want[c] * (double)norm.gamma[c] +
                (double)norm.shift[c];
        running_mean[c] += (double)s.momentum * (mean_want[c] - running_mean[c]);
        double unbiased = variance[c] * norm.n / (norm.n - 1);
        if (norm.n > 1) running_var[c] += (double)s.momentum * (unbiased - running_var[c]);
    }
    cnn_batch_norm(y, mean, rstd, moved.running_mean, moved.running_var, norm.x, norm.gamma,
                   norm.shift, s);
    assert_near(y, want, SHAPE(s.B, s.C, s.P), .name = "y", .replaces = y_before, .batch = s.B,
                .formula = "y = gamma (x - mean) rstd + shift");
    assert_near(mean, mean_want, SHAPE(s.C), .name = "mean", .replaces = held, .rtol = 1e-5,
                .atol = 1e-6, .formula = "mean = 1/n sum x");
    assert_near(rstd, rstd_want, SHAPE(s.C), .name = "rstd", .replaces = held, .rtol = 1e-5,
                .formula = "rstd = 1 / sqrt(1/n sum (x - mean)^2 + eps)");
    assert_near(moved.running_mean, running_mean, SHAPE(s.C), .name = "running_mean",
                .formula = "running_mean += momentum (mean - running_mean)");
    assert_near(moved.running_var, running_var, SHAPE(s.C), .name = "running_var",
                .formula = "running_var += momentum (sum (x - mean)^2 / (n - 1) - running_var)");
    norm_assert_kept(norm, before);
}

CASE(batch_norm__matches_an_example_computed_by_hand)
{
    // mean 2.5, variance 1.25, unbiased 5/3; as one image of 2 x 2 and as four of one pixel
    for (int B = 1; B <= 4; B += 3) {
        CnnNorm s = {.B = B, .C = 1, .P = 4 / B, .eps = 1e-5f, .momentum = 0.1f};
        float *y = floats_filled(4, NAN), mean, rstd, running_mean = 0, running_var = 1;
        cnn_batch_norm(y, &mean, &rstd, &running_mean, &running_var, FLOATS(1, 2, 3, 4), FLOATS(1),
                       FLOATS(0), s);
        assert_near(y, ((double[]){-1.34163542, -0.44721181, 0.44721181, 1.34163542}),
                    SHAPE(B, 1, 4 / B), .name = "y",
                    .formula = "y = gamma (x - mean) rstd + shift");
        assert_number((double)running_mean, 0.25, .name = "running_mean", .rtol = 1e-6,
                      .formula = "0 + 0.1 (2.5 - 0)");
        assert_number((double)running_var, 1.06666667, .name = "running_var", .rtol = 1e-6,
                      .formula = "1 + 0.1 (5/3 - 1): n - 1 = 3");
    }
}

CASE(batch_norm__matches_plain_loops_in_double)
{
    for (int i = 0; i < NORM_SHAPES; i++)
        assert_batch_norm(norm_new(norm_shapes[i], 240 + (uint64_t)i));
}

CASE(batch_norm__without_variance_is_the_shift)
{
    assert_batch_norm(norm_new((CnnNorm){1, 3, 1, 1e-5f, 0.1f}, 250));    // no unbiased variance
    assert_batch_norm(norm_new((CnnNorm){1, 1, 1, 1e-5f, 1}, 251));
    Norm norm = norm_new(norm_shapes[0], 252);
    norm_move(norm, 0, 0.1f);
    assert_batch_norm(norm);
}

CASE(batch_norm__keeps_its_digits_far_from_zero)
{
    Norm norm = norm_new(norm_shapes[7], 253);
    norm_move(norm, 10, 1e6f);    // a square has 13 digits before the deviation begins
    assert_batch_norm(norm);
    norm = norm_new(norm_shapes[0], 254);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 1e8f + 64 * roundf(norm.x[i]);
    assert_batch_norm(norm);
}

CASE(batch_norm__handles_large_and_small_numbers)
{
    Norm norm = norm_new(norm_shapes[7], 255);    // 833 values to a channel
    norm_move(norm, 1e18f, 0);                    // a sum of squares is above the largest float
    assert_batch_norm(norm);
    norm_move(norm, 1e-20f, 0);
    norm_move(norm, 1e-20f, 0);    // 1e-22: a square is below the smallest
    norm.s.eps = 1e-45f;
    assert_batch_norm(norm);
}

CASE(batch_norm__propagates_nan_within_its_channel)
{
    Norm norm = norm_new(norm_shapes[0], 256);
    norm.x[norm_at(&norm, 2, 7)] = NAN;
    assert_batch_norm(norm);
    // Of an infinite value the mean is infinite or NaN, as it was summed; y is NaN either way.
    norm.x[norm_at(&norm, 0, 3)] = INFINITY;
    float *y = floats_filled(norm.size, 7), *mean = floats_filled(norm.C, 7),
          *rstd = floats_filled(norm.C, 7);
    cnn_batch_norm(y, mean, rstd, norm.running_mean, norm.running_var, norm.x, norm.gamma,
                   norm.shift, norm.s);
    for (int i = 0; i < norm.n; i++)
        assert_that(isnan(y[norm_at(&norm, 0, i)]),
                    "y of a channel with an infinity: got %g, expected NaN",
                    (double)y[norm_at(&norm, 0, i)]);
}

CASE(batch_norm__takes_the_same_arrays_again_with_other_contents)
{
    norm_check_again(assert_batch_norm, 257);
}

// ---- 12: in inference ----

static const char inference_formula[] =
    "y = gamma (x - running_mean) / sqrt(running_var + eps) + shift";

static void assert_inference(Norm norm)
{
    CnnNorm s = norm.s;
    Norm kept = norm_copy(norm);
    float *y = floats_filled(norm.size, 7), *before = floats_copy(y, norm.size);
    double *want = doubles_zero(norm.size);
    for (size_t c = 0; c < norm.C; c++)
        for (int i = 0; i < norm.n; i++) {
            double centered = (double)norm.x[norm_at(&norm, c, i)] - (double)norm.running_mean[c];
            want[norm_at(&norm, c, i)] = (double)norm.gamma[c] * centered /
                                             sqrt((double)norm.running_var[c] + (double)s.eps) +
                                         (double)norm.shift[c];
        }
    cnn_batch_norm_inference(y, norm.x, norm.running_mean, norm.running_var, norm.gamma, norm.shift,
                             s);
    assert_near(y, want, SHAPE(s.B, s.C, s.P), .name = "y", .replaces = before,
                .formula = inference_formula);
    norm_assert_kept(norm, kept);
}

CASE(batch_norm_inference__matches_an_example_computed_by_hand)
{
    float *y = floats_filled(1, NAN);    // the statistics of 1 2 3 4 after one step
    cnn_batch_norm_inference(y, FLOATS(2.5f), FLOATS(0.25f), FLOATS(1.06666667f), FLOATS(1),
                             FLOATS(0), (CnnNorm){.B = 1, .C = 1, .P = 1, .eps = 1e-5f});
    assert_near(y, &(double){2.17854292}, SCALAR, .name = "y", .formula = inference_formula);
}

CASE(batch_norm_inference__matches_plain_loops_in_double)
{
    for (int i = 0; i < NORM_SHAPES; i++)
        assert_inference(norm_new(norm_shapes[i], 260 + (uint64_t)i));
    assert_inference(norm_new((CnnNorm){1, 1, 1, 1e-5f, 0.1f}, 270));
}

CASE(batch_norm_inference__is_finite_without_variance)
{
    Norm norm = norm_new(norm_shapes[0], 271);
    norm.running_var = floats_filled(4, 0);
    assert_inference(norm);
}

CASE(batch_norm_inference__keeps_its_digits_far_from_zero)
{
    Norm norm = norm_new(norm_shapes[0], 272);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 1e8f + 64 * roundf(norm.x[i]);
    norm.running_mean = floats_filled(4, 1e8f), norm.running_var = floats_filled(4, 1e4f);
    assert_inference(norm);
    norm_move(norm, 1e22f, 0);
    norm.running_mean = floats_filled(4, 1e30f), norm.running_var = floats_filled(4, 1e38f);
    assert_inference(norm);
}

CASE(batch_norm_inference__propagates_nan)
{
    Norm norm = norm_new(norm_shapes[0], 273);
    norm.x[norm_at(&norm, 0, 3)] = norm.running_mean[1] = norm.running_var[2] = NAN;
    norm.x[norm_at(&norm, 3, 3)] = -INFINITY;
    norm.gamma[3] = 0;
    assert_inference(norm);
}

CASE(batch_norm_inference__takes_the_same_arrays_again_with_other_contents)
{
    norm_check_again(assert_inference, 274);
}

const struct CMUnitTest norm_cases[] = {
    cmocka_unit_test(batch_norm__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm__matches_plain_loops_in_double),
    cmocka_unit_test(batch_norm__without_variance_is_the_shift),
    cmocka_unit_test(batch_norm__keeps_its_digits_far_from_zero),
    cmocka_unit_test(batch_norm__handles_large_and_small_numbers),
    cmocka_unit_test(batch_norm__propagates_nan_within_its_channel),
    cmocka_unit_test(batch_norm__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(batch_norm_inference__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm_inference__matches_plain_loops_in_double),
    cmocka_unit_test(batch_norm_inference__is_finite_without_variance),
    cmocka_unit_test(batch_norm_inference__keeps_its_digits_far_from_zero),
    cmocka_unit_test(batch_norm_inference__propagates_nan),
    cmocka_unit_test(batch_norm_inference__takes_the_same_arrays_again_with_other_contents),
    {0},
};
