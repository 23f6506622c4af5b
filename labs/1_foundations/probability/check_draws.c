/* Exercises 1 to 5: chance that is made. check.c says how cases are made. */
#include <string.h>
#include "labs/1_foundations/probability/check.h"

// ---- 1: uniformity ----

static const char uniformity_formula[] = "X = sum_c (counts[c] - e)^2 / e,  e = (n / d) / bins^d";

static void uniformity__of_four_draws_is_what_a_hand_counts(void **state)
{
    (void)state;
    const double *u = DOUBLES(0.1, 0.9, 0.4, 0.6);
    int *counts = ints_filled(2, 9), *cells = ints_filled(4, 9);
    assert_number(pr_uniformity(counts, u, 4, 2, 1), 0, .name = "X, one at a time",
                  .formula = uniformity_formula);
    for (int c = 0; c < 2; c++) assert_integer("counts of one at a time", counts[c], 2);
    // (0.1, 0.9) and (0.4, 0.6) both lie in cell 0 * 2 + 1; e is a half: (3 * 0.25 + 2.25) / 0.5.
    assert_number(pr_uniformity(cells, u, 4, 2, 2), 6, .name = "X, in pairs",
                  .formula = uniformity_formula);
    static const int want[] = {0, 2, 0, 0};
    for (int c = 0; c < 4; c++)
        assert_that(cells[c] == want[c], "counts[%d] is %d, expected %d", c, cells[c], want[c]);
}

static void check_uniformity(uint64_t seed, size_t n, int bins, int d)
{
    Rng rng = rng_from_seed(seed);
    double *u = numbers_uniform(&rng, n), *before = doubles_copy(u, n);
    size_t cells = (size_t)lround(pow(bins, d));
    int *counts = ints_filled(cells, 9), *want = ints_filled(cells, 0);
    for (size_t g = 0; g < n / (size_t)d; g++) {
        int cell = 0;
        for (int i = 0; i < d; i++)
            cell = cell * bins + (int)floor(u[g * (size_t)d + (size_t)i] * bins);
        want[cell]++;
    }
    double e = (double)(n / (size_t)d) / (double)cells, sum = 0;
    for (size_t c = 0; c < cells; c++) sum += (want[c] - e) * (want[c] - e) / e;
    assert_number(pr_uniformity(counts, u, n, bins, d), sum, .name = "X",
                  .formula = uniformity_formula, .rtol = 1e-10, .atol = 1e-10);
    for (size_t c = 0; c < cells; c++)
        assert_that(counts[c] == want[c], "bins %d, d %d: counts[%zu] is %d, expected %d", bins, d,
                    c, counts[c], want[c]);
    assert_kept("u", u, before, n);
}

static void uniformity__agrees_with_plain_counting(void **state)
{
    (void)state;
    check_uniformity(1, 1000, 10, 1);
    check_uniformity(2, 1000, 7, 2);
    check_uniformity(3, 999, 3, 3);
    check_uniformity(4, 64, 2, 4);
    check_uniformity(5, 1, 5, 1);
    check_uniformity(6, 20, 1, 2);
}

static void uniformity__leaves_an_unfinished_group_out(void **state)
{
    (void)state;
    check_uniformity(7, 31, 4, 2);
    check_uniformity(8, 32, 3, 3);
}

static void uniformity__has_no_answer_outside_of_the_interval(void **state)
{
    (void)state;
    static const double wrong[] = {1, -0.001, NAN, INFINITY};
    for (int k = 0; k < 4; k++)
        assert_number(pr_uniformity(ints_filled(3, 0), DOUBLES(0.5, wrong[k]), 2, 3, 1), NAN,
                      .name = "X", .formula = "NaN when a u is not in [0,1)");
    assert_number(pr_uniformity(ints_filled(4, 0), DOUBLES(0.5), 1, 2, 2), NAN, .name = "X",
                  .formula = "NaN when there is no group");
}

// ---- 2: inverse transform ----

static const char exponential_formula[] = "x = -ln(1 - u) / rate, one pr_uniform() each";

