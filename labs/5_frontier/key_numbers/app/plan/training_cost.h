/* training_cost.h -- what a training run costs, and the model that the same FLOPs would do best with.
 *
 *     TrainingCost run = training_cost(model, &flops, &gpu_spec, &options);
 *     run.gpu_hours;    // FLOPs / (peak x mfu x 3600)
 *
 * Peaks are those of 16-bit products; with fp32 training, of fp32's.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/flops.h"
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"

enum { TOKENS_PER_PARAMETER = 20 };    // of a compute-optimal run (Hoffmann et al. 2022)

typedef struct RunOptions {
    double tokens;    // 0: TOKENS_PER_PARAMETER for each active parameter
    uint64_t gpus;
    double mfu;       // model FLOPs utilisation
    double price;     // dollars for a GPU and hour
    double budget;    // FLOPs to spend on the optimum; 0: what the run costs
    bool frozen;      // the base is not trained (LoRA)
    bool fp32;
} RunOptions;

typedef struct TrainingCost {
    RunOptions options;
    GpuSpec gpu_spec;
    double params;    // N of the scaling laws: active parameters
    double tokens;    // D
    double flops;     // with attention, causal: what mfu is a share of
    double six_nd;    // without: what the scaling laws call C
    double quoted;    // 6 N D with all active parameters, as papers quote it
    double hfu;       // hardware FLOPs utilisation, with full recomputation
    double loss;      // training_loss() of N and D
    double peak;      // FLOP/s of one GPU; 0 where the GPU's is not known
    double seconds, gpu_hours, kwh, dollars;    // 0 where the peak is not known
    double budget;                              // FLOPs of:
    KnOptimum optimum, least;                   // with D = 20 N; training_least_loss()
    double optimum_loss, least_loss;            // training_loss() of those
} TrainingCost;

TrainingCost training_cost(const Model *model, const Flops *flops, const GpuSpec *gpu,
                           const RunOptions *options);

// Hoffmann et al. 2022, approach 3 (equation 10): L = 1.69 + 406.4 / N^0.34 + 410.7 / D^0.28, in nats for
// each token of their data and tokenizer. Besiroglu et al. 2024 found these rounded constants biased.
double training_loss(double params, double tokens);
// The N and D that it is least for, at C = 6 N D.
KnOptimum training_least_loss(double flops);
