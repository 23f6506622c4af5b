/* attention.c -- causal attention through our kernel table beside PyTorch's scaled_dot_product_attention, of the
 * sizes that small language models are made of.
 *
 * Forward alone, and forward with all gradients. Products with what the mask hides do not count as work. Our q,
 * k and v are parts of one fused row, as in a model. PyTorch keeps the memory that it freed (peer_keep_memory), so
 * that no page fault is counted. LAB_CPU=avx2 holds us to a narrower instruction set.
 */
#include <math.h>
#include <stdio.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "common/rng.h"
#include "kernels/kernels.h"

typedef struct Size {
    int batch, heads, head, tokens;
} Size;

static const Size sizes[] = {
    {8, 8, 64, 64},   {8, 8, 64, 256}, {8, 8, 64, 1024}, {12, 4, 32, 64},    // nanoGPT's small form
    {16, 6, 64, 256},                                                        // its 6-layer form
};
enum { SIZES = sizeof sizes / sizeof *sizes };

typedef struct Arrays {
    float *qkv, *dqkv, *y, *dy, *lse;
} Arrays;

// One attention and what computes it: a table or a peer.
typedef struct Task {
    Size size;
    AttentionShape shape;
    bool backward;
    const Kernels *table;
    Arrays arrays;
    Peer *peer;
    int threads;
} Task;

static AttentionShape shape_of(Size size)
{
    const size_t cols = (size_t)size.heads * (size_t)size.head;
    return (AttentionShape){.batch = size.batch,
                            .heads = size.heads,
                            .kv_heads = size.heads,
                            .queries = size.tokens,
                            .keys = size.tokens,
                            .head = size.head,
                            .q_row = 3 * cols,
                            .k_row = 3 * cols,
                            .v_row = 3 * cols,
                            .y_row = cols,
                            .scale = 1 / sqrtf((float)size.head),
                            .causal = true};
}

static double run_table(void *work, long calls, Error *err)
{
    (void)err;
    const Task *task = work;
    const Arrays *a = &task->arrays;
    const AttentionShape s = task->shape;
    const float *q = a->qkv, *k = q + s.y_row, *v = k + s.y_row;
    float *dq = a->dqkv, *dk = dq + s.y_row, *dv = dk + s.y_row;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        task->table->attention(a->y, a->lse, q, k, v, s);
        if (task->backward)
            task->table->attention_backward(dq, dk, dv, a->dy, a->y, a->lse, q, k, v, 0, s);
    }
    return bench_now() - start;
}

static double run_peer(void *work, long calls, Error *err)
{
    const Task *task = work;
    const Size s = task->size;
    return peer_ask(
        task->peer, err,
        "{\"threads\": %d, \"shape\": [%d, %d, %d, %d], \"backward\": %s, \"calls\": %ld}",
        task->threads, s.batch, s.heads, s.tokens, s.head, task->backward ? "true" : "false",
        calls);
}

static double flops(const Task *task)
{
    return attention_flops(task->shape) +
           (task->backward ? attention_backward_flops(task->shape) : 0);
}

