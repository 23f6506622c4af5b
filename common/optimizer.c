#include "common/optimizer.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include <math.h>

// The state tensors of one parameter stand side by side: SGD has one, Adam two.
static const char *const sgd_state[]  = {"sgd.v", NULL};
static const char *const adam_state[] = {"adam.m", "adam.v", NULL};

Optimizer *optimizer_new(Arena *keep, Params *params, OptimizerConfig config)
{
    REQUIRE(config.schedule.peak > 0, "the learning rate is %g; expected more than 0",
            (double)config.schedule.peak);
    if (config.beta1 == 0) config.beta1 = 0.9f;
    if (config.beta2 == 0) config.beta2 = 0.999f;
    if (config.epsilon == 0) config.epsilon = 1e-8f;

    Optimizer *optimizer = arena_zeros(keep, sizeof *optimizer);
    optimizer->config    = config;
    optimizer->params    = params;
    optimizer->state     = arena_alloc(keep, 2 * (size_t)params->count * sizeof(Param));
    const char *const *names = config.kind == OPTIMIZER_SGD ? sgd_state : adam_state;
    for (int i = 0; i < params->count; i++)
        for (int j = 0; names[j] != NULL; j++)
            optimizer->state[optimizer->state_count++] = (Param){
                .name   = arena_print(keep, "%s.%s", names[j], params->items[i].name),
                .tensor = tensor_zeros(keep, params->items[i].tensor->shape),
            };
    return optimizer;
}

static float global_norm(const Params *params)
{
    double sum = 0;
    for (int i = 0; i < params->count; i++) {
        const Tensor *x = params->items[i].tensor;
        float         square;
        kernels.sum_squares(&square, x->grad, tensor_count(x));
        sum += square;
    }
    return (float)sqrt(sum);
}

void optimizer_step(Optimizer *optimizer)
{
    const OptimizerConfig *config = &optimizer->config;
    int made_for = optimizer->state_count / (config->kind == OPTIMIZER_SGD ? 1 : 2);
    REQUIRE(optimizer->params->count == made_for,
            "there are %d parameters, but %d when the optimizer was made", optimizer->params->count,
            made_for);
    float rate = schedule_rate(&config->schedule, optimizer->step++), grad_scale = 1.0f;
    if (config->clip_norm > 0) {
        // Pascanu et al. 2013: the direction stays, the length is bounded.
        optimizer->grad_norm = global_norm(optimizer->params);
        if (optimizer->grad_norm > config->clip_norm)
            grad_scale = config->clip_norm / optimizer->grad_norm;
    }
    SgdStep  sgd  = {rate, config->momentum, config->decay, grad_scale};
    AdamStep adam = {
        .learning_rate = rate,
        .beta1         = config->beta1,
        .beta2         = config->beta2,
        .epsilon       = config->epsilon,
        .decay         = config->decay,
        .correction1   = (float)(1.0 - pow(config->beta1, (double)optimizer->step)),
        .correction2   = (float)(1.0 - pow(config->beta2, (double)optimizer->step)),
        .grad_scale    = grad_scale,
    };
    const Param *state = optimizer->state;
    for (int i = 0; i < optimizer->params->count; i++) {
        Tensor *p = optimizer->params->items[i].tensor;
        size_t  n = tensor_count(p);
        if (config->kind == OPTIMIZER_SGD) {
            kernels.sgd_step(p->data, state[i].tensor->data, p->grad, n, sgd);
        } else {
            kernels.adam_step(p->data, state[2 * i].tensor->data, state[2 * i + 1].tensor->data,
                              p->grad, n, adam);
        }
    }
}
