#include "labs/5_frontier/key_numbers/app/plan/speed.h"
#include <math.h>
#include "labs/5_frontier/key_numbers/app/plan/flops.h"
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"

static const uint64_t batch_most = (uint64_t)1 << 40;    // bound by memory there: for good

// ---- what the model asks ----

static void load_weights(Load *load, Arena *arena, const ServingBasis *basis)
{
    Split flat = {load->split.tp, 1, load->split.ep};
    const StageWeights *weights = split_weights(arena, &basis->split, flat, NULL);
    double encoder = (double)weights->encoder;
    load->experts = (double)weights->experts;
    load->token_weights = (double)(weights->all - weights->idle) - load->experts - encoder;
    // A prompt goes through the encoder alone, where there is one.
    load->prompt_weights = encoder > 0 ? encoder : load->token_weights;
    for (int k = 0; k < load->model->kind_count; k++) {
        const LayerKind *kind = &load->model->kinds[k];
        if (kind->block.experts == 0) continue;
        load->routed = kind->block.experts;
        load->active = kind->block.active_experts;
    }
}

// Cards work one after the other: the time of a layer is the mean over the cards that have them.
static void mean_of_cards(Load *load, const Deployment *deployment)
{
    const Cards *cards = deployment->cards;
    int ends[CARDS_MOST], layers = load->model->layers;
    double bandwidth = 0, peak = 0;
    cards_layers(cards, layers, ends);
    for (int c = 0; c < cards->count; c++) {
        double share = (double)(ends[c] - (c > 0 ? ends[c - 1] : 0)) / layers;
        bandwidth += share / cards->specs[c].bandwidth;
        peak += share / gpu_spec_peak(&cards->specs[c], deployment->basis->weights.compute_bits);
    }
    load->bandwidth = 1 / bandwidth;
    load->peak = 1 / peak;
}

static Load load_of(Arena *arena, const Deployment *deployment, const GpuSpec *gpu,
                    Efficiency efficiency)
{
    const ServingBasis *basis = deployment->basis;
    const Model *model = basis->model;
    uint64_t s = deployment->workload.context, step = deployment->workload.step_tokens;
    Load load = {.model = model,
                 .decodes = model_has_decoder(model),
                 .split = deployment->split,
                 .efficiency = efficiency,
                 .peak = gpu_spec_peak(gpu, basis->weights.compute_bits),
                 .bandwidth = gpu->bandwidth,
                 .link = gpu->link,
                 .context = s,
                 .steps = ceil((double)s / (double)step),
                 .step_tokens = (double)(s < step ? s : step)};
    if (deployment->cards != NULL) mean_of_cards(&load, deployment);
    load_weights(&load, arena, basis);
    load.host = inference_host(deployment);
    load.token_weights -= load.host.dense;
    load.prompt_weights -= load.host.dense;
    load.experts -= load.host.experts;
    TokenFlops prompt = flops_token(model, s, POSITIONS_CAUSAL, PHASE_PREFILL);
    TokenFlops token = flops_token(model, s, POSITIONS_LAST, PHASE_DECODE);
    load.prompt_flops = (double)s * (prompt.matrices + prompt.attention) + prompt.head;
    load.token_flops = flops_sum(&token);
    uint64_t prefix = deployment->workload.prefix;
    if (prefix > 0) {
        TokenFlops first = flops_token(model, prefix, POSITIONS_CAUSAL, PHASE_PREFILL);
        load.prefix_flops = (double)prefix * (first.matrices + first.attention);
        load.prefix_steps = load.steps - ceil((double)(s - prefix) / (double)step);
    }
    load.cache_token = (double)kv_cache_bytes(model, &basis->cache, 1, load.split.tp);
    load.cache_request =
        (double)kv_cache_bytes(model, &basis->cache, s, load.split.tp) - load.host.cache;
    return load;
}

// ---- one step ----

// The share of a layer's experts that at least one of so many tokens is sent to, when they are sent
// evenly: 1 - (1 - k/E)^tokens.
static double touched_by(const Load *load, double tokens)
{
    if (load->routed == 0) return 0;
    return 1 - pow(1 - (double)load->active / (double)load->routed, tokens);
}

// Two all-reduces of the residual stream, in 16 bits, in each layer; in a ring each GPU sends
// 2 (tp - 1) / tp of it.
static double link_seconds(const Load *load, double tokens)
{
    double tp = (double)load->split.tp;
    if (load->split.tp == 1 || !(load->link > 0)) return 0;
    double bytes = 2 * tokens * (double)load->model->width;
    return 2 * load->model->layers * bytes * 2 * (tp - 1) / tp / load->link;
}

static KnBounds bounds_of(const Load *load, double flops, double bytes)
{
    return kn_roofline(flops, bytes, load->peak * load->efficiency.compute,
                       load->bandwidth * load->efficiency.memory);
}

// Weights that stay with the host are multiplied there: it reads them and adds its time.
static void add_host(const Load *load, StepTime *step, double steps, double caches)
{
    double bytes =
        steps * (load->host.dense + load->host.experts * step->touched) + caches * load->host.cache;
    step->host = bytes / load->efficiency.host;
    step->bounds.seconds += step->host;
}

