// Every exercise beside what the kernel table, or the rest of the program, makes of the same numbers.
#include <math.h>
#include "common/host.h"
#include "common/loss.h"
#include "common/optimizer.h"
#include "kernels/kernels.h"
#include "kernels/seconds.h"
#include "labs/3_language/transformer/by_hand.h"
#include "labs/3_language/transformer/model/generate.h"
#include "labs/3_language/transformer/transformer.h"

enum { TOKENS = 24, SEQUENCES = 2, VOCABULARY = 29, DRAWS = 1000 };

typedef struct Comparison {
    Run *run;
    Arena *keep, *scratch;
    Rng rng;
    Table models, rest;
} Comparison;

// The largest difference by the largest of b; a NaN stays.
static double difference(const float *a, const float *b, size_t n)
{
    float apart = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        float d = fabsf(a[i] - b[i]);
        if (isnan(d) || d > apart) apart = d;
        largest = fmaxf(largest, fabsf(b[i]));
    }
    return (double)apart / (double)(largest > 0 ? largest : 1);
}

static Tensor *some_ids(Arena *arena, Rng *rng, int B, int T)
{
    int32_t *ids = arena_alloc(arena, sizeof *ids * (size_t)(B * T));
    for (int i = 0; i < B * T; i++) ids[i] = (int32_t)rng_below(rng, VOCABULARY);
    return tensor_from_ints(arena, SHAPE(B, T), ids);
}

static void read_gradients(const Params *params, float *gradients)
{
    Tensor whole = {
        .data = params->grads.at, .shape = SHAPE((int)params->grads.count), .type = DTYPE_F32};
    tensor_read(&whole, gradients);
}

// ---- a model: loss, gradients, cached logits ----

// Returns the seconds of the second of two steps.
static double one_step(const Comparison *c, Model *model, Params *params, float *loss,
                       float *gradients)
{
    double began = 0;
    for (int i = 0; i < 2; i++) {
        Rng rng = c->rng;
        Tape *tape = tape_new(c->scratch);
        Tensor *ids = some_ids(tape->arena, &rng, SEQUENCES, TOKENS);
        Tensor *labels = some_ids(tape->arena, &rng, SEQUENCES, TOKENS);
        params_clear_grads(params);
        began = seconds_now();
        Tensor *value = model_loss(tape, model, ids, labels, (Draw){0});
        tape_backward(tape, value);
        *loss = tensor_item(value);
    }
    double seconds = seconds_now() - began;
    read_gradients(params, gradients);
    return seconds;
}

// The logits of a sequence, all at once; or its last ones, token by token.
static const float *logits_of(Comparison *c, const Model *model, bool cached)
{
    Rng rng = c->rng;
    Tape *tape = tape_new(c->scratch);
    tape_quiet(tape, true);
    Tensor *ids = some_ids(tape->arena, &rng, 1, TOKENS), *logits = NULL;
    if (!cached) {
        logits = tensor_rows(
            tape->arena,
            tensor_view(tape->arena, model_logits(tape, model, ids), SHAPE(TOKENS, VOCABULARY)),
            TOKENS - 1, 1);
    } else {
        KvCache *cache = kv_cache_new(tape->arena, model, TOKENS);
        int32_t tokens[TOKENS];
        tensor_read_ints(ids, tokens);
        for (int t = 0; t < TOKENS; t++)
            logits = model_extend(tape, model, cache,
                                  tensor_from_ints(tape->arena, SHAPE(1, 1), tokens + t));
    }
    return tensor_values(c->keep, logits);
}

static void compare_model(Comparison *c, const char *name, ModelConfig config)
{
    static const char *const titles[] = {"kernel table", "exercises"};
    const BlockOps *const ops[] = {&model_ops, &exercise_ops};
    Params *params = params_new(c->keep);
    Model model = model_new(params, config, &c->rng);
    float loss, *gradients[2];
    for (int by = 0; by < 2; by++) {
        model.ops = ops[by];
        gradients[by] = arena_alloc(c->keep, sizeof(float) * params->grads.count);
        double seconds = one_step(c, &model, params, &loss, gradients[by]);
        const char *apart = "", *cached = "";
        if (by > 0)
            apart = arena_print(c->keep, "%.1e",
                                difference(gradients[1], gradients[0], params->grads.count));
        if (by > 0)
            cached = arena_print(
                c->keep, "%.1e",
                difference(logits_of(c, &model, true), logits_of(c, &model, false), VOCABULARY));
        table_row(&c->models, "%s|%s|%.6f|%s|%s|%.1f", name, titles[by], (double)loss, apart,
                  cached, 1e3 * seconds);
    }
}

