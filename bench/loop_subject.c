#include <math.h>
#include <string.h>
#include "bench/networks/networks.h"
#include "bench/subject.h"
#include "kernels/device.h"
#include "labs/3_language/transformer/model/model.h"

// ---- training: steps from the same first weights, on one batch, with the loss read after each ----

typedef struct TrainingRun {
    Prepared base;
    Arena *keep, *step;
    Trainer trainer;
    Tape *tape;
    void *initial, *x, *labels;    // on the host
} TrainingRun;

static void *host_copy(Arena *arena, const void *from, size_t bytes)
{
    void *copy = arena_alloc(arena, bytes);
    device->get(copy, from, bytes);
    return copy;
}

static void restart(TrainingRun *run)
{
    Optimizer *optimizer = run->trainer.optimizer;
    const Block weights = run->trainer.params->trained;
    device->put(weights.at, run->initial, weights.count * sizeof(float));
    for (int i = 0; i < 2 && optimizer->moments[i] != NULL; i++)
        kernels.fill(optimizer->moments[i], 0.0f, weights.count);
    optimizer->step = 0;
}

static float take_step(TrainingRun *run, bool transfers)
{
    Tensor *x = run->trainer.x, *labels = run->trainer.labels;
    if (transfers) device->put(x->data, run->x, tensor_bytes(x));
    if (transfers && labels != NULL) device->put(labels->data, run->labels, tensor_bytes(labels));
    Tensor *loss = run->trainer.loss(run->tape, &run->trainer);
    tape_backward(run->tape, loss);
    const float value = tensor_item(loss);
    optimizer_step(run->trainer.optimizer);
    tape_reset(run->tape);
    return value;
}

static double train(TrainingRun *run, long calls, bool transfers, Error *err)
{
    device_put_in_use(run->base.on);
    restart(run);
    float loss = take_step(run, false);
    device->get(NULL, NULL, 0);
    const double start = bench_now();
    for (long i = 0; i < calls; i++) loss = take_step(run, transfers);
    device->get(NULL, NULL, 0);
    const double seconds = bench_now() - start;
    if (isfinite(loss)) return seconds;
    return error_set(err, "the loss is not a number after %ld steps on %s", calls, device->name),
           -1;
}

static double run_training(void *work, long calls, Error *err)
{
    return train(work, calls, false, err);
}

static double run_training_with_transfers(void *work, long calls, Error *err)
{
    return train(work, calls, true, err);
}

static void close_training(Prepared *prepared)
{
    TrainingRun *run = (TrainingRun *)(void *)prepared;
    device_put_in_use(prepared->on);
    arena_free(run->step);
    arena_free(run->keep);
}

static double training_flops(const Subject *subject, int n)
{
    TrainingForm form = *(const TrainingForm *)subject->what;
    form.batch = n;
    return form.flops(&form);
}

static Prepared *open_training(Arena *arena, const Subject *subject, const Device *on, int n,
                               Error *err)
{
    (void)err;
    TrainingForm *form = arena_alloc(arena, sizeof *form);
    *form = *(const TrainingForm *)subject->what;
    form->batch = n;
    device_put_in_use(on);
    TrainingRun *run = arena_zeros(arena, sizeof *run);
    run->base = (Prepared){.on = on,
                           .flops = form->flops(form),
                           .run = run_training,
                           .run_with_transfers = on->on_host ? NULL : run_training_with_transfers,
                           .close = close_training};
    run->keep = arena_new("weights", (size_t)8 << 30);
    run->step = arena_new("step", (size_t)32 << 30);
    run->trainer = form->make(run->keep, form);
    run->tape = tape_new(run->step);
    const Block weights = run->trainer.params->trained;
    const Tensor *x = run->trainer.x, *labels = run->trainer.labels;
    run->initial = host_copy(run->keep, weights.at, weights.count * sizeof(float));
    run->x = host_copy(run->keep, x->data, tensor_bytes(x));
    if (labels != NULL) run->labels = host_copy(run->keep, labels->data, tensor_bytes(labels));
    return &run->base;
}

// ---- inference: a prompt of n tokens at once, and the token that follows n others ----

typedef struct Decoder {
    int layers, heads, width, vocabulary;
    bool prefill;
} Decoder;

enum { CONTEXT = 1024 };

typedef struct DecoderRun {
    Prepared base;
    Arena *keep, *step;
    Model model;
    Tape *tape;
    KvCache *cache;
    int before, tokens;    // in the cache before a call; in a call
    int32_t ids[CONTEXT];
    float *logits;    // on the host
} DecoderRun;

static double run_decoder(void *work, long calls, Error *err)
{
    DecoderRun *run = work;
    device_put_in_use(run->base.on);
    device->get(NULL, NULL, 0);
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        run->cache->used = run->before;
        Tensor *ids = tensor_from_ints(run->step, SHAPE(1, run->tokens), run->ids);
        tensor_read(model_extend(run->tape, &run->model, run->cache, ids), run->logits);
        tape_reset(run->tape);
    }
    const double seconds = bench_now() - start;
    if (isfinite(run->logits[0])) return seconds;
    return error_set(err, "the logits are not numbers on %s", device->name), -1;
}

