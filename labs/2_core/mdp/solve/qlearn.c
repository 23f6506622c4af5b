#include "labs/2_core/mdp/solve/qlearn.h"
#include <math.h>
#include "common/error.h"
#include "labs/2_core/mdp/mdp.h"

Learners learners_new(Arena *arena, const Mdp *mdp, int start, double step, double epsilon,
                      uint64_t seed)
{
    size_t count = (size_t)mdp->states * (size_t)mdp->actions;
    Pair *pairs = arena_alloc(arena, count * sizeof *pairs);
    double *limit = arena_alloc(arena, ((size_t)mdp->first[count] + 1) * sizeof *limit);
    double *q = arena_zeros(arena, LEARNERS * count * sizeof *q);
    Learners l = {.mdp = mdp,
                  .pairs = pairs,
                  .limit = limit,
                  .start = start,
                  .lanes = learners_lanes(mdp),
                  .step = step,
                  .epsilon = epsilon};
    REQUIRE(mdp->actions <= LEARNERS_MAX_ACTIONS, "%d actions, expected at most %d", mdp->actions,
            LEARNERS_MAX_ACTIONS);
    for (size_t p = 0; p < count; p++) {
        int first = mdp->first[p], end = mdp->first[p + 1];
        double sum = 0;
        pairs[p] = (Pair){.first = first, .more = end - first - 1};
        if (first < end) {
            pairs[p].next = mdp->outcomes[first].next;
            pairs[p].then = mdp->terminal[pairs[p].next] ? start : pairs[p].next;
            pairs[p].reward = mdp->outcomes[first].reward;
        }
        for (int o = first; o < end; o++) limit[o] = sum += mdp->outcomes[o].probability;
    }
    for (int i = 0; i < LEARNERS; i++) {
        l.q[i] = q + (size_t)i * count;
        l.state[i] = start;
        l.rng[i] = rng_stream(seed, (uint64_t)i);
        for (size_t p = 0; p < count; p++)
            if (pairs[p].more < 0 && !mdp->terminal[p / (size_t)mdp->actions])
                l.q[i][p] = -INFINITY;
    }
    return l;
}

// PCG32 as in common/rng.c, where a call would cost as much as a step.
static inline uint32_t bits(Rng *rng)
{
    uint64_t state = rng->state;
    rng->state = state * 6364136223846793005u + rng->increment;
    uint32_t mixed = (uint32_t)(((state >> 18) ^ state) >> 27), turn = (uint32_t)(state >> 59);
    return (mixed >> turn) | (mixed << (-turn & 31));
}

static inline double uniform(Rng *rng)
{
    return (double)(bits(rng) >> 8) * 0x1p-24;
}

static inline int below(Rng *rng, uint32_t n)
{
    uint64_t product = (uint64_t)bits(rng) * n;
    if ((uint32_t)product < n)
        while ((uint32_t)product < -n % n) product = (uint64_t)bits(rng) * n;
    return (int)(product >> 32);
}

// One bit of several, each as likely. All of them is what exploring has: no loop, whose end is a guess.
static inline int one_of(unsigned bits_set, int actions, Rng *rng)
{
    if (bits_set == (1u << actions) - 1) return below(rng, (uint32_t)actions);
    for (int left = below(rng, (uint32_t)__builtin_popcount(bits_set)); left > 0; left--)
        bits_set &= bits_set - 1;
    return __builtin_ctz(bits_set);
}

// One action at least may be chosen. Most often it is one alone: the branch that costs is the other.
static inline int choose(const double *q, int actions, double best, double epsilon, Rng *rng)
{
    double tied = best - MDP_TIE * fmax(1, fabs(best));
    double least = uniform(rng) < epsilon ? -1.7976931348623157e308 : tied;
    unsigned candidates = 0;
    for (int a = 0; a < actions; a++) candidates |= (unsigned)(q[a] >= least) << a;
    return (candidates & (candidates - 1)) != 0 ? one_of(candidates, actions, rng)
                                                : __builtin_ctz(candidates);
}

static inline double largest(const double *q, int actions)
{
    double best = q[0];
    for (int a = 1; a < actions; a++) best = q[a] > best ? q[a] : best;
    return best;
}

typedef struct Learner {
    int state;
    double *q, best;    // best: the largest action value of the state
    Rng rng;
} Learner;

// `actions` is a constant where this is called, so that its loops are unrolled.
static inline void learn(const Learners *l, Learner *one, const int actions)
{
    const Mdp *mdp = l->mdp;
    double *row = one->q + (size_t)one->state * (size_t)actions;
    int a = choose(row, actions, one->best, l->epsilon, &one->rng);
    const Pair *pair = &l->pairs[(size_t)one->state * (size_t)actions + (size_t)a];
    int next = pair->next;
    double reward = pair->reward;
    if (pair->more > 0) {
        double u = uniform(&one->rng);
        int o = pair->first;
        for (int i = 0; i < pair->more; i++) o += u >= l->limit[pair->first + i];
        next = mdp->outcomes[o].next;
        reward = mdp->outcomes[o].reward;
    }
    const double *after = one->q + (size_t)next * (size_t)actions;
    double best = largest(after, actions);
    row[a] += l->step * (reward + mdp->discount * best - row[a]);
    bool ends = mdp->terminal[next];
    if (ends || next == one->state)    // another row, or one that has just changed
        best = largest(one->q + (size_t)(ends ? l->start : next) * (size_t)actions, actions);
    one->state = ends ? l->start : next;
    one->best = best;
}

static inline void run(Learners *l, const int actions, long steps)
{
    Learner all[LEARNERS];
    for (int i = 0; i < LEARNERS; i++) {
        const double *row = l->q[i] + (size_t)l->state[i] * (size_t)actions;
        all[i] = (Learner){l->state[i], l->q[i], largest(row, actions), l->rng[i]};
    }
    for (long k = 0; k < steps; k++)
        for (int i = 0; i < LEARNERS; i++) learn(l, &all[i], actions);
    for (int i = 0; i < LEARNERS; i++) l->state[i] = all[i].state, l->rng[i] = all[i].rng;
}

void learners_step(Learners *l, long steps)
{
    if (l->lanes) learners_step_lanes(l, steps);
    else if (l->mdp->actions == 4) run(l, 4, steps);
    else if (l->mdp->actions == 6) run(l, 6, steps);
    else run(l, l->mdp->actions, steps);
}
