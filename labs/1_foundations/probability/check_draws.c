/* Exercises 1 to 5: sampling. check.c says how cases are made. */
#include <string.h>
#include "labs/1_foundations/probability/check.h"

// ---- 1: uniformity ----

static const char uniformity_formula[] = "X = sum_c (counts[c] - e)^2 / e,  e = (n / d) / bins^d";

CASE(uniformity__matches_four_draws_counted_by_hand)
{
    const double *u = DOUBLES(0.1, 0.9, 0.4, 0.6);
    int *counts = ints_filled(2, 9), *cells = ints_filled(4, 9);
    assert_number(pr_uniformity(counts, u, 4, 2, 1), 0, .name = "X, d = 1",
                  .formula = uniformity_formula);
    for (int c = 0; c < 2; c++) assert_integer("counts, d = 1", counts[c], 2);
    // (0.1, 0.9) and (0.4, 0.6) both lie in cell 0 * 2 + 1; e is a half: (3 * 0.25 + 2.25) / 0.5.
    assert_number(pr_uniformity(cells, u, 4, 2, 2), 6, .name = "X, d = 2",
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

CASE(uniformity__matches_direct_counting)
{
    check_uniformity(1, 1000, 10, 1);
    check_uniformity(2, 1000, 7, 2);
    check_uniformity(3, 999, 3, 3);
    check_uniformity(4, 64, 2, 4);
    check_uniformity(5, 1, 5, 1);
    check_uniformity(6, 20, 1, 2);
}

CASE(uniformity__ignores_an_incomplete_group)
{
    check_uniformity(7, 31, 4, 2);
    check_uniformity(8, 32, 3, 3);
}

CASE(uniformity__returns_nan_outside_the_unit_interval)
{
    static const double wrong[] = {1, -0.001, NAN, INFINITY};
    for (int k = 0; k < 4; k++)
        assert_number(pr_uniformity(ints_filled(3, 0), DOUBLES(0.5, wrong[k]), 2, 3, 1), NAN,
                      .name = "X", .formula = "NaN when a u is not in [0,1)");
    assert_number(pr_uniformity(ints_filled(4, 0), DOUBLES(0.5), 1, 2, 2), NAN, .name = "X",
                  .formula = "NaN when there is no point");
}

CASE(uniformity__counts_the_largest_number_below_one)
{
    // As a float it is 1, and its cell is out of range.
    for (int bins = 1; bins <= 10; bins++) {
        int *counts = ints_filled((size_t)(bins * bins), 9);
        pr_uniformity(counts, DOUBLES(1 - 0x1p-53, 1 - 0x1p-53), 2, bins, 2);
        for (int c = 0; c < bins * bins; c++)
            assert_integer("counts, u = 1 - 2^-53", counts[c], c == bins * bins - 1);
    }
}

CASE(uniformity__takes_the_same_array_again)
{
    double *u = DOUBLES(0.1, 0.9);
    int *counts = ints_filled(2, 9);
    pr_uniformity(counts, u, 2, 2, 1);
    u[1] = 0.2;
    assert_number(pr_uniformity(counts, u, 2, 2, 1), 2, .name = "X of the second call",
                  .formula = uniformity_formula);
    assert_integer("counts[0] of the second call", counts[0], 2);
}

// ---- 2: inverse transform sampling ----

static const char exponential_formula[] = "x = -ln(1 - u) / rate, one pr_uniform() each";

CASE(exponential__inverts_the_cdf_for_each_draw_in_order)
{
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

CASE(exponential__matches_the_cdf)
{
    // Of n = 40,000 numbers n F are at most x, sd sqrt(n F (1 - F)) <= 100: the tolerance is five
    // of those.
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

CASE(exponential__is_never_negative_or_infinite)
{
    Rng rng = rng_from_seed(13);
    double *x = doubles_filled(20000, NAN);
    pr_exponential(x, 20000, 1, &rng);
    for (int i = 0; i < 20000; i++)
        assert_that(x[i] >= 0 && isfinite(x[i]), "x[%d] is %g, expected a finite waiting time >= 0",
                    i, x[i]);
}

CASE(exponential__takes_any_rate)
{
    static const double rates[] = {1e-300, 1e300, 1e-30};
    for (int k = 0; k < 3; k++) {
        Rng rng = rng_from_seed(14), same = rng;
        double *x = doubles_filled(1, NAN), want = -log(1 - pr_uniform(&same));
        pr_exponential(x, 1, rates[k], &rng);
        assert_number(x[0] * rates[k], want, .name = "x times the rate",
                      .formula = exponential_formula, .rtol = 1e-9);
    }
}

CASE(exponential__continues_the_generators_it_is_given)
{
    Rng one = rng_from_seed(15), other = rng_from_seed(16), same = one, twin = other;
    double *x = doubles_filled(3, NAN);
    for (int call = 0; call < 4; call++) {
        Rng *mine = call % 2 ? &twin : &same;
        if (call == 2) one = same = rng_from_seed(17);
        double want = -log(1 - pr_uniform(mine));
        pr_exponential(x, 1, 1, call % 2 ? &other : &one);
        assert_number(x[0], want, .name = "x, two generators in turns",
                      .formula = exponential_formula, .rtol = 1e-9);
    }
}

// ---- 3: the Box-Muller transform ----

static const char normal_formula[] =
    "r = sqrt(-2 ln(1 - u)),  x[i] = mean + sd r cos(2 pi v),  x[i + 1] with sin";

static void check_normal(uint64_t seed, size_t n, double mean, double sd)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0);
    for (size_t i = 0; i < n; i += 2) {
        double u = pr_uniform(&same), v = pr_uniform(&same), r = sqrt(-2 * log(1 - u));
        want[i] = mean + sd * r * cos(2 * acos(-1) * v);
        if (i + 1 < n) want[i + 1] = mean + sd * r * sin(2 * acos(-1) * v);
    }
    pr_normal(x, n, mean, sd, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = normal_formula, .rtol = 1e-9,
                .atol = 1e-9);
    assert_drawn(&rng, &same, "two draws for each pair");
}

CASE(normal__turns_two_uniform_draws_into_a_pair)
{
    check_normal(21, 2, 0, 1);
    check_normal(22, 50, 0, 1);
}

CASE(normal__ends_with_a_cosine_when_n_is_odd)
{
    check_normal(23, 1, 0, 1);
    check_normal(24, 7, 0, 1);
    check_normal(25, 0, 0, 1);
}

CASE(normal__scales_by_sd_then_shifts_by_mean)
{
    check_normal(26, 9, 100, 0.5);
    check_normal(27, 10, -3, 20);
    check_normal(28, 4, 5, 0);
}

CASE(normal__matches_the_cdf)
{
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

CASE(normal__keeps_no_sine_for_the_next_call)
{
    Rng rng = rng_from_seed(30), same = rng;
    for (int call = 0; call < 3; call++) {
        double *x = doubles_filled(1, NAN), u = pr_uniform(&same), v = pr_uniform(&same);
        pr_normal(x, 1, 0, 1, &rng);
        assert_number(x[0], sqrt(-2 * log(1 - u)) * cos(2 * acos(-1) * v), .name = "x",
                      .formula = normal_formula, .rtol = 1e-9, .atol = 1e-9);
        assert_drawn(&rng, &same, "two draws for each call");
    }
}

CASE(normal__takes_any_mean_and_sd)
{
    Rng rng = rng_from_seed(31), same = rng;
    double *x = doubles_filled(2, NAN), *y = doubles_filled(2, NAN);
    pr_normal(x, 2, 0, 1e300, &rng);
    pr_normal(y, 2, 0, 1, &same);
    for (int i = 0; i < 2; i++)
        assert_number(x[i] / 1e300, y[i], .name = "x / sd", .formula = normal_formula,
                      .rtol = 1e-9);
    pr_normal(x, 2, NAN, 1, &rng);
    assert_near(x, ((double[]){NAN, NAN}), SHAPE(2), .name = "x", .formula = "the mean is NaN");
}

// ---- 4: rejection sampling ----

static const char reject_formula[] =
    "candidate = a + (b - a) u, height = bound v; accepted when height < f(candidate)";

// A line through 0, and where it was evaluated.
typedef struct Line {
    double slope;
    double *least, *most;
    int *calls;
} Line;

static double line_at(double x, const void *context)
{
    const Line *line = context;
    *line->least = fmin(*line->least, x);
    *line->most = fmax(*line->most, x);
    ++*line->calls;
    return line->slope * x;
}

static void check_reject(uint64_t seed, size_t n, double a, double b, double slope, double bound)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0), least = b, most = a;
    int calls = 0;
    size_t proposals = 0;
    Line line = {slope, &least, &most, &calls};
    for (size_t i = 0; i < n; proposals++) {
        double u = pr_uniform(&same), v = pr_uniform(&same), candidate = a + (b - a) * u;
        if (bound * v < slope * candidate) want[i++] = candidate;
    }
    size_t got = pr_reject(x, n, line_at, &line, a, b, bound, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = reject_formula, .rtol = 1e-12,
                .atol = 1e-12);
    assert_number((double)got, (double)proposals, .name = "proposals", .exact = true,
                  .formula = "every candidate is a proposal, accepted or rejected");
    assert_drawn(&rng, &same, "two draws for each proposal");
    assert_that(n == 0 || (least >= a && most <= b),
                "f was evaluated in [%g, %g], expected [%g, %g]", least, most, a, b);
}

CASE(reject__accepts_points_below_the_density)
{
    check_reject(31, 50, 0, 2, 1, 2);
    check_reject(32, 1, 0, 1, 3, 3);
}

CASE(reject__accepts_any_interval_and_a_loose_bound)
{
    check_reject(33, 40, 3, 4, 0.5, 2);
    check_reject(34, 40, 0, 0.5, 1, 8);
    check_reject(35, 0, 0, 1, 1, 1);
}

static double constant(double x, const void *context)
{
    (void)x;
    return *(const double *)context;
}

static double broken_beyond_one_half(double x, const void *context)
{
    (void)context;
    return x < 0.5 ? 1 : NAN;
}

CASE(reject__refuses_a_density_outside_zero_to_bound)
{
    static const double wrong[] = {1.5, -0.1, NAN};
    for (int k = 0; k < 3; k++) {
        Rng rng = rng_from_seed(36);
        size_t got = pr_reject(doubles_filled(3, 0), 3, constant, &wrong[k], 0, 1, 1, &rng);
        assert_that(got == 0, "f is %g and bound is 1: returned %zu proposals, expected 0",
                    wrong[k], got);
    }
    Rng rng = rng_from_seed(36);
    size_t got = pr_reject(doubles_filled(50, 0), 50, broken_beyond_one_half, NULL, 0, 1, 1, &rng);
    assert_that(got == 0, "f is NaN beyond 0.5: returned %zu proposals, expected 0", got);
}

CASE(reject__gives_up_on_a_zero_density)
{
    Rng rng = rng_from_seed(37);
    double zero = 0;
    size_t got = pr_reject(doubles_filled(3, 0), 3, constant, &zero, 0, 1, 1, &rng);
    assert_that(got == 0, "f is 0 everywhere: returned %zu proposals, expected 0", got);
    got = pr_reject(doubles_filled(3, 0), 3, constant, &zero, 0, 1, 0, &rng);
    assert_that(got == 0,
                "a height of 0 is not less than f = 0: returned %zu proposals, expected 0", got);
}

CASE(reject__gives_up_only_after_consecutive_rejections)
{
    // One acceptance in a thousand: 300,000 proposals, never PR_MAX_REJECTIONS rejections in a row.
    Rng rng = rng_from_seed(38);
    double low = 0.001;
    double *x = doubles_filled(300, NAN);
    size_t got = pr_reject(x, 300, constant, &low, 0, 1, 1, &rng);
    assert_number((double)got, 300000, .name = "proposals", .atol = 90000,
                  .formula = "give up only after PR_MAX_REJECTIONS rejections in a row");
}

CASE(reject__accepts_a_density_equal_to_the_bound)
{
    Rng rng = rng_from_seed(39);
    double one = 1, *x = doubles_filled(5, NAN);
    size_t got = pr_reject(x, 5, constant, &one, 0, 1, 1, &rng);
    assert_that(got == 5, "f is 1 and bound is 1: returned %zu proposals, expected 5", got);
}

static double negative_beyond_one_half(double x, const void *context)
{
    (void)context;
    return x < 0.5 ? 1 : -0.5;
}

CASE(reject__refuses_a_density_that_is_negative_in_places)
{
    Rng rng = rng_from_seed(40);
    size_t got =
        pr_reject(doubles_filled(50, 0), 50, negative_beyond_one_half, NULL, 0, 1, 1, &rng);
    assert_that(got == 0, "f is negative beyond 0.5: returned %zu proposals, expected 0", got);
}

// 0 at the first calls, and 1 from then on.
static double zero_at_first(double x, const void *context)
{
    int *left = *(int *const *)context;
    (void)x;
    return (*left)-- > 0 ? 0 : 1;
}

CASE(reject__gives_up_at_the_last_rejection_allowed)
{
    for (int more = -1; more <= 0; more++) {
        Rng rng = rng_from_seed(41);
        int left = PR_MAX_REJECTIONS + more, *context = &left;
        size_t got = pr_reject(doubles_filled(1, 0), 1, zero_at_first, &context, 0, 1, 1, &rng);
        size_t want = more < 0 ? PR_MAX_REJECTIONS : 0;
        assert_that(got == want, "%d rejections in a row: returned %zu, expected %zu",
                    PR_MAX_REJECTIONS + more, got, want);
    }
}

CASE(reject__forgets_earlier_calls)
{
    Rng rng = rng_from_seed(42);
    double zero = 0, one = 1;
    pr_reject(doubles_filled(1, 0), 1, constant, &zero, 0, 1, 1, &rng);
    size_t got = pr_reject(doubles_filled(2, 0), 2, constant, &one, 0, 1, 1, &rng);
    assert_that(got == 2, "after a density of 0, one of 1: returned %zu proposals, expected 2",
                got);
}

// ---- 5: the alias table ----

// The probability of drawing i: that of its own column, and that of the columns it is the alias of.
static void check_alias(const double *p, int n)
{
    size_t count = (size_t)n;
    double *mine = doubles_copy(p, count), *prob = doubles_filled(count, NAN),
           *drawn = doubles_filled(count, 0);
    int *alias = ints_filled(count, -7), *work = ints_filled(count, -7);
    assert_boolean("pr_alias of probabilities", pr_alias(prob, alias, mine, n, work), true);
    for (int i = 0; i < n; i++) {
        assert_that(prob[i] >= -1e-12 && prob[i] <= 1 + 1e-12,
                    "prob[%d] is %.17g, expected in [0,1]", i, prob[i]);
        assert_that(alias[i] >= 0 && alias[i] < n, "alias[%d] is %d, expected in 0..%d", i,
                    alias[i], n - 1);
        drawn[i] += prob[i] / n;
        drawn[alias[i]] += (1 - prob[i]) / n;
    }
    assert_near(drawn, p, SHAPE((int)count), .name = "probability", .rtol = 1e-11, .atol = 1e-13,
                .formula = "(prob[i] + sum of 1 - prob[j] over alias[j] = i) / n  must be p[i]");
    assert_kept("p", mine, p, count);
}

CASE(alias__table_reproduces_the_probabilities)
{
    check_alias((double[]){0.5, 0.25, 0.125, 0.125}, 4);
    check_alias((double[]){0.1, 0.2, 0.3, 0.4}, 4);
    check_alias((double[]){0.7, 0.1, 0.2}, 3);
    check_alias((double[]){1.0 / 3, 1.0 / 3, 1.0 / 3}, 3);
}

CASE(alias__handles_one_outcome_and_zero_probabilities)
{
    check_alias((double[]){1}, 1);
    check_alias((double[]){0, 1, 0, 0}, 4);
    check_alias((double[]){0, 0.5, 0, 0.5, 0}, 5);
}

CASE(alias__handles_many_outcomes)
{
    for (uint64_t seed = 41; seed <= 44; seed++) {
        int n = seed == 44 ? 2000 : 37;
        Rng rng = rng_from_seed(seed);
        double *p = numbers_uniform(&rng, (size_t)n), sum = 0;
        for (int i = 0; i < n; i++) sum += p[i] = pow(p[i], 6);
        for (int i = 0; i < n; i++) p[i] /= sum;
        check_alias(p, n);
    }
}

CASE(alias__never_draws_a_zero_probability_outcome)
{
    Rng rng = rng_from_seed(45);
    double *prob = doubles_filled(10, NAN);
    int *alias = ints_filled(10, -7);
    assert_boolean("pr_alias of ten probabilities",
                   pr_alias(prob, alias, DOUBLES(0, 0.1, 0, 0.2, 0, 0.3, 0, 0.1, 0, 0.3), 10,
                            ints_filled(10, 0)),
                   true);
    for (int k = 0; k < 20000; k++) {
        int drawn = pr_alias_draw(prob, alias, 10, &rng);
        assert_that(drawn % 2 == 1, "%d was drawn, which has probability 0", drawn);
    }
}

CASE(alias__refuses_invalid_probabilities)
{
    static const double wrong[][3] = {{0.5, 0.6, -0.1}, {0.5, 0.3, 0.1}, {0.5, 0.5, 0.5},
                                      {0.5, NAN, 0.5},  {0, 0, 0},       {INFINITY, 0, 0}};
    for (int k = 0; k < 6; k++)
        assert_that(!pr_alias(doubles_filled(3, 0), ints_filled(3, 0), doubles_copy(wrong[k], 3), 3,
                              ints_filled(3, 0)),
                    "%g, %g, %g are not probabilities: got true, expected false", wrong[k][0],
                    wrong[k][1], wrong[k][2]);
}

CASE(alias__accepts_sums_within_1e_9_of_one)
{
    static const double off[] = {0.9e-9, -0.9e-9, 1.2e-9, -1.2e-9};
    for (int k = 0; k < 4; k++)
        assert_boolean(k < 2 ? "pr_alias, the sum 0.9e-9 off" : "pr_alias, the sum 1.2e-9 off",
                       pr_alias(doubles_filled(2, 0), ints_filled(2, 0), DOUBLES(0.5, 0.5 + off[k]),
                                2, ints_filled(2, 0)),
                       k < 2);
}

CASE(alias__takes_the_same_arrays_again)
{
    double *p = DOUBLES(0.5, 0.25, 0.25), *prob = doubles_filled(3, NAN);
    int *alias = ints_filled(3, -7), *work = ints_filled(3, -7);
    pr_alias(prob, alias, p, 3, work);
    p[0] = 0, p[1] = 0.75;
    assert_boolean("pr_alias", pr_alias(prob, alias, p, 3, work), true);
    assert_number(prob[0], 0, .name = "prob[0] of the second call", .formula = "p[0] = 0");
    double drawn[3] = {0};
    for (int i = 0; i < 3; i++) drawn[i] += prob[i] / 3, drawn[alias[i]] += (1 - prob[i]) / 3;
    assert_near(drawn, p, SHAPE(3), .name = "probability of the second call");
}

const struct CMUnitTest draw_cases[] = {
    cmocka_unit_test(uniformity__matches_four_draws_counted_by_hand),
    cmocka_unit_test(uniformity__matches_direct_counting),
    cmocka_unit_test(uniformity__ignores_an_incomplete_group),
    cmocka_unit_test(uniformity__returns_nan_outside_the_unit_interval),
    cmocka_unit_test(uniformity__counts_the_largest_number_below_one),
    cmocka_unit_test(uniformity__takes_the_same_array_again),
    cmocka_unit_test(exponential__inverts_the_cdf_for_each_draw_in_order),
    cmocka_unit_test(exponential__matches_the_cdf),
    cmocka_unit_test(exponential__is_never_negative_or_infinite),
    cmocka_unit_test(exponential__takes_any_rate),
    cmocka_unit_test(exponential__continues_the_generators_it_is_given),
    cmocka_unit_test(normal__turns_two_uniform_draws_into_a_pair),
    cmocka_unit_test(normal__ends_with_a_cosine_when_n_is_odd),
    cmocka_unit_test(normal__scales_by_sd_then_shifts_by_mean),
    cmocka_unit_test(normal__matches_the_cdf),
    cmocka_unit_test(normal__keeps_no_sine_for_the_next_call),
    cmocka_unit_test(normal__takes_any_mean_and_sd),
    cmocka_unit_test(reject__accepts_points_below_the_density),
    cmocka_unit_test(reject__accepts_any_interval_and_a_loose_bound),
    cmocka_unit_test(reject__refuses_a_density_outside_zero_to_bound),
    cmocka_unit_test(reject__gives_up_on_a_zero_density),
    cmocka_unit_test(reject__gives_up_only_after_consecutive_rejections),
    cmocka_unit_test(reject__accepts_a_density_equal_to_the_bound),
    cmocka_unit_test(reject__refuses_a_density_that_is_negative_in_places),
    cmocka_unit_test(reject__gives_up_at_the_last_rejection_allowed),
    cmocka_unit_test(reject__forgets_earlier_calls),
    cmocka_unit_test(alias__table_reproduces_the_probabilities),
    cmocka_unit_test(alias__handles_one_outcome_and_zero_probabilities),
    cmocka_unit_test(alias__handles_many_outcomes),
    cmocka_unit_test(alias__never_draws_a_zero_probability_outcome),
    cmocka_unit_test(alias__refuses_invalid_probabilities),
    cmocka_unit_test(alias__accepts_sums_within_1e_9_of_one),
    cmocka_unit_test(alias__takes_the_same_arrays_again),
    {0},
};
