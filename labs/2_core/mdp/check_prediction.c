/* Exercises 17 to 19: prediction by temporal differences. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// ---- 17: TD(0) ----

static const char td_formula[] = "v[s] += step (reward + gamma v[s'] - v[s])";

static void check_td(double here, double reward, double there, double step, double discount)
{
    double *v = DOUBLES(7, here, there), delta = reward + discount * there - here;
    assert_number(mdp_td(v, 1, reward, 2, step, discount), delta, .name = "delta",
                  .formula = td_formula);
    assert_near(v, ((double[]){7, here + step * delta, there}), SHAPE(3), .name = "v",
                .formula = td_formula);
}

CASE(td__moves_the_value_by_the_td_error)
{
    check_td(2, 1, 4, 0.1, 0.5);
    check_td(-1, 0, 0, 1, 1);
    check_td(0.25, -3, 100, 0, 0.9);
    check_td(3, 2, 8, 0.5, 0);
    check_td(1e9, 1, 1e9 + 1, 0.3, 1);
    double *v = DOUBLES(4);
    assert_number(mdp_td(v, 0, 1, 0, 0.5, 0.5), -1, .name = "delta of staying",
                  .formula = td_formula);
    assert_number(mdp_td(v, 0, 1, 0, 0.5, 0.5), -0.75, .name = "delta of the second call",
                  .formula = td_formula);
}

CASE(td__takes_values_of_any_size_and_nan)
{
    check_td(1e300, -1e300, 1e300, 0.1, 0.5);
    check_td(1e-300, 2e-300, 0, 0.1, 0.5);
    check_td(0, NAN, 1, 0.1, 0.5);
    check_td(0, 1, INFINITY, 0.1, 0.5);
}

CASE(td__of_an_endless_world_goes_on_past_the_time_limit)
{
    // One state, reward 1, discount .9, episodes cut off after 10 steps: 10, not 1 + .9 + .. = 6.51.
    double *v = DOUBLES(0);
    for (int i = 0; i < 5000 * 10; i++) mdp_td(v, 0, 1, 0, 0.1, 0.9);
    assert_number(v[0], 10, .name = "v", .rtol = 1e-9, .formula = td_formula);
}

CASE(td__reproduces_the_random_walk_of_example_6_2)
{
    // RMS error after 100 episodes from v = 1/2 with the step .05, over 100 runs. Twelve such sets had
    // 0.039, with a standard deviation of 0.0015.
    Mdp mdp = world_walk(7);
    Rng rng = rng_from_seed(171);
    double *policy = policy_uniform(&mdp), squares = 0, mean[7] = {0};
    for (int run = 0; run < 100; run++) {
        double *v = DOUBLES(0, .5, .5, .5, .5, .5, 0);
        for (int e = 0; e < 100; e++) {
            const MdpEpisode *episode = walk(&mdp, policy, &rng);
            for (size_t t = 0; t < episode->count; t++)
                mdp_td(v, episode->states[t], episode->rewards[t], episode->states[t + 1], 0.05, 1);
        }
        for (int s = 1; s < 6; s++) squares += pow(v[s] - s / 6.0, 2) / 500, mean[s] += v[s] / 100;
    }
    assert_number(sqrt(squares), 0.039, .name = "RMS error", .atol = 0.008, .formula = td_formula);
    assert_near(mean, ((double[]){0, 1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6, 0}), SHAPE(7),
                .name = "mean of v", .atol = 0.035, .formula = td_formula);
}

// ---- 18: n-step TD ----

static const char n_step_formula[] = "G = n rewards and then gamma^n v[S_(t+n)]";

static void check_n_step(const double *v, size_t n, double step, double discount)
{
    double *mine = doubles_copy(v, 10), *want = doubles_copy(v, 10);
    for (int t = 0; t < 6; t++) {
        double sum = 0, weight = 1;
        int i = t;
        for (size_t k = 0; k < n && i < 6; k++, i++, weight *= discount) sum += weight * paid[i];
        sum += weight * want[visited[i]];
        want[visited[t]] += step * (sum - want[visited[t]]);
    }
    const MdpEpisode *episode = EPISODE(visited, NULL, paid);
    mdp_n_step_td(mine, episode, n, step, discount);
    assert_near(mine, want, SHAPE(10), .name = "v", .formula = n_step_formula);
    assert_kept("rewards", episode->rewards, paid, 6);
}

CASE(n_step_td__sums_n_rewards_and_then_the_value)
{
    static const size_t steps[] = {1, 2, 3, 5, 6, 7, SIZE_MAX};
    for (int k = 0; k < 7; k++) {
        check_n_step((double[]){0.5, -1, 2, 0, 0, 0, 0, 0, 0, 0}, steps[k], 0.3, 0.9);
        check_n_step((double[]){0.5, -1, 2, 0, 0, 0, 0, 0, 0, 8}, steps[k], 1, 1);
        check_n_step((double[]){1e300, -1, NAN, 0, 0, 0, 0, 0, 0, 0}, steps[k], 0.5, 0.5);
    }
}

CASE(n_step_td__of_no_step_and_of_one)
{
    double *v = DOUBLES(1, 2);
    mdp_n_step_td(v, episode_of(0, (int[]){1}, NULL, NULL), 1, 0.5, 1);
    assert_near(v, ((double[]){1, 2}), SHAPE(2), .name = "v after no step", .exact = true);
    mdp_n_step_td(v, EPISODE(((int[]){0, 1}), NULL, ((double[]){3})), 4, 0.5, 1);
    assert_near(v, ((double[]){3, 2}), SHAPE(2), .name = "v", .formula = n_step_formula);
    mdp_n_step_td(v, EPISODE(((int[]){0, 1}), NULL, ((double[]){5})), 4, 0.5, 1);
    assert_near(v, ((double[]){5, 2}), SHAPE(2), .name = "v of the second call",
                .formula = n_step_formula);
}

// The RMS error over the first ten episodes of the 19-state walk, 60 runs: Sutton & Barto's figures
// 7.2 and 12.6. Rewards are -1 on the left and 1 on the right, v begins at 0. Twelve sets of runs had
// 0.262 (n = 4) and 0.297 (lambda = .8), with a standard deviation of 0.004.
static double walk_error(void (*learn)(double *v, const MdpEpisode *episode))
{
    Mdp mdp = world_walk(21);
    Rng rng = rng_from_seed(181);
    double *policy = policy_uniform(&mdp), error = 0;
    for (int run = 0; run < 60; run++) {
        double *v = doubles_zero(21);
        for (int e = 0; e < 10; e++) {
            MdpEpisode *episode = walk(&mdp, policy, &rng);
            if (episode->states[episode->count] == 0) episode->rewards[episode->count - 1] = -1;
            learn(v, episode);
            double squares = 0;
            for (int s = 1; s < 20; s++) squares += pow(v[s] - (s - 10) / 10.0, 2) / 19;
            error += sqrt(squares) / 600;
        }
    }
    return error;
}

static void learn_in_4_steps(double *v, const MdpEpisode *episode)
{
    mdp_n_step_td(v, episode, 4, 0.4, 1);
}

CASE(n_step_td__reproduces_figure_7_2)
{
    assert_number(walk_error(learn_in_4_steps), 0.262, .name = "RMS error, n = 4, step .4",
                  .atol = 0.02, .formula = n_step_formula);
}

// ---- 19: TD(lambda) ----

static const char lambda_formula[] = "v[s] += step delta trace[s] for every s";

static void check_lambda(const double *v, double lambda, MdpTrace kind, double step,
                         double discount)
{
    double *mine = doubles_copy(v, 10), *want = doubles_copy(v, 10), trace[10] = {0};
    for (int t = 0; t < 6; t++) {
        double delta = paid[t] + discount * want[visited[t + 1]] - want[visited[t]];
        for (int s = 0; s < 10; s++) {
            trace[s] *= discount * lambda;
            if (s == visited[t]) trace[s] = kind == MDP_REPLACING ? 1 : trace[s] + 1;
            want[s] += step * delta * trace[s];
        }
    }
    const MdpEpisode *episode = EPISODE(visited, NULL, paid);
    double *traces = doubles_filled(10, 5);
    mdp_td_lambda(mine, traces, 10, episode, lambda, kind, step, discount);
    assert_near(mine, want, SHAPE(10), .name = "v", .formula = lambda_formula);
    assert_near(traces, trace, SHAPE(10), .name = "trace", .formula = lambda_formula);
    assert_kept("rewards", episode->rewards, paid, 6);
}

CASE(td_lambda__shares_each_error_by_the_traces)
{
    static const double lambdas[] = {0, 0.5, 1};
    for (int k = 0; k < 3; k++)
        for (MdpTrace kind = MDP_ACCUMULATING; kind <= MDP_REPLACING; kind++) {
            check_lambda((double[]){0.5, -1, 2, 0, 0, 0, 0, 0, 0, 0}, lambdas[k], kind, 0.3, 0.9);
            check_lambda((double[]){0.5, -1, 2, 0, 0, 0, 0, 0, 0, 8}, lambdas[k], kind, 0.1, 1);
            check_lambda((double[]){1e300, -1, 2, 0, 0, 0, 0, 0, 0, 0}, lambdas[k], kind, 0.3, 0.5);
            check_lambda((double[]){1, NAN, 2, 0, 0, 0, 0, 0, 0, 0}, lambdas[k], kind, 0.3, 0.5);
        }
}

CASE(td_lambda__of_no_step_and_of_one)
{
    double *v = DOUBLES(1, 2), *trace = DOUBLES(NAN, 4);
    mdp_td_lambda(v, trace, 2, episode_of(0, (int[]){1}, NULL, NULL), 0.9, MDP_REPLACING, 0.5, 1);
    assert_near(trace, ((double[]){0, 0}), SHAPE(2), .name = "trace after no step", .exact = true);
    for (int call = 1; call <= 2; call++)
        mdp_td_lambda(v, trace, 2, EPISODE(((int[]){0, 1}), NULL, ((double[]){3})), 0.9,
                      MDP_ACCUMULATING, 0.5, 1);
    assert_near(v, ((double[]){4, 2}), SHAPE(2), .name = "v after two calls",
                .formula = lambda_formula);
}

CASE(td_lambda__accumulates_as_often_as_a_state_comes)
{
    // Forty steps in one state, undecayed: the trace is 1, 2, ... 40, and each delta is 1.
    enum { N = 40 };
    double *v = DOUBLES(0, 0), *trace = DOUBLES(NAN, NAN);
    mdp_td_lambda(v, trace, 2, episode_of(N, ints_filled(N + 1, 0), NULL, doubles_filled(N, 1)), 1,
                  MDP_ACCUMULATING, 0.5, 1);
    assert_number(trace[0], N, .name = "trace", .formula = lambda_formula);
    assert_number(v[0], 0.5 * N * (N + 1) / 2, .name = "v", .formula = lambda_formula);
    // A trace of 1e-18 moves the value by 1 where delta is 2e18.
    double *u = DOUBLES(0, 0, 0, 0), *small = doubles_filled(4, NAN);
    mdp_td_lambda(u, small, 4, EPISODE(((int[]){0, 1, 2, 3}), NULL, ((double[]){0, 0, 2e18})), 1e-9,
                  MDP_ACCUMULATING, 0.5, 1);
    assert_near(u, ((double[]){1, 1e9, 1e18, 0}), SHAPE(4), .name = "v", .rtol = 1e-12,
                .formula = lambda_formula);
}

static void learn_with_traces(double *v, const MdpEpisode *episode)
{
    double trace[21];
    mdp_td_lambda(v, trace, 21, episode, 0.8, MDP_ACCUMULATING, 0.2, 1);
}

CASE(td_lambda__reproduces_figure_12_6)
{
    assert_number(walk_error(learn_with_traces), 0.297, .name = "RMS error, lambda = .8, step .2",
                  .atol = 0.02, .formula = lambda_formula);
}

const struct CMUnitTest prediction_cases[] = {
    cmocka_unit_test(td__moves_the_value_by_the_td_error),
    cmocka_unit_test(td__takes_values_of_any_size_and_nan),
    cmocka_unit_test(td__of_an_endless_world_goes_on_past_the_time_limit),
    cmocka_unit_test(td__reproduces_the_random_walk_of_example_6_2),
    cmocka_unit_test(n_step_td__sums_n_rewards_and_then_the_value),
    cmocka_unit_test(n_step_td__of_no_step_and_of_one),
    cmocka_unit_test(n_step_td__reproduces_figure_7_2),
    cmocka_unit_test(td_lambda__shares_each_error_by_the_traces),
    cmocka_unit_test(td_lambda__of_no_step_and_of_one),
    cmocka_unit_test(td_lambda__accumulates_as_often_as_a_state_comes),
    cmocka_unit_test(td_lambda__reproduces_figure_12_6),
    {0},
};
