/* workload.h -- what a model is asked to serve, and by which program. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

// In the order of question.h's choices.
typedef enum Runtime {
    RUNTIME_ANY,
    RUNTIME_VLLM,
    RUNTIME_LLAMA_CPP,
    RUNTIME_TRANSFORMERS,
    RUNTIME_COUNT
} Runtime;

// Which end of an estimate is used.
typedef enum Estimate { ESTIMATE_HIGH, ESTIMATE_LOW } Estimate;

typedef struct Workload {
    uint64_t context, batch;    // tokens of each request; requests at the same time
    uint64_t page;              // tokens in a page of the cache
    uint64_t step_tokens;       // the most that one prefill step works on
    Runtime runtime;
    Estimate estimate;
    uint64_t sequences;    // that are sampled at once (vLLM)
    uint64_t prefix;       // tokens that all requests begin with, cached once
} Workload;
