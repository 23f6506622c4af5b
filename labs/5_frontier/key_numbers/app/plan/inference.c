#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"

static const uint64_t context_most = (uint64_t)1 << 30;    // what fits there fits anywhere
static const double memory_most = 1e18;                    // bytes; 64 bits hold 18 times as many

bool inference_basis(Arena *arena, const Model *model, const char *weights, const char *cache,
                     ServingBasis *basis, Error *err)
{
    basis->model = model;
    basis->cache_name = cache;
    if (!format_weights(arena, model, weights, &basis->weights, err) ||
        !format_cache(cache, &basis->cache, err))
        return false;
    const FormatInfo *format = NULL;    // as it stands in its files
    if (weights != NULL || model->stored_count == 0)
        format = format_find(basis->weights.format, err);
    split_basis(arena, model, format, &basis->weights, &basis->split);
    return true;
}

// ---- a split ----

// One GPU of a stage.
typedef struct Stage {
    double weights;
    KnLayerCache caches[3 * KINDS_MAX];
    int cache_count;
    bool samples;    // has the head
} Stage;

typedef struct Stages {
    const Workload *workload;
    const MemoryLimit *limit;
    Workspace workspace;
    double budget;
    Stage *stages;
    uint64_t count;
} Stages;

static void stage_caches(Stage *stage, const Model *model, const KnFormat *format,
                         const StageWeights *weights, uint64_t tp, uint64_t page)
{
    uint64_t layers[KINDS_MAX] = {0};
    for (int l = weights->from; l < weights->to; l++) layers[model->kind_of[l]]++;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (layers[k] == 0 || !kind->caches) continue;
        uint64_t state = kv_cache_state_bytes(kind, tp);
        // A state is as if a page's tokens were all that is kept.
        const KnLayerCache parts[] = {
            {layers[k], kv_cache_token_bytes(kind, format, tp), kind->window},
            {layers[k], kv_cache_compressed_bytes(kind, format), 0},
            {layers[k], (state + page - 1) / page, 1},
        };
        for (int i = 0; i < 3; i++)
            if (parts[i].bytes > 0) stage->caches[stage->cache_count++] = parts[i];
    }
}

static Stages stages_of(Arena *arena, const Deployment *deployment, Split split)
{
    const ServingBasis *basis = deployment->basis;
    const StageWeights *weights = split_weights(arena, &basis->split, split);
    Stages all = {
        .workload = &deployment->workload, .limit = &deployment->limit, .count = split.pp};
    all.workspace = workspace_of(basis->model, split, basis->weights.compute_bits);
    all.budget = memory_usable(all.limit);
    all.stages = arena_zeros(arena, split.pp * sizeof *all.stages);
    for (uint64_t s = 0; s < split.pp; s++) {
        all.stages[s].weights = (double)weights[s].all;
        all.stages[s].samples = s == split.pp - 1;
        stage_caches(&all.stages[s], basis->model, &basis->cache, &weights[s], split.tp,
                     deployment->workload.page);
    }
    // What belongs to no tensor of the ledger, such as masks in a file, is there as well.
    if (split_gpus(split) == 1) all.stages[0].weights = (double)basis->weights.bytes;
    return all;
}

// `requests` of `context` tokens on the GPU, of which one step works on step_tokens at most.
static ServingBytes stage_bytes(const Stages *all, const Stage *stage, uint64_t context,
                                uint64_t requests)
{
    const Workload *w = all->workload;
    double tokens = fmin((double)context * (double)requests, (double)w->step_tokens);
    ServingBytes bytes = {.weights = stage->weights, .runtime = memory_runtime(all->limit)};
    bytes.work = workspace_bytes(&all->workspace, tokens, stage->samples ? (double)requests : 0);
    for (int i = 0; i < stage->cache_count; i++) {
        const KnLayerCache *c = &stage->caches[i];
        bytes.cache += (double)requests * (double)c->layers * (double)c->bytes *
                       (double)kn_cached_tokens(context, c->window, w->page);
    }
    bytes.total = bytes.weights + bytes.cache + bytes.work + bytes.runtime;
    return bytes;
}

// ---- the most that fits ----

// Requests of the asked context that all stages have room for beside the work space of `requests`.
static uint64_t room(const Stages *all, uint64_t requests)
{
    uint64_t least = UINT64_MAX;
    for (uint64_t s = 0; s < all->count; s++) {
        const Stage *stage = &all->stages[s];
        const Workload *w = all->workload;
        ServingBytes bytes = stage_bytes(all, stage, w->context, requests);
        if (stage->cache_count == 0 && bytes.total <= all->budget) continue;
        uint64_t fit =
            kn_concurrency(all->limit->memory, all->limit->utilisation, bytes.total - bytes.cache,
                           stage->caches, stage->cache_count, w->context, w->page);
        if (fit < least) least = fit;
    }
    return least;
}

