/* Exercises 24 to 26: whole runs, planning, policy gradients. check.c says how cases are made. */
#include "labs/2_core/mdp/check.h"

// ---- 24: control ----

static const char control_formula[] = "choose, step, update, until the end or the limit";

// What the contract says, with plain sums.
static void control_of(double *q, double *other, double *totals, int episodes, const Mdp *mdp,
                       const MdpControl *c, Rng *rng)
{
    int A = mdp->actions;
    for (int e = 0; e < episodes; e++) {
        int s = c->start, chosen = -1;
        totals[e] = 0;
        for (int t = 0; t < c->limit && !mdp->terminal[s]; t++) {
            double sums[8], reward, value = 0, *table = q, *asked = q;
            for (int a = 0; a < A; a++)
                sums[a] = q[s * A + a] + (c->method == MDP_DOUBLE_Q ? other[s * A + a] : 0);
            int a = chosen >= 0 ? chosen : choice_of(sums, A, c->epsilon, rng);
            int next = mdp_step(mdp, s, a, rng, &reward), best = 0, tied = 0, allowed = 0;
            totals[e] += reward;
            chosen = -1;
            if (c->method == MDP_SARSA && !mdp->terminal[next])
                chosen = choice_of(q + next * A, A, c->epsilon, rng);
            if (c->method == MDP_DOUBLE_Q) {
                bool first = rng_below(rng, 2) == 0;
                table = first ? q : other;
                asked = first ? other : q;
            }
            for (int b = 1; b < A; b++)
                if (table[next * A + b] > table[next * A + best]) best = b;
            for (int b = 0; b < A; b++) {
                allowed += q[next * A + b] > -INFINITY;
                tied += q[next * A + b] >= q[next * A + best] - 1e-9;
            }
            for (int b = 0; b < A && c->method == MDP_EXPECTED_SARSA; b++)
                if (q[next * A + b] > -INFINITY)
                    value += q[next * A + b] *
                             (c->epsilon / allowed + (q[next * A + b] >= q[next * A + best] - 1e-9
                                                          ? (1 - c->epsilon) / tied
                                                          : 0));
            if (c->method == MDP_SARSA) value = chosen < 0 ? 0 : q[next * A + chosen];
            if (c->method == MDP_Q_LEARNING || c->method == MDP_DOUBLE_Q)
                value = asked[next * A + best];
            table[s * A + a] += c->step * (reward + mdp->discount * value - table[s * A + a]);
            s = next;
        }
    }
}

static void check_control(const Mdp *mdp, MdpControl control, int episodes)
{
    size_t pairs = (size_t)mdp->states * (size_t)mdp->actions;
    for (MdpMethod method = MDP_SARSA; method <= MDP_DOUBLE_Q; method++) {
        Rng rng = rng_from_seed(241), same = rng;
        double *start = doubles_zero(pairs), *totals = doubles_filled((size_t)episodes, NAN),
               *want_totals = doubles_filled((size_t)episodes, NAN);
        for (size_t i = 0; i < pairs; i++)
            if (mdp->first[i] == mdp->first[i + 1] && !mdp->terminal[i / (size_t)mdp->actions])
                start[i] = -INFINITY;
        double *q = doubles_copy(start, pairs), *other = doubles_copy(start, pairs),
               *want_q = doubles_copy(start, pairs), *want_other = doubles_copy(start, pairs);
        control.method = method;
        control_of(want_q, want_other, want_totals, episodes, mdp, &control, &same);
        mdp_control(q, method == MDP_DOUBLE_Q ? other : NULL, totals, episodes, mdp, &control,
                    doubles_filled((size_t)mdp->actions, NAN), &rng);
        assert_near(q, want_q, SHAPE(mdp->states, mdp->actions), .name = "q",
                    .formula = control_formula, .atol = 1e-9, .rtol = 1e-9);
        assert_near(other, want_other, SHAPE(mdp->states, mdp->actions), .name = "other",
                    .formula = control_formula, .atol = 1e-9, .rtol = 1e-9);
        assert_near(totals, want_totals, SHAPE(episodes), .name = "totals",
                    .formula = control_formula, .atol = 1e-9);
        assert_drawn(&rng, &same, "the draws of each choice, step and coin");
    }
}

