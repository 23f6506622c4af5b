/* Exercises 20 to 23: the updates of control. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// ---- 20 to 23: the updates ----

typedef double Update(double *q, const double *other, int actions, int state, int action,
                      double reward, int next, double step, double discount);

static const char *const formulas[] = {
    "reward + gamma q[next,next_action]", "reward + gamma sum_a policy[a] q[next,a]",
    "reward + gamma max_a q[next,a]", "reward + gamma other[next, argmax_a q[next,a]]"};

static double sarsa(double *q, const double *other, int actions, int s, int a, double reward,
                    int next, double step, double discount)
{
    (void)other;
    return mdp_sarsa(q, actions, s, a, reward, next, actions - 1, step, discount);
}

static double expected(double *q, const double *policy, int actions, int s, int a, double reward,
                       int next, double step, double discount)
{
    return mdp_expected_sarsa(q, actions, s, a, reward, next, policy, step, discount);
}

static double q_learning(double *q, const double *other, int actions, int s, int a, double reward,
                         int next, double step, double discount)
{
    (void)other;
    return mdp_q_learning(q, actions, s, a, reward, next, step, discount);
}

static double double_q(double *q, const double *other, int actions, int s, int a, double reward,
                       int next, double step, double discount)
{
    return mdp_double_q(q, other, actions, s, a, reward, next, step, discount);
}

// From (0,1) to state 2 of three states with three actions: `value` is what the target discounts.
static void check_update(Update *update, const char *formula, const double *after,
                         const double *other, size_t others, double reward, double step,
                         double discount, double value)
{
    double *q = DOUBLES(5, 2, 6, 7, 8, 9, after[0], after[1], after[2]),
           *mine = other == NULL ? NULL : doubles_copy(other, others), want[9];
    double delta = reward + (discount == 0 ? 0 : discount * value) - 2;
    double size = fmax(fabs(reward), fabs(value)),    // the terms may be added in any order
        slack = isfinite(size) ? 1e-12 + 4e-16 * size : 0;
    for (int i = 0; i < 9; i++) want[i] = q[i] + (i == 1 ? step * delta : 0);
    assert_number(update(q, mine, 3, 0, 1, reward, 2, step, discount), delta, .name = "delta",
                  .formula = formula, .atol = slack, .rtol = 1e-12);
    assert_near(q, want, SHAPE(3, 3), .name = "q", .formula = formula, .atol = slack,
                .rtol = 1e-12);
    if (other != NULL) assert_kept("other", mine, other, others);
}

// Rewards, steps and discounts of any size; `value` is what they discount.
static void check_updates(Update *update, MdpMethod method, const double *after,
                          const double *other, size_t others, double value)
{
    static const double with[][3] = {{1, 0.5, 0.9},      {-3, 0.1, 1},      {2, 1, 0.5},
                                     {0, 0, 0.7},        {1e300, 0.5, 0.5}, {NAN, 0.5, 0.5},
                                     {INFINITY, 0.5, 1}, {1. / 3, 0.3, 0.3}};
    for (int k = 0; k < 8; k++)
        check_update(update, formulas[method], after, other, others, with[k][0], with[k][1],
                     with[k][2], value);
}

// A pair whose next state is its own, twice; one action, and many.
static void check_itself(Update *update, MdpMethod method)
{
    double *q = DOUBLES(4), *one = DOUBLES(1), *many = doubles_zero(1000),
           *rest = doubles_zero(1000);
    const double *other = method == MDP_EXPECTED_SARSA ? one : q;
    double first = update(q, other, 1, 0, 0, 1, 0, 0.5, 0.5),
           second = update(q, other, 1, 0, 0, 1, 0, 0.5, 0.5);
    assert_near(DOUBLES(first, second), ((double[]){-1, -0.75}), SHAPE(2), .name = "two deltas",
                .formula = formulas[method]);
    many[999] = rest[999] = rest[499] = 1;    // of 500 actions the last is the best one
    update(many, rest, 500, 0, 499, 1, 1, 1, 0.5);
    assert_number(many[499], 1.5, .name = "q[0,499]", .formula = formulas[method]);
}

CASE(sarsa__moves_towards_the_next_action)
{
    check_updates(sarsa, MDP_SARSA, (double[]){9, -INFINITY, 3}, NULL, 0, 3);
    check_updates(sarsa, MDP_SARSA, (double[]){NAN, 9, -2}, NULL, 0, -2);
}
CASE(sarsa__of_a_terminal_state_is_the_reward)
{
    check_update(sarsa, formulas[0], doubles_zero(3), NULL, 0, -4, 0.5, 0.9, 0);
}
CASE(sarsa__keeps_its_digits_and_propagates_nan)
{
    check_update(sarsa, formulas[0], (double[]){0, 0, NAN}, NULL, 0, 1, 0.5, 0.9, NAN);
    check_update(sarsa, formulas[0], (double[]){0, 0, 1e9 + 0.1}, NULL, 0, -1e9, 0.5, 1, 1e9 + 0.1);
}
CASE(sarsa__takes_the_same_table_again)
{
    check_itself(sarsa, MDP_SARSA);
}

CASE(expected_sarsa__weighs_by_the_policy)
{
    check_updates(expected, MDP_EXPECTED_SARSA, (double[]){8, 4, 1}, (double[]){.5, .25, .25}, 3,
                  5.25);
    check_updates(expected, MDP_EXPECTED_SARSA, (double[]){8, -INFINITY, 1},
                  (double[]){.25, 0, .75}, 3, 2.75);
    check_updates(expected, MDP_EXPECTED_SARSA, (double[]){8, 9, -3}, (double[]){0, 0, 1}, 3, -3);
}
CASE(expected_sarsa__of_a_terminal_state_is_the_reward)
{
    check_update(expected, formulas[1], doubles_zero(3), (double[]){.5, .5, 0}, 3, -4, 0.5, 0.9, 0);
}
CASE(expected_sarsa__keeps_its_digits_and_propagates_nan)
{
    check_update(expected, formulas[1], (double[]){0, NAN, 1}, (double[]){.5, .5, 0}, 3, 1, 0.5,
                 0.9, NAN);
    check_update(expected, formulas[1], (double[]){4, 2, 1}, (double[]){.5, NAN, 0}, 3, 1, 0.5, 0.9,
                 NAN);
    check_update(expected, formulas[1], (double[]){1e9, 1e9 + 0.2, 0}, (double[]){.5, .5, 0}, 3,
                 -1e9, 0.5, 1, 1e9 + 0.1);
}
CASE(expected_sarsa__takes_the_same_table_again)
{
    check_itself(expected, MDP_EXPECTED_SARSA);
}

CASE(q_learning__moves_towards_the_best_action)
{
    check_updates(q_learning, MDP_Q_LEARNING, (double[]){-4, -2, -3}, NULL, 0, -2);
    check_updates(q_learning, MDP_Q_LEARNING, (double[]){-INFINITY, -1e5, 7}, NULL, 0, 7);
    check_updates(q_learning, MDP_Q_LEARNING, (double[]){6, 2, -INFINITY}, NULL, 0, 6);
}
CASE(q_learning__of_a_terminal_state_is_the_reward)
{
    check_update(q_learning, formulas[2], doubles_zero(3), NULL, 0, -4, 0.5, 0.9, 0);
}
CASE(q_learning__keeps_its_digits_and_propagates_nan)
{
    check_update(q_learning, formulas[2], (double[]){NAN, 1, 2}, NULL, 0, 1, 0.5, 0.9, NAN);
    check_update(q_learning, formulas[2], (double[]){1, 2, NAN}, NULL, 0, 1, 0.5, 0.9, NAN);
    check_update(q_learning, formulas[2], (double[]){1e9, 1e9 + 0.1, 0}, NULL, 0, -1e9, 0.5, 1,
                 1e9 + 0.1);
}
CASE(q_learning__takes_the_same_table_again)
{
    check_itself(q_learning, MDP_Q_LEARNING);
}

static const double others[9] = {1, 1, 1, 1, 1, 1, 10, 20, 30};

CASE(double_q__chooses_by_one_table_and_asks_the_other)
{
    check_updates(double_q, MDP_DOUBLE_Q, (double[]){-4, -2, -3}, others, 9, 20);
    check_updates(double_q, MDP_DOUBLE_Q, (double[]){-INFINITY, -5, 7}, others, 9, 30);
    check_updates(double_q, MDP_DOUBLE_Q, (double[]){3, 1, 3}, others, 9, 10);
    check_updates(double_q, MDP_DOUBLE_Q, (double[]){1, 3, 3}, others, 9, 20);
    check_updates(double_q, MDP_DOUBLE_Q, (double[]){3, 1, 3 + 1e-10}, others, 9, 30);
}
CASE(double_q__of_a_terminal_state_is_the_reward)
{
    check_update(double_q, formulas[3], doubles_zero(3), doubles_zero(9), 9, -4, 0.5, 0.9, 0);
}
CASE(double_q__keeps_its_digits_and_propagates_nan)
{
    static const double nan[9] = {0, 0, 0, 0, 0, 0, 5, NAN, 5},
                        far[9] = {0, 0, 0, 0, 0, 0, 0, 1e9 + 0.1, 0};
    check_update(double_q, formulas[3], (double[]){0, 1, 0}, nan, 9, 1, 0.5, 0.9, NAN);
    check_update(double_q, formulas[3], (double[]){1, NAN, 2}, others, 9, 1, 0.5, 0.9, NAN);
    check_update(double_q, formulas[3], (double[]){NAN, 1, 2}, others, 9, 1, 0.5, 0.9, NAN);
    check_update(double_q, formulas[3], (double[]){0, 1, 0}, far, 9, -1e9, 0.5, 1, 1e9 + 0.1);
}
CASE(double_q__takes_the_same_table_again)
{
    check_itself(double_q, MDP_DOUBLE_Q);
}

const struct CMUnitTest update_cases[] = {
    cmocka_unit_test(sarsa__moves_towards_the_next_action),
    cmocka_unit_test(sarsa__of_a_terminal_state_is_the_reward),
    cmocka_unit_test(sarsa__keeps_its_digits_and_propagates_nan),
    cmocka_unit_test(sarsa__takes_the_same_table_again),
    cmocka_unit_test(expected_sarsa__weighs_by_the_policy),
    cmocka_unit_test(expected_sarsa__of_a_terminal_state_is_the_reward),
    cmocka_unit_test(expected_sarsa__keeps_its_digits_and_propagates_nan),
    cmocka_unit_test(expected_sarsa__takes_the_same_table_again),
    cmocka_unit_test(q_learning__moves_towards_the_best_action),
    cmocka_unit_test(q_learning__of_a_terminal_state_is_the_reward),
    cmocka_unit_test(q_learning__keeps_its_digits_and_propagates_nan),
    cmocka_unit_test(q_learning__takes_the_same_table_again),
    cmocka_unit_test(double_q__chooses_by_one_table_and_asks_the_other),
    cmocka_unit_test(double_q__of_a_terminal_state_is_the_reward),
    cmocka_unit_test(double_q__keeps_its_digits_and_propagates_nan),
    cmocka_unit_test(double_q__takes_the_same_table_again),
    {0},
};
