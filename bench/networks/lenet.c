/* lenet.c -- LeNet's form: two convolutions 5 x 5 of 20 and 50 channels, each behind a relu and a max pooling of
 * 2 x 2, then 500 and 10 units. Softmax cross-entropy, SGD with momentum 0.9, float32, uniform noise.
 */
#include "bench/networks/networks.h"
#include "common/conv.h"
#include "common/loss.h"
#include "common/pool.h"

enum { SIDE = 28, CLASSES = 10, HIDDEN = 500 };
static const int CHANNELS[3] = {1, 20, 50};

typedef struct Lenet {
    Conv2d conv[2];
    Linear linear[2];
} Lenet;

// The products of one step, 2 m n k each: forward, the weights' gradient, and the input's in all but the first
// layer. Pooling, activations, biases, the loss and SGD are not counted, so the share of peak is understated.
static double flops(const TrainingForm *form)
{
    const double conv[] = {24 * 24 * 20 * 25.0, 8 * 8 * 50 * 500.0};
    return 2.0 * form->batch *
           (2 * conv[0] + 3 * conv[1] + 3 * (800.0 * HIDDEN + HIDDEN * CLASSES));
}

static Tensor *loss(Tape *tape, const Trainer *trainer)
{
    const Lenet *net = trainer->model;
    Tensor *h = trainer->x;
    for (int i = 0; i < 2; i++) {
        const Conv2d *conv = &net->conv[i];
        h = op_conv2d_relu(tape, h, conv->weight, conv->bias, conv->config);
        h = op_max_pool(tape, h, (PoolConfig){.kernel = 2});
    }
    h = tensor_view(tape->arena, h, SHAPE(trainer->x->shape.size[0], 4 * 4 * CHANNELS[2]));
    h = op_linear_relu(tape, h, net->linear[0].weight, net->linear[0].bias);
    return loss_cross_entropy(tape, linear_forward(tape, &net->linear[1], h), trainer->labels);
}

static Trainer make(Arena *keep, const TrainingForm *form)
{
    Rng rng = rng_from_seed(1);
    Params *params = params_new(keep);
    Lenet *net = arena_alloc(keep, sizeof *net);
    for (int i = 0; i < 2; i++)
        net->conv[i] = conv2d_new(params, arena_print(keep, "conv%d", i), CHANNELS[i],
                                  CHANNELS[i + 1], 5, (ConvConfig){0}, true, &rng);
    net->linear[0] = linear_new(params, "fc0", 4 * 4 * CHANNELS[2], HIDDEN, init_he, &rng);
    net->linear[1] = linear_new(params, "fc1", HIDDEN, CLASSES, init_glorot, &rng);
    const size_t count = (size_t)form->batch;
    float *pixels = arena_alloc(keep, count * SIDE * SIDE * sizeof *pixels);
    int32_t *labels = arena_alloc(keep, count * sizeof *labels);
    rng_fill_uniform(&rng, pixels, count * SIDE * SIDE);
    for (size_t i = 0; i < count; i++) labels[i] = (int32_t)rng_below(&rng, CLASSES);
    OptimizerConfig sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .schedule = {.peak = 1e-2f}};
    return (Trainer){.params = params,
                     .optimizer = optimizer_new(keep, params, sgd),
                     .model = net,
                     .x = tensor_from(keep, SHAPE(form->batch, 1, SIDE, SIDE), pixels),
                     .labels = tensor_from_ints(keep, SHAPE(form->batch), labels),
                     .loss = loss};
}

TrainingBench network_lenet(Arena *keep)
{
    (void)keep;
    static const TrainingForm form = {.batch = 64, .flops = flops, .make = make};
    return (TrainingBench){.name = "train_lenet",
                           .summary = "Training steps of LeNet's form, batch 64, SGD.",
                           .unit = "images",
                           .forms = &form,
                           .count = 1};
}
