/* recompute.c -- activation checkpointing: what a training step needs in memory and in time when parts
 * of the network are computed again by backward (tape_recompute; Chen et al. 2016).
 *
 * A network of 32 ReLU layers of 256 units, batch 512, mean squared error, Adam. Whole: every layer's
 * output is kept. In parts of 4 or 8 layers: only the parts' inputs, and one part's layers at a time.
 */
#include <stdio.h>
#include "bench/command.h"
#include "bench/report.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "kernels/device.h"

enum { LAYERS = 32, WIDTH = 256, BATCH = 512 };

typedef struct Net {
    Linear layer[LAYERS];
    Optimizer *adam;
    Tensor *x, *target;
} Net;

// Layers first .. first + count - 1.
typedef struct Part {
    const Net *net;
    int first, count;
} Part;

static Tensor *layers(Tape *tape, const void *context, Tensor *const in[])
{
    const Part *part = context;
    Tensor *h = in[0];
    for (int i = part->first; i < part->first + part->count; i++)
        h = op_linear_relu(tape, h, part->net->layer[i].weight, part->net->layer[i].bias);
    return h;
}

typedef struct Trainer {
    Net *net;
    Tape *tape;
    int part;       // layers in one; LAYERS: nothing is computed again
    size_t peak;    // bytes of numbers in a step
} Trainer;

static void step(Trainer *trainer)
{
    Tape *tape = trainer->tape;
    Net *net = trainer->net;
    Tensor *h = net->x;
    for (int i = 0; i < LAYERS; i += trainer->part) {
        Part *part = arena_alloc(tape->arena, sizeof *part);
        *part = (Part){net, i, trainer->part};
        h = trainer->part == LAYERS
                ? layers(tape, part, &h)
                : tape_recompute(tape, layers, part, SHAPE(BATCH, WIDTH), INPUTS(h));
    }
    Tensor *loss = loss_mse(tape, h, net->target);
    tape_backward(tape, loss);
    optimizer_step(net->adam);
    trainer->peak = arena_numbers_peak(tape->arena);
    tape_reset(tape);
}

static double run(void *work, long calls, Error *err)
{
    (void)err;
    double start = bench_now();
    for (long i = 0; i < calls; i++) step(work);
    return bench_now() - start;
}

static Net *net_new(Arena *keep)
{
    Rng rng = rng_from_seed(1);
    Net *net = arena_alloc(keep, sizeof *net);
    Params *params = params_new(keep);
    float *x = arena_alloc(keep, sizeof *x * BATCH * WIDTH);
    for (int i = 0; i < LAYERS; i++)
        net->layer[i] = linear_new(params, arena_print(keep, "%d", i), WIDTH, WIDTH, init_he, &rng);
    net->adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-4f}});
    rng_fill_uniform(&rng, x, BATCH * WIDTH);
    net->x = tensor_from(keep, SHAPE(BATCH, WIDTH), x);
    rng_fill_uniform(&rng, x, BATCH * WIDTH);
    net->target = tensor_from(keep, SHAPE(BATCH, WIDTH), x);
    return net;
}

int main(int argc, char **argv)
{
    enum { WAYS = 3 };
    static const int parts[WAYS] = {LAYERS, 8, 4};
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20);
    Options *options =
        command_options(keep, &command, "recompute",
                        "Memory and time of a training step with activation checkpointing.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "recompute", "");
    for (int t = 0; t < command.thread_counts; t++) {
        Trainer trainers[WAYS];
        Contender contenders[WAYS];
        Timing timings[WAYS];
        bench_threads(command.threads[t]);
        for (int i = 0; i < WAYS; i++) {
            trainers[i] = (Trainer){.net = net_new(keep),
                                    .tape = tape_new(arena_new("step", 256u << 20)),
                                    .part = parts[i]};
            contenders[i] =
                (Contender){parts[i] == LAYERS ? "everything kept"
                                               : arena_print(keep, "parts of %d layers", parts[i]),
                            run, &trainers[i]};
        }
        if (!bench_compare(contenders, WAYS, command.plan, timings, &err))
            return error_report(&err);
        printf("\n%-20s %2s %12s %10s %9s %12s\n", "", "t", "peak, MB", "ms/step", "memory",
               "time");
        for (int i = 0; i < WAYS; i++) {
            const Trainer *trainer = &trainers[i];
            printf("%-20s %2d %12.2f %10.2f %8.0f%% %11.0f%%\n", timings[i].name,
                   command.threads[t], 1e-6 * (double)trainer->peak,
                   1e3 * timings[i].seconds.median,
                   100.0 * (double)trainer->peak / (double)trainers[0].peak,
                   100 * timings[i].ratio.median);
            cJSON *row = bench_report_row(report);
            cJSON_AddNumberToObject(row, "threads", command.threads[t]);
            cJSON_AddNumberToObject(row, "layers_in_a_part", trainer->part);
            cJSON_AddNumberToObject(row, "peak_bytes", (double)trainer->peak);
            bench_report_timing(row, &timings[i]);
        }
    }
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
