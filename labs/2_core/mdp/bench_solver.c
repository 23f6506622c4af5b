/* bench_solver.c -- sweeps of value iteration beside the memory's bandwidth, and steps of Q-learning.
 *
 *     ./lab bench mdp_solver --peers        beside SciPy, plain Python and Gymnasium (LAB_PYTHON names a Python)
 *
 * 1. Synchronous sweeps over random sparse models, 8 actions of 10 successors each: the solver in single
 * and double precision, the plain loop over three arrays, the exercise. A sweep in single precision is
 * no answer in double: the solver ends with some of those. 2. Q-learning, epsilon 0.1, on one core:
 * LEARNERS runs side by side, and the exercise's loop.
 */
#include <math.h>
#include <stdio.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "labs/2_core/mdp/mdp.h"
#include "labs/2_core/mdp/solve/qlearn.h"
#include "labs/2_core/mdp/solve/sweeper.h"
#include "labs/2_core/mdp/worlds/world.h"

enum { ACTIONS = 8, SUCCESSORS = 10, SMALL = 10000, BIG = 1000000, STEPS = 8000, CUT = 1000 };

typedef struct Work Work;
typedef void Call(Work *work);

struct Work {
    Call *call;
    const World *world;
    Sweeper *sweeper;
    // One row of the plain loop's arrays is SUCCESSORS long.
    int *next;
    double *probability, *reward;
    double *values, *other;
    float *values_float, *other_float;
    Learners learners;
    double *q, *row, *totals;
    Rng rng;
    Peer *peer;
    const char *request;
};

// ---- value iteration ----

static void swap_doubles(double **a, double **b)
{
    double *held = *a;
    *a = *b;
    *b = held;
}

static void sweep_double(Work *w)
{
    sweeper_sweep(w->sweeper, w->other, w->values);
    swap_doubles(&w->values, &w->other);
}

static void sweep_float(Work *w)
{
    sweeper_sweep_float(w->sweeper, w->other_float, w->values_float);
    float *held = w->values_float;
    w->values_float = w->other_float;
    w->other_float = held;
}

static void sweep_plain(Work *w)
{
    int states = w->world->mdp.states;
    double discount = w->world->mdp.discount;
#pragma omp parallel for schedule(dynamic, 256)
    for (int s = 0; s < states; s++) {
        double best = -INFINITY;
        for (int a = 0; a < ACTIONS; a++) {
            size_t row = (size_t)s * ACTIONS + (size_t)a;
            double sum = 0;
            for (size_t i = row * SUCCESSORS; i < (row + 1) * SUCCESSORS; i++)
                sum += w->probability[i] * w->values[w->next[i]];
            double q = w->reward[row] + discount * sum;
            best = q > best ? q : best;
        }
        w->other[s] = best;
    }
    swap_doubles(&w->values, &w->other);
}

static void sweep_exercise(Work *w)
{
    mdp_value_iteration(w->values, &w->world->mdp, 0, 1, w->other);
}

static void unpack(Arena *arena, Work *w)
{
    size_t rows = (size_t)w->world->mdp.states * ACTIONS, count = rows * SUCCESSORS;
    w->next = arena_alloc(arena, count * sizeof *w->next);
    w->probability = arena_alloc(arena, count * sizeof *w->probability);
    w->reward = arena_alloc(arena, rows * sizeof *w->reward);
    for (size_t i = 0; i < count; i++) {
        w->next[i] = w->world->mdp.outcomes[i].next;
        w->probability[i] = w->world->mdp.outcomes[i].probability;
    }
    for (size_t r = 0; r < rows; r++) w->reward[r] = w->world->mdp.outcomes[r * SUCCESSORS].reward;
}

// A copy with values of its own, which start at 0.
static Work *with(Arena *arena, const Work *shared, Call *call)
{
    Work *w = arena_alloc(arena, sizeof *w);
    *w = *shared;
    w->call = call;
    if (w->sweeper == NULL) return w;
    w->values = sweeper_values(arena, w->sweeper);
    w->other = sweeper_values(arena, w->sweeper);
    w->values_float = sweeper_values_float(arena, w->sweeper);
    w->other_float = sweeper_values_float(arena, w->sweeper);
    return w;
}

