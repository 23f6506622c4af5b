/* Exercises 6 to 9: estimation. check.c says how cases are made. */
#include "labs/1_foundations/probability/check.h"
#include "labs/1_foundations/probability/nist.h"

// ---- 6: Welford's moments ----

static const char moments_formula[] =
    "mean += (x - mean) / n,  squares += (x - old mean) (x - new mean)";

CASE(moments__match_eight_numbers_by_hand)
{
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(2, 4, 4, 4, 5, 5, 7, 9), 8);
    assert_integer("m.n", (int64_t)m.n, 8);
    assert_number(m.mean, 5, .name = "mean", .formula = moments_formula);
    assert_number(m.squares, 32, .name = "squares", .formula = moments_formula);
}

// Certified to 15 digits. NumAcc3 and 4 are limited by the rounding of their numbers to binary:
// 10000000.1 is off by 1e-9, which is 1e-8 of their standard deviation.
static void check_nist(int which, const double *x, size_t n, double rtol)
{
    const NistValues *want = &nist_values[which];
    PrMoments m = {0};
    double *mine = doubles_copy(x, n);
    pr_moments(&m, mine, n);
    assert_number(m.mean, want->mean, .name = want->name, .rtol = 1e-14,
                  .formula = "the mean certified by NIST");
    assert_number(sqrt(m.squares / (double)(n - 1)), want->sd, .name = want->name, .rtol = rtol,
                  .formula = "the standard deviation certified by NIST, sqrt(squares / (n - 1))");
    assert_kept("x", mine, x, n);
}

CASE(moments__match_nist_certified_values)
{
    check_nist(0, nist_lottery, 218, 1e-13);
    check_nist(1, nist_lew, 200, 1e-13);
    check_nist(2, nist_mavro, 50, 1e-11);
    check_nist(3, nist_michelso, 100, 1e-11);
}

CASE(moments__survive_catastrophic_cancellation)
{
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

CASE(moments__continue_from_earlier_calls)
{
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

CASE(moments__of_one_number_have_zero_squares)
{
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(-3.5), 1);
    assert_number(m.mean, -3.5, .name = "mean", .formula = moments_formula);
    assert_number(m.squares, 0, .name = "squares", .formula = moments_formula);
    pr_moments(&m, DOUBLES(NAN), 1);
    assert_number(m.mean, NAN, .name = "mean", .formula = "a NaN in the input gives NaN");
}

CASE(moments__of_nothing_change_nothing)
{
    PrMoments m = {0}, held = {7, 2.5, 30};
    pr_moments(&m, DOUBLES(1), 0);
    assert_integer("m.n", (int64_t)m.n, 0);
    assert_number(m.mean, 0, .name = "mean of nothing", .exact = true, .formula = moments_formula);
    assert_number(m.squares, 0, .name = "squares", .exact = true, .formula = moments_formula);
    pr_moments(&held, DOUBLES(1), 0);
    assert_number(held.mean, 2.5, .name = "mean of seven numbers and none more", .exact = true,
                  .formula = moments_formula);
}

CASE(moments__of_two_samples_in_turns)
{
    PrMoments one = {0}, other = {0};
    for (int i = 0; i < 4; i++) {
        pr_moments(&one, DOUBLES(i), 1);
        pr_moments(&other, DOUBLES(100 - 3 * i, 100), 2);
    }
    assert_number(one.mean, 1.5, .name = "mean", .formula = moments_formula);
    assert_number(one.squares, 5, .name = "squares", .formula = moments_formula);
    assert_number(other.mean, 97.75, .name = "mean of the other", .formula = moments_formula);
}

CASE(moments__count_more_than_an_int)
{
    PrMoments m = {5000000000, 1, 2};
    pr_moments(&m, DOUBLES(5000000002), 1);
    assert_that(m.n == 5000000001, "m.n is %zu, expected 5000000001", m.n);
    assert_number(m.mean, 2, .name = "mean", .formula = moments_formula);
}

CASE(moments__of_equal_numbers_have_zero_squares)
{
    // 0.1 + 0.1 + 0.1 is not 3 times 0.1: the mean as sum / n is not 0.1.
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(0.1, 0.1, 0.1), 3);
    assert_number(m.mean, 0.1, .name = "mean", .exact = true, .formula = moments_formula);
    assert_number(m.squares, 0, .name = "squares", .exact = true, .formula = moments_formula);
}

