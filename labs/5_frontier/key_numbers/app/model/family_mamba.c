/* family_mamba.c -- state-space models and hybrids with short convolutions: Mamba 1 and 2, Jamba, Bamba,
 * Falcon-H1, LFM2, MiniMax-01. */
#include <math.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/mixer.h"

static Decoder read_pure(ConfigFields *s, Head head, uint64_t vocab)
{
    Decoder d = {
        .head = head,
        .names = {
            .embed = "embeddings", .final_norm = "norm_f", .head = "lm_head", .norms = {"norm"}}};
    d.block.width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    d.vocab = config_size(s, "vocab_size", vocab);
    d.mixes = memset(decoder_flags(s, d.layers), 1, d.layers);
    d.idle = d.mixes;
    return d;
}

// "auto" is a 16th of the width.
static uint64_t read_rank(ConfigFields *s, const char *name, uint64_t width)
{
    const cJSON *rank = cJSON_GetObjectItemCaseSensitive(s->object, name);
    return cJSON_IsNumber(rank) ? config_size(s, name, 1) : (width + 15) / 16;
}

// MambaForCausalLM, models/mamba/modeling_mamba.py.
void family_mamba(ConfigFields *s, Head head)
{
    Decoder d = read_pure(s, head, 50280);
    uint64_t h = d.block.width;
    Mamba m = {.prefix = "mixer", .inner = config_size(s, "expand", 2) * h};
    if (config_has(s, "intermediate_size")) m.inner = config_size(s, "intermediate_size", 1);
    m.state = config_size(s, "state_size", 16);
    m.kernel = config_size(s, "conv_kernel", 4);
    m.rank = read_rank(s, "time_step_rank", h);
    m.bias = config_flag(s, "use_bias", false);
    m.conv_bias = config_flag(s, "use_conv_bias", true);
    d.tied = config_flag(s, "tie_word_embeddings", true);
    mixer_mamba(s, &d, &m);
    decoder_lay(s, &d);
}

// Mamba2ForCausalLM, models/mamba2/modeling_mamba2.py.
void family_mamba2(ConfigFields *s, Head head)
{
    Decoder d = read_pure(s, head, 32768);
    Mamba m = {.prefix = "mixer", .norm = true};
    m.heads = config_size(s, "num_heads", 128);
    m.inner = config_size(s, "expand", 2) * d.block.width;
    m.groups = config_size(s, "n_groups", 8);
    m.state = config_size(s, "state_size", 128);
    m.kernel = config_size(s, "conv_kernel", 4);
    m.bias = config_flag(s, "use_bias", false);
    m.conv_bias = config_flag(s, "use_conv_bias", true);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    mixer_mamba2(s, &d, &m);
    decoder_lay(s, &d);
}

static void name_feed_forward(Decoder *d)
{
    d->names.final_norm = "final_layernorm";
    d->names.norms[1] = "pre_ff_layernorm";
    d->names.mlp = (MlpNames){.gate = "feed_forward.gate_proj",
                              .up = "feed_forward.up_proj",
                              .down = "feed_forward.down_proj"};
}

// Each period-th layer, counted from `offset`.
static bool *each(ConfigFields *s, uint64_t layers, const char *name, uint64_t period,
                  uint64_t offset)
{
    bool *flags = decoder_flags(s, layers);
    period = config_size(s, build_name(s->model, "%s_layer_period", name), period);
    offset = config_count(s, build_name(s->model, "%s_layer_offset", name), offset);
    for (uint64_t i = offset; i < layers; i += period) flags[i] = true;
    return flags;
}

