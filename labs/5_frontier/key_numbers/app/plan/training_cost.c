#include "labs/5_frontier/key_numbers/app/plan/training_cost.h"
#include <math.h>

enum { SECONDS_OF_HOUR = 3600, WATTS_OF_KW = 1000 };

// Equation 10 of Hoffmann et al. 2022.
static const double loss_floor = 1.69, loss_a = 406.4, loss_b = 410.7, alpha = 0.34, beta = 0.28;

double training_loss(double params, double tokens)
{
    return loss_floor + loss_a / pow(params, alpha) + loss_b / pow(tokens, beta);
}

KnOptimum training_least_loss(double flops)
{
    double g = pow(alpha * loss_a / (beta * loss_b), 1 / (alpha + beta));
    double params = g * pow(flops / 6, beta / (alpha + beta));
    return (KnOptimum){params, flops / (6 * params)};
}

TrainingCost training_cost(const Model *model, const Flops *flops, const GpuSpec *gpu,
                           const RunOptions *options)
{
    TrainingCost run = {
        .options = *options, .gpu_spec = *gpu, .params = (double)model_active(model)};
    run.tokens = options->tokens > 0 ? options->tokens : TOKENS_PER_PARAMETER * run.params;
    // A frozen matrix is multiplied in forward and once in backward; its own gradient is not asked for.
    run.flops = flops->training / 3 * (options->frozen ? 2 : 3) * run.tokens;
    run.six_nd = flops->six_n * run.tokens;
    run.quoted = flops->six_n_all * run.tokens;
    run.hfu = options->mfu * flops->recomputed / flops->training;
    run.loss = training_loss(run.params, run.tokens);
    run.budget = options->budget > 0 ? options->budget : run.six_nd;
    run.optimum = kn_optimum(run.budget, TOKENS_PER_PARAMETER);
    run.least = training_least_loss(run.budget);
    run.optimum_loss = training_loss(run.optimum.params, run.optimum.tokens);
    run.least_loss = training_loss(run.least.params, run.least.tokens);
    run.peak = gpu_spec_peak(gpu, options->fp32 ? 32 : 16);
    if (!(run.peak > 0)) return run;
    double gpu_seconds = run.flops / (run.peak * options->mfu);
    run.seconds = gpu_seconds / (double)options->gpus;
    run.gpu_hours = gpu_seconds / SECONDS_OF_HOUR;
    run.kwh = run.gpu_hours * gpu->watts / WATTS_OF_KW;
    run.dollars = run.gpu_hours * options->price;
    return run;
}
