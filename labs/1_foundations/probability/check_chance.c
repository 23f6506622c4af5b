/* Exercises 15 to 18: answers by chance, and what they tell. check.c says how cases are made. */
#include "labs/1_foundations/probability/check.h"

// ---- 15: the bootstrap ----

static const char bootstrap_formula[] =
    "again[i] = x[rng_below(rng, n)], in order; then the statistic";

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
           *again = doubles_filled(n, NAN), *replicas = doubles_filled(count, NAN),
           *want = doubles_filled(count, 0), *mine = doubles_filled(n, 0);
    same = rng;
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < n; i++) mine[i] = x[rng_below(&same, (uint32_t)n)];
        want[r] = statistic(mine, n);
    }
    pr_bootstrap(replicas, count, statistic, x, n, again, &rng);
    assert_near(replicas, want, SHAPE((int)count), .name = "replicas",
                .formula = bootstrap_formula);
    assert_drawn(&rng, &same, "n draws for each replica");
    assert_kept("x", x, before, n);
}

static void bootstrap__draws_n_of_n_with_repetition(void **state)
{
    (void)state;
    check_bootstrap(151, 20, 7, first_and_last);
    check_bootstrap(152, 5, 30, mean_of);
}

static void bootstrap__takes_one_number_and_no_replica(void **state)
{
    (void)state;
    check_bootstrap(153, 4, 1, mean_of);
    check_bootstrap(154, 0, 3, mean_of);
}

static double greedy(const double *x, size_t n)
{
    double *mine = (double *)(uintptr_t)x, sum = mean_of(x, n);    // `again` is room to work in
    for (size_t i = 0; i < n; i++) mine[i] = NAN;
    return sum;
}

static void bootstrap__may_lose_what_it_drew_for_the_last_replica(void **state)
{
    (void)state;
    check_bootstrap(155, 9, 5, greedy);
}

static void bootstrap__of_the_mean_spreads_by_s_over_root_n(void **state)
{
    (void)state;
    enum { N = 40, COUNT = 4000 };
    Rng rng = rng_from_seed(156);
    double *x = numbers_uniform(&rng, N), *replicas = doubles_filled(COUNT, NAN), squares = 0,
           spread = 0;
    for (int i = 0; i < N; i++) squares += (x[i] - mean_of(x, N)) * (x[i] - mean_of(x, N));
    pr_bootstrap(replicas, COUNT, mean_of, x, N, doubles_filled(N, 0), &rng);
    for (int r = 0; r < COUNT; r++)
        spread += (replicas[r] - mean_of(x, N)) * (replicas[r] - mean_of(x, N)) / COUNT;
    assert_number(sqrt(spread), sqrt(squares) / N, .name = "deviation of the replicas",
                  .rtol = 0.06, .formula = "sqrt(mean squared distance / n)");
}

// ---- 16: Monte Carlo integration ----

static const char integrate_formula[] = "(b - a) mean f,  error |b - a| s / sqrt(n)";

static double parabola(double x, const void *about)
{
    const double *c = about;
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
    assert_number(got.error,
                  n < 2 ? NAN : fabs(b - a) * sqrt(squares / (double)(n - 1) / (double)n),
                  .name = "error", .rtol = 1e-9, .formula = integrate_formula);
    assert_drawn(&rng, &same, "one draw for each place");
}

static void integrate__is_the_width_times_the_mean_height(void **state)
{
    (void)state;
    check_integrate(161, 0, 1, 10);
    check_integrate(162, -2, 5, 100);
    check_integrate(163, 1, 1.5, 2);
}

static void integrate__goes_backwards_too(void **state)
{
    (void)state;
    check_integrate(164, 3, -1, 20);
    check_integrate(165, 2, 2, 20);
}

static void integrate__does_not_know_the_error_of_one_draw(void **state)
{
    (void)state;
    check_integrate(166, 0, 2, 1);
}

static void integrate__of_a_constant_is_sure(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(167);
    PrEstimate got = pr_integrate(parabola, (double[]){5, 0}, 1, 4, 50, &rng);
    assert_number(got.value, 15, .name = "value", .formula = integrate_formula);
    assert_number(got.error, 0, .name = "error", .atol = 1e-12, .formula = integrate_formula);
}

