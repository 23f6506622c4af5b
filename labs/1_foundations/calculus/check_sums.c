/* Exercises 11 to 14: polynomials, areas, and a budget. check.c says how cases are made. */
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

static void taylor__gives_what_a_hand_computes(void **state)
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

static void taylor__of_the_exponential_and_the_sine(void **state)
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

static void taylor__of_a_high_degree_does_not_overflow(void **state)
{
    (void)state;
    // 50^400 and 400! have no place in a double, e^50 has.
    assert_number(calc_taylor(derivatives(400, (double[]){1}, 1), 400, 50), exp(50),
                  .name = "e^50 by degree 400", .formula = taylor_formula);
}

static void taylor__counts_every_derivative(void **state)
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

// ---- areas: the curves they are taken of ----

typedef struct Watch {
    double (*curve)(double);
    int *looks;
} Watch;

static double watched(double x, const void *context)
{
    const Watch *watch = context;
    (*watch->looks)++;
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
    int looks = 0;
    return calc_simpson(watched, &(Watch){curve, &looks}, a, b, n);
}

static void simpson__of_a_cubic_is_its_area(void **state)
{
    (void)state;
    // x^4 - 2 x^3 + x^2 - 5 x between -1 and 3.
    for (int n = 2; n <= 64; n *= 2)
        assert_number(simpson(cubic, -1, 3, n), (81 - 54 + 9 - 15) - (1 + 2 + 1 + 5),
                      .name = "area", .formula = simpson_formula);
}

static double spike_at;

static double spike(double x)    // 1 at one place, 0 at the others
{
    return fabs(x - spike_at) < 1e-9 ? 1 : 0;
}

static void simpson__weighs_its_places_1_4_2_4_1(void **state)
{
    (void)state;
    const double weights[] = {1, 4, 2, 4, 2, 4, 1};
    double got[7], want[7];
    for (int i = 0; i < 7; i++) {
        spike_at = 2 + 0.5 * i;
        got[i] = simpson(spike, 2, 5, 6);
        want[i] = 0.5 / 3 * weights[i];
    }
    assert_near(got, want, SHAPE(7), .name = "weight of place", .formula = simpson_formula);
}

static void simpson__looks_once_at_each_place(void **state)
{
    (void)state;
    for (int n = 2; n <= 32; n *= 4) {
        int looks = 0;
        calc_simpson(watched, &(Watch){exp, &looks}, 0, 1, n);
        if (looks != n + 1) fail_msg("%d pieces need %d looks at f, got %d", n, n + 1, looks);
    }
}

static void simpson__is_sixteen_times_better_with_twice_the_pieces(void **state)
{
    (void)state;
    double coarse = simpson(sin, 0, 3, 16) - (1 - cos(3)),
           fine = simpson(sin, 0, 3, 32) - (1 - cos(3));
    assert_number(coarse / fine, 16, .atol = 0.01, .rtol = 0.01,
                  .name = "error of 16 pieces over that of 32", .formula = simpson_formula);
}

static void simpson__backwards_is_minus_forwards_and_nowhere_is_nothing(void **state)
{
    (void)state;
    assert_number(simpson(exp, 2, 0, 64), 1 - exp(2), .atol = 1e-6, .rtol = 1e-6,
                  .name = "from 2 to 0", .formula = simpson_formula);
    assert_number(simpson(exp, 2, 2, 4), 0, .name = "from 2 to 2", .formula = simpson_formula);
}

static void simpson__of_what_is_nan_is_nan(void **state)
{
    (void)state;
    assert_number(simpson(nowhere, 0, 1, 4), NAN, .name = "area", .formula = simpson_formula);
}

// ---- 13: adaptive quadrature ----

static const char adaptive_formula[] = "S2 + e with e = (S2 - S1) / 15 where |e| <= tolerance; "
                                       "else both halves, half the tolerance each";

enum { AT_ONCE = 8 };    // looks for a piece: 5, or 3 and 5 by who asks simpson twice

static double adaptive(double (*curve)(double), double a, double b, double tolerance, int depth)
{
    int looks = 0;
    return calc_adaptive(watched, &(Watch){curve, &looks}, a, b, tolerance, depth);
}

// The same from the two rules' weights, in a loop over the five places.
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

