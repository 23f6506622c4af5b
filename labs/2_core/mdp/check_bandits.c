/* Exercises 10 to 14: choosing, estimating, and the gradient bandit. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// ---- 10: epsilon-greedy choices ----

int choice_of(const double *q, int actions, double epsilon, Rng *rng)
{
    int candidates[1000], count = 0;
    bool explores = (double)rng_uniform(rng) < epsilon;
    double best = -INFINITY;
    for (int a = 0; a < actions; a++)
        if (q[a] > best) best = q[a];
    for (int a = 0; a < actions; a++)
        if (q[a] > -INFINITY &&
            (explores || q[a] == best || q[a] >= best - 1e-9 * fmax(1, fabs(best))))
            candidates[count++] = a;
    if (count == 0) return -1;
    return candidates[count == 1 ? 0 : rng_below(rng, (uint32_t)count)];
}

static void check_choices(const double *q, int actions, double epsilon)
{
    Rng rng = rng_from_seed(101), same = rng;
    double *mine = doubles_copy(q, (size_t)actions);
    for (int i = 0; i < 300; i++) {
        int want = choice_of(q, actions, epsilon, &same),
            got = mdp_epsilon_greedy(mine, actions, epsilon, &rng);
        assert_integer("action", got, want);
        assert_drawn(&rng, &same, "u, and rng_below() where there are two candidates or more");
    }
    assert_kept("q", mine, q, (size_t)actions);
}

CASE(epsilon_greedy__explores_with_probability_epsilon)
{
    static const double epsilons[] = {0, 0.1, 0.5, 1};
    for (int k = 0; k < 4; k++) {
        check_choices((double[]){1, 3, 2}, 3, epsilons[k]);
        check_choices((double[]){-5}, 1, epsilons[k]);
        check_choices(doubles_zero(1000), 1000, epsilons[k]);
    }
}

CASE(epsilon_greedy__explores_below_epsilon_not_at_it)
{
    double *q = doubles_zero(1000);
    q[500] = 1;
    for (uint64_t seed = 0; seed < 20; seed++)
        for (int above = 0; above < 2; above++) {
            Rng rng = rng_from_seed(seed), same = rng, first = rng;
            double u = (double)rng_uniform(&first), epsilon = above == 0 ? u : u + 1e-10;
            assert_integer("action", mdp_epsilon_greedy(q, 1000, epsilon, &rng),
                           choice_of(q, 1000, epsilon, &same));
        }
}

CASE(epsilon_greedy__breaks_ties_at_random)
{
    check_choices((double[]){0, 0, 0, 0}, 4, 0.1);
    check_choices((double[]){-1, 0.3, 0.1 + 0.2, -2}, 4, 0.1);
    check_choices((double[]){-1e12, -1e12 - 100, -1e12 - 5000}, 3, 0);
    check_choices((double[]){1, 1 - 0.9e-9, 1 - 1.1e-9}, 3, 0);
    // 1000 choices of two: a fair coin, with a standard deviation of 16.
    Rng rng = rng_from_seed(102);
    int last = 0;
    for (int i = 0; i < 1000; i++) last += mdp_epsilon_greedy(DOUBLES(1, 0, 1), 3, 0, &rng) == 2;
    assert_number(last, 500, .name = "choices of the last of two equals", .atol = 64);
}

CASE(epsilon_greedy__never_chooses_what_is_not_allowed)
{
    const double none = -INFINITY;
    check_choices((double[]){none, 2, none, 1}, 4, 0.5);
    check_choices((double[]){none, -1e300}, 2, 0.5);
    check_choices((double[]){none, none}, 2, 0.5);
    check_choices((double[]){NAN, 1, 2, NAN}, 4, 0.5);
    check_choices((double[]){NAN, NAN}, 2, 0.5);
    check_choices((double[]){1e300, INFINITY}, 2, 0);
    check_choices((double[]){1e300, INFINITY}, 2, 0.5);
    check_choices((double[]){INFINITY, none, 0, INFINITY}, 4, 0.5);
    check_choices((double[]){NAN, INFINITY}, 2, 0.5);
}

CASE(epsilon_greedy__takes_the_same_array_again)
{
    Rng rng = rng_from_seed(103);
    double *q = DOUBLES(1, 0);
    mdp_epsilon_greedy(q, 2, 0, &rng);
    q[1] = 2;
    assert_integer("action of the second call", mdp_epsilon_greedy(q, 2, 0, &rng), 1);
}

// ---- 11: estimates ----

static const char estimate_formula[] = "value += (target - value) step, or 1 / count";

CASE(estimate__averages_where_the_step_is_zero)
{
    double value = 100;
    size_t count = 0;
    static const double targets[] = {2, 4, 9, 1}, want[] = {2, 3, 5, 4};
    for (int i = 0; i < 4; i++) {
        mdp_estimate(&value, &count, targets[i], 0);
        assert_number(value, want[i], .name = "value", .formula = estimate_formula);
        assert_integer("count", (int64_t)count, i + 1);
    }
}

CASE(estimate__with_a_constant_step_remembers_its_start)
{
    double value = 5, want = 5, slow = 5;    // optimistic
    size_t count = 0, none = 0;
    for (int i = 0; i < 9; i++) {
        mdp_estimate(&value, &count, i, 0.1);
        want = 0.9 * want + 0.1 * i;
        assert_number(value, want, .name = "value", .formula = estimate_formula);
    }
    assert_integer("count", (int64_t)count, 9);
    mdp_estimate(&slow, &none, 1e9, 1e-9);
    assert_number(slow, 6 - 5e-9, .name = "value after a step of 1e-9",
                  .formula = estimate_formula);
}

CASE(estimate__of_the_first_target_is_that_target)
{
    static const double starts[] = {1e17, -1e300, 0.1};
    for (int k = 0; k < 3; k++) {
        double value = starts[k];
        size_t count = 0;
        mdp_estimate(&value, &count, 0.7, 0);
        assert_number(value, 0.7, .name = "value after one target", .exact = true,
                      .formula = estimate_formula);
    }
}

CASE(estimate__counts_more_than_an_int)
{
    double value = 1;
    size_t count = 4999999999;
    mdp_estimate(&value, &count, 5000000001, 0);
    assert_integer("count", (int64_t)count, 5000000000);
    assert_number(value, 2, .name = "value", .formula = estimate_formula);
    value = 0, count = 16777216;    // after which a float cannot count
    mdp_estimate(&value, &count, 16777217, 0);
    assert_number(value, 1, .name = "value of 16777217 targets", .formula = estimate_formula);
}

CASE(estimate__propagates_nan)
{
    double value = 1, other = NAN;
    size_t count = 3, none = 3;
    mdp_estimate(&value, &count, NAN, 0.5);
    mdp_estimate(&other, &none, 1, 0);
    assert_near(((double[]){value, other}), ((double[]){NAN, NAN}), SHAPE(2), .name = "value");
}

// ---- 12: upper confidence bounds ----

static size_t *counts_of(size_t n, const int *values)
{
    size_t *counts = counts_zero(n);
    for (size_t i = 0; i < n; i++) counts[i] = (size_t)values[i];
    return counts;
}
#define COUNTS(...)                                                                                \
    counts_of(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})

CASE(ucb__tries_each_action_once_first)
{
    assert_integer("action", mdp_ucb(DOUBLES(9, 1, 2), COUNTS(0, 0, 0), 3, 1), 0);
    assert_integer("action", mdp_ucb(DOUBLES(9, 1, 2), COUNTS(5, 1, 0), 3, 1), 2);
    assert_integer("action", mdp_ucb(DOUBLES(9, 1, 2), COUNTS(5, 0, 0), 3, 0), 1);
    assert_integer("action", mdp_ucb(DOUBLES(-9), COUNTS(0), 1, 1), 0);
}

CASE(ucb__chooses_the_largest_bound)
{
    // t = 100, ln t = 4.605: bounds 0.5 + 0.226 c, 0.3 + 0.679 c with counts 90 and 10.
    double *q = DOUBLES(0.5, 0.3);
    assert_integer("action, c = 0.44", mdp_ucb(q, COUNTS(90, 10), 2, 0.44), 0);
    assert_integer("action, c = 0.443", mdp_ucb(q, COUNTS(90, 10), 2, 0.443), 1);
    assert_integer("action, c = 0", mdp_ucb(q, COUNTS(90, 10), 2, 0), 0);
    assert_integer("action where c counts more", mdp_ucb(q, COUNTS(60, 40), 2, 8.2), 1);
    assert_integer("action where q counts more", mdp_ucb(q, COUNTS(60, 40), 2, 1.8), 0);
    // t = 3, ln t = 1.099: bounds 1.048 and q[1] + 0.741; t of 2 or 4 would differ.
    assert_integer("action, q[1] = 0.29", mdp_ucb(DOUBLES(0, 0.29), COUNTS(1, 2), 2, 1), 0);
    assert_integer("action, q[1] = 0.32", mdp_ucb(DOUBLES(0, 0.32), COUNTS(1, 2), 2, 1), 1);
    assert_integer("larger by 1e-10", mdp_ucb(DOUBLES(1, 1 + 1e-10), COUNTS(4, 4), 2, 1), 1);
    assert_integer("first of equals", mdp_ucb(DOUBLES(1, 2, 2), COUNTS(4, 4, 4), 3, 1), 1);
    assert_integer("only choice, once", mdp_ucb(DOUBLES(-3), COUNTS(1), 1, 1), 0);
    assert_integer("first of two tried once", mdp_ucb(DOUBLES(1, 3), COUNTS(1, 1), 2, 1), 1);
}

CASE(ucb__skips_what_is_not_allowed)
{
    const double none = -INFINITY;
    assert_integer("action", mdp_ucb(DOUBLES(none, 1), COUNTS(0, 0), 2, 1), 1);
    assert_integer("action", mdp_ucb(DOUBLES(NAN, 1, NAN), COUNTS(3, 3, 3), 3, 1), 1);
    assert_integer("action", mdp_ucb(DOUBLES(none, NAN), COUNTS(0, 0), 2, 1), -1);
    assert_integer("action", mdp_ucb(DOUBLES(-1e300, -1e299), COUNTS(9, 9), 2, 1), 1);
    assert_integer("infinite q", mdp_ucb(DOUBLES(1e300, INFINITY), COUNTS(9, 9), 2, 1), 1);
    assert_integer("first of two", mdp_ucb(DOUBLES(INFINITY, INFINITY), COUNTS(9, 2), 2, 1), 0);
    // The counts of what is skipped belong to t: ln 1003 = 6.911, ln 3 = 1.099.
    assert_integer("action, t = 1003", mdp_ucb(DOUBLES(none, 0, .7), COUNTS(1000, 1, 2), 3, 1), 1);
    assert_integer("action, t = 3", mdp_ucb(DOUBLES(none, 0, .7), COUNTS(0, 1, 2), 3, 1), 2);
    assert_integer("action of NaN, 1000", mdp_ucb(DOUBLES(NAN, 0, .7), COUNTS(1000, 1, 2), 3, 1),
                   1);
}

CASE(ucb__sums_more_than_an_int_and_changes_nothing)
{
    // t = 5e9, ln t = 22.33: bounds 1.494e-4 and q[1] + 0.747e-4.
    double *q = DOUBLES(0, 0.73e-4), *before = DOUBLES(0, 0.73e-4);
    size_t *counts = counts_zero(2);
    counts[0] = 1000000000, counts[1] = 4000000000;
    assert_integer("action", mdp_ucb(q, counts, 2, 1), 0);
    assert_kept("q", q, before, 2);
    assert_integer("counts[1]", (int64_t)counts[1], 4000000000);
    q[1] = 0.76e-4;
    assert_integer("action of a larger q", mdp_ucb(q, counts, 2, 1), 1);
    counts[1] = 0;
    assert_integer("action of the same arrays again", mdp_ucb(q, counts, 2, 2), 1);
}

CASE(ucb__has_logarithmic_regret)
{
    // Auer et al. 2002, theorem 1, for rewards in [0,1] and c = sqrt 2: the expected number of
    // choices of the worse arm is at most 8 ln n / gap^2 + 1 + pi^2 / 3 = 214.
    Rng rng = rng_from_seed(121);
    double worse = 0;
    for (int run = 0; run < 40; run++) {
        double *q = DOUBLES(0, 0);
        size_t *counts = counts_zero(2);
        for (int t = 0; t < 2000; t++) {
            int a = mdp_ucb(q, counts, 2, sqrt(2));
            double reward = (double)rng_uniform(&rng) < (a == 0 ? 0.25 : 0.79);
            q[a] += (reward - q[a]) / (double)++counts[a];
        }
        worse += (double)counts[0] / 40;
    }
    assert_that(worse > 20 && worse < 214, "chose the worse arm %g times, expected 20 to 214",
                worse);
}

// ---- 13: softmax ----

static const char softmax_formula[] = "policy[a] = exp(h[a]) / sum_b exp(h[b])";

static void check_softmax(const double *h, int actions, const double *want)
{
    double *mine = doubles_copy(h, (size_t)actions), *p = doubles_filled((size_t)actions, NAN);
    mdp_softmax(p, mine, actions);
    assert_near(p, want, SHAPE(actions), .name = "policy", .rtol = 1e-12,
                .formula = softmax_formula);
    assert_kept("h", mine, h, (size_t)actions);
    mdp_softmax(mine, mine, actions);
    assert_near(mine, want, SHAPE(actions), .name = "policy, in place of h", .rtol = 1e-12,
                .formula = softmax_formula);
}

CASE(softmax__matches_hand)
{
    check_softmax((double[]){0, log(2), log(5)}, 3, (double[]){0.125, 0.25, 0.625});
    check_softmax((double[]){-7}, 1, (double[]){1});
    check_softmax(doubles_filled(1000, 3), 1000, doubles_filled(1000, 1e-3));
}

CASE(softmax__takes_preferences_of_any_size)
{
    check_softmax((double[]){1000, 1000 + log(3)}, 2, (double[]){0.25, 0.75});
    check_softmax((double[]){-1000, -1000 - log(3)}, 2, (double[]){0.75, 0.25});
    check_softmax((double[]){1e300, -1e300}, 2, (double[]){1, 0});
    check_softmax((double[]){0, -600}, 2, (double[]){1, exp(-600)});
    check_softmax((double[]){-INFINITY, 1, 1}, 3, (double[]){0, 0.5, 0.5});
}

CASE(softmax__of_a_nan_is_nan)
{
    check_softmax((double[]){NAN, 1}, 2, (double[]){NAN, NAN});
    check_softmax((double[]){1, NAN}, 2, (double[]){NAN, NAN});
}

CASE(softmax__takes_the_same_array_again)
{
    double *h = DOUBLES(0, 0), *p = DOUBLES(NAN, NAN);
    mdp_softmax(p, h, 2);
    h[0] = log(3);
    mdp_softmax(p, h, 2);
    assert_near(p, ((double[]){0.75, 0.25}), SHAPE(2), .name = "policy of the second call",
                .formula = softmax_formula);
}

// ---- 14: the gradient bandit ----

static const char gradient_formula[] =
    "h[a] += step (reward - baseline) ((a == action) - policy[a])";

static void check_gradient(const double *h, const double *policy, int actions, int action,
                           double reward, double baseline, double step)
{
    size_t n = (size_t)actions;
    double *mine = doubles_copy(h, n), *p = doubles_copy(policy, n), *want = doubles_zero(n);
    for (size_t a = 0; a < n; a++)
        want[a] = h[a] + step * (reward - baseline) * ((int)a == action ? 1 - p[a] : -p[a]);
    mdp_gradient_bandit(mine, p, actions, action, reward, baseline, step);
    assert_near(mine, want, SHAPE(actions), .name = "h", .formula = gradient_formula);
    assert_kept("policy", p, policy, n);
}

CASE(gradient_bandit__raises_what_brought_more_than_the_baseline)
{
    double *h = DOUBLES(0, 0), *even = DOUBLES(0.5, 0.5);
    mdp_gradient_bandit(h, even, 2, 1, 3, 1, 0.1);
    assert_near(h, ((double[]){-0.1, 0.1}), SHAPE(2), .name = "h", .formula = gradient_formula);
    mdp_gradient_bandit(h, even, 2, 0, 3, 1, 0.1);
    assert_near(h, ((double[]){0, 0}), SHAPE(2), .name = "h of the second call", .atol = 1e-15,
                .formula = gradient_formula);
    check_gradient((double[]){1, 2, 3}, (double[]){0.2, 0.3, 0.5}, 3, 0, -1, 2, 0.4);
    check_gradient((double[]){1, 2, 3}, (double[]){0.2, 0.3, 0.5}, 3, 2, 4, 4, 0.4);
    check_gradient((double[]){1}, (double[]){1}, 1, 0, 5, 0, 0.4);
    check_gradient(doubles_zero(501), doubles_filled(501, 1.0 / 501), 501, 500, 1, 0, 1);
    check_gradient((double[]){0, 0}, (double[]){0.5, 0.5}, 2, 0, 1e9 + 1, 1e9, 0.1);
}

CASE(gradient_bandit__takes_rewards_of_any_size_and_nan)
{
    check_gradient((double[]){1e300, 0}, (double[]){0.1, 0.9}, 2, 0, 1e300, 0, 0.1);
    check_gradient((double[]){0, 0}, (double[]){0.1, 0.9}, 2, 0, 1e-300, 0, 0.1);
    check_gradient((double[]){0, 0}, (double[]){0.1, 0.9}, 2, 0, NAN, 0, 0.1);
}

CASE(gradient_bandit__is_the_gradient_of_the_expected_reward)
{
    // Weighted by the policy, the updates are step d/dh sum_a policy[a] r[a] (Sutton & Barto, 2.8).
    static const double h[3] = {0.3, -0.2, 0.5}, r[3] = {1, 4, -2};
    double p[3], sum = 0, mean = 0, want[3], total[3] = {0};
    for (int a = 0; a < 3; a++) sum += exp(h[a]);
    for (int a = 0; a < 3; a++) p[a] = exp(h[a]) / sum, mean += p[a] * r[a];
    for (int a = 0; a < 3; a++) want[a] = p[a] * (r[a] - mean);
    for (int taken = 0; taken < 3; taken++) {
        double *change = doubles_zero(3);
        mdp_gradient_bandit(change, p, 3, taken, r[taken], 0.7, 1);
        for (int a = 0; a < 3; a++) total[a] += p[taken] * change[a];
    }
    assert_near(total, want, SHAPE(3), .name = "expected update", .formula = gradient_formula);
}

const struct CMUnitTest bandit_cases[] = {
    cmocka_unit_test(epsilon_greedy__explores_with_probability_epsilon),
    cmocka_unit_test(epsilon_greedy__explores_below_epsilon_not_at_it),
    cmocka_unit_test(epsilon_greedy__breaks_ties_at_random),
    cmocka_unit_test(epsilon_greedy__never_chooses_what_is_not_allowed),
    cmocka_unit_test(epsilon_greedy__takes_the_same_array_again),
    cmocka_unit_test(estimate__averages_where_the_step_is_zero),
    cmocka_unit_test(estimate__with_a_constant_step_remembers_its_start),
    cmocka_unit_test(estimate__of_the_first_target_is_that_target),
    cmocka_unit_test(estimate__counts_more_than_an_int),
    cmocka_unit_test(estimate__propagates_nan),
    cmocka_unit_test(ucb__tries_each_action_once_first),
    cmocka_unit_test(ucb__chooses_the_largest_bound),
    cmocka_unit_test(ucb__skips_what_is_not_allowed),
    cmocka_unit_test(ucb__sums_more_than_an_int_and_changes_nothing),
    cmocka_unit_test(ucb__has_logarithmic_regret),
    cmocka_unit_test(softmax__matches_hand),
    cmocka_unit_test(softmax__takes_preferences_of_any_size),
    cmocka_unit_test(softmax__of_a_nan_is_nan),
    cmocka_unit_test(softmax__takes_the_same_array_again),
    cmocka_unit_test(gradient_bandit__raises_what_brought_more_than_the_baseline),
    cmocka_unit_test(gradient_bandit__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(gradient_bandit__is_the_gradient_of_the_expected_reward),
    {0},
};
