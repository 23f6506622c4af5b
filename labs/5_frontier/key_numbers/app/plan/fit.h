/* fit.h -- which GPUs hold the model, the cheapest split first; and what the most is that the asked GPU
 * holds: fit.* of the report.
 *
 *     const FitOption *options;
 *     int count = fit_options(arena, model, &question, &options, &err);
 *     // options[0]: 2 x A100 80 GB, tp 2, 160 GB in all
 *
 * Memory is what is paid for, so the least of it in all is the cheapest; prices are left out, since a
 * table of them ages. Whether a GPU has kernels for a format is not asked.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/inference.h"

typedef struct FitOption {
    GpuSpec gpu_spec;
    uint64_t gpus, tp, pp;    // 0 GPUs: no split up to FIT_MOST of them holds it
    double memory;            // of all those GPUs together, bytes, by their reports
    double free;              // on the fullest one, within the share that may be used
    uint64_t requests;        // of this context at the same time; 0 also when none is limited
    const char *weights;      // the format
} FitOption;

enum { FIT_MOST = 64 };    // GPUs of one kind

// The smallest split for each GPU of the table, sorted: the least memory in all first, then fewer GPUs,
// then more bandwidth; those that hold nothing last. A GPU that shares its host's memory is alone. Splits
// are over 1, 2, 4, 8 GPUs and whole machines of 8 beyond; question's own tp, pp, ep are not looked at.
int fit_options(Arena *arena, const Model *model, const Question *question,
                const FitOption **options,
                Error *err);    // -1 upon failure
// The same for question->GPU, with all that is known of that split; `less`, if there is one, is the
// next smaller number of GPUs, which does not hold it.
bool fit_asked(Arena *arena, const Model *model, const Question *question, FitOption *option,
               Serving *serving, Serving *less, Error *err);
// Whether one such GPU holds the model in this format (NULL: as published); then `serving` says how.
bool fit_alone(Arena *arena, const Model *model, const Question *question, const char *weights,
               Serving *serving);
// The formats that weights are commonly cut down to.
enum { FIT_FORMATS = 8, FIT_GOOD_FORMATS = 6 };    // those before 3 bits
extern const char *const fit_formats[FIT_FORMATS];

// As published, or else in the one of the first `count` of fit_formats[] that has most bits and in which
// one such GPU holds the model: best->weights is what it takes. Its format is NULL where none does.
bool fit_best(Arena *arena, const Model *model, const Question *question, int count, Serving *best,
              Error *err);

bool fit_tell(Rows *rows, const Model *model, const Question *question,
              Error *err);    // fit_tell.c
// The largest models of the catalogue that question.GPU holds at this context, in question.weights or
// the best of a few formats: fit.largest_models[].    fit_largest.c
bool fit_largest_tell(Rows *rows, const Question *question, Error *err);
