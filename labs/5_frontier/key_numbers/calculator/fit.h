/* fit.h -- which GPUs hold the model, the cheapest split first; and what the most is that one GPU holds:
 * fit.* of the sheet. */
#pragma once
#include "labs/5_frontier/key_numbers/calculator/inference.h"

typedef struct FitOption {
    Card        card;
    uint64_t    gpus, tp, pp;      // 0 GPUs: no split up to FIT_MOST of them holds it
    double      memory;            // of all those GPUs together, bytes
    double      free;              // on the fullest one, within the share that may be used
    uint64_t    requests;          // of this context at the same time
    const char *weights;           // the format
} FitOption;

enum { FIT_MOST = 64 };    // GPUs of one kind

// The smallest split for each card of the table, sorted: the least memory in all first (what one pays
// for), then fewer GPUs; those that hold nothing last.
int  fit_options(Arena *arena, const Model *model, const Question *question, const FitOption **options,
                 Error *err);    // -1 upon failure
bool fit_tell(Sheet *sheet, const Model *model, const Question *question, Error *err);