static void adaptive__of_a_quintic_is_right_at_once(void **state)
{
    (void)state;
    // The correction makes Simpson's rule exact for one degree of 4 and 5 as well: x^6 - x^5 + x.
    int looks = 0;
    double area = calc_adaptive(watched, &(Watch){quintic, &looks}, 0, 2, 100, 30);
    assert_number(area, 64 - 32 + 2, .name = "area", .formula = adaptive_formula);
    if (looks > AT_ONCE)
        fail_msg("a tolerance of 100 is met at once, with 5 looks at f; got %d", looks);
}

static void adaptive__keeps_its_promise(void **state)
{
    (void)state;
    for (double tolerance = 1e-3; tolerance > 1e-11; tolerance /= 10) {
        assert_number(adaptive(exp, 0, 3, tolerance, 40), exp(3) - 1, .atol = tolerance,
                      .rtol = tolerance, .name = "area under e^x", .formula = adaptive_formula);
        // Where a curve is steep beyond measure, or jumps, the error is only guessed.
        assert_number(adaptive(sqrt, 0, 1, tolerance, 40), 2.0 / 3, .atol = 10 * tolerance,
                      .rtol = 10 * tolerance, .name = "area under the root of x",
                      .formula = adaptive_formula);
        assert_number(adaptive(jump, 0, 1, tolerance, 60), 0.7, .atol = 10 * tolerance,
                      .rtol = 10 * tolerance, .name = "area under a step at 0.3",
                      .formula = adaptive_formula);
    }
}

static void adaptive__halves_as_the_rule_says(void **state)
{
    (void)state;
    for (double tolerance = 1e-2; tolerance > 1e-8; tolerance /= 7)
        for (int depth = 0; depth < 12; depth++) {
            assert_number(adaptive(sqrt, 0, 1, tolerance, depth),
                          oracle(sqrt, 0, 1, tolerance, depth), .name = "area under the root of x",
                          .formula = adaptive_formula);
            assert_number(adaptive(jump, 0, 1, tolerance, depth),
                          oracle(jump, 0, 1, tolerance, depth), .name = "area under a step at 0.3",
                          .formula = adaptive_formula);
        }
}

static void adaptive__looks_where_the_curve_bends(void **state)
{
    (void)state;
    // The root of x is steep at 0 only: to be right by 1e-8, equal pieces need 300,000 of them.
    int looks = 0;
    calc_adaptive(watched, &(Watch){sqrt, &looks}, 0, 1, 1e-8, 60);
    if (looks > 3000) fail_msg("%d looks at the root of x, expected about 1000", looks);
}

static void adaptive__stops_at_its_depth_and_at_nan(void **state)
{
    (void)state;
    int looks = 0;
    calc_adaptive(watched, &(Watch){jump, &looks}, 0, 1, 1e-6, 10);
    if (looks > AT_ONCE * 21)
        fail_msg("depth 10 at a step is 21 pieces of 5 looks, got %d looks", looks);
    looks = 0;
    assert_number(calc_adaptive(watched, &(Watch){nowhere, &looks}, 0, 1, 1e-9, 16), NAN,
                  .name = "area", .formula = adaptive_formula);
    if (looks > AT_ONCE)
        fail_msg("where f is NaN halving does not help: 5 looks are enough, got %d", looks);
}

static void adaptive__backwards_is_minus_forwards(void **state)
{
    (void)state;
    assert_number(adaptive(exp, 1, -1, 1e-9, 40), exp(-1) - exp(1), .atol = 1e-9, .rtol = 1e-9,
                  .name = "area from 1 to -1", .formula = adaptive_formula);
}

// ---- 14: the budget ----

static const char lagrange_formula[] =
    "weight[i] / x[i] = multiplier price[i], and sum_i price[i] x[i] = budget";

static void lagrange__gives_what_a_hand_computes(void **state)
{
    (void)state;
    double *x = DOUBLES(NAN, NAN);
    double multiplier = calc_lagrange(x, DOUBLES(1, 2), DOUBLES(3, 2), 2, 12);
    assert_near(x, ((double[]){4.0 / 3, 4}), SHAPE(2), .name = "x", .formula = lagrange_formula);
    assert_number(multiplier, 0.25, .name = "multiplier", .formula = lagrange_formula);
}

static void lagrange__of_one_thing_buys_it(void **state)
{
    (void)state;
    double *x = DOUBLES(NAN);
    assert_number(calc_lagrange(x, DOUBLES(5), DOUBLES(4), 1, 10), 0.5, .name = "multiplier",
                  .formula = lagrange_formula);
    assert_number(x[0], 2.5, .name = "x", .formula = lagrange_formula);
}

