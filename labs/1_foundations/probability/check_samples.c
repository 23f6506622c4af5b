/* Exercises 6 to 9: what a sample says. check.c says how cases are made. */
#include "labs/1_foundations/probability/check.h"
#include "labs/1_foundations/probability/nist.h"

// ---- 6: mean and variance in one pass ----

static const char moments_formula[] =
    "mean += (x - mean) / n,  squares += (x - mean before) (x - mean after)";

static void moments__of_eight_numbers_are_what_a_hand_computes(void **state)
{
    (void)state;
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(2, 4, 4, 4, 5, 5, 7, 9), 8);
    assert_integer("m.n", (int64_t)m.n, 8);
    assert_number(m.mean, 5, .name = "mean", .formula = moments_formula);
    assert_number(m.squares, 32, .name = "squares", .formula = moments_formula);
}

// Certified to 15 digits. NumAcc3 and 4 cannot be had better than their numbers are written in
// binary: 10000000.1 is off by 1e-9, and that is 1e-8 of their deviation.
static void check_nist(int which, const double *x, size_t n, double rtol)
{
    const NistValues *want = &nist_values[which];
    PrMoments m = {0};
    double *mine = doubles_copy(x, n);
    pr_moments(&m, mine, n);
    assert_number(m.mean, want->mean, .name = want->name, .rtol = 1e-14,
                  .formula = "the mean that NIST certifies");
    assert_number(sqrt(m.squares / (double)(n - 1)), want->deviation, .name = want->name,
                  .rtol = rtol,
                  .formula = "the standard deviation that NIST certifies, sqrt(squares / (n - 1))");
    assert_kept("x", mine, x, n);
}

static void moments__of_real_data_are_those_that_nist_certifies(void **state)
{
    (void)state;
    check_nist(0, nist_lottery, 218, 1e-13);
    check_nist(1, nist_lew, 200, 1e-13);
    check_nist(2, nist_mavro, 50, 1e-11);
    check_nist(3, nist_michelso, 100, 1e-11);
}

static void moments__survive_large_numbers_that_differ_little(void **state)
{
    (void)state;
    static const double rtol[] = {1e-12, 1e-9, 1e-7};
    check_nist(4, (const double[]){10000001, 10000003, 10000002}, 3, 1e-13);
    for (int k = 0; k < 3; k++) {
        double *x = doubles_filled(1001, nist_values[5 + k].mean);
        static const double low[] = {1.1, 1000000.1, 10000000.1},
                            high[] = {1.3, 1000000.3, 10000000.3};
        for (int i = 1; i < 1001; i += 2) {
            x[i] = low[k];
            x[i + 1] = high[k];
        }
        check_nist(5 + k, x, 1001, rtol[k]);
    }
}

static void moments__go_on_from_what_m_holds(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(61);
    double *x = numbers_uniform(&rng, 100), sum = 0, squares = 0;
    PrMoments m = {0};
    for (int i = 0; i < 100; i++) sum += x[i];
    for (int i = 0; i < 100; i++) squares += (x[i] - sum / 100) * (x[i] - sum / 100);
    pr_moments(&m, x, 1);
    pr_moments(&m, doubles_copy(x + 1, 30), 30);
    pr_moments(&m, x, 0);
    pr_moments(&m, doubles_copy(x + 31, 69), 69);
    assert_integer("m.n", (int64_t)m.n, 100);
    assert_number(m.mean, sum / 100, .name = "mean", .formula = moments_formula);
    assert_number(m.squares, squares, .name = "squares", .formula = moments_formula, .rtol = 1e-11);
}

static void moments__of_one_number_are_itself_and_no_spread(void **state)
{
    (void)state;
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(-3.5), 1);
    assert_number(m.mean, -3.5, .name = "mean", .formula = moments_formula);
    assert_number(m.squares, 0, .name = "squares", .formula = moments_formula);
    pr_moments(&m, DOUBLES(NAN), 1);
    assert_number(m.mean, NAN, .name = "mean", .formula = "a NaN that goes in comes out");
}

// ---- 7: quantiles ----

static const char quantile_formula[] =
    "place = (n - 1) q, on the straight line between two numbers";

static void quantile__of_a_half_is_the_median(void **state)
{
    (void)state;
    assert_number(pr_quantile(DOUBLES(1, 2, 10), 3, 0.5), 2, .name = "median of 1, 2, 10",
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(1, 2, 10, 30), 4, 0.5), 6, .name = "median of 1, 2, 10, 30",
                  .formula = quantile_formula);
}

static void quantile__goes_from_the_first_to_the_last(void **state)
{
    (void)state;
    double *x = DOUBLES(-4, 0, 1, 1, 8);
    assert_number(pr_quantile(x, 5, 0), -4, .name = "quantile 0", .formula = quantile_formula);
    assert_number(pr_quantile(x, 5, 1), 8, .name = "quantile 1", .formula = quantile_formula);
    assert_number(pr_quantile(x, 5, 0.25), 0, .name = "quantile 1/4", .formula = quantile_formula);
    assert_number(pr_quantile(x, 5, 0.125), -2, .name = "quantile 1/8",
                  .formula = quantile_formula);
    assert_number(pr_quantile(x, 5, 0.875), 4.5, .name = "quantile 7/8",
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(7), 1, 0.3), 7, .name = "any quantile of one number",
                  .formula = quantile_formula);
}

