#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"

static const uint64_t context_most = (uint64_t)1 << 30;    // what fits there fits anywhere
static const uint64_t requests_most = (uint64_t)1 << 40;
static const double memory_most = 1e18;    // bytes; 64 bits hold 18 times as many

static bool cache_formats(Arena *arena, const char *text, KvFormats *formats, Error *err)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL) {
        if (!format_cache(text, &formats->keys, err)) return false;
        formats->values = formats->keys;
        return true;
    }
    return format_cache(arena_print(arena, "%.*s", (int)(colon - text), text), &formats->keys,
                        err) &&
           format_cache(colon + 1, &formats->values, err);
}

bool inference_basis(Arena *arena, const Model *model, const char *weights, const char *cache,
                     ServingBasis *basis, Error *err)
{
    basis->model = model;
    basis->cache_name = cache;
    if (!format_weights(arena, model, weights, &basis->weights, err) ||
        !cache_formats(arena, cache, &basis->cache, err))
        return false;
    const FormatInfo *format = NULL;    // as it stands in its files
    if (weights != NULL || model->stored_count == 0)
        format = format_find(basis->weights.format, err);
    split_basis(arena, model, format, &basis->weights, &basis->split);
    return true;
}

// ---- a split ----

enum { PARTS = 3 };    // of a layer's cache: rows of tokens, compressed rows, a state

// One GPU of a stage.
typedef struct Stage {
    double weights, padding;                       // and what kernels add to them
    KnLayerCache caches[2 * PARTS * KINDS_MAX];    // those of a model that drafts come last
    bool is_state[2 * PARTS * KINDS_MAX];          // of caches: it is of one size, not of tokens
    int cache_count;
    bool samples;    // has the head
    double budget;
    int from, to;
} Stage;

typedef struct Stages {
    const Workload *workload;
    const MemoryLimit *limit;
    Workspace workspace;
    Split split;
    Stage *stages;
    uint64_t count;
    bool
        trial;    // kn_concurrency() does not know what the requests share, or how unlike the stages are
} Stages;

static void add_caches(Stage *stage, const LayerKind *kind, uint64_t layers,
                       const KvFormats *formats, uint64_t tp, uint64_t page)
{
    // A state is as if a page's tokens were all that is kept.
    const KnLayerCache parts[PARTS] = {
        {layers, kv_cache_token_bytes(kind, formats, tp), kind->window},
        {layers, kv_cache_compressed_bytes(kind, formats), 0},
        {layers, (kv_cache_state_bytes(kind, tp) + page - 1) / page, 1},
    };
    for (int i = 0; i < PARTS; i++)
        if (layers > 0 && kind->caches && parts[i].bytes > 0) {
            stage->is_state[stage->cache_count] = i == PARTS - 1;
            stage->caches[stage->cache_count++] = parts[i];
        }
}

static void stage_caches(Stage *stage, const ServingBasis *basis, const StageWeights *weights,
                         uint64_t tp, int on_host, uint64_t page)
{
    const Model *model = basis->model;
    uint64_t layers[KINDS_MAX] = {0};
    for (int l = weights->from > on_host ? weights->from : on_host; l < weights->to; l++)
        layers[model->kind_of[l]]++;
    for (int k = 0; k < model->kind_count; k++)
        add_caches(stage, &model->kinds[k], layers[k], &basis->cache, tp, page);
}

static void add_draft(Stage *stage, const ServingBasis *draft, uint64_t page)
{
    const Model *model = draft->model;
    stage->weights += (double)draft->weights.bytes;
    for (int k = 0; k < model->kind_count; k++)
        add_caches(stage, &model->kinds[k], (uint64_t)model->kinds[k].count, &draft->cache, 1,
                   page);
}

// By MXFP4's kernels in vLLM; other formats are stored as they are.
static double padding_of(const Deployment *deployment, const StageWeights *weights, Split split)
{
    const ServingBasis *basis = deployment->basis;
    const WeightBytes *stored = &basis->weights;
    bool packed = strcmp(stored->format, "mxfp4") == 0;
    double bytes = 0;
    for (int t = 0; t < stored->type_count && !packed; t++)
        packed = strcmp(stored->types[t].name, "MXFP4") == 0;
    if (deployment->workload.runtime != RUNTIME_VLLM || !packed) return 0;
    for (int l = weights->from; l < weights->to; l++)
        bytes += runtime_padding(&basis->model->kinds[basis->model->kind_of[l]].block, split);
    return bytes;
}

