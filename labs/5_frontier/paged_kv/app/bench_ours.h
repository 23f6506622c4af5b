/* bench_ours.h -- the engine's side of bench_engine.c: a batch of sequences decoded, a prompt computed.
 *
 *     Ours ours;
 *     if (!ours_open(&ours, arena, weights, form, &err)) ...
 *     ours.cell = (Cell){form, "decode", 2, 8, 129, 6};    // 8 sequences of 129 tokens get 6 more
 *     double seconds = ours_run(&ours, 1, &err);           // the 6 steps alone; negative upon failure
 *     engine_close(ours.engine);
 */
#pragma once
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

enum { MOST_BATCH = 32 };

typedef struct Form {
    const char *key;             // of --model
    const char *name, *model;    // of bench_models_gguf()
    DType type;
    // Tokens. A context is whole blocks and one token: what the prefix cache spares in all rounds but the first.
    int context, prefill;
    int steps[3];      // of each batch
    bool all_cores;    // measured with the most threads alone: it takes long
} Form;

// What is timed in one row of the table.
typedef struct Cell {
    const Form *form;
    const char *work;    // "decode" or "prefill"
    int threads, batch, prompt, steps;
} Cell;

typedef struct Ours {
    Engine *engine;
    int vocabulary;
    Cell cell;
    int32_t *prompts;    // [MOST_BATCH,prompt]
    int turn;            // of prefills: no prompt is computed twice
} Ours;

bool ours_open(Ours *ours, Arena *arena, const Weights *weights, const Form *form, Error *err);
double ours_run(void *work, long calls, Error *err);    // a Run of bench/harness.h

// The best of some reads of 512 MiB (quick: 32) as the weights lie: large pages, four streams a thread.
double large_page_read_gbs(int threads, bool quick);
