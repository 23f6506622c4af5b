#include "labs/2_core/cnn/network.h"
#include <string.h>
#include "common/loss.h"
#include "kernels/kernels.h"

// ---- layers by the kernel table ----

static Tensor *dropout(Tape *tape, Tensor *x, float p, Rng *rng)
{
    if (tape->evaluating || p == 0) return x;
    uint64_t seed = (uint64_t)rng_next(rng) << 32 | rng_next(rng);
    return op_dropout(tape, x, p, draw_at(seed, 0, 0));
}

static Tensor *residual(Tape *tape, Tensor *f, Tensor *x)
{
    return op_relu(tape, op_add(tape, f, x));
}

const Layers kernel_layers = {.conv = conv2d_forward,
                              .max_pool = op_max_pool,
                              .mean = op_global_avg_pool,
                              .batch_norm = batch_norm_forward,
                              .dropout = dropout,
                              .residual = residual,
                              .cross_entropy = loss_cross_entropy};

// ---- LeNet ----

static const PoolConfig halving = {.kernel = 2};

static void lenet_new(Network *net, Params *params, int classes, Rng *rng)
{
    net->conv1 = conv2d_new(params, "conv1", 1, 20, 5, (ConvConfig){0}, true, rng);
    net->conv2 = conv2d_new(params, "conv2", 20, 50, 5, (ConvConfig){0}, true, rng);
    net->hidden = linear_new(params, "hidden", 50 * 4 * 4, 500, init_he, rng);
    net->scores = linear_new(params, "scores", 500, classes, init_glorot, rng);
}

// Pooling before the ReLU gives the same numbers as after it, from a quarter of the work.
static Tensor *lenet(Tape *tape, const Network *net, Tensor *x, Rng *rng, Tensor *maps[2])
{
    const Layers *layers = net->layers;
    int batch = x->shape.size[0];
    Tensor *h = layers->conv(tape, &net->conv1, x);                     // [B,20,24,24]
    h = maps[0] = op_relu(tape, layers->max_pool(tape, h, halving));    // [B,20,12,12]
    h = layers->conv(tape, &net->conv2, h);                             // [B,50,8,8]
    h = maps[1] = op_relu(tape, layers->max_pool(tape, h, halving));    // [B,50,4,4]
    h = tensor_view(tape->arena, h, SHAPE(batch, 50 * 4 * 4));
    h = layers->dropout(tape, h, net->dropout, rng);
    h = op_relu(tape, linear_forward(tape, &net->hidden, h));    // [B,500]
    h = layers->dropout(tape, h, net->dropout, rng);
    return linear_forward(tape, &net->scores, h);
}

// ---- the residual network ----

static Residual block_new(Params *params, const char *name, int in, int out, Rng *rng)
{
    Arena *keep = params->arena;
    Residual block = {.halves = in != out};
    ConvConfig first = {.stride = block.halves ? 2 : 1, .pad = 1}, second = {.pad = 1};
#define NAMED(layer) arena_print(keep, "%s." layer, name)
    block.conv1 = conv2d_new(params, NAMED("conv1"), in, out, 3, first, false, rng);
    block.norm1 = batch_norm_new(params, NAMED("norm1"), out);
    block.conv2 = conv2d_new(params, NAMED("conv2"), out, out, 3, second, false, rng);
    block.norm2 = batch_norm_new(params, NAMED("norm2"), out);
    if (!block.halves) return block;
    block.shortcut =
        conv2d_new(params, NAMED("shortcut"), in, out, 1, (ConvConfig){.stride = 2}, false, rng);
    block.shortcut_norm = batch_norm_new(params, NAMED("shortcut_norm"), out);
#undef NAMED
    return block;
}

static Tensor *block(Tape *tape, const Layers *layers, const Residual *b, Tensor *x)
{
    Tensor *f = layers->batch_norm(tape, &b->norm1, layers->conv(tape, &b->conv1, x));
    f = layers->conv(tape, &b->conv2, op_relu(tape, f));
    f = layers->batch_norm(tape, &b->norm2, f);
    if (b->halves)
        x = layers->batch_norm(tape, &b->shortcut_norm, layers->conv(tape, &b->shortcut, x));
    return layers->residual(tape, f, x);
}

static void resnet_new(Network *net, Params *params, int classes, Rng *rng)
{
    int channels = 32;
    net->conv1 = conv2d_new(params, "conv1", 1, channels, 3, (ConvConfig){.pad = 1}, false, rng);
    net->norm1 = batch_norm_new(params, "norm1", channels);
    for (int i = 0; i < STAGES * BLOCKS; i++) {
        int out = i > 0 && i % BLOCKS == 0 ? 2 * channels : channels;
        net->blocks[i] =
            block_new(params, arena_print(params->arena, "block%d", i + 1), channels, out, rng);
        channels = out;
    }
    net->scores = linear_new(params, "scores", channels, classes, init_glorot, rng);
}

static Tensor *resnet(Tape *tape, const Network *net, Tensor *x, Rng *rng, Tensor *maps[2])
{
    const Layers *layers = net->layers;
    Tensor *h = layers->batch_norm(tape, &net->norm1, layers->conv(tape, &net->conv1, x));
    h = maps[0] = op_relu(tape, layers->max_pool(tape, h, halving));    // [B,32,14,14]
    for (int i = 0; i < STAGES * BLOCKS; i++) h = block(tape, layers, &net->blocks[i], h);
    maps[1] = h;                                                            // [B,64,7,7]
    h = layers->dropout(tape, layers->mean(tape, h), net->dropout, rng);    // [B,64]
    return linear_forward(tape, &net->scores, h);
}

// ---- both ----

static const char *const names[] = {"lenet", "resnet"};

const char *network_name(NetworkKind kind)
{
    return names[kind];
}

bool network_kind(NetworkKind *kind, const char *name)
{
    *kind = strcmp(name, names[NETWORK_RESNET]) == 0 ? NETWORK_RESNET : NETWORK_LENET;
    return strcmp(name, names[*kind]) == 0;
}

Network network_new(Params *params, NetworkKind kind, int classes, const Layers *layers, Rng *rng)
{
    Network net = {.kind = kind, .layers = layers};
    (kind == NETWORK_LENET ? lenet_new : resnet_new)(&net, params, classes, rng);
    return net;
}

Tensor *network_logits(Tape *tape, const Network *net, Tensor *x, Rng *rng, Tensor *maps[2])
{
    Tensor *unused[2];
    x = tensor_view(tape->arena, x, SHAPE(x->shape.size[0], 1, SIDE, SIDE));
    return (net->kind == NETWORK_LENET ? lenet : resnet)(tape, net, x, rng, maps ? maps : unused);
}

Tensor *network_probabilities(Tape *tape, const Network *net, Tensor *x)
{
    tape_quiet(tape, true);
    Tensor *logits = network_logits(tape, net, x, NULL, NULL);
    tape_quiet(tape, false);
    Tensor *p = tensor_new(tape->arena, logits->shape);
    kernels.softmax_rows(tensor_floats(p), tensor_floats(logits), logits->shape.size[0],
                         logits->shape.size[1]);
    return p;
}
