/* recorder.h -- who holds which block of the KV cache, step by step: as letters, a picture, a page.
 *
 *     Recorder *recorder = recorder_new(arena, engine, tokenizer);    // before the first request
 *     engine_submit(engine, ...);
 *     while (engine_step(engine)) recorder_step(recorder);
 *     puts(recorder_map(recorder, recorder->count - 1));              // AABB3322-...
 *     if (!recorder_page(recorder, "replay.html", &err)) ...          // goes through the steps, in a browser
 *
 * A text is a choice of a request, and has a letter in the order in which they come: A to Z; what comes after
 * these is one text, '*'. Everything lives in the arena; the memory grows with each step.
 */
#pragma once
#include "common/picture.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

enum { RECORDED_TEXTS = 27 };

typedef struct Cell {       // a block, after a step
    uint32_t owners;        // bit i: the table of text i holds it
    bool cached;            // another request can find it
    int tokens;             // that are computed
    const char *content;    // its tokens as text
} Cell;

typedef struct Work {    // what a step computes of a text
    int text, first, count;
    struct Work *next;
} Work;

typedef struct Frame {
    Cell *cells;                          // [blocks]
    Work *work;                           // a list, or NULL
    int scheduled;                        // entries of it
    const char *events;                   // "preempted: F; copied: 3 to 9 for G"; "": none
    int shown[RECORDED_TEXTS];            // characters of the answer so far
    const int *tables[RECORDED_TEXTS];    // block numbers, -1 at the end; NULL: none
    struct Frame *before, *next;
} Frame;

typedef struct RecordedText {
    int id, choice, prompt_tokens;
    const char *prompt, *answer;
} RecordedText;

typedef struct Recorder {
    Arena *arena;
    Engine *engine;
    const Tokenizer *tokenizer;
    int blocks, block_size, budget;
    RecordedText texts[RECORDED_TEXTS];
    int text_count;
    Frame *first, *last;    // last: of this step, once recorder_step() was called
    int count;
    int copied, evicted;    // blocks, so far
    struct Frame *open;     // of the step that runs
    const char *notes[6];
} Recorder;

// The engine is watched from here on (engine_watch), until it is closed.
Recorder *recorder_new(Arena *arena, Engine *engine, const Tokenizer *tokenizer);
void recorder_step(Recorder *recorder);

char recorder_letter(int text);
// Who holds each block: a letter, the number of holders ('+': more than 9), '-' cached and idle, '.' free.
const char *recorder_map(const Recorder *recorder, const Frame *frame);
Picture *recorder_picture(const Recorder *recorder,
                          Arena *arena);    // blocks across, steps downward
bool recorder_page(const Recorder *recorder, const char *path, Error *err);

// The last frame on a terminal, over the one before. *lines is 0 at first.
bool recorder_can_show(const Recorder *recorder, int texts);    // so many: is there room?
void recorder_show(const Recorder *recorder, int *lines);
