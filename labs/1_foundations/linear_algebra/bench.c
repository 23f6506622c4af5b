/* bench.c -- the ladder of matrix products, and the factorisations beside LAPACK's.
 *
 *     ./lab bench linear_algebra --mine
 *
 * All in double: the peak is half of that which is measured in float, since a register holds half as
 * many. Each rung does the same multiplications; the definition only up to a size that it is able to.
 */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/report.h"
#include "bench/solutions.h"
#include "common/rng.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"

enum { LARGEST = 2048, DEFINITION_MAX = 512, CONTENDERS = 5 };

// What one call works on: matrices of n x n, restored before each call where they are destroyed.
typedef struct Work {
    int n, threads;
    double *a, *b, *c, *d;
    int *pivot;
    Solution *solution;    // an answer's; NULL: the library's
} Work;

// ---- products ----

static void multiply(const Work *w)
{
    if (w->solution != NULL) AS(la_matmul, w->solution)(w->c, w->a, w->b, w->n, w->n, w->n);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, w->n, w->n, w->n, 1, w->a, w->n,
                    w->b, w->n, 0, w->c, w->n);
}

// Rows of C do not know of each other: each thread makes some of them.
static void multiply_threaded(const Work *w)
{
    int n = w->n, tiles = (n + TILE_ROWS - 1) / TILE_ROWS;
#pragma omp parallel for schedule(static)
    for (int t = 0; t < w->threads; t++) {
        int first = tiles * t / w->threads * TILE_ROWS,
            end = tiles * (t + 1) / w->threads * TILE_ROWS;
        if (end > n) end = n;
        AS(la_matmul, w->solution)
        (w->c + (size_t)first * n, w->a + (size_t)first * n, w->b, end - first, n, n);
    }
}

// ---- factorisations ----

static void factor_lu(const Work *w)
{
    memcpy(w->c, w->a, sizeof(double) * (size_t)w->n * (size_t)w->n);
    if (w->solution != NULL) AS(la_lu, w->solution)(w->c, w->pivot, w->n);
    else LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, w->n, w->n, w->c, w->n, w->pivot);
}

static void factor_qr(const Work *w)
{
    memcpy(w->c, w->a, sizeof(double) * (size_t)w->n * (size_t)w->n);
    if (w->solution != NULL) AS(la_qr, w->solution)(w->c, w->d, w->n, w->n);
    else LAPACKE_dgeqrf(LAPACK_COL_MAJOR, w->n, w->n, w->c, w->n, w->d);
}

static void factor_eigen(const Work *w)
{
    for (int i = 0; i < w->n; i++)
        for (int j = 0; j < w->n; j++) w->c[i * w->n + j] = w->a[i * w->n + j] + w->a[j * w->n + i];
    if (w->solution != NULL) AS(la_eigen, w->solution)(w->d, w->b, w->c, w->n);
    else LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', w->n, w->c, w->n, w->d);
}

static void factor_svd(const Work *w)
{
    double *s = w->d + w->n * w->n;
    memcpy(w->c, w->a, sizeof(double) * (size_t)w->n * (size_t)w->n);
    if (w->solution != NULL) AS(la_svd, w->solution)(w->b, s, w->d, w->c, w->n, w->n);
    else LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'A', w->n, w->n, w->c, w->n, s, w->b, w->n, w->d, w->n);
}

// ---- timing ----

typedef void Call(const Work *work);

typedef struct Task {
    const char *exercise, *function;
    Call *call;
    int size;    // of the factorisations
} Task;

static const Task tasks[] = {
    {"matmul", "la_matmul", multiply, 0},     {"matmul_blocked", "la_matmul_blocked", multiply, 0},
    {"lu", "la_lu", factor_lu, 512},          {"qr", "la_qr", factor_qr, 512},
    {"eigen", "la_eigen", factor_eigen, 128}, {"svd", "la_svd", factor_svd, 128},
};
enum { DEFINITION, BLOCKED, FACTORS, TASKS = sizeof tasks / sizeof *tasks };

typedef struct Side {
    Call *call;
    Work work;
} Side;

