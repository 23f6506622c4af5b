/* train_lenet.c -- training steps a second of LeNet's form: two convolutions 5 x 5 of 20 and 50 channels, each
 * behind a relu and a max pooling of 2 x 2, then 500 and 10 units.
 *
 * Softmax cross-entropy, SGD with momentum 0.9, float32, batch 64: one fixed batch of uniform noise that
 * stays in memory, so that only training is timed and neither files nor shuffling. Every sample starts from
 * the same new weights. With --peers, the same in PyTorch (peers/train_lenet.py), its rounds between ours,
 * its page faults removed (peer_keep_memory).
 */
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "common/conv.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "common/pool.h"
#include "kernels/kernels.h"

enum { BATCH = 64, SIDE = 28, CLASSES = 10, HIDDEN = 500 };
static const int CHANNELS[3] = {1, 20, 50};

// The products of one step, 2 m n k each: forward, the weights' gradient, and the input's in all but the first
// layer. Pooling, activations, biases, the loss and SGD are not counted, so the share of peak is understated.
static double flops_per_step(void)
{
    const double conv[] = {24 * 24 * 20 * 25.0, 8 * 8 * 50 * 500.0};
    return 2.0 * BATCH * (2 * conv[0] + 3 * conv[1] + 3 * (800.0 * HIDDEN + HIDDEN * CLASSES));
}

typedef struct Trainer {
    Tape *tape;
    Conv2d conv[2];
    Linear linear[2];
    Optimizer *sgd;
    Tensor *x, *label;    // [B,1,28,28], [B]
    float *initial;       // all parameters, one after the other
    double first_loss, last_loss;
} Trainer;

static Trainer *trainer_new(Arena *keep, Arena *step)
{
    Rng rng = rng_from_seed(1);
    Trainer *trainer = arena_zeros(keep, sizeof *trainer);
    Params *params = params_new(keep);
    for (int i = 0; i < 2; i++)
        trainer->conv[i] = conv2d_new(params, arena_print(keep, "conv%d", i), CHANNELS[i],
                                      CHANNELS[i + 1], 5, (ConvConfig){0}, true, &rng);
    trainer->linear[0] = linear_new(params, "fc0", 4 * 4 * CHANNELS[2], HIDDEN, init_he, &rng);
    trainer->linear[1] = linear_new(params, "fc1", HIDDEN, CLASSES, init_glorot, &rng);
    trainer->tape = tape_new(step);
    trainer->sgd = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_SGD, .momentum = 0.9f, .schedule = {.peak = 1e-2f}});
    float pixels[BATCH * SIDE * SIDE];
    int32_t labels[BATCH];
    rng_fill_uniform(&rng, pixels, BATCH * SIDE * SIDE);
    for (int i = 0; i < BATCH; i++) labels[i] = (int32_t)rng_below(&rng, CLASSES);
    trainer->x = tensor_from(keep, SHAPE(BATCH, 1, SIDE, SIDE), pixels);
    trainer->label = tensor_from_ints(keep, SHAPE(BATCH), labels);
    trainer->initial = arena_alloc(keep, params_total(params) * sizeof(float));
    float *next = trainer->initial;
    for (int i = 0; i < params->count; next += tensor_count(params->items[i++].tensor))
        tensor_read(params->items[i].tensor, next);
    return trainer;
}

// Back to the first weights, with an optimizer that has seen nothing.
static void trainer_restart(Trainer *trainer)
{
    Optimizer *sgd = trainer->sgd;
    const float *next = trainer->initial;
    for (int i = 0; i < sgd->params->count; next += tensor_count(sgd->params->items[i++].tensor))
        tensor_write(sgd->params->items[i].tensor, next);
    kernels.fill(sgd->moments[0], 0.0f, sgd->params->trained.count);
    sgd->step = 0;
}

static double train_step(Trainer *trainer)
{
    Tape *tape = trainer->tape;
    Tensor *h = trainer->x;
    for (int i = 0; i < 2; i++) {
        const Conv2d *conv = &trainer->conv[i];
        h = op_conv2d_relu(tape, h, conv->weight, conv->bias, conv->config);
        h = op_max_pool(tape, h, (PoolConfig){.kernel = 2});
    }
    h = tensor_view(tape->arena, h, SHAPE(BATCH, 4 * 4 * CHANNELS[2]));
    h = op_linear_relu(tape, h, trainer->linear[0].weight, trainer->linear[0].bias);
    h = linear_forward(tape, &trainer->linear[1], h);
    Tensor *loss = loss_cross_entropy(tape, h, trainer->label);
    const double value = (double)tensor_item(loss);
    tape_backward(tape, loss);
    optimizer_step(trainer->sgd);
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
    return error_set(err, "the loss is not a number after %ld steps", trainer->sgd->step), -1;
}

// One of PyTorch's forms of SGD.
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
        contenders[count] = (Contender){arena_print(keep, "PyTorch, %s", form->valuestring),
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

// The most memory that this process has used so far, in MB.
static double peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1.024e-3 * (double)usage.ru_maxrss;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20), *step = arena_new("step", 64u << 20);
    Options *options = command_options(keep, &command, "train_lenet",
                                       "Training steps of LeNet's form, batch 64, SGD.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    double grown = peak_mb();
    Trainer *trainer = trainer_new(keep, step);
    if (run_ours(trainer, 3, &err) < 0) return error_report(&err);
    grown = peak_mb() - grown;
    Peer *peer = NULL;
    peer_keep_memory();
    if (command.peers && (peer = peer_open(keep, "train_lenet.py", &err)) == NULL)
        printf("%s\n", err.message);
    BenchReport *report = bench_report_new(keep, "train_lenet", "none");
    if (peer != NULL) bench_report_peer(report, peer);
    Plan plan =
        command.quick ? BENCH_QUICK : (Plan){.rounds = 15, .seconds = 3, .sample_seconds = 0.2};
    for (int i = 0; i < command.thread_counts; i++) {
        bench_threads(command.threads[i]);
        Peak peak = peak_measure(command.threads[i]);
        bench_report_peak(report, peak);
        printf("\n%-24s %2s %9s %21s %7s %8s %5s %9s\n", "", "t", "images/s", "middle half",
               "ms/step", "GFLOP/s", "peak", "ours/its");
        if (!measure(trainer, keep, peer, plan, peak, report, &err)) return error_report(&err);
        putchar('\n');
    }
    printf("memory that training took: %.1f MB", grown);
    if (peer != NULL)
        printf(", PyTorch's %.1f MB", cJSON_GetObjectItem(peer->hello, "grown_mb")->valuedouble);
    printf("; a step's activations and their gradients: %.3f MB at most\n",
           1e-6 * (double)arena_numbers_peak(trainer->tape->arena));
    printf("our loss: %.4f at first, %.4f after the %ld steps of a sample  (~ noisy)\n",
           trainer->first_loss, trainer->last_loss, trainer->sgd->step);
    peer_close(peer);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
