/* mine.h -- the learner's functions in the engine's places: `--mine`.
 *
 *     if (mine_asked()) mine_install(&options);    // before engine_open()
 *     if (mine_asked()) mine_print(weights, stderr);
 *
 * `lab chat --mine` starts a program with LAB_CHECK in its environment, on a library of the learner's
 * functions; LAB_WRITTEN names those that are written. They do the engine's work:
 *
 *     allocate ... commit            memory and schedule (planner.c): they plan in place of scheduler.c
 *     attention, quantize, dot       kernels (numbers.c): in the table that the runner calls
 *     sample, accept                 from logits to tokens (choose.c)
 *
 * The reference computes beside them, and the first answer that differs ends the program and is named. So
 * does a crash, and a function that does not return (guard.h).
 */
#pragma once
#include <stdio.h>
#include "labs/5_frontier/paged_kv/app/engine.h"

bool mine_asked(void);
bool mine_has(const char *exercise);    // it is the learner's

// Puts the learner's functions into these options and into the kernel table. The cache becomes F32, which
// is what kv_attention() reads.
void mine_install(EngineOptions *options);

// How many weights the learner's product multiplies.
void mine_print(const Weights *weights, FILE *stream);

// ---- the parts ----

const Planner *mine_planner(Arena *arena, BlockPool *pool, int sequences);
bool mine_plans(void);    // whether one of its exercises is the learner's
void mine_use_kernels(void);
bool mine_verify(Sampler *sampler, const SamplerOptions *options, const SamplerContext *context,
                 const SpeculationRow *rows, int drafted, const Distribution *q, Speculated *out,
                 Error *err);
