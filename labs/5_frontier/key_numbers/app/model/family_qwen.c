/* family_qwen.c -- Qwen: dense, and with experts. */
#include "labs/5_frontier/key_numbers/app/model/tower.h"
#include <inttypes.h>

// QWenLMHeadModel, remote code of Qwen/Qwen-7B. Both up-projections have half of intermediate_size.
void family_qwen(ConfigFields *s, Head head)
{
    static const Names names = {
        .embed = "wte",
        .final_norm = "ln_f",
        .head = "lm_head",
        .qkv = "attn.c_attn",
        .o = "attn.c_proj",
        .norms = {"ln_1", "ln_2"},
        .mlp = {.gate = "mlp.w2", .up = "mlp.w1", .down = "mlp.c_proj"},
    };
    Decoder d = {.head = head, .names = names};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = config_size(s, "num_attention_heads", 32);
    b->kv_heads = b->heads;
    b->head_dim = config_size(s, "kv_channels", 128);
    b->qkv_bias = true;
    b->out_bias = b->mlp_bias = !config_flag(s, "no_bias", true);
    b->ffn = config_size(s, "intermediate_size", 22016) / 2;
    b->gated = true;
    d.vocab = config_size(s, "vocab_size", 151936);
    d.max_context = config_size(s, "seq_length|max_position_embeddings", 8192);
    d.tied = config_flag(s, "tie_word_embeddings", false);
    decoder_lay(s, &d);
}

// Qwen2 and Qwen3: windows are off unless use_sliding_window, and then begin after max_window_layers.
static void read_windows(ConfigFields *s, Decoder *d)
{
    if (!config_flag(s, "use_sliding_window", false)) return;
    d->window = decoder_window(s, 4096);
    uint64_t full = config_count(s, "max_window_layers", 28);
    bool *after = decoder_flags(s, d->layers);
    for (uint64_t i = full; i < d->layers; i++) after[i] = true;
    d->slides = decoder_slides(s, d->layers, 0, after);
}

// Qwen2ForCausalLM, models/qwen2/modeling_qwen2.py: Qwen 1.5 to 2.5. Biases on q, k and v, not on o.
Decoder qwen2_read(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 151936, .heads = 32, .kv_heads = 32, .ffn = 22016, .positions = 32768});
    d.block.qkv_bias = true;
    read_windows(s, &d);
    return d;
}

void family_qwen2(ConfigFields *s, Head head)
{
    Decoder d = qwen2_read(s, head);
    decoder_lay(s, &d);
}

static void norm_heads(Decoder *d)
{
    d->block.qk_norm = true;
    d->q_norm = d->k_norm = d->block.head_dim;
}

// Qwen3ForCausalLM, models/qwen3/modeling_qwen3.py. A norm on each head's queries and keys.
Decoder qwen3_read(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 151936,
                                     .heads = 32,
                                     .kv_heads = 32,
                                     .head_dim = 128,
                                     .ffn = 22016,
                                     .positions = 32768});
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    norm_heads(&d);
    read_windows(s, &d);
    return d;
}

void family_qwen3(ConfigFields *s, Head head)
{
    Decoder d = qwen3_read(s, head);
    decoder_lay(s, &d);
}

// ---- experts ----

// Experts in each decoder_sparse_step-th layer but those of mlp_only_layers.
static const bool *read_routed(ConfigFields *s, uint64_t layers)
{
    bool *routed = decoder_flags(s, layers);
    uint64_t step =
        config_has(s, "decoder_sparse_step") ? config_size(s, "decoder_sparse_step", 1) : 1;
    for (uint64_t i = 0; i < layers; i++) routed[i] = (i + 1) % step == 0;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "mlp_only_layers"), *node;
    cJSON_ArrayForEach(node, list)
    {
        double layer = cJSON_IsNumber(node) ? node->valuedouble : -1;
        if (layer >= 0 && layer < (double)layers) routed[(uint64_t)layer] = false;
        else
            config_fail(s, "\"mlp_only_layers\" names a layer that is not one of %" PRIu64, layers);
    }
    return routed;
}

void qwen_read_experts(ConfigFields *s, Decoder *d, uint64_t experts, uint64_t active, uint64_t ffn)
{
    d->block.experts = config_size(s, "num_experts|num_local_experts", experts);
    d->block.active_experts = config_size(s, "num_experts_per_tok", active);
    d->block.expert_ffn = config_size(s, "moe_intermediate_size", ffn);
    d->routed = read_routed(s, d->layers);
}

void qwen_share_expert(ConfigFields *s, Decoder *d, uint64_t ffn)
{
    d->block.shared_ffn = config_size(s, "shared_expert_intermediate_size", ffn);
    d->names.shared = (MlpNames){.gate = "mlp.shared_expert.gate_proj",
                                 .up = "mlp.shared_expert.up_proj",
                                 .down = "mlp.shared_expert.down_proj"};
    d->shared_gate = true;
}

// Qwen2MoeForCausalLM, models/qwen2_moe/modeling_qwen2_moe.py: Qwen1.5-MoE, Qwen2-57B-A14B.
void family_qwen2_moe(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 151936, .heads = 16, .kv_heads = 16, .ffn = 5632, .positions = 32768});
    qwen_read_experts(s, &d, 60, 4, 1408);
    qwen_share_expert(s, &d, 5632);
    d.block.qkv_bias = config_flag(s, "qkv_bias", true);
    read_windows(s, &d);
    decoder_lay(s, &d);
}

// Qwen3MoeForCausalLM, models/qwen3_moe/modeling_qwen3_moe.py. Every layer slides, or none.
Decoder qwen3_moe_read(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 151936, .heads = 32, .kv_heads = 4, .ffn = 6144, .positions = 32768});
    qwen_read_experts(s, &d, 128, 8, 768);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    norm_heads(&d);
    if (config_flag(s, "use_sliding_window", false)) d.window = decoder_window(s, 4096);
    return d;
}

void family_qwen3_moe(ConfigFields *s, Head head)
{
    Decoder d = qwen3_moe_read(s, head);
    decoder_lay(s, &d);
}
