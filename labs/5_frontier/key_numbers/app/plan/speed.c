#include "labs/5_frontier/key_numbers/app/plan/speed.h"
#include <math.h>
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"
#include "labs/5_frontier/key_numbers/app/plan/compute.h"

static const uint64_t batch_most = (uint64_t)1 << 40;    // bound by memory there: for good

static void load_weights(Load *load, Arena *arena, const ServingBasis *basis)
{
    Split flat = {load->split.tp, 1, load->split.ep};
    const StageWeights *weights = split_weights(arena, &basis->split, flat);
    double encoder = (double)weights->encoder;
    load->experts = (double)weights->experts;
    load->token_weights = (double)(weights->all - weights->idle) - load->experts - encoder;
    // A prompt goes through the encoder alone, where there is one.
    load->prompt_weights = encoder > 0 ? encoder : load->token_weights;
    for (int k = 0; k < load->model->kind_count; k++) {
        const LayerKind *kind = &load->model->kinds[k];
        load->decodes = load->decodes || kind->caches;
        if (kind->block.experts == 0) continue;
        load->routed = kind->block.experts;
        load->active = kind->block.active_experts;
    }
}

bool load_of(Load *load, Arena *arena, const ServingBasis *basis, const Question *question,
             Split split, Error *err)
{
    const Model *model = basis->model;
    const GpuSpec *spec = &question->gpu_spec;
    uint64_t s = question->context;
    int bits = basis->weights.compute_bits;
    *load = (Load){.model = model, .question = question, .split = split};
    load->peak = gpu_spec_peak(spec, bits);
    load->bandwidth = spec->bandwidth;
    if (!(load->peak > 0))
        return error_set(err, "the peak of %s for %d-bit products is not known; give --tflops",
                         spec->name, bits);
    if (!(load->bandwidth > 0))
        return error_set(err, "the bandwidth of %s is not known; give --bandwidth", spec->name);
    load_weights(load, arena, basis);
    TokenFlops prompt = compute_token(model, s, POSITIONS_CAUSAL, PHASE_PREFILL);
    TokenFlops token = compute_token(model, s, POSITIONS_LAST, PHASE_DECODE);
    load->prompt_flops = (double)s * (prompt.matrices + prompt.attention) + prompt.head;
    load->token_flops = token.matrices + token.attention + token.head;
    load->cache_token = (double)kv_cache_bytes(model, &basis->cache, 1, split.tp);
    load->cache_request = (double)kv_cache_bytes(model, &basis->cache, s, split.tp);
    return true;
}

double load_touched(const Load *load, double tokens)
{
    if (load->routed == 0) return 0;
    return 1 - pow(1 - (double)load->active / (double)load->routed, tokens);
}

// Two all-reduces of the residual stream, in 16 bits, in each layer; in a ring each GPU sends
// 2 (tp - 1) / tp of it.
static double link_seconds(const Load *load, double tokens)
{
    double link = load->question->gpu_spec.link, tp = (double)load->split.tp;
    if (load->split.tp == 1 || !(link > 0)) return 0;
    double bytes = 2 * tokens * (double)load->model->width;
    return 2 * load->model->layers * bytes * 2 * (tp - 1) / tp / link;
}

static Step step_of(const Load *load, double flops, double bytes, double tokens)
{
    const Question *q = load->question;
    double peak = load->peak * q->u_compute, bandwidth = load->bandwidth * q->u_memory;
    KnBounds bounds = kn_roofline(flops, bytes, peak, bandwidth);
    return (Step){flops, bytes, bounds, link_seconds(load, tokens)};
}

double load_prefill_steps(const Load *load)
{
    return ceil((double)load->question->context / (double)load->question->step_tokens);
}

Step load_prefill(const Load *load)
{
    double context = (double)load->question->context, step = (double)load->question->step_tokens;
    double touched = load_touched(load, fmin(context, step) * (double)load->split.ep);
    double weights = load->prompt_weights + load->experts * touched;
    return step_of(load, load->prompt_flops / (double)load->split.tp,
                   load_prefill_steps(load) * weights + load->cache_token * context, context);
}

double load_requests(const Load *load, uint64_t batch)
{
    return ceil((double)batch / (double)load->split.ep);
}

Step load_decode(const Load *load, uint64_t batch)
{
    double requests = load_requests(load, batch), gpus = (double)(load->split.tp * load->split.ep);
    double weights = load->token_weights + load->experts * load_touched(load, (double)batch);
    return step_of(load, (double)batch * load->token_flops / gpus,
                   weights + load->cache_request * requests, requests);
}

// Each request adds as many FLOPs and as many bytes of cache, and never more bytes of weights than the
// one before: once a step is bound by compute, larger ones are.
uint64_t load_compute_bound_batch(const Load *load)
{
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

bool compute_speed(Arena *arena, const Model *model, const Question *question, Speed *speed,
                   Error *err)
{
    ServingBasis basis;
    Split split;
    Load load;
    if (!inference_basis(arena, model, question, &basis, err) ||
        !inference_choose(model, question, &split, err) ||
        !load_of(&load, arena, &basis, question, split, err))
        return false;
    Step prefill = load_prefill(&load);
    *speed = (Speed){.prefill_seconds = prefill.bounds.seconds,
                     .prefill_flops = prefill.flops,
                     .prefill_bytes = prefill.bytes,
                     .prefill_memory_bound = prefill.bounds.memory_bound,
                     .prefill_link = prefill.link,
                     .peak = load.peak,
                     .bandwidth = load.bandwidth,
                     .ridge = load.peak / load.bandwidth,
                     .decodes = load.decodes};
    if (!load.decodes) return true;
    Step decode = load_decode(&load, question->batch);
    speed->decode_seconds = decode.bounds.seconds;
    speed->decode_flops = decode.flops;
    speed->decode_bytes = decode.bytes;
    speed->decode_memory_bound = decode.bounds.memory_bound;
    speed->decode_link = decode.link;
    speed->tokens_per_second = (double)question->batch / decode.bounds.seconds;
    speed->experts_touched = load_touched(&load, (double)question->batch) * (double)load.routed;
    return true;
}
