/* Exercises 7 to 10: corruption, the latent sample, the KL divergence. check.c says how cases are made. */
#include "labs/2_core/autoencoder/check.h"
#include <math.h>
#include <stdlib.h>
#include "labs/2_core/autoencoder/autoencoder.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 7: masking noise ----

static const char corrupt_formula[] = "noisy[i] = 0 if the draw is below p, else x[i]";

static void check_corrupt(size_t n, float p, uint64_t seed)
{
    Rng rng = rng_from_seed(seed), same = rng_stream(seed, 1), theirs = same;
    float *x = floats_normal(&rng, n), *noisy = floats_filled(n, 7),
          *before = floats_copy(noisy, n);
    double *want = doubles_zero(n);
    for (size_t i = 0; i < n; i++) want[i] = rng_uniform(&same) < p ? 0 : (double)x[i];
    ae_corrupt(noisy, x, n, p, &theirs);
    assert_near(noisy, want, SHAPE((int)n), .name = "noisy", .replaces = before, .exact = true,
                .formula = corrupt_formula);
    assert_that(theirs.state == same.state,
                "%zu elements need %zu draws of rng_uniform(), one each; another number was drawn",
                n, n);
}

static void corrupt__zeroes_elements_where_the_draw_is_below_p(void **state)
{
    (void)state;
    check_corrupt(20, 0.3f, 91);
    check_corrupt(20, 0.7f, 92);
    check_corrupt(1, 0.5f, 93);
    check_corrupt(1001, 0.25f, 94);
}

static void corrupt__zeroes_nothing_for_p_0_and_everything_for_p_1(void **state)
{
    (void)state;
    check_corrupt(50, 0, 95);
    check_corrupt(50, 1, 96);
}

static void corrupt__draws_once_per_element_even_where_x_is_zero(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(97), same = rng;
    float *noisy = floats_filled(64, 7), *x = floats_filled(64, 0);
    for (int i = 0; i < 64; i += 3) x[i] = 1;
    double *want = doubles_zero(64);
    for (int i = 0; i < 64; i++) want[i] = rng_uniform(&same) < 0.5f ? 0 : (double)x[i];
    ae_corrupt(noisy, x, 64, 0.5f, &rng);
    assert_near(noisy, want, SHAPE(64), .name = "noisy", .exact = true, .formula = corrupt_formula);
    assert_that(rng.state == same.state,
                "64 elements need 64 draws of rng_uniform(), one each; another number was drawn");
}

static void corrupt__zeroes_a_fraction_p_of_the_elements(void **state)
{
    (void)state;
    // n p = 20,000 draws fall below p, with a standard deviation of sqrt(n p (1 - p)) = 126; 650 is five.
    Rng rng = rng_from_seed(98);
    float *x = floats_filled(100000, 1), *noisy = floats_filled(100000, NAN);
    int left = 0;
    ae_corrupt(noisy, x, 100000, 0.2f, &rng);
    for (int i = 0; i < 100000; i++) left += noisy[i] == 1;
    if (abs(left - 80000) > 650)
        fail_msg("p = 0.2 left %d of 100000 ones in place, expected about 80000", left);
}

static void corrupt__does_not_modify_x(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(99);
    float *x = floats_normal(&rng, 30), *before = floats_copy(x, 30);
    ae_corrupt(floats_filled(30, 0), x, 30, 0.5f, &rng);
    assert_kept("x", x, before, 30);
}

CASE(corrupt__keeps_an_element_where_the_draw_equals_p)
{
    Rng rng = rng_from_seed(100), same = rng;
    float p = rng_uniform(&same), next = rng_uniform(&same), *noisy = floats_filled(2, 7);
    ae_corrupt(noisy, FLOATS(3, 4), 2, p, &rng);
    assert_near(noisy, ((double[]){3, next < p ? 0 : 4}), SHAPE(2), .name = "noisy", .exact = true,
                .formula = corrupt_formula);
}

