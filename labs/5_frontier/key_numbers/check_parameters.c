/* Exercises 1 to 3: parameters of a layer. check.c says how cases are made. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// Where no source is named, the number is what PyTorch counts in the published model's layer
// (transformers, on the meta device).

// ---- 1: attention ----

static const char grouped_formula[] = "q [a d, h] + k, v [k d, h] + o [h, a d], biases, norms";
static const char latent_formula[] =
    "q [r_q, h] + r_q + [a (d_n + d_r), r_q]; kv [r_kv + d_r, h] + r_kv + [a (d_n + d_v), r_kv]; "
    "o [h, a d_v]";

static double gap(uint64_t x, uint64_t y)
{
    return (double)(x > y ? x - y : y - x);
}

static void check_attention(const char *name, KnBlock block, uint64_t want, const char *sum)
{
    uint64_t h = block.width, a = block.heads, k = block.kv_heads, d = block.head_dim, each = h / a;
    uint64_t vectors = (block.qkv_bias ? (a + 2 * k) * each : 0) + (block.out_bias ? h : 0) +
                       (block.qk_norm ? 2 * each : 0);
    assert_count(
        kn_attention_params(&block), want, .name = name, .formula = grouped_formula, .sum = sum,
        .clues = {
            {.off = (double)((a - k) * d * h * 2),
             .likely = "keys and values as wide as the queries? They have k heads, not a"},
            {.value = (double)(2 * (a + k) * each * h + vectors),
             .likely = "is the head's size h / a? It is head_dim, as given"},
            {.off = gap(a * d, h) * (double)h, .likely = "o takes a d numbers, not h"},
            {.off = (double)(k * d * h), .likely = "as much as the matrix of k, or of v"},
            {.off = (double)(k * d * (h + 1)),
             .likely = "as much as the matrix and the bias of k, or of v"},
            {.off = (double)(a * d * h), .likely = "as much as the matrix of q, or of o"},
            {.off = (double)((a + 2 * k) * d), .likely = "as much as the biases of q, k and v"},
            {.off = (double)(a * d), .likely = "as much as the bias of q"},
            {.off = (double)(2 * k * d), .likely = "as much as the biases of k and v"},
            {.off = (double)(k * d), .likely = "as much as the bias of k, or of v"},
            {.off = (double)h, .likely = "as much as the bias of o: it has h rows"},
            {.off = gap(a * d, h), .likely = "the bias of o has h numbers, not a d"},
            {.off = block.qk_norm ? (double)(2 * d) : 0,
             .likely = "as much as the norms of queries and keys"},
            {.off = block.qk_norm ? (double)d : 0,
             .likely = "as much as one of the two norms of d"},
            {.off = block.qk_norm ? (double)((a + k - 2) * d) : 0,
             .likely = "one norm of d serves all heads of q, and one all of k"}});
}

static void check_latent(const char *name, KnBlock block, uint64_t want, const char *sum)
{
    uint64_t h = block.width, a = block.heads, r_q = block.q_rank, r_kv = block.kv_rank,
             d_n = block.nope_dim, d_r = block.rope_dim, d_v = block.value_dim;
    assert_count(
        kn_attention_params(&block), want, .name = name, .formula = latent_formula, .sum = sum,
        .clues = {{.off = (double)r_q, .likely = "as much as the norm of r_q"},
                  {.off = r_q == 0 ? (double)(a * (d_n + d_r) * h) : 0,
                   .likely = "as much as the queries straight from h: [a (d_n + d_r), h]"},
                  {.off = (double)r_kv, .likely = "as much as the norm of r_kv"},
                  {.off = (double)(r_q + r_kv), .likely = "as much as the two norms"},
                  {.off = (double)(d_r * h), .likely = "as much as the d_r rows of the shared key"},
                  {.off = (double)((a - 1) * d_r * h),
                   .likely = "the key's part with a position is one, for all heads"},
                  {.off = (double)(a * d_r * r_kv),
                   .likely = "up come d_n + d_v a head: the part with a position is not in there"},
                  {.off = (double)(a * d_n * r_kv), .likely = "as much as the keys that come up"},
                  {.off = (double)(a * d_v * r_kv), .likely = "as much as the values that come up"},
                  {.off = (double)(h * a * d_r), .likely = "o takes d_v a head, not d_n + d_r"},
                  {.off = (double)(h * a * d_v), .likely = "as much as the matrix of o"},
                  {.off = (double)(r_q * h), .likely = "as much as the queries' way down"}});
}

static void attention__of_gpt_2_is_four_square_matrices_with_biases(void **state)
{
    (void)state;
    check_attention("GPT-2", gpt_of(768, 12), 2362368, "4 x 768 x 768 + 4 x 768");
    check_attention("GPT-2 XL", gpt_of(1600, 25), 10246400, "4 x 1600 x 1600 + 4 x 1600");
}

static void attention__of_llama_2_has_no_biases(void **state)
{
    (void)state;
    check_attention("Llama-2-7B", llama_2_7b, 67108864, "4 x 4096 x 4096");
}

static void attention__with_grouped_heads_has_fewer_keys_and_values(void **state)
{
    (void)state;
    check_attention("Llama-3.1-8B", llama_31_8b, 41943040, "2 x 4096 x 4096 + 2 x 1024 x 4096");
    check_attention("Llama-3.1-405B", llama_31_405b, 570425344,
                    "2 x 16384 x 16384 + 2 x 1024 x 16384");
    check_attention("Falcon-7B, k = 1", falcon_7b, 41877504, "2 x 4544 x 4544 + 2 x 64 x 4544");
}

static void attention__grows_evenly_from_one_key_head_to_all(void **state)
{
    (void)state;
    // 2 [12 d, h] for q and o, and 2 [d, h] for each key/value head.
    for (uint64_t k = 1; k <= 12; k++) {
        if (12 % k != 0) continue;
        KnBlock block = {.width = 96, .heads = 12, .kv_heads = k, .head_dim = 8};
        check_attention("h = 96, a = 12, d = 8", block, (2 * 12 + 2 * k) * 8 * 96,
                        "(2 x 12 + 2 k) x 8 x 96");
    }
}

static void attention__takes_the_size_of_a_head_as_it_is_given(void **state)
{
    (void)state;
    check_attention("Qwen3-0.6B", qwen3_06b, 6291712,
                    "2 x 2048 x 1024 + 2 x 1024 x 1024 + 2 x 128");
    // The model's own count has 64 sinks more, which are no part of a KnBlock.
    check_attention("gpt-oss-20b", gpt_oss_20b, 26550080,
                    "2 x 4096 x 2880 + 2 x 512 x 2880 + 4096 + 2 x 512 + 2880");
}

static void attention__has_each_bias_where_it_is_said(void **state)
{
    (void)state;
    check_attention("Qwen2.5-0.5B", qwen25_05b, 1836160,
                    "2 x 896 x 896 + 2 x 128 x 896 + 896 + 2 x 128");
    check_attention("Qwen2.5-7B", qwen25_7b, 29364736,
                    "2 x 3584 x 3584 + 2 x 512 x 3584 + 3584 + 2 x 512");
    KnBlock block = {.width = 10, .heads = 4, .kv_heads = 2, .head_dim = 3};
    check_attention("h = 10, a = 4, k = 2, d = 3", block, 360, "12 x 10 + 2 x 6 x 10 + 10 x 12");
    block.out_bias = true;
    check_attention("the same, out_bias", block, 370, "360 + 10");
    block.qk_norm = true;
    check_attention("the same, out_bias and qk_norm", block, 376, "360 + 10 + 2 x 3");
    block.qkv_bias = true;
    check_attention("the same, all biases and norms", block, 400, "360 + 10 + 6 + 12 + 2 x 6");
}

static void attention__that_is_latent_goes_down_and_up(void **state)
{
    (void)state;
    // 11413547008 / 61.
    check_latent(
        "DeepSeek-V3", deepseek_v3, 187107328,
        "1536 x 7168 + 1536 + 24576 x 1536 + 576 x 7168 + 512 + 32768 x 512 + 7168 x 16384");
    check_latent(
        "Kimi-K2", kimi_k2, 101124096,
        "1536 x 7168 + 1536 + 12288 x 1536 + 576 x 7168 + 512 + 16384 x 512 + 7168 x 8192");
}

static void attention__that_is_latent_may_take_its_queries_straight(void **state)
{
    (void)state;
    check_latent("DeepSeek-V2-Lite", deepseek_v2_lite, 13763072,
                 "3072 x 2048 + 576 x 2048 + 512 + 4096 x 512 + 2048 x 2048");
}

static void attention__that_is_latent_has_heads_of_three_sizes(void **state)
{
    (void)state;
    KnBlock block = {.width = 10,
                     .heads = 3,
                     .q_rank = 7,
                     .kv_rank = 5,
                     .nope_dim = 2,
                     .rope_dim = 4,
                     .value_dim = 6};
    check_latent("h = 10, a = 3, r_q = 7, r_kv = 5, d_n, d_r, d_v = 2, 4, 6", block,
                 70 + 7 + 18 * 7 + 90 + 5 + 24 * 5 + 180,
                 "7 x 10 + 7 + 18 x 7 + 9 x 10 + 5 + 24 x 5 + 10 x 18");
}

static void attention__passes_32_bits(void **state)
{
    (void)state;
    // Wider than any model so far: each of the four is 65536 x 65536 = 2^32.
    KnBlock block = {.width = 65536, .heads = 512, .kv_heads = 512, .head_dim = 128};
    check_attention("h = 65536", block, (uint64_t)4 << 32, "4 x 2^32");
    KnBlock latent = {.width = 65536,
                      .heads = 1024,
                      .kv_rank = 65536,
                      .nope_dim = 64,
                      .rope_dim = 64,
                      .value_dim = 64};
    check_latent("h = 65536, latent", latent, ((uint64_t)6 << 32) + 64 * 65536 + 65536,
                 "2^33 + 2^32 + 64 x 65536 + 65536 + 2^33 + 2^32");
}

// ---- 2: the MLP ----

static void check_mlp(const char *name, uint64_t width, uint64_t ffn, bool gated, bool bias,
                      uint64_t want, const char *sum)
{
    double h = (double)width, f = (double)ffn;
    assert_count(kn_mlp_params(width, ffn, gated, bias), want, .name = name, .sum = sum,
                 .formula = "up [f, h] (gated: two) + down [h, f], with bias one for each row",
                 .clues = {{.off = h * f, .likely = "one matrix too many or too few: gated has 3"},
                           {.off = h * f + f,
                            .likely = "as much as an up with its bias: gated has two of them"},
                           {.off = f > h ? f - h : h - f, .likely = "the bias of down has h rows"},
                           {.off = f, .likely = "as much as the bias of one up: f rows each"},
                           {.off = 2 * f, .likely = "as much as the biases of both ups"},
                           {.off = h, .likely = "as much as the bias of down: it has h rows"},
                           {.off = f + h, .likely = "as much as the biases of up and down"},
                           {.off = 2 * f + h, .likely = "as much as all three biases"}});
}

static void mlp__of_gpt_2_is_two_matrices_with_biases(void **state)
{
    (void)state;
    check_mlp("GPT-2", 768, 3072, false, true, 4722432, "2 x 3072 x 768 + 3072 + 768");
}

static void mlp__without_biases_is_its_matrices(void **state)
{
    (void)state;
    check_mlp("Falcon-7B", 4544, 4 * 4544, false, false, 165183488, "2 x 18176 x 4544");
    check_mlp("h = 1, f = 1", 1, 1, false, false, 2, "1 + 1");
}

static void mlp__that_is_gated_has_a_second_up(void **state)
{
    (void)state;
    check_mlp("Llama-2-7B", 4096, 11008, true, false, 135266304, "3 x 11008 x 4096");
    check_mlp("Llama-3.1-8B", 4096, 14336, true, false, 176160768, "3 x 14336 x 4096");
}

static void mlp__that_is_gated_has_a_bias_for_each_up(void **state)
{
    (void)state;
    // 796538880 / 32, of an expert of gpt-oss.
    check_mlp("gpt-oss, an expert", 2880, 2880, true, true, 24891840,
              "3 x 2880 x 2880 + 2 x 2880 + 2880");
    check_mlp("h = 2, f = 5", 2, 5, true, true, 30 + 12, "3 x 10 + 2 x 5 + 2");
    check_mlp("h = 5, f = 2", 5, 2, true, true, 30 + 9, "3 x 10 + 2 x 2 + 5");
}

static void mlp__passes_32_bits(void **state)
{
    (void)state;
    check_mlp("Llama-3.1-405B", 16384, 53248, true, false, 2617245696, "3 x 53248 x 16384");
    check_mlp("four times as wide", 65536, 212992, true, false, 41875931136, "3 x 212992 x 65536");
}

// ---- 3: the whole layer ----

static const char block_formula[] =
    "attention + dense MLP + router [E, h] + E experts + shared MLP + norms; active: the same with "
    "active_experts for E";

static void check_block(const char *name, KnBlock b, uint64_t total, uint64_t active,
                        const char *sum)
{
    char title[96];
    KnParams got = kn_block_params(&b);
    double h = (double)b.width, E = (double)b.experts, idle = E - (double)b.active_experts;
    double ups = b.gated ? 2 : 1, f = (double)b.expert_ffn, matrix = E > 0 ? h * f : 0;
    double bias = b.mlp_bias && E > 0 ? ups * f + h : 0, expert = (ups + 1) * matrix + bias;
    Want want = {.name = name,
                 .formula = block_formula,
                 .sum = sum,
                 .clues = {{.off = (double)b.norms, .likely = "as much as the norms"},
                           {.off = E * h, .likely = "as much as the router's matrix"},
                           {.off = E, .likely = "as much as the router's biases: one an expert"},
                           {.off = E * h + E, .likely = "as much as the router"},
                           {.off = idle * h, .likely = "a token sees the whole router, all E rows"},
                           {.off = idle * expert,
                            .likely = "all E experts are stored, active_experts are gone through"},
                           {.off = expert, .likely = "as much as one expert"},
                           {.off = E * expert, .likely = "as much as all experts"},
                           {.off = E * matrix, .likely = "as much as one matrix of each expert"},
                           {.off = E * bias, .likely = "as much as the biases of all experts"},
                           {.off = (ups + 1) * h * (double)b.ffn,
                            .likely = "as much as the dense MLP: it may stand beside experts"},
                           {.off = (ups + 1) * h * (double)b.shared_ffn,
                            .likely = "as much as the shared MLP, which every token goes through"},
                           {.off = (E - 1) * (ups + 1) * h * (double)b.shared_ffn,
                            .likely = "shared_ffn is of all shared experts together: one MLP"},
                           {.off = b.ffn == 0 || b.shared_ffn == 0 ? h : 0,
                            .likely = "h: the bias of an MLP that is not there?"},
                           {.off = b.ffn == 0 && b.shared_ffn == 0 ? 2 * h : 0,
                            .likely = "2 h: the biases of MLPs that are not there?"}}};
    count_assert(got.total, total, &want, __FILE__, __LINE__);
    snprintf(title, sizeof title, "%s, active", name);
    want.name = title;
    want.sum = NULL;
    count_assert(got.active, active, &want, __FILE__, __LINE__);
}

static void block__of_gpt_is_12_h_squared_and_13_h(void **state)
{
    (void)state;
    check_block("GPT-2", gpt_of(768, 12), 7087872, 7087872, "2,362,368 + 4,722,432 + 3,072");
    check_block("GPT-3", gpt_of(12288, 96), 1812099072, 1812099072, "12 h h + 13 h");
    for (uint64_t h = 64; h <= 1024; h *= 2)
        check_block("GPT's shape", gpt_of(h, h / 64), 12 * h * h + 13 * h, 12 * h * h + 13 * h,
                    "12 h h + 13 h");
}

static void block__of_llama_has_one_gated_mlp(void **state)
{
    (void)state;
    check_block("Llama-2-7B", llama_2_7b, 202383360, 202383360, "67,108,864 + 135,266,304 + 8,192");
    check_block("Llama-3.1-8B", llama_31_8b, 218112000, 218112000,
                "41,943,040 + 176,160,768 + 8,192");
    check_block("Qwen2.5-0.5B", qwen25_05b, 14912384, 14912384, "1,836,160 + 13,074,432 + 1,792");
}

static void block__of_a_mixture_stores_all_experts_and_uses_a_few(void **state)
{
    (void)state;
    // Active: from the model card's count of all active parameters, less embedding, head and norm.
    check_block("Mixtral-8x7B", mixtral_8x7b, 1451270144, 394305536,
                "41,943,040 + 8 x 4,096 + 8 x 176,160,768 + 8,192");
    check_block("Qwen3-30B-A3B", qwen3_30b, 623120640, 56889600,
                "18,874,624 + 128 x 2,048 + 128 x 4,718,592 + 4,096");
}

static void block__with_biased_experts_has_a_biased_router_too(void **state)
{
    (void)state;
    check_block("gpt-oss-20b", gpt_oss_20b, 823186912, 126215392,
                "26,550,080 + 32 x 2,880 + 32 + 32 x 24,891,840 + 5,760");
}

static void block__of_deepseek_is_dense_first_and_then_a_mixture(void **state)
{
    (void)state;
    check_block("DeepSeek-V3, layer 1", deepseek_v3_dense, 583483392, 583483392,
                "187,107,328 + 396,361,728 + 14,336");
    check_block("DeepSeek-V3, layer 4", deepseek_v3, 11507286272, 585318656,
                "187,107,328 + 256 x 7,168 + 256 + 256 x 44,040,192 + 44,040,192 + 14,336");
}

static void block__counts_the_shared_mlp_once_for_every_token(void **state)
{
    (void)state;
    check_block("DeepSeek-V2-Lite, layer 1", deepseek_v2_lite_dense, 81007104, 81007104,
                "13,763,072 + 67,239,936 + 4,096");
    check_block("DeepSeek-V2-Lite, layer 2", deepseek_v2_lite, 584847872, 83104256,
                "13,763,072 + 64 x 2,048 + 64 x 8,650,752 + 17,301,504 + 4,096");
}

static void block__may_have_a_dense_mlp_beside_its_experts(void **state)
{
    (void)state;
    // h = 10, one head of 10: attention 4 x 100; dense 2 x 10 x 7; experts 2 x 10 x 3 each.
    KnBlock block = {.width = 10,
                     .heads = 1,
                     .kv_heads = 1,
                     .head_dim = 10,
                     .ffn = 7,
                     .experts = 4,
                     .active_experts = 1,
                     .expert_ffn = 3,
                     .norms = 20};
    check_block("h = 10, f = 7 beside 4 experts of 3", block, 400 + 140 + 40 + 4 * 60 + 20,
                400 + 140 + 40 + 60 + 20, "400 + 140 + 40 + 4 x 60 + 20");
}

static void block__without_an_mlp_has_no_bias_of_one(void **state)
{
    (void)state;
    KnBlock block = {
        .width = 10, .heads = 1, .kv_heads = 1, .head_dim = 10, .mlp_bias = true, .norms = 20};
    check_block("h = 10, attention and norms alone", block, 420, 420, "400 + 20");
    block.shared_ffn = 2;
    check_block("the same with a shared MLP of 2", block, 420 + 52, 420 + 52, "420 + 2 x 20 + 12");
    block.shared_ffn = 0;
    block.ffn = 2;
    check_block("the same with a dense MLP of 2", block, 420 + 52, 420 + 52, "420 + 2 x 20 + 12");
}

static void block__is_active_from_no_expert_to_all(void **state)
{
    (void)state;
    for (uint64_t active = 0; active <= 8; active++) {
        KnBlock block = mixtral_8x7b;
        block.active_experts = active;
        check_block("Mixtral's shape with 0 to 8 active", block, 1451270144,
                    41984000 + active * 176160768, "41,984,000 + 8 x 176,160,768");
    }
}

static void block__passes_32_bits(void **state)
{
    (void)state;
    // Twice the width and the experts of Kimi-K2, without attention; an expert is 3 x 2048 x 14336.
    KnBlock block = {
        .width = 14336, .gated = true, .experts = 768, .active_experts = 100, .expert_ffn = 2048};
    uint64_t expert = 88080384, router = 11010048;
    check_block("768 experts, 100 active", block, 768 * expert + router, 100 * expert + router,
                "768 x 14,336 + 768 x 88,080,384");
}

const struct CMUnitTest parameter_cases[] = {
    cmocka_unit_test(attention__of_gpt_2_is_four_square_matrices_with_biases),
    cmocka_unit_test(attention__of_llama_2_has_no_biases),
    cmocka_unit_test(attention__with_grouped_heads_has_fewer_keys_and_values),
    cmocka_unit_test(attention__grows_evenly_from_one_key_head_to_all),
    cmocka_unit_test(attention__takes_the_size_of_a_head_as_it_is_given),
    cmocka_unit_test(attention__has_each_bias_where_it_is_said),
    cmocka_unit_test(attention__that_is_latent_goes_down_and_up),
    cmocka_unit_test(attention__that_is_latent_may_take_its_queries_straight),
    cmocka_unit_test(attention__that_is_latent_has_heads_of_three_sizes),
    cmocka_unit_test(attention__passes_32_bits),
    cmocka_unit_test(mlp__of_gpt_2_is_two_matrices_with_biases),
    cmocka_unit_test(mlp__without_biases_is_its_matrices),
    cmocka_unit_test(mlp__that_is_gated_has_a_second_up),
    cmocka_unit_test(mlp__that_is_gated_has_a_bias_for_each_up),
    cmocka_unit_test(mlp__passes_32_bits),
    cmocka_unit_test(block__of_gpt_is_12_h_squared_and_13_h),
    cmocka_unit_test(block__of_llama_has_one_gated_mlp),
    cmocka_unit_test(block__of_a_mixture_stores_all_experts_and_uses_a_few),
    cmocka_unit_test(block__with_biased_experts_has_a_biased_router_too),
    cmocka_unit_test(block__of_deepseek_is_dense_first_and_then_a_mixture),
    cmocka_unit_test(block__counts_the_shared_mlp_once_for_every_token),
    cmocka_unit_test(block__may_have_a_dense_mlp_beside_its_experts),
    cmocka_unit_test(block__without_an_mlp_has_no_bias_of_one),
    cmocka_unit_test(block__is_active_from_no_expert_to_all),
    cmocka_unit_test(block__passes_32_bits),
    {0},
};
