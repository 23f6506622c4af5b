/* story.h -- the parts of the lab: a model served by the engine, and what each idea is worth. */
#pragma once
#include "common/rng.h"
#include "common/story.h"
#include "labs/5_frontier/paged_kv/paged_kv.h"

typedef struct Lab {
    Run *run;
    Arena *step;          // for one part
    const char *model;    // NULL: the story's own
    int blocks, block_size, budget, chunk, requests;
    bool animate;
    bool own_model;           // it knows the stories of datasets/grammar.h
    struct Loaded *loaded;    // weights and tokenizer, of the first part that needs them; or NULL
} Lab;

bool part_memory(void *lab, Error *err);    // memory.c: reservations against blocks
bool part_serve(void *lab, Error *err);     // serve.c: a burst of requests, step by step
bool part_alone(void *lab, Error *err);     // the same with other sizes, and each request alone
bool part_speculation(void *lab, Error *err);     // numbers.c: tokens per round
bool part_quantization(void *lab, Error *err);    // the error of 8-bit dot products

// model.c: opens the model that --model names; else stories260k, where the data folder has it; else the
// story's own, which is trained once and kept there.
bool story_open_model(Lab *lab, Error *err);
void story_close_model(Lab *lab);
