/* fit.h -- which GPUs hold the model, the cheapest split first; and what the most is that the asked GPU
 * holds.
 *
 *     Fit fit;
 *     if (!fit_plan(arena, &deployment, &gpu_spec, &fit, &err)) ...
 *     // fit.options[0]: 2 x A100 80 GB, tp 2, 160 GB in all
 *
 * Memory is what is paid for, so the least of it in all is the cheapest; prices are left out, since a
 * table of them ages. Whether a GPU has kernels for a format is not asked.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"

typedef struct FitOption {
    GpuSpec gpu_spec;
    uint64_t gpus, tp, pp;    // 0 GPUs: no split up to FIT_MOST of them holds it
    double memory;            // of all those GPUs together, bytes, as their vendors give it
    double free;              // on the fullest one, within the share that may be used
    uint64_t requests;        // of this context at the same time; 0 also when none is limited
} FitOption;

enum { FIT_MOST = 64 };    // GPUs of one kind
// The formats that weights are commonly cut down to.
enum { FIT_FORMATS = 8, FIT_GOOD_FORMATS = 6 };    // those before 3 bits
extern const char *const fit_formats[FIT_FORMATS];

typedef struct Fit {
    GpuSpec gpu_spec;     // the asked GPU
    MemoryLimit limit;    // of it
    FitOption asked;      // the fewest of them that hold the model,
    Serving serving;      // what is on each,
    Serving less;         // and with the next smaller number, which does not; 0 GPUs: there is none
    // As published, or else in the one of fit_formats[] that has most bits and in which one such GPU holds
    // the model. Without a basis none does.
    Serving best;
    // The smallest split for each GPU of the table, sorted: the least memory in all first, then fewer
    // GPUs, then more bandwidth; those that hold nothing last. A GPU that shares its host's memory is
    // alone. Splits are over 1, 2, 4, 8 GPUs and whole machines of 8 beyond.
    const FitOption *options;    // [count]
    int count;
} Fit;

// The deployment's own split is ignored.
bool fit_plan(Arena *arena, const Deployment *deployment, const GpuSpec *gpu, Fit *fit, Error *err);

typedef struct FitModel {
    const Model *model;
    Serving serving;
} FitModel;

enum { FIT_MODELS = 5 };

// The largest models of the catalogue that one such GPU holds at this context, in `weights`, or where that
// is NULL in the best of the good formats; how many there are, -1 upon failure.
int fit_largest(Arena *arena, const char *weights, const char *cache, const Workload *workload,
                const MemoryLimit *limit, FitModel models[FIT_MODELS], Error *err);