CASE(moments__have_a_finite_mean_where_a_difference_overflows)
{
    PrMoments m = {0};
    pr_moments(&m, DOUBLES(1e308, 1e308, -1e308), 3);
    assert_number(m.mean, 1e308 / 3, .name = "mean of 1e308, 1e308, -1e308", .rtol = 1e-13,
                  .formula = "between the smallest and the largest number");
}

// ---- 7: quantiles ----

static const char quantile_formula[] =
    "position = (n - 1) q, linear interpolation between two numbers";

CASE(quantile__one_half_is_the_median)
{
    assert_number(pr_quantile(DOUBLES(1, 2, 10), 3, 0.5), 2, .name = "median of 1, 2, 10",
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(1, 2, 10, 30), 4, 0.5), 6, .name = "median of 1, 2, 10, 30",
                  .formula = quantile_formula);
}

CASE(quantile__runs_from_minimum_to_maximum)
{
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

CASE(quantile__interpolates_linearly)
{
    for (size_t n = 2; n <= 12; n++) {
        double *x = doubles_filled(n, 0), *before = doubles_filled(n, 0);
        for (size_t i = 0; i < n; i++) x[i] = before[i] = 10 + (double)i / (double)(n - 1);
        for (double q = 0; q <= 1; q += 1.0 / 64)
            assert_number(pr_quantile(x, n, q), 10 + q, .name = "quantile",
                          .formula = quantile_formula);
        assert_kept("sorted", x, before, n);
    }
}

CASE(quantile__returns_nan_without_numbers_or_for_invalid_q)
{
    static const double wrong[] = {-0.01, 1.01, NAN};
    assert_number(pr_quantile(DOUBLES(1), 0, 0.5), NAN, .name = "quantile",
                  .formula = "NaN when n is 0");
    for (int k = 0; k < 3; k++)
        assert_number(pr_quantile(DOUBLES(1, 2, 3), 3, wrong[k]), NAN, .name = "quantile",
                      .formula = "NaN when q is not in [0,1]");
}

CASE(quantile__takes_the_same_array_again)
{
    double *x = DOUBLES(1, 2, 10);
    pr_quantile(x, 3, 0.75);
    x[2] = 4;
    assert_number(pr_quantile(x, 3, 0.75), 3, .name = "quantile of the second call",
                  .formula = quantile_formula);
}

CASE(quantile__propagates_nan)
{
    assert_number(pr_quantile(DOUBLES(1, NAN, NAN), 3, 0.75), NAN, .name = "quantile",
                  .formula = "between two NaN");
    assert_number(pr_quantile(DOUBLES(NAN), 1, 1), NAN, .name = "quantile", .formula = "of a NaN");
}

CASE(quantile__computes_its_position_in_double)
{
    double *x = DOUBLES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    for (int k = 0; k <= 100; k += 7)
        assert_number(pr_quantile(x, 11, k / 100.0), k / 10.0, .name = "quantile of 0, 1, ... 10",
                      .formula = quantile_formula);
}

CASE(quantile__interpolates_close_to_a_number)
{
    assert_number(pr_quantile(DOUBLES(0, 1e9), 2, 1e-7), 100, .name = "1e-7-quantile of 0, 1e9",
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(-1e9, 0), 2, 1 - 0x1p-24), -1e9 * 0x1p-24,
                  .name = "quantile of -1e9, 0 at 1 - 2^-24", .formula = quantile_formula);
}

