#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/report/report.h"

static void cost_rows(Rows *rows, const TrainingCost *run)
{
    const GpuSpec *spec = &run->gpu_spec;
    const char *label =
        arena_print(rows->arena, "  on %" PRIu64 " %s", run->options.gpus, spec->name);
    if (!(run->peak > 0)) {
        const char *why =
            arena_print(rows->arena, "the peak of %s is not known; give --tflops", spec->name);
        row_null(rows, "compute.training.seconds", label, why);
        row_null(rows, "compute.training.gpu_hours", NULL, why);
        row_null(rows, "compute.training.kwh", NULL, why);
        row_null(rows, "compute.training.dollars", NULL, why);
        return;
    }
    Row *row = row_real(rows, "compute.training.seconds", label, run->seconds, UNIT_SECONDS);
    row_explain(rows, row, "FLOPs / (GPUs x peak x mfu)", "%.4g / (%" PRIu64 " x %.4g x %g)",
                run->flops, run->options.gpus, run->peak, run->options.mfu);
    row =
        row_real(rows, "compute.training.gpu_hours", "  GPU-hours", run->gpu_hours, UNIT_GPU_HOURS);
    row_explain(rows, row, "FLOPs / (peak x mfu x 3600)", "%.4g / (%.4g x %g x 3600)", run->flops,
                run->peak, run->options.mfu);
    if (spec->watts > 0) {
        row = row_real(rows, "compute.training.kwh", "  energy of the GPU boards", run->kwh,
                       UNIT_KWH);
        row_explain(rows, row,
                    "GPU-hours x watts / 1000: the boards at their limit; hosts, network and "
                    "cooling are more",
                    "%.4g x %g / 1000", run->gpu_hours, spec->watts);
    } else {
        row_null(rows, "compute.training.kwh", NULL, "the card's power is not known");
    }
    if (run->options.price > 0) {
        row = row_real(rows, "compute.training.dollars", "  cost", run->dollars, UNIT_DOLLARS);
        row_explain(rows, row, "GPU-hours x price", "%.4g x %g", run->gpu_hours,
                    run->options.price);
    } else {
        row_null(rows, "compute.training.dollars", NULL,
                 "no price is given; --price says dollars for a GPU and hour");
    }
}

static void run_rows(Rows *rows, const TrainingCost *run, const Flops *flops)
{
    Row *row = row_real(rows, "compute.training.tokens", "training on", run->tokens, UNIT_TOKENS);
    if (run->options.tokens > 0) row_explain(rows, row, "as asked", "%.4g", run->tokens);
    else row_explain(rows, row, "20 for each active parameter", "20 x %.0f", run->params);
    bool full = !run->options.frozen;
    row = row_real(rows, "compute.training.flops", "  takes", run->flops, UNIT_FLOPS);
    row_explain(rows, row,
                full ? "tokens x FLOPs of training one, attention included"
                     : "tokens x 2 x forward: frozen matrices need no gradients of their own",
                "%.4g x %.4g", run->tokens, run->flops / run->tokens);
    row = row_real(rows, "compute.training.flops_6nd_quoted", "  as papers quote it, 6 N D",
                   run->quoted, UNIT_FLOPS);
    row_explain(rows, row, "6 N D, N all active parameters, embeddings too", "6 x %.0f x %.4g",
                flops->six_n_all / 6, run->tokens);
    row = row_real(rows, "compute.training.flops_6nd", "  6 N D without look-ups", run->six_nd,
                   UNIT_FLOPS);
    row_explain(rows, row, "6 N D, N without embeddings that are only looked up", "6 x %.0f x %.4g",
                flops->six_n / 6, run->tokens);
    row_count(rows, "compute.training.gpus", NULL, run->options.gpus, UNIT_GPUS);
    row_real(rows, "compute.training.mfu", NULL, run->options.mfu, UNIT_SHARE);
    row = row_real(rows, "compute.training.hfu", NULL, run->hfu, UNIT_SHARE);
    row_explain(rows, row, "mfu x FLOPs with full recomputation / without: what the hardware does",
                "%g x %.4g / %.4g", run->options.mfu, flops->recomputed, flops->training);
    cost_rows(rows, run);
    row = row_real(rows, "compute.training.over_training", "  tokens, as a multiple of 20 N",
                   run->tokens / (TOKENS_PER_PARAMETER * run->params), UNIT_NONE);
    row_explain(rows, row,
                "tokens / (20 N), N active parameters: 1 is compute-optimal, more makes a model "
                "cheaper to run",
                "%.4g / (20 x %.0f)", run->tokens, run->params);
    row = row_real(rows, "compute.training.loss", NULL, run->loss, UNIT_NONE);
    row_explain(
        rows, row,
        "1.69 + 406.4 / N^0.34 + 410.7 / D^0.28 nats, for Hoffmann et al.'s data and tokenizer",
        "1.69 + 406.4 / %.4g^0.34 + 410.7 / %.4g^0.28", run->params, run->tokens);
}

static void optimum_rows(Rows *rows, const TrainingCost *run)
{
    double flops = run->budget;
    KnOptimum best = run->optimum, least = run->least;
    row_real(rows, "compute.chinchilla.flops", "Chinchilla, for", flops, UNIT_FLOPS);
    Row *row = row_real(rows, "compute.chinchilla.parameters", "  parameters", best.params,
                        UNIT_PARAMETERS);
    row_explain(rows, row, "N = sqrt(C / (6 x 20)): C = 6 N D with D = 20 N (Hoffmann et al. 2022)",
                "sqrt(%.4g / 120)", flops);
    row = row_real(rows, "compute.chinchilla.tokens", "  tokens", best.tokens, UNIT_TOKENS);
    row_explain(rows, row, "20 N", "20 x %.4g", best.params);
    row_real(rows, "compute.chinchilla.loss", NULL, run->optimum_loss, UNIT_NONE);
    row = row_real(rows, "compute.chinchilla.least_loss.parameters", NULL, least.params,
                   UNIT_PARAMETERS);
    row_explain(rows, row,
                "N = G (C/6)^(beta/(alpha+beta)), G = (alpha A / (beta B))^(1/(alpha+beta)): "
                "where the fitted loss is least",
                "(0.34 x 406.4 / (0.28 x 410.7))^(1/0.62) x (%.4g / 6)^(0.28/0.62)", flops);
    row_real(rows, "compute.chinchilla.least_loss.tokens", NULL, least.tokens, UNIT_TOKENS);
    row_real(rows, "compute.chinchilla.least_loss.loss", NULL, run->least_loss, UNIT_NONE);
}

void training_cost_rows(Rows *rows, const TrainingCost *run, const Flops *flops)
{
    run_rows(rows, run, flops);
    optimum_rows(rows, run);
}
