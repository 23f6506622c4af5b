/* Exercises 11 to 14: Taylor polynomials, quadrature, a Lagrange multiplier. check.c says how cases are made. */
#include <math.h>
#include "labs/1_foundations/calculus/check.h"
#include "tests/guarded.h"

// ---- 11: Taylor polynomials ----

static const char taylor_formula[] = "sum_k derivative[k] h^k / k!, k = 0..degree";

static void taylor__of_degree_0_is_the_value(void **state)
{
    (void)state;
    assert_number(calc_taylor(DOUBLES(7), 0, 3), 7, .name = "sum", .formula = taylor_formula);
}

static void taylor__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    // 1 + 2 h + 3 h^2/2 + 4 h^3/6 at h = 3, -3 and 0.
    double *d = DOUBLES(1, 2, 3, 4), *before = doubles_copy(d, 4);
    assert_number(calc_taylor(d, 3, 3), 1 + 6 + 13.5 + 18, .name = "at 3",
                  .formula = taylor_formula);
    assert_number(calc_taylor(d, 3, -3), 1 - 6 + 13.5 - 18, .name = "at -3",
                  .formula = taylor_formula);
    assert_number(calc_taylor(d, 3, 0), 1, .name = "at 0", .formula = taylor_formula);
    assert_number(calc_taylor(d, 1, 3), 7, .name = "of degree 1", .formula = taylor_formula);
    assert_kept("derivative", d, before, 4);
}

static double *derivatives(int degree, const double *cycle, int length)
{
    double *d = guarded_new((size_t)degree + 1, sizeof *d);
    for (int k = 0; k <= degree; k++) d[k] = cycle[k % length];
    return d;
}

static void taylor__matches_exp_and_sin(void **state)
{
    (void)state;
    const double ones[] = {1}, sine[] = {0, 1, 0, -1};
    for (double h = -2; h <= 2; h += 0.5) {
        assert_number(calc_taylor(derivatives(30, ones, 1), 30, h), exp(h), .name = "e^h",
                      .formula = taylor_formula);
        assert_number(calc_taylor(derivatives(31, sine, 4), 31, h), sin(h), .name = "sin h",
                      .formula = taylor_formula);
    }
}

static void taylor__does_not_overflow_at_high_degree(void **state)
{
    (void)state;
    // 50^400 and 400! overflow a double, e^50 does not.
    assert_number(calc_taylor(derivatives(400, (double[]){1}, 1), 400, 50), exp(50),
                  .name = "e^50 by degree 400", .formula = taylor_formula);
}

static void taylor__uses_every_derivative(void **state)
{
    (void)state;
    double factorial = 1;
    for (int k = 0; k <= 12; k++) {
        double *d = derivatives(12, (double[]){0}, 1);
        factorial *= k > 0 ? k : 1;
        d[k] = 6;
        assert_number(calc_taylor(d, 12, 1.5), 6 * pow(1.5, k) / factorial,
                      .name = "one term alone", .formula = taylor_formula);
    }
}

CASE(taylor__takes_the_same_array_again)
{
    double *d = DOUBLES(1, 2, 3);
    calc_taylor(d, 2, 2);
    d[2] = 5;
    assert_number(calc_taylor(d, 2, 2), 15, .name = "sum of the second call",
                  .formula = taylor_formula);
    assert_number(calc_taylor(d, 1, 2), 5, .name = "sum of degree 1", .formula = taylor_formula);
}

CASE(taylor__propagates_nan)
{
    for (int k = 0; k < 4; k++) {
        double *d = DOUBLES(1, 2, 3, 4);
        d[k] = NAN;
        assert_number(calc_taylor(d, 3, 0.5), NAN, .name = "sum with a NaN",
                      .formula = taylor_formula);
    }
    assert_number(calc_taylor(DOUBLES(1, 2), 1, NAN), NAN, .name = "sum at h = NaN",
                  .formula = taylor_formula);
}

// ---- the integrands ----

typedef struct Watch {
    double (*curve)(double);
    int *evaluations;
} Watch;

static double watched(double x, const void *context)
{
    const Watch *watch = context;
    (*watch->evaluations)++;
    return watch->curve(x);
}

