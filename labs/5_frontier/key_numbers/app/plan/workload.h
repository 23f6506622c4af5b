/* workload.h -- what a model is asked to serve. */
#pragma once
#include <stdint.h>

typedef struct Workload {
    uint64_t context, batch;    // tokens of each request; requests at the same time
    uint64_t page;              // tokens in a page of the cache
    uint64_t step_tokens;       // the most that one prefill step works on
} Workload;
