/* bench_rbm.c -- steps of contrastive divergence a second: an RBM of 784 and 500 units, CD-1, batch 100.
 *
 *     ./lab bench train_rbm --peers        beside PyTorch (LAB_PYTHON names a Python)
 *
 * A step is what the lab's training takes: two samplings, the gradient, the reconstruction error, plain
 * gradient ascent.
 */
#include "bench/training.h"
#include "labs/2_core/boltzmann/rbm.h"

enum { HIDDEN = 500, BATCH = 100 };

// Five products: v to h twice, h to v, and the statistics of the data and of the model.
static double flops(const TrainingForm *form)
{
    (void)form;
    return 5 * 2.0 * BATCH * PIXELS * HIDDEN;
}

static Tensor *loss(Tape *tape, const Trainer *trainer)
{
    static Rng rng;
    if (rng.increment == 0) rng = rng_from_seed(2);
    Batch batch = {.x = trainer->x, .rows = BATCH, .rng = &rng, .arena = tape->arena};
    return rbm_loss(tape, trainer->model, &batch);
}

static Trainer make(Arena *keep, const TrainingForm *form)
{
    (void)form;
    Rng rng = rng_from_seed(1);
    Images images;
    images_generate(keep, &images, 1, 0, BATCH);
    const Source source = {.images = &images, .binary = true};
    Params *params = params_new(keep);
    RbmModel *model = arena_alloc(keep, sizeof *model);
    *model = rbm_new(params, "cd", &source, HIDDEN, &rng);
    OptimizerConfig sgd = {.kind = OPTIMIZER_SGD, .schedule = {.peak = 0.05f}};
    return (Trainer){.params = params,
                     .optimizer = optimizer_new(keep, params, sgd),
                     .model = model,
                     .x = source_first(keep, &source, BATCH),
                     .loss = loss};
}

int main(int argc, char **argv)
{
    static const TrainingForm form = {.batch = BATCH, .flops = flops, .make = make};
    return training_bench(
        &(TrainingBench){.name = "train_rbm",
                         .summary = "Steps of CD-1 on an RBM of 784 and 500 units, batch 100.",
                         .unit = "images",
                         .forms = &form,
                         .count = 1},
        argc, argv);
}