// ---- Q-learning ----

static void learn_fast(Work *w)
{
    learners_step(&w->learners, STEPS / LEARNERS);
}

// Episodes are cut off: on a world without an end that counts the steps.
static void learn_exercise(Work *w)
{
    MdpControl control = {MDP_Q_LEARNING, w->world->starts[0], CUT, 0.5, 0.1};
    mdp_control(w->q, NULL, w->totals, STEPS / CUT, &w->world->mdp, &control, w->row, &w->rng);
}

static void prepare_learning(Arena *arena, Work *w)
{
    const Mdp *mdp = &w->world->mdp;
    w->learners = learners_new(arena, mdp, w->world->starts[0], 0.5, 0.1, 1);
    w->q = arena_zeros(arena, (size_t)mdp->states * (size_t)mdp->actions * sizeof(double));
    w->row = arena_zeros(arena, (size_t)mdp->actions * sizeof(double));
    w->totals = arena_zeros(arena, STEPS / CUT * sizeof(double));
    w->rng = rng_from_seed(1);
}

// ---- measuring ----

static double run_ours(void *work, long calls, Error *err)
{
    (void)err;
    Work *w = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) w->call(w);
    return bench_now() - start;
}

static double run_peer(void *work, long calls, Error *err)
{
    const Work *w = work;
    return peer_ask(w->peer, err, "{%s, \"calls\": %ld}", w->request, calls);
}

typedef struct Bench {
    Arena *keep, *step;
    Command command;
    Peer *peer;
    BenchReport *report;
    Peak peak;
} Bench;