// More requests need more work space and leave less room, so the largest number that fits is found by
// bisection. UINT64_MAX: nothing is kept that would limit them.
static uint64_t most_requests(const Stages *all)
{
    uint64_t low = 0, high = room(all, 1);
    if (high == UINT64_MAX) return high;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (room(all, middle) >= middle) low = middle;
        else high = middle - 1;
    }
    return low;
}

static bool context_fits(const Stages *all, uint64_t context, uint64_t requests)
{
    for (uint64_t s = 0; s < all->count; s++)
        if (!(stage_bytes(all, &all->stages[s], context, requests).total <= all->budget))
            return false;
    return true;
}

static uint64_t longest_context(const Stages *all, uint64_t requests)
{
    uint64_t low = 0, high = context_most;
    if (context_fits(all, high, requests)) return UINT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (context_fits(all, middle, requests)) low = middle;
        else high = middle - 1;
    }
    return low;
}

// ---- the plan ----

// In whole numbers, which hold less than memory_most.
static void whole_cache(Serving *serving)
{
    const Model *model = serving->of.basis->model;
    const Workload *w = &serving->of.workload;
    uint64_t now = 0;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (!kind->caches) continue;
        KindCache *cache = &serving->kinds[k];
        *cache = (KindCache){kv_cache_token_bytes(kind, &serving->of.basis->cache, 1),
                             kv_cache_index_bytes(kind),
                             kv_cache_compressed_bytes(kind, &serving->of.basis->cache),
                             kind->state,
                             {kv_cache_tokens(kind, w->context),
                              kv_cache_tokens(kind, w->context + 1024),
                              kn_cached_tokens(w->context, kind->window, w->page)}};
        uint64_t bytes = (uint64_t)kind->count * cache->token_bytes;
        uint64_t layers = (uint64_t)kind->count, rows = layers * cache->compressed;
        now += bytes * cache->held[HELD_TOKENS] + rows * w->context + layers * kind->state;
        serving->kv_per_token += bytes + rows;
        serving->kv_state += layers * kind->state;
        serving->kv_1k +=
            bytes * (cache->held[HELD_1K_MORE] - cache->held[HELD_TOKENS]) + rows * 1024;
        serving->kv_paged += w->batch * (bytes * cache->held[HELD_PAGED] + layers * kind->state +
                                         rows * kn_cached_tokens(w->context, 0, w->page));
    }
    serving->kv_bytes = w->batch * now;
}

bool inference_plan(Arena *arena, const Deployment *deployment, Serving *serving, Error *err)
{
    const Model *model = deployment->basis->model;
    const Workload *workload = &deployment->workload;
    Split split = deployment->split;
    if (!split_check(model, split, err)) return false;
    Stages stages = stages_of(arena, deployment, split);
    Stages one = stages_of(arena, deployment, (Split){1, 1, 1});
    uint64_t requests = (workload->batch + split.ep - 1) / split.ep;

    *serving = (Serving){.of = *deployment,
                         .workspace_alone = one.workspace,
                         .workspace = stages.workspace,
                         .requests_per_group = requests,
                         .budget = stages.budget};
    serving->alone = stage_bytes(&one, &one.stages[0], workload->context, workload->batch);
    if (serving->alone.total > memory_most)
        return error_set(err,
                         "batch: the memory of %" PRIu64 " requests of %" PRIu64
                         " tokens in pages of %" PRIu64 " is over %g bytes",
                         workload->batch, workload->context, workload->page, memory_most);
    whole_cache(serving);
    for (int k = model->kind_count - 1; k >= 0; k--)
        if (model->kinds[k].block.kv_heads > 0)
            serving->kv_heads_per_gpu = kv_cache_heads(&model->kinds[k].block, split.tp);

    for (uint64_t s = 0; s < stages.count; s++) {
        ServingBytes bytes = stage_bytes(&stages, &stages.stages[s], workload->context, requests);
        if (!(bytes.total > serving->per_gpu.total)) continue;
        serving->per_gpu = bytes;
        serving->cache_count = stages.stages[s].cache_count;
    }
    serving->fits = serving->per_gpu.total <= stages.budget;
    serving->memory_context = longest_context(&stages, requests);
    serving->max_context = serving->memory_context;
    if (model->max_context > 0 && model->max_context < serving->max_context)
        serving->max_context = model->max_context;
    uint64_t most = most_requests(&stages);
    serving->max_requests = most == UINT64_MAX ? 0 : most * split.ep;
    return true;
}