// ---- a block, from embedding to logits ----

static TfBlock block_of(Arena *arena, const Model *model)
{
    const ModelConfig *c = &model->config;
    const ModelBlock *b = &model->blocks[0];
#define HOST(x) ((x) != NULL ? tensor_values(arena, x) : NULL)
    return (TfBlock){.heads = {TOKENS, c->heads, c->kv_heads, c->head},
                     .eps = c->eps,
                     .theta = c->rotary ? c->rope.theta : 0,
                     .layout = c->rope.interleaved ? TF_INTERLEAVED : TF_HALVES,
                     .gamma1 = HOST(b->attention_norm.weight),
                     .shift1 = HOST(b->attention_norm.bias),
                     .qkv = HOST(b->qkv.weight),
                     .qkv_bias = HOST(b->qkv.bias),
                     .out = HOST(b->out.weight),
                     .out_bias = HOST(b->out.bias),
                     .gamma2 = HOST(b->mlp_norm.weight),
                     .shift2 = HOST(b->mlp_norm.bias),
                     .feed_forward = {c->width, c->ff, c->mlp == MLP_SWIGLU, HOST(b->up.weight),
                                      HOST(b->up.bias), HOST(b->down.weight), HOST(b->down.bias)}};
#undef HOST
}

static void compare_block(Comparison *c, const char *name, ModelConfig config)
{
    config.layers = 1;
    Model model = model_new(params_new(c->keep), config, &c->rng);
    Tape *tape = tape_new(c->scratch);
    Arena *arena = tape->arena;
    tape_quiet(tape, true);
    Tensor *ids = some_ids(arena, &c->rng, 1, TOKENS);
    float *want = tensor_values(arena, model_logits(tape, &model, ids));

    int32_t tokens[TOKENS];
    tensor_read_ints(ids, tokens);
    size_t n = (size_t)TOKENS * (size_t)config.width;
    float *x = arena_alloc(arena, sizeof *x * n), *y = arena_alloc(arena, sizeof *y * n);
    TfBlock block = block_of(arena, &model);
    tf_embedding(x, tokens, tensor_values(arena, model.embedding),
                 model.positions != NULL ? tensor_values(arena, model.positions) : NULL, 1, TOKENS,
                 config.width);
    // The products of a block are kernels, on the host's memory.
    Host host = host_begin(arena);
    tf_block(y, x, arena_alloc(arena, sizeof(float) * tf_block_room(&block)), &block);
    host_end(&host);
    Tensor *last = tensor_from(arena, SHAPE(1, TOKENS, config.width), y);
    last = model_ops.linear(tape, model_ops.norm(tape, &model.norm, last), model.head, NULL);
    table_row(&c->rest, "block, feed_forward|%s of one layer: logits|%.1e", name,
              difference(tensor_values(arena, last), want, TOKENS * VOCABULARY));
}

// ---- the others ----

static void compare_sinusoidal(Comparison *c)
{
    enum { WIDTH = 32 };
    Tape *tape = tape_new(c->scratch);
    Rope *rope =
        rope_new(tape->arena, (RopeConfig){.head = WIDTH, .positions = TOKENS, .theta = 10000});
    const float *cosine = tensor_values(tape->arena, rope->cosine),
                *sine = tensor_values(tape->arena, rope->sine);
    float table[TOKENS * WIDTH], want[TOKENS * WIDTH];
    for (int i = 0; i < TOKENS * WIDTH; i++) want[i] = (i % 2 ? cosine : sine)[i / 2];
    tf_sinusoidal(table, TOKENS, WIDTH);
    table_row(&c->rest, "sinusoidal|table of RoPE, theta 10000|%.1e",
              difference(table, want, TOKENS * WIDTH));
}

