/* qlearn.h -- Q-learning at full speed: several independent runs side by side on one core.
 *
 *     Learners learners = learners_new(arena, &world->mdp, start, 0.5, 0.1, seed);
 *     learners_step(&learners, 1000000);      // a million steps of each run
 *     const double *q = learners.q[0];        // [states,actions] of the first
 *
 * A step waits for the one before it, so that one run leaves most of a core idle; LEARNERS runs fill it,
 * and eight of them share a vector where the machine has AVX-512 and each of 4 actions one outcome.
 * The values are those of the exercises, mdp_epsilon_greedy(), mdp_step() and mdp_q_learning() in turn,
 * to the bit. Episodes begin at `start` and are never cut off.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

enum { LEARNERS = 16, LEARNERS_MAX_ACTIONS = 8 };

// A pair of a state and an action: its first outcome, and where there are more.
typedef struct Pair {
    int next, then;    // then: the state to go on from, the start after a terminal one
    double reward;
    int first, more;    // more: outcomes after the first; -1: the action is not allowed
} Pair;

typedef struct Learners {
    const Mdp *mdp;
    const Pair *pairs;      // [states,actions]
    const double *limit;    // [outcomes]: the running sum of the probabilities in its row
    int start;
    bool lanes;    // whether vectors can be used, learners_lanes()
    double step, epsilon;
    double *q[LEARNERS];    // [states,actions], one after another: 0, -infinity: not allowed
    int state[LEARNERS];
    Rng rng[LEARNERS];    // stream i of the seed
} Learners;

// At most LEARNERS_MAX_ACTIONS actions.
Learners learners_new(Arena *arena, const Mdp *mdp, int start, double step, double epsilon,
                      uint64_t seed);
void learners_step(Learners *learners, long steps);

// In vectors; only where learners_lanes().
bool learners_lanes(const Mdp *mdp);
void learners_step_lanes(Learners *learners, long steps);
