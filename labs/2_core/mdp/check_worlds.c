/* The worlds of the cases, as published, and plain sums to compare with. */
#include <stdlib.h>
#include <string.h>
#include "labs/2_core/mdp/check.h"
#include "tests/guarded.h"

Mdp world_of(int states, int actions, double discount, int end, const Rule *rules, size_t count)
{
    size_t pairs = (size_t)states * (size_t)actions;
    int *first = ints_filled(pairs + 1, 0);
    bool *terminal = guarded_new((size_t)states, sizeof *terminal);
    Transition *outcomes = guarded_new(count, sizeof *outcomes);
    for (int s = 0; s < states; s++) terminal[s] = true;
    for (size_t r = 0; r < count; r++) {
        terminal[rules[r].state] = rules[r].state == end;
        first[rules[r].state * actions + rules[r].action + 1]++;
    }
    for (size_t i = 0; i < pairs; i++) first[i + 1] += first[i];
    int *at = ints_copy(first, pairs + 1);
    for (size_t r = 0; r < count; r++)
        outcomes[at[rules[r].state * actions + rules[r].action]++] =
            (Transition){rules[r].next, rules[r].probability, rules[r].reward};
    return (Mdp){states, actions, first, outcomes, terminal, discount};
}

Mdp world_student(double discount)
{
    enum { C1, C2, C3, PASS, PUB, FACEBOOK, SLEEP };
    return WORLD(7, 1, discount, -1, {C1, 0, C2, .5, -2}, {C1, 0, FACEBOOK, .5, -2},
                 {C2, 0, C3, .8, -2}, {C2, 0, SLEEP, .2, -2}, {C3, 0, PASS, .6, -2},
                 {C3, 0, PUB, .4, -2}, {PASS, 0, SLEEP, 1, 10}, {PUB, 0, C1, .2, 1},
                 {PUB, 0, C2, .4, 1}, {PUB, 0, C3, .4, 1}, {FACEBOOK, 0, C1, .1, -1},
                 {FACEBOOK, 0, FACEBOOK, .9, -1});
}

Mdp world_student_actions(void)
{
    enum { FACEBOOK, C1, C2, C3, SLEEP };
    return WORLD(5, 2, 1, -1, {FACEBOOK, 0, FACEBOOK, 1, -1}, {FACEBOOK, 1, C1, 1, 0},
                 {C1, 0, FACEBOOK, 1, -1}, {C1, 1, C2, 1, -2}, {C2, 0, SLEEP, 1, 0},
                 {C2, 1, C3, 1, -2}, {C3, 0, C1, .2, 1}, {C3, 0, C2, .4, 1}, {C3, 0, C3, .4, 1},
                 {C3, 1, SLEEP, 1, 10});
}

// ---- grids ----

// Up, right, down, left; into the edge means staying.
static int neighbor(int rows, int columns, int s, int direction)
{
    int row = s / columns, column = s % columns;
    row += direction == 2 && row + 1 < rows ? 1 : direction == 0 && row > 0 ? -1 : 0;
    column += direction == 1 && column + 1 < columns ? 1 : direction == 3 && column > 0 ? -1 : 0;
    return row * columns + column;
}

Mdp world_grid_4x4(void)
{
    Rule rules[14 * 4];
    for (int i = 0; i < 14 * 4; i++) {
        int s = 1 + i / 4, a = i % 4;
        rules[i] = (Rule){s, a, neighbor(4, 4, s, a), 1, -1};
    }
    return world_of(16, 4, 1, -1, rules, 14 * 4);
}

Mdp world_grid_5x5(void)
{
    Rule rules[100];
    for (int i = 0; i < 100; i++) {
        int s = i / 4, a = i % 4, next = neighbor(5, 5, s, a);
        rules[i] = s == 1   ? (Rule){s, a, 21, 1, 10}
                   : s == 3 ? (Rule){s, a, 13, 1, 5}
                            : (Rule){s, a, next, 1, next == s ? -1 : 0};
    }
    return world_of(25, 4, 0.9, -1, rules, 100);
}

