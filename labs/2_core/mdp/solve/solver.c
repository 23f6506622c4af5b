#include "labs/2_core/mdp/solve/solver.h"
#include <math.h>
#include <sys/mman.h>
#include "labs/2_core/mdp/mdp.h"

enum {
    LARGE = 1000000,    // outcomes from which on single precision goes first
    FAR = 100000,       // states from which on their values leave a core's own cache
    AHEAD = 64          // outcomes: how far ahead a value is asked for, as long as memory takes
};

// Weights are probabilities times the discount.
typedef struct Successor {
    int next;
    float weight;
} Successor;

// Only pairs of a state and an action that is allowed; rewards are expected ones.
struct Sweeper {
    int states;
    int *pairs;        // [states+1]: the pairs of s are pairs[s] .. pairs[s+1]-1; terminal: none
    int *first;        // [pairs+1]
    double *reward;    // [pairs]
    float *reward_float;
    double *weight;           // [outcomes]
    Successor *successors;    // [outcomes], and AHEAD more
};

// Pages of 2 MiB where the system has them: a random access then finds its page at once.
static void *large_pages(Arena *arena, size_t bytes)
{
    enum { PAGE = 2 << 20 };
    char *start = arena_alloc(arena, bytes + 1);
    size_t before = -(uintptr_t)start & (PAGE - 1);
#ifdef MADV_HUGEPAGE
    if (bytes > before + PAGE)
        madvise(start + before, (bytes - before) & ~(size_t)(PAGE - 1), MADV_HUGEPAGE);
#endif
    return start;
}

Sweeper *sweeper_new(Arena *arena, const Mdp *mdp)
{
    size_t states = (size_t)mdp->states, rows = states * (size_t)mdp->actions;
    size_t outcomes = (size_t)mdp->first[rows] + AHEAD;
    Sweeper *p = arena_alloc(arena, sizeof *p);
    *p = (Sweeper){.states = mdp->states,
                   .pairs = arena_alloc(arena, (states + 1) * sizeof *p->pairs),
                   .first = arena_alloc(arena, (rows + 1) * sizeof *p->first),
                   .reward = arena_alloc(arena, rows * sizeof *p->reward),
                   .reward_float = arena_alloc(arena, rows * sizeof *p->reward_float),
                   .weight = large_pages(arena, outcomes * sizeof *p->weight),
                   .successors = large_pages(arena, outcomes * sizeof *p->successors)};
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
                p->weight[to] = mdp->discount * t->probability;
                p->successors[to++] = (Successor){t->next, (float)(mdp->discount * t->probability)};
            }
            p->reward_float[pair] = (float)reward;
            p->reward[pair++] = reward;
        }
    }
    p->pairs[states] = pair;
    p->first[pair] = to;
    for (int i = 0; i < AHEAD; i++) p->successors[to + i] = (Successor){0, 0};
    return p;
}

static size_t bytes_of(const Sweeper *p, size_t number)
{
    size_t pairs = (size_t)p->pairs[p->states], outcomes = (size_t)p->first[pairs];
    return outcomes * (sizeof(int) + number) + pairs * (sizeof(int) + number) +
           (size_t)p->states * (sizeof(int) + 2 * number);
}

size_t sweeper_bytes(const Sweeper *p)
{
    return bytes_of(p, sizeof(double)) + (size_t)p->first[p->pairs[p->states]] * sizeof(float);
}

size_t sweeper_bytes_float(const Sweeper *p)
{
    return bytes_of(p, sizeof(float));
}

double sweeper_sweep(const Sweeper *p, double *to, const double *from)
{
    double change = 0;
#pragma omp parallel for reduction(max : change) schedule(dynamic, 256) if (p->states > 2000)
    for (int s = 0; s < p->states; s++) {
        double best = p->pairs[s] < p->pairs[s + 1] ? -INFINITY : 0;
        for (int pair = p->pairs[s]; pair < p->pairs[s + 1]; pair++) {
            double q = p->reward[pair];
            for (int i = p->first[pair]; i < p->first[pair + 1]; i++)
                q += p->weight[i] * from[p->successors[i].next];
            best = q > best ? q : best;
        }
        change = fmax(change, fabs(best - from[s]));
        to[s] = best;
    }
    return change;
}