// The cache is written once.
static StepTime load_prefill(const Load *load, bool cached)
{
    double context = (double)load->context;
    StepTime step = {.tokens = context,
                     .touched = touched_by(load, load->step_tokens * (double)load->split.ep),
                     .link = link_seconds(load, context)};
    double weights = load->prompt_weights + load->experts * step.touched;
    double steps = load->steps - (cached ? load->prefix_steps : 0);
    step.flops = (load->prompt_flops - (cached ? load->prefix_flops : 0)) / (double)load->split.tp;
    step.bytes = steps * weights + load->cache_token * context;
    step.bounds = bounds_of(load, step.flops, step.bytes);
    add_host(load, &step, steps, 0);
    return step;
}

// So many new tokens for each of `batch` requests, whose cache is read once.
static StepTime load_step(const Load *load, uint64_t batch, uint64_t each)
{
    StepTime step = {.tokens = ceil((double)batch / (double)load->split.ep),
                     .touched = touched_by(load, (double)batch * (double)each)};
    double gpus = (double)(load->split.tp * load->split.ep);
    double weights = load->token_weights + load->experts * step.touched;
    step.flops = (double)batch * (double)each * load->token_flops / gpus;
    step.bytes = weights + load->cache_request * step.tokens;
    step.bounds = bounds_of(load, step.flops, step.bytes);
    add_host(load, &step, 1, (double)batch);
    step.link = link_seconds(load, step.tokens * (double)each);
    return step;
}

static StepTime load_decode(const Load *load, uint64_t batch)
{
    return load_step(load, batch, 1);
}

// Each request adds as many FLOPs and as many bytes of cache, and never more bytes of weights than the
// one before: once a step is bound by compute, larger ones are.
static uint64_t compute_bound_batch(const Load *load)
{
    if (load->host.dense + load->host.experts > 0) return 0;
    uint64_t high = 1;
    while (high < batch_most && load_decode(load, high).bounds.memory_bound) high *= 2;
    if (high == batch_most) return 0;
    uint64_t low = high / 2;    // bound by memory, or 0
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (load_decode(load, middle).bounds.memory_bound) low = middle;
        else high = middle;
    }
    return high;
}

// ---- the plan ----

static const char *why_unknown(Arena *arena, const GpuSpec *gpu, int bits)
{
    if (!(gpu_spec_peak(gpu, bits) > 0))
        return arena_print(arena, "the peak of %s for %d-bit products is not known; give --tflops",
                           gpu->name, bits);
    if (!(gpu->bandwidth > 0))
        return arena_print(arena, "the bandwidth of %s is not known; give --bandwidth", gpu->name);
    return NULL;
}

// While every GPU of the split is paid for.
static double dollars_per_million(const Speed *speed, double seconds_per_token)
{
    double gpus = (double)split_gpus(speed->load.split);
    return 1e6 * seconds_per_token * gpus * speed->price / 3600;
}

// The model that drafts is alone on one GPU.
static void plan_drafting(Arena *arena, const Deployment *deployment, const GpuSpec *gpu,
                          Speed *speed)
{
    Deployment small = *deployment;
    small.basis = deployment->draft, small.draft = NULL;
    small.split = (Split){1, 1, 1}, small.host = (HostLayers){0, 0};
    Load load = load_of(arena, &small, gpu, speed->load.efficiency);
    uint64_t k = speed->drafting.tokens;
    double a = speed->drafting.acceptance;
    speed->draft_seconds = (double)k * load_decode(&load, speed->batch).bounds.seconds;
    speed->verify_seconds = load_step(&speed->load, speed->batch, k + 1).bounds.seconds;
    speed->draft_kept = (1 - pow(a, (double)k + 1)) / (1 - a);
    speed->draft_rate =
        (double)speed->batch * speed->draft_kept / (speed->draft_seconds + speed->verify_seconds);
}

bool speed_plan(Arena *arena, const Deployment *deployment, const GpuSpec *gpu,
                Efficiency efficiency, Drafting drafting, double price, Speed *speed, Error *err)
{
    *speed = (Speed){.batch = deployment->workload.batch, .drafting = drafting, .price = price};
    speed->unknown = why_unknown(arena, gpu, deployment->basis->weights.compute_bits);
    if (speed->unknown != NULL) return true;
    speed->load = load_of(arena, deployment, gpu, efficiency);
    speed->prefill = load_prefill(&speed->load, false);
    speed->cached = load_prefill(&speed->load, true);
    speed->prompt_dollars =
        dollars_per_million(speed, speed->prefill.bounds.seconds /
                                       (speed->prefill.tokens * (double)deployment->split.ep));
    if (!speed->load.decodes) return true;
    speed->decode = load_decode(&speed->load, speed->batch);
    speed->tokens_per_second = (double)speed->batch / speed->decode.bounds.seconds;
    if (deployment->draft != NULL) plan_drafting(arena, deployment, gpu, speed);
    speed->token_dollars = dollars_per_million(speed, 1 / speed->tokens_per_second);
    speed->compute_bound_batch = compute_bound_batch(&speed->load);
    for (int i = 0; i < SPEED_BATCHES; i++) {
        Deployment one = *deployment;
        Serving serving;
        one.workload.batch = (uint64_t)1 << i;
        if (!inference_plan(arena, &one, &serving, err)) return false;
        speed->fits[i] = serving.fits;
        speed->batches[i] = load_decode(&speed->load, one.workload.batch);
    }
    return true;
}