Mdp world_walk(int states)
{
    Rule rules[2 * 64];
    int count = 0;
    for (int s = 1; s < states - 1; s++)
        for (int a = 0; a < 2; a++)
            rules[count++] = (Rule){s, a, s + 2 * a - 1, 1, s == states - 2 && a == 1};
    return world_of(states, 2, 1, -1, rules, (size_t)count);
}

Mdp world_lake(double discount, bool slippery)
{
    static const char map[] = "SFFFFHFHFFFHHFFG";
    static const int direction[] = {3, 2, 1, 0};    // left, down, right, up
    Rule rules[16 * 4 * 3];
    size_t count = 0;
    for (int s = 0; s < 16; s++)
        for (int a = 0; a < 4 && map[s] != 'H' && map[s] != 'G'; a++)
            for (int slip = slippery ? -1 : 0; slip <= (slippery ? 1 : 0); slip++) {
                int next = neighbor(4, 4, s, direction[(a + slip + 4) % 4]);
                rules[count++] = (Rule){s, a, next, slippery ? 1.0 / 3 : 1, map[next] == 'G'};
            }
    return world_of(16, 4, discount, -1, rules, count);
}

Mdp world_cliff(void)
{
    Rule rules[48 * 4];
    for (int i = 0; i < 48 * 4; i++) {
        int s = i / 4, a = i % 4, next = neighbor(4, 12, s, a);
        bool falls = next > 36 && next < 47;
        rules[i] = (Rule){s, a, falls ? 36 : next, 1, falls ? -100 : -1};
    }
    return world_of(48, 4, 1, 47, rules, 48 * 4);
}

Mdp world_gambler(double heads)
{
    static Rule rules[101 * 50 * 2];
    size_t count = 0;
    for (int s = 1; s < 100; s++)
        for (int stake = 1; stake <= s && stake <= 100 - s; stake++) {
            rules[count++] = (Rule){s, stake - 1, s + stake, heads, s + stake == 100};
            rules[count++] = (Rule){s, stake - 1, s - stake, 1 - heads, 0};
        }
    return world_of(101, 50, 1, -1, rules, count);
}

// The last state is terminal; one action in eight is not allowed, but for the first.
Mdp world_random(uint64_t seed, int states, int actions, int outcomes, double discount)
{
    Rng rng = rng_from_seed(seed);
    Rule *rules = malloc((size_t)states * (size_t)actions * (size_t)outcomes * sizeof *rules);
    size_t count = 0;
    for (int s = 0; s + 1 < states; s++)
        for (int a = 0; a < actions; a++) {
            double sum = 0;
            if (rng_below(&rng, 8) == 0 && a > 0) continue;
            for (int i = 0; i < outcomes; i++) {
                double p = 0.1 + (double)rng_uniform(&rng);
                sum += p;
                rules[count++] = (Rule){s, a, (int)rng_below(&rng, (uint32_t)states), p,
                                        (double)rng_normal(&rng)};
            }
            for (int i = 1; i <= outcomes; i++) rules[count - (size_t)i].probability /= sum;
        }
    Mdp mdp = world_of(states, actions, discount, -1, rules, count);
    free(rules);
    return mdp;
}

// v = 1, 1.5, 1.75, ...: the changes are 1, 1/2, 1/4. The other action is worse.
Mdp world_halving(void)
{
    return WORLD(1, 2, 0.5, -1, {0, 0, 0, 1, -1}, {0, 1, 0, 1, 1});
}

// Where rewards are NaN or infinite.
Mdp world_not_finite(double reward)
{
    return WORLD(4, 2, 0.5, -1, {0, 0, 1, 1, 0}, {1, 0, 3, 1, reward}, {1, 1, 3, 1, 1},
                 {2, 1, 3, 1, 1e300});
}

// ---- published values ----

// clang-format off
const double grid_4x4_values[16] = {0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0};
const double grid_5x5_values[25] = {3.3, 8.8, 4.4, 5.3, 1.5, 1.5, 3.0, 2.3, 1.9, 0.5, 0.1, 0.7, 0.7, 0.4, -0.4,
                                    -1.0, -0.4, -0.4, -0.6, -1.2, -1.9, -1.3, -1.2, -1.4, -2.0};
const double grid_5x5_best[25] = {22.0, 24.4, 22.0, 19.4, 17.5, 19.8, 22.0, 19.8, 17.8, 16.0, 17.8, 19.8, 17.8,
                                  16.0, 14.4, 16.0, 17.8, 16.0, 14.4, 13.0, 14.4, 16.0, 14.4, 13.0, 11.7};
