/* parameters.c -- a model's tensors: made by the configuration's list, found by their names. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/error.h"
#include "kernels/kernels.h"
#include "labs/3_language/transformer/model/model.h"

// ---- how they start ----

static const float DEVIATION = 0.02f;

static void fill_normal(Tensor *x, float deviation, Rng *rng)
{
    const size_t n = tensor_count(x);
    float *values = malloc(n * sizeof *values);
    REQUIRE(values != NULL, "no memory for the %zu values of %s", n, TENSOR_TEXT(x));
    rng_fill_normal(rng, values, n);
    for (size_t i = 0; i < n; i++) values[i] *= deviation;
    tensor_write(x, values);
    free(values);
}

static bool is(const Parameter *kind, const char *name)
{
    return strcmp(kind->name, name) == 0;
}

static void start(Tensor *x, const Parameter *kind, int layers, Rng *rng)
{
    const bool is_bias = strstr(kind->name, ".bias") != NULL;
    const bool adds = is(kind, "out.weight") || is(kind, "down.weight");
    if (kind->cols > 0)
        fill_normal(x, adds ? DEVIATION / sqrtf(2.0f * (float)layers) : DEVIATION, rng);
    else if (!is_bias) kernels.fill(tensor_floats(x), 1.0f, tensor_count(x));
}

// ---- making and finding them ----

static void add(Params *params, const ModelConfig *config, const Parameter *kind, int block,
                Rng *rng)
{
    const char *name =
        kind->in_block ? arena_print(params->arena, "blocks.%d.%s", block, kind->name) : kind->name;
    Shape shape = kind->cols > 0 ? SHAPE(kind->rows, kind->cols) : SHAPE(kind->rows);
    Tensor *x = params_add(params, name, shape);
    if (rng != NULL) start(x, kind, config->layers, rng);
}

static void add_all(Params *params, const ModelConfig *config, Rng *rng)
{
    Parameter kinds[PARAMETER_KINDS];
    const int count = model_config_parameters(config, kinds);
    int i = 0, first;
    for (; !kinds[i].in_block; i++) add(params, config, &kinds[i], 0, rng);
    first = i;
    for (int block = 0; block < config->layers; block++)
        for (i = first; kinds[i].in_block; i++) add(params, config, &kinds[i], block, rng);
    for (; i < count; i++) add(params, config, &kinds[i], 0, rng);
}

// NULL where the config has no such parameter.
static Tensor *in_block(const Params *params, int block, const char *name)
{
    return params_find(params, arena_print(params->arena, "blocks.%d.%s", block, name));
}

static ModelBlock find_block(const Params *params, const ModelConfig *c, int i)
{
    return (ModelBlock){
        .attention_norm = {c->norm, c->eps, in_block(params, i, "attention_norm.weight"),
                           in_block(params, i, "attention_norm.bias")},
        .qkv = {in_block(params, i, "qkv.weight"), in_block(params, i, "qkv.bias")},
        .q_norm = in_block(params, i, "q_norm.weight"),
        .k_norm = in_block(params, i, "k_norm.weight"),
        .out = {in_block(params, i, "out.weight"), in_block(params, i, "out.bias")},
        .mlp_norm = {c->norm, c->eps, in_block(params, i, "mlp_norm.weight"),
                     in_block(params, i, "mlp_norm.bias")},
        .up = {in_block(params, i, "up.weight"), in_block(params, i, "up.bias")},
        .down = {in_block(params, i, "down.weight"), in_block(params, i, "down.bias")}};
}

Model model_new(Params *params, ModelConfig config, Rng *rng)
{
    Error err = {""};
    REQUIRE(model_config_check(&config, "model_new", &err), "%s", err.message);
    add_all(params, &config, rng);
    config.rope.head = config.head;
    config.rope.positions = config.context;
    Model model = {.config = config,
                   .ops = &model_ops,
                   .embedding = params_find(params, "embedding.weight"),
                   .positions = params_find(params, "positions.weight"),
                   .rope = config.rotary ? rope_new(params->arena, config.rope) : NULL,
                   .norm = {config.norm, config.eps, params_find(params, "norm.weight"),
                            params_find(params, "norm.bias")}};
    model.head = config.tied ? model.embedding : params_find(params, "head.weight");
    model.blocks = arena_alloc(params->arena, (size_t)config.layers * sizeof *model.blocks);
    for (int i = 0; i < config.layers; i++) model.blocks[i] = find_block(params, &config, i);
    return model;
}