static double cubic(double x)
{
    return 4 * x * x * x - 6 * x * x + 2 * x - 5;
}

static double quintic(double x)
{
    return 6 * x * x * x * x * x - 5 * x * x * x * x + 1;
}

static double jump(double x)
{
    return x < 0.3 ? 0 : 1;
}

static double nowhere(double x)
{
    (void)x;
    return NAN;
}

// ---- 12: Simpson's rule ----

static const char simpson_formula[] = "w/3 (f0 + 4 f1 + 2 f2 + 4 f3 + ... + 4 f[n-1] + fn)";

static double simpson(double (*curve)(double), double a, double b, int n)
{
    int evaluations = 0;
    return calc_simpson(watched, &(Watch){curve, &evaluations}, a, b, n);
}

static void simpson__is_exact_for_cubics(void **state)
{
    (void)state;
    // x^4 - 2 x^3 + x^2 - 5 x between -1 and 3.
    for (int n = 2; n <= 64; n *= 2)
        assert_number(simpson(cubic, -1, 3, n), (81 - 54 + 9 - 15) - (1 + 2 + 1 + 5),
                      .name = "integral", .formula = simpson_formula);
}

static double spike_at;

static double spike(double x)    // 1 at one place, 0 at the others
{
    return fabs(x - spike_at) < 1e-9 ? 1 : 0;
}

static void simpson__uses_the_weights_1_4_2_4_1(void **state)
{
    (void)state;
    const double weights[] = {1, 4, 2, 4, 2, 4, 1};
    double got[7], want[7];
    for (int i = 0; i < 7; i++) {
        spike_at = 2 + 0.5 * i;
        got[i] = simpson(spike, 2, 5, 6);
        want[i] = 0.5 / 3 * weights[i];
    }
    assert_near(got, want, SHAPE(7), .name = "weight of point", .formula = simpson_formula);
}

static void simpson__evaluates_f_once_at_each_point(void **state)
{
    (void)state;
    for (int n = 2; n <= 32; n *= 4) {
        int evaluations = 0;
        calc_simpson(watched, &(Watch){exp, &evaluations}, 0, 1, n);
        if (evaluations != n + 1)
            fail_msg("%d intervals need %d function evaluations, got %d", n, n + 1, evaluations);
    }
}

static void simpson__has_fourth_order_convergence(void **state)
{
    (void)state;
    double coarse = simpson(sin, 0, 3, 16) - (1 - cos(3)),
           fine = simpson(sin, 0, 3, 32) - (1 - cos(3));
    assert_number(coarse / fine, 16, .atol = 0.01, .rtol = 0.01,
                  .name = "error with 16 intervals over that with 32", .formula = simpson_formula);
}

static void simpson__changes_sign_with_the_limits_and_is_zero_on_an_empty_interval(void **state)
{
    (void)state;
    assert_number(simpson(exp, 2, 0, 64), 1 - exp(2), .atol = 1e-6, .rtol = 1e-6,
                  .name = "from 2 to 0", .formula = simpson_formula);
    assert_number(simpson(exp, 2, 2, 4), 0, .name = "from 2 to 2", .formula = simpson_formula);
}

static void simpson__propagates_nan(void **state)
{
    (void)state;
    assert_number(simpson(nowhere, 0, 1, 4), NAN, .name = "integral", .formula = simpson_formula);
}

CASE(simpson__evaluates_the_function_it_is_given_at_every_call)
{
    // The same function pointer, limits and n; only the context differs.
    assert_number(simpson(cubic, -1, 3, 8), 12, .name = "integral of the cubic",
                  .formula = simpson_formula);
    assert_number(simpson(exp, -1, 3, 64), exp(3) - exp(-1), .rtol = 1e-5,
                  .name = "integral of e^x", .formula = simpson_formula);
    assert_number(simpson(exp, -1, 3, 64) - simpson(cubic, -1, 3, 64), exp(3) - exp(-1) - 12,
                  .rtol = 1e-4, .name = "their difference", .formula = simpson_formula);
}

