/* check_gsl.c -- the reference held against the GNU Scientific Library, on fine grids.
 *
 * Built where GSL is. What is asked for, of a part that is above 1e-8: a relative error of 1e-10
 * (of 1e-13 a where a is above 1000, as probability.h says);
 * of a smaller one, down to 1e-250: 1e-8. GSL's own Student tails are
 * worse: P(|T| > 8.3668255425284688) for 30.287510659225322 degrees of freedom is
 * 2.2667329116471027e-09 in quadruple precision; the reference agrees to 14 digits, gsl_cdf_tdist_Q
 * of 2.7 to 9, and further out to fewer. There GSL's beta function is asked instead. check_tests.c
 * has more values in quadruple precision.
 */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf.h>
#include <gsl/gsl_statistics_double.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "labs/1_foundations/probability/probability.h"
#include "tests/facts.h"

#define LEAST 1e-250

static void assert_part(double got, double want, const char *what, double a, double b, double x)
{
    if (want < LEAST) return;
    double rtol = (want > 1e-8 ? 1e-10 : 1e-8) * fmax(1, (a + b) / 1000);
    if (!(fabs(got - want) <= rtol * want))
        fail_msg("%s(%.9g, %.9g, %.9g): got %.17g, GSL has %.17g: off by %.2g", what, a, b, x, got,
                 want, fabs(got / want - 1));
}

static void both_gamma_parts_agree(void **state)
{
    (void)state;
    for (double a = 0.05; a < 2e4; a *= 1.23)
        for (double t = -30; t < 30; t += 0.37) {
            double x = a + t * sqrt(a), lower, upper;
            if (x <= 0) continue;
            pr_gamma(&lower, &upper, a, x);
            assert_part(lower, gsl_sf_gamma_inc_P(a, x), "lower gamma", a, 0, x);
            assert_part(upper, gsl_sf_gamma_inc_Q(a, x), "upper gamma", a, 0, x);
        }
}

static void both_beta_parts_agree(void **state)
{
    (void)state;
    for (double a = 0.05; a < 1e4; a *= 1.7)
        for (double b = 0.05; b < 1e4; b *= 1.7)
            for (double x = 0.001; x < 1; x += 0.0173) {
                double lower, upper;
                pr_beta(&lower, &upper, a, b, x);
                assert_part(lower, gsl_cdf_beta_P(x, a, b), "lower beta", a, b, x);
                assert_part(upper, gsl_cdf_beta_Q(x, a, b), "upper beta", a, b, x);
            }
}

// P(|T| > t), from the tail that keeps the digits.
static double gsl_tails(double t, double df)
{
    double square = t * t;
    return square < df ? gsl_cdf_beta_Q(square / (df + square), 0.5, df / 2)
                       : gsl_cdf_beta_P(df / (df + square), df / 2, 0.5);
}

static void students_tails_and_critical_values_agree(void **state)
{
    (void)state;
    double exact = 2.2667329116471027e-09;
    assert_close(pr_student_tails(8.3668255425284688, 30.287510659225322) / exact, 1, 1e-12);
    for (double df = 1; df < 2e4; df *= 1.3) {
        for (double t = 0.0001; t < 200; t *= 1.4) {
            double got = pr_student_tails(t, df);
            if (got > 1e-6) assert_part(got, 2 * gsl_cdf_tdist_Q(t, df), "tails", df, 0, t);
            assert_part(got, gsl_tails(t, df), "tails", df, 0, t);
        }
        for (double rest = 0.9; rest > 1e-6; rest *= 0.7)
            assert_part(pr_student_critical(1 - rest, df), gsl_cdf_tdist_Qinv(rest / 2, df),
                        "critical", df, 0, 1 - rest);
    }
}