CASE(quantile__gives_no_weight_to_the_next_number_at_a_whole_position)
{
    assert_number(pr_quantile(DOUBLES(1, INFINITY), 2, 0), 1, .name = "minimum of 1, infinity",
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(-INFINITY, 1, 3), 3, 0.5), 1,
                  .name = "median of -infinity, 1, 3", .formula = quantile_formula);
}

CASE(quantile__interpolates_between_huge_and_infinite_numbers)
{
    assert_number(pr_quantile(DOUBLES(-1.5e308, 1.5e308), 2, 0.75), 0.75e308,
                  .name = "quantile 3/4 of -1.5e308, 1.5e308", .rtol = 1e-14,
                  .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(-INFINITY, -INFINITY), 2, 0.5), -INFINITY,
                  .name = "median of -infinity, -infinity", .formula = quantile_formula);
    assert_number(pr_quantile(DOUBLES(1, INFINITY), 2, 0.5), INFINITY,
                  .name = "median of 1, infinity", .formula = quantile_formula);
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

CASE(fit__matches_three_numbers_by_hand)
{
    // Mean 2, squared distances 8 in all; ln(0! 2! 4!) = ln 48.
    check_fit(PR_NORMAL, (double[]){0, 2, 4}, 3, 2, sqrt(8.0 / 3),
              -1.5 * (log(2 * acos(-1) * 8 / 3) + 1));
    check_fit(PR_EXPONENTIAL, (double[]){0, 2, 4}, 3, 0.5, 0, 3 * (log(0.5) - 1));
    check_fit(PR_POISSON, (double[]){0, 2, 4}, 3, 2, 0, 6 * log(2) - 6 - log(48));
}

