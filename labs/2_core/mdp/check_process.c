/* Exercises 1 to 3: returns, values in closed form, the expected update. check.c says how cases are
 * made.
 */
#include "labs/2_core/mdp/check.h"
#include "labs/2_core/mdp/lapack.h"

// ---- 1: returns ----

static const char returns_formula[] = "G_t = rewards[t] + gamma G_(t+1),  G_n = after";

static void check_returns(const double *rewards, size_t n, double discount, double after,
                          const double *want)
{
    double *mine = doubles_copy(rewards, n), *got = doubles_filled(n, NAN);
    mdp_returns(got, mine, n, discount, after);
    assert_near(got, want, SHAPE((int)n), .name = "returns", .formula = returns_formula);
    assert_kept("rewards", mine, rewards, n);
    mdp_returns(mine, mine, n, discount, after);
    assert_near(mine, want, SHAPE((int)n), .name = "returns, in place of the rewards",
                .formula = returns_formula);
}

CASE(returns__match_sutton_and_barto_exercise_3_8)
{
    check_returns((double[]){-1, 2, 6, 3, 2}, 5, 0.5, 0, (double[]){2, 6, 8, 4, 2});
    check_returns((double[]){1, 2, 3}, 3, 1, 0, (double[]){6, 5, 3});
    check_returns((double[]){1, 2, 3}, 3, 0, 0, (double[]){1, 2, 3});
}

CASE(returns__of_a_cut_episode_go_on_with_what_is_after)
{
    check_returns((double[]){1, 2, 3}, 3, 0.5, 8, (double[]){3.75, 5.5, 7});
    check_returns((double[]){1, 1}, 2, 0.9, 10, (double[]){10, 10});
}

CASE(returns__of_nothing_and_of_one_reward)
{
    double guard = 7;
    mdp_returns(&guard, &guard, 0, 0.5, 3);
    assert_number(guard, 7, .name = "what n = 0 leaves alone", .exact = true);
    check_returns((double[]){-4}, 1, 0.9, 0, (double[]){-4});
}

CASE(returns__of_a_long_episode_are_a_geometric_series)
{
    enum { N = 100000 };
    double *ones = doubles_filled(N, 1), *want = doubles_filled(N, 0);
    for (int t = 0; t < N; t++) want[t] = -expm1((N - t) * log(0.99)) / 0.01;
    check_returns(ones, N, 0.99, 0, want);
}

CASE(returns__keep_the_digits_of_a_double)
{
    check_returns((double[]){1e300, -1e300, 1.0 / 3}, 3, 0.5, 0,
                  (double[]){1e300 - 0.5e300 + 1.0 / 12, -1e300 + 1.0 / 6, 1.0 / 3});
    check_returns((double[]){0.1, 0.2}, 2, 0.7, 0.3, (double[]){0.387, 0.41});
}

CASE(returns__before_a_nan_are_nan_and_after_it_are_not)
{
    check_returns((double[]){1, NAN, 3}, 3, 0.5, 0, (double[]){NAN, NAN, 3});
    check_returns((double[]){1, INFINITY, 3}, 3, 0.5, 0, (double[]){INFINITY, INFINITY, 3});
}

CASE(returns__take_the_same_arrays_again)
{
    double *rewards = DOUBLES(1, 2), *got = doubles_filled(2, NAN);
    mdp_returns(got, rewards, 2, 1, 0);
    rewards[1] = 5;
    mdp_returns(got, rewards, 2, 1, 0);
    assert_near(got, ((double[]){6, 5}), SHAPE(2), .name = "returns of the second call",
                .formula = returns_formula);
}

// ---- 2: closed form ----

static const char closed_formula[] = "(I - gamma P) v = R,  v = 0 in terminal states";
static int solved;

static bool solver(double *x, double *a, int n)
{
    solved++;
    return mdp_lapack(x, a, n);
}

static bool solver_that_fails(double *x, double *a, int n)
{
    (void)x, (void)a, (void)n;
    return false;
}