// JambaForCausalLM, models/jamba/modeling_jamba.py.
void family_jamba(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 65536, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 262144});
    KnBlock *b = &d.block;
    bool *mixes = each(s, d.layers, "attn", 8, 4);
    name_feed_forward(&d);
    d.names.router = "feed_forward.router";
    d.names.expert = (MlpNames){.gate = "feed_forward.experts.gate_proj",
                                .up = "feed_forward.experts.up_proj",
                                .down = "feed_forward.experts.down_proj"};
    if (config_count(s, "num_experts", 16) > 1) {
        b->experts = config_size(s, "num_experts", 16);
        b->active_experts = config_size(s, "num_experts_per_tok", 2);
        b->expert_ffn = b->ffn;
        d.routed = each(s, d.layers, "expert", 2, 1);
    }
    for (uint64_t i = 0; i < d.layers; i++) mixes[i] = !mixes[i];
    d.mixes = mixes;
    Mamba m = {.prefix = "mamba", .norm = true};
    m.inner = config_size(s, "mamba_expand", 2) * b->width;
    m.state = config_size(s, "mamba_d_state", 16);
    m.kernel = config_size(s, "mamba_d_conv", 4);
    m.rank = read_rank(s, "mamba_dt_rank", b->width);
    m.bias = config_flag(s, "mamba_proj_bias", false);
    m.conv_bias = config_flag(s, "mamba_conv_bias", true);
    mixer_mamba(s, &d, &m);
    decoder_lay(s, &d);
}

// BambaForCausalLM, models/bamba/modeling_bamba.py.
void family_bamba(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 128000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 262144});
    name_feed_forward(&d);
    bool *mixes = memset(decoder_flags(s, d.layers), 1, d.layers);
    const cJSON *node;
    cJSON_ArrayForEach(node, cJSON_GetObjectItemCaseSensitive(s->object, "attn_layer_indices"))
    {
        if (cJSON_IsNumber(node) && node->valuedouble >= 0 && node->valuedouble < (double)d.layers)
            mixes[(uint64_t)node->valuedouble] = false;
        else config_fail(s, "\"attn_layer_indices\" names a layer that is not there");
    }
    d.mixes = mixes;
    Mamba m = mixer_read_mamba2(s, d.block.width, 128, 256);
    mixer_mamba2(s, &d, &m);
    decoder_lay(s, &d);
}

// FalconH1ForCausalLM, models/falcon_h1/modeling_falcon_h1.py: attention and Mamba side by side.
void family_falcon_h1(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 128000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 8192});
    name_feed_forward(&d);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.mlp_bias = config_flag(s, "mlp_bias", false);
    d.beside = true;
    Mamba m = mixer_read_mamba2(s, d.block.width, 128, 256);
    if (config_has(s, "mamba_d_ssm")) m.inner = config_size(s, "mamba_d_ssm", 1024);
    m.norm = config_flag(s, "mamba_rms_norm", false);
    mixer_mamba2(s, &d, &m);
    decoder_lay(s, &d);
}

// ---- short convolutions ----

static Decoder read_lfm2(ConfigFields *s, Head head, uint64_t ffn)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 65536,
                                     .heads = 32,
                                     .kv_heads = 8,
                                     .ffn = ffn,
                                     .positions = 128000,
                                     .tied = true});
    uint64_t h = d.block.width, kernel = config_size(s, "conv_L_cache", 3);
    bool bias = config_flag(s, "conv_bias", false);
    const Component at = COMPONENT_LINEAR;
    d.tied = config_flag(s, "tie_embedding", d.tied);
    d.names.final_norm = "embedding_norm", d.names.o = "self_attn.out_proj";
    d.names.q_norm = "self_attn.q_layernorm", d.names.k_norm = "self_attn.k_layernorm";
    d.names.norms[0] = "operator_norm", d.names.norms[1] = "ffn_norm";
    d.names.mlp =
        (MlpNames){.gate = "feed_forward.w1", .up = "feed_forward.w3", .down = "feed_forward.w2"};
    d.block.qk_norm = true, d.q_norm = d.k_norm = d.block.head_dim;
    d.mixer = "short convolution", d.conv = h * (kernel - 1);
    d.mixes = decoder_typed(s, "layer_types", d.layers, "conv");
    if (d.mixes == NULL) config_fail(s, "\"layer_types\" is missing");
    decoder_part(&d, LAYER_STATE, at, ROLE_UP, "conv.in_proj.weight", 3 * h, h);
    decoder_part(&d, LAYER_STATE, at, ROLE_OTHER, "conv.conv.weight", h, kernel);
    decoder_part(&d, LAYER_STATE, at, ROLE_DOWN, "conv.out_proj.weight", h, h);
    if (!bias) return d;
    decoder_part(&d, LAYER_STATE, at, ROLE_BIAS, "conv.in_proj.bias", 1, 3 * h);
    decoder_part(&d, LAYER_STATE, at, ROLE_BIAS, "conv.conv.bias", 1, h);
    decoder_part(&d, LAYER_STATE, at, ROLE_BIAS, "conv.out_proj.bias", 1, h);
    return d;
}