static void compare_adamw(Comparison *c)
{
    enum { COUNT = 64, STEPS = 10 };
    Params *params = params_new(c->keep);
    Tensor *p = params_add(params, "p", SHAPE(COUNT / 8, 8));    // a matrix: it decays
    float own[COUNT], m[COUNT] = {0}, v[COUNT] = {0}, gradient[COUNT], want[COUNT];
    rng_fill_normal(&c->rng, own, COUNT);
    tensor_write(p, own);
    Schedule schedule = {.shape = SCHEDULE_COSINE, .peak = 0.01f, .warmup = 3, .total = STEPS};
    TfSchedule same = {.peak = 0.01f, .warmup = 3, .total = STEPS};
    Optimizer *adam = optimizer_new(
        c->keep, params,
        (OptimizerConfig){
            .kind = OPTIMIZER_ADAM, .schedule = schedule, .beta2 = 0.95f, .decay = 0.1f});
    float decay = params_item(params, "p")->decay ? 0.1f : 0;
    for (int step = 0; step < STEPS; step++) {
        Tape *tape = tape_new(c->scratch);
        tape_backward(tape, loss_mse(tape, p, tensor_zeros(tape->arena, p->shape)));
        read_gradients(params, gradient);
        optimizer_step(adam);
        tf_adamw(own, m, v, gradient, COUNT,
                 (TfAdamW){tf_schedule(step, same), 0.9f, 0.95f, 1e-8f, decay, step + 1});
    }
    tensor_read(p, want);
    table_row(&c->rest, "adamw, schedule|optimizer, %d steps|%.1e", STEPS,
              difference(own, want, COUNT));
}

// The draw by temperature alone goes through the tokens in the same order; with a truncation the model's
// takes the likeliest first, and only what may be drawn is the same.
static void compare_sampling(Comparison *c)
{
    Tape *tape = tape_new(c->scratch);
    Sampling plain = {.temperature = 0.8f}, cut = {.temperature = 0.8f, .top_k = 12, .top_p = 0.7f};
    float logits[VOCABULARY], p[VOCABULARY];
    int other = 0, outside = 0;
    for (int i = 0; i < DRAWS; i++) {
        rng_fill_normal(&c->rng, logits, VOCABULARY);
        Rng same = c->rng;
        int token = sample_token(logits, VOCABULARY, plain, &c->rng, tape->arena);
        tf_temperature(p, logits, VOCABULARY, plain.temperature);
        other += tf_sample(p, VOCABULARY, rng_uniform(&same)) != token;
        token = sample_token(logits, VOCABULARY, cut, &c->rng, tape->arena);
        tf_top_k(p, VOCABULARY, cut.top_k);
        tf_top_p(p, VOCABULARY, cut.top_p);
        outside += p[token] == 0;
    }
    table_row(&c->rest, "temperature, sample|the model's %d draws|%d other tokens", DRAWS, other);
    table_row(&c->rest, "top_k, top_p|the model's %d draws|%d tokens that were cut", DRAWS,
              outside);
}

bool by_hand_compare(Run *run, Arena *keep, Arena *scratch, Error *err)
{
    (void)err;
    Comparison c = {
        run,
        keep,
        scratch,
        rng_stream(run->seed, 77),
        table_new(keep, "model|ops by|cross-entropy|gradients differ by|cached logits differ by|"
                        "time [ms]"),
        table_new(keep, "exercise|beside|difference")};
    ModelSize size = {
        .vocabulary = VOCABULARY, .context = TOKENS, .width = 32, .layers = 2, .heads = 4};
    ModelConfig gpt2 = model_config_gpt2(size);
    size.kv_heads = 2;
    ModelConfig llama = model_config_llama(size);
    run_print(
        run,
        "Untrained, %d sequences of %d tokens. Relative differences: of all gradients, and of "
        "the last logits where the tokens come one by one.",
        SEQUENCES, TOKENS);
    compare_model(&c, "gpt2", gpt2);
    compare_model(&c, "llama", llama);
    run_table(run, &c.models);
    compare_block(&c, "gpt2", gpt2);
    compare_block(&c, "llama", llama);
    compare_sinusoidal(&c);
    compare_adamw(&c);
    compare_sampling(&c);
    run_table(run, &c.rest);
    return true;
}
