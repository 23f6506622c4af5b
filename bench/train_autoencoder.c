/* train_autoencoder.c -- training steps a second of 784-256-64-256-784, as a lab would write them.
 *
 * Relu after the three inner layers, sigmoid at the end, mean squared error, Adam, float32, batch
 * 128: one fixed batch of uniform noise that stays in memory, so that only training is timed and
 * neither files nor shuffling. Every sample starts from the same new weights, so that both sides
 * are timed over the same stretch of training: later, units die, their moments in Adam decay into
 * denormal numbers, and a step of PyTorch's takes half as long again. With --peers, the same in
 * PyTorch (peers/train_autoencoder.py), its rounds between ours.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "bench/rivals.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "kernels/kernels.h"

enum { LAYERS = 4, BATCH = 128 };
static const int WIDTH[LAYERS + 1] = {784, 256, 64, 256, 784};

// The products of one step, 2 m n k each: forward and the weights' gradient in every layer, and the
// input's gradient in all but the first, whose input needs none. Biases, activations, the loss and
// Adam (some 15 operations a parameter) are not counted, so the share of peak is understated.
static double flops_per_step(void)
{
    double flops = 0;
    for (int i = 0; i < LAYERS; i++)
        flops += (i == 0 ? 2 : 3) * 2.0 * BATCH * WIDTH[i] * WIDTH[i + 1];
    return flops;
}

typedef struct Trainer {
    Tape *tape;
    Linear layer[LAYERS];
    Optimizer *adam;
    Tensor *x;         // [B,784]
    float *initial;    // all parameters, one after the other
    double first_loss, last_loss;
} Trainer;

static Trainer *trainer_new(Arena *keep, Arena *step)
{
    Rng rng = rng_from_seed(1);
    Trainer *trainer = arena_zeros(keep, sizeof *trainer);
    Params *params = params_new(keep);
    for (int i = 0; i < LAYERS; i++)
        trainer->layer[i] = linear_new(params, arena_print(keep, "%d", i), WIDTH[i], WIDTH[i + 1],
                                       i < LAYERS - 1 ? init_he : init_glorot, &rng);
    trainer->tape = tape_new(step);
    trainer->adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}});
    float *pixels = arena_alloc(keep, sizeof *pixels * BATCH * 784);
    rng_fill_uniform(&rng, pixels, BATCH * 784);
    trainer->x = tensor_from(keep, SHAPE(BATCH, WIDTH[0]), pixels);
    trainer->initial = arena_alloc(keep, params_total(params) * sizeof(float));
    float *next = trainer->initial;
    for (int i = 0; i < params->count; next += tensor_count(params->items[i++].tensor))
        tensor_read(params->items[i].tensor, next);
    return trainer;
}

// Back to the first weights, with an optimizer that has seen nothing.
static void trainer_restart(Trainer *trainer)
{
    Optimizer *adam = trainer->adam;
    const float *next = trainer->initial;
    for (int i = 0; i < adam->params->count; next += tensor_count(adam->params->items[i++].tensor))
        tensor_write(adam->params->items[i].tensor, next);
    for (int i = 0; i < 2; i++) kernels.fill(adam->moments[i], 0.0f, adam->params->trained.count);
    adam->step = 0;
}

static double train_step(Trainer *trainer)
{
    Tape *tape = trainer->tape;
    Tensor *h = trainer->x;
    for (int i = 0; i < LAYERS; i++) {
        const Linear *layer = &trainer->layer[i];
        h = op_linear_activated(tape, h, layer->weight, layer->bias,
                                i < LAYERS - 1 ? ACTIVATION_RELU : ACTIVATION_SIGMOID);
    }
    Tensor *loss = loss_mse(tape, h, trainer->x);
    double value = (double)tensor_item(loss);
    tape_backward(tape, loss);
    optimizer_step(trainer->adam);
    tape_reset(tape);
    return value;
}

static double run_ours(void *work, long calls, Error *err)
{
    Trainer *trainer = work;
    trainer_restart(trainer);
    trainer->first_loss = train_step(trainer);
    double start = bench_now();
    for (long i = 0; i < calls; i++) trainer->last_loss = train_step(trainer);
    double seconds = bench_now() - start;
    if (isfinite(trainer->last_loss)) return seconds;
    return error_set(err, "the loss is not a number after %ld steps", trainer->adam->step), -1;
}

// One of PyTorch's forms of Adam.
typedef struct PeerTask {
    Peer *peer;
    const char *form;
    int threads;
} PeerTask;

static double run_peer(void *work, long calls, Error *err)
{
    PeerTask *task = work;
    return peer_ask(task->peer, err, "{\"threads\": %d, \"form\": \"%s\", \"calls\": %ld}",
                    task->threads, task->form, calls);
}

static void print_row(const Timing *timing, Peak peak)
{
    Stats s = timing->seconds;
    double gflops = flops_per_step() / s.median * 1e-9;
    printf("%-24s %2d %9.0f %9.0f - %-9.0f %7.3f %8.1f %4.0f%% %9.2f%s\n", timing->name,
           peak.threads, BATCH / s.median, BATCH / s.quartile3, BATCH / s.quartile1, 1e3 * s.median,
           gflops, 100 * gflops / peak.gflops, timing->ratio.median,
           bench_noisy(s) || bench_noisy(timing->ratio) ? " ~" : "");
}

static bool measure(Trainer *trainer, Arena *keep, Peer *peer, Plan plan, Peak peak,
                    BenchReport *report, Error *err)
{
    Contender contenders[BENCH_MAX_CONTENDERS] = {{"ours", run_ours, trainer}};
    PeerTask tasks[BENCH_MAX_CONTENDERS];
    int count = 1;
    cJSON *form, *forms = peer != NULL ? cJSON_GetObjectItem(peer->hello, "forms") : NULL;
    cJSON_ArrayForEach(form, forms)
    {
        tasks[count] = (PeerTask){peer, form->valuestring, peak.threads};
        contenders[count] = (Contender){arena_print(keep, "PyTorch, Adam %s", form->valuestring),
                                        run_peer, &tasks[count]};
        count++;
    }
    Timing timings[BENCH_MAX_CONTENDERS];
    if (!bench_compare(contenders, count, plan, timings, err)) return false;

    cJSON *row = bench_report_row(report);
    cJSON_AddNumberToObject(row, "threads", peak.threads);
    cJSON_AddNumberToObject(row, "batch", BATCH);
    cJSON_AddNumberToObject(row, "flop", flops_per_step());
    int best = 1;
    for (int i = 0; i < count; i++) {
        print_row(&timings[i], peak);
        bench_report_timing(row, &timings[i]);
        if (i > 1 && timings[i].seconds.median < timings[best].seconds.median) best = i;
    }
    if (count > 1) {
        printf("%d thread%s: %.2f times %s, the best of its forms (middle half %.2f - %.2f)\n",
               peak.threads, peak.threads == 1 ? "" : "s", timings[best].ratio.median,
               timings[best].name, timings[best].ratio.quartile1, timings[best].ratio.quartile3);
        cJSON_AddStringToObject(row, "best_peer", timings[best].name);
        cJSON_AddNumberToObject(row, "ours_over_best_peer", timings[best].ratio.median);
    }
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20), *step = arena_new("step", 64u << 20);
    Options *options = command_options(keep, &command, "train_autoencoder",
                                       "Training steps of 784-256-64-256-784, batch 128, Adam.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Peer *peer = NULL;
    if (command.peers && (peer = peer_open(keep, "train_autoencoder.py", &err)) == NULL)
        printf("%s\n", err.message);
    Rival rivals[RIVAL_COUNT];
    rivals_open(keep, rivals);
    BenchReport *report = bench_report_new(keep, "train_autoencoder", rivals_text(keep, rivals));
    if (peer != NULL) bench_report_peer(report, peer);
    Plan plan =
        command.quick ? BENCH_QUICK : (Plan){.rounds = 15, .seconds = 3, .sample_seconds = 0.2};
    Trainer *trainer = trainer_new(keep, step);
    for (int i = 0; i < command.thread_counts; i++) {
        bench_threads(command.threads[i]);
        Peak peak = peak_measure(command.threads[i]);
        bench_report_peak(report, peak);
        printf("\n%-24s %2s %9s %21s %7s %8s %5s %9s\n", "", "t", "images/s", "middle half",
               "ms/step", "GFLOP/s", "peak", "ours/its");
        if (!measure(trainer, keep, peer, plan, peak, report, &err)) return error_report(&err);
        putchar('\n');
    }
    printf("a step's activations and their gradients: %.3f MB at most\n",
           1e-6 * (double)arena_numbers_peak(trainer->tape->arena));
    printf("our loss: %.4f at first, %.4f after the %ld steps of a sample  (~ noisy)\n",
           trainer->first_loss, trainer->last_loss, trainer->adam->step);
    peer_close(peer);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