static bool compare(const Bench *b, const Contender *contenders, int count, const char *what,
                    Timing *timings, Error *err)
{
    Plan plan =
        b->command.quick ? BENCH_QUICK : (Plan){.rounds = 11, .seconds = 2, .sample_seconds = 0.02};
    if (!bench_compare(contenders, count, plan, timings, err)) return error_wrap(err, "%s", what);
    cJSON *row = bench_report_row(b->report);
    cJSON_AddStringToObject(row, "work", what);
    cJSON_AddNumberToObject(row, "threads", b->peak.threads);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static const char *noise(const Timing *timing)
{
    return bench_noisy(timing->seconds) || bench_noisy(timing->ratio) ? " ~" : "";
}

static int peer_contender(Bench *b, Contender *contenders, int count, const char *name,
                          const char *request)
{
    if (b->peer == NULL) return count;
    Work *w = arena_zeros(b->step, sizeof *w);
    w->peer = b->peer;
    w->request = request;
    contenders[count] = (Contender){name, run_peer, w};
    return count + 1;
}

static bool measure_sweeps(Bench *b, int states, Error *err)
{
    Work shared = {.world = world_random(b->step, states, ACTIONS, SUCCESSORS, 1)};
    shared.sweeper = sweeper_new(b->step, &shared.world->mdp);
    unpack(b->step, &shared);
    double bytes[BENCH_MAX_CONTENDERS] = {
        (double)sweeper_bytes_float(shared.sweeper), (double)sweeper_bytes(shared.sweeper),
        (double)states * (ACTIONS * (SUCCESSORS * 12.0 + 8) + 16)};
    Contender contenders[BENCH_MAX_CONTENDERS] = {
        {"solver, float32", run_ours, with(b->step, &shared, sweep_float)},
        {"solver, float64", run_ours, with(b->step, &shared, sweep_double)},
        {"plain C loop", run_ours, with(b->step, &shared, sweep_plain)}};
    int count = 3;
    if (states == SMALL)
        contenders[count++] =
            (Contender){"exercise", run_ours, with(b->step, &shared, sweep_exercise)};
    count = peer_contender(b, contenders, count, "SciPy CSR",
                           arena_print(b->step, "\"work\": \"sweep\", \"states\": %d", states));
    Timing timings[BENCH_MAX_CONTENDERS];
    const char *what = arena_print(b->step, "sweeps over %d states", states);
    if (!compare(b, contenders, count, what, timings, err)) return false;
    printf("\n%-38s %2s %10s %8s %10s %9s\n", what, "t", "sweeps/s", "GB/s", "of memory",
           "first/its");
    for (int i = 0; i < count; i++) {
        double seconds = timings[i].seconds.median, gbs = 1e-9 * bytes[i] / seconds;
        char rate[32] = "";
        if (bytes[i] > 0)
            snprintf(rate, sizeof rate, "%8.1f %9.0f%%", gbs, 100 * gbs / b->peak.read_gbs);
        printf("  %-36s %2d %10.4g %19s %9.2f%s\n", timings[i].name, b->peak.threads, 1 / seconds,
               rate, timings[i].ratio.median, noise(&timings[i]));
    }
    fflush(stdout);
    return true;
}

static bool measure_learning(Bench *b, Error *err)
{
    static const char *const names[] = {"cliff", "gridworld5", "maze",        "windy",
                                        "taxi",  "windy_king", "frozenlake4", "frozenlake8"};
    printf("\n%-38s %2s %16s %9s\n", "Q-learning on one core", "", "million steps/s", "first/its");
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        Work shared = {.world = world_named(b->step, names[n], NULL)};
        prepare_learning(b->step, &shared);
        Contender contenders[BENCH_MAX_CONTENDERS] = {
            {arena_print(b->step, "%s, %d runs", names[n], LEARNERS), run_ours,
             with(b->step, &shared, learn_fast)}};
        int count = 1;
        bool endless = n == 1;
        if (endless)
            contenders[count++] =
                (Contender){"exercise", run_ours, with(b->step, &shared, learn_exercise)};
        const char *steps = arena_print(b->step, "\"steps\": %d", STEPS);
        if (n == 0)
            count = peer_contender(b, contenders, count, "plain Python",
                                   arena_print(b->step, "\"work\": \"python\", %s", steps));
        if (n == 0)
            count = peer_contender(b, contenders, count, "Gymnasium, Python",
                                   arena_print(b->step, "\"work\": \"gymnasium\", %s", steps));
        Timing timings[BENCH_MAX_CONTENDERS];
        if (!compare(b, contenders, count, names[n], timings, err)) return false;
        for (int i = 0; i < count; i++)
            printf("  %-39s %16.4g %9.2f%s\n", timings[i].name,
                   1e-6 * STEPS / timings[i].seconds.median, timings[i].ratio.median,
                   noise(&timings[i]));
        fflush(stdout);
    }
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench b = {.keep = arena_new("keep", 64u << 20), .step = arena_new("step", (size_t)32 << 30)};
    Options *options = command_options(b.keep, &b.command, "mdp_solver",
                                       "Sweeps of value iteration, and steps of Q-learning.");
    if (!command_parse(b.keep, options, argc, argv, &b.command, &status)) return status;
    if (b.command.peers && (b.peer = peer_open(b.keep, "mdp.py", &err)) == NULL) puts(err.message);
    b.report = bench_report_new(b.keep, "mdp_solver", "no matrix products");
    if (b.peer != NULL) bench_report_peer(b.report, b.peer);
    bool measured = true;
    for (int i = 0; i < b.command.thread_counts && measured; i++) {
        bench_threads(b.command.threads[i]);
        b.peak = peak_measure(b.command.threads[i]);
        bench_report_peak(b.report, b.peak);
        measured = measure_sweeps(&b, SMALL, &err);
        arena_reset(b.step);
        if (measured && !b.command.quick) measured = measure_sweeps(&b, BIG, &err);
        arena_reset(b.step);
    }
    bench_threads(1);
    b.peak.threads = 1;
    if (measured) measured = measure_learning(&b, &err);
    if (!measured) return error_report(&err);
    puts("of memory: share of the bandwidth that is read; above 100% the table stays in the "
         "caches. ~ noisy");
    peer_close(b.peer);
    return bench_report_end(b.report, b.command.json, &err) ? 0 : error_report(&err);
}