CASE(simpson__takes_many_intervals)
{
    assert_number(simpson(cubic, -1, 3, 20000), 12, .rtol = 1e-11, .name = "integral",
                  .formula = simpson_formula);
}

// ---- 13: adaptive quadrature ----

static const char adaptive_formula[] = "S2 + e with e = (S2 - S1) / 15 where |e| <= tolerance; "
                                       "else both halves, half the tolerance each";

enum { AT_ONCE = 8 };    // evaluations of an interval: 5, or 3 + 5 where simpson is called twice

static double adaptive(double (*curve)(double), double a, double b, double tolerance, int depth)
{
    int evaluations = 0;
    return calc_adaptive(watched, &(Watch){curve, &evaluations}, a, b, tolerance, depth);
}

// The same from the two rules' weights, in a loop over the five points.
static double oracle(double (*curve)(double), double a, double b, double tolerance, int depth)
{
    static const double coarse[] = {1, 0, 4, 0, 1}, fine[] = {1, 4, 2, 4, 1};
    double s1 = 0, s2 = 0;
    for (int i = 0; i < 5; i++) {
        s1 += coarse[i] / 6 * (b - a) * curve(a + (b - a) * i / 4);
        s2 += fine[i] / 12 * (b - a) * curve(a + (b - a) * i / 4);
    }
    double error = (s2 - s1) / 15;
    if (depth == 0 || fabs(error) <= tolerance) return s2 + error;
    double middle = a + (b - a) / 2;
    return oracle(curve, a, middle, tolerance / 2, depth - 1) +
           oracle(curve, middle, b, tolerance / 2, depth - 1);
}

static void adaptive__is_exact_for_quintics_without_subdividing(void **state)
{
    (void)state;
    // The correction makes Simpson's rule exact for one degree of 4 and 5 as well: x^6 - x^5 + x.
    int evaluations = 0;
    double integral = calc_adaptive(watched, &(Watch){quintic, &evaluations}, 0, 2, 100, 30);
    assert_number(integral, 64 - 32 + 2, .name = "integral", .formula = adaptive_formula);
    if (evaluations > AT_ONCE)
        fail_msg("a tolerance of 100 is met at once, with 5 function evaluations; got %d",
                 evaluations);
}

static void adaptive__meets_the_tolerance(void **state)
{
    (void)state;
    for (double tolerance = 1e-3; tolerance > 1e-11; tolerance /= 10) {
        assert_number(adaptive(exp, 0, 3, tolerance, 40), exp(3) - 1, .atol = tolerance,
                      .rtol = tolerance, .name = "integral of e^x", .formula = adaptive_formula);
        // Where the derivative is unbounded, or f jumps, the error is only an estimate.
        assert_number(adaptive(sqrt, 0, 1, tolerance, 40), 2.0 / 3, .atol = 10 * tolerance,
                      .rtol = 10 * tolerance, .name = "integral of sqrt(x)",
                      .formula = adaptive_formula);
        assert_number(adaptive(jump, 0, 1, tolerance, 60), 0.7, .atol = 10 * tolerance,
                      .rtol = 10 * tolerance, .name = "integral of a step at 0.3",
                      .formula = adaptive_formula);
    }
}

static double steep(double x)
{
    return 1e6 * sqrt(x);
}

static void adaptive__subdivides_by_the_error_estimate(void **state)
{
    (void)state;
    for (double tolerance = 1e-2; tolerance > 1e-8; tolerance /= 7)
        for (int depth = 0; depth < 12; depth++) {
            assert_number(adaptive(sqrt, 0, 1, tolerance, depth),
                          oracle(sqrt, 0, 1, tolerance, depth), .name = "integral of sqrt(x)",
                          .formula = adaptive_formula);
            assert_number(adaptive(steep, 0, 1, 1e4 * tolerance, depth),
                          oracle(steep, 0, 1, 1e4 * tolerance, depth),
                          .name = "integral of 1e6 sqrt(x)", .formula = adaptive_formula);
            assert_number(adaptive(jump, 0, 1, tolerance, depth),
                          oracle(jump, 0, 1, tolerance, depth), .name = "integral of a step at 0.3",
                          .formula = adaptive_formula);
        }
}