CASE(corrupt__zeroes_whatever_x_is)
{
    Rng rng = rng_from_seed(101);
    float *noisy = floats_filled(3, 7);
    ae_corrupt(noisy, FLOATS(INFINITY, NAN, -INFINITY), 3, 1, &rng);
    assert_near(noisy, doubles_zero(3), SHAPE(3), .name = "noisy", .exact = true,
                .formula = "0 with probability 1");
    ae_corrupt(noisy, FLOATS(INFINITY, NAN, 1e30f), 3, 0, &rng);
    assert_near(noisy, ((double[]){INFINITY, NAN, (double)1e30f}), SHAPE(3), .name = "noisy",
                .exact = true, .formula = "x with probability 1");
}

CASE(corrupt__continues_the_generators_it_is_given)
{
    // Two generators in turns, and one that is seeded anew.
    Rng one = rng_from_seed(102), other = rng_from_seed(103), same = one, seeded = other;
    for (int call = 0; call < 4; call++) {
        Rng *rng = call % 2 ? &other : &one, *twin = call % 2 ? &seeded : &same;
        if (call == 2) one = same = rng_from_seed(104);
        float *noisy = floats_filled(9, 7), *x = floats_filled(9, 1);
        double *want = doubles_zero(9);
        for (int i = 0; i < 9; i++) want[i] = rng_uniform(twin) < 0.5f ? 0 : 1;
        ae_corrupt(noisy, x, 9, 0.5f, rng);
        assert_near(noisy, want, SHAPE(9), .name = "noisy", .exact = true,
                    .formula = corrupt_formula);
        assert_that(rng->state == twin->state, "9 elements need 9 draws; another number was drawn");
    }
    ae_corrupt(FLOATS(1), FLOATS(1), 0, 0.5f, &one);
    assert_that(one.state == same.state, "no element needs no draw");
}

// ---- 8 and 9: the reparameterised sample ----

static const char sample_formula[] = "z[i] = mean[i] + exp(logvar[i] / 2) e[i]";

typedef struct WideSample {
    double *mean, *logvar, *e, *dz;
    size_t n;
} WideSample;

static double sample_of(const WideSample *s, size_t i)
{
    return s->mean[i] + exp(s->logvar[i] / 2) * s->e[i];
}

static double sample_score(const void *argument)
{
    const WideSample *s = argument;
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) sum += s->dz[i] * sample_of(s, i);
    return sum;
}

static void check_sample(size_t n, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    float *mean = floats_normal(&rng, n), *logvar = floats_normal(&rng, n),
          *e = floats_normal(&rng, n);
    float *z = floats_filled(n, 7), *before = floats_copy(z, n);
    float *kept[] = {floats_copy(mean, n), floats_copy(logvar, n), floats_copy(e, n)};
    WideSample wide = {floats_wide(mean, n), floats_wide(logvar, n), floats_wide(e, n), NULL, n};
    double *want = doubles_zero(n);
    for (size_t i = 0; i < n; i++) want[i] = sample_of(&wide, i);
    ae_sample(z, mean, logvar, e, n);
    assert_near(z, want, SHAPE((int)n), .name = "z", .replaces = before, .formula = sample_formula);
    assert_kept("mean", mean, kept[0], n);
    assert_kept("logvar", logvar, kept[1], n);
    assert_kept("e", e, kept[2], n);
}

static void sample__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    // The variance 9 = exp(2 ln 3) is the square of a standard deviation of 3.
    const float *mean = FLOATS(1, 5, 0), *logvar = FLOATS(2 * logf(3), 0, -2 * logf(2));
    const float *e = FLOATS(-1, 2, 3);
    float *z = floats_filled(3, NAN);
    ae_sample(z, mean, logvar, e, 3);
    assert_near(z, ((double[]){-2, 7, 1.5}), SHAPE(3), .name = "z", .formula = sample_formula);
}

