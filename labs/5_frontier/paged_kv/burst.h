/* burst.h -- six requests that share a prompt, and a second sample of the first: seven texts, A to G.
 *
 *     Burst burst;
 *     if (!burst_run(lab, (BurstOptions){.blocks = 24, .block_size = 4, .budget = 16, .chunk = 8,
 *                                        .only = -1, .records = true}, &burst, &err)) ...
 *     puts(burst.texts[6]);    // G's
 *
 * All lives in lab->step.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/watch/recorder.h"
#include "labs/5_frontier/paged_kv/story.h"

enum { TEXTS = 7 };

typedef struct BurstOptions {
    int blocks, block_size, budget, chunk;
    int only;    // this request alone; -1: all
    bool records;
    bool shows;    // each step on the terminal, where it is one
} BurstOptions;

typedef struct Burst {
    BurstOptions options;
    const char *prompt, *own[TEXTS];    // the shared beginning; what follows it
    char *texts[TEXTS];                 // the answers
    int steps;
    Recorder *recorder;    // or NULL
    EngineStatistics statistics;
} Burst;

bool burst_run(Lab *lab, BurstOptions options, Burst *burst, Error *err);