static void integrate__is_off_by_about_what_it_says(void **state)
{
    (void)state;
    // int_0^1 2 + 3 x^2 = 3. Of 400 estimates 68.3 % are within one error: 273, give or take 9.3.
    Rng rng = rng_from_seed(168);
    int within = 0;
    for (int k = 0; k < 400; k++) {
        PrEstimate got = pr_integrate(parabola, (double[]){2, 3}, 0, 1, 300, &rng);
        within += fabs(got.value - 3) <= got.error;
    }
    assert_number(within, 273, .name = "estimates within their error", .atol = 47,
                  .formula = integrate_formula);
}

// ---- 17: Metropolis ----

static const char metropolis_formula[] =
    "z = place + step (2 u - 1); move when ln v < ln f(z) - ln f(place); x[i] = place";

static double log_bell(double x, const void *about)
{
    (void)about;
    return -x * x / 2 - 1000;    // a constant that no exp() survives
}

// 0 outside of [0,1], and rising inside.
static double log_ramp(double x, const void *about)
{
    (void)about;
    return x > 0 && x < 1 ? log(x) : -INFINITY;
}

static void check_metropolis(uint64_t seed, size_t n, double start, double step, PrFunction *log_f)
{
    Rng rng = rng_from_seed(seed), same = rng;
    double *x = doubles_filled(n, NAN), *want = doubles_filled(n, 0), place = start;
    int moved = 0;
    for (size_t i = 0; i < n; i++) {
        double u = pr_uniform(&same), v = pr_uniform(&same), z = place + step * (2 * u - 1);
        if (log(v) < log_f(z, NULL) - log_f(place, NULL)) {
            place = z;
            moved++;
        }
        want[i] = place;
    }
    double share = pr_metropolis(x, n, start, step, log_f, NULL, &rng);
    assert_near(x, want, SHAPE((int)n), .name = "x", .formula = metropolis_formula, .rtol = 1e-9,
                .atol = 1e-9);
    assert_number(share, (double)moved / (double)n, .name = "share that moved",
                  .formula = "the share of steps that moved");
    assert_drawn(&rng, &same, "two draws for each step, also where it stays");
}

static void metropolis__moves_as_the_ratio_says(void **state)
{
    (void)state;
    check_metropolis(171, 200, 0, 1, log_bell);
    check_metropolis(172, 200, 5, 3, log_bell);
    check_metropolis(173, 1, -1, 0.5, log_bell);
}

static void metropolis__stays_inside(void **state)
{
    (void)state;
    check_metropolis(174, 300, 0.5, 0.8, log_ramp);
    check_metropolis(175, 300, 0.9, 5, log_ramp);
}

static void metropolis__finds_its_way_in_from_where_the_density_is_zero(void **state)
{
    (void)state;
    check_metropolis(176, 300, 1.2, 0.6, log_ramp);
}

static double log_broken(double x, const void *about)
{
    (void)about;
    return fabs(x) > 1 ? NAN : 0;
}

static void metropolis__never_moves_to_what_is_no_number(void **state)
{
    (void)state;
    check_metropolis(177, 100, 0, 2, log_broken);
}

static void metropolis__visits_a_bell_as_often_as_it_is_high(void **state)
{
    (void)state;
    enum { N = 60000 };
    Rng rng = rng_from_seed(178);
    double *x = doubles_filled(N, NAN), sum = 0, squares = 0;
    pr_metropolis(x, N, 0, 4, log_bell, NULL, &rng);
    for (int i = 0; i < N; i++) sum += x[i], squares += x[i] * x[i];
    assert_number(sum / N, 0, .name = "mean", .atol = 0.08, .formula = metropolis_formula);
    assert_number(squares / N, 1, .name = "mean square", .atol = 0.1,
                  .formula = metropolis_formula);
}

// ---- 18: information ----

static const char information_formula[] =
    "H = -sum p ln p,  cross = -sum p ln q,  KL = sum p ln(p / q)";

static void check_information(const double *p, const double *q, size_t n, PrInformation want)
{
    double *mine = doubles_copy(p, n), *theirs = doubles_copy(q, n);
    PrInformation got = pr_information(mine, theirs, n);
    assert_number(got.entropy, want.entropy, .name = "entropy", .formula = information_formula,
                  .rtol = 1e-12, .atol = 1e-14);
    assert_number(got.cross, want.cross, .name = "cross", .formula = information_formula,
                  .rtol = 1e-12, .atol = 1e-14);
    assert_number(got.divergence, want.divergence, .name = "divergence",
                  .formula = information_formula, .rtol = 1e-12, .atol = 1e-14);
    assert_kept("p", mine, p, n);
    assert_kept("q", theirs, q, n);
}

