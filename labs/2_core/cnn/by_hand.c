#include "labs/2_core/cnn/by_hand.h"
#include "common/host.h"
#include "kernels/kernels.h"
#include "labs/2_core/cnn/cnn.h"

// Each op is your function in the host's memory (host.h), with the backward that you wrote on the tape.

static const float *in(Host *host, const Tensor *x)
{
    return x == NULL ? NULL : host_in(host, tensor_floats(x), tensor_count(x));
}

static float *out(Host *host, const Tensor *x)
{
    return host_out(host, tensor_floats(x), tensor_count(x));
}

static float *inout(Host *host, const Tensor *x)
{
    return host_inout(host, tensor_floats(x), tensor_count(x));
}

// A gradient of x's, to add to; NULL where none is wanted.
static float *grad(Host *host, float *dx, const Tensor *x)
{
    return x == NULL ? NULL : host_inout(host, dx, tensor_count(x));
}

static const float *arrived(Host *host, const Tensor *y)
{
    return host_in(host, y->grad, tensor_count(y));
}

// ---- convolution ----

static float *room_for_columns(Arena *arena, CnnConv s)
{
    int height = cnn_output_size(s.H, s.K, s.stride, s.pad);
    int width = cnn_output_size(s.W, s.K, s.stride, s.pad);
    return arena_alloc(arena, sizeof(float) * (size_t)(s.C * s.K * s.K) * (size_t)(height * width));
}

static void conv_backward(const TapeNode *node)
{
    const CnnConv *s = node->saved;
    Tensor *x = node->in[0], *w = node->in[1], *b = node->in[2];
    float *dx = tape_grad_sum(node, x), *dw = tape_grad_sum(node, w), *db = tape_grad_sum(node, b);
    Host host = host_begin(node->tape->arena);
    cnn_conv_backward(grad(&host, dx, x), grad(&host, dw, w), grad(&host, db, b),
                      arrived(&host, node->out[0]), in(&host, x), in(&host, w),
                      room_for_columns(node->tape->arena, *s), *s);
    host_end(&host);
}

static Tensor *conv(Tape *tape, const Conv2d *layer, Tensor *x)
{
    Tensor *w = layer->weight, *b = layer->bias;
    CnnConv *s = arena_alloc(tape->arena, sizeof *s);
    *s = (CnnConv){.B = x->shape.size[0],
                   .C = x->shape.size[1],
                   .H = x->shape.size[2],
                   .W = x->shape.size[3],
                   .O = w->shape.size[0],
                   .K = w->shape.size[2],
                   .stride = layer->config.stride > 0 ? layer->config.stride : 1,
                   .pad = layer->config.pad};
    Tensor *y =
        tensor_new(tape->arena, SHAPE(s->B, s->O, cnn_output_size(s->H, s->K, s->stride, s->pad),
                                      cnn_output_size(s->W, s->K, s->stride, s->pad)));
    Host host = host_begin(tape->arena);
    if (s->K == 1)    // columns would be a copy of the image
        cnn_conv_loops(out(&host, y), in(&host, x), in(&host, w), in(&host, b), *s);
    else
        cnn_conv_matmul(out(&host, y), in(&host, x), in(&host, w), in(&host, b),
                        room_for_columns(tape->arena, *s), *s);
    host_end(&host);
    return tape_record(tape, y, conv_backward, s, INPUTS(x, w, b));
}

// ---- pooling ----

typedef struct Pooled {
    CnnPool shape;
    int32_t *at;    // in the host's memory; NULL for a mean
} Pooled;

static void pool_backward(const TapeNode *node)
{
    const Pooled *saved = node->saved;
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    Host host = host_begin(node->tape->arena);
    const float *dy = arrived(&host, node->out[0]);
    if (saved->at == NULL) cnn_avg_pool_backward(grad(&host, dx, x), dy, saved->shape);
    else cnn_max_pool_backward(grad(&host, dx, x), dy, saved->at, saved->shape);
    host_end(&host);
}

static Tensor *max_pool(Tape *tape, Tensor *x, PoolConfig config)
{
    int height = x->shape.size[2], width = x->shape.size[3], kernel = config.kernel;
    int stride = config.stride > 0 ? config.stride : kernel;
    Tensor *y = tensor_new(tape->arena, SHAPE(x->shape.size[0], x->shape.size[1],
                                              cnn_output_size(height, kernel, stride, 0),
                                              cnn_output_size(width, kernel, stride, 0)));
    Pooled *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Pooled){{x->shape.size[0] * x->shape.size[1], height, width, kernel, stride},
                      arena_alloc(tape->arena, sizeof(int32_t) * tensor_count(y))};
    Host host = host_begin(tape->arena);
    cnn_max_pool(out(&host, y), saved->at, in(&host, x), saved->shape);
    host_end(&host);
    return tape_record(tape, y, pool_backward, saved, INPUTS(x));
}

// One window as large as the channel, which is square.
static Tensor *mean(Tape *tape, Tensor *x)
{
    int side = x->shape.size[2];
    Tensor *y = tensor_new(tape->arena, SHAPE(x->shape.size[0], x->shape.size[1]));
    Pooled *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Pooled){{x->shape.size[0] * x->shape.size[1], side, side, side, side}, NULL};
    Host host = host_begin(tape->arena);
    cnn_avg_pool(out(&host, y), in(&host, x), saved->shape);
    host_end(&host);
    return tape_record(tape, y, pool_backward, saved, INPUTS(x));
}

