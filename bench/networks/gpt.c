/* gpt.c -- a GPT in GPT-2's style, in three sizes: nanoGPT's small form for a CPU,
 * its form for characters, and GPT-2's smallest.
 *
 * Learned positions, LayerNorm before, biases, GELU (tanh form), output head tied to the embedding, no dropout,
 * AdamW, float32, one batch of random tokens. Peers: PyTorch (peers/train_gpt.py) and llm.c, where
 * $LAB_LLMC names what peers/llmc.c is built to.
 */
#include "bench/networks/networks.h"
#include "labs/3_language/transformer/model/model.h"

typedef struct Size {
    int layers, heads, width, context, batch, vocabulary;
} Size;

static const Size SIZES[] = {
    {4, 4, 128, 64, 12, 65}, {6, 6, 384, 256, 16, 65}, {12, 12, 768, 64, 4, 50257}};

// The products of one step, forward and twice as many backward: 2 a weight and token, and of causal attention
// half of the T x T scores and sums; its backward computes the scores once more, 5 products for 2. Norms,
// GELU, the loss and AdamW are not counted, so the share of peak is understated.
static double flops(const TrainingForm *form)
{
    const Size *s = form->shape;
    double tokens = form->batch, d = s->width;
    double weights = s->layers * 12 * d * d + s->vocabulary * d;
    return tokens * (6 * weights + 7.0 * s->layers * d * s->context);
}

static Tensor *loss(Tape *tape, const Trainer *trainer)
{
    return model_loss(tape, trainer->model, trainer->x, trainer->labels, (Draw){0});
}

static Trainer make(Arena *keep, const TrainingForm *form)
{
    const Size *s = form->shape;
    Rng rng = rng_from_seed(1);
    Params *params = params_new(keep);
    Model *model = arena_alloc(keep, sizeof *model);
    *model = model_new(params,
                       model_config_gpt2((ModelSize){.vocabulary = s->vocabulary,
                                                     .context = s->context,
                                                     .width = s->width,
                                                     .layers = s->layers,
                                                     .heads = s->heads}),
                       &rng);
    int tokens = form->batch, batch = tokens / s->context;
    int32_t *ids = arena_alloc(keep, sizeof *ids * 2 * (size_t)tokens);
    for (int i = 0; i < 2 * tokens; i++) ids[i] = (int32_t)rng_below(&rng, (uint32_t)s->vocabulary);
    OptimizerConfig adam = {
        .kind = OPTIMIZER_ADAM, .beta2 = 0.95f, .decay = 0.1f, .schedule = {.peak = 3e-4f}};
    return (Trainer){.params = params,
                     .optimizer = optimizer_new(keep, params, adam),
                     .model = model,
                     .x = tensor_from_ints(keep, SHAPE(batch, s->context), ids),
                     .labels = tensor_from_ints(keep, SHAPE(batch, s->context), ids + tokens),
                     .loss = loss};
}

TrainingBench network_gpt(Arena *keep)
{
    static const char *const names[] = {"small", "characters", "gpt2"};
    static const int rounds[] = {11, 3, 3};
    TrainingForm *forms = arena_alloc(keep, 3 * sizeof *forms);
    for (int i = 0; i < 3; i++) {
        const Size *s = &SIZES[i];
        forms[i] = (TrainingForm){.name = names[i],
                                  .request = arena_print(keep, "\"size\": [%d, %d, %d, %d, %d, %d]",
                                                         s->layers, s->heads, s->width, s->context,
                                                         s->batch, s->vocabulary),
                                  .batch = s->batch * s->context,
                                  .rounds = rounds[i],
                                  .flops = flops,
                                  .make = make,
                                  .shape = s};
    }
    return (TrainingBench){.name = "train_gpt",
                           .summary = "Training steps of a GPT in three sizes.",
                           .unit = "tokens",
                           .program = "LAB_LLMC",
                           .label = "llm.c",
                           .forms = forms,
                           .count = 3};
}
