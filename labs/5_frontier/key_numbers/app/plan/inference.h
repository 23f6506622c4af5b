/* inference.h -- memory while a model answers: weights, cache, work space; alone and split over GPUs.
 *
 *     ServingBasis basis;
 *     if (!inference_basis(arena, model, "fp8", "bf16", &basis, &err)) ...    // once for a format
 *     Deployment deployment = {&basis, {.context = 4096, .batch = 8, ...}, limit, split};
 *     Serving serving;
 *     if (!inference_plan(arena, &deployment, &serving, &err)) ...
 *     serving.per_gpu.weights, .cache, .work, .runtime    // bytes on the fullest GPU
 *
 * A plan takes some microseconds once there is a basis. Work space and runtime are estimates by the
 * formulas that --explain shows; weights and cache are exact. An engine may use a share of the GPU's
 * TOTAL memory, as with vLLM's gpu_memory_utilization; TensorRT-LLM's free_gpu_memory_fraction is of
 * what is free once the weights are there.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"
#include "labs/5_frontier/key_numbers/app/question/cards.h"
#include "labs/5_frontier/key_numbers/app/plan/runtime.h"

// What all plans of one model in one format share.
typedef struct ServingBasis {
    const Model *model;
    WeightBytes weights;
    const char *cache_name;    // "bf16", as it was asked for
    KvFormats cache;
    SplitBasis split;
} ServingBasis;

// `weights` NULL: as the model is published, or stands in its files. `cache` is a format, or that of the keys
// and that of the values: "q8_0:q4_0".
bool inference_basis(Arena *arena, const Model *model, const char *weights, const char *cache,
                     ServingBasis *basis, Error *err);

// The first layers of the model that stay in the host's memory, whole with their cache or only their routed
// experts (llama.cpp's --n-gpu-layers and --n-cpu-moe). On one GPU.
typedef struct HostLayers {
    uint64_t layers, experts;
} HostLayers;

// A model, on what, for what.
typedef struct Deployment {
    const ServingBasis *basis;
    Workload workload;
    MemoryLimit limit;
    Split split;
    double adapters;    // bytes of LoRA's that are kept beside it; each stage has its share
    HostLayers host;
    const Cards *cards;    // one for each of split.pp stages; NULL: all are alike
    // Of a model that drafts tokens, whole on each GPU of the last stage; NULL: there is none.
    const ServingBasis *draft;
} Deployment;

// Bytes that stay in the host's memory.
typedef struct HostBytes {
    double dense, experts, cache;    // the cache is of one request of the asked context
} HostBytes;

HostBytes inference_host(const Deployment *deployment);
// Whether the model has such layers, and one GPU is asked for.
bool inference_host_check(const Deployment *deployment, Split split, Error *err);

typedef struct ServingBytes {
    double weights, cache, work, runtime, total;
} ServingBytes;

// Tokens of one request that a layer has room for: of `context` tokens those that no window has dropped,
// of 1024 more the same, and of `context` in whole pages.
typedef enum Held { HELD_TOKENS, HELD_1K_MORE, HELD_PAGED, HELD_COUNT } Held;

// What one layer of a kind keeps of a request; all 0 where the kind keeps nothing.
typedef struct KindCache {
    uint64_t token_bytes;    // of one token, and of those:
    uint64_t index_bytes;    // an indexer's keys
    uint64_t compressed;     // of one token in rows that no window drops
    uint64_t state;          // of the request, however long
    uint64_t held[HELD_COUNT];
} KindCache;

// A card of several kinds, and what is on it.
typedef struct CardBytes {
    int from, to;    // layers
    double total, budget;
} CardBytes;

typedef struct Serving {
    Deployment of;
    KindCache kinds[KINDS_MAX];       // of the model's kinds of layers, not split
    uint64_t kv_per_token;            // bytes in all layers, for a token that no window has dropped
    uint64_t kv_bytes;                // of batch requests of context tokens, exact, without paging
    uint64_t kv_paged;                // the same in whole pages
    uint64_t kv_state;                // of linear attention and Mamba, for one request
    uint64_t kv_1k;                   // what the next 1024 tokens of one request cost
    Workspace workspace_alone;        // what .work of `alone` comes from,
    Workspace workspace;              // and that of `per_gpu`
    ServingBytes alone;               // on one GPU that held everything
    uint64_t kv_heads_per_gpu;        // ceil(k / tp): copied when there are fewer heads than GPUs
    uint64_t requests_per_group;      // ceil(batch / ep): what one GPU has caches of
    ServingBytes per_gpu;             // on the fullest GPU, its cache in whole pages
    int cache_count;                  // kinds of layers there that keep something
    double budget;                    // bytes that may be used of each GPU
    bool fits;                        // per_gpu.total within the budget
    uint64_t max_context;             // at this batch (0: none fits), not over the model's own
    uint64_t memory_context;          // the same as far as memory goes; UINT64_MAX: any
    uint64_t max_requests;            // of this context; 0 also when none is limited
    Range weights, work, overhead;    // of per_gpu, from low to high
    CardBytes cards[CARDS_MOST];      // where the deployment has cards
    HostBytes host;
    double shared;             // bytes of cache that a common prefix saves, on the fullest GPU
    Range pool;                // bytes that are left for its cache
    uint64_t most_requests;    // max_requests by the low estimates
} Serving;

bool inference_plan(Arena *arena, const Deployment *deployment, Serving *serving, Error *err);
