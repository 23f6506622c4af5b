/* main.c -- one small world, solved by everything in mdp.h: seven cells in a row, an end on each side. */
#include <inttypes.h>
#include "labs/2_core/mdp/lapack.h"
#include "labs/2_core/mdp/mdp.h"
#include "common/story.h"

enum { S = 7, A = 2, LIMIT = 1000, ARMS = 10 };

// The random walk of Sutton & Barto 2018, example 6.2: reward 1 on the right, 0 elsewhere.
typedef struct Lab {
    Run *run;
    Arena *step;
    int episodes;
    Transition outcomes[S * A];
    int first[S * A + 1];
    bool terminal[S];
    double walk[S * A];    // left and right with probability 1/2
    Mdp mdp;
    MdpEpisode episode;
} Lab;

static void make_walk(Lab *lab, Arena *keep)
{
    for (int s = 0; s < S; s++) {
        lab->terminal[s] = s == 0 || s == S - 1;
        for (int a = 0; a < A; a++) {
            int next = lab->terminal[s] ? s : s + 2 * a - 1, i = s * A + a;
            lab->walk[i] = 0.5;
            lab->first[i + 1] = i + 1;
            lab->outcomes[i] = (Transition){next, 1, s == S - 2 && a == 1};
        }
    }
    lab->mdp = (Mdp){S, A, lab->first, lab->outcomes, lab->terminal, 1};
    lab->episode = (MdpEpisode){.states = arena_alloc(keep, (LIMIT + 1) * sizeof(int)),
                                .actions = arena_alloc(keep, LIMIT * sizeof(int)),
                                .rewards = arena_alloc(keep, LIMIT * sizeof(double)),
                                .limit = LIMIT};
}

static void add_values(Table *table, const char *method, const double *v)
{
    table_row(table, "%s|%.4f|%.4f|%.4f|%.4f|%.4f", method, v[1], v[2], v[3], v[4], v[5]);
}

static bool part_planning(void *data, Error *err)
{
    Lab *lab = data;
    Table table = table_new(lab->step, "method|1|2|3|4|5");
    double v[S], work[S * S], policy[S * A];
    if (!mdp_closed_form(v, &lab->mdp, lab->walk, mdp_lapack, work))
        return error_set(err, "the random walk has no values");
    add_values(&table, "closed form", v);
    for (int s = 0; s < S; s++) v[s] = 0;
    mdp_evaluate(v, &lab->mdp, lab->walk, 1e-12, 10000, work);
    add_values(&table, "policy evaluation", v);
    for (int i = 0; i < S * A; i++) policy[i] = 0.5;
    int rounds = mdp_policy_iteration(policy, v, &lab->mdp, 1e-12, 10000, work);
    add_values(&table, "policy iteration", v);
    double u[3][S] = {{0}};
    MdpQueue queue = mdp_queue_new(lab->step, &lab->mdp);
    mdp_value_iteration(u[0], &lab->mdp, 1e-12, 10000, work);
    mdp_gauss_seidel(u[1], &lab->mdp, 1e-12, 10000);
    size_t updates = mdp_prioritized_sweeping(u[2], &lab->mdp, 1e-12, 10000, &queue);
    add_values(&table, "value iteration", u[0]);
    add_values(&table, "Gauss-Seidel", u[1]);
    add_values(&table, "prioritized sweeping", u[2]);
    run_table(lab->run, &table);
    run_print(lab->run, "  %d rounds of policy iteration, %zu prioritized updates.", rounds,
              updates);
    return true;
}

static bool part_bandit(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    Rng rng = rng_stream(lab->run->seed, 1);
    double q[2][ARMS] = {{0}}, h[ARMS] = {0}, policy[ARMS], mean = 0, totals[3] = {0};
    size_t counts[2][ARMS] = {{0}}, steps = 0;
    for (int t = 0; t < lab->episodes; t++)
        for (int m = 0; m < 3; m++) {
            mdp_softmax(policy, h, ARMS);
            int a = m == 0   ? mdp_epsilon_greedy(q[m], ARMS, 0.1, &rng)
                    : m == 1 ? mdp_ucb(q[m], counts[m], ARMS, sqrt(2))
                             : mdp_draw(policy, ARMS, &rng);
            double reward = a / 10.0 + (double)rng_normal(&rng);
            totals[m] += reward / lab->episodes;
            if (m < 2) mdp_estimate(&q[m][a], &counts[m][a], reward, 0);
            else mdp_gradient_bandit(h, policy, ARMS, a, reward, mean, 0.1);
            if (m == 2) mdp_estimate(&mean, &steps, reward, 0);
        }
    run_print(lab->run,
              "  Mean reward: epsilon-greedy %.3f, UCB %.3f, gradient bandit %.3f of 0.9.",
              totals[0], totals[1], totals[2]);
    return true;
}

