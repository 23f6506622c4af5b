/* qlearn.h -- Q-learning at full speed: several independent runs side by side on one core.
 *
 *     Learners learners = learners_new(arena, &world->mdp, start, 0.5, 0.1, seed);
 *     learners_step(&learners, 1000000);      // a million steps of each run
 *     const double *q = learners.q[0];        // [states,actions] of the first
 *
 * A step waits for the one before it, so that one run leaves most of a core idle; LEARNERS runs fill it.
 * The values are those of the exercises, mdp_epsilon_greedy(), mdp_step() and mdp_q_learning() in turn,
 * to the bit. Episodes begin at `start` and are never cut off.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

enum { LEARNERS = 8, LEARNERS_MAX_ACTIONS = 8 };

// A pair of a state and an action: what it leads to, with the outcome's number where there are more.
typedef struct Pair {
    int next, more;    // more: outcomes after the first; the first is at `first`
    int first;
    double reward;
} Pair;

typedef struct Learners {
    const Mdp *mdp;
    const Pair *pairs;      // [states,actions]
    const double *limit;    // [outcomes]: the running sum of the probabilities in its row
    int start;
    double step, epsilon;
    double *q[LEARNERS];    // [states,actions]: 0, and -infinity where an action is not allowed
    int state[LEARNERS];
    Rng rng[LEARNERS];    // stream i of the seed
} Learners;

// At most LEARNERS_MAX_ACTIONS actions.
Learners learners_new(Arena *arena, const Mdp *mdp, int start, double step, double epsilon,
                      uint64_t seed);
void learners_step(Learners *learners, long steps);
