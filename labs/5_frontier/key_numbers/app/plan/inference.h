/* inference.h -- memory while a model answers: weights, cache, work space; alone and split over GPUs.
 *
 *     Serving serving;
 *     if (!inference_plan(arena, model, &question, &serving, &err)) ...
 *     serving.per_gpu.weights, .cache, .work, .runtime    // bytes on the fullest GPU
 *
 * The split is question.tp x pp x ep (split.h says what each does). With question.gpus the stages are as
 * many as that leaves, and where tp and ep are 1 as well, tp is what a node of 8 GPUs allows. Workspace space
 * and runtime are estimates by the formulas that --explain shows; weights and cache are exact. An engine
 * may use question.utilisation of the GPU's TOTAL memory, as with vLLM's gpu_memory_utilization;
 * TensorRT-LLM's free_gpu_memory_fraction is of what is free once the weights are there.
 *
 * For many questions about one model in one format, ask inference_basis() once and then, which takes
 * some microseconds:
 *
 *     inference_split(arena, &basis, &question, &serving, &err)    // of tp, pp, ep, GPU, context, batch
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/plan/split.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

typedef struct ServingBytes {
    double weights, cache, work, runtime, total;
} ServingBytes;

typedef struct Serving {
    WeightBytes weights;      // of the whole model
    uint64_t kv_per_token;    // bytes in all layers, for a token that no window has dropped
    uint64_t kv_bytes;        // of batch requests of context tokens, exact, without paging
    uint64_t kv_paged;        // the same in whole pages
    uint64_t kv_1k;           // what the next 1024 tokens of one request cost, at this context
    ServingBytes alone;       // on one GPU that held everything
    KnLayerCache
        caches[KINDS_MAX];        // of one GPU of the fullest stage: what kn_concurrency() asks for
    int cache_count;              // 0: nothing is kept, as in an encoder
    uint64_t tp, pp, ep, gpus;    // of the split: gpus = tp x pp x ep
    uint64_t kv_heads_per_gpu;    // ceil(k / tp): copied when there are fewer heads than GPUs
    uint64_t requests_per_group;    // ceil(batch / ep): what one GPU has caches of
    ServingBytes per_gpu;           // on the fullest GPU, its cache in whole pages
    double budget;                  // the GPU's memory x utilisation
    bool fits;                      // per_gpu.total within the budget
    uint64_t
        max_context;    // largest context at this batch that fits (0: none); not over the model's own
    uint64_t memory_context;    // the same as far as memory goes; UINT64_MAX: any
    uint64_t
        max_requests;    // requests of this context at the same time; 0 also when none is limited
} Serving;

typedef struct ServingBasis {
    const Model *model;
    WeightBytes weights;
    KnFormat cache;
    SplitBasis split;
} ServingBasis;

// Of question->weights and question->kv.
bool inference_basis(Arena *arena, const Model *model, const Question *question,
                     ServingBasis *basis, Error *err);
// question->gpus is not looked at.
bool inference_split(Arena *arena, const ServingBasis *basis, const Question *question,
                     Serving *serving, Error *err);
// The split that is asked for, question->gpus looked at.
bool inference_choose(const Model *model, const Question *question, Split *split, Error *err);

bool inference_plan(Arena *arena, const Model *model, const Question *question, Serving *serving,
                    Error *err);

// weights.*, kv_cache.*, inference.*
bool inference_tell(Rows *rows, const Model *model, const Question *question, Error *err);