// Lfm2ForCausalLM, models/lfm2/modeling_lfm2.py. The MLP's size is two thirds of what is said, rounded up.
void family_lfm2(ConfigFields *s, Head head)
{
    Decoder d = read_lfm2(s, head, 12288);
    uint64_t f = config_has(s, "block_ff_dim") ? config_size(s, "block_ff_dim", 1) : d.block.ffn;
    uint64_t multiple = config_size(s, "block_multiple_of", 256);
    if (config_flag(s, "block_auto_adjust_ff_dim", true)) {
        double times = config_real(s, "block_ffn_dim_multiplier", 1, 0, 100);
        uint64_t thirds = 2 * f / 3;
        f = (uint64_t)floor(times * (double)thirds);
        f = (f + multiple - 1) / multiple * multiple;
    }
    d.block.ffn = f;
    decoder_lay(s, &d);
}

// Lfm2MoeForCausalLM, models/lfm2_moe/modeling_lfm2_moe.py: the first layers are dense.
void family_lfm2_moe(ConfigFields *s, Head head)
{
    Decoder d = read_lfm2(s, head, 7168);
    KnBlock *b = &d.block;
    b->experts = config_size(s, "num_experts", 32);
    b->active_experts = config_size(s, "num_experts_per_tok", 4);
    b->expert_ffn = config_size(s, "moe_intermediate_size", 1792);
    b->router_bias = config_flag(s, "use_expert_bias", true);
    d.names.router = "feed_forward.gate", d.names.router_bias = "feed_forward.expert_bias";
    d.names.expert = (MlpNames){.gate = "feed_forward.experts.w1",
                                .up = "feed_forward.experts.w3",
                                .down = "feed_forward.experts.w2"};
    bool *routed = decoder_flags(s, d.layers);
    for (uint64_t i = config_count(s, "num_dense_layers", 2); i < d.layers; i++) routed[i] = true;
    d.routed = routed;
    decoder_lay(s, &d);
}

// ---- lightning attention ----

// MiniMaxForCausalLM, models/minimax/modeling_minimax.py: MiniMax-Text-01 and M1. Seven layers of eight keep a
// d x d matrix for each head.
void family_minimax(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 32000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 131072});
    KnBlock *b = &d.block;
    uint64_t h = b->width, q = b->heads * b->head_dim;
    const Component at = COMPONENT_LINEAR;
    b->experts = config_size(s, "num_local_experts", 8);
    b->active_experts = config_size(s, "num_experts_per_tok", 2);
    b->expert_ffn = b->ffn;
    d.names.router = "block_sparse_moe.gate";
    d.names.expert = (MlpNames){.gate = "block_sparse_moe.experts.w1",
                                .up = "block_sparse_moe.experts.w3",
                                .down = "block_sparse_moe.experts.w2"};
    d.mixes = decoder_typed(s, "layer_types", d.layers, "linear_attention");
    if (d.mixes == NULL && config_has(s, "attn_type_list")) {
        // 1: full attention
        bool *mixes = decoder_flags(s, d.layers);
        const bool *full = decoder_typed(s, "attn_type_list", d.layers, "");
        for (uint64_t i = 0; i < d.layers; i++) mixes[i] = !full[i];
        d.mixes = mixes;
    }
    if (d.mixes == NULL) config_fail(s, "\"layer_types\" is missing");
    d.mixer = "lightning attention", d.state = q * b->head_dim;
    decoder_part(&d, LAYER_STATE, at, ROLE_UP, "self_attn.qkv_proj.weight", 3 * q, h);
    decoder_part(&d, LAYER_STATE, at, ROLE_DOWN, "self_attn.out_proj.weight", h, q);
    decoder_part(&d, LAYER_STATE, at, ROLE_UP, "self_attn.output_gate.weight", q, h);
    decoder_part(&d, LAYER_STATE, at, ROLE_NORM, "self_attn.norm.weight", 1, q);
    decoder_lay(s, &d);
}