static void sample__equals_the_mean_without_noise(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(101);
    float *mean = floats_normal(&rng, 9), *logvar = floats_normal(&rng, 9),
          *z = floats_filled(9, NAN);
    ae_sample(z, mean, logvar, floats_filled(9, 0), 9);
    assert_near(z, floats_wide(mean, 9), SHAPE(9), .name = "z",
                .formula = "for e = 0:  z[i] = mean[i]");
}

static void sample__matches_the_formula_in_double(void **state)
{
    (void)state;
    check_sample(7, 102);
    check_sample(7, 103);
    check_sample(1, 104);
    check_sample(1001, 105);
}

static void sample__has_the_given_mean_and_variance(void **state)
{
    (void)state;
    enum { N = 100000 };
    Rng rng = rng_from_seed(106);
    float *z = floats_filled(N, NAN);
    ae_sample(z, floats_filled(N, 3), floats_filled(N, logf(4)), floats_normal(&rng, N), N);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) sum += (double)z[i];
    for (int i = 0; i < N; i++) squares += ((double)z[i] - sum / N) * ((double)z[i] - sum / N);
    float moments[] = {(float)(sum / N), (float)(squares / N)};
    assert_near(moments, ((double[]){3, 4}), SHAPE(2), .name = "mean and variance", .atol = 0.1,
                .formula = "z ~ N(mean, exp(logvar)), here N(3, 4)");
}

static void check_sample_backward(size_t n, uint64_t seed, float held)
{
    Rng rng = rng_from_seed(seed);
    float *mean = floats_normal(&rng, n), *logvar = floats_normal(&rng, n),
          *e = floats_normal(&rng, n);
    float *dz = floats_normal(&rng, n), *dmean = floats_filled(n, held),
          *dlogvar = floats_filled(n, held);
    float *before = floats_copy(dmean, n),
          *kept[] = {floats_copy(dz, n), floats_copy(logvar, n), floats_copy(e, n)};
    WideSample wide = {floats_wide(mean, n), floats_wide(logvar, n), floats_wide(e, n),
                       floats_wide(dz, n), n};
    double *dmean_want = slopes(sample_score, &wide, wide.mean, n);
    double *dlogvar_want = slopes(sample_score, &wide, wide.logvar, n);
    for (size_t i = 0; i < n; i++) dmean_want[i] += (double)held, dlogvar_want[i] += (double)held;
    ae_sample_backward(dmean, dlogvar, dz, logvar, e, n);
    assert_near(dmean, dmean_want, SHAPE((int)n), .name = "dmean", .added_to = before,
                .formula = "dmean[i] += dz[i]");
    assert_near(dlogvar, dlogvar_want, SHAPE((int)n), .name = "dlogvar", .added_to = before,
                .formula = "dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2");
    assert_kept("dz", dz, kept[0], n);
    assert_kept("logvar", logvar, kept[1], n);
    assert_kept("e", e, kept[2], n);
}

static void sample_backward__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    const float *logvar = FLOATS(2 * logf(3), 0), *e = FLOATS(-1, 2), *dz = FLOATS(4, 5);
    float *dmean = floats_filled(2, 0), *dlogvar = floats_filled(2, 0);
    ae_sample_backward(dmean, dlogvar, dz, logvar, e, 2);
    assert_near(dmean, ((double[]){4, 5}), SHAPE(2), .name = "dmean",
                .formula = "dmean[i] += dz[i]");
    assert_near(dlogvar, ((double[]){4 * -1 * 3 / 2.0, 5 * 2 * 1 / 2.0}), SHAPE(2),
                .name = "dlogvar", .formula = "dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2");
}

static void sample_backward__matches_finite_differences(void **state)
{
    (void)state;
    check_sample_backward(7, 111, 0);
    check_sample_backward(7, 112, 0);
    check_sample_backward(1, 113, 0);
    check_sample_backward(101, 114, 0);
}

static void sample_backward__accumulates_into_dmean_and_dlogvar(void **state)
{
    (void)state;
    check_sample_backward(7, 115, 7);
}

