/* solver.h -- the optimal values of a model of any size, by value iteration.
 *
 *     Optimum best = solver_optimum(arena, &world->mdp, stop, context);
 *
 * The exercises say the same in plain loops; this is what `--solve` uses, with the sweeps of sweeper.h.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

typedef struct Optimum {
    double *values;           // [states]
    double *action_values;    // [states,actions]; -infinity where it is not allowed
    double *policy;           // [states,actions]: the best actions within rounding, each as likely
    long sweeps;
    double change;    // of the last sweep
    double pace;      // changes shrink like exp(-pace sweeps); 0: they do not
    // On the error of a value; with a discount of 1, where there is none, what the changes at this pace
    // add up to; infinity when they do not shrink.
    double bound;
    bool converged;
} Optimum;

// Sweeps from values of 0 until rounding hides what changes, or until it is clear that this would take
// too many; a large model first in single precision.
// `stop` is asked after each sweep whether to end early; NULL for none.
typedef bool SolverStop(void *context, long sweep, double change);
Optimum solver_optimum(Arena *arena, const Mdp *mdp, SolverStop *stop, void *context);

// The action values of these values, and the greedy policy.
void solver_actions(const Mdp *mdp, const double *values, double *action_values, double *policy);