static double run_side(void *work, long calls, Error *err)
{
    (void)err;
    const Side *side = work;
    double start = bench_now();
    for (long i = 0; i < calls; i++) side->call(&side->work);
    return bench_now() - start;
}

typedef struct Bench {
    Arena *keep;
    Command command;
    Solutions solutions;    // of the tasks, in their order
    Work work;
    BenchReport *report;
    Peak peak;
} Bench;

// `double`s of size 1, and room for what comes of them.
static Work work_new(Arena *arena, int n)
{
    size_t all = (size_t)n * (size_t)n;
    Work work = {.n = n,
                 .a = arena_alloc(arena, sizeof(double) * all),
                 .b = arena_alloc(arena, sizeof(double) * all),
                 .c = arena_alloc(arena, sizeof(double) * all),
                 .d = arena_alloc(arena, sizeof(double) * (all + (size_t)n)),
                 .pivot = arena_alloc(arena, sizeof(int) * (size_t)n)};
    Rng rng = rng_from_seed(1);
    for (size_t i = 0; i < all; i++)
        work.a[i] = (double)rng_normal(&rng), work.b[i] = (double)rng_normal(&rng);
    return work;
}

// ---- the tables ----

typedef struct Rungs {
    Contender contender[CONTENDERS];
    Side side[CONTENDERS];
    const char *name[CONTENDERS];
    int count;
} Rungs;

static void rung(Rungs *rungs, const char *name, Call *call, Work work, Solution *solution)
{
    int i = rungs->count++;
    work.solution = solution;
    rungs->side[i] = (Side){call, work};
    rungs->contender[i] = (Contender){name, run_side, &rungs->side[i]};
}

static cJSON *row_of(const Bench *bench, const char *what, const Timing *timings, int count)
{
    cJSON *row = bench_report_row(bench->report);
    cJSON_AddStringToObject(row, "work", what);
    cJSON_AddNumberToObject(row, "n", bench->work.n);
    cJSON_AddNumberToObject(row, "threads", bench->peak.threads);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return row;
}

// The rung that is to be judged comes first, OpenBLAS second.
static bool measure_products(const Bench *bench, Error *err)
{
    const Work *w = &bench->work;
    const Solved *blocked = &bench->solutions.all[BLOCKED],
                 *definition = &bench->solutions.all[DEFINITION];
    Rungs rungs = {.count = 0};
    Timing timings[CONTENDERS];
    bool one = bench->peak.threads == 1;
    rung(&rungs, one ? "blocked" : "threaded", one ? multiply : multiply_threaded, *w,
         blocked->reference);
    rung(&rungs, "OpenBLAS", multiply, *w, NULL);
    if (one && blocked->own != NULL) rung(&rungs, "mine, blocked", multiply, *w, blocked->own);
    if (one && w->n <= DEFINITION_MAX)
        rung(&rungs, "definition", multiply, *w, definition->reference);
    if (one && w->n <= DEFINITION_MAX && definition->own != NULL)
        rung(&rungs, "mine", multiply, *w, definition->own);
    if (!bench_compare(rungs.contender, rungs.count, bench->command.plan, timings, err))
        return false;
    double gflop = 2e-9 * pow(w->n, 3), peak = bench->peak.gflops / 2;
    for (int i = 0; i < rungs.count; i++) {
        double rate = gflop / timings[i].seconds.median;
        char size[12];
        snprintf(size, sizeof size, "%d", w->n);
        printf("%-5s %-14s %10.3f ms %8.2f GFLOP/s %5.1f %% of peak", i == 0 ? size : "",
               timings[i].name, 1e3 * timings[i].seconds.median, rate, 100 * rate / peak);
        if (i == 1) printf(", %s reaches %.0f %%", timings[0].name, 100 * timings[1].ratio.median);
        printf("%s\n", bench_noisy(timings[i].seconds) ? " ~" : "");
    }
    fflush(stdout);
    cJSON_AddNumberToObject(row_of(bench, "product", timings, rungs.count), "flop", 1e9 * gflop);
    return true;
}

