/* bench_engine.c -- what a gradient costs: node by node, by tensors, in forward mode, and by finite differences.
 *
 *     ./lab bench scalar_engine
 *
 * 1. The loss of 1 to 128 points under the 2-12-12-1 network of the moons, with the gradient of its
 * 205 weights: the scalar engine builds its graph, orders it and goes back; the tensor tape does the
 * same in 9 nodes. 2. The gradient of Rosenbrock's function of n numbers: backward, forward by dual
 * numbers, and by central differences of a plain C function.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/report.h"
#include "bench/rivals.h"
#include "kernels/kernels.h"
#include "labs/1_foundations/calculus/rosenbrock.h"
#include "labs/1_foundations/calculus/engine.h"
#include "labs/1_foundations/calculus/moons.h"

enum { POINTS = 128, INPUTS = 256, SIDES = 3 };

typedef struct Work {
    Arena *keep, *nodes, *tensors, *tape;
    Engine *engine;
    Moons moons;
    int chosen[POINTS];
    double weights[NET_WEIGHTS], at[INPUTS], gradient[INPUTS];
    int size;    // points or inputs
} Work;

static Work *work_new(Arena *keep)
{
    Work *work = arena_alloc(keep, sizeof *work);
    Rng rng = rng_from_seed(1);
    *work = (Work){.keep = keep,
                   .nodes = arena_new("nodes", 64u << 20),
                   .tensors = arena_new("tensors", 1u << 20),
                   .tape = arena_new("tape", 4u << 20),
                   .engine = engine_new(keep),
                   .moons = moons_draw(keep, POINTS, 0.15, &rng)};
    net_init(work->weights, &rng);
    for (int i = 0; i < POINTS; i++) work->chosen[i] = i;
    for (int i = 0; i < INPUTS; i++) work->at[i] = (double)rng_normal(&rng);
    return work;
}

// ---- a network ----

static void network_by_engine(Work *work)
{
    arena_reset(work->nodes);
    Value **weight = values_new(work->nodes, work->weights, NET_WEIGHTS);
    engine_gradient(work->engine,
                    net_loss(work->nodes, weight, &work->moons, work->chosen, work->size));
}

static void network_by_tape(Work *work)
{
    double gradient[NET_WEIGHTS];
    arena_reset(work->tensors);
    net_loss_tensors(work->tensors, work->tape, work->weights, &work->moons, work->chosen,
                     work->size, gradient);
}

// ---- Rosenbrock's function ----

static Value **rosenbrock_backward(Work *work)
{
    arena_reset(work->nodes);
    Value **x = values_new(work->nodes, work->at, work->size);
    engine_gradient(work->engine, rosenbrock_graph(work->nodes, x, work->size));
    return x;
}

static void rosenbrock_by_backward(Work *work)
{
    rosenbrock_backward(work);
}

// The graph and its order come with a pass backward, which is 1/n of this.
static void rosenbrock_by_forward(Work *work)
{
    Value **x = rosenbrock_backward(work);
    for (int i = 0; i < work->size; i++) work->gradient[i] = engine_forward(work->engine, x[i]);
}

static void rosenbrock_by_steps(Work *work)
{
    const double h = 1e-5;
    for (int i = 0; i < work->size; i++) {
        double here = work->at[i];
        work->at[i] = here + h;
        double right = rosenbrock_value(work->at, work->size, NULL);
        work->at[i] = here - h;
        work->gradient[i] = (right - rosenbrock_value(work->at, work->size, NULL)) / (2 * h);
        work->at[i] = here;
    }
}

// ---- the tables ----

typedef struct Side {
    const char *name;
    void (*gradient)(Work *work);
    Work *work;
} Side;

static double run_side(void *argument, long calls, Error *err)
{
    (void)err;
    const Side *side = argument;
    double start = bench_now();
    for (long i = 0; i < calls; i++) side->gradient(side->work);
    return bench_now() - start;
}

static bool measure(Work *work, int size, const Side *sides, int count, Plan plan,
                    BenchReport *report, Timing timings[], Error *err)
{
    Contender contenders[SIDES];
    Side own[SIDES];
    work->size = size;
    for (int i = 0; i < count; i++) {
        own[i] = sides[i];
        own[i].work = work;
        contenders[i] = (Contender){own[i].name, run_side, &own[i]};
    }
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    cJSON *row = bench_report_row(report);
    cJSON_AddNumberToObject(row, "size", size);
    cJSON_AddNumberToObject(row, "nodes", work->engine->count);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_network(Work *work, Plan plan, BenchReport *report, Error *err)
{
    static const Side sides[] = {{"scalar engine", network_by_engine, NULL},
                                 {"tensor tape", network_by_tape, NULL}};
    printf("\nGradient of a network's loss, 205 weights\n"
           "  points   nodes   scalar engine   million nodes/s   tensor tape   the tape is\n");
    for (int points = 1; points <= POINTS; points *= points < 8 ? 8 : 4) {
        Timing timing[SIDES];
        if (!measure(work, points, sides, 2, plan, report, timing, err)) return false;
        double engine = timing[0].seconds.median, tape = timing[1].seconds.median;
        printf("  %6d  %6d  %11.1f us  %16.1f  %9.1f us  %6.1f x faster%s\n", points,
               work->engine->count, 1e6 * engine, 1e-6 * work->engine->count / engine, 1e6 * tape,
               engine / tape, bench_noisy(timing[0].seconds) ? " ~" : "");
    }
    return true;
}

static bool measure_chain(Work *work, Plan plan, BenchReport *report, Error *err)
{
    static const Side sides[] = {{"backward", rosenbrock_by_backward, NULL},
                                 {"forward", rosenbrock_by_forward, NULL},
                                 {"differences", rosenbrock_by_steps, NULL}};
    printf("\nGradients per second of Rosenbrock's function of n numbers\n"
           "      n     backward      forward  differences in plain C\n");
    for (int n = 2; n <= INPUTS; n *= 2) {
        Timing timing[SIDES];
        if (!measure(work, n, sides, 3, plan, report, timing, err)) return false;
        printf("  %5d", n);
        for (int i = 0; i < SIDES; i++) printf("  %11.0f", 1 / timing[i].seconds.median);
        printf("%s\n", bench_noisy(timing[0].seconds) ? " ~" : "");
    }
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20);
    Options *options = command_options(keep, &command, "scalar_engine",
                                       "Gradients by single numbers, by tensors and by steps.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    Rival rivals[RIVAL_COUNT];
    rivals_open(keep, rivals);
    BenchReport *report = bench_report_new(keep, "scalar_engine", rivals_text(keep, rivals));
    Work *work = work_new(keep);
    bench_threads(1);    // all of it is small
    bench_report_peak(report, peak_measure(1));
    if (!measure_network(work, command.plan, report, &err) ||
        !measure_chain(work, command.plan, report, &err))
        return error_report(&err);
    puts("(~ noisy)");
    return bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
