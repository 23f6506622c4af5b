/* burst.h -- seven texts of six requests that share a prompt, served by the engine, step by step.
 *
 *     Burst burst;
 *     if (!burst_run(lab, (BurstOptions){.blocks = 32, .block_size = 4, .budget = 24, .chunk = 12,
 *                                        .only = -1}, &burst, &err)) ...
 *     for (int i = 0; i < burst.count; i++) puts(burst_map(&burst, lab->step, i));    // AABB3322-..
 *
 * Texts A to F are requests; G is a second sample of A's prompt. All lives in lab->step.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/loaded.h"
#include "labs/5_frontier/paged_kv/story.h"

enum { TEXTS = 7, STEPS_MAX = 1000 };

typedef struct BurstOptions {
    int blocks, block_size, budget, chunk;
    int only;      // this request alone; -1: all
    bool watch;    // records frames
    bool shows;    // each step on the terminal
} BurstOptions;

typedef struct Cell {       // a block, after a step
    unsigned owners;        // bit i: the table of text i holds it
    bool cached;            // another request can find it
    int tokens;             // that are computed
    const char *content;    // its tokens as text
} Cell;

typedef struct Work {    // what the step computes of a text
    int text, first, count;
} Work;

typedef struct Frame {
    Cell *cells;    // [blocks]
    Work work[TEXTS];
    int works;
    int shown[TEXTS];      // characters of the answer so far
    const char *events;    // "preempted: F; copied: 3 to 9 for G"
    int *tables[TEXTS];    // block numbers, -1 at the end; NULL: none
} Frame;

typedef struct Burst {
    BurstOptions options;
    const char *prompt, *own[TEXTS];    // the shared beginning; what follows it
    int prompt_tokens[TEXTS];
    char *texts[TEXTS];
    Frame *frames;    // [count]
    int count, steps, most_at_once, copied, evicted;
    EngineStatistics statistics;
} Burst;

bool burst_run(Lab *lab, BurstOptions options, Burst *burst, Error *err);

// Who holds each block: a text's letter, the number of holders, '-' cached and idle, '.' free.
const char *burst_map(const Burst *burst, Arena *arena, int frame);
void burst_picture(const Lab *lab, const Burst *burst);             // out/blocks.png
bool burst_page(const Lab *lab, const Burst *burst, Error *err);    // out/replay.html
void burst_show(const Lab *lab, const Burst *burst,
                int *lines);    // the last frame, over the one before
bool burst_can_show(const Lab *lab);
