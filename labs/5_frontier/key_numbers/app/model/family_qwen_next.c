/* family_qwen_next.c -- Qwen3-Next and Qwen3.5: linear attention in three layers of four, and gated
 * attention in the fourth. */
#include "labs/5_frontier/key_numbers/app/model/mixer.h"
#include "labs/5_frontier/key_numbers/app/model/tower.h"

static Decoder read_hybrid(ConfigFields *s, Head head, Usual usual, bool joined)
{
    Decoder d = decoder_read(s, head, usual);
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.block.qk_norm = true;
    d.q_norm = d.k_norm = d.block.head_dim;
    d.q_gate = config_flag(s, "attn_output_gate", true);
    d.mixes = decoder_typed(s, "layer_types", d.layers, "linear_attention");
    if (d.mixes == NULL) {
        bool *mixes = decoder_flags(s, d.layers);
        uint64_t period = config_size(s, "full_attention_interval", 4);
        for (uint64_t i = 0; i < d.layers; i++) mixes[i] = (i + 1) % period != 0;
        d.mixes = mixes;
    }
    mixer_delta_net(s, &d, joined);
    return d;
}

static const Usual next_usual = {
    .vocab = 151936, .heads = 16, .kv_heads = 2, .head_dim = 256, .ffn = 5632, .positions = 32768};

// Qwen3NextForCausalLM, models/qwen3_next/modeling_qwen3_next.py.
void family_qwen3_next(ConfigFields *s, Head head)
{
    Decoder d = read_hybrid(s, head, next_usual, true);
    qwen_read_experts(s, &d, 512, 10, 512);
    qwen_share_expert(s, &d, 512);
    decoder_lay(s, &d);
}

static Usual usual_3_5(uint64_t heads, uint64_t kv_heads, uint64_t ffn)
{
    return (Usual){.vocab = 248320,
                   .heads = heads,
                   .kv_heads = kv_heads,
                   .head_dim = 256,
                   .ffn = ffn,
                   .positions = 32768};
}

// Qwen3_5TextModel, models/qwen3_5/modeling_qwen3_5.py.
Decoder qwen3_5_read(ConfigFields *s, Head head)
{
    return read_hybrid(s, head, usual_3_5(16, 4, 12288), false);
}

// Qwen3_5MoeTextModel, models/qwen3_5_moe/modeling_qwen3_5_moe.py.
Decoder qwen3_5_moe_read(ConfigFields *s, Head head)
{
    Usual usual = usual_3_5(16, 2, 1);
    if (!config_has(s, "intermediate_size")) usual.ffn = 512;    // all MLPs are experts
    Decoder d = read_hybrid(s, head, usual, false);
    qwen_read_experts(s, &d, 256, 8, 512);
    qwen_share_expert(s, &d, 512);
    return d;
}

void family_qwen3_5_text(ConfigFields *s, Head head)
{
    Decoder d = qwen3_5_read(s, head);
    decoder_lay(s, &d);
}

void family_qwen3_5_moe_text(ConfigFields *s, Head head)
{
    Decoder d = qwen3_5_moe_read(s, head);
    decoder_lay(s, &d);
}