// Of two states, the second one terminal; LAPACK would refuse a NaN.
static bool solver_of_the_first(double *x, double *a, int n)
{
    x[0] /= a[0];
    return n == 2 && a[2] == 0 && a[3] == 1 && x[1] == 0;
}

static double *closed(const Mdp *mdp, const double *policy)
{
    size_t n = (size_t)mdp->states, pairs = n * (size_t)mdp->actions;
    double *v = doubles_filled(n, NAN), *mine = doubles_copy(policy, pairs);
    solved = 0;
    assert_boolean("mdp_closed_form",
                   mdp_closed_form(v, mdp, mine, solver, doubles_filled(n * n, NAN)), true);
    assert_integer("calls of solve", solved, 1);
    assert_kept("policy", mine, policy, pairs);
    return v;
}

CASE(closed_form__matches_silvers_student)
{
    static const double discounts[] = {0, 0.9, 1}, want[3][7] = {{-2, -2, -2, 10, 1, -1, 0},
                                                                 {-5.0, 0.9, 4.1, 10, 1.9, -7.6, 0},
                                                                 {-13, 1.5, 4.3, 10, 0.8, -23, 0}};
    for (int k = 0; k < 3; k++) {
        Mdp mdp = world_student(discounts[k]);
        double *v = closed(&mdp, doubles_filled(7, 1));
        assert_near(v, want[k], SHAPE(7), .name = "v, published", .atol = k == 2 ? 0.5 : 0.05001,
                    .formula = closed_formula);
        assert_number(residual(v, &mdp, doubles_filled(7, 1)), 0, .name = "residual", .atol = 1e-11,
                      .formula = closed_formula);
    }
}

CASE(closed_form__weighs_actions_by_the_policy)
{
    Mdp grid = world_grid_4x4(), large = world_grid_5x5(), student = world_student_actions();
    assert_near(closed(&grid, policy_uniform(&grid)), grid_4x4_values, SHAPE(4, 4), .name = "v",
                .atol = 1e-10, .formula = closed_formula);
    assert_near(closed(&large, policy_uniform(&large)), grid_5x5_values, SHAPE(5, 5), .name = "v",
                .atol = 0.05001, .formula = closed_formula);
    assert_near(closed(&student, policy_uniform(&student)), ((double[]){-2.3, -1.3, 2.7, 7.4, 0}),
                SHAPE(5), .name = "v", .atol = 0.05001, .formula = closed_formula);
}

CASE(closed_form__adds_outcomes_that_lead_to_one_state)
{
    // 0 stays with probability 1/4 + 1/4: v = -1 + v / 2.
    Mdp mdp = WORLD(2, 1, 1, -1, {0, 0, 0, .25, -1}, {0, 0, 1, .5, -1}, {0, 0, 0, .25, -1});
    assert_near(closed(&mdp, DOUBLES(1, 1)), ((double[]){-2, 0}), SHAPE(2), .name = "v",
                .formula = closed_formula);
}

CASE(closed_form__agrees_with_elimination_on_random_worlds)
{
    static const int sizes[] = {2, 3, 17, 120};
    for (int k = 0; k < 4; k++) {
        Mdp mdp = world_random(20 + (uint64_t)k, sizes[k], 1 + k, 3, 0.95);
        double *policy = policy_uniform(&mdp);
        assert_near(closed(&mdp, policy), exact_values(&mdp, policy), SHAPE(sizes[k]), .name = "v",
                    .atol = 1e-10, .formula = closed_formula);
    }
}

CASE(closed_form__ignores_what_is_listed_for_a_terminal_state)
{
    Mdp mdp = WORLD(2, 1, 0.9, 1, {0, 0, 1, 1, 3}, {1, 0, 0, 1, 5});
    assert_near(closed(&mdp, DOUBLES(1, 1)), ((double[]){3, 0}), SHAPE(2), .name = "v",
                .formula = closed_formula);
}

