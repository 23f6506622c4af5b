/* Exercises 15 to 18: bootstrap, Monte Carlo, Metropolis, information.
 * check.c says how cases are made.
 */
#include "labs/1_foundations/probability/check.h"

// ---- 15: the bootstrap ----

static const char bootstrap_formula[] =
    "resample[i] = x[rng_below(rng, n)], in order; then the statistic";

static double first_and_last(const double *x, size_t n)
{
    return 100 * x[0] + x[n - 1];
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static void check_bootstrap(uint64_t seed, size_t count, size_t n, PrStatistic *statistic)
{
    Rng rng = rng_from_seed(seed), same;
    double *x = numbers_uniform(&rng, n), *before = doubles_copy(x, n),
           *scratch = doubles_filled(n, NAN), *replicates = doubles_filled(count, NAN),
           *want = doubles_filled(count, 0), *resample = doubles_filled(n, 0);
    same = rng;
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < n; i++) resample[i] = x[rng_below(&same, (uint32_t)n)];
        want[r] = statistic(resample, n);
    }
    pr_bootstrap(replicates, count, statistic, x, n, scratch, &rng);
    assert_near(replicates, want, SHAPE((int)count), .name = "replicates",
                .formula = bootstrap_formula);
    assert_drawn(&rng, &same, "n draws for each replicate");
    assert_kept("x", x, before, n);
}

CASE(bootstrap__resamples_with_replacement)
{
    check_bootstrap(151, 20, 7, first_and_last);
    check_bootstrap(152, 5, 30, mean_of);
}

CASE(bootstrap__handles_one_number_and_zero_replicates)
{
    check_bootstrap(153, 4, 1, mean_of);
    check_bootstrap(154, 0, 3, mean_of);
}

static double destructive_mean(const double *x, size_t n)
{
    double *mine = (double *)(uintptr_t)x, sum = mean_of(x, n);    // `resample` is scratch space
    for (size_t i = 0; i < n; i++) mine[i] = NAN;
    return sum;
}

CASE(bootstrap__lets_the_statistic_overwrite_the_resample)
{
    check_bootstrap(155, 9, 5, destructive_mean);
}

CASE(bootstrap__of_the_mean_matches_its_standard_error)
{
    enum { N = 40, COUNT = 4000 };
    Rng rng = rng_from_seed(156);
    double *x = numbers_uniform(&rng, N), *replicates = doubles_filled(COUNT, NAN), squares = 0,
           variance = 0;
    for (int i = 0; i < N; i++) squares += (x[i] - mean_of(x, N)) * (x[i] - mean_of(x, N));
    pr_bootstrap(replicates, COUNT, mean_of, x, N, doubles_filled(N, 0), &rng);
    for (int r = 0; r < COUNT; r++)
        variance += (replicates[r] - mean_of(x, N)) * (replicates[r] - mean_of(x, N)) / COUNT;
    assert_number(sqrt(variance), sqrt(squares) / N, .name = "standard deviation of the replicates",
                  .rtol = 0.06, .formula = "sqrt(mean squared deviation / n)");
}

CASE(bootstrap__takes_the_same_array_again)
{
    Rng rng = rng_from_seed(157);
    double *x = DOUBLES(1, 1), *resample = doubles_filled(2, NAN), *replicates = DOUBLES(NAN);
    pr_bootstrap(replicates, 1, mean_of, x, 2, resample, &rng);
    x[0] = x[1] = 5;
    pr_bootstrap(replicates, 1, mean_of, x, 2, resample, &rng);
    assert_number(replicates[0], 5, .name = "mean of 5 and 5, after that of 1 and 1",
                  .formula = bootstrap_formula);
}

// ---- 16: Monte Carlo integration ----

static const char integrate_formula[] =
    "value = (b - a) mean f,  standard error = |b - a| s / sqrt(n)";

static double parabola(double x, const void *context)
{
    const double *c = context;
    return c[0] + c[1] * x * x;
}