static void exponential__inverts_each_draw_in_order(void **state)
{
    (void)state;
    static const double rates[] = {1, 0.25, 30};
    for (uint64_t k = 0; k < 3; k++)
        for (size_t n = 0; n <= 9; n += 3) {
            Rng rng = rng_stream(11, k), same = rng;
            double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0);
            for (size_t i = 0; i < n; i++) want[i] = -log(1 - pr_uniform(&same)) / rates[k];
            pr_exponential(x, n, rates[k], &rng);
            assert_near(x, want, SHAPE((int)n), .name = "x", .formula = exponential_formula,
                        .rtol = 1e-9, .atol = 1e-12);
            assert_drawn(&rng, &same, "one draw for each number");
        }
}

static void exponential__has_the_share_below_x_that_f_says(void **state)
{
    (void)state;
    // Of n = 40,000 numbers n F lie below x, give or take sqrt(n F (1 - F)) <= 100: five times
    // that is far.
    enum { N = 40000 };
    Rng rng = rng_from_seed(12);
    double *x = doubles_filled(N, NAN);
    pr_exponential(x, N, 2, &rng);
    for (double at = 0.1; at < 2; at += 0.3) {
        int below = 0;
        for (int i = 0; i < N; i++) below += x[i] <= at;
        assert_number(below, N * (1 - exp(-2 * at)), .name = "numbers below x", .atol = 500,
                      .formula = "F(x) = 1 - exp(-rate x)");
    }
}

static void exponential__is_never_negative_nor_infinite(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(13);
    double *x = doubles_filled(20000, NAN);
    pr_exponential(x, 20000, 1, &rng);
    for (int i = 0; i < 20000; i++)
        assert_that(x[i] >= 0 && isfinite(x[i]), "x[%d] is %g, expected a time from 0 on", i, x[i]);
}

// ---- 3: Box and Muller ----

static const char normal_formula[] =
    "r = sqrt(-2 ln(1 - u)),  x[i] = mean + deviation r cos(2 pi v),  x[i + 1] with sin";

static void check_normal(uint64_t seed, size_t n, double mean, double deviation)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0);
    for (size_t i = 0; i < n; i += 2) {
        double u = pr_uniform(&same), v = pr_uniform(&same), r = sqrt(-2 * log(1 - u));
        want[i] = mean + deviation * r * cos(2 * acos(-1) * v);
        if (i + 1 < n) want[i + 1] = mean + deviation * r * sin(2 * acos(-1) * v);
    }
    pr_normal(x, n, mean, deviation, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = normal_formula, .rtol = 1e-9,
                .atol = 1e-9);
    assert_drawn(&rng, &same, "two draws for each pair");
}

static void normal__turns_two_draws_into_a_pair(void **state)
{
    (void)state;
    check_normal(21, 2, 0, 1);
    check_normal(22, 50, 0, 1);
}

static void normal__ends_with_half_a_pair_where_n_is_odd(void **state)
{
    (void)state;
    check_normal(23, 1, 0, 1);
    check_normal(24, 7, 0, 1);
    check_normal(25, 0, 0, 1);
}

static void normal__is_stretched_and_then_moved(void **state)
{
    (void)state;
    check_normal(26, 9, 100, 0.5);
    check_normal(27, 10, -3, 20);
    check_normal(28, 4, 5, 0);
}

static void normal__has_the_shares_of_the_bell(void **state)
{
    (void)state;
    enum { N = 40000 };
    Rng rng = rng_from_seed(29);
    double *x = doubles_filled(N, NAN);
    pr_normal(x, N, 0, 1, &rng);
    for (double at = -2; at <= 2; at += 0.5) {
        int below = 0;
        for (int i = 0; i < N; i++) below += x[i] <= at;
        assert_number(below, N * erfc(-at / sqrt(2)) / 2, .name = "numbers below x", .atol = 500,
                      .formula = "F(x) = erfc(-x / sqrt 2) / 2");
    }
}

// ---- 4: rejection ----

static const char reject_formula[] =
    "place = a + (b - a) u, height = top v; kept when height < f(place)";

// A slope from 0 upwards, and what it was asked.
typedef struct Slope {
    double by;
    double *least, *most;
    int *asked;
} Slope;

static double slope_at(double x, const void *about)
{
    const Slope *slope = about;
    *slope->least = fmin(*slope->least, x);
    *slope->most = fmax(*slope->most, x);
    ++*slope->asked;
    return slope->by * x;
}

