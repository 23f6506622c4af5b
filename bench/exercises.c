#include "bench/exercises.h"
#include "bench/command.h"
#include "bench/report.h"
#include "common/rng.h"
#include "kernels/device.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONTENDERS = 6 };    // the reference, mine, plain kernels, OpenBLAS, two rivals

typedef struct Bench {
    Arena *keep;
    Command command;
    const Workload *workloads;
    Solutions solutions;    // of the workloads, in their order
    Rival rivals[RIVAL_COUNT];
    BenchReport *report;
    Peak peak;
} Bench;

// ---- a solution with arrays of its own ----

typedef struct Side {
    const Workload *workload;
    Solution *solution;
    const char *kernels;                    // the table it runs on; NULL: the best there is
    const Rival *rival;                     // in the place of a solution
    const WorkloadRival *workload_rival;    // likewise
    float *arrays[WORKLOAD_ARRAYS];
} Side;

static Side side_new(Arena *arena, const Workload *workload, Solution *solution)
{
    Side side = {.workload = workload, .solution = solution};
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < WORKLOAD_ARRAYS; i++) {
        const WorkArray *array = &workload->arrays[i];
        side.arrays[i] = arena_zeros(arena, (size_t)array->count * sizeof(float));
        if (!array->written) rng_fill_normal(&rng, side.arrays[i], (size_t)array->count);
    }
    return side;
}

static void side_call(const Side *side)
{
    if (side->workload_rival != NULL) side->workload_rival->call(side->arrays);
    else if (side->rival == NULL) side->workload->call(side->solution, side->arrays);
    for (int i = 0; side->rival != NULL && i < WORKLOAD_PRODUCTS; i++) {
        const WorkloadProduct *p = &side->workload->products[i];
        if (p->m == 0) return;
        MatrixProduct product = matrix_product_dense(p->kind, p->m, p->n, p->k, side->arrays[p->c],
                                                     side->arrays[p->a], side->arrays[p->b]);
        rival_multiply(side->rival, &product);
    }
}

static double side_run(void *work, long calls, Error *err)
{
    const Side *side = work;
    const char *why;
    if (!device_use(side->kernels, &why)) return error_set(err, "%s", why), -1;
    double start = bench_now();
    for (long i = 0; i < calls; i++) side_call(side);
    return bench_now() - start;
}

// ---- a learner's solution is tried before it is timed ----

// Whether both wrote the same, up to the order of their sums. How exact a solution is was the
// grader's business; here it is whether these sizes are beyond it.
static bool agree(const Side *got, const Side *want)
{
    for (int i = 0; i < WORKLOAD_ARRAYS; i++) {
        int count = want->workload->arrays[i].count;
        const float *a = got->arrays[i], *b = want->arrays[i];
        double most = 0;
        for (int j = 0; j < count; j++) most = fmax(most, fabs((double)b[j]));
        for (int j = 0; j < count; j++)    // NaN does not agree
            if (!(fabs((double)a[j] - (double)b[j]) <= 1e-4 * most + 1e-6)) return false;
    }
    return true;
}

static bool try(const void *context, int index, Solution *own)
{
    const Bench *bench = context;
    const Workload *workload = &bench->workloads[index];
    Side want = side_new(bench->keep, workload, bench->solutions.all[index].reference);
    Side got = side_new(bench->keep, workload, own);
    side_call(&want);
    side_call(&got);
    return agree(&got, &want);
}

// ---- the table ----

static double flops_of(const Workload *workload)
{
    double flops = workload->double_flops;
    for (int i = 0; i < WORKLOAD_PRODUCTS; i++) {
        const WorkloadProduct *p = &workload->products[i];
        flops += 2.0 * p->m * p->n * p->k;
    }
    return flops;
}

static double bytes_of(const Workload *workload)
{
    double bytes = 0;
    for (int i = 0; i < WORKLOAD_ARRAYS; i++) {
        const WorkArray *array = &workload->arrays[i];
        bytes += 4.0 * array->count * (array->read + array->written);
    }
    return bytes;
}

static const char *time_text(char text[16], double seconds)
{
    bool small = seconds < 1e-3;
    snprintf(text, 16, "%.3g %s", seconds * (small ? 1e6 : 1e3), small ? "us" : "ms");
    return text;
}

static const char *beside_text(char text[32], double slower)
{
    if (slower > 0.97 && slower < 1.03) return "  as fast";
    double times = slower > 1 ? slower : 1 / slower;
    snprintf(text, 32, "  %.*f x %s", times < 10 ? 2 : 0, times, slower > 1 ? "slower" : "faster");
    return text;
}

// The roof over a workload is the peak or the memory, whichever would take it longer.
static void print_line(const Bench *bench, const Workload *workload, const char *left,
                       const Timing *timing, bool first)
{
    double flops = flops_of(workload), bytes = bytes_of(workload), seconds = timing->seconds.median;
    double by_peak = 1e-9 * (flops + workload->double_flops) / bench->peak.gflops,
           by_memory = 1e-9 * bytes / bench->peak.triad_gbs;
    bool products = by_peak > by_memory;
    char rate[32] = "";    // nothing where neither limit has to do with it
    if (fmax(by_peak, by_memory) > 0.005 * seconds)
        snprintf(rate, sizeof rate, "%7.1f %-7s %4.0f%%",
                 1e-9 * (products ? flops : bytes) / seconds, products ? "GFLOP/s" : "GB/s",
                 100 * fmax(by_peak, by_memory) / seconds);
    if (workload->numbers > 0)
        snprintf(rate, sizeof rate, "%7.1f million/s", 1e-6 * workload->numbers / seconds);
    printf("%-17s %-14s %8s %-21s%s%s\n", left, timing->name, time_text((char[16]){0}, seconds),
           rate, first ? "" : beside_text((char[32]){0}, timing->ratio.median),
           bench_noisy(timing->seconds) || bench_noisy(timing->ratio) ? " ~" : "");
}