static void check_integrate(uint64_t seed, double a, double b, size_t n)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *f = doubles_filled(n, 0), sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double x = a + (b - a) * pr_uniform(&same);
        f[i] = 2 + 3 * x * x;
        sum += f[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) squares += (f[i] - sum) * (f[i] - sum);
    PrEstimate got = pr_integrate(parabola, (double[]){2, 3}, a, b, n, &rng);
    assert_number(got.value, (b - a) * sum, .name = "value", .rtol = 1e-11,
                  .formula = integrate_formula);
    assert_number(got.standard_error,
                  n < 2 ? NAN : fabs(b - a) * sqrt(squares / (double)(n - 1) / (double)n),
                  .name = "standard_error", .rtol = 1e-9, .formula = integrate_formula);
    assert_drawn(&rng, &same, "one draw for each point");
}

CASE(integrate__is_the_width_times_the_mean_value)
{
    check_integrate(161, 0, 1, 10);
    check_integrate(162, -2, 5, 100);
    check_integrate(163, 1, 1.5, 2);
}

CASE(integrate__accepts_reversed_limits)
{
    check_integrate(164, 3, -1, 20);
    check_integrate(165, 2, 2, 20);
}

CASE(integrate__has_no_standard_error_for_one_draw)
{
    check_integrate(166, 0, 2, 1);
}

CASE(integrate__of_a_constant_has_zero_standard_error)
{
    Rng rng = rng_from_seed(167);
    PrEstimate got = pr_integrate(parabola, (double[]){5, 0}, 1, 4, 50, &rng);
    assert_number(got.value, 15, .name = "value", .formula = integrate_formula);
    assert_number(got.standard_error, 0, .name = "standard_error", .atol = 1e-12,
                  .formula = integrate_formula);
}

CASE(integrate__is_right_at_any_magnitude)
{
    // A power of 2 is exact: the same draws give the same digits.
    Rng rng = rng_from_seed(168);
    PrEstimate want = pr_integrate(parabola, (double[]){2, 3}, 0, 1, 50, &rng);
    const double sizes[] = {0x1p600, 0x1p-600};
    for (int k = 0; k < 2; k++) {
        Rng again = rng_from_seed(168);
        double f = sizes[k];
        PrEstimate got = pr_integrate(parabola, (double[]){2 * f, 3 * f}, 0, 1, 50, &again);
        assert_number(got.value / f, want.value, .name = "value", .rtol = 1e-13,
                      .formula = integrate_formula);
        assert_number(got.standard_error / f, want.standard_error, .name = "standard_error",
                      .rtol = 1e-12, .formula = integrate_formula);
    }
}

CASE(integrate__has_a_calibrated_standard_error)
{
    // int_0^1 2 + 3 x^2 = 3. Of 400 estimates 68.3 % are within one standard error: 273, sd 9.3.
    Rng rng = rng_from_seed(168);
    int covered = 0;
    for (int k = 0; k < 400; k++) {
        PrEstimate got = pr_integrate(parabola, (double[]){2, 3}, 0, 1, 300, &rng);
        covered += fabs(got.value - 3) <= got.standard_error;
    }
    assert_number(covered, 273, .name = "estimates within one standard error", .atol = 47,
                  .formula = integrate_formula);
}

CASE(integrate__keeps_its_digits_far_from_zero)
{
    // 1e9 + x^2: the values differ in their last digits.
    Rng rng = rng_from_seed(169), same = rng;
    enum { N = 50 };
    double sum = 0, squares = 0, x[N];
    for (int i = 0; i < N; i++) x[i] = pow(pr_uniform(&same), 2), sum += x[i];
    for (int i = 0; i < N; i++) squares += (x[i] - sum / N) * (x[i] - sum / N);
    PrEstimate got = pr_integrate(parabola, (double[]){1e9, 1}, 0, 1, N, &rng);
    assert_number(got.standard_error, sqrt(squares / (N - 1) / N), .name = "standard_error",
                  .rtol = 1e-5, .formula = integrate_formula);
}

CASE(integrate__propagates_nan)
{
    Rng rng = rng_from_seed(170);
    PrEstimate got = pr_integrate(parabola, (double[]){NAN, 1}, 0, 1, 10, &rng);
    assert_number(got.value, NAN, .name = "value", .formula = "f is NaN");
    assert_number(got.standard_error, NAN, .name = "standard_error", .formula = "f is NaN");
}

