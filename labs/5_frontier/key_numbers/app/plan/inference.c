#include "labs/5_frontier/key_numbers/app/plan/inference.h"
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"
#include "labs/5_frontier/key_numbers/app/plan/workspace.h"

static const double gib = 1024.0 * 1024 * 1024;
static const uint64_t context_most = (uint64_t)1 << 30;    // what fits there fits anywhere
static const double cache_most = 1e18;                     // bytes; pages may double it

bool inference_basis(Arena *arena, const Model *model, const Question *question,
                     ServingBasis *basis, Error *err)
{
    basis->model = model;
    if (!format_weights(arena, model, question->weights, &basis->weights, err) ||
        !format_cache(question->kv, &basis->cache, err))
        return false;
    const FormatInfo *format = NULL;    // as it stands in its files
    if (question->weights != NULL || model->stored_count == 0)
        format = format_find(basis->weights.format, err);
    split_basis(arena, model, format, &basis->weights, &basis->split);
    return true;
}

bool inference_choose(const Model *model, const Question *question, Split *split, Error *err)
{
    uint64_t gpus = question->gpus;
    *split = (Split){question->tp, question->pp, question->ep};
    if (gpus > 0 && split->tp * split->pp * split->ep == 1) *split = split_choose(model, gpus);
    else if (gpus > 0 && split->pp == 1) split->pp = gpus / (split->tp * split->ep);
    if (gpus > 0 && split->tp * split->pp * split->ep != gpus)
        return error_set(err,
                         "gpus: %" PRIu64 " cannot be had as tp x pp x ep with %" PRIu64
                         " x %" PRIu64 " x %" PRIu64 " asked for",
                         gpus, question->tp, question->pp, question->ep);
    return split_check(model, *split, err);
}

// ---- a split ----

// One GPU of a stage.
typedef struct Stage {
    double weights;
    KnLayerCache caches[KINDS_MAX];
    int cache_count;
    bool samples;    // has the head
} Stage;

typedef struct Plan {
    const Question *question;
    Workspace work;
    double budget;
    Stage *stages;
    uint64_t count;
} Plan;

static void stage_caches(Stage *stage, const Model *model, const KnFormat *format,
                         const StageWeights *weights, uint64_t tp)
{
    uint64_t layers[KINDS_MAX] = {0};
    for (int l = weights->from; l < weights->to; l++) layers[model->kind_of[l]]++;
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (layers[k] == 0 || !kind->caches) continue;
        stage->caches[stage->cache_count++] =
            (KnLayerCache){layers[k], kv_cache_token_bytes(kind, format, tp), kind->window};
    }
}

static Plan make_plan(Arena *arena, const ServingBasis *basis, const Question *question,
                      Split split)
{
    const StageWeights *weights = split_weights(arena, &basis->split, split);
    Plan plan = {.question = question, .count = split.pp};
    plan.work = workspace_of(basis->model, split, basis->weights.compute_bits);
    plan.budget = question->gpu_spec.memory * question->utilisation;
    plan.stages = arena_zeros(arena, split.pp * sizeof *plan.stages);
    for (uint64_t s = 0; s < split.pp; s++) {
        plan.stages[s].weights = (double)weights[s].all;
        plan.stages[s].samples = s == split.pp - 1;
        stage_caches(&plan.stages[s], basis->model, &basis->cache, &weights[s], split.tp);
    }
    // What belongs to no tensor of the ledger, such as masks in a file, is there as well.
    if (split.tp * split.pp * split.ep == 1) plan.stages[0].weights = (double)basis->weights.bytes;
    return plan;
}

// `requests` of `context` tokens on the GPU, of which one step works on step_tokens at most.
static ServingBytes stage_bytes(const Plan *plan, const Stage *stage, uint64_t context,
                                uint64_t requests)
{
    const Question *q = plan->question;
    uint64_t tokens = context * requests;
    ServingBytes bytes = {.weights = stage->weights, .runtime = q->runtime * gib};
    bytes.work =
        (double)workspace_bytes(&plan->work, tokens < q->step_tokens ? tokens : q->step_tokens,
                                stage->samples ? requests : 0);
    for (int i = 0; i < stage->cache_count; i++) {
        const KnLayerCache *c = &stage->caches[i];
        bytes.cache += (double)requests * (double)c->layers * (double)c->bytes *
                       (double)kn_cached_tokens(context, c->window, q->page);
    }
    bytes.total = bytes.weights + bytes.cache + bytes.work + bytes.runtime;
    return bytes;
}

// ---- the most that fits ----