static void quantile__of_evenly_spaced_numbers_is_even(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 12; n++) {
        double *x = doubles_filled(n, 0), *before = doubles_filled(n, 0);
        for (size_t i = 0; i < n; i++) x[i] = before[i] = 10 + (double)i / (double)(n - 1);
        for (double q = 0; q <= 1; q += 1.0 / 64)
            assert_number(pr_quantile(x, n, q), 10 + q, .name = "quantile",
                          .formula = quantile_formula);
        assert_kept("sorted", x, before, n);
    }
}

static void quantile__has_no_answer_without_numbers_or_beyond_the_ends(void **state)
{
    (void)state;
    static const double wrong[] = {-0.01, 1.01, NAN};
    assert_number(pr_quantile(DOUBLES(1), 0, 0.5), NAN, .name = "quantile",
                  .formula = "NaN when n is 0");
    for (int k = 0; k < 3; k++)
        assert_number(pr_quantile(DOUBLES(1, 2, 3), 3, wrong[k]), NAN, .name = "quantile",
                      .formula = "NaN when q is not in [0,1]");
}

// ---- 8: maximum likelihood ----

static const char *const families[] = {"normal", "exponential", "Poisson"};

static void check_fit(PrFamily family, const double *x, size_t n, double a, double b,
                      double likelihood)
{
    double *mine = doubles_copy(x, n), *before = doubles_copy(x, n);
    PrFit fit = {NAN, NAN, NAN};
    assert_that(pr_fit(&fit, family, mine, n), "pr_fit, %s: got false, expected true",
                families[family]);
    assert_number(fit.a, a, .name = "a", .formula = families[family]);
    assert_number(fit.b, b, .name = "b", .formula = families[family], .rtol = 1e-12,
                  .atol = 1e-300);
    assert_number(fit.log_likelihood, likelihood, .name = "log_likelihood", .rtol = 1e-11,
                  .atol = 1e-11, .formula = "sum_i ln f(x[i])");
    assert_kept("x", mine, before, n);
}

static double log_f(PrFamily family, double x, double a, double b)
{
    if (family == PR_EXPONENTIAL) return log(a) - a * x;
    if (family == PR_POISSON) return x * log(a) - a - lgamma(x + 1);
    return -(x - a) * (x - a) / (2 * b * b) - log(b) - log(2 * acos(-1)) / 2;
}

static void fit__of_a_few_numbers_is_what_a_hand_computes(void **state)
{
    (void)state;
    // Mean 2, squared distances 8 in all; ln(0! 2! 4!) = ln 48.
    check_fit(PR_NORMAL, (double[]){0, 2, 4}, 3, 2, sqrt(8.0 / 3),
              -1.5 * (log(2 * acos(-1) * 8 / 3) + 1));
    check_fit(PR_EXPONENTIAL, (double[]){0, 2, 4}, 3, 0.5, 0, 3 * (log(0.5) - 1));
    check_fit(PR_POISSON, (double[]){0, 2, 4}, 3, 2, 0, 6 * log(2) - 6 - log(48));
}

static void fit__is_the_likeliest_of_all(void **state)
{
    (void)state;
    for (PrFamily family = PR_NORMAL; family <= PR_POISSON; family++) {
        Rng rng = rng_from_seed(81);
        double *x = numbers_uniform(&rng, 60);
        for (int i = 0; i < 60; i++)
            x[i] = family == PR_POISSON ? floor(9 * x[i]) : 3 * x[i] * x[i];
        PrFit fit;
        assert_that(pr_fit(&fit, family, x, 60), "pr_fit, %s: got false, expected true",
                    families[family]);
        for (int da = -1; da <= 1; da++)
            for (int db = -1; db <= 1; db++) {
                double sum = 0;
                for (int i = 0; i < 60; i++)
                    sum += log_f(family, x[i], fit.a * (1 + 0.01 * da), fit.b * (1 + 0.01 * db));
                assert_that(sum <= fit.log_likelihood + 1e-9,
                            "%s: a %+d %%, b %+d %% has the log-likelihood %.9g, more than %.9g",
                            families[family], da, db, sum, fit.log_likelihood);
                if (da == 0 && db == 0)
                    assert_number(fit.log_likelihood, sum, .name = "log_likelihood", .rtol = 1e-11,
                                  .formula = "sum_i ln f(x[i])");
            }
    }
}

static void fit__of_large_counts_does_not_overflow(void **state)
{
    (void)state;
    check_fit(PR_POISSON, (double[]){1000, 2000}, 2, 1500, 0,
              log_f(PR_POISSON, 1000, 1500, 0) + log_f(PR_POISSON, 2000, 1500, 0));
}