static void adaptive__evaluates_more_where_the_curvature_is_large(void **state)
{
    (void)state;
    // sqrt(x) is steep at 0 only: an error of 1e-8 takes 300,000 equal intervals.
    int evaluations = 0;
    calc_adaptive(watched, &(Watch){sqrt, &evaluations}, 0, 1, 1e-8, 60);
    if (evaluations > 3000)
        fail_msg("%d function evaluations of sqrt(x), expected about 1000", evaluations);
}

static void adaptive__stops_at_the_maximum_depth_and_at_nan(void **state)
{
    (void)state;
    int evaluations = 0;
    calc_adaptive(watched, &(Watch){jump, &evaluations}, 0, 1, 1e-6, 10);
    if (evaluations > AT_ONCE * 21)
        fail_msg("depth 10 at a step is 21 intervals of 5 function evaluations, got %d",
                 evaluations);
    evaluations = 0;
    assert_number(calc_adaptive(watched, &(Watch){nowhere, &evaluations}, 0, 1, 1e-9, 16), NAN,
                  .name = "integral", .formula = adaptive_formula);
    if (evaluations > AT_ONCE)
        fail_msg("where f is NaN halving does not help: expected 5 function evaluations, got %d",
                 evaluations);
}

static void adaptive__changes_sign_with_the_limits(void **state)
{
    (void)state;
    assert_number(adaptive(exp, 1, -1, 1e-9, 40), exp(-1) - exp(1), .atol = 1e-9, .rtol = 1e-9,
                  .name = "integral from 1 to -1", .formula = adaptive_formula);
}

static double zero(double x)
{
    (void)x;
    return 0;
}

static double two_spikes(double x)
{
    return x == 3 || x == 9 ? 15 : 0;
}

CASE(adaptive__accepts_an_error_equal_to_the_tolerance)
{
    int evaluations = 0;
    assert_number(calc_adaptive(watched, &(Watch){zero, &evaluations}, 0, 1, 0, 12), 0,
                  .exact = true, .name = "integral of 0", .formula = adaptive_formula);
    if (evaluations > AT_ONCE)
        fail_msg("an error of 0 is at most a tolerance of 0: expected 5 evaluations, got %d",
                 evaluations);
    // On [0,12], S1 = 2 (f0 + 4 f6 + f12) = 0 and S2 = f0 + 4 f3 + 2 f6 + 4 f9 + f12 = 120.
    evaluations = 0;
    assert_number(calc_adaptive(watched, &(Watch){two_spikes, &evaluations}, 0, 12, 8, 12), 128,
                  .exact = true, .name = "integral of two spikes", .formula = adaptive_formula);
    if (evaluations > AT_ONCE)
        fail_msg("an error of 8 is at most a tolerance of 8: expected 5 evaluations, got %d",
                 evaluations);
}

CASE(adaptive__evaluates_the_function_it_is_given_at_every_call)
{
    for (int k = 0; k < 2; k++) {
        assert_number(adaptive(exp, 0, 1, 1e-9, 30), exp(1) - 1, .atol = 1e-9, .rtol = 1e-9,
                      .name = "integral of e^x", .formula = adaptive_formula);
        assert_number(adaptive(sin, 0, 1, 1e-9, 30), 1 - cos(1), .atol = 1e-9, .rtol = 1e-9,
                      .name = "integral of sin x", .formula = adaptive_formula);
    }
}

// ---- 14: the Lagrange multiplier ----

static const char lagrange_formula[] =
    "weight[i] / x[i] = multiplier price[i], and sum_i price[i] x[i] = budget";

static void lagrange__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    double *x = DOUBLES(NAN, NAN);
    double multiplier = calc_lagrange(x, DOUBLES(1, 2), DOUBLES(3, 2), 2, 12);
    assert_near(x, ((double[]){4.0 / 3, 4}), SHAPE(2), .name = "x", .formula = lagrange_formula);
    assert_number(multiplier, 0.25, .name = "multiplier", .formula = lagrange_formula);
}