static void lagrange__of_counts_is_their_shares(void **state)
{
    (void)state;
    // Prices 1 and a budget of 1: the probabilities under which what was counted is likeliest.
    double *x = DOUBLES(NAN, NAN, NAN, NAN), *counts = DOUBLES(5, 1, 3, 1);
    calc_lagrange(x, counts, DOUBLES(1, 1, 1, 1), 4, 1);
    assert_near(x, ((double[]){0.5, 0.1, 0.3, 0.1}), SHAPE(4), .name = "x",
                .formula = lagrange_formula);
}

static double worth(const double *x, const double *weight, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += weight[i] * log(x[i]);
    return sum;
}

static void lagrange__is_better_than_any_other_way_to_spend_it(void **state)
{
    (void)state;
    double *weight = DOUBLES(1, 2, 0.5), *price = DOUBLES(3, 0.7, 2), *x = DOUBLES(1, 1, 1);
    double *weights_before = doubles_copy(weight, 3), *prices_before = doubles_copy(price, 3);
    calc_lagrange(x, weight, price, 3, 9);
    assert_number(price[0] * x[0] + price[1] * x[1] + price[2] * x[2], 9, .name = "money spent",
                  .formula = lagrange_formula);
    double best = worth(x, weight, 3);
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            double *other = doubles_copy(x, 3);
            if (from == to) continue;
            other[from] -= 0.01 / price[from];
            other[to] += 0.01 / price[to];
            if (!(worth(other, weight, 3) < best))
                fail_msg("%s\nmoving a cent from %d to %d makes it better", lagrange_formula, from,
                         to);
        }
    assert_kept("weight", weight, weights_before, 3);
    assert_kept("price", price, prices_before, 3);
}

static void lagrange__returns_what_one_more_unit_brings(void **state)
{
    (void)state;
    double *weight = DOUBLES(1, 2, 0.5), *price = DOUBLES(3, 0.7, 2);
    double *less = DOUBLES(1, 1, 1), *more = DOUBLES(1, 1, 1), *x = DOUBLES(1, 1, 1);
    calc_lagrange(less, weight, price, 3, 9 - 1e-4);
    calc_lagrange(more, weight, price, 3, 9 + 1e-4);
    double gained = (worth(more, weight, 3) - worth(less, weight, 3)) / 2e-4;
    assert_number(calc_lagrange(x, weight, price, 3, 9), gained, .atol = 1e-7, .rtol = 1e-7,
                  .name = "multiplier", .formula = "how much the sum grows when the budget does");
}

const struct CMUnitTest sum_cases[] = {
    cmocka_unit_test(taylor__of_degree_0_is_the_value),
    cmocka_unit_test(taylor__gives_what_a_hand_computes),
    cmocka_unit_test(taylor__of_the_exponential_and_the_sine),
    cmocka_unit_test(taylor__of_a_high_degree_does_not_overflow),
    cmocka_unit_test(taylor__counts_every_derivative),
    cmocka_unit_test(simpson__of_a_cubic_is_its_area),
    cmocka_unit_test(simpson__weighs_its_places_1_4_2_4_1),
    cmocka_unit_test(simpson__looks_once_at_each_place),
    cmocka_unit_test(simpson__is_sixteen_times_better_with_twice_the_pieces),
    cmocka_unit_test(simpson__backwards_is_minus_forwards_and_nowhere_is_nothing),
    cmocka_unit_test(simpson__of_what_is_nan_is_nan),
    cmocka_unit_test(adaptive__of_a_quintic_is_right_at_once),
    cmocka_unit_test(adaptive__keeps_its_promise),
    cmocka_unit_test(adaptive__halves_as_the_rule_says),
    cmocka_unit_test(adaptive__looks_where_the_curve_bends),
    cmocka_unit_test(adaptive__stops_at_its_depth_and_at_nan),
    cmocka_unit_test(adaptive__backwards_is_minus_forwards),
    cmocka_unit_test(lagrange__gives_what_a_hand_computes),
    cmocka_unit_test(lagrange__of_one_thing_buys_it),
    cmocka_unit_test(lagrange__of_counts_is_their_shares),
    cmocka_unit_test(lagrange__is_better_than_any_other_way_to_spend_it),
    cmocka_unit_test(lagrange__returns_what_one_more_unit_brings),
    {0},
};
