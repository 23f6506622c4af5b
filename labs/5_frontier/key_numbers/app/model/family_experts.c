/* family_experts.c -- decoders whose MLPs are experts, with grouped heads. */
#include "labs/5_frontier/key_numbers/app/model/family.h"

// How Mixtral names a gated MLP: w2 goes down.
static const MlpNames mixtral_expert = {.gate = "block_sparse_moe.experts.w1",
                                        .up = "block_sparse_moe.experts.w3",
                                        .down = "block_sparse_moe.experts.w2"};

// intermediate_size is that of an expert: there are no dense MLPs.
static void route_all(Decoder *d, uint64_t experts, uint64_t active)
{
    d->block.experts = experts;
    d->block.active_experts = active;
    d->block.expert_ffn = d->block.ffn;
    d->block.ffn = 0;
}

// MixtralForCausalLM, models/mixtral/modeling_mixtral.py.
void family_mixtral(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 32000, .heads = 32, .kv_heads = 8, .ffn = 14336, .positions = 131072});
    route_all(&d, config_size(s, "num_local_experts|num_experts", 8),
              config_size(s, "num_experts_per_tok", 2));
    d.names.router = "block_sparse_moe.gate";
    d.names.expert = mixtral_expert;
    d.window = decoder_window(s, 0);
    decoder_lay(s, &d);
}

// PhimoeForCausalLM, models/phimoe/modeling_phimoe.py: Phi-3.5-MoE. LayerNorms.
void family_phimoe(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(
        s, head,
        (Usual){.vocab = 32064, .heads = 32, .kv_heads = 8, .ffn = 6400, .positions = 131072});
    route_all(&d, config_size(s, "num_local_experts|num_experts", 16),
              config_size(s, "num_experts_per_tok", 2));
    d.names.router = "block_sparse_moe.gate";
    d.names.expert = mixtral_expert;
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.norm_bias = true;
    d.head_bias = config_flag(s, "lm_head_bias", false);
    d.window = decoder_window(s, 0);
    decoder_lay(s, &d);
}

// OlmoeForCausalLM, models/olmoe/modeling_olmoe.py. A norm over all queries and one over all keys.
void family_olmoe(ConfigFields *s, Head head)
{
    Decoder d =
        decoder_read(s, head, (Usual){.vocab = 50304, .heads = 16, .ffn = 2048, .positions = 4096});
    route_all(&d, config_size(s, "num_experts|num_local_experts", 64),
              config_size(s, "num_experts_per_tok", 8));
    d.block.qkv_bias = d.block.out_bias = config_flag(s, "attention_bias", false);
    d.q_norm = d.block.heads * d.block.head_dim;
    d.k_norm = d.block.kv_heads * d.block.head_dim;
    decoder_lay(s, &d);
}

// GptOssForCausalLM, models/gpt_oss/modeling_gpt_oss.py. Biases everywhere; every other layer slides.
void family_gpt_oss(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 201088,
                                     .heads = 64,
                                     .kv_heads = 8,
                                     .head_dim = 64,
                                     .ffn = 2880,
                                     .positions = 131072});
    KnBlock *b = &d.block;
    route_all(&d, config_size(s, "num_local_experts|num_experts", 128),
              config_size(s, "num_experts_per_tok|experts_per_token", 4));
    b->qkv_bias = b->out_bias = config_flag(s, "attention_bias", true);
    b->mlp_bias = b->router_bias = true;
    d.names.router = "mlp.router";
    d.names.router_bias = "mlp.router.bias";
    d.names.expert =
        (MlpNames){.both = "mlp.experts.gate_up_proj", .down = "mlp.experts.down_proj"};
    d.stacked = d.sinks = true;
    d.window = decoder_window(s, 128);
    d.slides = decoder_slides(s, d.layers, 2, NULL);
    decoder_lay(s, &d);
}

// MiniMaxM2ForCausalLM, remote code of MiniMaxAI/MiniMax-M2.
void family_minimax_m2(ConfigFields *s, Head head)
{
    Decoder d = decoder_read(s, head,
                             (Usual){.vocab = 200064,
                                     .heads = 48,
                                     .kv_heads = 8,
                                     .head_dim = 128,
                                     .ffn = 1536,
                                     .positions = 196608});
    KnBlock *b = &d.block;
    route_all(&d, config_size(s, "num_local_experts|num_experts", 256),
              config_size(s, "num_experts_per_tok", 8));
    b->router_bias = config_flag(s, "use_routing_bias", true);
    d.names.router = "block_sparse_moe.gate";
    d.names.router_bias = "block_sparse_moe.e_score_correction_bias";
    d.names.expert = mixtral_expert;
    if (config_flag(s, "use_qk_norm", true)) {
        d.q_norm = b->heads * b->head_dim;
        d.k_norm = b->kv_heads * b->head_dim;
    }
    if (config_count(s, "shared_intermediate_size", 0) > 0)
        config_fail(s, "\"shared_intermediate_size\" is not 0, and a MiniMax-M2 with shared "
                       "experts is not known");
    decoder_lay(s, &d);
}
