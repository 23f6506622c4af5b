/* story.h -- the parts of the lab: a toy model served by the exercises, and what each idea is worth. */
#pragma once
#include "common/rng.h"
#include "common/story.h"
#include "labs/5_frontier/paged_kv/paged_kv.h"

typedef struct Lab {
    Run *run;
    Arena *step;    // for one part
    int blocks, block_size, budget, chunk;
} Lab;

bool part_memory(void *lab, Error *err);    // memory.c: reservations against blocks
bool part_serve(void *lab, Error *err);     // serve.c: a burst of requests, block by block
bool part_alone(void *lab, Error *err);     // the same with other sizes, and each request alone
bool part_speculation(void *lab, Error *err);     // numbers.c: tokens per round
bool part_quantization(void *lab, Error *err);    // the error of 8-bit dot products
