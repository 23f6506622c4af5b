/* Exercises 4 to 6: policies, evaluated and improved. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// ---- 4: policy evaluation ----

static const char evaluate_formula[] = "v'(s) = sum_a pi(s,a) backup(s,a), all from the old v";

static MdpSweeps evaluate(double *v, const Mdp *mdp, const double *policy, double tolerance,
                          int most)
{
    return mdp_evaluate(v, mdp, policy, tolerance, most, doubles_filled((size_t)mdp->states, NAN));
}

CASE(evaluate__makes_the_sweeps_of_figure_4_1)
{
    // After 1, 2 and 3 sweeps, in the first two rows.
    static const double want[3][8] = {{0, -1, -1, -1, -1, -1, -1, -1},
                                      {0, -1.75, -2, -2, -1.75, -2, -2, -2},
                                      {0, -2.4375, -2.9375, -3, -2.4375, -2.875, -3, -2.9375}};
    Mdp mdp = world_grid_4x4();
    for (int k = 1; k <= 3; k++) {
        double *v = doubles_zero(16);
        MdpSweeps done = evaluate(v, &mdp, policy_uniform(&mdp), 0, k);
        assert_integer("sweeps", done.sweeps, k);
        assert_number(done.change, 1, .name = "change", .formula = evaluate_formula);
        assert_near(v, want[k - 1], SHAPE(2, 4), .name = "v", .formula = evaluate_formula);
    }
}

CASE(evaluate__converges_to_the_published_values)
{
    Mdp grid = world_grid_4x4(), large = world_grid_5x5(), walk = world_walk(7);
    double *v = doubles_zero(16), *u = doubles_zero(25), *w = doubles_zero(7);
    assert_that(evaluate(v, &grid, policy_uniform(&grid), 1e-13, 10000).change <= 1e-13,
                "the 4x4 gridworld did not converge in 10000 sweeps");
    evaluate(u, &large, policy_uniform(&large), 1e-13, 10000);
    evaluate(w, &walk, policy_uniform(&walk), 1e-14, 10000);
    assert_near(v, grid_4x4_values, SHAPE(4, 4), .name = "v", .atol = 1e-10,
                .formula = evaluate_formula);
    assert_near(u, grid_5x5_values, SHAPE(5, 5), .name = "v", .atol = 0.05001,
                .formula = evaluate_formula);
    assert_near(w, ((double[]){0, 1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6, 0}), SHAPE(7),
                .name = "v", .atol = 1e-11, .formula = evaluate_formula);
}

CASE(evaluate__ends_when_the_change_is_equal_to_the_tolerance)
{
    // v = 1, 1.5, 1.75, ...: the changes are 1, 1/2, 1/4.
    Mdp mdp = WORLD(1, 1, 0.5, -1, {0, 0, 0, 1, 1});
    double *v = DOUBLES(0);
    MdpSweeps done = evaluate(v, &mdp, DOUBLES(1), 0.5, 100);
    assert_integer("sweeps", done.sweeps, 2);
    assert_number(done.change, 0.5, .name = "change", .formula = evaluate_formula);
    assert_number(v[0], 1.5, .name = "v", .formula = evaluate_formula);
    done = evaluate(v, &mdp, DOUBLES(1), 0.1, 1);
    assert_integer("sweeps of at most 1", done.sweeps, 1);
    assert_number(v[0], 1.75, .name = "v, from where it was", .formula = evaluate_formula);
    done = evaluate(v, &mdp, DOUBLES(1), 0.1, 0);
    assert_integer("sweeps of at most 0", done.sweeps, 0);
    assert_number(done.change, INFINITY, .name = "change before the first sweep");
    assert_number(v[0], 1.75, .name = "v of no sweep", .exact = true);
}

CASE(evaluate__agrees_with_elimination_on_random_worlds)
{
    static const int sizes[] = {2, 9, 150};
    for (int k = 0; k < 3; k++) {
        Mdp mdp = world_random(40 + (uint64_t)k, sizes[k], 2 + k, 2, 0.9);
        double *policy = policy_uniform(&mdp), *v = doubles_zero((size_t)sizes[k]);
        double *before = doubles_copy(policy, (size_t)sizes[k] * (size_t)(2 + k));
        evaluate(v, &mdp, policy, 1e-13, 10000);
        assert_near(v, exact_values(&mdp, policy), SHAPE(sizes[k]), .name = "v", .atol = 1e-10,
                    .formula = evaluate_formula);
        assert_kept("policy", policy, before, (size_t)sizes[k] * (size_t)(2 + k));
    }
}

CASE(evaluate__weighs_an_action_of_any_probability)
{
    Mdp mdp = WORLD(2, 2, 1, -1, {0, 0, 1, 1, 1}, {0, 1, 1, 1, 1e300});
    static const double rare[] = {1e-13, 1e-300};
    for (int k = 0; k < 2; k++) {
        double *v = doubles_zero(2);
        evaluate(v, &mdp, DOUBLES(1 - rare[k], rare[k], 0, 0), 0, 1);
        assert_number(v[0], 1 - rare[k] + 1e300 * rare[k], .name = "v of a rare action",
                      .formula = evaluate_formula);
    }
}

CASE(evaluate__keeps_terminal_states_at_zero)
{
    Mdp mdp = world_cliff();
    double *v = doubles_zero(48);
    evaluate(v, &mdp, doubles_filled(48 * 4, 0.25), 1e-3, 10);
    assert_number(v[47], 0, .name = "v of the goal", .exact = true, .formula = evaluate_formula);
}

CASE(evaluate__lets_a_nan_show_in_the_change)
{
    Mdp mdp = WORLD(3, 1, 0.5, -1, {0, 0, 2, 1, NAN}, {1, 0, 2, 1, 1e300});
    double *v = doubles_zero(3);
    MdpSweeps done = evaluate(v, &mdp, DOUBLES(1, 1, 1), 1e-9, 5);
    assert_number(done.change, NAN, .name = "change", .formula = evaluate_formula);
    assert_integer("sweeps", done.sweeps, 5);
    assert_near(v, ((double[]){NAN, 1e300, 0}), SHAPE(3), .name = "v", .formula = evaluate_formula);
    Mdp walk = world_walk(3);
    double *u = doubles_zero(3);
    evaluate(u, &walk, DOUBLES(0, 0, .5, NAN, 0, 0), 1e-9, 5);
    assert_number(u[1], NAN, .name = "v of a policy with a NaN", .formula = evaluate_formula);
}

// ---- 5: epsilon-greedy policies ----

static const char greedy_formula[] = "(1 - epsilon) / best + epsilon / allowed";

static void check_greedy(const double *q, int actions, double epsilon, const double *want)
{
    size_t n = (size_t)actions;
    double *mine = doubles_copy(q, n), *policy = doubles_filled(n, NAN);
    mdp_greedy(policy, mine, actions, epsilon);
    assert_near(policy, want, SHAPE(actions), .name = "policy", .formula = greedy_formula);
    assert_kept("q", mine, q, n);
    mdp_greedy(mine, mine, actions, epsilon);
    assert_near(mine, want, SHAPE(actions), .name = "policy, in place of q",
                .formula = greedy_formula);
}

CASE(greedy__gives_all_to_the_best_action)
{
    check_greedy((double[]){-3, -1, -2}, 3, 0, (double[]){0, 1, 0});
    check_greedy((double[]){5}, 1, 0.3, (double[]){1});
    check_greedy((double[]){-1, 2}, 2, 0, (double[]){0, 1});
    check_greedy((double[]){1, 0, 0, 0}, 4, 0.2, (double[]){0.85, 0.05, 0.05, 0.05});
    check_greedy((double[]){1, 0, 0, 0}, 4, 1, (double[]){0.25, 0.25, 0.25, 0.25});
}

CASE(greedy__shares_between_tied_actions)
{
    check_greedy((double[]){0.1 + 0.2, 0.3, 0}, 3, 0, (double[]){0.5, 0.5, 0});
    check_greedy((double[]){0.3, 0, 0.1 + 0.2}, 3, 0.3, (double[]){0.45, 0.1, 0.45});
    check_greedy((double[]){-1e12 - 100, -1e12, -1e12 - 5000}, 3, 0, (double[]){0.5, 0.5, 0});
    check_greedy((double[]){1 - 0.9e-9, 1, 1 - 1.1e-9}, 3, 0, (double[]){0.5, 0.5, 0});
    check_greedy((double[]){0, 0.9e-9, -0.9e-9}, 3, 0, (double[]){0.5, 0.5, 0});
    check_greedy(doubles_zero(1000), 1000, 0, doubles_filled(1000, 1e-3));
}

CASE(greedy__gives_nothing_to_an_action_that_is_not_allowed)
{
    const double none = -INFINITY;
    check_greedy((double[]){none, 2, none, 1}, 4, 0.1, (double[]){0, 0.95, 0, 0.05});
    check_greedy((double[]){none, none}, 2, 0.1, (double[]){0, 0});
    check_greedy((double[]){INFINITY, 1e300}, 2, 0, (double[]){1, 0});
    check_greedy((double[]){INFINITY, 0, INFINITY}, 3, 0, (double[]){.5, 0, .5});
    check_greedy((double[]){-1e300, none}, 2, 0, (double[]){1, 0});
}

CASE(greedy__of_a_nan_is_nan)
{
    check_greedy((double[]){1, INFINITY, 2}, 3, 0.3, (double[]){0.1, 0.8, 0.1});
    check_greedy((double[]){1, NAN, 2}, 3, 0.1, (double[]){NAN, NAN, NAN});
    check_greedy((double[]){NAN, -INFINITY, 2}, 3, 0, (double[]){NAN, NAN, NAN});
}

CASE(greedy__takes_the_same_array_again)
{
    double *q = DOUBLES(1, 2), *policy = doubles_filled(2, NAN);
    mdp_greedy(policy, q, 2, 0);
    q[0] = 3;
    mdp_greedy(policy, q, 2, 0);
    assert_near(policy, ((double[]){1, 0}), SHAPE(2), .name = "policy of the second call",
                .formula = greedy_formula);
}

// ---- 6: policy iteration ----

static const char policy_formula[] = "evaluate pi, then pi = greedy for v, until v is the best";

// From the uniform policy and v = 0.
static int iterate(double **policy, double **v, const Mdp *mdp, int most)
{
    size_t most_of = (size_t)(mdp->states > mdp->actions ? mdp->states : mdp->actions);
    *policy = policy_uniform(mdp);
    *v = doubles_zero((size_t)mdp->states);
    return mdp_policy_iteration(*policy, *v, mdp, 1e-12, most, doubles_filled(most_of, NAN));
}

CASE(policy_iteration__solves_the_published_worlds)
{
    Mdp student = world_student_actions(), grid = world_grid_5x5(), lake = world_lake(0.99, true);
    double *policy, *v;
    assert_that(iterate(&policy, &v, &student, 100000) > 0, "the student: got 0 rounds");
    assert_near(v, ((double[]){6, 6, 8, 10, 0}), SHAPE(5), .name = "v of the student", .atol = 1e-9,
                .formula = policy_formula);
    assert_near(policy, ((double[]){0, 1, 0, 1, 0, 1, 0, 1}), SHAPE(4, 2),
                .name = "policy of the student", .formula = policy_formula);
    assert_that(iterate(&policy, &v, &grid, 100000) > 0, "the 5x5 gridworld: got 0 rounds");
    assert_near(v, grid_5x5_best, SHAPE(5, 5), .name = "v of figure 3.5", .atol = 0.05001,
                .formula = policy_formula);
    assert_near(policy, ((double[]){0, 1, 0, 0, .25, .25, .25, .25, 0, 0, 0, 1}), SHAPE(3, 4),
                .name = "policy of figure 3.5", .formula = policy_formula);
    assert_that(iterate(&policy, &v, &lake, 100000) > 0, "FrozenLake: got 0 rounds");
    assert_number(v[0], 0.5420259320, .name = "v[0] of FrozenLake", .atol = 1e-9,
                  .formula = policy_formula);
}

CASE(policy_iteration__ends_where_actions_are_tied_and_lists_them_all)
{
    Mdp equal = WORLD(2, 2, 1, -1, {0, 0, 1, .5, .2}, {0, 0, 1, .5, .4}, {0, 1, 1, 1, .3});
    Mdp gambler = world_gambler(0.5);
    double *policy, *v, *first = DOUBLES(1, 0, 0, 0), *start = doubles_zero(2);
    assert_integer("rounds from one of two equal actions",
                   mdp_policy_iteration(first, start, &equal, 1e-12, 100, doubles_zero(2)), 1);
    assert_near(first, ((double[]){.5, .5}), SHAPE(2), .name = "policy", .formula = policy_formula);
    assert_that(iterate(&policy, &v, &equal, 100) > 0, "two equal actions: got 0 rounds");
    assert_near(policy, ((double[]){.5, .5}), SHAPE(2), .name = "policy",
                .formula = policy_formula);
    assert_that(iterate(&policy, &v, &gambler, 2000) > 0, "the fair gambler: got 0 rounds");
    for (int s = 1; s < 100; s++) {
        int stakes = s < 50 ? s : 100 - s;
        assert_number(v[s], s / 100.0, .name = "v of the fair gambler", .atol = 1e-8,
                      .formula = policy_formula);
        assert_number(policy[s * 50], 1.0 / stakes, .name = "share of each of the equal stakes",
                      .formula = policy_formula);
    }
}

CASE(policy_iteration__counts_its_rounds_and_gives_up_with_zero)
{
    // Action 1 is better; the policy begins with action 0.
    Mdp mdp = WORLD(2, 2, 1, -1, {0, 0, 1, 1, 1}, {0, 1, 1, 1, 2});
    double *v = doubles_zero(2), *policy = DOUBLES(1, 0, NAN, NAN), *work = doubles_zero(2);
    assert_integer("rounds", mdp_policy_iteration(policy, v, &mdp, 0, 2, work), 2);
    assert_near(policy, ((double[]){0, 1, NAN, NAN}), SHAPE(2, 2), .name = "policy",
                .formula = "a terminal state's row is left alone");
    assert_integer("rounds from the best policy and its values",
                   mdp_policy_iteration(policy, v, &mdp, 0, 1, work), 1);
    policy[0] = 1, policy[1] = 0, v[0] = 0;
    assert_integer("rounds of at most 1", mdp_policy_iteration(policy, v, &mdp, 9, 1, work), 0);
    // Changes of 1, 1/2, 1/4 in the first round; then one of 1/8 and one of 1/16.
    Mdp halving = WORLD(1, 1, 0.5, -1, {0, 0, 0, 1, 1});
    double *half = doubles_zero(1);
    assert_integer("rounds with a tolerance of 1/4, of at most 3",
                   mdp_policy_iteration(DOUBLES(1), half, &halving, 0.25, 3, doubles_zero(1)), 0);
    assert_number(half[0], 1.9375, .name = "v of these rounds", .formula = policy_formula);
    policy[0] = 1, policy[1] = 0;
    assert_integer("rounds of at most 0", mdp_policy_iteration(policy, v, &mdp, 9, 0, work), 0);
}

CASE(policy_iteration__returns_zero_when_an_evaluation_does_not_converge)
{
    Mdp loop = WORLD(2, 2, 1, -1, {0, 0, 0, 1, -1}, {0, 1, 1, 1, 0}), nan = world_not_finite(NAN);
    double *policy = DOUBLES(1, 0, 0, 0), *v = doubles_zero(4), *kept = policy_uniform(&nan);
    assert_integer("rounds of a policy that never ends",
                   mdp_policy_iteration(policy, v, &loop, 1e-9, 50, doubles_zero(2)), 0);
    assert_near(policy, ((double[]){1, 0}), SHAPE(2), .name = "policy, not improved",
                .exact = true);
    Mdp slow = WORLD(2, 1, 1, -1, {0, 0, 0, .5, 1}, {0, 0, 1, .5, 1});
    assert_integer(
        "rounds where 9 sweeps are not enough",
        mdp_policy_iteration(DOUBLES(1, 0), doubles_zero(2), &slow, 1e-6, 9, doubles_zero(2)), 0);
    assert_integer("rounds where a reward is NaN",
                   mdp_policy_iteration(kept, v, &nan, 1e-9, 50, doubles_zero(4)), 0);
    assert_kept("policy, not improved", kept, policy_uniform(&nan), 8);
}

CASE(policy_iteration__is_optimal_on_random_worlds)
{
    static const int sizes[] = {2, 3, 40, 200};
    for (int k = 0; k < 4; k++) {
        Mdp mdp = world_random(60 + (uint64_t)k, sizes[k], k == 1 ? 7 : 4, 3, 0.9);
        double *policy, *v;
        assert_that(iterate(&policy, &v, &mdp, 10000) > 0, "%d states: got 0 rounds", sizes[k]);
        assert_number(residual(v, &mdp, NULL), 0, .name = "max_a q(s,a) - v(s)", .atol = 1e-9,
                      .formula = policy_formula);
        assert_near(v, exact_values(&mdp, policy), SHAPE(sizes[k]), .name = "v", .atol = 1e-10,
                    .formula = policy_formula);
    }
}

const struct CMUnitTest policy_cases[] = {
    cmocka_unit_test(evaluate__makes_the_sweeps_of_figure_4_1),
    cmocka_unit_test(evaluate__converges_to_the_published_values),
    cmocka_unit_test(evaluate__ends_when_the_change_is_equal_to_the_tolerance),
    cmocka_unit_test(evaluate__agrees_with_elimination_on_random_worlds),
    cmocka_unit_test(evaluate__weighs_an_action_of_any_probability),
    cmocka_unit_test(evaluate__keeps_terminal_states_at_zero),
    cmocka_unit_test(evaluate__lets_a_nan_show_in_the_change),
    cmocka_unit_test(greedy__gives_all_to_the_best_action),
    cmocka_unit_test(greedy__shares_between_tied_actions),
    cmocka_unit_test(greedy__gives_nothing_to_an_action_that_is_not_allowed),
    cmocka_unit_test(greedy__of_a_nan_is_nan),
    cmocka_unit_test(greedy__takes_the_same_array_again),
    cmocka_unit_test(policy_iteration__solves_the_published_worlds),
    cmocka_unit_test(policy_iteration__ends_where_actions_are_tied_and_lists_them_all),
    cmocka_unit_test(policy_iteration__counts_its_rounds_and_gives_up_with_zero),
    cmocka_unit_test(policy_iteration__returns_zero_when_an_evaluation_does_not_converge),
    cmocka_unit_test(policy_iteration__is_optimal_on_random_worlds),
    {0},
};
