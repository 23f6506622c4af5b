/* runtime.h -- what the program that runs a model takes beside weights and cache, from low to high.
 *
 *     Range work = runtime_work(&workspace, &workload, tokens, requests);    // bytes
 *     runtime_decides(RUNTIME_VLLM)->work    // "low: greedy sampling; high: ..."
 *
 * Counts have one value, these have two. facts/measurements.json holds published measurements beside
 * them.
 *
 *     any           the largest buffers of a step (workspace.h); overhead is --overhead
 *     vllm          profiles a step of step_tokens with `sequences` sampled. Low: the step alone. High:
 *                   top-p sorts the logits of all sequences, 38 bytes for each, beside the residual
 *                   stream and 51 MiB: fitted to six logs of 2024 and 2025, which agree within 1 %.
 *     llama.cpp     numbers are floats, a micro-batch is 512 tokens. Low, flash attention: its logits
 *                   and the residual stream, 4 T (V + h). High, without: the scores of the whole
 *                   cache, 4 T a n_ctx, and six vectors. Both are exact for Llama 3 (258.5, 560 MiB).
 *                   A layer with a window keeps window + T cells, padded to 256.
 *     transformers  a prompt is one step. High: logits of all its tokens, as before version 4.45.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/memory_limit.h"
#include "labs/5_frontier/key_numbers/app/plan/workload.h"
#include "labs/5_frontier/key_numbers/app/plan/workspace.h"

typedef struct Range {
    double low, high;
} Range;

// Bytes of a step's buffers: `tokens` of `requests` requests of workload->context.
Range runtime_work(const Workspace *work, const Workload *workload, double tokens, double requests);
// Bytes on each GPU for CUDA context, graphs and libraries; of vLLM what counts within its share.
Range runtime_overhead(const Workload *workload, const MemoryLimit *limit, Split split);
// Tokens of one request that a layer has room for; window 0: all.
uint64_t runtime_cached(const Workload *workload, uint64_t context, uint64_t window);

// What decides between low and high, in words; NULL where they are equal.
typedef struct RuntimeWords {
    const char *work, *overhead;
} RuntimeWords;
RuntimeWords runtime_decides(Runtime runtime);