CASE(control__chooses_steps_and_updates_in_order)
{
    Mdp walk = world_walk(7), lake = world_lake(0.9, true), random = world_random(240, 9, 5, 3, .9);
    check_control(&walk, (MdpControl){0, 3, 1000, 0.3, 0.1}, 40);
    check_control(&lake, (MdpControl){0, 0, 100, 0.5, 0.3}, 40);
    check_control(&random, (MdpControl){0, 2, 50, 0.1, 0}, 40);
    check_control(&random, (MdpControl){0, 1, 7, 1, 1}, 20);
}

CASE(control__of_no_episode_no_step_and_a_terminal_start)
{
    Mdp walk = world_walk(5);
    check_control(&walk, (MdpControl){0, 2, 100, 0.3, 0.1}, 0);
    check_control(&walk, (MdpControl){0, 2, 0, 0.3, 0.1}, 3);
    check_control(&walk, (MdpControl){0, 0, 100, 0.3, 0.1}, 3);
    check_control(&walk, (MdpControl){0, 2, 1, 0.3, 0.1}, 9);
}

CASE(control__of_an_endless_world_goes_on_past_the_time_limit)
{
    // One state, reward 1, discount .9, cut off after 10 steps: 10; 6.5132 would be the sum of ten.
    Mdp mdp = WORLD(1, 1, 0.9, -1, {0, 0, 0, 1, 1});
    for (MdpMethod method = MDP_SARSA; method <= MDP_DOUBLE_Q; method++) {
        Rng rng = rng_from_seed(242);
        double *q = DOUBLES(0), *other = DOUBLES(0), *totals = doubles_filled(5000, NAN);
        mdp_control(q, other, totals, 5000, &mdp, &(MdpControl){method, 0, 10, 0.1, 0.1},
                    doubles_zero(1), &rng);
        assert_number(q[0], 10, .name = "q", .rtol = 1e-9, .formula = control_formula);
        assert_number(totals[4999], 10, .name = "sum of the rewards", .formula = control_formula);
    }
}

CASE(control__takes_rewards_of_any_size_and_nan)
{
    static const double rewards[] = {1e300, 1e-300, NAN};
    for (int k = 0; k < 3; k++) {
        Rng rng = rng_from_seed(243);
        Mdp mdp = WORLD(2, 1, 0.5, -1, {0, 0, 1, 1, rewards[k]});
        double *q = DOUBLES(0, 0), *totals = DOUBLES(0);
        mdp_control(q, NULL, totals, 1, &mdp, &(MdpControl){MDP_Q_LEARNING, 0, 9, 0.5, 0},
                    doubles_zero(1), &rng);
        double unit = k == 2 ? 1 : rewards[k];
        assert_near(DOUBLES(q[0] / unit, totals[0] / unit),
                    k == 2 ? ((double[]){NAN, NAN}) : ((double[]){0.5, 1}), SHAPE(2),
                    .name = "q and the total, in units of the reward", .formula = control_formula);
        // Where q is NaN no action can be chosen: the next episode has no step.
        if (k < 2) continue;
        mdp_control(q, NULL, totals, 1, &mdp, &(MdpControl){MDP_Q_LEARNING, 0, 9, 0.5, 0},
                    doubles_zero(1), &rng);
        assert_number(totals[0], 0, .name = "total where no action can be chosen",
                      .formula = control_formula);
    }
}

CASE(control__finds_the_way_across_the_frozen_lake)
{
    // From q = 0: an argmax that takes the first of equals would walk to the left for ever.
    Mdp lake = world_lake(0.95, false);
    int found = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Rng rng = rng_from_seed(seed);
        double *q = doubles_zero(64), *totals = doubles_zero(2000);
        mdp_control(q, NULL, totals, 2000, &lake, &(MdpControl){MDP_Q_LEARNING, 0, 100, 0.5, 0.1},
                    doubles_zero(4), &rng);
        int s = 0, moves = 0;
        for (; moves < 7 && !lake.terminal[s]; moves++) {
            int best = 0;
            for (int a = 1; a < 4; a++)
                if (q[4 * s + a] > q[4 * s + best]) best = a;
            s = lake.outcomes[lake.first[4 * s + best]].next;
        }
        found += s == 15 && moves == 6;
    }
    assert_that(found >= 19, "%d of 20 seeds found a way of 6 moves, expected 19 or more", found);
}

