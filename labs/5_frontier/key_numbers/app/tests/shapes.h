/* shapes.h -- models for tests that are in no catalogue: PaLM, and small ones whose sums fit in a head.
 *
 *     Model *model = shape_model(arena, "PaLM-540B", 18432, 256000, 2048, true);
 *     shape_layers(model, 118, palm, 0);    // layers of a KnBlock; window 0: full attention
 *     build_finish(model);
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/build.h"

static inline Model *shape_model(Arena *arena, const char *name, uint64_t width, uint64_t vocab,
                                 uint64_t max_context, bool tied)
{
    Model *model = build_model(arena, "test", name);
    model->width = width, model->vocab = vocab, model->max_context = max_context,
    model->tied = tied;
    build_weight(model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, "embed_tokens.weight", vocab, width);
    build_vector(model, OUTSIDE, COMPONENT_NORM, ROLE_NORM, "norm.weight", width);
    if (!tied)
        build_weight(model, OUTSIDE, COMPONENT_HEAD, ROLE_HEAD, "lm_head.weight", vocab, width);
    return model;
}

static inline void shape_attention(Model *model, int kind, const KnBlock *b)
{
    uint64_t h = b->width, a = b->heads;
    if (b->kv_rank == 0) {
        build_weight(model, kind, COMPONENT_ATTN, ROLE_Q, "q_proj.weight", a * b->head_dim, h);
        build_weight(model, kind, COMPONENT_ATTN, ROLE_K, "k_proj.weight",
                     b->kv_heads * b->head_dim, h);
        build_weight(model, kind, COMPONENT_ATTN, ROLE_V, "v_proj.weight",
                     b->kv_heads * b->head_dim, h);
        build_weight(model, kind, COMPONENT_ATTN, ROLE_O, "o_proj.weight", h, a * b->head_dim);
        if (b->qkv_bias)
            build_vector(model, kind, COMPONENT_ATTN, ROLE_BIAS, "qkv.bias",
                         (a + 2 * b->kv_heads) * b->head_dim);
        if (b->out_bias) build_vector(model, kind, COMPONENT_ATTN, ROLE_BIAS, "o.bias", h);
        return;
    }
    uint64_t d_q = b->nope_dim + b->rope_dim;
    build_weight(model, kind, COMPONENT_ATTN, ROLE_Q_A, "q_a_proj.weight", b->q_rank, h);
    build_vector(model, kind, COMPONENT_ATTN, ROLE_NORM, "q_a_layernorm.weight", b->q_rank);
    build_weight(model, kind, COMPONENT_ATTN, ROLE_Q_B, "q_b_proj.weight", a * d_q, b->q_rank);
    build_weight(model, kind, COMPONENT_ATTN, ROLE_KV_A, "kv_a_proj.weight",
                 b->kv_rank + b->rope_dim, h);
    build_vector(model, kind, COMPONENT_ATTN, ROLE_NORM, "kv_a_layernorm.weight", b->kv_rank);
    build_weight(model, kind, COMPONENT_ATTN, ROLE_KV_B, "kv_b_proj.weight",
                 a * (b->nope_dim + b->value_dim), b->kv_rank);
    build_weight(model, kind, COMPONENT_ATTN, ROLE_O, "o_proj.weight", h, a * b->value_dim);
}

static inline void shape_mlp(Model *model, int kind, Component component, const KnBlock *b,
                             uint64_t f, uint64_t copies)
{
    if (f == 0 || copies == 0) return;
    if (b->gated)
        build_weight(model, kind, component, ROLE_GATE, "gate_proj.weight", f, b->width)->copies =
            copies;
    build_weight(model, kind, component, ROLE_UP, "up_proj.weight", f, b->width)->copies = copies;
    build_weight(model, kind, component, ROLE_DOWN, "down_proj.weight", b->width, f)->copies =
        copies;
    if (b->mlp_bias)
        build_vector(model, kind, component, ROLE_BIAS, "mlp.bias",
                     (b->gated ? 2 : 1) * f + b->width)
            ->copies = copies;
}

static inline int shape_layers(Model *model, int count, KnBlock block, uint64_t window)
{
    const KnBlock *b = &block;
    int kind =
        build_kind(model, (LayerKind){.name = window > 0 ? "sliding attention" : "full attention",
                                      .count = count,
                                      .block = block,
                                      .window = window,
                                      .caches = true,
                                      .causal = true});
    shape_attention(model, kind, b);
    shape_mlp(model, kind, COMPONENT_MLP, b, b->ffn, 1);
    shape_mlp(model, kind, COMPONENT_EXPERTS, b, b->expert_ffn, b->experts);
    shape_mlp(model, kind, COMPONENT_SHARED, b, b->shared_ffn, 1);
    if (b->experts > 0)
        build_weight(model, kind, COMPONENT_ROUTER, ROLE_ROUTER, "gate.weight", b->experts,
                     b->width);
    if (b->router_bias)
        build_vector(model, kind, COMPONENT_ROUTER, ROLE_BIAS, "gate.bias", b->experts);
    if (b->norms > 0)
        build_vector(model, kind, COMPONENT_NORM, ROLE_NORM, "layernorm.weight", b->norms);
    return kind;
}