// ---- 17: Metropolis ----

static const char metropolis_formula[] =
    "z = current + width (2 u - 1); accept when ln v < ln f(z) - ln f(current); x[i] = current";

static double log_normal(double x, const void *context)
{
    (void)context;
    return -x * x / 2 - 1000;    // exp() of it underflows
}

// 0 outside of [0,1], and rising inside.
static double log_ramp(double x, const void *context)
{
    (void)context;
    return x > 0 && x < 1 ? log(x) : -INFINITY;
}

static void check_metropolis(uint64_t seed, size_t n, double start, double width, PrFunction *log_f)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0), current = start;
    int accepted = 0;
    for (size_t i = 0; i < n; i++) {
        double u = pr_uniform(&same), v = pr_uniform(&same), z = current + width * (2 * u - 1);
        if (log(v) < log_f(z, NULL) - log_f(current, NULL)) {
            current = z;
            accepted++;
        }
        want[i] = current;
    }
    double rate = pr_metropolis(x, n, start, width, log_f, NULL, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = metropolis_formula, .rtol = 1e-9,
                .atol = 1e-9);
    assert_number(rate, (double)accepted / (double)n, .name = "acceptance rate",
                  .formula = "accepted proposals / n");
    assert_drawn(&rng, &same, "two draws an iteration, also after a rejection");
}

CASE(metropolis__accepts_by_the_density_ratio)
{
    check_metropolis(171, 200, 0, 1, log_normal);
    check_metropolis(172, 200, 5, 3, log_normal);
    check_metropolis(173, 1, -1, 0.5, log_normal);
    check_metropolis(181, 20, 1, 0, log_normal);    // accepted where it already is
}

CASE(metropolis__stays_inside_the_support)
{
    check_metropolis(174, 300, 0.5, 0.8, log_ramp);
    check_metropolis(175, 300, 0.9, 5, log_ramp);
}

CASE(metropolis__leaves_a_start_of_zero_density)
{
    check_metropolis(176, 300, 1.2, 0.6, log_ramp);
}

static double log_nan_beyond_one(double x, const void *context)
{
    (void)context;
    return fabs(x) > 1 ? NAN : 0;
}

CASE(metropolis__never_accepts_a_nan)
{
    check_metropolis(177, 100, 0, 2, log_nan_beyond_one);
}

CASE(metropolis__samples_the_normal_distribution)
{
    enum { N = 60000 };
    Rng rng = rng_from_seed(178);
    double *x = doubles_filled(N, NAN), sum = 0, squares = 0;
    pr_metropolis(x, N, 0, 4, log_normal, NULL, &rng);
    for (int i = 0; i < N; i++) sum += x[i], squares += x[i] * x[i];
    assert_number(sum / N, 0, .name = "mean", .atol = 0.08, .formula = metropolis_formula);
    assert_number(squares / N, 1, .name = "mean square", .atol = 0.1,
                  .formula = metropolis_formula);
}

CASE(metropolis__begins_at_its_own_start_at_every_call)
{
    check_metropolis(179, 20, 0, 1, log_normal);
    check_metropolis(180, 20, 3, 1, log_normal);
    check_metropolis(180, 20, -3, 1, log_normal);
}

// ---- 18: information ----

static const char information_formula[] =
    "H = -sum p ln p,  cross-entropy = -sum p ln q,  KL = sum p ln(p / q)";

static void check_information(const double *p, const double *q, size_t n, PrInformation want)
{
    double *mine = doubles_copy(p, n), *theirs = doubles_copy(q, n);
    PrInformation got = pr_information(mine, theirs, n);
    assert_number(got.entropy, want.entropy, .name = "entropy", .formula = information_formula,
                  .rtol = 1e-12, .atol = 1e-14);
    assert_number(got.cross_entropy, want.cross_entropy, .name = "cross_entropy",
                  .formula = information_formula, .rtol = 1e-12, .atol = 1e-14);
    assert_number(got.kl, want.kl, .name = "kl", .formula = information_formula, .rtol = 1e-12,
                  .atol = 1e-14);
    assert_kept("p", mine, p, n);
    assert_kept("q", theirs, q, n);
}

