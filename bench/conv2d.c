/* conv2d.c -- convolutions through our kernel table beside oneDNN and PyTorch (oneDNN inside), of the sizes
 * that networks for small images are made of.
 *
 * Forward alone, and forward with all three gradients. Operands are the same in every call. PyTorch
 * keeps the memory that it freed (peer_keep_memory), so that no page fault is counted. LAB_CPU=avx2
 * holds us to a narrower instruction set; ATEN_CPU_CAPABILITY=avx2 DNNL_MAX_CPU_ISA=AVX2 does so for it.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "common/rng.h"
#include "kernels/device.h"

// clang-format off
static const ConvShape shapes[] = {
    // batch, in, height, width, out, kernel, stride, pad, dilation, groups
    {64,  32, 28, 28,  64, 3, 3, 1, 1, 1, 1},
    {64,  64, 14, 14, 128, 3, 3, 1, 1, 1, 1},
    {64,   1, 28, 28,  20, 5, 5, 1, 0, 1, 1},    // LeNet's
    {64,  20, 12, 12,  50, 5, 5, 1, 0, 1, 1},
    {64,   3, 32, 32,  32, 3, 3, 1, 1, 1, 1},    // a residual network's, on 32 x 32 pixels
    {64,  16, 32, 32,  16, 3, 3, 1, 1, 1, 1},
    {64,  16, 32, 32,  32, 3, 3, 2, 1, 1, 1},
    {64,  32, 16, 16,  32, 3, 3, 1, 1, 1, 1},
    {64,  64,  8,  8,  64, 3, 3, 1, 1, 1, 1},
    {64,  32, 16, 16,  64, 1, 1, 2, 0, 1, 1},
    {16, 256, 14, 14, 256, 3, 3, 1, 1, 1, 1},
    { 1,  64, 56, 56,  64, 3, 3, 1, 1, 1, 1},    // one image
    {64,  64, 14, 14,  64, 3, 3, 1, 1, 1, 64},   // depthwise
};
// clang-format on
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct Arrays {
    float *x, *y, *w, *bias, *dx, *dw, *db;
} Arrays;

// One convolution and what computes it: a table or a peer.
typedef struct Task {
    ConvShape shape;
    bool backward;
    const Kernels *table;
    Arrays arrays;
    Peer *peer;
    int threads;
} Task;

static double run_table(void *work, long calls, Error *err)
{
    (void)err;
    const Task *task = work;
    const Kernels *table = task->table;
    const Arrays *a = &task->arrays;
    const ConvShape s = task->shape;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        table->conv2d(a->y, a->x, a->w, a->bias, s);
        if (!task->backward) continue;    // y stands for its gradient
        table->conv2d_backward_input(a->dx, a->y, a->w, 0, s);
        table->conv2d_backward_weight(a->dw, a->y, a->x, 0, s);
        table->sum_channels(a->db, a->y, s.batch, s.out, (int)conv_out_pixels(s), 0);
    }
    return bench_now() - start;
}

static double run_peer(void *work, long calls, Error *err)
{
    const Task *task = work;
    const ConvShape s = task->shape;
    return peer_ask(task->peer, err,
                    "{\"threads\": %d, \"shape\": [%d, %d, %d, %d, %d, %d, %d, %d, %d], "
                    "\"backward\": %s, \"calls\": %ld}",
                    task->threads, s.batch, s.in, s.height, s.width, s.out, s.kernel_height,
                    s.stride, s.pad, s.groups, task->backward ? "true" : "false", calls);
}

static double flops(const Task *task)
{
    return (task->backward ? 3 : 1) * conv_flops(task->shape);
}

static float *uniform(Arena *arena, size_t n, Rng *rng)
{
    float *x = arena_alloc(arena, n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = rng_uniform(rng) - 0.5f;
    return x;
}

static Arrays arrays_of(Arena *arena, ConvShape s)
{
    Rng rng = rng_from_seed(1);
    const size_t x = (size_t)s.batch * conv_image(s), y = (size_t)s.batch * conv_out_image(s),
                 w = conv_weights(s), out = (size_t)s.out;
    return (Arrays){uniform(arena, x, &rng),   uniform(arena, y, &rng), uniform(arena, w, &rng),
                    uniform(arena, out, &rng), uniform(arena, x, &rng), uniform(arena, w, &rng),
                    uniform(arena, out, &rng)};
}

enum { OURS, REF, ONEDNN, TORCH, COLUMNS };
static const char *const COLUMN[COLUMNS] = {"ours", "ref", "oneDNN", "PyTorch"};

static void print_row(const Task *task, const Timing *const column[COLUMNS], Peak peak)
{
    const ConvShape s = task->shape;
    const double gflops = 1e-9 * flops(task) / column[OURS]->seconds.median;
    printf("%2d %3d %2dx%-2d %3d %dx%d %d %d %2d  %-8s %2d %8.3f", s.batch, s.in, s.height, s.width,
           s.out, s.kernel_height, s.kernel_width, s.stride, s.pad, s.groups,
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

// The tables by column, and NULL where there is none.
static bool measure(Task task, const Kernels *const tables[COLUMNS], Plan plan, Peak peak,
                    BenchReport *report, Error *err)
{
    Task tasks[COLUMNS];
    Contender contenders[COLUMNS];
    int columns[COLUMNS], count = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if ((i == TORCH ? task.peer == NULL : tables[i] == NULL) ||
            (i == REF && flops(&task) > 1e7))
            continue;
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

    const ConvShape s = task.shape;
    const struct {
        const char *name;
        int value;
    } sizes[] = {{"batch", s.batch},       {"in", s.in},   {"height", s.height},
                 {"width", s.width},       {"out", s.out}, {"kernel", s.kernel_height},
                 {"stride", s.stride},     {"pad", s.pad}, {"groups", s.groups},
                 {"threads", peak.threads}};
    cJSON *row = bench_report_row(report);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        cJSON_AddNumberToObject(row, sizes[i].name, sizes[i].value);
    cJSON_AddStringToObject(row, "work", task.backward ? "training" : "forward");
    cJSON_AddNumberToObject(row, "flop", flops(&task));
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

static bool measure_all(const Command *command, Arena *arena, Peer *peer, BenchReport *report,
                        int threads, Error *err)
{
    const char *why;
    Kernels onednn;
    const bool has_onednn = device_use("onednn", &why);
    if (has_onednn) onednn = kernels;
    else printf("%s\n", why);
    device_use(NULL, &why);
    const Kernels ours = kernels;
    const Kernels *const tables[COLUMNS] = {&ours, &kernels_ref, has_onednn ? &onednn : NULL};
    bench_threads(threads);
    const Peak peak = peak_measure(threads);
    bench_report_peak(report, peak);
    printf("\nmilliseconds, medians of interleaved rounds; GFLOP/s, peak: ours  (~ noisy)\n"
           " B  in  size  out ker s p  g  work      t     ours      ref   oneDNN  PyTorch  GFLOP/s "
           " peak "
           "ours/its\n");
    for (int i = 0; i < SHAPES; i++) {
        ConvShape s = shapes[i];
        if (command->quick) s.batch = 1, s.in = s.out = 4;
        Task task = {.shape = s, .peer = peer, .threads = threads};
        arena_reset(arena);
        task.arrays = arrays_of(arena, s);
        for (int backward = 0; backward < 2; backward++) {
            task.backward = backward;
            if (!measure(task, tables, command->plan, peak, report, err)) return false;
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
        command_options(keep, &command, "conv2d", "Convolutions: our kernels beside PyTorch's.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Peer *peer = NULL;
    peer_keep_memory();
    if (command.peers && (peer = peer_open(keep, "conv2d.py", &err)) == NULL)
        printf("%s\n", err.message);
    BenchReport *report = bench_report_new(keep, "conv2d", "none");
    if (peer != NULL) bench_report_peer(report, peer);
    for (int i = 0; i < command.thread_counts; i++)
        if (!measure_all(&command, arrays, peer, report, command.threads[i], &err))
            return error_report(&err);
    peer_close(peer);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
