#include "labs/5_frontier/key_numbers/app/plan/training_run.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/compute.h"

enum { TOKENS_FOR_PARAMETER = 20, SECONDS_OF_HOUR = 3600, WATTS_OF_KW = 1000 };

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

TrainingRun training_run(const Model *model, const Question *question)
{
    TrainingRun run = {.params = (double)model_active(model), .gpus = question->train_gpus};
    if (run.gpus == 0) run.gpus = question->dp * question->tp * question->pp;
    run.tokens =
        question->train_tokens > 0 ? question->train_tokens : TOKENS_FOR_PARAMETER * run.params;
    // A frozen matrix is multiplied in forward and once in backward; its own gradient is not asked for.
    double passes = strcmp(question->method, "full") == 0 ? 3 : 2;
    run.flops = compute_training(model, question->sequence) / 3 * passes * run.tokens;
    run.six_nd = compute_six_n(model) * run.tokens;
    run.peak =
        gpu_spec_peak(&question->gpu_spec, strcmp(question->precision, "fp32") == 0 ? 32 : 16);
    if (!(run.peak > 0)) return run;
    double gpu_seconds = run.flops / (run.peak * question->mfu);
    run.seconds = gpu_seconds / (double)run.gpus;
    run.gpu_hours = gpu_seconds / SECONDS_OF_HOUR;
    run.kwh = run.gpu_hours * question->gpu_spec.watts / WATTS_OF_KW;
    run.dollars = run.gpu_hours * question->price;
    return run;
}

// ---- telling ----

static void cost_tell(Rows *rows, const Question *question, const TrainingRun *run)
{
    const GpuSpec *spec = &question->gpu_spec;
    const char *label = arena_print(rows->arena, "  on %" PRIu64 " %s", run->gpus, spec->name);
    if (!(run->peak > 0)) {
        const char *why =
            arena_print(rows->arena, "the peak of %s is not known; give --tflops", spec->name);
        row_null(rows, "compute.training.seconds", label, why);
        row_null(rows, "compute.training.gpu_hours", NULL, why);
        row_null(rows, "compute.training.kwh", NULL, why);
        row_null(rows, "compute.training.dollars", NULL, why);
        return;
    }
    Row *entry = row_real(rows, "compute.training.seconds", label, run->seconds, UNIT_SECONDS);
    row_explain(rows, entry, "FLOPs / (GPUs x peak x mfu)", "%.4g / (%" PRIu64 " x %.4g x %g)",
                run->flops, run->gpus, run->peak, question->mfu);
    entry =
        row_real(rows, "compute.training.gpu_hours", "  GPU-hours", run->gpu_hours, UNIT_GPU_HOURS);
    row_explain(rows, entry, "FLOPs / (peak x mfu x 3600)", "%.4g / (%.4g x %g x 3600)", run->flops,
                run->peak, question->mfu);
    if (spec->watts > 0) {
        entry = row_real(rows, "compute.training.kwh", "  energy of the GPU boards", run->kwh,
                         UNIT_KWH);
        row_explain(rows, entry,
                    "GPU-hours x watts / 1000: the boards at their limit; hosts, network and "
                    "cooling are more",
                    "%.4g x %g / 1000", run->gpu_hours, spec->watts);
    } else {
        row_null(rows, "compute.training.kwh", NULL, "the card's power is not known");
    }
    if (question->price > 0) {
        entry = row_real(rows, "compute.training.dollars", "  cost", run->dollars, UNIT_DOLLARS);
        row_explain(rows, entry, "GPU-hours x price", "%.4g x %g", run->gpu_hours, question->price);
    } else {
        row_null(rows, "compute.training.dollars", NULL,
                 "no price is given; --price says dollars for a GPU and hour");
    }
}

