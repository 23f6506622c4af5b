/* workload.h -- synthetic traces from known distributions.
 *
 *     Trace trace = workload_make(keep, workload_find("sharegpt"), 1000, 2.0f, seed);
 *
 * Lengths are lognormal, with the means that the PagedAttention paper reports for ShareGPT and Alpaca. It
 * reports no spread: the coefficients of variation are chosen to reproduce its figure 2. Arrivals are a
 * Poisson process. In `chat`, conversations have several turns, each of which sends the whole conversation
 * so far, after one of a few system prompts.
 */
#pragma once
#include "common/rng.h"
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef struct Workload {
    const char *name;
    double prompt, output;          // mean tokens of a turn
    double prompt_cv, output_cv;    // standard deviation / mean
    int max_count;                  // prompt and output together
    int systems, system_tokens;     // system prompts, and their length
    double turns, think_seconds;    // means of a conversation
} Workload;

#define WORKLOADS "sharegpt|alpaca|chat"
const Workload *workload_find(const char *name);    // NULL: there is none

// `rate` in requests per second; 0: all arrive at the start.
Trace workload_make(Arena *keep, const Workload *workload, int count, double rate, uint64_t seed);
