/* lenet.c -- the plain LeNet, from data to accuracy. ./build/labs/lenet [EPOCHS [IMAGES]] */
#include <stdio.h>
#include <stdlib.h>
#include "common/conv.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "common/pool.h"
#include "datasets/images.h"
#include "kernels/device.h"

enum { BATCH = 64 };
static Conv2d conv1, conv2;
static Linear hidden, scores;

static Tensor *lenet(Tape *tape, Tensor *x)    // [B,784] -> [B,10]
{
    int batch = x->shape.size[0];
    Tensor *h = tensor_view(tape->arena, x, SHAPE(batch, 1, 28, 28));
    h = conv2d_forward(tape, &conv1, h);                                   // [B,20,24,24]
    h = op_relu(tape, op_max_pool(tape, h, (PoolConfig){.kernel = 2}));    // [B,20,12,12]
    h = conv2d_forward(tape, &conv2, h);                                   // [B,50,8,8]
    h = op_relu(tape, op_max_pool(tape, h, (PoolConfig){.kernel = 2}));    // [B,50,4,4]
    h = tensor_view(tape->arena, h, SHAPE(batch, 800));
    h = op_relu(tape, linear_forward(tape, &hidden, h));    // [B,500]
    return linear_forward(tape, &scores, h);
}

int main(int argc, char **argv)
{
    int epochs = argc > 1 ? atoi(argv[1]) : 5, images = argc > 2 ? atoi(argv[2]) : 0;
    const char *why = "EPOCHS and IMAGES are numbers from 1 on";
    bool right = epochs > 0 && images >= 0 && device_use("cpu", &why);
    Error err = {""};
    if (!right) return error_set(&err, "lenet: %s", why), error_report(&err);

    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)1 << 28);
    Images train, test;    // 1. data: MNIST if it is there, else generated digits
    ImagesSource source = {.data_dir = getenv("LAB_DATA"), .seed = 42, .train = images};
    if (!images_load(keep, &train, &test, source, &err)) return error_report(&err);

    Rng rng = rng_from_seed(42);    // 2. model
    Params *params = params_new(keep);
    conv1 = conv2d_new(params, "conv1", 1, 20, 5, (ConvConfig){0}, true, &rng);
    conv2 = conv2d_new(params, "conv2", 20, 50, 5, (ConvConfig){0}, true, &rng);
    hidden = linear_new(params, "hidden", 800, 500, init_he, &rng);
    scores = linear_new(params, "scores", 500, train.classes, init_glorot, &rng);
    OptimizerConfig config = {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .schedule = {.peak = 0.02f}};
    Optimizer *sgd = optimizer_new(keep, params, config);

    Tape *tape = tape_new(step);
    int *order = arena_alloc(keep, (size_t)train.count * sizeof *order);
    for (int i = 0; i < train.count; i++) order[i] = i;
    for (int epoch = 1; epoch <= epochs; epoch++) {
        rng_shuffle(&rng, order, train.count);    // 3. train
        for (int i = 0; i < train.count; i += BATCH, tape_reset(tape)) {
            int rows = train.count - i < BATCH ? train.count - i : BATCH;
            Tensor *logits = lenet(tape, images_batch(step, &train, order + i, rows));
            Tensor *labels = images_labels(step, &train, order + i, rows);
            tape_backward(tape, loss_cross_entropy(tape, logits, labels));
            optimizer_step(sgd);
        }
        int correct = 0;    // 4. test
        tape_quiet(tape, true);
        for (int i = 0; i < test.count; i++, tape_reset(tape)) {
            const float *z = tensor_values(step, lenet(tape, images_batch(step, &test, &i, 1)));
            int best = 0;
            for (int c = 1; c < test.classes; c++)
                if (z[c] > z[best]) best = c;
            correct += best == test.labels[i];
        }
        tape_quiet(tape, false);
        printf("epoch %d: test accuracy %.2f %%\n", epoch, 100.0 * correct / test.count);
    }
    return 0;
}
