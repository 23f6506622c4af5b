#include "labs/5_frontier/key_numbers/app/plan/training_run.h"
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/compute.h"

typedef unsigned long long Digits;    // what %llu takes

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
    run.peak = card_peak(&question->card, strcmp(question->precision, "fp32") == 0 ? 32 : 16);
    if (!(run.peak > 0)) return run;
    double gpu_seconds = run.flops / (run.peak * question->mfu);
    run.seconds = gpu_seconds / (double)run.gpus;
    run.gpu_hours = gpu_seconds / SECONDS_OF_HOUR;
    run.kwh = run.gpu_hours * question->card.watts / WATTS_OF_KW;
    run.dollars = run.gpu_hours * question->price;
    return run;
}

// ---- telling ----

static void cost_tell(Sheet *sheet, const Question *question, const TrainingRun *run)
{
    const Card *card = &question->card;
    const char *label = arena_print(sheet->arena, "  on %llu %s", (Digits)run->gpus, card->name);
    if (!(run->peak > 0)) {
        const char *why =
            arena_print(sheet->arena, "the peak of %s is not known; give --tflops", card->name);
        sheet_null(sheet, "compute.training.seconds", label, why);
        sheet_null(sheet, "compute.training.gpu_hours", NULL, why);
        sheet_null(sheet, "compute.training.kwh", NULL, why);
        sheet_null(sheet, "compute.training.dollars", NULL, why);
        return;
    }
    Entry *entry = sheet_real(sheet, "compute.training.seconds", label, run->seconds, UNIT_SECONDS);
    entry_explain(sheet, entry, "FLOPs / (GPUs x peak x mfu)", "%.4g / (%llu x %.4g x %g)",
                  run->flops, (Digits)run->gpus, run->peak, question->mfu);
    entry = sheet_real(sheet, "compute.training.gpu_hours", "  GPU-hours", run->gpu_hours,
                       UNIT_GPU_HOURS);
    entry_explain(sheet, entry, "FLOPs / (peak x mfu x 3600)", "%.4g / (%.4g x %g x 3600)",
                  run->flops, run->peak, question->mfu);
    if (card->watts > 0) {
        entry = sheet_real(sheet, "compute.training.kwh", "  energy of the GPU boards", run->kwh,
                           UNIT_KWH);
        entry_explain(sheet, entry,
                      "GPU-hours x watts / 1000: the boards at their limit; hosts, network and "
                      "cooling are more",
                      "%.4g x %g / 1000", run->gpu_hours, card->watts);
    } else {
        sheet_null(sheet, "compute.training.kwh", NULL, "the card's power is not known");
    }
    if (question->price > 0) {
        entry = sheet_real(sheet, "compute.training.dollars", "  cost", run->dollars, UNIT_DOLLARS);
        entry_explain(sheet, entry, "GPU-hours x price", "%.4g x %g", run->gpu_hours,
                      question->price);
    } else {
        sheet_null(sheet, "compute.training.dollars", NULL,
                   "no price is given; --price says dollars for a GPU and hour");
    }
}

