/* Exercises 15 to 19: learning from episodes. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// Episodes of a random walk from its middle: 200 runs of a statistical case.
static MdpEpisode *walk(const Mdp *mdp, const double *policy, Rng *rng)
{
    static int states[10001], actions[10000];
    static double rewards[10000];
    static MdpEpisode episode = {states, actions, rewards, 0, 10000};
    mdp_play(&episode, mdp, policy, mdp->states / 2, rng);
    return &episode;
}

// A state comes three times, another one twice; 9 is where it ends.
static const int visited[] = {2, 0, 2, 1, 0, 2, 9};
static const double paid[] = {1, -2, 0.5, 3, 0, 4};

// ---- 15: Monte Carlo prediction ----

static const char monte_carlo_formula[] = "v[s] = average of the returns after visits to s";

static void check_average(MdpVisits visits, const double *want, const int *times)
{
    static const double returns[] = {10, 20, 40, 80, 160, 320};
    const MdpEpisode *episode = EPISODE(visited, NULL, paid);
    double *v = doubles_zero(10), *mine = doubles_copy(returns, 6);
    size_t *counts = counts_zero(10);
    mdp_monte_carlo(v, counts, episode, mine, visits, ints_filled(10, 0));
    assert_near(v, want, SHAPE(10), .name = "v", .formula = monte_carlo_formula);
    for (int s = 0; s < 10; s++) assert_integer("count", (int64_t)counts[s], times[s]);
    assert_kept("returns", mine, returns, 6);
    assert_kept("rewards", episode->rewards, paid, 6);
    for (int i = 0; i < 6; i++) mine[i] = -returns[i];    // and a second episode, of the opposite
    mdp_monte_carlo(v, counts, episode, mine, visits, ints_filled(10, 3));
    assert_near(v, doubles_zero(10), SHAPE(10), .name = "v after two opposite episodes",
                .atol = 1e-12, .formula = monte_carlo_formula);
}

CASE(monte_carlo__averages_over_first_visits)
{
    check_average(MDP_FIRST_VISIT, (double[]){20, 80, 10, 0, 0, 0, 0, 0, 0, 0},
                  (int[]){1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
}

CASE(monte_carlo__averages_over_every_visit)
{
    check_average(MDP_EVERY_VISIT, (double[]){90, 80, 370. / 3, 0, 0, 0, 0, 0, 0, 0},
                  (int[]){2, 1, 3, 0, 0, 0, 0, 0, 0, 0});
}

CASE(monte_carlo__goes_on_from_earlier_episodes)
{
    double *v = DOUBLES(0, 5);
    size_t *counts = counts_zero(2);
    counts[1] = 3;
    mdp_monte_carlo(v, counts, EPISODE(((int[]){1, 0}), NULL, (double[]){0}), DOUBLES(9),
                    MDP_FIRST_VISIT, ints_filled(2, 0));
    assert_near(v, ((double[]){0, 6}), SHAPE(2), .name = "v", .formula = monte_carlo_formula);
    mdp_monte_carlo(v, counts, episode_of(0, (int[]){1}, NULL, NULL), DOUBLES(9), MDP_FIRST_VISIT,
                    ints_filled(2, 0));
    assert_near(v, ((double[]){0, 6}), SHAPE(2), .name = "v after an episode of no step",
                .formula = monte_carlo_formula);
}

CASE(monte_carlo__of_a_long_episode)
{
    enum { N = 20000 };
    int *states = ints_filled(N + 1, 0);
    for (int t = 0; t < N; t++) states[t] = t % 1000;
    double *returns = doubles_filled(N, 0), *v = doubles_zero(1000), *want = doubles_zero(1000);
    for (int t = 0; t < N; t++) returns[t] = t;
    for (int s = 0; s < 1000; s++) want[s] = s;
    mdp_monte_carlo(v, counts_zero(1000), episode_of(N, states, NULL, returns), returns,
                    MDP_FIRST_VISIT, ints_filled(1000, 0));
    assert_near(v, want, SHAPE(1000), .name = "v", .formula = monte_carlo_formula);
}

CASE(monte_carlo__takes_returns_of_any_size_and_nan)
{
    static const double sizes[] = {1e300, NAN, INFINITY};
    for (int k = 0; k < 3; k++) {
        double *v = DOUBLES(1e17, 0);
        mdp_monte_carlo(v, counts_zero(2), EPISODE(((int[]){0, 1, 1}), NULL, ((double[]){0, 0})),
                        DOUBLES(0.1, sizes[k]), MDP_EVERY_VISIT, ints_filled(2, 0));
        assert_near(v, ((double[]){0.1, sizes[k]}), SHAPE(2), .name = "v", .exact = true,
                    .formula = monte_carlo_formula);
    }
}

CASE(monte_carlo__finds_the_values_of_the_random_walk)
{
    // The returns are 0 or 1: after 20000 episodes the standard error is at most 0.006.
    Mdp mdp = world_walk(7);
    Rng rng = rng_from_seed(151);
    double *policy = policy_uniform(&mdp), returns[10000], *v[2];
    size_t *counts[2];
    int first[7];
    for (int k = 0; k < 2; k++) v[k] = doubles_zero(7), counts[k] = counts_zero(7);
    for (int e = 0; e < 20000; e++) {
        const MdpEpisode *episode = walk(&mdp, policy, &rng);
        for (size_t t = 0; t < episode->count; t++)
            returns[t] = episode->rewards[episode->count - 1];
        for (int k = 0; k < 2; k++)
            mdp_monte_carlo(v[k], counts[k], episode, returns, (MdpVisits)k, first);
    }
    for (int k = 0; k < 2; k++)
        assert_near(v[k], ((double[]){0, 1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6, 0}), SHAPE(7),
                    .name = "v", .atol = 0.025, .formula = monte_carlo_formula);
}

// ---- 16: Monte Carlo control ----

static const char mc_control_formula[] = "q[s,a] averages first visits; then pi is epsilon-greedy";

CASE(monte_carlo_control__averages_pairs_and_improves_where_they_were)
{
    // (1,0) comes twice, (1,1) once; state 0 comes once, state 2 is where it ends.
    MdpEpisode *episode =
        EPISODE(((int[]){1, 1, 0, 1, 2}), ((int[]){0, 1, 1, 0}), ((double[]){0, 0, 0, 0}));
    double *q = doubles_zero(6), *policy = doubles_filled(6, 7), *returns = DOUBLES(4, 2, -3, 9);
    static const int times[] = {0, 1, 1, 2, 0, 0};
    size_t *counts = counts_zero(6);
    counts[3] = 1;
    mdp_monte_carlo_control(q, counts, policy, 2, episode, returns, 0.2, ints_filled(6, 0));
    assert_near(q, ((double[]){0, -3, 4, 1, 0, 0}), SHAPE(3, 2), .name = "q",
                .formula = mc_control_formula);
    assert_near(policy, ((double[]){0.9, 0.1, 0.9, 0.1, 7, 7}), SHAPE(3, 2), .name = "policy",
                .formula = mc_control_formula);
    for (int i = 0; i < 6; i++) assert_integer("count", (int64_t)counts[i], times[i]);
    assert_near(returns, ((double[]){4, 2, -3, 9}), SHAPE(4), .name = "returns", .exact = true);
    returns[0] = 0;
    mdp_monte_carlo_control(q, counts, policy, 2, episode, returns, 0, ints_filled(6, 9));
    assert_near(q, ((double[]){0, -3, 2, 4. / 3, 0, 0}), SHAPE(3, 2), .name = "q, second episode",
                .formula = mc_control_formula);
    assert_near(policy, ((double[]){1, 0, 1, 0, 7, 7}), SHAPE(3, 2), .name = "policy",
                .formula = mc_control_formula);
}

CASE(monte_carlo_control__of_one_step_of_many_actions_and_of_none)
{
    double *q = doubles_zero(50), *policy = doubles_zero(50), *want = doubles_filled(50, 0);
    mdp_monte_carlo_control(q, counts_zero(50), policy, 50,
                            EPISODE(((int[]){0, 0}), ((int[]){49}), ((double[]){1})), DOUBLES(1), 0,
                            ints_filled(50, 0));
    want[49] = 1;
    assert_near(policy, want, SHAPE(50), .name = "policy", .formula = mc_control_formula);
    mdp_monte_carlo_control(q, counts_zero(50), policy, 50, episode_of(0, (int[]){0}, NULL, NULL),
                            DOUBLES(1), 0.5, ints_filled(50, 0));
    assert_near(policy, want, SHAPE(50), .name = "policy after no step",
                .formula = mc_control_formula);
}

CASE(monte_carlo_control__takes_returns_of_any_size_and_nan)
{
    static const double sizes[] = {1e300, NAN};
    for (int k = 0; k < 2; k++) {
        double *q = DOUBLES(1e17, -INFINITY, 1), *policy = doubles_zero(3);
        mdp_monte_carlo_control(q, counts_zero(3), policy, 3,
                                EPISODE(((int[]){0, 0, 0}), ((int[]){0, 2}), ((double[]){0, 0})),
                                DOUBLES(0.1, sizes[k]), 0, ints_filled(3, 0));
        assert_near(q, ((double[]){0.1, -INFINITY, sizes[k]}), SHAPE(3), .name = "q", .exact = true,
                    .formula = mc_control_formula);
        assert_near(policy, k == 0 ? ((double[]){0, 0, 1}) : ((double[]){NAN, NAN, NAN}), SHAPE(3),
                    .name = "policy", .formula = mc_control_formula);
    }
}

CASE(monte_carlo_control__finds_the_shortest_way_of_the_small_gridworld)
{
    // With epsilon = 1/2 none of 20 seeds had a state wrong after 2000 episodes.
    Mdp mdp = world_grid_4x4();
    static const int distance[16] = {0, 1, 2, 3, 1, 2, 3, 2, 2, 3, 2, 1, 3, 2, 1, 0};
    static int states[10001], actions[10000], first[64];
    static double rewards[10000], returns[10000];
    MdpEpisode episode = {states, actions, rewards, 0, 10000};
    for (uint64_t seed = 161; seed < 165; seed++) {
        Rng rng = rng_from_seed(seed);
        double *q = doubles_zero(64), *policy = policy_uniform(&mdp);
        size_t *counts = counts_zero(64);
        for (int e = 0; e < 2000; e++) {
            mdp_play(&episode, &mdp, policy, 1 + (int)rng_below(&rng, 14), &rng);
            for (size_t t = 0; t < episode.count; t++) returns[t] = -(double)(episode.count - t);
            mdp_monte_carlo_control(q, counts, policy, 4, &episode, returns, 0.5, first);
        }
        int wrong = 0;
        for (int s = 1; s < 15; s++) {
            int best = 0;
            for (int a = 1; a < 4; a++)
                if (q[4 * s + a] > q[4 * s + best]) best = a;
            wrong += distance[mdp.outcomes[mdp.first[4 * s + best]].next] >= distance[s];
        }
        assert_that(wrong == 0, "%d of 14 states do not go to an end by the shortest way", wrong);
    }
}

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

const struct CMUnitTest episode_cases[] = {
    cmocka_unit_test(monte_carlo__averages_over_first_visits),
    cmocka_unit_test(monte_carlo__averages_over_every_visit),
    cmocka_unit_test(monte_carlo__goes_on_from_earlier_episodes),
    cmocka_unit_test(monte_carlo__of_a_long_episode),
    cmocka_unit_test(monte_carlo__takes_returns_of_any_size_and_nan),
    cmocka_unit_test(monte_carlo__finds_the_values_of_the_random_walk),
    cmocka_unit_test(monte_carlo_control__averages_pairs_and_improves_where_they_were),
    cmocka_unit_test(monte_carlo_control__of_one_step_of_many_actions_and_of_none),
    cmocka_unit_test(monte_carlo_control__takes_returns_of_any_size_and_nan),
    cmocka_unit_test(monte_carlo_control__finds_the_shortest_way_of_the_small_gridworld),
    cmocka_unit_test(td__moves_the_value_by_the_td_error),
    cmocka_unit_test(td__takes_values_of_any_size_and_nan),
    cmocka_unit_test(td__of_an_endless_world_goes_on_past_the_time_limit),
    cmocka_unit_test(td__reproduces_the_random_walk_of_example_6_2),
    cmocka_unit_test(n_step_td__sums_n_rewards_and_then_the_value),
    cmocka_unit_test(n_step_td__of_no_step_and_of_one),
    cmocka_unit_test(n_step_td__reproduces_figure_7_2),
    cmocka_unit_test(td_lambda__shares_each_error_by_the_traces),
    cmocka_unit_test(td_lambda__of_no_step_and_of_one),
    cmocka_unit_test(td_lambda__reproduces_figure_12_6),
    {0},
};