static bool part_learning(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    MdpEpisode *episode = &lab->episode;
    Table table = table_new(lab->step, "method|1|2|3|4|5");
    double v[4][S] = {{0}}, returns[LIMIT], q[S * A] = {0}, h[S * A] = {0}, soft[S * A], row[A],
           baseline[S] = {0}, trace[S];
    size_t counts[S] = {0}, pairs[S * A] = {0};
    int first[S * A];
    for (int i = 0; i < S * A; i++) soft[i] = 0.5;
    for (int e = 0; e < lab->episodes; e++) {
        Rng rng = rng_stream(lab->run->seed, 2 + (uint64_t)e);
        mdp_play(episode, &lab->mdp, lab->walk, S / 2, &rng);
        mdp_returns(returns, episode->rewards, episode->count, 1, 0);
        mdp_monte_carlo(v[0], counts, episode, returns, MDP_FIRST_VISIT, first);
        for (size_t t = 0; t < episode->count; t++)
            mdp_td(v[1], episode->states[t], episode->rewards[t], episode->states[t + 1], 0.02, 1);
        mdp_n_step_td(v[2], episode, 3, 0.02, 1);
        mdp_td_lambda(v[3], trace, S, episode, 0.8, MDP_ACCUMULATING, 0.02, 1);
        mdp_play(episode, &lab->mdp, soft, S / 2, &rng);
        mdp_returns(returns, episode->rewards, episode->count, 1, 0);
        mdp_monte_carlo_control(q, pairs, soft, A, episode, returns, 0.1, first);
        mdp_reinforce(h, baseline, A, episode, returns, 0.1, 0.1, 1, row);
    }
    const char *const methods[] = {"Monte Carlo", "TD(0)", "3-step TD", "TD(lambda)"};
    for (int m = 0; m < 4; m++) add_values(&table, methods[m], v[m]);
    run_table(lab->run, &table);
    return true;
}

static bool part_control(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    double *totals = arena_alloc(lab->step, (size_t)lab->episodes * sizeof *totals), row[A];
    const char *const methods[] = {"SARSA", "expected SARSA", "Q-learning", "double Q-learning"};
    for (int m = 0; m < 4; m++) {
        Rng rng = rng_stream(lab->run->seed, 1);
        double q[S * A] = {0}, other[S * A] = {0};
        MdpControl control = {(MdpMethod)m, S / 2, LIMIT, 0.1, 0.1};
        mdp_control(q, other, totals, lab->episodes, &lab->mdp, &control, row, &rng);
        run_print(lab->run, "  %s: to the right is worth %.3f in the middle.", methods[m],
                  q[S / 2 * A + 1]);
    }
    Rng rng = rng_stream(lab->run->seed, 1);
    double q[S * A] = {0}, rewards[S * A], reward;
    int next[S * A], pairs[S * A];
    MdpMemory memory = {next, rewards, pairs, 0};
    for (int i = 0; i < S * A; i++) next[i] = -1;
    for (int s = S / 2, t = 0; t < lab->episodes; t++) {
        int a = mdp_epsilon_greedy(q + s * A, A, 0.1, &rng),
            to = mdp_step(&lab->mdp, s, a, &rng, &reward);
        mdp_dyna_q(q, &memory, A, s, a, reward, to, 10, 0.1, 1, &rng);
        s = lab->terminal[to] ? S / 2 : to;
    }
    run_print(lab->run, "  Dyna-Q: %.3f after %d steps.", q[S / 2 * A + 1], lab->episodes);
    return true;
}

static const Part parts[] = {
    {"planning", "Planning with a known model", part_planning, .notices = {{NULL, NULL}}},
    {"bandit", "Ten arms", part_bandit, .notices = {{NULL, NULL}}},
    {"learning", "Learning values from episodes", part_learning, .notices = {{NULL, NULL}}},
    {"control", "Learning what to do", part_control, .notices = {{NULL, NULL}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)1 << 30);
    Lab lab = {.step = step, .episodes = 1000};
    Options *options = options_new(keep, "mdp", "Solves and learns a random walk.");
    options_group(options, "This lab");
    options_int(options, "episodes", 0, &lab.episodes, 1, 1000000, "episodes to learn from");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/mdp/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    make_walk(&lab, keep);
    return story_run(&story, &lab);
}