CASE(sample__handles_large_and_small_variances)
{
    // exp(100) and exp(-100) are out of a float's range; their square roots are not.
    float *logvar = FLOATS(100, -100, 20, -20, 12, 5), *z = floats_filled(6, NAN);
    const float *e = FLOATS(1, 1e22f, -1, 1, 2, 3);
    double *want = doubles_zero(6);
    for (int i = 0; i < 6; i++) want[i] = exp((double)logvar[i] / 2) * (double)e[i];
    ae_sample(z, floats_filled(6, 0), logvar, e, 6);
    assert_near(z, want, SHAPE(6), .name = "z", .rtol = 1e-4, .atol = 1e-30,
                .formula = sample_formula);
}

CASE(sample__propagates_nan)
{
    float *z = floats_filled(5, 7);
    ae_sample(z, FLOATS(NAN, 1, 1, 1, 1), FLOATS(0, NAN, 0, NAN, -INFINITY),
              FLOATS(1, 1, NAN, 0, 1), 5);
    assert_near(z, ((double[]){NAN, NAN, NAN, NAN, 1}), SHAPE(5), .name = "z",
                .formula = sample_formula);
}

CASE(sample__takes_the_same_arrays_again_with_other_contents)
{
    float *mean = FLOATS(1, 2), *logvar = FLOATS(0, 0), *e = FLOATS(1, 1),
          *z = floats_filled(2, NAN);
    ae_sample(z, mean, logvar, e, 2);
    mean[0] = 5, logvar[1] = 2 * logf(3), e[0] = -1;
    ae_sample(z, mean, logvar, e, 2);
    assert_near(z, ((double[]){4, 5}), SHAPE(2), .name = "z of the second call",
                .formula = sample_formula);
}

CASE(sample_backward__handles_large_and_small_variances)
{
    float *logvar = FLOATS(100, -100, 20, -20, 12, 5), *dlogvar = floats_filled(6, 0);
    const float *e = FLOATS(1, 1e22f, -1, 1, 2, 3);
    double *want = doubles_zero(6);
    for (int i = 0; i < 6; i++) want[i] = exp((double)logvar[i] / 2) * (double)e[i] / 2;
    ae_sample_backward(floats_filled(6, 0), dlogvar, floats_filled(6, 1), logvar, e, 6);
    assert_near(dlogvar, want, SHAPE(6), .name = "dlogvar", .rtol = 1e-4, .atol = 1e-30,
                .formula = "dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2");
}

CASE(sample_backward__propagates_nan)
{
    float *dmean = floats_filled(5, 1), *dlogvar = floats_filled(5, 1);
    ae_sample_backward(dmean, dlogvar, FLOATS(NAN, 1, 1, 0, 1), FLOATS(0, NAN, 0, NAN, NAN),
                       FLOATS(1, 1, NAN, 1, 0), 5);
    assert_near(dmean, ((double[]){NAN, 2, 2, 1, 2}), SHAPE(5), .name = "dmean",
                .formula = "dmean[i] += dz[i]");
    assert_near(dlogvar, ((double[]){NAN, NAN, NAN, NAN, NAN}), SHAPE(5), .name = "dlogvar",
                .formula = "dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2");
}

CASE(sample_backward__takes_the_same_arrays_again_with_other_contents)
{
    float *dz = FLOATS(2, 2), *logvar = FLOATS(0, 0), *e = FLOATS(1, 1);
    ae_sample_backward(floats_filled(2, 0), floats_filled(2, 0), dz, logvar, e, 2);
    float *dmean = floats_filled(2, 0), *dlogvar = floats_filled(2, 0);
    dz[0] = 4, logvar[1] = 2 * logf(3), e[0] = -1;
    ae_sample_backward(dmean, dlogvar, dz, logvar, e, 2);
    assert_near(dmean, ((double[]){4, 2}), SHAPE(2), .name = "dmean of the second call",
                .formula = "dmean[i] += dz[i]");
    assert_near(dlogvar, ((double[]){-2, 3}), SHAPE(2), .name = "dlogvar of the second call",
                .formula = "dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2");
}