// Rewards of an episode, averaged over the last 100 of 500 episodes and 20 seeds: figure 6.4. Twelve
// sets of seeds had -26 (SARSA) and -50 (Q-learning), with standard deviations of 1.4 and 1.9.
static double mean_total(MdpMethod method)
{
    Mdp cliff = world_cliff();
    double mean = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Rng rng = rng_from_seed(seed);
        double *q = doubles_zero(192), *totals = doubles_zero(500), *row = doubles_zero(4);
        mdp_control(q, NULL, totals, 500, &cliff, &(MdpControl){method, 36, 10000, 0.5, 0.1}, row,
                    &rng);
        for (int e = 400; e < 500; e++) mean += totals[e] / 2000;
    }
    return mean;
}

CASE(control__by_sarsa_stays_away_from_the_cliff)
{
    assert_number(mean_total(MDP_SARSA), -26, .name = "SARSA's mean sum of rewards", .atol = 6,
                  .formula = control_formula);
    assert_number(mean_total(MDP_Q_LEARNING), -50, .name = "Q-learning's", .atol = 8,
                  .formula = control_formula);
}

// ---- 25: Dyna-Q ----

static const char dyna_formula[] = "update, remember, then update from memory";

static MdpMemory memory_new(size_t pairs)
{
    return (MdpMemory){ints_filled(pairs, -1), doubles_filled(pairs, NAN), ints_filled(pairs, -1),
                       0};
}

static void learn_of(double *q, int s, int a, double reward, int next, double step, double discount)
{
    double best = fmax(q[2 * next], q[2 * next + 1]);
    q[2 * s + a] += step * (reward + discount * best - q[2 * s + a]);
}

// Real steps of a corridor of five states, and back; rewards change, and pairs come again.
static void check_dyna(int planning)
{
    static const int from[] = {0, 1, 2, 1, 2, 3, 0, 1}, taken[] = {1, 1, 0, 1, 1, 1, 0, 1},
                     to[] = {1, 2, 1, 2, 3, 4, 0, 2};
    static const double rewards[] = {0, -1, 0.5, 2, 0, 9, -3, 1};
    double *q = doubles_zero(10), *want = doubles_zero(10), reward[10];
    int next[10], pairs[10], count = 0;
    MdpMemory memory = memory_new(10);
    Rng rng = rng_from_seed(251), same = rng;
    for (int i = 0; i < 10; i++) next[i] = -1;
    for (int t = 0; t < 8; t++) {
        int pair = 2 * from[t] + taken[t];
        learn_of(want, from[t], taken[t], rewards[t], to[t], 0.3, 0.9);
        if (next[pair] < 0) pairs[count++] = pair;
        next[pair] = to[t];
        reward[pair] = rewards[t];
        for (int k = 0; k < planning; k++) {
            int p = pairs[rng_below(&same, (uint32_t)count)];
            learn_of(want, p / 2, p % 2, reward[p], next[p], 0.3, 0.9);
        }
        mdp_dyna_q(q, &memory, 2, from[t], taken[t], rewards[t], to[t], planning, 0.3, 0.9, &rng);
        assert_near(q, want, SHAPE(5, 2), .name = "q", .formula = dyna_formula);
        assert_integer("pairs seen", memory.count, count);
        for (int i = 0; i < count; i++) assert_integer("pair", memory.pairs[i], pairs[i]);
        assert_integer("memory.next of the pair", memory.next[pair], to[t]);
        assert_number(memory.reward[pair], rewards[t], .name = "memory.reward", .exact = true);
    }
    assert_drawn(&rng, &same, "one rng_below() for each planning update");
}

CASE(dyna_q__updates_remembers_and_plans_in_order)
{
    check_dyna(0);
    check_dyna(1);
    check_dyna(50);
}

CASE(dyna_q__plans_what_it_has_seen_to_the_end)
{
    // A corridor of 10 states, walked once: with enough planning q(s,right) = gamma^(8 - s).
    double *q = doubles_zero(20), *want = doubles_zero(20);
    MdpMemory memory = memory_new(20);
    Rng rng = rng_from_seed(252);
    for (int s = 0; s < 9; s++) {
        mdp_dyna_q(q, &memory, 2, s, 1, s == 8, s + 1, s == 8 ? 2000 : 0, 1, 0.9, &rng);
        want[2 * s + 1] = pow(0.9, 8 - s);
    }
    assert_near(q, want, SHAPE(10, 2), .name = "q", .formula = dyna_formula);
}

