/* inference.h -- memory while a model answers: weights, cache, work space; alone and split over GPUs.
 *
 *     Serving serving;
 *     if (!inference_plan(arena, model, &question, &serving, &err)) ...
 *     serving.per_gpu.weights, .cache, .work, .runtime    // bytes on the fullest GPU
 *
 * The split is question.tp x pp x ep. Work space and runtime are estimates by the formulas that
 * --explain shows; weights and cache are exact.
 */
#pragma once
#include "labs/5_frontier/key_numbers/calculator/format.h"
#include "labs/5_frontier/key_numbers/question.h"
#include "labs/5_frontier/key_numbers/sheet.h"

typedef struct ServingBytes {
    double weights, cache, work, runtime, total;
} ServingBytes;

typedef struct Serving {
    WeightBytes  weights;               // of the whole model
    uint64_t     kv_per_token;          // bytes in all layers, for a token that no window has dropped
    uint64_t     kv_bytes;              // of batch requests of context tokens, exact, without paging
    uint64_t     kv_paged;              // the same in whole pages
    uint64_t     kv_1k;                 // what the next 1024 tokens of one request cost, at this context
    KnLayerCache caches[KINDS_MAX];     // of one GPU of the fullest stage: what kn_concurrency() asks for
    int          cache_count;
    uint64_t     tp, pp, ep, gpus;      // of the split: gpus = tp x pp (ep of them share the experts)
    uint64_t     kv_heads_per_gpu;      // ceil(k / tp): replicated when there are fewer heads than GPUs
    ServingBytes per_gpu;               // on the fullest GPU
    bool         fits;                  // per_gpu.total within the card's memory x utilisation
    uint64_t     max_context;           // largest context at this batch that fits (0: none); not over the model's own
    uint64_t     max_requests;          // requests of this context at the same time
} Serving;

bool inference_plan(Arena *arena, const Model *model, const Question *question, Serving *serving,
                    Error *err);

// weights.*, kv_cache.*, inference.*
bool inference_tell(Sheet *sheet, const Model *model, const Question *question, Error *err);