// ---- 10: the KL divergence ----

static const char kl_formula[] = "K = 1/B sum_bz (exp(logvar) + mean^2 - 1 - logvar) / 2";

static float kl_of_one(float mean, float logvar)
{
    return ae_kl(floats_filled(1, 0), floats_filled(1, 0), FLOATS(mean), FLOATS(logvar), 1, 1);
}

static void kl__is_one_half_for_mean_1_and_variance_1(void **state)
{
    (void)state;
    float kl = kl_of_one(1, 0);
    assert_near(&kl, &(double){0.5}, SCALAR, .name = "KL(N(1,1) || N(0,1))", .formula = kl_formula);
}

static void kl__and_its_gradient_are_zero_for_the_standard_normal(void **state)
{
    (void)state;
    float *dmean = floats_filled(6, NAN), *dlogvar = floats_filled(6, NAN);
    float kl = ae_kl(dmean, dlogvar, floats_filled(6, 0), floats_filled(6, 0), 2, 3);
    assert_near(&kl, &(double){0}, SCALAR, .name = "KL(N(0,1) || N(0,1))", .formula = kl_formula);
    assert_near(dmean, doubles_zero(6), SHAPE(2, 3), .name = "dmean",
                .formula = "the KL divergence has its minimum here");
    assert_near(dlogvar, doubles_zero(6), SHAPE(2, 3), .name = "dlogvar",
                .formula = "the KL divergence has its minimum here");
}

static void kl__keeps_its_digits_near_the_standard_normal(void **state)
{
    (void)state;
    const float logvars[] = {1e-3f, -1e-3f, 1e-5f, -1e-6f, 1e-8f};
    for (int k = 0; k < 5; k++) {
        float dlogvar;
        float kl = ae_kl(FLOATS(0), &dlogvar, FLOATS(0), &logvars[k], 1, 1);
        double x = (double)logvars[k];
        double terms = x * x / 4 * (1 + x / 3 + x * x / 12);    // of (exp(x) - 1 - x) / 2
        assert_number(kl, terms, .name = "KL", .rtol = 1e-6, .formula = kl_formula);
        double slope = x / 2 * (1 + x / 2 + x * x / 6);    // of (exp(x) - 1) / 2
        assert_number(dlogvar, slope, .name = "dlogvar", .rtol = 1e-6,
                      .formula = "dK/dlogvar = (exp(logvar) - 1) / 2 B");
    }
    double kl = kl_of_one(2e19f, 0), square = (double)2e19f * 2e19f / 2;    // 4e38 is no float
    assert_number(kl, square, .name = "KL of mean 2e19", .rtol = 1e-6, .formula = kl_formula);
}

static void kl__matches_numerical_integration_of_its_definition(void **state)
{
    (void)state;
    // KL(q || p) = integral q ln(q / p), here by small steps out to 12 standard deviations.
    static const double mean[] = {0, 2, -0.5}, logvar[] = {1, -1, 0.3};
    for (int k = 0; k < 3; k++) {
        const double deviation = exp(logvar[k] / 2), step = deviation / 200;
        double integral = 0;
        for (int i = -2400; i <= 2400; i++) {
            double x = mean[k] + i * step, e = i / 200.0;
            double log_q = -e * e / 2 - log(deviation), log_p = -x * x / 2;
            integral += exp(log_q) / sqrt(2 * acos(-1)) * (log_q - log_p) * step;
        }
        float kl = kl_of_one((float)mean[k], (float)logvar[k]);
        assert_near(&kl, &integral, SCALAR, .name = "K", .formula = kl_formula);
    }
}

typedef struct WideKl {
    int B, Z;
    double *mean, *logvar;
} WideKl;