static float *uniform(Arena *arena, size_t n, Rng *rng)
{
    float *x = arena_alloc(arena, n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = rng_uniform(rng) - 0.5f;
    return x;
}

static Arrays arrays_of(Arena *arena, AttentionShape s)
{
    Rng rng = rng_from_seed(1);
    const size_t tokens = (size_t)s.batch * (size_t)s.queries, n = tokens * s.y_row;
    return (Arrays){uniform(arena, 3 * n, &rng), uniform(arena, 3 * n, &rng),
                    uniform(arena, n, &rng), uniform(arena, n, &rng),
                    uniform(arena, tokens * (size_t)s.heads, &rng)};
}

enum { OURS, REF, TORCH, COLUMNS };
static const char *const COLUMN[COLUMNS] = {"ours", "ref", "PyTorch"};

static void print_row(const Task *task, const Timing *const column[COLUMNS], Peak peak)
{
    const Size s = task->size;
    const double gflops = 1e-9 * flops(task) / column[OURS]->seconds.median;
    printf("%2d %2d %3d %5d  %-8s %2d %8.3f", s.batch, s.heads, s.head, s.tokens,
           task->backward ? "training" : "forward", peak.threads,
           1e3 * column[OURS]->seconds.median);
    for (int i = REF; i < COLUMNS; i++) {
        if (column[i] != NULL) printf(" %8.3f", 1e3 * column[i]->seconds.median);
        else printf(" %8s", "-");
    }
    printf(" %8.1f %4.0f%%", gflops, 100 * gflops / peak.gflops);
    const Timing *torch = column[TORCH];
    if (torch != NULL) printf(" %8.2f", torch->ratio.median);
    else printf(" %8s", "-");
    puts(bench_noisy(torch != NULL ? torch->ratio : column[OURS]->seconds) ? " ~" : "");
    fflush(stdout);
}

static bool measure(Task task, const Kernels *ours, Plan plan, Peak peak, BenchReport *report,
                    Error *err)
{
    const Kernels *const tables[COLUMNS] = {ours, &kernels_ref};
    Task tasks[COLUMNS];
    Contender contenders[COLUMNS];
    int columns[COLUMNS], count = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if ((i == TORCH && task.peer == NULL) || (i == REF && flops(&task) > 1e6)) continue;
        tasks[i] = task;
        tasks[i].table = tables[i];
        columns[count] = i;
        contenders[count++] = (Contender){COLUMN[i], i == TORCH ? run_peer : run_table, &tasks[i]};
    }
    Timing timings[COLUMNS];
    const Timing *column[COLUMNS] = {NULL};
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    for (int i = 0; i < count; i++) column[columns[i]] = &timings[i];
    print_row(&task, column, peak);

    cJSON *row = bench_report_row(report);
    cJSON_AddNumberToObject(row, "batch", task.size.batch);
    cJSON_AddNumberToObject(row, "heads", task.size.heads);
    cJSON_AddNumberToObject(row, "head", task.size.head);
    cJSON_AddNumberToObject(row, "tokens", task.size.tokens);
    cJSON_AddNumberToObject(row, "threads", peak.threads);
    cJSON_AddStringToObject(row, "work", task.backward ? "training" : "forward");
    cJSON_AddNumberToObject(row, "flop", flops(&task));
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_all(const Command *command, Arena *arena, Peer *peer, BenchReport *report,
                        int threads, Error *err)
{
    const Kernels ours = kernels;
    bench_threads(threads);
    const Peak peak = peak_measure(threads);
    bench_report_peak(report, peak);
    printf("\nmilliseconds, medians of interleaved rounds; GFLOP/s, peak: ours  (~ noisy)\n"
           " B  H   D     T  work      t     ours      ref  PyTorch  GFLOP/s  peak ours/its\n");
    for (int i = 0; i < SIZES; i++) {
        Size size = sizes[i];
        if (command->quick) size = (Size){1, 2, 8, 20};
        Task task = {.size = size, .shape = shape_of(size), .peer = peer, .threads = threads};
        arena_reset(arena);
        task.arrays = arrays_of(arena, task.shape);
        for (int backward = 0; backward < 2; backward++) {
            task.backward = backward;
            if (!measure(task, &ours, command->plan, peak, report, err)) return false;
        }
        if (command->quick) break;
    }
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 64u << 20), *arrays = arena_new("arrays", (size_t)1 << 30);
    Options *options =
        command_options(keep, &command, "attention", "Attention: our kernels beside PyTorch's.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Peer *peer = NULL;
    peer_keep_memory();
    if (command.peers && (peer = peer_open(keep, "attention.py", &err)) == NULL)
        printf("%s\n", err.message);
    BenchReport *report = bench_report_new(keep, "attention", "none");
    if (peer != NULL) bench_report_peer(report, peer);
    for (int i = 0; i < command.thread_counts; i++)
        if (!measure_all(&command, arrays, peer, report, command.threads[i], &err))
            return error_report(&err);
    peer_close(peer);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
