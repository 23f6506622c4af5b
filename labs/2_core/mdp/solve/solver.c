#include "labs/2_core/mdp/solve/solver.h"
#include <math.h>
#include "labs/2_core/mdp/mdp.h"

// Only pairs of a state and an action that is allowed; rewards are expected ones, and probabilities are
// multiplied by the discount.
struct Sweeper {
    int states;
    size_t bytes;
    int *pairs;        // [states+1]: the pairs of s are pairs[s] .. pairs[s+1]-1; terminal: none
    int *first;        // [pairs+1]
    double *reward;    // [pairs]
    int *next;         // [outcomes]
    double *weight;    // [outcomes]
};

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp)
{
    size_t states = (size_t)mdp->states, rows = states * (size_t)mdp->actions;
    size_t outcomes = (size_t)mdp->first[rows];
    Sweeper *p = arena_alloc(arena, sizeof *p);
    *p = (Sweeper){.states = mdp->states,
                   .pairs = arena_alloc(arena, (states + 1) * sizeof *p->pairs),
                   .first = arena_alloc(arena, (rows + 1) * sizeof *p->first),
                   .reward = arena_alloc(arena, rows * sizeof *p->reward),
                   .next = arena_alloc(arena, (outcomes + 1) * sizeof *p->next),
                   .weight = arena_alloc(arena, (outcomes + 1) * sizeof *p->weight)};
    int pair = 0, to = 0;
    for (int s = 0; s < mdp->states; s++) {
        p->pairs[s] = pair;
        for (int a = 0; a < mdp->actions && !mdp->terminal[s]; a++) {
            if (!mdp_allowed(mdp, s, a)) continue;
            const int *row = mdp->first + (size_t)s * (size_t)mdp->actions + a;
            double reward = 0;
            p->first[pair] = to;
            for (int i = row[0]; i < row[1]; i++) {
                const Transition *t = &mdp->outcomes[i];
                reward += t->probability * t->reward;
                if (mdp->terminal[t->next]) continue;    // its value is 0
                p->next[to] = t->next;
                p->weight[to++] = mdp->discount * t->probability;
            }
            p->reward[pair++] = reward;
        }
    }
    p->pairs[states] = pair;
    p->first[pair] = to;
    p->bytes = (size_t)to * (sizeof *p->next + sizeof *p->weight) +
               (size_t)pair * (sizeof *p->first + sizeof *p->reward) +
               states * (sizeof *p->pairs + 2 * sizeof(double));
    return p;
}

size_t sweeper_bytes(const Sweeper *sweeper)
{
    return sweeper->bytes;
}

double sweeper_sweep(const Sweeper *p, double *to, const double *from)
{
    double change = 0;
#pragma omp parallel for reduction(max : change) schedule(static) if (p->states > 2000)
    for (int s = 0; s < p->states; s++) {
        double best = p->pairs[s] < p->pairs[s + 1] ? -INFINITY : 0;
        for (int pair = p->pairs[s]; pair < p->pairs[s + 1]; pair++) {
            double q = p->reward[pair];
            for (int i = p->first[pair]; i < p->first[pair + 1]; i++)
                q += p->weight[i] * from[p->next[i]];
            best = q > best ? q : best;
        }
        change = fmax(change, fabs(best - from[s]));
        to[s] = best;
    }
    return change;
}

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

// So that a sum that grows without end is told within seconds.
static long most_sweeps(const Mdp *mdp)
{
    double outcomes = mdp->first[(size_t)mdp->states * (size_t)mdp->actions] + mdp->states;
    return (long)fmax(20000, fmin(1e7, 4e9 / outcomes));
}

Optimum solver_optimum(Arena *arena, const Mdp *mdp, SolverStop *stop, void *context)
{
    size_t n = (size_t)mdp->states, rows = n * (size_t)mdp->actions;
    Optimum o = {.values = arena_zeros(arena, n * sizeof(double)),
                 .action_values = arena_alloc(arena, rows * sizeof(double)),
                 .policy = arena_alloc(arena, rows * sizeof(double))};
    double *next = arena_alloc(arena, n * sizeof(double));
    const Sweeper *sweeper = sweeper_new(arena, mdp);
    double rate = mdp->discount / (1 - mdp->discount);
    long most = most_sweeps(mdp);
    for (bool go_on = true; go_on && !o.converged && o.sweeps < most;) {
        o.change = sweeper_sweep(sweeper, next, o.values);
        double *spare = o.values, largest = 1e-300;
        o.values = next;
        next = spare;
        o.sweeps++;
        for (size_t s = 0; s < n; s++) largest = fmax(largest, fabs(o.values[s]));
        // Four units in the last place; with a discount, less accuracy is never asked for than 1e-12.
        o.converged =
            o.change <= fmax(1e-15 * largest, mdp->discount < 1 ? 1e-12 * largest / rate : 0);
        if (stop != NULL) go_on = !stop(context, o.sweeps, o.values, o.change);
    }
    o.bound = mdp->discount < 1 ? rate * o.change : INFINITY;
    solver_actions(mdp, o.values, o.action_values, o.policy);
    return o;
}