CASE(fit__maximizes_the_likelihood)
{
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

CASE(fit__of_large_counts_does_not_overflow)
{
    check_fit(PR_POISSON, (double[]){1000, 2000}, 2, 1500, 0,
              log_f(PR_POISSON, 1000, 1500, 0) + log_f(PR_POISSON, 2000, 1500, 0));
}

CASE(fit__is_right_at_any_magnitude)
{
    const double sizes[] = {1e200, 1e-200, 1e300, 1e-300};
    for (int k = 0; k < 4; k++) {
        double f = sizes[k], spread = -2 * (log(f) + log(2 * acos(-1)) / 2 + 0.5);
        check_fit(PR_NORMAL, (double[]){f, -f}, 2, 0, f, spread);
        check_fit(PR_NORMAL, (double[]){4 * f, 2 * f}, 2, 3 * f, f, spread);
        check_fit(PR_EXPONENTIAL, (double[]){4 * f, 2 * f}, 2, 1 / (3 * f), 0,
                  -2 * (log(3 * f) + 1));
    }
}

static void check_unfit(PrFamily family, const double *x, size_t n, const char *why)
{
    PrFit fit;
    assert_that(!pr_fit(&fit, family, doubles_copy(x, n), n),
                "pr_fit, %s, %s: got true, expected false", families[family], why);
}

CASE(fit__refuses_data_outside_the_support)
{
    check_unfit(PR_EXPONENTIAL, (double[]){1, -0.5, 3}, 3, "a negative waiting time");
    check_unfit(PR_POISSON, (double[]){1, -1, 3}, 3, "a negative count");
    check_unfit(PR_POISSON, (double[]){1, 2.5, 3}, 3, "a fractional count");
    check_unfit(PR_POISSON, (double[]){1, 2 + 1e-9, 3}, 3, "a count of 2.000000001");
    for (PrFamily family = PR_NORMAL; family <= PR_POISSON; family++) {
        check_unfit(family, (double[]){1, NAN, 3}, 3, "a NaN");
        check_unfit(family, (double[]){1, INFINITY, 3}, 3, "an infinity");
        check_unfit(family, (double[]){1}, 0, "an empty sample");
    }
}

CASE(fit__refuses_a_likelihood_without_a_maximum)
{
    check_unfit(PR_NORMAL, (double[]){3, 3, 3}, 3, "three equal numbers");
    check_unfit(PR_NORMAL, (double[]){3}, 1, "one number");
    check_unfit(PR_EXPONENTIAL, (double[]){0, 0}, 2, "only zeros");
    check_unfit(PR_POISSON, (double[]){0, 0}, 2, "only zeros");
}

CASE(fit__keeps_its_digits_far_from_zero)
{
    // Mean 1e9 + 1, squared distances 2 in all: sums of squares near 1e18 have no digit left.
    check_fit(PR_NORMAL, (double[]){1e9, 1e9 + 1, 1e9 + 2}, 3, 1e9 + 1, sqrt(2.0 / 3),
              -1.5 * (log(2 * acos(-1) * 2 / 3) + 1));
}

CASE(fit__refuses_equal_numbers_that_binary_cannot_hold)
{
    check_unfit(PR_NORMAL, (double[]){0.1, 0.1, 0.1}, 3, "three times 0.1");
    double *x = doubles_filled(10, 0.7);
    check_unfit(PR_NORMAL, x, 10, "ten times 0.7");
}

CASE(fit__takes_counts_above_an_int)
{
    PrFit fit = {NAN, NAN, NAN};
    assert_boolean("pr_fit, Poisson, counts of 3e9",
                   pr_fit(&fit, PR_POISSON, DOUBLES(3e9, 3e9 + 2), 2), true);
    assert_number(fit.a, 3e9 + 1, .name = "a", .formula = families[PR_POISSON]);
    check_unfit(PR_POISSON, (double[]){3e9 + 0.5, 1}, 2, "a fractional count above an int");
}

CASE(fit__keeps_the_digits_of_the_likelihood_of_large_counts)
{
    // mpmath 1.3, 60 digits. x ln a, a and ln x! are 1e10 to 1e17 each.
    static const struct {
        double x[3];
        size_t n;
        double mean, likelihood;
    } counts[] = {{{1e9 - 30000, 1e9, 1e9 + 30000}, 3, 1e9, -34.741714354968635},
                  {{1e12 - 1e6, 1e12 + 1e6}, 2, 1e12, -30.468898182337727},
                  {{9e15}, 1, 9e15, -19.286939019328125},
                  {{0, 2e9}, 2, 1e9, -1386294372.7470357},
                  {{100, 140}, 2, 120, -9.9616514347673821}};
    for (int k = 0; k < 5; k++) {
        PrFit fit = {NAN, NAN, NAN};
        assert_boolean("pr_fit, Poisson", pr_fit(&fit, PR_POISSON, counts[k].x, counts[k].n), true);
        assert_number(fit.a, counts[k].mean, .name = "a", .formula = families[PR_POISSON]);
        assert_number(fit.log_likelihood, counts[k].likelihood, .name = "log_likelihood",
                      .rtol = 1e-10, .atol = 1e-10,
                      .formula = "the sum of pr_log_poisson(): x ln a - a - ln x! cancels");
    }
}

CASE(fit__forgets_earlier_calls)
{
    check_fit(PR_EXPONENTIAL, (double[]){1, 3}, 2, 0.5, 0, 2 * (log(0.5) - 1));
    check_fit(PR_EXPONENTIAL, (double[]){4, 4}, 2, 0.25, 0, 2 * (log(0.25) - 1));
    check_fit(PR_EXPONENTIAL, (double[]){4}, 1, 0.25, 0, log(0.25) - 1);
}

CASE(fit__refuses_what_is_not_finite_wherever_it_is)
{
    static const double wrong[] = {NAN, INFINITY};
    for (PrFamily family = PR_NORMAL; family <= PR_POISSON; family++)
        for (int at = 0; at < 3; at++)
            for (int k = 0; k < 2; k++) {
                double *x = DOUBLES(1, 2, 3);
                x[at] = wrong[k];
                check_unfit(family, x, 3, k == 0 ? "a NaN" : "an infinity");
                check_unfit(family, &wrong[k], 1, "nothing that is finite");
            }
}

// ---- 9: Bayesian updating ----

static const char update_formula[] = "log evidence = ln B(a + heads, b + tails) - ln B(a, b)";

CASE(update__adds_heads_and_tails_to_the_prior)
{
    PrBeta beta = {2, 3.5};
    pr_update(&beta, 4, 1);
    assert_number(beta.a, 6, .name = "a", .formula = "a grows by the heads");
    assert_number(beta.b, 4.5, .name = "b", .formula = "b grows by the tails");
}

CASE(update__returns_the_log_evidence_of_one_toss)
{
    PrBeta uniform = {1, 1}, skewed = {3, 1};
    assert_number(pr_update(&uniform, 1, 0), log(0.5), .name = "log evidence",
                  .formula = update_formula);
    assert_number(pr_update(&skewed, 0, 1), log(0.25),
                  .name = "log evidence of tails under Beta(3,1)", .formula = update_formula);
    PrBeta weak = {1e-200, 1};
    assert_number(pr_update(&weak, 1, 0), log(1e-200),
                  .name = "log evidence of heads under Beta(1e-200,1)", .formula = update_formula);
}

CASE(update__of_all_tosses_equals_one_toss_at_a_time)
{
    PrBeta together = {0.5, 2}, apart = {0.5, 2};
    double sum = 0, all = pr_update(&together, 7, 5);
    for (int i = 0; i < 12; i++)
        sum += pr_update(&apart, i % 2 == 0 || i == 1, !(i % 2 == 0 || i == 1));
    assert_number(all, sum, .name = "log evidence", .rtol = 1e-11, .formula = update_formula);
    assert_number(together.a, apart.a, .name = "a", .formula = update_formula);
    assert_number(together.b, apart.b, .name = "b", .formula = update_formula);
    assert_number(pr_update(&together, 0, 0), 0, .name = "log evidence of no toss", .atol = 1e-12,
                  .formula = update_formula);
}

CASE(update__of_thousands_of_tosses_does_not_overflow)
{
    // Under a uniform prior every number of heads is equally likely: n heads have 1 / (n + 1).
    PrBeta beta = {1, 1};
    assert_number(pr_update(&beta, 5000, 0), -log(5001), .name = "log evidence", .rtol = 1e-9,
                  .formula = update_formula);
}

CASE(update__uses_the_prior_that_beta_holds_now)
{
    PrBeta beta = {1, 1};
    pr_update(&beta, 1, 0);
    beta = (PrBeta){3, 1};
    assert_number(pr_update(&beta, 0, 1), log(0.25), .name = "log evidence of tails, Beta(3,1)",
                  .formula = update_formula);
}

CASE(update__of_billions_of_tosses_does_not_overflow)
{
    // heads + tails exceeds an int. ln B(n,n) is nearly -2 n ln 2.
    PrBeta beta = {1, 1};
    double got = pr_update(&beta, 2000000000, 2000000000);
    assert_number(got, -4e9 * log(2), .name = "log evidence", .rtol = 1e-7,
                  .formula = update_formula);
    assert_number(beta.a + beta.b, 4000000002, .name = "a + b", .formula = update_formula);
}

CASE(update__keeps_the_digits_under_a_strong_prior)
{
    // ln B(a + heads, b + tails) - ln B(a, b) in 50 digits: each ln B is about 1e10.
    PrBeta strong = {1e10, 1e10}, skewed = {1e10, 3e10}, weak = {1e-8, 1e-8};
    assert_number(pr_update(&strong, 1, 0), -0.69314718055994531, .name = "log evidence",
                  .rtol = 1e-10, .formula = update_formula);
    assert_number(pr_update(&skewed, 2, 5), -4.2109990845903525, .name = "log evidence",
                  .rtol = 1e-10, .formula = update_formula);
    assert_number(pr_update(&weak, 1, 1), -19.113827944512311, .name = "log evidence",
                  .rtol = 1e-10, .formula = update_formula);
}

CASE(update__keeps_the_digits_of_billions_of_tosses)
{
    // mpmath 1.3, 60 digits.
    static const struct {
        double a, b;
        int heads, tails;
        double evidence;
    } tosses[] = {{1, 1, 2000000000, 0, -21.416413018006357},    // -ln(n + 1)
                  {1, 1, 0, 2000000000, -21.416413018006357},
                  {1, 1, 3, 2000000000, -83.873892605797371},
                  {0.5, 0.5, 1000000000, 7, -149.03485945431375},
                  {0.001, 2, 2000000000, 2000000000, -2772588739.9762189},
                  {1e15, 1e6, 1000000, 0, -0.000999999999000000501}};
    for (int k = 0; k < 6; k++) {
        PrBeta beta = {tosses[k].a, tosses[k].b};
        assert_number(pr_update(&beta, tosses[k].heads, tosses[k].tails), tosses[k].evidence,
                      .name = "log evidence", .rtol = 1e-10, .atol = 1e-10,
                      .formula = update_formula);
    }
}

const struct CMUnitTest sample_cases[] = {
    cmocka_unit_test(moments__match_eight_numbers_by_hand),
    cmocka_unit_test(moments__match_nist_certified_values),
    cmocka_unit_test(moments__survive_catastrophic_cancellation),
    cmocka_unit_test(moments__continue_from_earlier_calls),
    cmocka_unit_test(moments__of_one_number_have_zero_squares),
    cmocka_unit_test(moments__of_nothing_change_nothing),
    cmocka_unit_test(moments__of_two_samples_in_turns),
    cmocka_unit_test(moments__count_more_than_an_int),
    cmocka_unit_test(moments__of_equal_numbers_have_zero_squares),
    cmocka_unit_test(moments__have_a_finite_mean_where_a_difference_overflows),
    cmocka_unit_test(quantile__one_half_is_the_median),
    cmocka_unit_test(quantile__runs_from_minimum_to_maximum),
    cmocka_unit_test(quantile__interpolates_linearly),
    cmocka_unit_test(quantile__returns_nan_without_numbers_or_for_invalid_q),
    cmocka_unit_test(quantile__takes_the_same_array_again),
    cmocka_unit_test(quantile__propagates_nan),
    cmocka_unit_test(quantile__computes_its_position_in_double),
    cmocka_unit_test(quantile__interpolates_close_to_a_number),
    cmocka_unit_test(quantile__interpolates_between_huge_and_infinite_numbers),
    cmocka_unit_test(quantile__gives_no_weight_to_the_next_number_at_a_whole_position),
    cmocka_unit_test(fit__matches_three_numbers_by_hand),
    cmocka_unit_test(fit__maximizes_the_likelihood),
    cmocka_unit_test(fit__of_large_counts_does_not_overflow),
    cmocka_unit_test(fit__is_right_at_any_magnitude),
    cmocka_unit_test(fit__refuses_data_outside_the_support),
    cmocka_unit_test(fit__refuses_a_likelihood_without_a_maximum),
    cmocka_unit_test(fit__keeps_its_digits_far_from_zero),
    cmocka_unit_test(fit__refuses_equal_numbers_that_binary_cannot_hold),
    cmocka_unit_test(fit__takes_counts_above_an_int),
    cmocka_unit_test(fit__keeps_the_digits_of_the_likelihood_of_large_counts),
    cmocka_unit_test(fit__forgets_earlier_calls),
    cmocka_unit_test(fit__refuses_what_is_not_finite_wherever_it_is),
    cmocka_unit_test(update__adds_heads_and_tails_to_the_prior),
    cmocka_unit_test(update__returns_the_log_evidence_of_one_toss),
    cmocka_unit_test(update__of_all_tosses_equals_one_toss_at_a_time),
    cmocka_unit_test(update__of_thousands_of_tosses_does_not_overflow),
    cmocka_unit_test(update__uses_the_prior_that_beta_holds_now),
    cmocka_unit_test(update__of_billions_of_tosses_does_not_overflow),
    cmocka_unit_test(update__keeps_the_digits_under_a_strong_prior),
    cmocka_unit_test(update__keeps_the_digits_of_billions_of_tosses),
    {0},
};