static void print_workload(const Bench *bench, const Workload *workload, const Timing *timings,
                           int count, const char *why_not)
{
    const char *left[] = {workload->exercise, workload->size};
    int lines = 0;
    for (; lines < count; lines++)
        print_line(bench, workload, lines < 2 ? left[lines] : "", &timings[lines], lines == 0);
    if (why_not != NULL) printf("%-17s mine: %s\n", lines++ < 2 ? left[1] : "", why_not);
    if (lines < 2) puts(left[1]);
    fflush(stdout);
}

// Those who do the work of an exercise, the reference first; returns their number.
static int contenders_of(const Bench *bench, Arena *arena, int index, Contender contenders[])
{
    const Workload *workload = &bench->workloads[index];
    const WorkloadRival *rivals = workload->rivals;
    const Rival *openblas = &bench->rivals[RIVAL_OPENBLAS];
    const Solved *solved = &bench->solutions.all[index];
    const struct {
        bool there;
        const char *name;
        Solution *solution;
        const char *kernels;
        const Rival *rival;
        const WorkloadRival *workload_rival;
    } known[] = {
        {true, "reference", solved->reference, NULL, NULL, NULL},
        {solved->own != NULL, "mine", solved->own, NULL, NULL, NULL},
        {workload->kernels, "plain kernels", solved->reference, "ref", NULL, NULL},
        {workload->products[0].m > 0 && openblas->absent == NULL, "OpenBLAS", NULL, NULL, openblas,
         NULL},
        {rivals[0].name != NULL, rivals[0].name, NULL, NULL, NULL, &rivals[0]},
        {rivals[1].name != NULL, rivals[1].name, NULL, NULL, NULL, &rivals[1]},
    };
    int count = 0;
    for (int i = 0; i < CONTENDERS; i++) {
        if (!known[i].there) continue;
        Side *side = arena_alloc(arena, sizeof *side);
        *side = side_new(arena, workload, known[i].solution);
        side->kernels = known[i].kernels;
        side->rival = known[i].rival;
        side->workload_rival = known[i].workload_rival;
        contenders[count++] = (Contender){known[i].name, side_run, side};
    }
    return count;
}

static bool measure(const Bench *bench, Arena *arena, int index, Error *err)
{
    const Workload *workload = &bench->workloads[index];
    const char *why_not = bench->solutions.all[index].why_not;
    Contender contenders[CONTENDERS];
    Timing timings[CONTENDERS];
    int count = contenders_of(bench, arena, index, contenders);
    if (!bench_compare(contenders, count, bench->command.plan, timings, err))
        return error_wrap(err, "%s", workload->exercise);

    print_workload(bench, workload, timings, count, why_not);
    cJSON *row = bench_report_row(bench->report);
    cJSON_AddStringToObject(row, "exercise", workload->exercise);
    cJSON_AddStringToObject(row, "size", workload->size);
    cJSON_AddNumberToObject(row, "threads", bench->peak.threads);
    cJSON_AddNumberToObject(row, "flop", flops_of(workload));
    cJSON_AddNumberToObject(row, "bytes", bytes_of(workload));
    if (why_not != NULL) cJSON_AddStringToObject(row, "mine_left_out", why_not);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_threads(Bench *bench, int threads, Error *err)
{
    Arena *arena = arena_new("sides", (size_t)1 << 30);
    bench_threads(threads);
    rival_threads(&bench->rivals[RIVAL_OPENBLAS], threads);
    bench->peak = peak_measure(threads);
    bench_report_peak(bench->report, bench->peak);
    printf("\n%-17s %-14s %8s %15s %5s  %s\n", "exercise, size", "who", "time", "rate        ",
           "peak", "beside the reference");
    bool measured = true;
    for (int i = 0; i < bench->solutions.count && measured; i++) {
        if (solutions_asked(&bench->solutions, i)) measured = measure(bench, arena, i, err);
        arena_reset(arena);
    }
    putchar('\n');
    arena_free(arena);
    return measured;
}

// ---- the program ----

int exercises_main(const char *lab, const Workload *workloads, int argc, char **argv)
{
    Error err;
    int status;
    Bench bench = {.keep = arena_new("keep", (size_t)4 << 30),
                   .workloads = workloads,
                   .solutions = {.lab = lab, .test_seconds = 20}};
    for (const Workload *w = workloads; w->exercise != NULL; w++)
        solutions_add(&bench.solutions, w->exercise, w->function);
    Options *options = command_options(bench.keep, &bench.command, lab,
                                       "The lab's exercises at the sizes of its training.");
    solutions_options(options, &bench.solutions);
    if (!command_parse(bench.keep, options, argc, argv, &bench.command, &status)) return status;
    if (!solutions_open(bench.keep, &bench.solutions, try, &bench, &err)) return error_report(&err);

    rivals_open(bench.keep, bench.rivals);
    bench.report = bench_report_new(bench.keep, lab, rivals_text(bench.keep, bench.rivals));
    for (int i = 0; i < bench.command.thread_counts; i++)
        if (!measure_threads(&bench, bench.command.threads[i], &err)) return error_report(&err);
    puts("peak: share of this machine's limit, of multiply-adds or of memory; above 100%\n"
         "the work stays in the caches. OpenBLAS makes the products alone. ~ noisy");
    return bench_report_end(bench.report, bench.command.json, &err) ? 0 : error_report(&err);
}