static bool measure_factors(Bench *bench, int task, Error *err)
{
    Rungs rungs = {.count = 0};
    Timing timings[3];
    Call *call = tasks[task].call;
    const Solved *solved = &bench->solutions.all[task];
    bench->work.n = bench->command.quick ? 24 : tasks[task].size;
    rung(&rungs, "reference", call, bench->work, solved->reference);
    rung(&rungs, "LAPACK", call, bench->work, NULL);
    if (solved->own != NULL) rung(&rungs, "mine", call, bench->work, solved->own);
    if (!bench_compare(rungs.contender, rungs.count, bench->command.plan, timings, err))
        return false;
    for (int i = 0; i < rungs.count; i++)
        printf("%-6s %4d  %-10s %10.3f ms  %8.2f times as fast as the reference%s\n",
               i == 0 ? tasks[task].exercise : "", bench->work.n, timings[i].name,
               1e3 * timings[i].seconds.median, i == 0 ? 1.0 : 1 / timings[i].ratio.median,
               bench_noisy(timings[i].seconds) ? " ~" : "");
    fflush(stdout);
    row_of(bench, tasks[task].exercise, timings, rungs.count);
    return true;
}

static bool measure_threads(Bench *bench, int threads, Error *err)
{
    static const int sizes[] = {64, 128, 256, 512, 1024, 2048}, few[] = {24, 65};
    const int *size = bench->command.quick ? few : sizes;
    int count = bench->command.quick ? 2 : 6;
    bench_threads(threads);
    bench->peak = peak_measure(threads);
    bench->work.threads = threads;
    bench_report_peak(bench->report, bench->peak);
    printf("\nn x n times n x n in double, %d thread%s, peak %.1f GFLOP/s\n", threads,
           threads == 1 ? "" : "s", bench->peak.gflops / 2);
    for (int i = 0; i < count && (solutions_asked(&bench->solutions, DEFINITION) ||
                                  solutions_asked(&bench->solutions, BLOCKED));
         i++) {
        bench->work.n = size[i];
        if (!measure_products(bench, err)) return false;
    }
    if (threads > 1) return true;
    printf("\nfactors of n x n\n");
    for (int t = FACTORS; t < TASKS; t++)
        if (solutions_asked(&bench->solutions, t) && !measure_factors(bench, t, err)) return false;
    return true;
}

static bool try(const void *context, int task, Solution *own)
{
    const Bench *bench = context;
    Work work = bench->work;
    work.solution = own;
    work.n = task == DEFINITION ? DEFINITION_MAX : task == BLOCKED ? LARGEST : tasks[task].size;
    if (bench->command.quick) work.n = 24;
    tasks[task].call(&work);
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Bench bench = {.keep = arena_new("keep", (size_t)4 << 30),
                   .solutions = {.lab = "linear_algebra", .test_seconds = 60}};
    Options *options =
        command_options(bench.keep, &bench.command, "linear_algebra",
                        "The ladder of matrix products, and factorisations beside LAPACK's.");
    solutions_options(options, &bench.solutions);
    for (int t = 0; t < TASKS; t++)
        solutions_add(&bench.solutions, tasks[t].exercise, tasks[t].function);
    if (!command_parse(bench.keep, options, argc, argv, &bench.command, &status)) return status;
    bench.work = work_new(bench.keep, LARGEST);
    if (!solutions_open(bench.keep, &bench.solutions, try, &bench, &err)) return error_report(&err);
    for (int t = 0; t < TASKS; t++)
        if (bench.solutions.all[t].why_not != NULL)
            printf("%s: mine is not timed: %s\n", tasks[t].exercise,
                   bench.solutions.all[t].why_not);
    bench.report = bench_report_new(bench.keep, "linear_algebra", openblas_get_config());
    for (int i = 0; i < bench.command.thread_counts; i++)
        if (!measure_threads(&bench, bench.command.threads[i], &err)) return error_report(&err);
    puts("\npeak: half of what was measured in float. ~ noisy");
    return bench_report_end(bench.report, bench.command.json, &err) ? 0 : error_report(&err);
}
