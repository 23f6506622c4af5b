/* runtime.h -- what the program that runs a model takes beside weights and cache, from low to high.
 *
 *     Range work = runtime_work(&workspace, &workload, tokens, requests);    // bytes
 *     runtime_decides(RUNTIME_VLLM)->work    // "low: greedy sampling; high: ..."
 *
 * Counts have one value, these have two. facts/measurements.json holds published measurements beside
 * them.
 *
 *     any           the largest buffers of a step (workspace.h); overhead is --overhead
 *     vllm          profiles a step of step_tokens. Low: that step alone. High: it then samples from
 *                   `sequences` requests with top-p, for which PyTorch sorts their logits.
 *     llama.cpp     numbers are floats, a micro-batch is 512 tokens. Low, flash attention: its logits
 *                   and the residual stream, 4 T (V + h). High, without: the scores of the whole
 *                   cache and their mask, 4 T (a + 1) n_ctx, beside the vectors of a layer.
 *                   A layer with a window keeps window + T cells, padded to 256.
 *     transformers  a prompt is one step. High: logits of all its tokens, as before version 4.45.
 *
 * These are derived from what the programs allocate; runtime.c names the places. Measured only, and so
 * no formula: the overhead of CUDA contexts and NCCL.
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
// Bytes by which vLLM's kernels widen one layer's routed experts in MXFP4, on one GPU; 0 without such.
double runtime_padding(const KnBlock *block, Split split);
// Tokens of one request that a layer has room for; window 0: all.
uint64_t runtime_cached(const Workload *workload, uint64_t context, uint64_t window);

// What decides between low and high, in words; NULL where they are equal.
typedef struct RuntimeWords {
    const char *work, *overhead;
} RuntimeWords;
RuntimeWords runtime_decides(Runtime runtime);