// Four sums, so that an addition need not wait for the one before it. `far` is a constant.
static inline float backup(const Sweeper *p, const float *from, int pair, bool far)
{
    const Successor *t = p->successors + p->first[pair], *end = p->successors + p->first[pair + 1];
    float sum[4] = {p->reward_float[pair]};
    for (; t + 3 < end; t += 4)
        for (int i = 0; i < 4; i++) {
            if (far) __builtin_prefetch(&from[t[AHEAD + i].next]);
            sum[i] += t[i].weight * from[t[i].next];
        }
    if (t + 1 < end) {
        if (far) __builtin_prefetch(&from[t[AHEAD].next]);
        if (far) __builtin_prefetch(&from[t[AHEAD + 1].next]);
        sum[0] += t[0].weight * from[t[0].next];
        sum[1] += t[1].weight * from[t[1].next];
        t += 2;
    }
    if (t < end) sum[2] += t->weight * from[t->next];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static inline double sweep_float(const Sweeper *p, float *to, const float *from, bool far)
{
    float change = 0;
#pragma omp parallel for reduction(max : change) schedule(dynamic, 256) if (p->states > 2000)
    for (int s = 0; s < p->states; s++) {
        float best = p->pairs[s] < p->pairs[s + 1] ? -INFINITY : 0;
        for (int pair = p->pairs[s]; pair < p->pairs[s + 1]; pair++) {
            float q = backup(p, from, pair, far);
            best = q > best ? q : best;
        }
        change = fmaxf(change, fabsf(best - from[s]));
        to[s] = best;
    }
    return (double)change;
}

double sweeper_sweep_float(const Sweeper *p, float *to, const float *from)
{
    return p->states < FAR ? sweep_float(p, to, from, false) : sweep_float(p, to, from, true);
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

// ---- until it has converged ----

// So that a sum that grows without end is reported within seconds.
static long most_sweeps(const Mdp *mdp)
{
    double outcomes = mdp->first[(size_t)mdp->states * (size_t)mdp->actions] + mdp->states;
    return (long)fmax(20000, fmin(1e7, 4e9 / outcomes));
}

static double largest_of(const double *values, int count)
{
    double largest = 1e-300;
    for (int s = 0; s < count; s++) largest = fmax(largest, fabs(values[s]));
    return largest;
}

// Until a sweep changes less than a millionth, which is about what a float can tell.
static bool sweep_roughly(Optimum *o, const Sweeper *sweeper, Arena *arena, SolverStop *stop,
                          void *context)
{
    size_t n = (size_t)sweeper->states;
    ArenaMark mark = arena_mark(arena);
    float *from = large_pages(arena, n * sizeof *from), *to = large_pages(arena, n * sizeof *to);
    bool go_on = true;
    for (size_t s = 0; s < n; s++) from[s] = 0;
    for (double least = 0; go_on && o->sweeps < 10000;
         least = 1e-6 * largest_of(o->values, sweeper->states)) {
        if (o->sweeps > 0 && o->change <= least) break;
        o->change = sweeper_sweep_float(sweeper, to, from);
        float *spare = from;
        from = to;
        to = spare;
        o->sweeps++;
        for (size_t s = 0; s < n; s++) o->values[s] = (double)from[s];
        if (stop != NULL) go_on = !stop(context, o->sweeps, o->change);
    }
    arena_rewind(arena, mark);
    return go_on;
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
    bool go_on = mdp->first[rows] < LARGE || sweep_roughly(&o, sweeper, arena, stop, context);
    while (go_on && !o.converged && o.sweeps < most) {
        o.change = sweeper_sweep(sweeper, next, o.values);
        double *spare = o.values;
        o.values = next;
        next = spare;
        o.sweeps++;
        // Four units in the last place; with a discount, less accuracy is never asked for than 1e-12.
        double largest = largest_of(o.values, mdp->states);
        o.converged =
            o.change <= fmax(1e-15 * largest, mdp->discount < 1 ? 1e-12 * largest / rate : 0);
        if (stop != NULL) go_on = !stop(context, o.sweeps, o.change);
    }
    o.bound = mdp->discount < 1 ? rate * o.change : INFINITY;
    solver_actions(mdp, o.values, o.action_values, o.policy);
    return o;
}