static void p_values_of_tests_agree(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(1);
    for (int k = 0; k < 300; k++) {
        double x[12], y[9], observed[6], expected[6];
        size_t n = 2 + (size_t)k % 11, m = 2 + (size_t)k % 8;
        pr_normal(x, n, 0, 1, &rng);
        pr_normal(y, m, 0.3 * (k % 5), 2, &rng);
        PrTest test;
        assert_true(pr_t_test(&test, x, n, y, m, 0));
        double vx = gsl_stats_variance(x, 1, n) / (double)n,
               vy = gsl_stats_variance(y, 1, m) / (double)m;
        double t = (gsl_stats_mean(x, 1, n) - gsl_stats_mean(y, 1, m)) / sqrt(vx + vy);
        double df = (vx + vy) * (vx + vy) / (vx * vx / (double)(n - 1) + vy * vy / (double)(m - 1));
        assert_part(test.p, gsl_tails(t, df), "Welch", df, 0, t);

        double sum = 0, all = 0;
        size_t cells = 2 + (size_t)k % 5;
        for (size_t c = 0; c < cells; c++) {
            expected[c] = 10;
            observed[c] = 8 + (double)rng_below(&rng, 5);
            all += observed[c];
        }
        for (size_t c = 0; c < cells; c++) {
            expected[c] = all / (double)cells;
            sum += (observed[c] - expected[c]) * (observed[c] - expected[c]) / expected[c];
        }
        assert_true(pr_chi_square(&test, observed, expected, cells, 0));
        assert_part(test.p, gsl_cdf_chisq_Q(sum, (double)cells - 1), "chi-square", sum,
                    (double)cells, k);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summaries_agree(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(2);
    double x[101];
    for (size_t n = 2; n <= 101; n += 3) {
        PrMoments m = {0};
        pr_normal(x, n, 1e4, 1, &rng);
        pr_moments(&m, x, n);
        assert_part(m.mean, gsl_stats_mean(x, 1, n), "mean", (double)n, 0, 0);
        assert_part(pr_variance(&m), gsl_stats_variance(x, 1, n), "variance", (double)n, 0, 0);
        qsort(x, n, sizeof *x, by_size);
        for (double q = 0; q <= 1; q += 0.0371)
            assert_part(pr_quantile(x, n, q), gsl_stats_quantile_from_sorted_data(x, 1, n, q),
                        "quantile", (double)n, 0, q);
    }
}

static void likelihoods_and_evidence_agree(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(3);
    double x[50];
    PrFit fit;
    for (PrFamily family = PR_NORMAL; family <= PR_POISSON; family++) {
        double sum = 0;
        pr_exponential(x, 50, 0.2, &rng);
        for (int i = 0; i < 50 && family == PR_POISSON; i++) x[i] = floor(x[i]);
        assert_true(pr_fit(&fit, family, x, 50));
        for (int i = 0; i < 50; i++)
            sum += log(family == PR_NORMAL        ? gsl_ran_gaussian_pdf(x[i] - fit.a, fit.b)
                       : family == PR_EXPONENTIAL ? gsl_ran_exponential_pdf(x[i], 1 / fit.a)
                                                  : gsl_ran_poisson_pdf((unsigned)x[i], fit.a));
        assert_part(-fit.log_likelihood, -sum, "likelihood", (double)family, 0, 0);
    }
    for (int k = 0; k < 200; k += 7) {
        PrBeta beta = {0.5 + k % 3, 2};
        double want = gsl_sf_lnbeta(beta.a, beta.b) - gsl_sf_lnbeta(beta.a + k, beta.b + 10);
        assert_part(-pr_update(&beta, k, 10), want, "evidence", k, 10, 0);
    }
}

// The p-value of the Kolmogorov-Smirnov test, by its asymptotic series.
static double kolmogorov_p(double *x, size_t n, double (*cdf)(double))
{
    double distance = 0, p = 0;
    qsort(x, n, sizeof *x, by_size);
    for (size_t i = 0; i < n; i++) {
        double f = cdf(x[i]);
        distance = fmax(distance, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    for (int k = 1; k < 100; k++)
        p += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * distance * distance * (double)n);
    return p;
}

static double exponential_cdf(double x)
{
    return gsl_cdf_exponential_P(x, 0.5);
}

static double normal_cdf(double x)
{
    return gsl_cdf_gaussian_P(x - 3, 2);
}

static void samples_have_their_distributions(void **state)
{
    (void)state;
    static double x[20000];
    double least = 1;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Rng rng = rng_from_seed(seed);
        pr_exponential(x, 20000, 2, &rng);
        least = fmin(least, kolmogorov_p(x, 20000, exponential_cdf));
        pr_normal(x, 20000, 3, 2, &rng);
        least = fmin(least, kolmogorov_p(x, 20000, normal_cdf));
    }
    if (!(least > 1e-4)) fail_msg("the least of 40 p-values is %.2g", least);
}

int main(void)
{
    gsl_set_error_handler_off();    // an underflow is an answer
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_gamma_parts_agree),
        cmocka_unit_test(both_beta_parts_agree),
        cmocka_unit_test(students_tails_and_critical_values_agree),
        cmocka_unit_test(p_values_of_tests_agree),
        cmocka_unit_test(summaries_agree),
        cmocka_unit_test(likelihoods_and_evidence_agree),
        cmocka_unit_test(samples_have_their_distributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
