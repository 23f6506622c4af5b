#include "labs/5_frontier/key_numbers/app/plan/workspace.h"
#include <math.h>
#include "labs/5_frontier/key_numbers/app/plan/kv_cache.h"

enum { FLOAT = 4 };

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t attention(const KnBlock *b, uint64_t tp)
{
    uint64_t a = ceil_div(b->heads, tp), d_q = b->nope_dim + b->rope_dim;
    if (b->kv_rank > 0)
        return a * (2 * d_q + b->nope_dim + 2 * b->value_dim) + b->q_rank + b->kv_rank +
               b->rope_dim;
    return (2 * a + 2 * kv_cache_heads(b, tp)) * b->head_dim;
}

static uint64_t mlp(const KnBlock *b, Split split)
{
    uint64_t tp = split.tp, ups = b->gated ? 2 : 1;
    uint64_t dense = (ups + 1) * ceil_div(larger(b->ffn, b->shared_ffn), tp);
    if (b->experts == 0) return dense;
    // With ep, all its groups' tokens are spread over tp x ep GPUs: 1 / tp of a group's on each.
    bool whole = split.ep > 1;
    uint64_t f = whole ? b->expert_ffn : ceil_div(b->expert_ffn, tp);
    uint64_t routed = b->active_experts * (larger(ups * f, b->width) + f);
    if (whole) routed = ceil_div(routed, tp);
    return larger(dense, routed + (b->shared_ffn > 0 ? b->width : 0));
}

Workspace workspace_of(const Model *model, Split split, int compute_bits)
{
    Workspace work = {.number = compute_bits > 16 ? FLOAT : FLOAT / 2, .hidden = 2 * model->width};
    for (int k = 0; k < model->kind_count; k++) {
        const KnBlock *b = &model->kinds[k].block;
        work.attention = larger(work.attention, attention(b, split.tp));
        work.mlp = larger(work.mlp, mlp(b, split));
        uint64_t heads = ceil_div(b->heads, split.tp);
        work.heads = larger(work.heads, heads);
        work.queries = larger(work.queries, heads * b->head_dim);
        work.keys = larger(work.keys, kv_cache_heads(b, split.tp) * b->head_dim);
    }
    if (model_logits(model) > 0) work.vocab = model->vocab;
    return work;
}

double workspace_bytes(const Workspace *work, double tokens, double requests)
{
    double number = (double)work->number;
    double layer = tokens * (double)larger(work->attention, work->mlp) * number;
    double logits = requests * (double)work->vocab * (number + FLOAT);
    return tokens * (double)work->hidden * number + fmax(layer, logits);
}