static void lagrange__spends_the_whole_budget_on_a_single_good(void **state)
{
    (void)state;
    double *x = DOUBLES(NAN);
    assert_number(calc_lagrange(x, DOUBLES(5), DOUBLES(4), 1, 10), 0.5, .name = "multiplier",
                  .formula = lagrange_formula);
    assert_number(x[0], 2.5, .name = "x", .formula = lagrange_formula);
}

static void lagrange__with_unit_prices_and_budget_is_the_maximum_likelihood_estimate(void **state)
{
    (void)state;
    // Prices 1 and a budget of 1: the maximum likelihood estimate of the probabilities from counts.
    double *x = DOUBLES(NAN, NAN, NAN, NAN), *counts = DOUBLES(5, 1, 3, 1);
    calc_lagrange(x, counts, DOUBLES(1, 1, 1, 1), 4, 1);
    assert_near(x, ((double[]){0.5, 0.1, 0.3, 0.1}), SHAPE(4), .name = "x",
                .formula = lagrange_formula);
}

static void lagrange__is_right_at_any_magnitude(void **state)
{
    (void)state;
    const double sizes[] = {1e200, 1e-200};
    for (int k = 0; k < 2; k++) {
        double f = sizes[k], *x = DOUBLES(NAN, NAN);
        calc_lagrange(x, DOUBLES(f, 2 * f), DOUBLES(3 * f, 2 * f), 2, 12 * f);
        assert_near(x, ((double[]){4.0 / 3, 4}), SHAPE(2), .name = "x",
                    .formula = lagrange_formula);
    }
}

static double worth(const double *x, const double *weight, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += weight[i] * log(x[i]);
    return sum;
}

static void lagrange__maximizes_the_objective_on_the_constraint(void **state)
{
    (void)state;
    double *weight = DOUBLES(1, 2, 0.5), *price = DOUBLES(3, 0.7, 2), *x = DOUBLES(1, 1, 1);
    double *weights_before = doubles_copy(weight, 3), *prices_before = doubles_copy(price, 3);
    calc_lagrange(x, weight, price, 3, 9);
    assert_number(price[0] * x[0] + price[1] * x[1] + price[2] * x[2], 9, .name = "budget spent",
                  .formula = lagrange_formula);
    double best = worth(x, weight, 3);
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            double *other = doubles_copy(x, 3);
            if (from == to) continue;
            other[from] -= 0.01 / price[from];
            other[to] += 0.01 / price[to];
            if (!(worth(other, weight, 3) < best))
                fail_msg("%s\nmoving 0.01 of the budget from %d to %d increases the objective",
                         lagrange_formula, from, to);
        }
    assert_kept("weight", weight, weights_before, 3);
    assert_kept("price", price, prices_before, 3);
}

static void lagrange__returns_the_shadow_price_of_the_budget(void **state)
{
    (void)state;
    double *weight = DOUBLES(1, 2, 0.5), *price = DOUBLES(3, 0.7, 2);
    double *less = DOUBLES(1, 1, 1), *more = DOUBLES(1, 1, 1), *x = DOUBLES(1, 1, 1);
    calc_lagrange(less, weight, price, 3, 9 - 1e-4);
    calc_lagrange(more, weight, price, 3, 9 + 1e-4);
    double gained = (worth(more, weight, 3) - worth(less, weight, 3)) / 2e-4;
    assert_number(calc_lagrange(x, weight, price, 3, 9), gained, .atol = 1e-7, .rtol = 1e-7,
                  .name = "multiplier", .formula = "d(maximum)/d(budget)");
}

CASE(lagrange__computes_in_double)
{
    double *x = doubles_filled(3, NAN);
    double multiplier = calc_lagrange(x, DOUBLES(0.1, 0.2, 0.4), DOUBLES(0.3, 1.1, 7), 3, 1.3);
    assert_number(multiplier, 0.7 / 1.3, .name = "multiplier", .formula = lagrange_formula);
    assert_near(x, ((double[]){1.3 / 7 / 0.3, 2.6 / 7 / 1.1, 5.2 / 7 / 7}), SHAPE(3), .name = "x",
                .formula = lagrange_formula);
}