static void information__of_coins_is_what_a_hand_computes(void **state)
{
    (void)state;
    const double fair[] = {0.5, 0.5}, bent[] = {0.75, 0.25};
    check_information(fair, fair, 2, (PrInformation){log(2), log(2), 0});
    check_information(fair, bent, 2, (PrInformation){log(2), log(16.0 / 3) / 2, log(4.0 / 3) / 2});
    check_information(bent, fair, 2,
                      (PrInformation){log(4) - 0.75 * log(3), log(2), 0.75 * log(3) - log(2)});
}

static void information__takes_no_term_for_what_never_comes(void **state)
{
    (void)state;
    check_information((double[]){1, 0, 0}, (double[]){0.5, 0.5, 0}, 3,
                      (PrInformation){0, log(2), log(2)});
    check_information((double[]){1}, (double[]){1}, 1, (PrInformation){0, 0, 0});
}

static void information__of_what_was_held_for_impossible_is_infinite(void **state)
{
    (void)state;
    check_information((double[]){0.5, 0.5}, (double[]){1, 0}, 2,
                      (PrInformation){log(2), INFINITY, INFINITY});
}

static void information__adds_up(void **state)
{
    (void)state;
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
        assert_number(got.cross, cross, .name = "cross", .formula = information_formula);
        assert_number(got.divergence, cross - entropy, .name = "divergence", .rtol = 1e-9,
                      .formula = "KL = cross - H");
        assert_that(got.divergence >= 0, "the divergence is %g, expected nothing below 0",
                    got.divergence);
    }
}

static void information__keeps_the_digits_of_a_small_divergence(void **state)
{
    (void)state;
    // Two codes that differ by d = 2^-20: ((1 + d) ln(1 + d) + (1 - d) ln(1 - d)) / 2 = d^2 / 2 ...
    enum { N = 1024 };
    double d = 0x1p-20, *p = doubles_filled(N, 0), *q = doubles_filled(N, 1.0 / N);
    for (int i = 0; i < N; i++) p[i] = (i % 2 ? 1 + d : 1 - d) / N;
    assert_number(pr_information(p, q, N).divergence, d * d / 2, .name = "divergence", .rtol = 1e-6,
                  .formula = "KL = sum p ln(p / q), and not the difference of two large sums");
}

static void information__has_no_answer_for_what_are_no_probabilities(void **state)
{
    (void)state;
    const double fine[] = {0.5, 0.5};
    static const double wrong[][2] = {{0.5, 0.6}, {1.5, -0.5}, {0.5, NAN}, {0, 0}, {INFINITY, 0}};
    const PrInformation none = {NAN, NAN, NAN};
    for (int k = 0; k < 5; k++) {
        check_information(wrong[k], fine, 2, none);
        check_information(fine, wrong[k], 2, none);
    }
}

const struct CMUnitTest chance_cases[] = {
    cmocka_unit_test(bootstrap__draws_n_of_n_with_repetition),
    cmocka_unit_test(bootstrap__takes_one_number_and_no_replica),
    cmocka_unit_test(bootstrap__may_lose_what_it_drew_for_the_last_replica),
    cmocka_unit_test(bootstrap__of_the_mean_spreads_by_s_over_root_n),
    cmocka_unit_test(integrate__is_the_width_times_the_mean_height),
    cmocka_unit_test(integrate__goes_backwards_too),
    cmocka_unit_test(integrate__does_not_know_the_error_of_one_draw),
    cmocka_unit_test(integrate__of_a_constant_is_sure),
    cmocka_unit_test(integrate__is_off_by_about_what_it_says),
    cmocka_unit_test(metropolis__moves_as_the_ratio_says),
    cmocka_unit_test(metropolis__stays_inside),
    cmocka_unit_test(metropolis__finds_its_way_in_from_where_the_density_is_zero),
    cmocka_unit_test(metropolis__never_moves_to_what_is_no_number),
    cmocka_unit_test(metropolis__visits_a_bell_as_often_as_it_is_high),
    cmocka_unit_test(information__of_coins_is_what_a_hand_computes),
    cmocka_unit_test(information__takes_no_term_for_what_never_comes),
    cmocka_unit_test(information__of_what_was_held_for_impossible_is_infinite),
    cmocka_unit_test(information__adds_up),
    cmocka_unit_test(information__keeps_the_digits_of_a_small_divergence),
    cmocka_unit_test(information__has_no_answer_for_what_are_no_probabilities),
    {0},
};
