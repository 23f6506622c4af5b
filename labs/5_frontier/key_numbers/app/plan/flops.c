#include "labs/5_frontier/key_numbers/app/plan/flops.h"
#include <math.h>

// ---- one token ----

static double positions_of(const LayerKind *kind, uint64_t sequence, Positions positions)
{
    double s = (double)sequence, w = kind->window > 0 ? fmin((double)kind->window, s) : s;
    switch (positions) {
    case POSITIONS_FULL: return s;
    case POSITIONS_LAST: return w;
    case POSITIONS_CAUSAL: break;
    }
    return kind->causal ? w - w * w / (2 * s) : w;
}

// Scores and values of one position.
static double attention_of(const LayerKind *kind, Positions positions)
{
    const KnBlock *b = &kind->block;
    if (b->kv_rank > 0 && positions == POSITIONS_LAST && kind->caches)
        return 2 * (double)(b->heads * (2 * b->kv_rank + b->rope_dim));
    return kn_forward_flops(b, 0, 1) - kn_forward_flops(b, 0, 0);
}

// An encoder-decoder's prompt goes through its encoder, a new token through its decoder.
static bool in_phase(const Model *model, const LayerKind *kind, Phase phase)
{
    return phase == PHASE_BOTH || !model_has_encoder(model) ||
           kind->caches == (phase == PHASE_DECODE);
}

// A layer without attention may have most of its vectors outside the block.
static uint64_t vectors_within(const LayerKind *kind)
{
    uint64_t block = kn_block_params(&kind->block).active;
    return kind->vectors < block ? kind->vectors : block;
}

static KindFlops kind_flops(const LayerKind *kind, uint64_t sequence, Positions positions)
{
    uint64_t within = vectors_within(kind);
    return (KindFlops){kn_forward_flops(&kind->block, within, 0) +
                           2 * ((double)kind->other - (double)(kind->vectors - within)),
                       attention_of(kind, positions), positions_of(kind, sequence, positions)};
}

TokenFlops flops_token(const Model *model, uint64_t sequence, Positions positions, Phase phase)
{
    TokenFlops flops = {0};
    for (int k = 0; k < model->kind_count; k++) {
        const LayerKind *kind = &model->kinds[k];
        if (!in_phase(model, kind, phase)) continue;
        KindFlops one = kind_flops(kind, sequence, positions);
        double layers = kind->count;
        flops.matrices += layers * one.matrices;
        flops.attention += layers * one.attention * one.positions;
        if (kind->cross)    // all of the encoder's tokens
            flops.attention += layers * one.attention * (double)sequence;
    }
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        if (w->role == ROLE_HEAD || (w->role == ROLE_EMBED && model->tied))
            flops.head += 2 * (double)weight_elements(model, w);
    }
    return flops;
}

double flops_sum(const TokenFlops *flops)
{
    return flops->matrices + flops->attention + flops->head;
}

static double recomputed(const TokenFlops *flops)
{
    return 4 * (flops->matrices + flops->attention) + 3 * flops->head;
}

static double six_n(const Model *model)
{
    uint64_t beside = model_looked_up(model);
    for (int i = 0; i < model->weight_count; i++) {
        const Weight *w = &model->weights[i];
        bool once = weight_in_tower(w) || w->component == COMPONENT_POOLER;
        if (once && w->role != ROLE_POSITION) beside += weight_elements(model, w);
    }
    return 6 * (double)(model_active(model) - beside);
}

Flops flops_plan(const Model *model, uint64_t sequence)
{
    Flops flops = {.sequence = sequence,
                   .causal = flops_token(model, sequence, POSITIONS_CAUSAL, PHASE_BOTH),
                   .full = flops_token(model, sequence, POSITIONS_FULL, PHASE_BOTH),
                   .six_n = six_n(model),
                   .six_n_all = 6 * (double)model_active(model)};
    for (int k = 0; k < model->kind_count; k++)
        flops.kinds[k] = kind_flops(&model->kinds[k], sequence, POSITIONS_CAUSAL);
    flops.forward = flops_sum(&flops.causal);
    flops.training = 3 * flops.forward;
    flops.recomputed = recomputed(&flops.causal);
    flops.palm = flops.six_n + 3 * flops.full.attention;
    flops.palm_recomputed = (4 * flops.six_n + 12 * flops.full.attention) / 3;
    flops.narayanan = recomputed(&flops.full);
    flops.kaplan_forward = flops.full.matrices + flops.full.attention / 2;
    return flops;
}