static void check_reject(uint64_t seed, size_t n, double a, double b, double by, double top)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0), least = b, most = a;
    int asked = 0;
    size_t tries = 0;
    Slope slope = {by, &least, &most, &asked};
    for (size_t i = 0; i < n; tries++) {
        double u = pr_uniform(&same), v = pr_uniform(&same), place = a + (b - a) * u;
        if (top * v < by * place) want[i++] = place;
    }
    size_t got = pr_reject(x, n, slope_at, &slope, a, b, top, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = reject_formula, .rtol = 1e-12,
                .atol = 1e-12);
    assert_number((double)got, (double)tries, .name = "tries", .exact = true,
                  .formula = "every place that was drawn is a try, kept or not");
    assert_drawn(&rng, &same, "two draws for each try");
    assert_that(n == 0 || (least >= a && most <= b), "f was asked in [%g, %g], expected [%g, %g]",
                least, most, a, b);
}

static void reject__keeps_what_lies_below_the_curve(void **state)
{
    (void)state;
    check_reject(31, 50, 0, 2, 1, 2);
    check_reject(32, 1, 0, 1, 3, 3);
}

static void reject__takes_any_interval_and_a_top_that_is_too_high(void **state)
{
    (void)state;
    check_reject(33, 40, 3, 4, 0.5, 2);
    check_reject(34, 40, 0, 0.5, 1, 8);
    check_reject(35, 0, 0, 1, 1, 1);
}

static double constant(double x, const void *about)
{
    (void)x;
    return *(const double *)about;
}

static double broken_beyond_one_half(double x, const void *about)
{
    (void)about;
    return x < 0.5 ? 1 : NAN;
}

static void reject__refuses_what_is_no_density_below_top(void **state)
{
    (void)state;
    static const double wrong[] = {1.5, -0.1, NAN};
    for (int k = 0; k < 3; k++) {
        Rng rng = rng_from_seed(36);
        size_t got = pr_reject(doubles_filled(3, 0), 3, constant, &wrong[k], 0, 1, 1, &rng);
        assert_that(got == 0, "f is %g and top is 1: returned %zu tries, expected 0", wrong[k],
                    got);
    }
    Rng rng = rng_from_seed(36);
    size_t got = pr_reject(doubles_filled(50, 0), 50, broken_beyond_one_half, NULL, 0, 1, 1, &rng);
    assert_that(got == 0, "f is NaN beyond 0.5: returned %zu tries, expected 0", got);
}

static void reject__gives_up_on_a_curve_that_is_flat_on_the_ground(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(37);
    double zero = 0;
    size_t got = pr_reject(doubles_filled(3, 0), 3, constant, &zero, 0, 1, 1, &rng);
    assert_that(got == 0, "f is 0 everywhere: returned %zu tries, expected 0", got);
}

static void reject__is_patient_as_long_as_something_is_found(void **state)
{
    (void)state;
    // One try in a thousand: far more tries than PR_PATIENCE in all, never so many in a row.
    Rng rng = rng_from_seed(38);
    double low = 0.001;
    double *x = doubles_filled(300, NAN);
    size_t got = pr_reject(x, 300, constant, &low, 0, 1, 1, &rng);
    assert_number((double)got, 300000, .name = "tries", .atol = 90000,
                  .formula = "it gives up only after PR_PATIENCE tries in a row");
}

// ---- 5: the alias table ----

// What the table draws i with: its own column's share, and what other columns give it.
static void check_alias(const double *p, int n)
{
    size_t count = (size_t)n;
    double *mine = doubles_copy(p, count), *share = doubles_filled(count, NAN),
           *drawn = doubles_filled(count, 0);
    int *other = ints_filled(count, -7), *todo = ints_filled(count, -7);
    assert_boolean("pr_alias of probabilities", pr_alias(share, other, mine, n, todo), true);
    for (int i = 0; i < n; i++) {
        assert_that(share[i] >= -1e-12 && share[i] <= 1 + 1e-12,
                    "share[%d] is %.17g, expected in [0,1]", i, share[i]);
        assert_that(other[i] >= 0 && other[i] < n, "other[%d] is %d, expected in 0..%d", i,
                    other[i], n - 1);
        drawn[i] += share[i] / n;
        drawn[other[i]] += (1 - share[i]) / n;
    }
    assert_near(drawn, p, SHAPE((int)count), .name = "probability", .rtol = 1e-11, .atol = 1e-13,
                .formula =
                    "(share[i] + sum of 1 - share[j] over other[j] = i) / n  has to be p[i]");
    assert_kept("p", mine, p, count);
}

