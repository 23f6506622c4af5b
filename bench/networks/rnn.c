/* rnn.c -- a character model: embedding, LSTM or GRU layers, output head.
 *
 * 65 characters, windows of 64, batch 32, one batch of random tokens, cross-entropy, gradients clipped at 1, Adam,
 * float32. Forms: an LSTM of 128, two LSTMs of 256, a GRU of 128; the embedding is 128 wide.
 */
#include "bench/networks/networks.h"
#include "common/embedding.h"
#include "common/loss.h"
#include "common/recurrent.h"

enum { T = 64, V = 65, E = 128, LAYERS_MAX = 2 };

typedef struct Size {
    const char *name;
    int gates, layers, hidden;
} Size;

static const Size SIZES[] = {{"lstm", 4, 1, 128}, {"lstm2", 4, 2, 256}, {"gru", 3, 1, 128}};
enum { SIZES_COUNT = sizeof SIZES / sizeof *SIZES };

typedef struct Model {
    const Size *size;
    Tensor *embedding, *w[LAYERS_MAX], *u[LAYERS_MAX], *b[LAYERS_MAX], *c[LAYERS_MAX];
    Linear out;
} Model;

// The products of one step, 2 for each weight and token, forward and twice as many backward. Gates, the loss, clipping
// and Adam are not counted, so the share of peak is understated.
static double flops(const TrainingForm *form)
{
    const Size *s = form->shape;
    double weights = (double)s->hidden * V;
    for (int l = 0; l < s->layers; l++)
        weights += (double)s->gates * s->hidden * ((l == 0 ? E : s->hidden) + s->hidden);
    return 6 * weights * form->batch;
}

static Tensor *loss(Tape *tape, const Trainer *trainer)
{
    const Model *m = trainer->model;
    Tensor *h = op_embedding(tape, trainer->x, m->embedding);
    for (int l = 0; l < m->size->layers; l++)
        h = m->size->gates == 4 ? op_lstm(tape, h, m->w[l], m->u[l], m->b[l], NULL)
                                : op_gru(tape, h, m->w[l], m->u[l], m->b[l], m->c[l], NULL);
    return loss_cross_entropy(tape, linear_forward(tape, &m->out, h), trainer->labels);
}

static Tensor *add(Params *params, const char *what, int layer, Shape shape, int fan, Rng *rng)
{
    Tensor *x = params_add(params, arena_print(params->arena, "%s.%d", what, layer), shape);
    if (shape.dims == 2) init_glorot(x, fan, fan, rng);
    return x;
}

static Trainer make(Arena *keep, const TrainingForm *form)
{
    const Size *s = form->shape;
    Rng rng = rng_from_seed(1);
    Params *params = params_new(keep);
    Model *m = arena_zeros(keep, sizeof *m);
    m->size = s;
    m->embedding = add(params, "embedding", 0, SHAPE(V, E), 3, &rng);
    for (int l = 0; l < s->layers; l++) {
        const int rows = s->gates * s->hidden, in = l == 0 ? E : s->hidden;
        m->w[l] = add(params, "weight_ih", l, SHAPE(rows, in), in, &rng);
        m->u[l] = add(params, "weight_hh", l, SHAPE(rows, s->hidden), s->hidden, &rng);
        m->b[l] = add(params, "bias", l, SHAPE(rows), 0, &rng);
        if (s->gates == 3) m->c[l] = add(params, "bias_hn", l, SHAPE(s->hidden), 0, &rng);
    }
    m->out = linear_new(params, "out", s->hidden, V, init_glorot, &rng);
    const int B = form->batch / T;
    int32_t *ids = arena_alloc(keep, 2 * (size_t)form->batch * sizeof *ids);
    for (int i = 0; i < 2 * T * B; i++) ids[i] = (int32_t)rng_below(&rng, V);
    OptimizerConfig adam = {.kind = OPTIMIZER_ADAM, .clip_norm = 1, .schedule = {.peak = 2e-3f}};
    return (Trainer){.params = params,
                     .optimizer = optimizer_new(keep, params, adam),
                     .model = m,
                     .x = tensor_from_ints(keep, SHAPE(T, B), ids),
                     .labels = tensor_from_ints(keep, SHAPE(T, B), ids + T * B),
                     .loss = loss};
}

TrainingBench network_rnn(Arena *keep)
{
    TrainingForm *forms = arena_alloc(keep, SIZES_COUNT * sizeof *forms);
    for (int i = 0; i < SIZES_COUNT; i++) {
        const Size *s = &SIZES[i];
        forms[i] = (TrainingForm){
            .name = s->name,
            .request = arena_print(keep, "\"size\": [%d, %d, %d]", s->gates, s->layers, s->hidden),
            .batch = T * 32,
            .rounds = i == 1 ? 3 : 11,
            .flops = flops,
            .make = make,
            .shape = s};
    }
    return (TrainingBench){.name = "train_rnn",
                           .summary = "Training steps of a recurrent character model.",
                           .unit = "tokens",
                           .forms = forms,
                           .count = SIZES_COUNT};
}