CASE(closed_form__returns_what_solve_returns)
{
    Mdp walk = world_walk(3), loop = WORLD(3, 1, 1, -1, {0, 0, 1, 1, -1}, {1, 0, 0, 1, -1});
    assert_boolean("mdp_closed_form where solve fails",
                   mdp_closed_form(doubles_zero(3), &walk, policy_uniform(&walk), solver_that_fails,
                                   doubles_zero(9)),
                   false);
    assert_boolean(
        "mdp_closed_form of a policy that never ends",
        mdp_closed_form(doubles_zero(3), &loop, policy_uniform(&loop), solver, doubles_zero(9)),
        false);
}

CASE(closed_form__takes_rewards_of_any_size_and_nan)
{
    static const double sizes[] = {1e300, 1e-300, NAN, INFINITY};
    for (int k = 0; k < 4; k++) {
        Mdp mdp = WORLD(2, 1, 0.5, -1, {0, 0, 0, .5, sizes[k]}, {0, 0, 1, .5, sizes[k]});
        double *v = DOUBLES(NAN, NAN), *policy = DOUBLES(1, 1), *work = doubles_filled(4, NAN);
        assert_boolean("mdp_closed_form",
                       mdp_closed_form(v, &mdp, policy, solver_of_the_first, work), true);
        assert_number(v[0], sizes[k] / 0.75, .name = "v[0]", .formula = closed_formula);
    }
}

CASE(closed_form__takes_the_same_arrays_again)
{
    Mdp mdp = world_walk(5);
    double *policy = policy_uniform(&mdp), *work = doubles_filled(25, NAN), *v = doubles_zero(5);
    mdp_closed_form(v, &mdp, policy, solver, work);
    for (int s = 1; s < 4; s++) policy[2 * s] = 0.25, policy[2 * s + 1] = 0.75;
    mdp_closed_form(v, &mdp, policy, solver, work);
    assert_near(v, exact_values(&mdp, policy), SHAPE(5), .name = "v of the second call",
                .formula = closed_formula);
}

// ---- 3: the expected update ----

static const char backup_formula[] = "sum over outcomes of p (reward + gamma v[next])";

CASE(backup__weighs_outcomes_by_their_probability)
{
    Mdp mdp = WORLD(3, 2, 0.5, -1, {0, 0, 1, .25, 4}, {0, 0, 0, .75, -2}, {0, 1, 2, 1, 7},
                    {1, 1, 0, .5, 1}, {1, 1, 0, .5, 3});
    double *v = DOUBLES(10, 20, 0), *before = DOUBLES(10, 20, 0);
    assert_number(mdp_backup(&mdp, v, 0, 0), 5.75, .name = "q(0,0)", .formula = backup_formula);
    assert_number(mdp_backup(&mdp, v, 0, 1), 7, .name = "q(0,1)", .formula = backup_formula);
    assert_number(mdp_backup(&mdp, v, 1, 1), 7, .name = "q(1,1), where 0 is listed twice",
                  .formula = backup_formula);
    assert_kept("v", v, before, 3);
    v[0] = -2;
    assert_number(mdp_backup(&mdp, v, 1, 1), 1, .name = "q(1,1) of another v",
                  .formula = backup_formula);
}

CASE(backup__of_an_action_that_is_not_allowed_is_minus_infinity)
{
    Mdp mdp = WORLD(2, 3, 1, -1, {0, 1, 1, 1, 2});
    assert_number(mdp_backup(&mdp, DOUBLES(1, 0), 0, 0), -INFINITY, .name = "q(0,0)",
                  .formula = backup_formula);
    assert_number(mdp_backup(&mdp, DOUBLES(1, 0), 0, 2), -INFINITY, .name = "q(0,2)",
                  .formula = backup_formula);
}

