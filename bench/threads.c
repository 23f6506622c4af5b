/* threads.c -- when a second thread pays, and what it costs while another program has the core.
 *
 * For kernels of each kind and a training step, over sizes: one thread, all threads whatever the size,
 * and all threads as the kernels decide. Then the last two again beside a program that keeps one core
 * busy. The thresholds LIGHT and HEAVY (kernels/cpu/loops.h) and that of products are read off the
 * first table: from there on "forced" is the faster one.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/command.h"
#include "bench/report.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "kernels/cpu/team.h"
#include "kernels/kernels.h"

enum { MOST = 1 << 20 };

typedef struct Work Work;
typedef void Call(const Work *work);

// One kernel on n elements, or a product of n x n x n.
struct Work {
    const char *name;
    Call *call;
    size_t n;
    float *a, *b, *c, *d;
    void *trainer;
};

static void add(const Work *w)
{
    kernels.add(w->c, w->a, w->b, w->n);
}
static void exponential(const Work *w)
{
    kernels.exp(w->c, w->a, w->n);
}
static void sum_squares(const Work *w)
{
    kernels.sum_squares(w->c, w->a, w->n);
}
static void softmax(const Work *w)
{
    kernels.softmax_rows(w->c, w->a, (int)(w->n / 256), 256);
}
static void normal(const Work *w)
{
    kernels.random_normal(w->c, (Draw){1, 2}, w->n);
}
static void dropout(const Work *w)
{
    kernels.dropout(w->c, w->a, 0.5f, (Draw){1, 2}, 0.0f, w->n);
}
static void product(const Work *w)
{
    matmul(w->c, w->a, w->b, (int)w->n, (int)w->n, (int)w->n, 0.0f);
}

static void adam(const Work *w)
{
    Span span = {.end = w->n, .rate = 1};
    AdamStep step = {1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.001f};
    kernels.adam_step(w->c, w->d, w->a, w->b, NULL, &span, 1, w->n, step);
}

typedef struct Trainer {
    Tape *tape;
    Linear layer[2];
    Optimizer *adam;
    Tensor *x;
} Trainer;

// A small network, 64-n-64, batch 32: where a region is short, waiting costs the most.
static Trainer *trainer_new(Arena *keep, int hidden)
{
    Rng rng = rng_from_seed(1);
    Trainer *trainer = arena_alloc(keep, sizeof *trainer);
    Params *params = params_new(keep);
    float *x = arena_alloc(keep, sizeof *x * 32 * 64);
    rng_fill_uniform(&rng, x, 32 * 64);
    *trainer = (Trainer){.tape = tape_new(arena_new("step", 64u << 20)),
                         .layer = {linear_new(params, "0", 64, hidden, init_he, &rng),
                                   linear_new(params, "1", hidden, 64, init_glorot, &rng)},
                         .x = tensor_from(keep, SHAPE(32, 64), x)};
    trainer->adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-4f}});
    return trainer;
}

static void train(const Work *work)
{
    Trainer *t = work->trainer;
    Tensor *h = op_linear_relu(t->tape, t->x, t->layer[0].weight, t->layer[0].bias);
    Tensor *loss = loss_mse(t->tape, linear_forward(t->tape, &t->layer[1], h), t->x);
    tape_backward(t->tape, loss);
    optimizer_step(t->adam);
    tape_reset(t->tape);
}

// One way of running it.
typedef struct Way {
    const Work *work;
    int threads;
    double scale;    // of the thresholds: 0 forces the threads
} Way;

static double run(void *work, long calls, Error *err)
{
    (void)err;
    const Way *way = work;
    bench_threads(way->threads);
    team_scale(way->scale);
    double start = bench_now();
    for (long i = 0; i < calls; i++) way->work->call(way->work);
    double seconds = bench_now() - start;
    team_scale(1);
    return seconds;
}

static bool measure(const Work *work, int threads, bool beside, Plan plan, BenchReport *report,
                    Error *err)
{
    Way ways[] = {{work, 1, 1}, {work, threads, 1}, {work, threads, 0}};
    Contender contenders[] = {
        {"one thread", run, &ways[0]}, {"as decided", run, &ways[1]}, {"forced", run, &ways[2]}};
    Timing timings[3];
    if (!bench_compare(contenders, 3, plan, timings, err)) return false;
    printf("%-12s %8zu %11.2f %11.2f %11.2f", work->name, work->n, 1e6 * timings[0].seconds.median,
           1e6 * timings[1].seconds.median, 1e6 * timings[2].seconds.median);
    // ratio is the first one's speed over each: how many times as fast as one thread is the inverse.
    printf(" %10.2f %7.2f%s\n", 1 / timings[1].ratio.median, 1 / timings[2].ratio.median,
           beside && 1 / timings[1].ratio.median < 0.5 ? "  < half of one thread" : "");
    fflush(stdout);
    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "kernel", work->name);
    cJSON_AddNumberToObject(row, "n", (double)work->n);
    cJSON_AddNumberToObject(row, "threads", threads);
    cJSON_AddBoolToObject(row, "beside_a_busy_program", beside);
    for (int i = 0; i < 3; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_all(Arena *keep, int threads, bool beside, const Command *command,
                        BenchReport *report, Error *err)
{
    static const size_t products[] = {16, 32, 48, 64, 96, 128, 192, 256},
                        hidden[] = {16, 64, 256, 1024};
    static const struct {
        const char *name;
        Call *call;
        size_t least;
    } kinds[] = {
        {"add", add, 4096},         {"sum_squares", sum_squares, 4096}, {"adam_step", adam, 1024},
        {"exp", exponential, 1024}, {"softmax_rows", softmax, 1024},    {"normal", normal, 1024},
        {"dropout", dropout, 1024}};
    Work work = {.a = arena_alloc(keep, MOST * sizeof(float)),
                 .b = arena_alloc(keep, MOST * sizeof(float)),
                 .c = arena_alloc(keep, MOST * sizeof(float)),
                 .d = arena_alloc(keep, MOST * sizeof(float))};
    Rng rng = rng_from_seed(1);
    rng_fill_uniform(&rng, work.a, MOST);
    rng_fill_uniform(&rng, work.b, MOST);
    rng_fill_uniform(&rng, work.c, MOST);
    rng_fill_uniform(&rng, work.d, MOST);
    // A competitor is put aside and fetched back in milliseconds: a sample must be longer than that.
    Plan plan = command->quick ? BENCH_QUICK
                : beside       ? (Plan){.rounds = 9, .seconds = 1.5, .sample_seconds = 50e-3}
                               : command->plan;
    printf("\n%s%d threads, microseconds\n%-12s %8s %11s %11s %11s %10s %7s\n",
           beside ? "Beside a program that keeps one core busy, " : "", threads, "", "n",
           "one thread", "as decided", "forced", "decided/1", "forced/1");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t n = kinds[k].least; n <= (command->quick ? kinds[k].least : MOST);
             n *= beside ? 16 : 2) {
            work.name = kinds[k].name, work.call = kinds[k].call, work.n = n;
            if (!measure(&work, threads, beside, plan, report, err)) return false;
        }
    for (size_t i = 0; i < (command->quick ? 1 : sizeof products / sizeof *products); i++) {
        work.name = "matmul", work.call = product, work.n = products[i];
        if (!measure(&work, threads, beside, plan, report, err)) return false;
    }
    for (size_t i = 0; i < (command->quick ? 1 : sizeof hidden / sizeof *hidden); i++) {
        work.name = "training", work.call = train, work.n = hidden[i],
        work.trainer = trainer_new(keep, (int)hidden[i]);
        if (!measure(&work, threads, beside, plan, report, err)) return false;
    }
    return true;
}

// A child that computes until it is ended, and dies with us at the latest after ten minutes.
static pid_t start_competitor(void)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(600);
        for (volatile double x = 1;; x = x * 1.0000001 + 1e-9) {}
    }
    return child;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 512u << 20);
    Options *options =
        command_options(keep, &command, "threads",
                        "When a second thread pays, and what it costs beside a busy program.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "threads", "");
    bool ok = true;
    for (int i = 0; i < command.thread_counts && ok; i++) {
        if (command.threads[i] == 1) continue;
        ok = measure_all(keep, command.threads[i], false, &command, report, &err);
        pid_t child = ok ? start_competitor() : -1;
        ok = ok && measure_all(keep, command.threads[i], true, &command, report, &err);
        if (child > 0) kill(child, SIGKILL), waitpid(child, NULL, 0);
    }
    if (!ok || !bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