CASE(dyna_q__of_many_states_and_two_learners_in_turns)
{
    enum { S = 50000 };
    double *q = doubles_zero(2 * S), *other = doubles_zero(4);
    MdpMemory memory = memory_new(2 * S), small = memory_new(4);
    Rng rng = rng_from_seed(253);
    mdp_dyna_q(q, &memory, 2, S - 2, 1, 4, S - 1, 3, 0.5, 1, &rng);
    mdp_dyna_q(other, &small, 2, 0, 0, 8, 1, 1, 0.5, 1, &rng);
    assert_number(q[2 * S - 3], 4 * (1 - pow(0.5, 4)), .name = "q", .formula = dyna_formula);
    assert_near(other, ((double[]){6, 0, 0, 0}), SHAPE(2, 2), .name = "q of the other",
                .formula = dyna_formula);
}

CASE(dyna_q__takes_rewards_of_any_size_and_nan)
{
    static const double rewards[] = {1e300, 1e-300, NAN};
    for (int k = 0; k < 3; k++) {
        double *q = doubles_zero(4);
        MdpMemory memory = memory_new(4);
        Rng rng = rng_from_seed(254);
        mdp_dyna_q(q, &memory, 2, 0, 1, rewards[k], 1, 1, 0.5, 0.9, &rng);
        assert_number(q[1] / (k == 2 ? 1 : rewards[k]), k == 2 ? NAN : 0.75,
                      .name = "q in units of the reward", .formula = dyna_formula);
        mdp_dyna_q(q, &memory, 2, 0, 1, rewards[k], 1, 0, 0.5, 0.9, &rng);
        assert_integer("pairs seen", memory.count, 1);
    }
}

// ---- 26: REINFORCE ----

static const char reinforce_formula[] = "h[S_t,a] += step gamma^t delta ((a == A_t) - pi[a])";

static void check_reinforce(const double *returns, bool has_baseline, double baseline_step,
                            double discount)
{
    static const double h[6] = {0.5, -1, 2, 0, 1, 900};
    static const int states[] = {1, 0, 1, 2}, actions[] = {0, 1, 0};
    double *mine = doubles_copy(h, 6), *want = doubles_copy(h, 6), *b = DOUBLES(0.5, 2, -1),
           want_b[3] = {0.5, 2, -1}, weight = 0.2;
    for (int t = 0; t < 3; t++, weight *= discount) {
        double *row = want + 2 * states[t], second = 1 / (1 + exp(row[0] - row[1]));
        double delta = returns[t] - (has_baseline ? want_b[states[t]] : 0);
        want_b[states[t]] += has_baseline ? baseline_step * delta : 0;
        row[0] += weight * delta * ((actions[t] == 0) - (1 - second));
        row[1] += weight * delta * ((actions[t] == 1) - second);
    }
    const MdpEpisode *episode = episode_of(3, states, actions, returns);
    double *given = doubles_copy(returns, 3);
    mdp_reinforce(mine, has_baseline ? b : NULL, 2, episode, given, 0.2, baseline_step, discount,
                  DOUBLES(NAN, NAN));
    assert_near(mine, want, SHAPE(3, 2), .name = "h", .formula = reinforce_formula);
    assert_near(b, want_b, SHAPE(3), .name = "baseline", .formula = reinforce_formula);
    assert_kept("returns", given, returns, 3);
}

CASE(reinforce__raises_what_brought_more_than_the_baseline)
{
    check_reinforce((double[]){3, 5, -4}, true, 0.1, 0.9);
    check_reinforce((double[]){3, 5, -4}, true, 1, 0.5);
    check_reinforce((double[]){3, 5, -4}, true, 0, 1);
    check_reinforce((double[]){3, 5, -4}, true, 0.3, 0);
    check_reinforce((double[]){1e9 + 1, 1e9, 1e9 + 2}, true, 1, 1);
}

CASE(reinforce__without_a_baseline_uses_the_return)
{
    check_reinforce((double[]){3, 5, -4}, false, 0.1, 0.9);
    check_reinforce((double[]){-1, 0, 2}, false, 0, 1);
}