// Requests of the asked context that all stages have room for beside the work space of `requests`.
static uint64_t room(const Plan *plan, uint64_t requests)
{
    uint64_t least = UINT64_MAX;
    for (uint64_t s = 0; s < plan->count; s++) {
        const Stage *stage = &plan->stages[s];
        const Question *q = plan->question;
        ServingBytes bytes = stage_bytes(plan, stage, q->context, requests);
        if (stage->cache_count == 0 && bytes.total <= plan->budget) continue;
        uint64_t fit = kn_concurrency(q->gpu_spec.memory, q->utilisation, bytes.total - bytes.cache,
                                      stage->caches, stage->cache_count, q->context, q->page);
        if (fit < least) least = fit;
    }
    return least;
}

// More requests need more work space and leave less room, so the largest number that fits is found by
// halving. UINT64_MAX: nothing is kept that would limit them.
static uint64_t most_requests(const Plan *plan)
{
    uint64_t low = 0, high = room(plan, 1);
    if (high == UINT64_MAX) return high;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (room(plan, middle) >= middle) low = middle;
        else high = middle - 1;
    }
    return low;
}

static bool context_fits(const Plan *plan, uint64_t context, uint64_t requests)
{
    for (uint64_t s = 0; s < plan->count; s++)
        if (!(stage_bytes(plan, &plan->stages[s], context, requests).total <= plan->budget))
            return false;
    return true;
}

static uint64_t longest_context(const Plan *plan, uint64_t requests)
{
    uint64_t low = 0, high = context_most;
    if (context_fits(plan, high, requests)) return UINT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (context_fits(plan, middle, requests)) low = middle;
        else high = middle - 1;
    }
    return low;
}

// ---- the answer ----

static bool whole_cache(Serving *serving, const ServingBasis *basis, const Question *question,
                        Error *err)
{
    const Model *model = basis->model;
    uint64_t now = kv_cache_bytes(model, &basis->cache, question->context, 1);
    if ((double)now * (double)question->batch > cache_most)
        return error_set(
            err, "batch: the cache of %" PRIu64 " requests of %" PRIu64 " tokens is over %g bytes",
            question->batch, question->context, cache_most);
    serving->kv_bytes = question->batch * now;
    serving->kv_1k = kv_cache_bytes(model, &basis->cache, question->context + 1024, 1) - now;
    serving->kv_per_token = kv_cache_bytes(model, &basis->cache, 1, 1);
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (!kind->caches) continue;
        serving->kv_paged += question->batch * (uint64_t)kind->count *
                             kv_cache_token_bytes(kind, &basis->cache, 1) *
                             kn_cached_tokens(question->context, kind->window, question->page);
    }
    return true;
}

bool inference_split(Arena *arena, const ServingBasis *basis, const Question *question,
                     Serving *serving, Error *err)
{
    const Model *model = basis->model;
    Split split = {question->tp, question->pp, question->ep};
    if (!split_check(model, split, err)) return false;
    Plan plan = make_plan(arena, basis, question, split);
    uint64_t requests = (question->batch + split.ep - 1) / split.ep;

    *serving = (Serving){.weights = basis->weights,
                         .tp = split.tp,
                         .pp = split.pp,
                         .ep = split.ep,
                         .gpus = split.tp * split.pp * split.ep,
                         .requests_per_group = requests,
                         .budget = plan.budget};
    if (!whole_cache(serving, basis, question, err)) return false;
    Plan one = make_plan(arena, basis, question, (Split){1, 1, 1});
    serving->alone = stage_bytes(&one, &one.stages[0], question->context, question->batch);
    if (model->kind_count > 0)
        serving->kv_heads_per_gpu = kv_cache_heads(&model->kinds[0].block, split.tp);

    for (uint64_t s = 0; s < plan.count; s++) {
        ServingBytes bytes = stage_bytes(&plan, &plan.stages[s], question->context, requests);
        if (!(bytes.total > serving->per_gpu.total)) continue;
        serving->per_gpu = bytes;
        serving->cache_count = plan.stages[s].cache_count;
        for (int i = 0; i < KINDS_MAX; i++) serving->caches[i] = plan.stages[s].caches[i];
    }
    serving->fits = serving->per_gpu.total <= plan.budget;
    serving->memory_context = longest_context(&plan, requests);
    serving->max_context = serving->memory_context;
    if (model->max_context > 0 && model->max_context < serving->max_context)
        serving->max_context = model->max_context;
    uint64_t most = most_requests(&plan);
    serving->max_requests = most == UINT64_MAX ? 0 : most * split.ep;
    return true;
}

bool inference_plan(Arena *arena, const Model *model, const Question *question, Serving *serving,
                    Error *err)
{
    ServingBasis basis;
    Split split;
    if (!inference_basis(arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err))
        return false;
    Question settled = *question;
    settled.tp = split.tp, settled.pp = split.pp, settled.ep = split.ep;
    return inference_split(arena, &basis, &settled, serving, err);
}