CASE(information__matches_coins_by_hand)
{
    const double fair[] = {0.5, 0.5}, bent[] = {0.75, 0.25};
    check_information(fair, fair, 2, (PrInformation){log(2), log(2), 0});
    check_information(fair, bent, 2, (PrInformation){log(2), log(16.0 / 3) / 2, log(4.0 / 3) / 2});
    check_information(bent, fair, 2,
                      (PrInformation){log(4) - 0.75 * log(3), log(2), 0.75 * log(3) - log(2)});
}

CASE(information__skips_terms_where_p_is_zero)
{
    check_information((double[]){1, 0, 0}, (double[]){0.5, 0.5, 0}, 3,
                      (PrInformation){0, log(2), log(2)});
    check_information((double[]){1}, (double[]){1}, 1, (PrInformation){0, 0, 0});
}

CASE(information__is_infinite_where_q_is_zero_and_p_is_not)
{
    check_information((double[]){0.5, 0.5}, (double[]){1, 0}, 2,
                      (PrInformation){log(2), INFINITY, INFINITY});
    check_information((double[]){1, 1e-20}, (double[]){1, 0}, 2,
                      (PrInformation){-1e-20 * log(1e-20), INFINITY, INFINITY});
}

CASE(information__satisfies_kl_equals_cross_entropy_minus_entropy)
{
    for (uint64_t seed = 181; seed <= 184; seed++) {
        size_t n = seed == 184 ? 1000 : 9;
        Rng rng = rng_from_seed(seed);
        double *p = numbers_uniform(&rng, n), *q = numbers_uniform(&rng, n), sum_p = 0, sum_q = 0;
        for (size_t i = 0; i < n; i++) sum_p += p[i], sum_q += q[i];
        double entropy = 0, cross = 0;
        for (size_t i = 0; i < n; i++) {
            p[i] /= sum_p, q[i] /= sum_q;
            entropy -= p[i] * log(p[i]);
            cross -= p[i] * log(q[i]);
        }
        PrInformation got = pr_information(p, q, n);
        assert_number(got.entropy, entropy, .name = "entropy", .formula = information_formula);
        assert_number(got.cross_entropy, cross, .name = "cross_entropy",
                      .formula = information_formula);
        assert_number(got.kl, cross - entropy, .name = "kl", .rtol = 1e-9,
                      .formula = "KL = cross-entropy - H");
        assert_that(got.kl >= 0, "the KL divergence is %g, expected nothing below 0", got.kl);
    }
}

CASE(information__keeps_the_digits_of_a_small_kl_divergence)
{
    // Two codes that differ by d = 2^-20: ((1 + d) ln(1 + d) + (1 - d) ln(1 - d)) / 2 = d^2 / 2 ...
    enum { N = 1024 };
    double d = 0x1p-20, *p = doubles_filled(N, 0), *q = doubles_filled(N, 1.0 / N);
    for (int i = 0; i < N; i++) p[i] = (i % 2 ? 1 + d : 1 - d) / N;
    assert_number(pr_information(p, q, N).kl, d * d / 2, .name = "kl", .rtol = 1e-6,
                  .formula = "KL = sum p ln(p / q), and not the difference of two large sums");
}

CASE(information__keeps_the_digits_where_p_is_close_to_q)
{
    // mpmath 1.3, 50 digits, of the probabilities as rounded.
    double *p = DOUBLES(0.3 + 1e-7, 0.7 - 1e-7), *q = DOUBLES(0.3, 0.7);
    assert_number(pr_information(p, q, 2).kl, 2.3865033442478756e-14, .name = "kl", .rtol = 1e-7,
                  .formula = "ln of a quotient near 1: log1p((p - q) / q)");
}

CASE(information__is_finite_where_the_quotient_overflows)
{
    double far = log(0x1p-1060);
    check_information((double[]){0.5, 0.5}, (double[]){1, 0x1p-1060}, 2,
                      (PrInformation){log(2), -far / 2, -log(2) - far / 2});
}