static void run_tell(Rows *rows, const Model *model, const Question *question,
                     const TrainingRun *run)
{
    Row *entry = row_real(rows, "compute.training.tokens", "training on", run->tokens, UNIT_TOKENS);
    if (question->train_tokens > 0) row_explain(rows, entry, "as asked", "%.4g", run->tokens);
    else row_explain(rows, entry, "20 for each active parameter", "20 x %.0f", run->params);
    bool full = strcmp(question->method, "full") == 0;
    entry = row_real(rows, "compute.training.flops", "  takes", run->flops, UNIT_FLOPS);
    row_explain(rows, entry,
                full ? "tokens x FLOPs of training one, attention included"
                     : "tokens x 2 x forward: frozen matrices need no gradients of their own",
                "%.4g x %.4g", run->tokens, run->flops / run->tokens);
    entry = row_real(rows, "compute.training.flops_6nd", "  as 6 N D", run->six_nd, UNIT_FLOPS);
    row_explain(rows, entry, "6 N D, as papers quote it", "6 x %.0f x %.4g",
                compute_six_n(model) / 6, run->tokens);
    row_count(rows, "compute.training.gpus", NULL, run->gpus, UNIT_GPUS);
    row_real(rows, "compute.training.mfu", NULL, question->mfu, UNIT_SHARE);
    entry =
        row_real(rows, "compute.training.hfu", NULL,
                 question->mfu * compute_recomputed(model, question->sequence, POSITIONS_CAUSAL) /
                     compute_training(model, question->sequence),
                 UNIT_SHARE);
    row_explain(rows, entry,
                "mfu x FLOPs with full recomputation / without: what the hardware does",
                "%g x %.4g / %.4g", question->mfu,
                compute_recomputed(model, question->sequence, POSITIONS_CAUSAL),
                compute_training(model, question->sequence));
    cost_tell(rows, question, run);
    entry = row_real(rows, "compute.training.over_training", "  tokens, as a multiple of 20 N",
                     run->tokens / (TOKENS_FOR_PARAMETER * run->params), UNIT_NONE);
    row_explain(rows, entry,
                "tokens / (20 N), N active parameters: 1 is compute-optimal, more makes a model "
                "cheaper to run",
                "%.4g / (20 x %.0f)", run->tokens, run->params);
    entry = row_real(rows, "compute.training.loss", NULL, training_loss(run->params, run->tokens),
                     UNIT_NONE);
    row_explain(
        rows, entry,
        "1.69 + 406.4 / N^0.34 + 410.7 / D^0.28 nats, for Hoffmann et al.'s data and tokenizer",
        "1.69 + 406.4 / %.4g^0.34 + 410.7 / %.4g^0.28", run->params, run->tokens);
}

static void optimum_tell(Rows *rows, double flops)
{
    KnOptimum best = kn_optimum(flops, TOKENS_FOR_PARAMETER), least = training_least_loss(flops);
    row_real(rows, "compute.chinchilla.flops", "Chinchilla, for", flops, UNIT_FLOPS);
    Row *entry = row_real(rows, "compute.chinchilla.parameters", "  parameters", best.params,
                          UNIT_PARAMETERS);
    row_explain(rows, entry,
                "N = sqrt(C / (6 x 20)): C = 6 N D with D = 20 N (Hoffmann et al. 2022)",
                "sqrt(%.4g / 120)", flops);
    entry = row_real(rows, "compute.chinchilla.tokens", "  tokens", best.tokens, UNIT_TOKENS);
    row_explain(rows, entry, "20 N", "20 x %.4g", best.params);
    row_real(rows, "compute.chinchilla.loss", NULL, training_loss(best.params, best.tokens),
             UNIT_NONE);
    entry = row_real(rows, "compute.chinchilla.least_loss.parameters", NULL, least.params,
                     UNIT_PARAMETERS);
    row_explain(rows, entry,
                "N = G (C/6)^(beta/(alpha+beta)), G = (alpha A / (beta B))^(1/(alpha+beta)): "
                "where the fitted loss is least",
                "(0.34 x 406.4 / (0.28 x 410.7))^(1/0.62) x (%.4g / 6)^(0.28/0.62)", flops);
    row_real(rows, "compute.chinchilla.least_loss.tokens", NULL, least.tokens, UNIT_TOKENS);
    row_real(rows, "compute.chinchilla.least_loss.loss", NULL,
             training_loss(least.params, least.tokens), UNIT_NONE);
}

void training_run_tell(Rows *rows, const Model *model, const Question *question)
{
    TrainingRun run = training_run(model, question);
    run_tell(rows, model, question, &run);
    optimum_tell(rows, question->budget > 0 ? question->budget : run.six_nd);
}
