/* autoencoder.c -- 784-256-64-256-784, as a lab would write it: relu after the three inner layers, sigmoid at the
 * end, mean squared error, Adam, float32, uniform noise.
 */
#include "bench/networks/networks.h"
#include "common/loss.h"

enum { LAYERS = 4 };
static const int WIDTH[LAYERS + 1] = {784, 256, 64, 256, 784};

// The products of one step, 2 m n k each: forward and the weights' gradient in every layer, and the
// input's gradient in all but the first, whose input needs none. Biases, activations, the loss and
// Adam (some 15 operations a parameter) are not counted, so the share of peak is understated.
static double flops(const TrainingForm *form)
{
    double sum = 0;
    for (int i = 0; i < LAYERS; i++)
        sum += (i == 0 ? 2 : 3) * 2.0 * form->batch * WIDTH[i] * WIDTH[i + 1];
    return sum;
}

static Tensor *loss(Tape *tape, const Trainer *trainer)
{
    const Linear *layers = trainer->model;
    Tensor *h = trainer->x;
    for (int i = 0; i < LAYERS; i++)
        h = op_linear_activated(tape, h, layers[i].weight, layers[i].bias,
                                i < LAYERS - 1 ? ACTIVATION_RELU : ACTIVATION_SIGMOID);
    return loss_mse(tape, h, trainer->x);
}

static Trainer make(Arena *keep, const TrainingForm *form)
{
    Rng rng = rng_from_seed(1);
    Params *params = params_new(keep);
    Linear *layers = arena_alloc(keep, LAYERS * sizeof *layers);
    for (int i = 0; i < LAYERS; i++)
        layers[i] = linear_new(params, arena_print(keep, "%d", i), WIDTH[i], WIDTH[i + 1],
                               i < LAYERS - 1 ? init_he : init_glorot, &rng);
    const size_t count = (size_t)form->batch * (size_t)WIDTH[0];
    float *pixels = arena_alloc(keep, sizeof *pixels * count);
    rng_fill_uniform(&rng, pixels, count);
    OptimizerConfig adam = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1e-3f}};
    return (Trainer){.params = params,
                     .optimizer = optimizer_new(keep, params, adam),
                     .model = layers,
                     .x = tensor_from(keep, SHAPE(form->batch, WIDTH[0]), pixels),
                     .loss = loss};
}

TrainingBench network_autoencoder(Arena *keep)
{
    (void)keep;
    static const TrainingForm form = {.batch = 128, .flops = flops, .make = make};
    return (TrainingBench){.name = "train_autoencoder",
                           .summary = "Training steps of 784-256-64-256-784, batch 128, Adam.",
                           .unit = "images",
                           .forms = &form,
                           .count = 1};
}
