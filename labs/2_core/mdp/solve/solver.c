#include "labs/2_core/mdp/solve/solver.h"
#include <math.h>
#include "kernels/device.h"
#include "labs/2_core/mdp/mdp.h"
#include "labs/2_core/mdp/solve/sweeper.h"

enum {
    LARGE = 1000000,        // outcomes from which on single precision goes first
    LEAST_SWEEPS = 20000    // that are allowed
};

// mdp_tied(), but no action of a terminal state is.
static bool ties(double value, double best)
{
    return best > -INFINITY && mdp_tied(value, best);
}

void solver_actions(const Mdp *mdp, const double *values, double *action_values, double *policy)
{
    for (int s = 0; s < mdp->states; s++) {
        size_t row = (size_t)s * (size_t)mdp->actions;
        double most = -INFINITY;
        for (int a = 0; a < mdp->actions; a++) {
            double q = 0;
            for (int i = mdp->first[row + (size_t)a]; i < mdp->first[row + (size_t)a + 1]; i++) {
                const Transition *t = &mdp->outcomes[i];
                double after = mdp->terminal[t->next] ? 0 : values[t->next];
                q += t->probability * (t->reward + mdp->discount * after);
            }
            bool acts = !mdp->terminal[s] && mdp_allowed(mdp, s, a);
            action_values[row + (size_t)a] = acts ? q : -INFINITY;
            if (acts && q > most) most = q;
        }
        int tied = 0;
        for (int a = 0; a < mdp->actions; a++) tied += ties(action_values[row + (size_t)a], most);
        for (int a = 0; a < mdp->actions; a++)
            policy[row + (size_t)a] = ties(action_values[row + (size_t)a], most) ? 1.0 / tied : 0;
    }
}

// ---- until it has converged ----

// So that a sum that grows without end is reported within seconds.
static long most_sweeps(const Mdp *mdp)
{
    double outcomes = mdp->first[(size_t)mdp->states * (size_t)mdp->actions] + mdp->states;
    return (long)fmax(LEAST_SWEEPS, fmin(1e7, 4e9 / outcomes));
}

static double largest_of(const double *values, int count)
{
    double largest = 1e-300;
    for (int s = 0; s < count; s++) largest = fmax(largest, fabs(values[s]));
    return largest;
}

// Below this a sweep's change is the end, where the largest value has this size: four units in the last place; with a
// discount, less accuracy is never asked for than 1e-12.
static double least_change(const Mdp *mdp, double largest)
{
    const double rate = mdp->discount / (1 - mdp->discount);
    return fmax(1e-15 * largest, mdp->discount < 1 ? 1e-12 * largest / rate : 0);
}

// Until a sweep changes less than a millionth, which is about what a float can tell.
static bool sweep_roughly(Optimum *o, const Sweeper *sweeper, int states, Arena *arena,
                          SolverStop *stop, void *context)
{
    ArenaMark mark = arena_mark(arena);
    float *from = sweeper_values_float(arena, sweeper), *to = sweeper_values_float(arena, sweeper);
    bool go_on = true;
    for (double least = 0; go_on && o->sweeps < 10000;
         least = 1e-6 * largest_of(o->values, states)) {
        if (o->sweeps > 0 && o->change <= least) break;
        o->change = sweeper_sweep_float(sweeper, to, from);
        float *spare = from;
        from = to;
        to = spare;
        o->sweeps++;
        for (int s = 0; s < states; s++) o->values[s] = (double)from[s];
        if (stop != NULL) go_on = !stop(context, o->sweeps, o->change);
    }
    arena_rewind(arena, mark);
    return go_on;
}

// Changes of values at sweeps each of which is twice the one before, or later.
typedef struct Pace {
    long sweeps[2];
    double changes[2];
} Pace;

// Whether it is time for a look.
static bool pace_is_due(const Pace *pace, long sweep)
{
    return sweep >= 2 * pace->sweeps[1];
}

static bool pace_note(Pace *pace, long sweep, double change)
{
    if (!pace_is_due(pace, sweep)) return false;
    *pace = (Pace){{pace->sweeps[1], sweep}, {pace->changes[1], change}};
    return true;
}

// Changes shrink like exp(-pace sweeps); 0: they do not, but for their rounding.
static double pace_of(const Pace *pace, long sweep, double change)
{
    const double noise = 1e-13;
    if (pace->sweeps[0] == 0) return 0;
    double rate = log(pace->changes[0] / change) / (double)(sweep - pace->sweeps[0]);
    return rate > noise ? rate : 0;
}

Optimum solver_optimum(Arena *arena, const Mdp *mdp, SolverStop *stop, void *context)
{
    size_t rows = (size_t)mdp->states * (size_t)mdp->actions;
    Sweeper *sweeper = sweeper_new(arena, mdp);
    Optimum o = {.values = sweeper_values(arena, sweeper),
                 .action_values = arena_alloc(arena, rows * sizeof(double)),
                 .policy = arena_alloc(arena, rows * sizeof(double))};
    double *next = sweeper_values(arena, sweeper);
    double rate = mdp->discount / (1 - mdp->discount);
    long most = most_sweeps(mdp);
    // Single precision would be the host's.
    bool go_on = mdp->first[rows] < LARGE || !device_is_host() ||
                 sweep_roughly(&o, sweeper, mdp->states, arena, stop, context);
    Pace pace = {{0}, {0}};
    double at_most = largest_of(o.values, mdp->states);    // of the values' sizes
    while (go_on && !o.converged && o.sweeps < most) {
        o.change = sweeper_sweep(sweeper, next, o.values);
        double *spare = o.values;
        o.values = next;
        next = spare;
        o.sweeps++;
        at_most = (at_most + o.change) * (1 + 1e-15);
        // Values leave a device where this can be the end, and for the looks at the pace.
        if (o.change <= least_change(mdp, at_most) || pace_is_due(&pace, o.sweeps)) {
            sweeper_fetch(sweeper, o.values);
            at_most = largest_of(o.values, mdp->states);
            double least = least_change(mdp, at_most);
            o.converged = o.change <= least;
            if (pace_note(&pace, o.sweeps, o.change) && o.sweeps > LEAST_SWEEPS && !o.converged) {
                double shrinks = pace_of(&pace, o.sweeps, o.change);
                if (shrinks == 0 && o.sweeps / 4 > mdp->states)
                    break;    // no way to an end is that long
                if (shrinks > 0 && log(o.change / least) / shrinks > (double)most) break;
            }
        }
        if (stop != NULL) go_on = !stop(context, o.sweeps, o.change);
    }
    sweeper_fetch(sweeper, o.values);
    double change = fmax(o.change, 0x1p-53 * largest_of(o.values, mdp->states));    // as rounded
    o.pace = pace_of(&pace, o.sweeps, change);
    o.bound = mdp->discount < 1 ? rate * change : o.pace > 0 ? change / expm1(o.pace) : INFINITY;
    solver_actions(mdp, o.values, o.action_values, o.policy);
    return o;
}