static double kl_of(const void *argument)
{
    const WideKl *k = argument;
    double sum = 0;
    for (int i = 0; i < k->B * k->Z; i++)
        sum += (exp(k->logvar[i]) + k->mean[i] * k->mean[i] - 1 - k->logvar[i]) / 2;
    return sum / k->B;
}

static void check_kl(int B, int Z, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    size_t n = (size_t)(B * Z);
    float *mean = floats_normal(&rng, n), *logvar = floats_normal(&rng, n),
          *kept[] = {floats_copy(mean, n), floats_copy(logvar, n)};
    float *dmean = floats_filled(n, 7), *dlogvar = floats_filled(n, 7),
          *before = floats_copy(dmean, n);
    WideKl wide = {B, Z, floats_wide(mean, n), floats_wide(logvar, n)};
    double want = kl_of(&wide);
    float kl = ae_kl(dmean, dlogvar, mean, logvar, B, Z);
    assert_near(&kl, &want, SCALAR, .name = "K", .batch = B, .formula = kl_formula);
    assert_near(dmean, slopes(kl_of, &wide, wide.mean, n), SHAPE(B, Z), .name = "dmean", .batch = B,
                .replaces = before, .formula = "dmean[b,z] = dK/dmean[b,z]");
    assert_near(dlogvar, slopes(kl_of, &wide, wide.logvar, n), SHAPE(B, Z), .name = "dlogvar",
                .batch = B, .replaces = before, .formula = "dlogvar[b,z] = dK/dlogvar[b,z]");
    assert_kept("mean", mean, kept[0], n);
    assert_kept("logvar", logvar, kept[1], n);
}

static void kl__matches_the_formula_and_its_gradients_finite_differences(void **state)
{
    (void)state;
    for (uint64_t seed = 121; seed <= 122; seed++) check_kl(3, 4, seed);
}

static void kl__handles_one_row_one_latent_dimension_and_many(void **state)
{
    (void)state;
    check_kl(1, 5, 123);
    check_kl(5, 1, 124);
    check_kl(1, 1, 125);
    check_kl(9, 31, 126);
}

static void kl__is_averaged_over_the_batch_and_summed_over_the_code(void **state)
{
    (void)state;
    for (int B = 1; B <= 4; B++) {
        size_t n = (size_t)B * 3;
        float kl = ae_kl(floats_filled(n, 0), floats_filled(n, 0), floats_filled(n, 1),
                         floats_filled(n, 0), B, 3);
        assert_near(&kl, &(double){1.5}, SCALAR, .name = "K", .batch = B, .formula = kl_formula);
    }
}

CASE(kl__handles_large_means_and_variances)
{
    // exp(logvar) - 1 - logvar is exp(logvar) where that is large, and -1 - logvar where it is 0.
    static const float mean[] = {0, 0, 0, 100, 1e6f, 0}, logvar[] = {40, 12, -100, 0, 6, -12};
    for (int i = 0; i < 6; i++) {
        double m = (double)mean[i], v = exp((double)logvar[i]);
        float *dmean = floats_filled(1, NAN), *dlogvar = floats_filled(1, NAN),
              kl = ae_kl(dmean, dlogvar, FLOATS(mean[i]), FLOATS(logvar[i]), 1, 1);
        assert_near(&kl, &(double){(v + m * m - 1 - (double)logvar[i]) / 2}, SCALAR, .name = "K",
                    .formula = kl_formula);
        assert_near(dmean, &m, SHAPE(1, 1), .name = "dmean", .formula = "dK/dmean = mean / B");
        assert_near(dlogvar, &(double){(v - 1) / 2}, SHAPE(1, 1), .name = "dlogvar",
                    .formula = "dK/dlogvar = (exp(logvar) - 1) / 2 B");
    }
}

