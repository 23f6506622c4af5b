/* Exercises 1 to 3: parameters of a layer. check.c says how cases are made. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// Where no source is named, the number is what PyTorch counts in the published model's layer
// (transformers, on the meta device).

// ---- 1: attention ----

typedef struct AttentionRow {
    const char *name;
    const KnBlock *block;
    uint64_t want;
    const char *sum;
} AttentionRow;

static uint64_t gap(uint64_t x, uint64_t y)
{
    return x > y ? x - y : y - x;
}

static void check_grouped(const AttentionRow *row)
{
    const KnBlock *b = row->block;
    uint64_t h = b->width, a = b->heads, k = b->kv_heads, d = b->head_dim, even = h / a;
    uint64_t vectors = (b->qkv_bias ? (a + 2 * k) * even : 0) + (b->out_bias ? h : 0) +
                       (b->qk_norm ? 2 * even : 0);
    const Clue clues[] = {OFF((a - k) * d * h * 2,
                              "keys and values as wide as the queries? They have k heads, not a"),
                          VALUE(2 * (a + k) * even * h + vectors,
                                "head_dim taken as h / a? It is a field of its own"),
                          OFF(gap(a * d, h) * h, "o has a d columns, not h"),
                          OFF(k * d * h, "the size of k's matrix, or of v's"),
                          OFF(k * d * (h + 1), "the size of the matrix and bias of k, or of v"),
                          OFF(a * d * h, "the size of q's matrix, or of o's"),
                          OFF((a + 2 * k) * d, "the size of the biases of q, k and v"),
                          OFF(a * d, "the size of q's bias"),
                          OFF(2 * k * d, "the size of the biases of k and v"),
                          OFF(k * d, "the size of the bias of k, or of v"),
                          OFF(h, "the size of o's bias, which has h rows"),
                          OFF(gap(a * d, h), "o's bias has h numbers, not a d"),
                          OFF(b->qk_norm ? 2 * d : 0, "the size of the norms of queries and keys"),
                          OFF(b->qk_norm ? d : 0, "the size of one of the two norms of d"),
                          OFF(b->qk_norm ? (a + k - 2) * d : 0,
                              "all heads of q share one norm of d, and all heads of k another"),
                          {0}};
    assert_count(kn_attention_params(b), row->want, .name = row->name, .sum = row->sum,
                 .formula = "q [a d, h] + k, v [k d, h] + o [h, a d], biases, norms",
                 .clues = clues);
}

static void check_latent(const AttentionRow *row)
{
    const KnBlock *b = row->block;
    uint64_t h = b->width, a = b->heads, r_q = b->q_rank, r_kv = b->kv_rank, d_n = b->nope_dim,
             d_r = b->rope_dim, d_v = b->value_dim;
    const Clue clues[] = {
        OFF(r_q, "the size of the norm of r_q"),
        OFF(r_q == 0 ? a * (d_n + d_r) * h : 0,
            "the size of the one query matrix [a (d_n + d_r), h]"),
        OFF(r_kv, "the size of the norm of r_kv"),
        OFF(r_q + r_kv, "the size of the two norms"),
        OFF(d_r * h, "the size of the shared key's d_r rows"),
        OFF((a - 1) * d_r * h, "all heads share one rotary part of the key"),
        OFF(a * d_r * r_kv, "the up-projection makes d_n + d_v a head: no rotary part"),
        OFF(a * d_n * r_kv, "the size of the keys' up-projection"),
        OFF(a * d_v * r_kv, "the size of the values' up-projection"),
        OFF(h * a * d_r, "o takes d_v a head, not d_n + d_r"),
        OFF(h * a * d_v, "the size of o's matrix"),
        OFF(r_q * h, "the size of the queries' down-projection"),
        {0}};
    assert_count(kn_attention_params(b), row->want, .name = row->name, .sum = row->sum,
                 .formula = "q [r_q, h] + r_q + [a (d_n + d_r), r_q]; "
                            "kv [r_kv + d_r, h] + r_kv + [a (d_n + d_v), r_kv]; o [h, a d_v]",
                 .clues = clues);
}

static void attention_rows(void **state)
{
    for (const AttentionRow *row = *state; row->name != NULL; row++)
        if (row->block->kv_rank > 0) check_latent(row);
        else check_grouped(row);
}

// ---- 2: the MLP ----

typedef struct MlpRow {
    const char *name;
    uint64_t width, ffn;
    bool gated, bias;
    uint64_t want;
    const char *sum;
} MlpRow;

static void mlp_rows(void **state)
{
    for (const MlpRow *row = *state; row->name != NULL; row++) {
        double h = (double)row->width, f = (double)row->ffn;
        const Clue clues[] = {
            OFF(h * f, "one matrix too many or too few: gated has 3"),
            OFF(h * f + f, "the size of an up-projection with its bias: gated has two"),
            OFF(f > h ? f - h : h - f, "down's bias has h rows"),
            OFF(f, "the size of one up-projection's bias: f rows each"),
            OFF(2 * f, "the size of both up-projections' biases"),
            OFF(h, "the size of down's bias, which has h rows"),
            OFF(f + h, "the size of the biases of up and down"),
            OFF(2 * f + h, "the size of all three biases"),
            {0}};
        assert_count(kn_mlp_params(row->width, row->ffn, row->gated, row->bias), row->want,
                     .name = row->name, .sum = row->sum,
                     .formula = "up [f, h] (gated: two) + down [h, f], with bias one for each row",
                     .clues = clues);
    }
}

// ---- 3: the whole layer ----

typedef struct BlockRow {
    const char *name;
    const KnBlock *block;
    uint64_t total, active;
    const char *sum;    // of the total
} BlockRow;

static void check_block(const BlockRow *row)
{
    char title[96];
    const KnBlock *b = row->block;
    KnParams got = kn_block_params(b);
    double h = (double)b->width, E = (double)b->experts, idle = E - (double)b->active_experts;
    double ups = b->gated ? 2 : 1, f = (double)b->expert_ffn, matrix = E > 0 ? h * f : 0;
    double bias = b->mlp_bias && E > 0 ? ups * f + h : 0, expert = (ups + 1) * matrix + bias;
    double dense = (ups + 1) * h * (double)b->ffn, shared = (ups + 1) * h * (double)b->shared_ffn;
    const Clue clues[] = {
        OFF(b->norms, "the size of the norms"),
        OFF(E * h, "the size of the router's matrix"),
        OFF(E, "the size of the router's bias: one per expert"),
        OFF(E * h + E, "the size of the router"),
        OFF(idle * h, "a token uses all E rows of the router"),
        OFF(idle * expert, "all E experts are stored, active_experts are used"),
        OFF(expert, "the size of one expert"),
        OFF(E * expert, "the size of all experts"),
        OFF(E * matrix, "the size of one matrix of each expert"),
        OFF(E * bias, "the size of the biases of all experts"),
        OFF(dense, "the size of the dense MLP: a layer may have it and experts"),
        OFF(shared, "the size of the shared MLP, which every token uses"),
        OFF((E - 1) * shared, "shared_ffn is of all shared experts together: one MLP"),
        OFF(b->ffn == 0 || b->shared_ffn == 0 ? h : 0, "h: the bias of an MLP that is absent?"),
        OFF(b->ffn == 0 && b->shared_ffn == 0 ? 2 * h : 0,
            "2 h: the biases of MLPs that are absent?"),
        {0}};
    Want want = {.name = row->name,
                 .formula = "attention + dense MLP + router [E, h] + E experts + shared MLP + "
                            "norms; active: the same with active_experts for E",
                 .sum = row->sum,
                 .clues = clues};
    count_assert(got.total, row->total, &want, __FILE__, __LINE__);
    snprintf(title, sizeof title, "%s, active", row->name);
    want.name = title;
    want.sum = NULL;
    count_assert(got.active, row->active, &want, __FILE__, __LINE__);
}

static void block_rows(void **state)
{
    for (const BlockRow *row = *state; row->name != NULL; row++) check_block(row);
}

static void attention__counts_what_the_block_holds_now(void **state)
{
    (void)state;
    KnBlock block = GPT(768, 12), other = llama_2_7b;
    for (int call = 0; call < 4; call++) {
        const KnBlock *b = call == 2 ? &other : &block;
        if (call == 1) block.kv_heads = 4;
        uint64_t want = call == 2 ? 67108864 : call == 0 ? 2362368 : 2362368 - 2 * 8 * 64 * 769;
        assert_count(kn_attention_params(b), want, .name = "the same block with other heads",
                     .formula = "q [a d, h] + k, v [k d, h] + o [h, a d], biases, norms");
    }
}

static void block__counts_what_the_block_holds_now(void **state)
{
    (void)state;
    KnBlock block = mixtral_8x7b, other = llama_2_7b;
    for (int call = 0; call < 4; call++) {
        if (call == 1) block.active_experts = 3;
        if (call == 2)
            check_block(&(BlockRow){"another block", &other, 202383360, 202383360, NULL});
        else
            check_block(&(BlockRow){"the same block", &block, 1451270144,
                                    41984000 + block.active_experts * (uint64_t)176160768, NULL});
    }
}

// ---- the cases ----

// clang-format off
#define GROUPED(k) {"h = 96, a = 12, d = 8, k = " #k, \
    &(KnBlock){.width = 96, .heads = 12, .kv_heads = (k), .head_dim = 8}, \
    (2 * 12 + 2 * (k)) * 8 * 96, "(2 x 12 + 2 k) x 8 x 96"}
#define WIDE ((1 << 27) + 1)
#define SMALL .width = 10, .heads = 4, .kv_heads = 2, .head_dim = 3
#define GPT_SHAPE(h) {"GPT's shape, h = " #h, &GPT(h, (h) / 64), 12 * (h) * (h) + 13 * (h), \
    12 * (h) * (h) + 13 * (h), "12 h h + 13 h"}
#define MIXTRAL(n) {"Mixtral's shape with " #n " active experts", \
    &(KnBlock){.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .gated = true, \
               .experts = 8, .active_experts = n, .expert_ffn = 14336, .norms = 2 * 4096}, \
    1451270144, 41984000 + n * (uint64_t)176160768, "41,984,000 + 8 x 176,160,768"}
#define ONE_HEAD .width = 10, .heads = 1, .kv_heads = 1, .head_dim = 10, .norms = 20

const struct CMUnitTest parameter_cases[] = {
    ROWS(attention__multi_head_has_four_square_matrices_and_biases, attention_rows, AttentionRow,
        {"GPT-2", &GPT(768, 12), 2362368, "4 x 768 x 768 + 4 x 768"},
        {"GPT-2 XL", &GPT(1600, 25), 10246400, "4 x 1600 x 1600 + 4 x 1600"}),
    ROWS(attention__multi_head_without_biases_is_its_matrices, attention_rows, AttentionRow,
        {"Llama-2-7B", &llama_2_7b, 67108864, "4 x 4096 x 4096"}),
    ROWS(attention__grouped_query_has_fewer_keys_and_values, attention_rows, AttentionRow,
        {"Llama-3.1-8B", &llama_31_8b, 41943040, "2 x 4096 x 4096 + 2 x 1024 x 4096"},
        {"Llama-3.1-405B", &llama_31_405b, 570425344, "2 x 16384 x 16384 + 2 x 1024 x 16384"},
        {"Falcon-7B, k = 1", &falcon_7b, 41877504, "2 x 4544 x 4544 + 2 x 64 x 4544"}),
    // 2 [12 d, h] for q and o, and 2 [d, h] for each key/value head.
    ROWS(attention__grows_with_each_key_value_head, attention_rows, AttentionRow,
        GROUPED(1), GROUPED(2), GROUPED(3), GROUPED(4), GROUPED(6), GROUPED(12)),
    // The count that gpt-oss publishes has 64 sinks more, which are no part of a KnBlock.
    ROWS(attention__head_dim_is_independent_of_width, attention_rows, AttentionRow,
        {"Qwen3-0.6B", &qwen3_06b, 6291712, "2 x 2048 x 1024 + 2 x 1024 x 1024 + 2 x 128"},
        {"gpt-oss-20b", &gpt_oss_20b, 26550080,
         "2 x 4096 x 2880 + 2 x 512 x 2880 + 4096 + 2 x 512 + 2880"}),
    ROWS(attention__has_only_the_biases_that_are_set, attention_rows, AttentionRow,
        {"Qwen2.5-0.5B", &qwen25_05b, 1836160, "2 x 896 x 896 + 2 x 128 x 896 + 896 + 2 x 128"},
        {"Qwen2.5-7B", &qwen25_7b, 29364736, "2 x 3584 x 3584 + 2 x 512 x 3584 + 3584 + 2 x 512"},
        {"h = 10, a = 4, k = 2, d = 3", &(KnBlock){SMALL}, 360, "12 x 10 + 2 x 6 x 10 + 10 x 12"},
        {"the same, out_bias", &(KnBlock){SMALL, .out_bias = true}, 370, "360 + 10"},
        {"the same, out_bias and qk_norm", &(KnBlock){SMALL, .out_bias = true, .qk_norm = true},
         376, "360 + 10 + 2 x 3"},
        {"the same, all biases and norms",
         &(KnBlock){SMALL, .out_bias = true, .qk_norm = true, .qkv_bias = true},
         400, "360 + 10 + 6 + 12 + 2 x 6"}),
    ROWS(attention__latent_projects_down_and_up, attention_rows, AttentionRow,
        {"DeepSeek-V3", &deepseek_v3, 187107328,    // 11413547008 / 61
         "1536 x 7168 + 1536 + 24576 x 1536 + 576 x 7168 + 512 + 32768 x 512 + 7168 x 16384"},
        {"Kimi-K2", &kimi_k2, 101124096,
         "1536 x 7168 + 1536 + 12288 x 1536 + 576 x 7168 + 512 + 16384 x 512 + 7168 x 8192"}),
    ROWS(attention__latent_without_a_query_rank_has_one_query_matrix, attention_rows, AttentionRow,
        {"DeepSeek-V2-Lite", &deepseek_v2_lite, 13763072,
         "3072 x 2048 + 576 x 2048 + 512 + 4096 x 512 + 2048 x 2048"}),
    ROWS(attention__latent_heads_have_three_sizes, attention_rows, AttentionRow,
        {"h = 10, a = 3, r_q = 7, r_kv = 5, d_n, d_r, d_v = 2, 4, 6",
         &(KnBlock){.width = 10, .heads = 3, .q_rank = 7, .kv_rank = 5,
                    .nope_dim = 2, .rope_dim = 4, .value_dim = 6},
         70 + 7 + 18 * 7 + 90 + 5 + 24 * 5 + 180,
         "7 x 10 + 7 + 18 x 7 + 9 x 10 + 5 + 24 x 5 + 10 x 18"}),
    ROWS(attention__latent_has_no_biases_and_no_qk_norm, attention_rows, AttentionRow,
        {"DeepSeek-V2-Lite with all flags set",
         &(KnBlock){.width = 2048, .heads = 16, .kv_heads = 16, .head_dim = 192, .kv_rank = 512,
                    .nope_dim = 128, .rope_dim = 64, .value_dim = 128,
                    .qkv_bias = true, .out_bias = true, .qk_norm = true},
         13763072, "3072 x 2048 + 576 x 2048 + 512 + 4096 x 512 + 2048 x 2048"},
        {"h = 10, a = 3, r_q = r_kv = 1, d_n, d_r, d_v = 2, 4, 6, all flags set",
         &(KnBlock){.width = 10, .heads = 3, .q_rank = 1, .kv_rank = 1, .nope_dim = 2,
                    .rope_dim = 4, .value_dim = 6,
                    .qkv_bias = true, .out_bias = true, .qk_norm = true},
         10 + 1 + 18 + 50 + 1 + 24 + 180, "1 x 10 + 1 + 18 x 1 + 5 x 10 + 1 + 24 x 1 + 10 x 18"}),
    // Wider than any model so far: 65536 x 65536 = 2^32; and a count that a double cannot hold.
    ROWS(attention__counts_in_64_bits, attention_rows, AttentionRow,
        {"h = 65536", &(KnBlock){.width = 65536, .heads = 512, .kv_heads = 512, .head_dim = 128},
         (uint64_t)4 << 32, "4 x 2^32"},
        {"h = 65536, latent",
         &(KnBlock){.width = 65536, .heads = 1024, .kv_rank = 65536,
                    .nope_dim = 64, .rope_dim = 64, .value_dim = 64},
         ((uint64_t)6 << 32) + 64 * 65536 + 65536,
         "2^33 + 2^32 + 64 x 65536 + 65536 + 2^33 + 2^32"},
        {"h = d = 2^27 + 1", &(KnBlock){.width = WIDE, .heads = 1, .kv_heads = 1, .head_dim = WIDE},
         ((uint64_t)1 << 56) + (1 << 30) + 4, "4 (2^27 + 1)^2"}),
    cmocka_unit_test(attention__counts_what_the_block_holds_now),

    ROWS(mlp__gpt_2_has_two_matrices_and_biases, mlp_rows, MlpRow,
        {"GPT-2", 768, 3072, false, true, 4722432, "2 x 3072 x 768 + 3072 + 768"}),
    ROWS(mlp__without_biases_is_its_matrices, mlp_rows, MlpRow,
        {"Falcon-7B", 4544, 4 * 4544, false, false, 165183488, "2 x 18176 x 4544"},
        {"h = 1, f = 1", 1, 1, false, false, 2, "1 + 1"}),
    ROWS(mlp__gated_has_two_up_projections, mlp_rows, MlpRow,
        {"Llama-2-7B", 4096, 11008, true, false, 135266304, "3 x 11008 x 4096"},
        {"Llama-3.1-8B", 4096, 14336, true, false, 176160768, "3 x 14336 x 4096"}),
    ROWS(mlp__gated_has_a_bias_for_each_up_projection, mlp_rows, MlpRow,
        {"gpt-oss, an expert", 2880, 2880, true, true, 24891840,    // 796538880 / 32
         "3 x 2880 x 2880 + 2 x 2880 + 2880"},
        {"h = 2, f = 5", 2, 5, true, true, 30 + 12, "3 x 10 + 2 x 5 + 2"},
        {"h = 5, f = 2", 5, 2, true, true, 30 + 9, "3 x 10 + 2 x 2 + 5"}),
    // The matrices are empty; down still has h rows.
    ROWS(mlp__of_width_zero_has_down_biases, mlp_rows, MlpRow,
        {"h = 8, f = 0", 8, 0, false, true, 8, "0 + 8"},
        {"h = 8, f = 0, gated", 8, 0, true, true, 8, "0 + 8"},
        {"h = 8, f = 0, no biases", 8, 0, true, false, 0, NULL},
        {"h = 0, f = 3", 0, 3, true, true, 6, "2 x 3 + 0"}),
    ROWS(mlp__depends_on_both_flags, mlp_rows, MlpRow,
        {"h = 2, f = 5", 2, 5, false, false, 20, "2 x 10"},
        {"h = 2, f = 5, bias", 2, 5, false, true, 27, "2 x 10 + 5 + 2"},
        {"h = 2, f = 5, gated", 2, 5, true, false, 30, "3 x 10"},
        {"h = 2, f = 5, gated, bias", 2, 5, true, true, 42, "3 x 10 + 2 x 5 + 2"}),
    ROWS(mlp__counts_in_64_bits, mlp_rows, MlpRow,
        {"Llama-3.1-405B", 16384, 53248, true, false, 2617245696, "3 x 53248 x 16384"},
        {"four times as wide", 65536, 212992, true, false, 41875931136, "3 x 212992 x 65536"},
        {"h = f = 2^27 + 1", WIDE, WIDE, false, false, ((uint64_t)1 << 55) + (1 << 29) + 2,
         "2 (2^27 + 1)^2"}),

    ROWS(block__gpt_has_12_h_squared_plus_13_h, block_rows, BlockRow,
        {"GPT-2", &GPT(768, 12), 7087872, 7087872, "2,362,368 + 4,722,432 + 3,072"},
        {"GPT-3", &GPT(12288, 96), 1812099072, 1812099072, "12 h h + 13 h"},
        GPT_SHAPE(64), GPT_SHAPE(128), GPT_SHAPE(256), GPT_SHAPE(512), GPT_SHAPE(1024)),
    ROWS(block__llama_has_one_gated_mlp, block_rows, BlockRow,
        {"Llama-2-7B", &llama_2_7b, 202383360, 202383360, "67,108,864 + 135,266,304 + 8,192"},
        {"Llama-3.1-8B", &llama_31_8b, 218112000, 218112000, "41,943,040 + 176,160,768 + 8,192"},
        {"Qwen2.5-0.5B", &qwen25_05b, 14912384, 14912384, "1,836,160 + 13,074,432 + 1,792"}),
    // Active: from the model card's count of all active parameters, less embedding, head and norm.
    ROWS(block__mixture_of_experts_stores_all_and_activates_a_few, block_rows, BlockRow,
        {"Mixtral-8x7B", &mixtral_8x7b, 1451270144, 394305536,
         "41,943,040 + 8 x 4,096 + 8 x 176,160,768 + 8,192"},
        {"Qwen3-30B-A3B", &qwen3_30b, 623120640, 56889600,
         "18,874,624 + 128 x 2,048 + 128 x 4,718,592 + 4,096"}),
    ROWS(block__experts_and_router_may_have_biases, block_rows, BlockRow,
        {"gpt-oss-20b", &gpt_oss_20b, 823186912, 126215392,
         "26,550,080 + 32 x 2,880 + 32 + 32 x 24,891,840 + 5,760"}),
    ROWS(block__deepseek_v3_has_dense_and_mixture_layers, block_rows, BlockRow,
        {"DeepSeek-V3, layer 1", &deepseek_v3_dense, 583483392, 583483392,
         "187,107,328 + 396,361,728 + 14,336"},
        {"DeepSeek-V3, layer 4", &deepseek_v3, 11507286272, 585318656,
         "187,107,328 + 256 x 7,168 + 256 + 256 x 44,040,192 + 44,040,192 + 14,336"}),
    ROWS(block__shared_experts_are_one_mlp_for_every_token, block_rows, BlockRow,
        {"DeepSeek-V2-Lite, layer 1", &deepseek_v2_lite_dense, 81007104, 81007104,
         "13,763,072 + 67,239,936 + 4,096"},
        {"DeepSeek-V2-Lite, layer 2", &deepseek_v2_lite, 584847872, 83104256,
         "13,763,072 + 64 x 2,048 + 64 x 8,650,752 + 17,301,504 + 4,096"}),
    // Attention 4 x 100; dense 2 x 10 x 7; experts 2 x 10 x 3 each.
    ROWS(block__may_have_a_dense_mlp_and_experts, block_rows, BlockRow,
        {"h = 10, f = 7 and 4 experts of 3",
         &(KnBlock){ONE_HEAD, .ffn = 7, .experts = 4, .active_experts = 1, .expert_ffn = 3},
         400 + 140 + 40 + 4 * 60 + 20, 400 + 140 + 40 + 60 + 20, "400 + 140 + 40 + 4 x 60 + 20"}),
    ROWS(block__absent_mlp_has_no_bias, block_rows, BlockRow,
        {"h = 10, attention and norms only", &(KnBlock){ONE_HEAD, .mlp_bias = true},
         420, 420, "400 + 20"},
        {"the same with a shared MLP of 2", &(KnBlock){ONE_HEAD, .mlp_bias = true, .shared_ffn = 2},
         420 + 52, 420 + 52, "420 + 2 x 20 + 12"},
        {"the same with a dense MLP of 2", &(KnBlock){ONE_HEAD, .mlp_bias = true, .ffn = 2},
         420 + 52, 420 + 52, "420 + 2 x 20 + 12"}),
    ROWS(block__mlp_of_one_hidden_unit_is_an_mlp, block_rows, BlockRow,
        {"f = 1", &(KnBlock){ONE_HEAD, .mlp_bias = true, .ffn = 1}, 420 + 31, 420 + 31,
         "420 + 2 x 10 + 11"},
        {"a shared MLP of 1", &(KnBlock){ONE_HEAD, .mlp_bias = true, .shared_ffn = 1},
         420 + 31, 420 + 31, "420 + 2 x 10 + 11"},
        {"a router bias without experts", &(KnBlock){ONE_HEAD, .router_bias = true},
         420, 420, "400 + 20"}),
    ROWS(block__active_count_grows_with_each_active_expert, block_rows, BlockRow,
        MIXTRAL(0), MIXTRAL(1), MIXTRAL(2), MIXTRAL(3), MIXTRAL(4), MIXTRAL(5), MIXTRAL(6),
        MIXTRAL(7), MIXTRAL(8)),
    // Twice the width and the experts of Kimi-K2, without attention; an expert is 3 x 2048 x 14336.
    ROWS(block__counts_in_64_bits, block_rows, BlockRow,
        {"768 experts, 100 active",
         &(KnBlock){.width = 14336, .gated = true,
                    .experts = 768, .active_experts = 100, .expert_ffn = 2048},
         768 * (uint64_t)88080384 + 11010048, 100 * (uint64_t)88080384 + 11010048,
         "768 x 14,336 + 768 x 88,080,384"},
        {"h = f = 2^27 + 1, one expert", &(KnBlock){.width = WIDE, .experts = 1, .active_experts = 1,
         .expert_ffn = WIDE}, ((uint64_t)1 << 55) + (1 << 29) + 2 + WIDE,
         ((uint64_t)1 << 55) + (1 << 29) + 2 + WIDE, "2 (2^27 + 1)^2 + 2^27 + 1"}),
    cmocka_unit_test(block__counts_what_the_block_holds_now),
    {0},
};
// clang-format on