// clang-format on

// ---- plain sums ----

double value_of(const double *v, const Mdp *mdp, int state, int action)
{
    double sum = 0;
    for (int i = mdp->first[state * mdp->actions + action];
         i < mdp->first[state * mdp->actions + action + 1]; i++)
        sum += mdp->outcomes[i].probability *
               (mdp->outcomes[i].reward + mdp->discount * v[mdp->outcomes[i].next]);
    return sum;
}

double residual(const double *v, const Mdp *mdp, const double *policy)
{
    double most = 0;
    for (int s = 0; s < mdp->states; s++) {
        double best = -INFINITY, mean = 0;
        for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++) {
            if (!mdp_allowed(mdp, s, a)) continue;
            double q = value_of(v, mdp, s, a);
            best = fmax(best, q);
            mean += policy == NULL ? 0 : policy[s * mdp->actions + a] * q;
        }
        double error = fabs((mdp->terminal[s] ? 0 : policy == NULL ? best : mean) - v[s]);
        if (!(error <= most)) most = error;
    }
    return most;
}

double *exact_values(const Mdp *mdp, const double *policy)
{
    int n = mdp->states;
    size_t width = (size_t)n + 1;
    double *a = doubles_zero((size_t)n * width), *v = doubles_zero((size_t)n);
    for (int s = 0; s < n; s++) {
        double *row = a + (size_t)s * width;
        row[s] = 1;
        for (int i = mdp->first[s * mdp->actions], b = 0;
             i < mdp->first[(s + 1) * mdp->actions] && !mdp->terminal[s]; i++) {
            while (i >= mdp->first[s * mdp->actions + b + 1]) b++;
            double p = policy[s * mdp->actions + b] * mdp->outcomes[i].probability;
            row[mdp->outcomes[i].next] -= mdp->discount * p;
            row[n] += p * mdp->outcomes[i].reward;
        }
    }
    for (int k = 0; k < n; k++)    // diagonally dominant: no pivots
        for (int s = 0; s < n; s++) {
            double factor = a[(size_t)s * width + (size_t)k] / a[(size_t)k * width + (size_t)k];
            for (int j = k; j <= n && s != k; j++)
                a[(size_t)s * width + (size_t)j] -= factor * a[(size_t)k * width + (size_t)j];
        }
    for (int s = 0; s < n; s++)
        v[s] = a[(size_t)s * width + (size_t)n] / a[(size_t)s * width + (size_t)s];
    return v;
}

double *policy_uniform(const Mdp *mdp)
{
    double *policy = doubles_zero((size_t)mdp->states * (size_t)mdp->actions);
    for (int s = 0; s < mdp->states; s++) {
        int allowed = 0;
        for (int a = 0; a < mdp->actions; a++) allowed += mdp_allowed(mdp, s, a);
        for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++)
            policy[s * mdp->actions + a] = mdp_allowed(mdp, s, a) ? 1.0 / allowed : 0;
    }
    return policy;
}

const int visited[7] = {2, 0, 2, 1, 0, 2, 9};
const double paid[6] = {1, -2, 0.5, 3, 0, 4};

MdpEpisode *episode_of(size_t count, const int *states, const int *actions, const double *rewards)
{
    MdpEpisode *episode = guarded_new(1, sizeof *episode);
    *episode = (MdpEpisode){.states = ints_copy(states, count + 1),
                            .actions = ints_copy(actions, actions == NULL ? 0 : count),
                            .rewards = doubles_copy(rewards, count),
                            .count = count,
                            .limit = count};
    return episode;
}

size_t *counts_zero(size_t n)
{
    size_t *counts = guarded_new(n, sizeof *counts);
    memset(counts, 0, n * sizeof *counts);
    return counts;
}

MdpEpisode *walk(const Mdp *mdp, const double *policy, Rng *rng)
{
    static int states[10001], actions[10000];
    static double rewards[10000];
    static MdpEpisode episode = {states, actions, rewards, 0, 10000};
    mdp_play(&episode, mdp, policy, mdp->states / 2, rng);
    return &episode;
}