CASE(kl__propagates_nan)
{
    float *dmean = floats_filled(3, 7), *dlogvar = floats_filled(3, 7);
    float kl = ae_kl(dmean, dlogvar, FLOATS(NAN, 1, 1), FLOATS(0, 0, 0), 1, 3);
    assert_near(&kl, &(double){NAN}, SCALAR, .name = "K", .formula = kl_formula);
    assert_near(dmean, ((double[]){NAN, 1, 1}), SHAPE(1, 3), .name = "dmean",
                .formula = "dK/dmean = mean / B");
    kl = ae_kl(dmean, dlogvar, FLOATS(1, 1, 1), FLOATS(0, NAN, 0), 1, 3);
    assert_near(&kl, &(double){NAN}, SCALAR, .name = "K", .formula = kl_formula);
    assert_near(dlogvar, ((double[]){0, NAN, 0}), SHAPE(1, 3), .name = "dlogvar",
                .formula = "dK/dlogvar = (exp(logvar) - 1) / 2 B");
}

CASE(kl__takes_the_same_arrays_again_with_other_contents)
{
    float *mean = FLOATS(1, 0), *logvar = FLOATS(0, 0), *dmean = floats_filled(2, NAN),
          *dlogvar = floats_filled(2, NAN);
    ae_kl(dmean, dlogvar, mean, logvar, 1, 2);
    mean[0] = 0, logvar[1] = logf(3);
    float kl = ae_kl(dmean, dlogvar, mean, logvar, 1, 2);
    assert_near(&kl, &(double){(3 - 1 - log(3)) / 2}, SCALAR, .name = "K of the second call",
                .formula = kl_formula);
    assert_near(dlogvar, ((double[]){0, 1}), SHAPE(1, 2), .name = "dlogvar of the second call",
                .formula = "dK/dlogvar = (exp(logvar) - 1) / 2 B");
}

const struct CMUnitTest noise_cases[] = {
    cmocka_unit_test(corrupt__zeroes_elements_where_the_draw_is_below_p),
    cmocka_unit_test(corrupt__zeroes_nothing_for_p_0_and_everything_for_p_1),
    cmocka_unit_test(corrupt__draws_once_per_element_even_where_x_is_zero),
    cmocka_unit_test(corrupt__zeroes_a_fraction_p_of_the_elements),
    cmocka_unit_test(corrupt__does_not_modify_x),
    cmocka_unit_test(corrupt__keeps_an_element_where_the_draw_equals_p),
    cmocka_unit_test(corrupt__zeroes_whatever_x_is),
    cmocka_unit_test(corrupt__continues_the_generators_it_is_given),
    cmocka_unit_test(sample__matches_an_example_computed_by_hand),
    cmocka_unit_test(sample__equals_the_mean_without_noise),
    cmocka_unit_test(sample__matches_the_formula_in_double),
    cmocka_unit_test(sample__has_the_given_mean_and_variance),
    cmocka_unit_test(sample__handles_large_and_small_variances),
    cmocka_unit_test(sample__propagates_nan),
    cmocka_unit_test(sample__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(sample_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(sample_backward__matches_finite_differences),
    cmocka_unit_test(sample_backward__accumulates_into_dmean_and_dlogvar),
    cmocka_unit_test(sample_backward__handles_large_and_small_variances),
    cmocka_unit_test(sample_backward__propagates_nan),
    cmocka_unit_test(sample_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(kl__is_one_half_for_mean_1_and_variance_1),
    cmocka_unit_test(kl__and_its_gradient_are_zero_for_the_standard_normal),
    cmocka_unit_test(kl__keeps_its_digits_near_the_standard_normal),
    cmocka_unit_test(kl__matches_numerical_integration_of_its_definition),
    cmocka_unit_test(kl__matches_the_formula_and_its_gradients_finite_differences),
    cmocka_unit_test(kl__handles_one_row_one_latent_dimension_and_many),
    cmocka_unit_test(kl__is_averaged_over_the_batch_and_summed_over_the_code),
    cmocka_unit_test(kl__handles_large_means_and_variances),
    cmocka_unit_test(kl__propagates_nan),
    cmocka_unit_test(kl__takes_the_same_arrays_again_with_other_contents),
    {0},
};
