/* Exercises 15 and 16: Monte Carlo prediction and control. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

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
    v[1] = 0, counts[1] = 16777216;    // after which a float cannot count
    mdp_monte_carlo(v, counts, EPISODE(((int[]){1, 0}), NULL, (double[]){0}), DOUBLES(16777217),
                    MDP_EVERY_VISIT, ints_filled(2, 0));
    assert_number(v[1], 1, .name = "v of 16777217 returns", .formula = monte_carlo_formula);
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

const struct CMUnitTest monte_carlo_cases[] = {
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
    {0},
};
