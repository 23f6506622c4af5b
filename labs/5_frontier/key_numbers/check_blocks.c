/* check_blocks.c -- layers of published models, from their config.json, and one of odd sizes. */
#include "labs/5_frontier/key_numbers/check.h"

// clang-format off
const KnBlock odd_sizes = {.width = 1001, .heads = 7, .kv_heads = 7, .head_dim = 143,
    .ffn = 3001, .gated = true};
const KnBlock llama_2_7b = {.width = 4096, .heads = 32, .kv_heads = 32, .head_dim = 128,
    .ffn = 11008, .gated = true, .norms = 2 * 4096};
const KnBlock llama_31_8b = {.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128,
    .ffn = 14336, .gated = true, .norms = 2 * 4096};
const KnBlock llama_31_405b = {.width = 16384, .heads = 128, .kv_heads = 8, .head_dim = 128,
    .ffn = 53248, .gated = true, .norms = 2 * 16384};
// One key/value head for all; and one norm, whose output both attention and MLP take.
const KnBlock falcon_7b = {.width = 4544, .heads = 71, .kv_heads = 1, .head_dim = 64,
    .ffn = 4 * 4544, .norms = 2 * 4544};
// Biases of q, k and v, and of nothing else.
const KnBlock qwen25_05b = {.width = 896, .heads = 14, .kv_heads = 2, .head_dim = 64,
    .qkv_bias = true, .ffn = 4864, .gated = true, .norms = 2 * 896};
const KnBlock qwen25_7b = {.width = 3584, .heads = 28, .kv_heads = 4, .head_dim = 128,
    .qkv_bias = true, .ffn = 18944, .gated = true, .norms = 2 * 3584};
// The head's size is not h / a: 16 x 128 is twice the width.
const KnBlock qwen3_06b = {.width = 1024, .heads = 16, .kv_heads = 8, .head_dim = 128,
    .qk_norm = true, .ffn = 3072, .gated = true, .norms = 2 * 1024};
const KnBlock gpt_oss_20b = {.width = 2880, .heads = 64, .kv_heads = 8, .head_dim = 64,
    .qkv_bias = true, .out_bias = true, .gated = true, .mlp_bias = true,
    .experts = 32, .active_experts = 4, .expert_ffn = 2880, .router_bias = true, .norms = 2 * 2880};
const KnBlock mixtral_8x7b = {.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128,
    .gated = true, .experts = 8, .active_experts = 2, .expert_ffn = 14336, .norms = 2 * 4096};
const KnBlock qwen3_30b = {.width = 2048, .heads = 32, .kv_heads = 4, .head_dim = 128,
    .qk_norm = true, .gated = true,
    .experts = 128, .active_experts = 8, .expert_ffn = 768, .norms = 2 * 2048};

// A configuration may say that a latent layer has as many key/value heads as heads, or say nothing.
const KnBlock deepseek_v2_lite_dense = {.width = 2048, .heads = 16,
    .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128,
    .ffn = 10944, .gated = true, .norms = 2 * 2048};
const KnBlock deepseek_v2_lite = {.width = 2048, .heads = 16,
    .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128, .gated = true,
    .experts = 64, .active_experts = 6, .expert_ffn = 1408, .shared_ffn = 2 * 1408,
    .norms = 2 * 2048};
const KnBlock deepseek_v3_dense = {.width = 7168, .heads = 128, .kv_heads = 128,
    .q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128,
    .ffn = 18432, .gated = true, .norms = 2 * 7168};
const KnBlock deepseek_v3 = {.width = 7168, .heads = 128, .kv_heads = 128,
    .q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128,
    .gated = true, .experts = 256, .active_experts = 8, .expert_ffn = 2048, .shared_ffn = 2048,
    .router_bias = true, .norms = 2 * 7168};
const KnBlock kimi_k2 = {.width = 7168, .heads = 64, .kv_heads = 64,
    .q_rank = 1536, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128,
    .gated = true, .experts = 384, .active_experts = 8, .expert_ffn = 2048, .shared_ffn = 2048,
    .router_bias = true, .norms = 2 * 7168};
// clang-format on