static Stages stages_of(Arena *arena, const Deployment *deployment, Split split)
{
    const ServingBasis *basis = deployment->basis;
    const Cards *cards = deployment->cards;
    int ends[CARDS_MOST];
    if (cards != NULL) cards_layers(cards, basis->model->layers, ends);
    const StageWeights *weights =
        split_weights(arena, &basis->split, split, cards != NULL ? ends : NULL);
    Stages all = {.workload = &deployment->workload,
                  .limit = &deployment->limit,
                  .split = split,
                  .count = split.pp,
                  .trial = cards != NULL || deployment->workload.prefix > 0 ||
                           deployment->workload.runtime == RUNTIME_LLAMA_CPP};
    all.workspace = workspace_of(basis->model, split, basis->weights.compute_bits);
    all.stages = arena_zeros(arena, split.pp * sizeof *all.stages);
    for (uint64_t s = 0; s < split.pp; s++) {
        all.stages[s].weights = (double)weights[s].all;
        all.stages[s].samples = s == split.pp - 1;
        all.stages[s].from = weights[s].from, all.stages[s].to = weights[s].to;
        MemoryLimit limit = deployment->limit;
        if (cards != NULL) limit.memory = cards->specs[s].memory;
        all.stages[s].budget = memory_usable(&limit);
        all.stages[s].weights += deployment->adapters / (double)split.pp;
        all.stages[s].padding = padding_of(deployment, &weights[s], split);
        stage_caches(&all.stages[s], basis, &weights[s], split.tp,
                     split_gpus(split) == 1 ? (int)deployment->host.layers : 0,
                     deployment->workload.page);
    }
    // What belongs to no tensor of the ledger, such as masks in a file, is there as well.
    if (split_gpus(split) == 1) {
        HostBytes host = inference_host(deployment);
        all.stages[0].weights = (double)basis->weights.bytes + deployment->adapters;
        all.stages[0].weights -= host.dense + host.experts;
    }
    if (deployment->draft != NULL)
        add_draft(&all.stages[split.pp - 1], deployment->draft, deployment->workload.page);
    return all;
}

static double end_of(const Stages *all, Range range)
{
    return all->workload->estimate == ESTIMATE_LOW ? range.low : range.high;
}

static Range stage_work(const Stages *all, const Stage *stage, uint64_t context, uint64_t requests)
{
    Workload w = *all->workload;
    w.context = context;
    double tokens = fmin((double)context * (double)requests, (double)w.step_tokens);
    Workspace space = all->workspace;
    if (!stage->samples) space.vocab = 0;
    return runtime_work(&space, &w, tokens, (double)requests);
}

// Tokens that the requests after the first find in the cache: whole pages of the common prefix. A layer with
// a window keeps the last tokens of each request, which are its own.
static double shared_tokens(const Workload *w, uint64_t context, uint64_t requests, uint64_t window)
{
    uint64_t prefix = w->prefix < context ? w->prefix : context;
    if (requests == 0 || window > 0) return 0;
    uint64_t pages = prefix / w->page;
    return (double)(requests - 1) * (double)(pages * w->page);
}

// `requests` of `context` tokens on the GPU, of which one step works on step_tokens at most.
static ServingBytes stage_bytes(const Stages *all, const Stage *stage, uint64_t context,
                                uint64_t requests)
{
    const Workload *w = all->workload;
    ServingBytes bytes = {.weights = stage->weights + end_of(all, (Range){0, stage->padding})};
    bytes.runtime = end_of(all, runtime_overhead(w, all->limit, all->split));
    bytes.work = end_of(all, stage_work(all, stage, context, requests));
    for (int i = 0; i < stage->cache_count; i++) {
        const KnLayerCache *c = &stage->caches[i];
        uint64_t each = stage->is_state[i] ? w->page : runtime_cached(w, context, c->window);
        double tokens_held = (double)requests * (double)each;
        bytes.cache += (double)c->layers * (double)c->bytes *
                       (tokens_held - shared_tokens(w, context, requests, c->window));
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
        if (stage->cache_count == 0 && bytes.total <= stage->budget) continue;
        uint64_t fit =
            kn_concurrency(all->limit->memory, all->limit->utilisation, bytes.total - bytes.cache,
                           stage->caches, stage->cache_count, w->context, w->page);
        if (fit < least) least = fit;
    }
    return least;
}

static bool requests_fit(const Stages *all, uint64_t requests)
{
    for (uint64_t s = 0; s < all->count; s++)
        if (!(stage_bytes(all, &all->stages[s], all->workload->context, requests).total <=
              all->stages[s].budget))
            return false;
    return true;
}

