/* engine.h -- many requests to one model at once: submit, step, stream, cancel.
 *
 *     Engine *engine = engine_open(weights, tokenizer, (EngineOptions){0}, &err);
 *     Request request = {.prompt = ids, .prompt_count = 12, .max_tokens = 100, .on_event = print_event, .context = stdout};
 *     const int id = engine_submit(engine, &request, &err);    // -1: refused
 *     while (engine_step(engine)) continue;                    // on_event() is called with each token
 *     engine_cancel(engine, id);                               // at any time, also in on_event()
 *     engine_close(engine);
 *
 * A request has one or more choices: continuations of its prompt, drawn independently. They share the prompt's
 * blocks. What a choice becomes depends on its request alone, to the last bit: not on the requests beside it,
 * nor on whether its prompt was in the prefix cache, it was preempted, or tokens were drafted for it. A draft model
 * draws other tokens of the same distribution, the same ones however many it drafts at a time; greedy ones stay.
 *
 * One thread calls all of this.
 */
#pragma once
#include "labs/3_language/tokenizer/app/encoder.h"
#include "labs/5_frontier/paged_kv/app/model/runner.h"
#include "labs/5_frontier/paged_kv/app/request.h"
#include "labs/5_frontier/paged_kv/app/sampling/speculation.h"

// What is 0 gets the default in brackets.
typedef struct EngineOptions {
    int block_size;    // tokens [16]
    size_t
        cache_bytes;    // of keys and values, at most [1 GiB; no more than all sequences can fill]
    int blocks;         // instead: so many
    int sequences;      // that run at once [64]
    int budget;         // tokens in a step [256; at least `sequences`]
    int chunk;          // of a prompt in a step [the budget]
    const PrefixKind *prefix;    // [radix tree]
    bool no_prefix_cache;
    bool worst_case;            // admission: see scheduler.h
    int patience;               // places that a priority of 1 is worth [8]
    DType cache;                // of keys and values [F32]
    Activations activations;    // [F32]
    int drafts;    // tokens drafted at a time, by n-grams or the draft model [none; 4 with the latter]
    const Weights *draft;    // of a draft model with the same tokenizer [none]; borrowed
    // Other functions in the places of the engine's: a learner's (mine/).
    const Planner *(*planner)(Arena *arena, BlockPool *pool, int sequences);    // [none]
    bool (*verify)(Sampler *sampler, const SamplerOptions *options, const SamplerContext *context,
                   const SpeculationRow *rows, int drafted, const Distribution *q, Speculated *out,
                   Error *err);    // [speculation_verify]
} EngineOptions;

typedef struct EngineStatistics {
    int64_t steps, computed_tokens;    // rows of the model's batches
    int64_t prompt_tokens, output_tokens;
    int64_t hit_tokens;    // of the prompts of finished requests, found in the prefix cache
    int64_t drafted, accepted;
    int64_t preemptions, finished;    // choices
    double seconds;                   // in steps
    int running, waiting;             // sequences, now
    int blocks, held, cached_idle;    // now
} EngineStatistics;

typedef struct Engine Engine;

// NULL and why. The weights, and the tokenizer unless it is NULL, are borrowed.
Engine *engine_open(const Weights *weights, const Tokenizer *tokenizer, EngineOptions options,
                    Error *err);
void engine_close(Engine *engine);    // NULL is fine; what it has not finished gets no event

// Its id, from 0 on; -1 and why: it can never be served. What it points to is copied, but `context`.
int engine_submit(Engine *engine, const Request *request, Error *err);
bool engine_step(Engine *engine);              // false: there is nothing to do
void engine_cancel(Engine *engine, int id);    // one that has ended is fine

EngineStatistics engine_statistics(const Engine *engine);
const EngineOptions *engine_options(const Engine *engine);    // with the defaults
const Scheduler *engine_scheduler(const Engine *engine);      // to look at: block tables
// Calls on_event() with what the scheduler does, as it does it.
void engine_watch(Engine *engine, void (*on_event)(void *context, const SchedulerEvent *event),
                  void *context);