CASE(backup__of_a_terminal_state_is_zero_whatever_is_listed)
{
    Mdp cliff = world_cliff(), walk = world_walk(3);
    for (int a = 0; a < 4; a++)
        assert_number(mdp_backup(&cliff, doubles_filled(48, -9), 47, a), 0, .exact = true,
                      .name = "q(47,a) of the cliff's goal", .formula = backup_formula);
    assert_number(mdp_backup(&walk, doubles_zero(3), 0, 1), 0, .exact = true,
                  .name = "q of an end without outcomes", .formula = backup_formula);
}

CASE(backup__pays_for_the_fall_from_the_cliff)
{
    Mdp cliff = world_cliff();
    double *v = doubles_zero(48);
    v[26] = -10, v[36] = -13;
    assert_number(mdp_backup(&cliff, v, 38, 0), -11, .name = "q(38,up)", .formula = backup_formula);
    assert_number(mdp_backup(&cliff, v, 38, 1), -113, .name = "q(38,right)",
                  .formula = backup_formula);
}

CASE(backup__agrees_with_plain_sums_on_a_random_world)
{
    Rng rng = rng_from_seed(31);
    Mdp mdp = world_random(30, 2000, 5, 10, 0.9);
    double *v = doubles_zero(2000);
    for (int s = 0; s < 1999; s++) v[s] = 1e6 + (double)rng_normal(&rng);
    for (int s = 0; s < 1999; s++)
        for (int a = 0; a < 5; a++)
            if (mdp_allowed(&mdp, s, a))
                assert_number(mdp_backup(&mdp, v, s, a), value_of(v, &mdp, s, a), .name = "q(s,a)",
                              .rtol = 1e-13, .formula = backup_formula);
}

CASE(backup__takes_values_of_any_size_and_nan)
{
    Mdp mdp = WORLD(3, 1, 0.5, -1, {0, 0, 1, .5, 1}, {0, 0, 2, .5, 1}, {1, 0, 2, 1, 1e308});
    static const double in[] = {1e308, 1e-300, NAN, INFINITY, -INFINITY},
                        want[] = {2.5e307, 1, NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 5; k++)
        assert_number(mdp_backup(&mdp, DOUBLES(0, in[k], 0), 0, 0), want[k], .name = "q(0,0)",
                      .formula = backup_formula);
}

const struct CMUnitTest process_cases[] = {
    cmocka_unit_test(returns__match_sutton_and_barto_exercise_3_8),
    cmocka_unit_test(returns__of_a_cut_episode_go_on_with_what_is_after),
    cmocka_unit_test(returns__of_nothing_and_of_one_reward),
    cmocka_unit_test(returns__of_a_long_episode_are_a_geometric_series),
    cmocka_unit_test(returns__keep_the_digits_of_a_double),
    cmocka_unit_test(returns__before_a_nan_are_nan_and_after_it_are_not),
    cmocka_unit_test(returns__take_the_same_arrays_again),
    cmocka_unit_test(closed_form__matches_silvers_student),
    cmocka_unit_test(closed_form__weighs_actions_by_the_policy),
    cmocka_unit_test(closed_form__adds_outcomes_that_lead_to_one_state),
    cmocka_unit_test(closed_form__agrees_with_elimination_on_random_worlds),
    cmocka_unit_test(closed_form__ignores_what_is_listed_for_a_terminal_state),
    cmocka_unit_test(closed_form__returns_what_solve_returns),
    cmocka_unit_test(closed_form__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(closed_form__takes_the_same_arrays_again),
    cmocka_unit_test(backup__weighs_outcomes_by_their_probability),
    cmocka_unit_test(backup__of_an_action_that_is_not_allowed_is_minus_infinity),
    cmocka_unit_test(backup__of_a_terminal_state_is_zero_whatever_is_listed),
    cmocka_unit_test(backup__pays_for_the_fall_from_the_cliff),
    cmocka_unit_test(backup__agrees_with_plain_sums_on_a_random_world),
    cmocka_unit_test(backup__takes_values_of_any_size_and_nan),
    {0},
};