static void close_decoder(Prepared *prepared)
{
    DecoderRun *run = (DecoderRun *)(void *)prepared;
    device_put_in_use(prepared->on);
    arena_free(run->step);
    arena_free(run->keep);
}

// Two for each weight and token, the head's for the last token alone; and of attention four for each pair of a
// token and one that it sees, and each number of its width.
static double decoder_flops(const Subject *subject, int n)
{
    const Decoder *d = subject->what;
    const double tokens = d->prefill ? n : 1, width = d->width, layers = d->layers;
    const double seen = d->prefill ? (n + 1) / 2.0 : n + 1.0;
    return tokens * layers * (24 * width * width + 4 * width * seen) + 2 * width * d->vocabulary;
}

// Each weight once, and the keys and values.
static double decoder_bytes(const Decoder *d, int n)
{
    const double width = d->width, layers = d->layers;
    return sizeof(float) * (layers * (12 * width * width + 2 * width * n) + width * d->vocabulary);
}

static Prepared *open_decoder(Arena *arena, const Subject *subject, const Device *on, int n,
                              Error *err)
{
    (void)err;
    const Decoder *d = subject->what;
    device_put_in_use(on);
    DecoderRun *run = arena_zeros(arena, sizeof *run);
    run->base = (Prepared){.on = on,
                           .flops = decoder_flops(subject, n),
                           .bytes = decoder_bytes(d, n),
                           .run = run_decoder,
                           .close = close_decoder};
    run->keep = arena_new("weights", (size_t)8 << 30);
    run->step = arena_new("step", (size_t)8 << 30);
    Rng rng = rng_from_seed(1);
    run->model = model_new(params_new(run->keep),
                           model_config_gpt2((ModelSize){.vocabulary = d->vocabulary,
                                                         .context = CONTEXT,
                                                         .width = d->width,
                                                         .layers = d->layers,
                                                         .heads = d->heads}),
                           &rng);
    run->tape = tape_new(run->step);
    tape_quiet(run->tape, true);
    run->cache = kv_cache_new(run->keep, &run->model, CONTEXT);
    run->before = d->prefill ? 0 : n;
    run->tokens = d->prefill ? n : 1;
    for (int i = 0; i < CONTEXT; i++)
        run->ids[i] = (int32_t)rng_below(&rng, (uint32_t)d->vocabulary);
    run->logits = arena_alloc(run->keep, (size_t)d->vocabulary * sizeof *run->logits);
    return &run->base;
}

// ---- the list ----

static Subject training(Arena *keep, TrainingBench bench, int form, const int sizes[WORK_SIZES])
{
    const TrainingForm *chosen = &bench.forms[form];
    Subject subject = {
        .kind = "training",
        .name = bench.name,
        .form = chosen->name != NULL ? chosen->name : "",
        .unit = arena_print(keep, "%s in a step", bench.unit),
        .formula = "of the products, forward and backward",
        .what = chosen,
        .flops = training_flops,
        .open = open_training,
    };
    memcpy(subject.sizes, sizes, sizeof subject.sizes);
    return subject;
}

static Subject inference(const Decoder *decoder, const char *form)
{
    static const int sizes[WORK_SIZES] = {16, 64, 256, 1023};
    Subject subject = {
        .kind = "inference",
        .name = decoder->prefill ? "gpt_prefill" : "gpt_decode",
        .form = form,
        .unit = decoder->prefill ? "tokens of a prompt" : "tokens before the new one",
        .formula = "of the products and of attention",
        .what = decoder,
        .flops = decoder_flops,
        .open = open_decoder,
    };
    memcpy(subject.sizes, sizes, sizeof subject.sizes);
    return subject;
}

int loop_subjects(Arena *keep, Subject subjects[LOOPS_MAX])
{
    static const Decoder decoders[] = {{4, 4, 128, 65, true},
                                       {4, 4, 128, 65, false},
                                       {12, 12, 768, 50257, true},
                                       {12, 12, 768, 50257, false}};
    static const int autoencoder[WORK_SIZES] = {1, 16, 128, 1024, 8192},
                     lenet[WORK_SIZES] = {4, 64, 512, 4096},
                     rnn[WORK_SIZES] = {64, 64 * 8, 64 * 32, 64 * 256},
                     small[WORK_SIZES] = {64, 64 * 12, 64 * 64, 64 * 256},
                     characters[WORK_SIZES] = {256, 256 * 16, 256 * 64},
                     gpt2[WORK_SIZES] = {64, 64 * 4, 64 * 32};
    const TrainingBench recurrent = network_rnn(keep), gpt = network_gpt(keep);
    int count = 0;
    subjects[count++] = training(keep, network_autoencoder(keep), 0, autoencoder);
    subjects[count++] = training(keep, network_lenet(keep), 0, lenet);
    for (int i = 0; i < recurrent.count; i++) subjects[count++] = training(keep, recurrent, i, rnn);
    for (int i = 0; i < gpt.count; i++)
        subjects[count++] = training(keep, gpt, i, i == 0 ? small : i == 1 ? characters : gpt2);
    for (int i = 0; i < 4; i++)
        subjects[count++] = inference(&decoders[i], i < 2 ? "small" : "gpt2");
    return count;
}