static void alias__draws_with_the_probabilities_asked_for(void **state)
{
    (void)state;
    check_alias((double[]){0.5, 0.25, 0.125, 0.125}, 4);
    check_alias((double[]){0.1, 0.2, 0.3, 0.4}, 4);
    check_alias((double[]){0.7, 0.1, 0.2}, 3);
    check_alias((double[]){1.0 / 3, 1.0 / 3, 1.0 / 3}, 3);
}

static void alias__takes_one_and_those_that_never_come(void **state)
{
    (void)state;
    check_alias((double[]){1}, 1);
    check_alias((double[]){0, 1, 0, 0}, 4);
    check_alias((double[]){0, 0.5, 0, 0.5, 0}, 5);
}

static void alias__takes_many(void **state)
{
    (void)state;
    for (uint64_t seed = 41; seed <= 44; seed++) {
        int n = seed == 44 ? 2000 : 37;
        Rng rng = rng_from_seed(seed);
        double *p = numbers_uniform(&rng, (size_t)n), sum = 0;
        for (int i = 0; i < n; i++) sum += p[i] = pow(p[i], 6);
        for (int i = 0; i < n; i++) p[i] /= sum;
        check_alias(p, n);
    }
}

static void alias__never_draws_what_has_no_probability(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(45);
    double *share = doubles_filled(10, NAN);
    int *other = ints_filled(10, -7);
    assert_boolean("pr_alias of ten probabilities",
                   pr_alias(share, other, DOUBLES(0, 0.1, 0, 0.2, 0, 0.3, 0, 0.1, 0, 0.3), 10,
                            ints_filled(10, 0)),
                   true);
    for (int k = 0; k < 20000; k++) {
        int drawn = pr_alias_draw(share, other, 10, &rng);
        assert_that(drawn % 2 == 1, "%d was drawn, which has probability 0", drawn);
    }
}

static void alias__refuses_what_are_no_probabilities(void **state)
{
    (void)state;
    static const double wrong[][3] = {{0.5, 0.6, -0.1}, {0.5, 0.3, 0.1}, {0.5, 0.5, 0.5},
                                      {0.5, NAN, 0.5},  {0, 0, 0},       {INFINITY, 0, 0}};
    for (int k = 0; k < 6; k++)
        assert_that(!pr_alias(doubles_filled(3, 0), ints_filled(3, 0), doubles_copy(wrong[k], 3), 3,
                              ints_filled(3, 0)),
                    "%g, %g, %g are no probabilities: got true, expected false", wrong[k][0],
                    wrong[k][1], wrong[k][2]);
}

const struct CMUnitTest draw_cases[] = {
    cmocka_unit_test(uniformity__of_four_draws_is_what_a_hand_counts),
    cmocka_unit_test(uniformity__agrees_with_plain_counting),
    cmocka_unit_test(uniformity__leaves_an_unfinished_group_out),
    cmocka_unit_test(uniformity__has_no_answer_outside_of_the_interval),
    cmocka_unit_test(exponential__inverts_each_draw_in_order),
    cmocka_unit_test(exponential__has_the_share_below_x_that_f_says),
    cmocka_unit_test(exponential__is_never_negative_nor_infinite),
    cmocka_unit_test(normal__turns_two_draws_into_a_pair),
    cmocka_unit_test(normal__ends_with_half_a_pair_where_n_is_odd),
    cmocka_unit_test(normal__is_stretched_and_then_moved),
    cmocka_unit_test(normal__has_the_shares_of_the_bell),
    cmocka_unit_test(reject__keeps_what_lies_below_the_curve),
    cmocka_unit_test(reject__takes_any_interval_and_a_top_that_is_too_high),
    cmocka_unit_test(reject__refuses_what_is_no_density_below_top),
    cmocka_unit_test(reject__gives_up_on_a_curve_that_is_flat_on_the_ground),
    cmocka_unit_test(reject__is_patient_as_long_as_something_is_found),
    cmocka_unit_test(alias__draws_with_the_probabilities_asked_for),
    cmocka_unit_test(alias__takes_one_and_those_that_never_come),
    cmocka_unit_test(alias__takes_many),
    cmocka_unit_test(alias__never_draws_what_has_no_probability),
    cmocka_unit_test(alias__refuses_what_are_no_probabilities),
    {0},
};
