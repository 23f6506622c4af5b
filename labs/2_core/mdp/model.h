/* model.h -- a finite Markov decision process as tables, in compressed rows.
 *
 *     // From state 0, action 0 leads to state 1 or back to 0, and action 1 straight to the end.
 *     const Transition outcomes[] = {{1, 0.9, -1}, {0, 0.1, -1}, {2, 1, -3}, {2, 1, 0}};
 *     const int first[] = {0, 2, 3, 4, 4, 4, 4};    // action 1 is not allowed in state 1
 *     const bool terminal[] = {false, false, true};
 *     Mdp mdp = {.states = 3, .actions = 2, .first = first, .outcomes = outcomes,
 *                .terminal = terminal, .discount = 0.9};
 *
 * The arrays are borrowed. A policy is an array of probabilities [states,actions], action values
 * are [states,actions], both row-major: q[s * actions + a].
 * Sutton & Barto 2018, Reinforcement Learning: An Introduction, chapter 3.
 */
#pragma once
#include <stdbool.h>
#include "common/rng.h"

// One outcome of an action.
typedef struct Transition {
    int next;                      // the state that follows
    double probability, reward;    // the reward is received on arrival in `next`
} Transition;

typedef struct Mdp {
    int states, actions;    // every state has the same actions, numbered 0..actions-1
    // [states*actions+1]: the outcomes of (s,a) are first[s*actions+a] .. first[s*actions+a+1]-1;
    // where there are none, the action is not allowed in s. A state that is not terminal allows one.
    const int *first;
    const Transition *outcomes;    // the probabilities of one (s,a) sum to 1
    const bool *terminal;    // [states]: value 0, nothing follows, whatever outcomes are listed
    double discount;         // gamma, 0..1
} Mdp;

static inline bool mdp_allowed(const Mdp *mdp, int state, int action)
{
    const int *row = mdp->first + (size_t)state * (size_t)mdp->actions + action;
    return row[0] < row[1];
}

// Takes an action that is allowed: returns the next state, and writes the reward. The random numbers
// of a run are part of its contract: one rng_uniform() for each step with more than one outcome, none
// for a step with one. The outcome is the first at which the running sum of the probabilities exceeds
// the number, and the last one where rounding leaves none.
static inline int mdp_step(const Mdp *mdp, int state, int action, Rng *rng, double *reward)
{
    const int *row = mdp->first + (size_t)state * (size_t)mdp->actions + action;
    int i = row[0], last = row[1] - 1;
    if (i < last) {
        double u = (double)rng_uniform(rng), sum = mdp->outcomes[i].probability;
        while (i < last && u >= sum) sum += mdp->outcomes[++i].probability;
    }
    *reward = mdp->outcomes[i].reward;
    return mdp->outcomes[i].next;
}