static void check_unfit(PrFamily family, const double *x, size_t n, const char *why)
{
    PrFit fit;
    assert_that(!pr_fit(&fit, family, doubles_copy(x, n), n),
                "pr_fit, %s, %s: got true, expected false", families[family], why);
}

static void fit__refuses_what_the_family_never_gives(void **state)
{
    (void)state;
    check_unfit(PR_EXPONENTIAL, (double[]){1, -0.5, 3}, 3, "a negative waiting time");
    check_unfit(PR_POISSON, (double[]){1, -1, 3}, 3, "a negative count");
    check_unfit(PR_POISSON, (double[]){1, 2.5, 3}, 3, "half a count");
    for (PrFamily family = PR_NORMAL; family <= PR_POISSON; family++) {
        check_unfit(family, (double[]){1, NAN, 3}, 3, "a NaN");
        check_unfit(family, (double[]){1, INFINITY, 3}, 3, "an infinity");
        check_unfit(family, (double[]){1}, 0, "no number at all");
    }
}

static void fit__refuses_where_the_likelihood_has_no_top(void **state)
{
    (void)state;
    check_unfit(PR_NORMAL, (double[]){3, 3, 3}, 3, "three equal numbers");
    check_unfit(PR_NORMAL, (double[]){3}, 1, "one number");
    check_unfit(PR_EXPONENTIAL, (double[]){0, 0}, 2, "only zeros");
    check_unfit(PR_POISSON, (double[]){0, 0}, 2, "only zeros");
}

// ---- 9: Bayes ----

static const char update_formula[] = "ln B(a + heads, b + tails) - ln B(a, b)";

static void update__counts_heads_and_tails(void **state)
{
    (void)state;
    PrBeta belief = {2, 3.5};
    pr_update(&belief, 4, 1);
    assert_number(belief.a, 6, .name = "a", .formula = "a grows by the heads");
    assert_number(belief.b, 4.5, .name = "b", .formula = "b grows by the tails");
}

static void update__of_a_first_toss_has_the_probability_a_half(void **state)
{
    (void)state;
    PrBeta even = {1, 1}, bent = {3, 1};
    assert_number(pr_update(&even, 1, 0), log(0.5), .name = "evidence", .formula = update_formula);
    assert_number(pr_update(&bent, 0, 1), log(0.25), .name = "evidence of a tail after Beta(3,1)",
                  .formula = update_formula);
}

static void update__of_all_tosses_at_once_is_the_same_as_of_each(void **state)
{
    (void)state;
    PrBeta together = {0.5, 2}, apart = {0.5, 2};
    double sum = 0, all = pr_update(&together, 7, 5);
    for (int i = 0; i < 12; i++)
        sum += pr_update(&apart, i % 2 == 0 || i == 1, !(i % 2 == 0 || i == 1));
    assert_number(all, sum, .name = "evidence", .rtol = 1e-11, .formula = update_formula);
    assert_number(together.a, apart.a, .name = "a", .formula = update_formula);
    assert_number(together.b, apart.b, .name = "b", .formula = update_formula);
    assert_number(pr_update(&together, 0, 0), 0, .name = "evidence of no toss", .atol = 1e-12,
                  .formula = update_formula);
}

static void update__of_thousands_does_not_overflow(void **state)
{
    (void)state;
    // Under a flat belief every number of heads is equally likely: n heads have 1 / (n + 1).
    PrBeta belief = {1, 1};
    assert_number(pr_update(&belief, 5000, 0), -log(5001), .name = "evidence", .rtol = 1e-9,
                  .formula = update_formula);
}

const struct CMUnitTest sample_cases[] = {
    cmocka_unit_test(moments__of_eight_numbers_are_what_a_hand_computes),
    cmocka_unit_test(moments__of_real_data_are_those_that_nist_certifies),
    cmocka_unit_test(moments__survive_large_numbers_that_differ_little),
    cmocka_unit_test(moments__go_on_from_what_m_holds),
    cmocka_unit_test(moments__of_one_number_are_itself_and_no_spread),
    cmocka_unit_test(quantile__of_a_half_is_the_median),
    cmocka_unit_test(quantile__goes_from_the_first_to_the_last),
    cmocka_unit_test(quantile__of_evenly_spaced_numbers_is_even),
    cmocka_unit_test(quantile__has_no_answer_without_numbers_or_beyond_the_ends),
    cmocka_unit_test(fit__of_a_few_numbers_is_what_a_hand_computes),
    cmocka_unit_test(fit__is_the_likeliest_of_all),
    cmocka_unit_test(fit__of_large_counts_does_not_overflow),
    cmocka_unit_test(fit__refuses_what_the_family_never_gives),
    cmocka_unit_test(fit__refuses_where_the_likelihood_has_no_top),
    cmocka_unit_test(update__counts_heads_and_tails),
    cmocka_unit_test(update__of_a_first_toss_has_the_probability_a_half),
    cmocka_unit_test(update__of_all_tosses_at_once_is_the_same_as_of_each),
    cmocka_unit_test(update__of_thousands_does_not_overflow),
    {0},
};