CASE(information__returns_nan_for_invalid_probabilities)
{
    const double fine[] = {0.5, 0.5};
    static const double wrong[][2] = {{0.5, 0.6}, {1.5, -0.5}, {0.5, NAN}, {0, 0}, {INFINITY, 0}};
    const PrInformation none = {NAN, NAN, NAN};
    for (int k = 0; k < 5; k++) {
        check_information(wrong[k], fine, 2, none);
        check_information(fine, wrong[k], 2, none);
    }
    check_information((double[]){1, 0, 0}, (double[]){0.5, 0.75, -0.25}, 3, none);
}

CASE(information__accepts_sums_within_1e_9_of_one)
{
    static const double off[] = {0.9e-9, -0.9e-9, 1.2e-9, -1.2e-9};
    for (int k = 0; k < 4; k++)
        for (int of_q = 0; of_q < 2; of_q++) {
            const double fine[] = {0.5, 0.5}, other[] = {0.5, 0.5 + off[k]};
            PrInformation got =
                of_q ? pr_information(fine, other, 2) : pr_information(other, fine, 2);
            assert_that(isnan(got.kl) == (k >= 2), "the sum is %g off: kl is %g, expected %s",
                        off[k], got.kl, k < 2 ? "a number" : "NaN");
        }
}

CASE(information__of_nothing_is_nan)
{
    PrInformation got = pr_information(DOUBLES(1), DOUBLES(1), 0);
    assert_number(got.entropy, NAN, .name = "entropy", .formula = "an empty sum is not 1");
}

CASE(information__takes_the_same_arrays_again)
{
    double *p = DOUBLES(0.5, 0.5), *q = DOUBLES(0.5, 0.5);
    pr_information(p, q, 2);
    p[0] = 1, p[1] = 0;
    PrInformation got = pr_information(p, q, 2);
    assert_number(got.entropy, 0, .name = "entropy of the second call",
                  .formula = information_formula);
    assert_number(got.kl, log(2), .name = "kl of the second call", .formula = information_formula);
}

const struct CMUnitTest chance_cases[] = {
    cmocka_unit_test(bootstrap__resamples_with_replacement),
    cmocka_unit_test(bootstrap__handles_one_number_and_zero_replicates),
    cmocka_unit_test(bootstrap__lets_the_statistic_overwrite_the_resample),
    cmocka_unit_test(bootstrap__of_the_mean_matches_its_standard_error),
    cmocka_unit_test(bootstrap__takes_the_same_array_again),
    cmocka_unit_test(integrate__is_the_width_times_the_mean_value),
    cmocka_unit_test(integrate__accepts_reversed_limits),
    cmocka_unit_test(integrate__has_no_standard_error_for_one_draw),
    cmocka_unit_test(integrate__of_a_constant_has_zero_standard_error),
    cmocka_unit_test(integrate__is_right_at_any_magnitude),
    cmocka_unit_test(integrate__has_a_calibrated_standard_error),
    cmocka_unit_test(integrate__keeps_its_digits_far_from_zero),
    cmocka_unit_test(integrate__propagates_nan),
    cmocka_unit_test(metropolis__accepts_by_the_density_ratio),
    cmocka_unit_test(metropolis__stays_inside_the_support),
    cmocka_unit_test(metropolis__leaves_a_start_of_zero_density),
    cmocka_unit_test(metropolis__never_accepts_a_nan),
    cmocka_unit_test(metropolis__samples_the_normal_distribution),
    cmocka_unit_test(metropolis__begins_at_its_own_start_at_every_call),
    cmocka_unit_test(information__matches_coins_by_hand),
    cmocka_unit_test(information__skips_terms_where_p_is_zero),
    cmocka_unit_test(information__is_infinite_where_q_is_zero_and_p_is_not),
    cmocka_unit_test(information__satisfies_kl_equals_cross_entropy_minus_entropy),
    cmocka_unit_test(information__keeps_the_digits_of_a_small_kl_divergence),
    cmocka_unit_test(information__is_finite_where_the_quotient_overflows),
    cmocka_unit_test(information__keeps_the_digits_where_p_is_close_to_q),
    cmocka_unit_test(information__returns_nan_for_invalid_probabilities),
    cmocka_unit_test(information__accepts_sums_within_1e_9_of_one),
    cmocka_unit_test(information__of_nothing_is_nan),
    cmocka_unit_test(information__takes_the_same_arrays_again),
    {0},
};