// Where requests share something, or a cache is padded otherwise: by doubling, then halving.
static uint64_t most_by_trial(const Stages *all)
{
    uint64_t high = 1;
    while (high < requests_most && requests_fit(all, high)) high *= 2;
    if (high == requests_most) return UINT64_MAX;
    uint64_t low = high / 2;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (requests_fit(all, middle)) low = middle;
        else high = middle;
    }
    return low;
}

// More requests need more work space and leave less room, so the largest number that fits is found by
// bisection. UINT64_MAX: nothing is kept that would limit them.
static uint64_t most_requests(const Stages *all)
{
    if (all->trial) return most_by_trial(all);
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
        if (!(stage_bytes(all, &all->stages[s], context, requests).total <= all->stages[s].budget))
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
                              runtime_cached(w, w->context, kind->window)}};
        uint64_t bytes = (uint64_t)kind->count * cache->token_bytes;
        uint64_t layers = (uint64_t)kind->count, rows = layers * cache->compressed;
        now += bytes * cache->held[HELD_TOKENS] + rows * w->context + layers * kind->state;
        serving->kv_per_token += bytes + rows;
        serving->kv_state += layers * kind->state;
        serving->kv_1k +=
            bytes * (cache->held[HELD_1K_MORE] - cache->held[HELD_TOKENS]) + rows * 1024;
        serving->kv_paged += w->batch * (bytes * cache->held[HELD_PAGED] + layers * kind->state +
                                         rows * runtime_cached(w, w->context, 0));
    }
    serving->kv_bytes = w->batch * now;
}

bool inference_plan(Arena *arena, const Deployment *deployment, Serving *serving, Error *err)
{
    const Model *model = deployment->basis->model;
    const Workload *workload = &deployment->workload;
    Split split = deployment->split;
    if (!split_check(model, split, err) || !inference_host_check(deployment, split, err))
        return false;
    if (workload->prefix >= workload->context)
        return error_set(err,
                         "prefix: %" PRIu64 " tokens leave none of a context of %" PRIu64
                         " to a request of its own",
                         workload->prefix, workload->context);
    Stages stages = stages_of(arena, deployment, split);
    Deployment whole = *deployment;
    whole.cards = NULL;
    Stages one = stages_of(arena, &whole, (Split){1, 1, 1});
    uint64_t requests = (workload->batch + split.ep - 1) / split.ep;

    *serving = (Serving){.of = *deployment,
                         .workspace_alone = one.workspace,
                         .workspace = stages.workspace,
                         .requests_per_group = requests,
                         .fits = true};
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
        const Stage *stage = &stages.stages[s];
        serving->fits = serving->fits && bytes.total <= stage->budget;
        if (deployment->cards != NULL)
            serving->cards[s] = (CardBytes){stage->from, stage->to, bytes.total, stage->budget};
        // The fullest is what its own memory is least enough for.
        if (s > 0 && !(bytes.total - stage->budget > serving->per_gpu.total - serving->budget))
            continue;
        serving->per_gpu = bytes;
        serving->budget = stage->budget;
        serving->cache_count = stages.stages[s].cache_count;
        serving->work = stage_work(&stages, &stages.stages[s], workload->context, requests);
        serving->weights = (Range){stage->weights, stage->weights + stage->padding};
    }
    serving->overhead = runtime_overhead(workload, stages.limit, split);
    serving->host = inference_host(deployment);
    serving->host.cache *= (double)workload->batch;
    Workload apart = *workload;
    apart.prefix = 0;
    Stages unshared = stages;
    unshared.workload = &apart;
    for (uint64_t s = 0; workload->prefix > 0 && s < stages.count; s++)
        serving->shared =
            fmax(serving->shared,
                 stage_bytes(&unshared, &stages.stages[s], workload->context, requests).cache -
                     stage_bytes(&stages, &stages.stages[s], workload->context, requests).cache);
    Range taken = {serving->weights.low + serving->work.low + serving->overhead.low,
                   serving->weights.high + serving->work.high + serving->overhead.high};
    serving->pool =
        (Range){fmax(0, serving->budget - taken.high), fmax(0, serving->budget - taken.low)};
    serving->memory_context = longest_context(&stages, requests);
    serving->max_context = serving->memory_context;
    if (model->max_context > 0 && model->max_context < serving->max_context)
        serving->max_context = model->max_context;
    uint64_t most = most_requests(&stages);
    serving->max_requests = most == UINT64_MAX ? 0 : most * split.ep;
    Workload hopeful = *workload;
    hopeful.estimate = ESTIMATE_LOW;
    stages.workload = &hopeful;
    most = workload->runtime == RUNTIME_ANY ? most : most_requests(&stages);
    serving->most_requests = most == UINT64_MAX ? 0 : most * split.ep;
    return true;
}
