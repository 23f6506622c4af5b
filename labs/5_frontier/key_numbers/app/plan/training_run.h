/* training_run.h -- what a training run costs, and the model that the same FLOPs would do best with.
 *
 *     TrainingRun run = training_run(model, &question);
 *     run.gpu_hours;    // FLOPs / (peak x mfu x 3600)
 *
 * Peaks are those of 16-bit products; with --precision fp32, of fp32's.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

typedef struct TrainingRun {
    double params;    // N of the scaling laws: active parameters
    double tokens;    // D
    double flops;     // with attention, causal: what mfu is a share of
    double six_nd;    // without: what the scaling laws call C
    double peak;      // FLOP/s of one GPU; 0 where the GPU's is not known
    uint64_t gpus;
    double seconds, gpu_hours, kwh, dollars;    // 0 where the peak is not known
} TrainingRun;

TrainingRun training_run(const Model *model, const Question *question);

// Hoffmann et al. 2022, approach 3 (equation 10): L = 1.69 + 406.4 / N^0.34 + 410.7 / D^0.28, in nats for
// each token of their data and tokenizer. Besiroglu et al. 2024 found these rounded constants biased.
double training_loss(double params, double tokens);
// The N and D that it is least for, at C = 6 N D.
KnOptimum training_least_loss(double flops);

// compute.training.*, compute.chinchilla.*
void training_run_tell(Rows *rows, const Model *model, const Question *question);