CASE(lagrange__takes_the_same_arrays_again)
{
    double *x = doubles_filled(2, NAN), *weight = DOUBLES(1, 2), *price = DOUBLES(3, 2);
    calc_lagrange(x, weight, price, 2, 12);
    weight[0] = 2, price[1] = 4;
    assert_number(calc_lagrange(x, weight, price, 2, 12), 1.0 / 3, .name = "multiplier",
                  .formula = lagrange_formula);
    assert_near(x, ((double[]){2, 1.5}), SHAPE(2), .name = "x", .formula = lagrange_formula);
}

CASE(lagrange__takes_many_goods)
{
    enum { N = 1001 };
    double *x = doubles_filled(N, NAN), *weight = doubles_filled(N, 2),
           *price = doubles_filled(N, 0.5);
    assert_number(calc_lagrange(x, weight, price, N, 1001), 2, .name = "multiplier",
                  .formula = lagrange_formula);
    assert_near(x, doubles_filled(N, 2), SHAPE(N), .name = "x", .formula = lagrange_formula);
}

CASE(lagrange__propagates_nan)
{
    double *x = DOUBLES(1, 1);
    assert_number(calc_lagrange(x, DOUBLES(1, NAN), DOUBLES(1, 1), 2, 1), NAN, .name = "multiplier",
                  .formula = lagrange_formula);
    assert_near(x, ((double[]){NAN, NAN}), SHAPE(2), .name = "x", .formula = lagrange_formula);
}

const struct CMUnitTest sum_cases[] = {
    cmocka_unit_test(taylor__of_degree_0_is_the_value),
    cmocka_unit_test(taylor__matches_an_example_computed_by_hand),
    cmocka_unit_test(taylor__matches_exp_and_sin),
    cmocka_unit_test(taylor__does_not_overflow_at_high_degree),
    cmocka_unit_test(taylor__uses_every_derivative),
    cmocka_unit_test(taylor__takes_the_same_array_again),
    cmocka_unit_test(taylor__propagates_nan),
    cmocka_unit_test(simpson__is_exact_for_cubics),
    cmocka_unit_test(simpson__uses_the_weights_1_4_2_4_1),
    cmocka_unit_test(simpson__evaluates_f_once_at_each_point),
    cmocka_unit_test(simpson__has_fourth_order_convergence),
    cmocka_unit_test(simpson__changes_sign_with_the_limits_and_is_zero_on_an_empty_interval),
    cmocka_unit_test(simpson__propagates_nan),
    cmocka_unit_test(simpson__evaluates_the_function_it_is_given_at_every_call),
    cmocka_unit_test(simpson__takes_many_intervals),
    cmocka_unit_test(adaptive__is_exact_for_quintics_without_subdividing),
    cmocka_unit_test(adaptive__meets_the_tolerance),
    cmocka_unit_test(adaptive__subdivides_by_the_error_estimate),
    cmocka_unit_test(adaptive__evaluates_more_where_the_curvature_is_large),
    cmocka_unit_test(adaptive__stops_at_the_maximum_depth_and_at_nan),
    cmocka_unit_test(adaptive__changes_sign_with_the_limits),
    cmocka_unit_test(adaptive__accepts_an_error_equal_to_the_tolerance),
    cmocka_unit_test(adaptive__evaluates_the_function_it_is_given_at_every_call),
    cmocka_unit_test(lagrange__matches_an_example_computed_by_hand),
    cmocka_unit_test(lagrange__is_right_at_any_magnitude),
    cmocka_unit_test(lagrange__spends_the_whole_budget_on_a_single_good),
    cmocka_unit_test(lagrange__with_unit_prices_and_budget_is_the_maximum_likelihood_estimate),
    cmocka_unit_test(lagrange__maximizes_the_objective_on_the_constraint),
    cmocka_unit_test(lagrange__returns_the_shadow_price_of_the_budget),
    cmocka_unit_test(lagrange__computes_in_double),
    cmocka_unit_test(lagrange__takes_the_same_arrays_again),
    cmocka_unit_test(lagrange__takes_many_goods),
    cmocka_unit_test(lagrange__propagates_nan),
    {0},
};
