#include "common/optimizer.h"
#include "common/error.h"
#include "common/tape.h"
#include "kernels/device.h"
#include <math.h>

static const char *const moment_names[][2] = {
    [OPTIMIZER_SGD] = {"sgd.v", NULL}, [OPTIMIZER_ADAM] = {"adam.m", "adam.v"}};

static float *zeros(Arena *keep, size_t count)
{
    float *at = arena_numbers(keep, count * sizeof *at);
    kernels.fill(at, 0.0f, count);
    return at;
}

// Neighbours in the block with the same rate and decay are one span.
static void make_spans(Optimizer *optimizer, Arena *keep)
{
    const Params *params = optimizer->params;
    Span *spans = arena_alloc(keep, ((size_t)params->count + 1) * sizeof *spans);
    int count = 0;
    for (int i = 0; i < params->count; i++) {
        const Param *item = &params->items[i];
        const Tensor *x = item->tensor;
        if (!x->wants_grad) continue;
        float decay = item->decay ? optimizer->config.decay : 0.0f;
        size_t offset = (size_t)((const float *)x->data - params->trained.at);
        REQUIRE(x->data >= (void *)params->trained.at &&
                    offset < params->trained.count + (tensor_count(x) == 0),
                "'%s' was included from other parameters; an optimizer takes their own",
                item->name);
        if (count == 0 || spans[count - 1].rate != item->rate || spans[count - 1].decay != decay) {
            if (count > 0) spans[count - 1].end = offset;
            spans[count++] = (Span){.rate = item->rate, .decay = decay};
        }
    }
    if (count > 0) spans[count - 1].end = params->trained.count;
    optimizer->spans = arena_numbers(keep, (size_t)count * sizeof *spans);
    optimizer->span_count = count;
    device->put(optimizer->spans, spans, (size_t)count * sizeof *spans);
}

// A parameter's part of each moment, by name.
static void make_state(Optimizer *optimizer, Arena *keep)
{
    const Params *params = optimizer->params;
    optimizer->state = arena_alloc(keep, 2 * (size_t)params->count * sizeof *optimizer->state);
    for (int i = 0; i < params->count; i++) {
        const Tensor *x = params->items[i].tensor;
        for (int j = 0; x->wants_grad && j < 2 && optimizer->moments[j] != NULL; j++) {
            Tensor *part = arena_alloc(keep, sizeof *part);
            *part =
                (Tensor){.data = optimizer->moments[j] + ((float *)x->data - params->trained.at),
                         .shape = x->shape};
            optimizer->state[optimizer->state_count++] =
                (Param){.name = arena_print(keep, "%s.%s", moment_names[optimizer->config.kind][j],
                                            params->items[i].name),
                        .tensor = part};
        }
    }
}

Optimizer *optimizer_new(Arena *keep, Params *params, OptimizerConfig config)
{
    REQUIRE(config.schedule.peak > 0, "the learning rate is %g; expected more than 0",
            (double)config.schedule.peak);
    if (config.beta1 == 0) config.beta1 = 0.9f;
    if (config.beta2 == 0) config.beta2 = 0.999f;
    if (config.epsilon == 0) config.epsilon = 1e-8f;

    Optimizer *optimizer = arena_zeros(keep, sizeof *optimizer);
    optimizer->config = config;
    optimizer->params = params;
    for (int j = 0; j < 2 && moment_names[config.kind][j] != NULL; j++)
        optimizer->moments[j] = zeros(keep, params->trained.count);
    optimizer->clip = zeros(keep, 2);
    make_spans(optimizer, keep);
    make_state(optimizer, keep);
    return optimizer;
}

// A parameter that no gradient reached stands still, but for its moments and decay.
static void clear_missing(const Params *params)
{
    for (int i = 0; i < params->count; i++) {
        Tensor *x = params->items[i].tensor;
        if (x->wants_grad && !x->has_grad) kernels.fill(x->grad, 0.0f, tensor_count(x));
    }
}

void optimizer_step(Optimizer *optimizer)
{
    const OptimizerConfig *config = &optimizer->config;
    Params *params = optimizer->params;
    const float *grads = params->grads.at, *scale = NULL;
    const size_t n = params->trained.count;
    int parameters = optimizer->state_count / (optimizer->moments[1] != NULL ? 2 : 1), trained = 0;
    for (int i = 0; i < params->count; i++) trained += params->items[i].tensor->wants_grad;
    REQUIRE(trained == parameters, "there are %d parameters, but %d when the optimizer was made",
            trained, parameters);
    float rate = schedule_rate(&config->schedule, optimizer->step++);
    clear_missing(params);
    if (config->clip_norm > 0) {
        // Pascanu et al. 2013: the direction stays, the length is bounded.
        kernels.clip_scale(optimizer->clip, grads, n, config->clip_norm);
        scale = optimizer->clip;
    }
    if (config->kind == OPTIMIZER_SGD) {
        kernels.sgd_step(params->trained.at, optimizer->moments[0], grads, scale, optimizer->spans,
                         optimizer->span_count, n, (SgdStep){rate, config->momentum});
    } else {
        AdamStep step = {
            .learning_rate = rate,
            .beta1 = config->beta1,
            .beta2 = config->beta2,
            .epsilon = config->epsilon,
            .correction1 = (float)(1.0 - pow(config->beta1, (double)optimizer->step)),
            .correction2 = (float)(1.0 - pow(config->beta2, (double)optimizer->step)),
        };
        kernels.adam_step(params->trained.at, optimizer->moments[0], optimizer->moments[1], grads,
                          scale, optimizer->spans, optimizer->span_count, n, step);
    }
    params_clear_grads(params);
    tape_require_finite(__func__);
}

float optimizer_grad_norm(const Optimizer *optimizer)
{
    float clip[2];
    device->get(clip, optimizer->clip, sizeof clip);
    return clip[1];
}
