/* device.c -- kernels on another device (--device cuda) beside the CPU's, sizes swept: GFLOP/s or GB/s, how many
 * times as fast it is, and how many times when the operands come from the host and the result goes back.
 *
 * The times of one call are those of many that are queued at once, with one wait at the end.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/report.h"
#include "kernels/device.h"

enum { SIZES = 4, COLS = 1024, HEADS = 12, HEAD = 64, WIDTH = HEADS * HEAD };

// The same arrays on each device: three to read, two to write.
typedef struct Place {
    const Device *on;
    float *x, *t, *z, *y, *v;
} Place;

typedef struct Case {
    const char *name;
    int sizes[SIZES];
    void (*run)(const Kernels *table, const Place *p, int n);
    double (*flops)(int n);    // NULL: memory is the limit
    double (*bytes)(int n);    // read and written, each operand once
} Case;

// ---- the work

#define RUN(name) static void run_##name(const Kernels *table, const Place *p, int n)
#define WORK(name, formula)                                                                        \
    static double name(int n)                                                                      \
    {                                                                                              \
        return formula;                                                                            \
    }

static ConvShape images(int batch)
{
    return (ConvShape){batch, 32, 28, 28, 64, 3, 3, 1, 1, 1, 1};
}

static AttentionShape tokens(int count)
{
    return (AttentionShape){.batch = 1,
                            .heads = HEADS,
                            .kv_heads = HEADS,
                            .queries = count,
                            .keys = count,
                            .head = HEAD,
                            .q_row = WIDTH,
                            .k_row = WIDTH,
                            .v_row = WIDTH,
                            .y_row = WIDTH,
                            .scale = 0.125f,
                            .causal = true};
}

// clang-format off
RUN(add)          { table->add(p->y, p->x, p->t, (size_t)n); }
RUN(sum)          { table->sum(p->y, p->x, (size_t)n); }
RUN(softmax_rows) { table->softmax_rows(p->y, p->x, n / COLS, COLS); }
RUN(rms_norm)     { table->rms_norm(p->y, p->v, p->x, p->t, 1e-5f, norm_rows(n / COLS, COLS)); }
RUN(matmul)       { table->matmul(p->y, (size_t)n, 0, (Mat){p->x, (size_t)n, 1, 0}, (Mat){p->t, (size_t)n, 1, 0}, 1, n, n, n, 0); }
RUN(conv2d)       { table->conv2d(p->y, p->x, p->t, NULL, images(n)); }
RUN(attention)    { table->attention(p->y, NULL, p->x, p->t, p->z, tokens(n)); }
WORK(bytes_3, 12.0 * n)
WORK(bytes_2, 8.0 * n)
WORK(bytes_1, 4.0 * n)
WORK(matmul_flops, 2.0 * n * n * n)
WORK(matmul_bytes, 12.0 * n * n)
WORK(conv2d_flops, conv_flops(images(n)))
WORK(conv2d_bytes, conv_bytes(images(n)))
WORK(forward_flops, attention_flops(tokens(n)))
WORK(forward_bytes, attention_bytes(tokens(n)))

static const Case cases[] = {
    {"add",          {1 << 12, 1 << 16, 1 << 20, 1 << 24}, run_add,          NULL,          bytes_3},
    {"sum",          {1 << 12, 1 << 16, 1 << 20, 1 << 24}, run_sum,          NULL,          bytes_1},
    {"softmax_rows", {1 << 12, 1 << 16, 1 << 20, 1 << 24}, run_softmax_rows, NULL,          bytes_2},
    {"rms_norm",     {1 << 12, 1 << 16, 1 << 20, 1 << 24}, run_rms_norm,     NULL,          bytes_2},
    {"matmul",       {64, 256, 1024, 4096},                run_matmul,       matmul_flops,  matmul_bytes},
    {"conv2d",       {1, 4, 16, 64},                       run_conv2d,       conv2d_flops,  conv2d_bytes},
    {"attention",    {64, 256, 1024, 4096},                run_attention,    forward_flops, forward_bytes},
};
// clang-format on
enum { CASES = sizeof cases / sizeof *cases, MOST = 1 << 24 };

static float *array_new(const Device *on, float value)
{
    float *x = on->reserve(MOST * sizeof *x);
    if (x == NULL) return NULL;
    on->commit(x, 0, MOST * sizeof *x);
    on->kernels->fill(x, value, MOST);
    return x;
}

static bool place_new(Place *p, const Device *on, Error *err)
{
    *p = (Place){on,
                 array_new(on, 0.5f),
                 array_new(on, 0.25f),
                 array_new(on, 1),
                 array_new(on, 0),
                 array_new(on, 0)};
    if (p->x && p->t && p->z && p->y && p->v) return true;
    return error_set(err, "--device %s: no memory for five arrays of %d numbers", on->name, MOST);
}

// ---- measured

typedef struct Task {
    const Case *c;
    const Place *place;
    const float *host;    // what comes from the host and goes back: NULL for nothing
    float *back;
    int n;
} Task;

static double run_task(void *work, long calls, Error *err)
{
    (void)err;
    const Task *t = work;
    const Place *p = t->place;
    const size_t half = (size_t)t->c->bytes(t->n) / 2;    // of each operand, about
    const size_t moved = half < MOST * sizeof(float) ? half : MOST * sizeof(float);
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        if (t->host != NULL) p->on->put(p->x, t->host, moved);
        t->c->run(p->on->kernels, p, t->n);
        if (t->host != NULL) p->on->get(t->back, p->y, moved);
    }
    p->on->get(NULL, NULL, 0);
    return bench_now() - start;
}

static bool measure(const Command *command, const Place places[2], const float *host, float *back,
                    const Case *c, int n, BenchReport *report, Error *err)
{
    Task tasks[] = {{c, &places[1], NULL, NULL, n},
                    {c, &places[0], NULL, NULL, n},
                    {c, &places[1], host, back, n}};
    const Contender contenders[] = {{places[1].on->name, run_task, &tasks[0]},
                                    {"cpu", run_task, &tasks[1]},
                                    {"with transfers", run_task, &tasks[2]}};
    Timing timings[3];
    if (!bench_compare(contenders, 3, command->plan, timings, err)) return false;
    const double seconds = timings[0].seconds.median, cpu = timings[1].seconds.median;
    const double rate = (c->flops ? c->flops(n) : c->bytes(n)) / 1e9;
    printf("%-12s %9d %11.4f %11.4f %9.1f %9.1f %s %9.2f %9.2f\n", c->name, n, 1e3 * seconds,
           1e3 * cpu, rate / seconds, rate / cpu, c->flops ? "GFLOP/s" : "GB/s   ", cpu / seconds,
           cpu / timings[2].seconds.median);
    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "kernel", c->name);
    cJSON_AddNumberToObject(row, "n", n);
    cJSON_AddNumberToObject(row, "flops", c->flops ? c->flops(n) : 0);
    cJSON_AddNumberToObject(row, "bytes", c->bytes(n));
    for (int i = 0; i < 3; i++) bench_report_timing(row, &timings[i]);
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    const char *name = "cuda", *why;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 64u << 20);
    Options *options =
        command_options(keep, &command, "device", "Kernels on another device beside the CPU's.");
    options_choice(options, "device", 'd', &name, DEVICE_NAMES, "held against cpu");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    bench_threads(command.threads[command.thread_counts - 1]);
    Place places[2];
    for (int i = 0; i < 2; i++) {
        if (!device_use(i == 0 ? "cpu" : name, &why)) {
            error_set(&err, "--device %s: %s", name, why);
            return error_report(&err);
        }
        if (!place_new(&places[i], device, &err)) return error_report(&err);
    }
    float *host = places[0].on->reserve(MOST * sizeof *host),
          *back = places[0].on->reserve(MOST * sizeof *back);
    if (host == NULL || back == NULL) return 1;
    memset(host, 0, MOST * sizeof *host);

    BenchReport *report = bench_report_new(keep, "device", "none");
    printf(
        "\nmilliseconds of a call, medians of interleaved rounds, on %s and on the cpu; how many "
        "times as fast\nit is, and how many with the transfers from and to the host\n"
        "kernel               n      device         cpu    device       cpu           faster  "
        "with\n",
        device->name);
    for (int c = 0; c < CASES; c++)
        for (int i = 0; i < (command.quick ? 1 : SIZES); i++)
            if (!measure(&command, places, host, back, &cases[c], cases[c].sizes[i], report, &err))
                return error_report(&err);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