// ---- batch normalization ----

typedef struct Normed {
    CnnNorm shape;
    float *mean, *rstd;    // [C], in the host's memory
} Normed;

static void norm_backward(const TapeNode *node)
{
    const Normed *saved = node->saved;
    Tensor *x = node->in[0], *gamma = node->in[1], *shift = node->in[2];
    float *dx = tape_grad_sum(node, x), *dgamma = tape_grad_sum(node, gamma),
          *dshift = tape_grad_sum(node, shift);
    Host host = host_begin(node->tape->arena);
    cnn_batch_norm_backward(grad(&host, dx, x), grad(&host, dgamma, gamma),
                            grad(&host, dshift, shift), arrived(&host, node->out[0]), in(&host, x),
                            saved->mean, saved->rstd, in(&host, gamma), saved->shape);
    host_end(&host);
}

// Evaluating, its gradient is not among the exercises: only what is not recorded may ask for it.
static Tensor *batch_norm(Tape *tape, const BatchNorm *norm, Tensor *x)
{
    Arena *arena = tape->arena;
    int channels = x->shape.size[1];
    Normed *saved = arena_alloc(arena, sizeof *saved);
    *saved = (Normed){{x->shape.size[0], channels, x->shape.size[2] * x->shape.size[3], norm->eps,
                       norm->momentum},
                      arena_alloc(arena, sizeof(float) * (size_t)channels),
                      arena_alloc(arena, sizeof(float) * (size_t)channels)};
    Tensor *y = tensor_new(arena, x->shape);
    Host host = host_begin(arena);
    if (tape->evaluating)
        cnn_batch_norm_inference(out(&host, y), in(&host, x), in(&host, norm->running_mean),
                                 in(&host, norm->running_var), in(&host, norm->weight),
                                 in(&host, norm->bias), saved->shape);
    else
        cnn_batch_norm(out(&host, y), saved->mean, saved->rstd, inout(&host, norm->running_mean),
                       inout(&host, norm->running_var), in(&host, x), in(&host, norm->weight),
                       in(&host, norm->bias), saved->shape);
    host_end(&host);
    return tape_record(tape, y, norm_backward, saved, INPUTS(x, norm->weight, norm->bias));
}

// ---- dropout, residual, loss ----

static void dropout_backward(const TapeNode *node)
{
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    Host host = host_begin(node->tape->arena);
    cnn_dropout_backward(grad(&host, dx, x), arrived(&host, node->out[0]), node->saved,
                         tensor_count(x));
    host_end(&host);
}

static Tensor *dropout(Tape *tape, Tensor *x, float p, Rng *rng)
{
    if (tape->evaluating || p == 0) return x;
    Tensor *y = tensor_new(tape->arena, x->shape);
    float *mask = arena_alloc(tape->arena, sizeof *mask * tensor_count(x));
    Host host = host_begin(tape->arena);
    cnn_dropout(out(&host, y), mask, in(&host, x), tensor_count(x), p, rng);
    host_end(&host);
    return tape_record(tape, y, dropout_backward, mask, INPUTS(x));
}

static void residual_backward(const TapeNode *node)
{
    Tensor *f = node->in[0], *x = node->in[1], *y = node->out[0];
    float *df = tape_grad_sum(node, f), *dx = tape_grad_sum(node, x);
    Host host = host_begin(node->tape->arena);
    cnn_residual_backward(grad(&host, df, f), grad(&host, dx, x), arrived(&host, y), in(&host, y),
                          tensor_count(y));
    host_end(&host);
}

static Tensor *residual(Tape *tape, Tensor *f, Tensor *x)
{
    Tensor *y = tensor_new(tape->arena, x->shape);
    Host host = host_begin(tape->arena);
    cnn_residual(out(&host, y), in(&host, f), in(&host, x), tensor_count(x));
    host_end(&host);
    return tape_record(tape, y, residual_backward, NULL, INPUTS(f, x));
}

static void loss_backward(const TapeNode *node)
{
    const Tensor *gradient = node->saved;
    Grad dz = tape_grad(node, node->in[0]);
    if (dz.at != NULL)
        kernels.axpby_scalar(dz.at, gradient->data, node->out[0]->grad, dz.beta,
                             tensor_count(gradient));
}

static Tensor *cross_entropy(Tape *tape, Tensor *logits, Tensor *labels)
{
    int batch = logits->shape.size[0];
    Tensor *gradient = tensor_new(tape->arena, logits->shape);
    int32_t *classes = arena_alloc(tape->arena, sizeof *classes * (size_t)batch);
    tensor_read_ints(labels, classes);
    Host host = host_begin(tape->arena);
    float loss = cnn_cross_entropy(out(&host, gradient), in(&host, logits), classes, batch,
                                   logits->shape.size[1]);
    host_end(&host);
    return tape_record(tape, tensor_from(tape->arena, SCALAR, &loss), loss_backward, gradient,
                       INPUTS(logits));
}

const Layers exercise_layers = {.conv = conv,
                                .max_pool = max_pool,
                                .mean = mean,
                                .batch_norm = batch_norm,
                                .dropout = dropout,
                                .residual = residual,
                                .cross_entropy = cross_entropy};