static void run_tell(Sheet *sheet, const Model *model, const Question *question,
                     const TrainingRun *run)
{
    Entry *entry =
        sheet_real(sheet, "compute.training.tokens", "training on", run->tokens, UNIT_TOKENS);
    if (question->train_tokens > 0) entry_explain(sheet, entry, "as asked", "%.4g", run->tokens);
    else entry_explain(sheet, entry, "20 for each active parameter", "20 x %.0f", run->params);
    bool full = strcmp(question->method, "full") == 0;
    entry = sheet_real(sheet, "compute.training.flops", "  takes", run->flops, UNIT_FLOPS);
    entry_explain(sheet, entry,
                  full ? "tokens x FLOPs of training one, attention included"
                       : "tokens x 2 x forward: frozen matrices need no gradients of their own",
                  "%.4g x %.4g", run->tokens, run->flops / run->tokens);
    entry = sheet_real(sheet, "compute.training.flops_6nd", "  as 6 N D", run->six_nd, UNIT_FLOPS);
    entry_explain(sheet, entry, "6 N D, as papers quote it", "6 x %.0f x %.4g",
                  compute_six_n(model) / 6, run->tokens);
    sheet_count(sheet, "compute.training.gpus", NULL, run->gpus, UNIT_GPUS);
    sheet_real(sheet, "compute.training.mfu", NULL, question->mfu, UNIT_SHARE);
    entry =
        sheet_real(sheet, "compute.training.hfu", NULL,
                   question->mfu * compute_recomputed(model, question->sequence, POSITIONS_CAUSAL) /
                       compute_training(model, question->sequence),
                   UNIT_SHARE);
    entry_explain(sheet, entry,
                  "mfu x FLOPs with full recomputation / without: what the hardware does",
                  "%g x %.4g / %.4g", question->mfu,
                  compute_recomputed(model, question->sequence, POSITIONS_CAUSAL),
                  compute_training(model, question->sequence));
    cost_tell(sheet, question, run);
    entry = sheet_real(sheet, "compute.training.over_training", "  tokens, as a multiple of 20 N",
                       run->tokens / (TOKENS_FOR_PARAMETER * run->params), UNIT_NONE);
    entry_explain(sheet, entry,
                  "tokens / (20 N), N active parameters: 1 is compute-optimal, more makes a model "
                  "cheaper to run",
                  "%.4g / (20 x %.0f)", run->tokens, run->params);
    entry = sheet_real(sheet, "compute.training.loss", NULL,
                       training_loss(run->params, run->tokens), UNIT_NONE);
    entry_explain(
        sheet, entry,
        "1.69 + 406.4 / N^0.34 + 410.7 / D^0.28 nats, for Hoffmann et al.'s data and tokenizer",
        "1.69 + 406.4 / %.4g^0.34 + 410.7 / %.4g^0.28", run->params, run->tokens);
}

static void optimum_tell(Sheet *sheet, double flops)
{
    KnOptimum best = kn_optimum(flops, TOKENS_FOR_PARAMETER), least = training_least_loss(flops);
    sheet_real(sheet, "compute.chinchilla.flops", "Chinchilla, for", flops, UNIT_FLOPS);
    Entry *entry = sheet_real(sheet, "compute.chinchilla.parameters", "  parameters", best.params,
                              UNIT_PARAMETERS);
    entry_explain(sheet, entry,
                  "N = sqrt(C / (6 x 20)): C = 6 N D with D = 20 N (Hoffmann et al. 2022)",
                  "sqrt(%.4g / 120)", flops);
    entry = sheet_real(sheet, "compute.chinchilla.tokens", "  tokens", best.tokens, UNIT_TOKENS);
    entry_explain(sheet, entry, "20 N", "20 x %.4g", best.params);
    sheet_real(sheet, "compute.chinchilla.loss", NULL, training_loss(best.params, best.tokens),
               UNIT_NONE);
    entry = sheet_real(sheet, "compute.chinchilla.least_loss.parameters", NULL, least.params,
                       UNIT_PARAMETERS);
    entry_explain(sheet, entry,
                  "N = G (C/6)^(beta/(alpha+beta)), G = (alpha A / (beta B))^(1/(alpha+beta)): "
                  "where the fitted loss is least",
                  "(0.34 x 406.4 / (0.28 x 410.7))^(1/0.62) x (%.4g / 6)^(0.28/0.62)", flops);
    sheet_real(sheet, "compute.chinchilla.least_loss.tokens", NULL, least.tokens, UNIT_TOKENS);
    sheet_real(sheet, "compute.chinchilla.least_loss.loss", NULL,
               training_loss(least.params, least.tokens), UNIT_NONE);
}

void training_run_tell(Sheet *sheet, const Model *model, const Question *question)
{
    TrainingRun run = training_run(model, question);
    run_tell(sheet, model, question, &run);
    optimum_tell(sheet, question->budget > 0 ? question->budget : run.six_nd);
}