CASE(reinforce__takes_returns_of_any_size_and_nan)
{
    check_reinforce((double[]){1e-300, 1e300, 0}, true, 0.5, 1);
    check_reinforce((double[]){1, NAN, 2}, true, 0.5, 0.9);
    check_reinforce((double[]){NAN, 1, 2}, false, 0.5, 0.9);
}

CASE(reinforce__of_no_step_and_of_the_same_arrays_again)
{
    double *h = DOUBLES(0, 0), *returns = DOUBLES(1);
    mdp_reinforce(h, NULL, 2, episode_of(0, (int[]){0}, NULL, NULL), returns, 1, 1, 1,
                  doubles_zero(2));
    assert_near(h, ((double[]){0, 0}), SHAPE(2), .name = "h after no step", .exact = true);
    MdpEpisode *episode = EPISODE(((int[]){0, 0}), ((int[]){0}), ((double[]){1}));
    mdp_reinforce(h, NULL, 2, episode, returns, 1, 1, 1, doubles_zero(2));
    returns[0] = -1;
    h[0] = log(3), h[1] = 0;
    mdp_reinforce(h, NULL, 2, episode, returns, 1, 1, 1, doubles_zero(2));
    assert_near(h, ((double[]){log(3) - 0.25, 0.25}), SHAPE(2), .name = "h of the second call",
                .formula = reinforce_formula);
}

// Two states, two actions each: the reward is 1 + 2 a in the first, a - 3 b after it in the second.
static double objective(const void *argument)
{
    const double *h = argument;
    double p = 1 / (1 + exp(h[0] - h[1])), r = 1 / (1 + exp(h[2] - h[3]));
    return 1 + 2 * p + 0.9 * (p - 3 * r);
}

CASE(reinforce__follows_the_gradient_of_the_expected_return)
{
    double *h = DOUBLES(0.3, -0.4, 0.1, 0.6), total[4] = {0};
    double p = 1 / (1 + exp(h[0] - h[1])), r = 1 / (1 + exp(h[2] - h[3]));
    for (int k = 0; k < 4; k++) {
        int a = k / 2, b = k % 2;
        double late = a - 3 * b, weight = (a == 1 ? p : 1 - p) * (b == 1 ? r : 1 - r);
        double *mine = doubles_copy(h, 4);
        mdp_reinforce(mine, DOUBLES(0.7, -0.2, 0), 2,
                      EPISODE(((int[]){0, 1, 2}), ((int[]){a, b}), ((double[]){1 + 2 * a, late})),
                      DOUBLES(1 + 2 * a + 0.9 * late, late), 1, 0, 0.9, doubles_zero(2));
        for (int i = 0; i < 4; i++) total[i] += weight * (mine[i] - h[i]);
    }
    assert_near(total, slopes(objective, h, h, 4), SHAPE(2, 2), .name = "expected update",
                .atol = 1e-7, .formula = reinforce_formula);
}

const struct CMUnitTest control_cases[] = {
    cmocka_unit_test(control__chooses_steps_and_updates_in_order),
    cmocka_unit_test(control__of_no_episode_no_step_and_a_terminal_start),
    cmocka_unit_test(control__of_an_endless_world_goes_on_past_the_time_limit),
    cmocka_unit_test(control__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(control__finds_the_way_across_the_frozen_lake),
    cmocka_unit_test(control__by_sarsa_stays_away_from_the_cliff),
    cmocka_unit_test(dyna_q__updates_remembers_and_plans_in_order),
    cmocka_unit_test(dyna_q__plans_what_it_has_seen_to_the_end),
    cmocka_unit_test(dyna_q__of_many_states_and_two_learners_in_turns),
    cmocka_unit_test(dyna_q__takes_rewards_of_any_size_and_nan),
    cmocka_unit_test(reinforce__raises_what_brought_more_than_the_baseline),
    cmocka_unit_test(reinforce__without_a_baseline_uses_the_return),
    cmocka_unit_test(reinforce__takes_returns_of_any_size_and_nan),
    cmocka_unit_test(reinforce__of_no_step_and_of_the_same_arrays_again),
    cmocka_unit_test(reinforce__follows_the_gradient_of_the_expected_return),
    {0},
};
