/* solver.h -- value iteration for models of any size, in a form that streams through memory.
 *
 *     Sweeper *sweeper = sweeper_new(arena, &world->mdp);      // packs the table
 *     double change = sweeper_sweep(sweeper, values, before);  // one synchronous sweep
 *     Optimum best = solver_optimum(arena, &world->mdp, stop, context);
 *
 * The exercises say the same in plain loops; this is what `--solve` uses. Sweeps run on all threads, and
 * the values do not depend on how many there are.
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/mdp/model.h"

typedef struct Sweeper Sweeper;

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp);

// to[s] = max_a sum p (r + discount from[next]); from and to differ. Returns max |to - from|.
double sweeper_sweep(const Sweeper *p, double *to, const double *from);
// The same in single precision, which reads two thirds of the bytes: for the first sweeps.
double sweeper_sweep_float(const Sweeper *p, float *to, const float *from);

// Bytes that a sweep reads and writes: the table once, the values once.
size_t sweeper_bytes(const Sweeper *p);
size_t sweeper_bytes_float(const Sweeper *p);

typedef struct Optimum {
    double *values;           // [states]
    double *action_values;    // [states,actions]; -infinity where it is not allowed
    double *policy;           // [states,actions]: the best actions within rounding, each as likely
    long sweeps;
    double change;    // of the last sweep
    double bound;     // on the error of a value; infinity with a discount of 1
    bool converged;
} Optimum;

// Sweeps from values of 0 until rounding hides what changes; a large model first in single precision.
// `stop` is asked after each sweep whether to end early; NULL for none.
typedef bool SolverStop(void *context, long sweep, double change);
Optimum solver_optimum(Arena *arena, const Mdp *mdp, SolverStop *stop, void *context);

// The action values of these values, and the greedy policy.
void solver_actions(const Mdp *mdp, const double *values, double *action_values, double *policy);
