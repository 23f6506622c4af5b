/* Exercises 11 to 13: FLOPs and time. check.c says how cases are made. */
#include <math.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 11: FLOPs of a forward pass ----

typedef struct FlopsRow {
    const char *name;
    const KnBlock *block;
    uint64_t vectors;
    double positions, want;
    const char *sum;
} FlopsRow;

static void check_flops(const FlopsRow *row)
{
    KnBlock b = *row->block;
    double vectors = (double)row->vectors, positions = row->positions;
    bool latent = b.kv_rank > 0;
    double a = (double)b.heads, k = (double)b.kv_heads, d = (double)b.head_dim;
    double d_q = (double)(latent ? b.nope_dim + b.rope_dim : b.head_dim),
           d_v = (double)(latent ? b.value_dim : b.head_dim);
    double expert = (b.gated ? 3.0 : 2.0) * (double)b.width * (double)b.expert_ffn;
    const Clue clues[] = {
        TIMES(3, "forward only: 6 a parameter is forward and backward"),
        OFF(a * (d_q + d_v) * positions,
            "attention has two products, of 2 FLOPs a multiply-add each"),
        OFF(2 * a * (d_q + d_v) * positions, "the FLOPs of attention over the positions"),
        OFF(2 * (a - k) * (d_q + d_v) * positions,
            "every query head has scores: grouping saves memory, not FLOPs"),
        OFF(2 * a * fabs(d_q - d_v) * positions,
            "scores take d_q a head, the weighted sum of values d_v"),
        OFF(2 * a * (d_q + d_v) * (positions - floor(positions)),
            "positions may be fractional: do not truncate"),
        OFF(2 * (double)(b.experts - b.active_experts) * expert,
            "a token uses only its active experts"),
        OFF(2 * vectors, "norms and biases are in no matrix product"),
        OFF(vectors, "norms and biases are in no matrix product"),
        OFF(2 * a * fabs((double)b.width / a - d) * positions,
            "head_dim taken as h / a? It is a field of its own"),
        OFF(2 * a * fabs((double)b.width / a - d) * 2 * positions,
            "head_dim taken as h / a? It is a field of its own"),
        {0}};
    assert_real(kn_forward_flops(&b, row->vectors, positions), row->want, .name = row->name,
                .sum = row->sum,
                .formula = "2 (active parameters - vectors) + 2 a (d_q + d_v) positions",
                .clues = clues);
}

// All vectors of a block like GPT's: biases 9 h, norms 4 h.
static double gpt_training(uint64_t h, uint64_t a, double layers, double positions)
{
    KnBlock block = GPT(h, a);
    return 3 * layers * kn_forward_flops(&block, 13 * h, positions);
}

static void flops_rows(void **state)
{
    for (const FlopsRow *row = *state; row->name != NULL; row++) check_flops(row);
}

static void flops__of_training_match_palms_6n_plus_12_l_a_d_s(void **state)
{
    (void)state;
    // Chowdhery et al. 2022, appendix B; N without embeddings. Backward takes twice the forward's.
    double N = 96 * 12.0 * 12288 * 12288, s = 2048;
    assert_real(gpt_training(12288, 96, 96, s), 6 * N + 12 * 96 * 96 * 128 * s,
                .name = "GPT-3, a token in training", .formula = "6 N + 12 L a d s");
    // Kaplan et al. 2020, table 1: forward 2 N + 2 L d_attn n_ctx, a causal mask's half of it.
    assert_real(gpt_training(12288, 96, 96, s / 2) / 3, 2 * N + 2 * 96 * 12288 * s,
                .name = "GPT-3, a token forward, half masked", .formula = "2 N + 2 L h s");
}

static void flops__of_training_gpt_3_match_the_published_3e23(void **state)
{
    (void)state;
    // Brown et al. 2020, table D.1: 3.14e23 for 300e9 tokens: 6 N D, embeddings among N.
    double tied = 3 * 2 * 50257.0 * 12288;
    assert_real(300e9 * (gpt_training(12288, 96, 96, 0) + tied), 3.14e23,
                .name = "GPT-3, 300e9 tokens", .formula = "6 N D", .rtol = 0.003);
}

static void flops__of_training_deepseek_v3_match_the_published_250_billion(void **state)
{
    (void)state;
    // DeepSeek-AI 2025 (Insights into DeepSeek-V3), table 2: 250 GFLOP a token at 4096, causal.
    double head = 2 * 129280.0 * 7168;
    double forward = 3 * kn_forward_flops(&deepseek_v3_dense, 2048 + 14336, 2048) +
                     58 * kn_forward_flops(&deepseek_v3, 2048 + 14336 + 256, 2048) + head;
    assert_real(3 * forward, 250e9, .name = "DeepSeek-V3, a token in training",
                .formula = "3 (3 dense layers + 58 with experts + head)", .rtol = 0.003);
}

// ---- 12: the roofline ----

typedef struct RooflineRow {
    const char *name;
    double flops, bytes, peak, bandwidth;
    KnBounds want;
} RooflineRow;

static void check_roofline(const RooflineRow *row)
{
    double flops = row->flops, bytes = row->bytes;
    KnBounds got = kn_roofline(flops, bytes, row->peak, row->bandwidth), want = row->want;
    assert_real(got.compute, want.compute, .name = row->name, .formula = "compute = flops / peak",
                .clues = CLUES(VALUE(flops / row->bandwidth, "FLOPs are divided by the peak"),
                               VALUE(row->peak / flops, "inverted: time is work over speed")));
    assert_real(got.memory, want.memory, .name = row->name, .formula = "memory = bytes / bandwidth",
                .clues = CLUES(VALUE(bytes / row->peak, "bytes are divided by the bandwidth"),
                               VALUE(row->bandwidth / bytes, "inverted: time is work over speed")));
    assert_real(
        got.seconds, want.seconds, .name = row->name,
        .formula = "seconds = the longer of the two, which overlap",
        .clues = CLUES(
            VALUE(want.compute + want.memory, "they overlap: the longer, not the sum"),
            VALUE(fmin(want.compute, want.memory), "they overlap: the longer, not the shorter")));
    assert_that(got.memory_bound == want.memory_bound,
                "memory_bound is whether memory takes longer\n%s: got %s, want %s", row->name,
                got.memory_bound ? "true" : "false", want.memory_bound ? "true" : "false");
}

static void roofline_rows(void **state)
{
    for (const RooflineRow *row = *state; row->name != NULL; row++) check_roofline(row);
}

// ---- 13: the compute-optimal model ----

static void check_optimum(const char *name, double flops, double ratio, KnOptimum want, double rtol)
{
    static const char formula[] = "C = 6 N D and D = ratio N";
    KnOptimum got = kn_optimum(flops, ratio);
    double N = want.params;
    const Clue clues[] = {VALUE(N * N, "that is N squared: take the square root"),
                          TIMES(sqrt(ratio), "D is ratio N: the ratio belongs under the root"),
                          TIMES(1 / sqrt(ratio), "the ratio belongs under the root, with the 6"),
                          TIMES(sqrt(6), "6 FLOPs for each parameter and token"),
                          TIMES(sqrt(3), "6 FLOPs: 2 forward and 4 backward"),
                          TIMES(ratio, "were params and tokens exchanged?"),
                          {0}};
    assert_real(got.params, N, .name = name, .formula = formula, .rtol = rtol, .clues = clues);
    assert_real(got.tokens, want.tokens, .name = name, .formula = formula, .rtol = rtol,
                .clues = CLUES(TIMES(1 / ratio, "D = ratio N: tokens per parameter"),
                               VALUE(N / ratio, "D = ratio N: tokens per parameter")));
}

static void optimum__matches_chinchillas_table_3(void **state)
{
    (void)state;
    // Hoffmann et al. 2022, table 3: parameters, FLOPs, tokens. Their fit is within 6 % of C = 6 N D,
    // and so N and D for the same budget and ratio are within 3 %.
    static const double rows[][3] = {
        {0.4e9, 1.92e19, 8.0e9}, {1e9, 1.21e20, 20.2e9},   {10e9, 1.23e22, 205.1e9},
        {67e9, 5.76e23, 1.5e12}, {175e9, 3.85e24, 3.7e12}, {280e9, 9.90e24, 5.9e12},
        {520e9, 3.43e25, 11e12}, {1e12, 1.27e26, 21.2e12}, {10e12, 1.30e28, 216.2e12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[48];
        snprintf(name, sizeof name, "table 3, %g parameters", rows[i][0]);
        check_optimum(name, rows[i][1], rows[i][2] / rows[i][0],
                      (KnOptimum){rows[i][0], rows[i][2]}, 0.03);
    }
}

static void optimum__spends_the_whole_budget(void **state)
{
    (void)state;
    for (int tenfold = 1; tenfold <= 100000; tenfold *= 3) {
        double ratio = tenfold / 10.0;
        KnOptimum got = kn_optimum(1e24, ratio);
        assert_real(6 * got.params * got.tokens, 1e24, .name = "1e24 FLOPs",
                    .formula = "6 N D is the budget");
        assert_real(got.tokens / got.params, ratio, .name = "1e24 FLOPs",
                    .formula = "D / N is the ratio");
    }
}

static void optimum__of_four_times_the_budget_doubles_the_model(void **state)
{
    (void)state;
    KnOptimum small = kn_optimum(1e21, 20), large = kn_optimum(4e21, 20);
    assert_real(large.params, 2 * small.params, .name = "4e21 FLOPs against 1e21",
                .formula = "N grows with the root of the budget");
    assert_real(large.tokens, 2 * small.tokens, .name = "4e21 FLOPs against 1e21",
                .formula = "so does D");
}

static void optimum__of_chinchilla_is_70_billion_on_1_4_trillion(void **state)
{
    (void)state;
    check_optimum("Chinchilla", 5.88e23, 20, (KnOptimum){70e9, 1.4e12}, 1e-12);
}

static void optimum__of_a_zero_budget_is_zero(void **state)
{
    (void)state;
    check_optimum("0 FLOPs", 0, 20, (KnOptimum){0, 0}, 1e-12);
}

static void flops__are_of_what_the_block_holds_now(void **state)
{
    (void)state;
    KnBlock block = GPT(768, 12), other = llama_31_8b;
    for (int call = 0; call < 4; call++) {
        if (call == 1) block.ffn = 768;
        if (call == 2) check_flops(&(FlopsRow){"another block", &other, 8192, 0, 436207616, NULL});
        else
            check_flops(&(FlopsRow){"the same block", &block, 13 * 768 - (call == 0 ? 0 : 3 * 768),
                                    0, (call == 0 ? 24 : 12) * 768.0 * 768, NULL});
    }
}

// ---- the cases ----

// clang-format off
#define GPT2_MATRICES (2 * 12 * 768.0 * 768)
// A gigabyte, with one FLOP a byte less and one more than at the ridge.
#define RIDGE(name, peak, bandwidth, ridge) \
    {name, 1e9 * (ridge - 1), 1e9, peak, bandwidth, \
     {1e9 * (ridge - 1) / peak, 1e9 / bandwidth, 1e9 / bandwidth, true}}, \
    {name, 1e9 * (ridge + 1), 1e9, peak, bandwidth, \
     {1e9 * (ridge + 1) / peak, 1e9 / bandwidth, 1e9 * (ridge + 1) / peak, false}}

const struct CMUnitTest time_cases[] = {
    ROWS(flops__are_two_per_parameter_in_a_matrix, flops_rows, FlopsRow,
        {"GPT-2, no position", &GPT(768, 12), 13 * 768, 0, GPT2_MATRICES, "2 x 12 h h"},
        {"Llama-3.1-8B, no position", &llama_31_8b, 8192, 0, 436207616, "2 x 218,103,808"}),
    ROWS(flops__of_a_position_are_two_products_per_head, flops_rows, FlopsRow,
        {"GPT-2, one position", &GPT(768, 12), 13 * 768, 1, GPT2_MATRICES + 4 * 768,
         "2 x 12 h h + 4 h"},
        {"GPT-2, 512.5 positions", &GPT(768, 12), 13 * 768, 512.5, GPT2_MATRICES + 4 * 768 * 512.5,
         "2 x 12 h h + 4 h x 512.5"},
        {"h = 1001, a = 7, f = 3001, 1234567.5 positions", &odd_sizes, 0, 1234567.5, 4969248284,
         "2 (4 x 1001 x 1001 + 3 x 1001 x 3001) + 2 x 7 x 286 x 1234567.5"}),
    cmocka_unit_test(flops__of_training_match_palms_6n_plus_12_l_a_d_s),
    cmocka_unit_test(flops__of_training_gpt_3_match_the_published_3e23),
    ROWS(flops__of_grouped_query_attention_count_all_query_heads, flops_rows, FlopsRow,
        {"Llama-3.1-8B, 8192 positions", &llama_31_8b, 8192, 8192, 436207616 + 4 * 4096.0 * 8192,
         "436,207,616 + 2 x 32 x 256 x 8192"},
        {"Falcon-7B, 1000 positions", &falcon_7b, 9088, 1000,
         2 * (41877504.0 + 165183488) + 4 * 71 * 64 * 1000.0,
         "2 (41,877,504 + 165,183,488) + 2 x 71 x 128 x 1000"},
        {"Qwen3-0.6B, 100 positions", &qwen3_06b, 256 + 2048, 100,
         2 * (6291456.0 + 9437184) + 4 * 2048 * 100.0,
         "2 (6,291,456 + 9,437,184) + 2 x 16 x 256 x 100"}),
    ROWS(flops__of_a_mixture_are_those_of_its_active_experts, flops_rows, FlopsRow,
        {"Mixtral-8x7B, no position", &mixtral_8x7b, 8192, 0, 2 * (394305536.0 - 8192),
         "2 (394,305,536 - 8,192)"},
        {"DeepSeek-V2-Lite, no position", &deepseek_v2_lite, 512 + 4096, 0,
         2 * (83104256.0 - 4608), "2 (83,104,256 - 4,608)"}),
    ROWS(flops__of_a_latent_head_use_its_two_sizes, flops_rows, FlopsRow,
        {"DeepSeek-V3, dense, 2048 positions", &deepseek_v3_dense, 2048 + 14336, 2048,
         2 * (583483392.0 - 16384) + 2 * 128 * 320 * 2048.0,
         "2 (583,483,392 - 16,384) + 2 x 128 x (192 + 128) x 2048"}),
    cmocka_unit_test(flops__of_training_deepseek_v3_match_the_published_250_billion),
    // 4 x 3001 x 3001 = 36,024,004 is above 2^24; with f = 1 it is odd times 2.
    ROWS(flops__are_computed_in_double, flops_rows, FlopsRow,
        {"h = 3001, a = 1, f = 1, 0.1 positions",
         &(KnBlock){.width = 3001, .heads = 1, .kv_heads = 1, .head_dim = 3001, .ffn = 1}, 1, 0.1,
         2 * (36024004.0 + 6002 - 1) + 2 * 6002 * 0.1, "2 (36,024,004 + 6,002 - 1) + 1,200.4"},
        {"h = 1, a = 1, f = 0, 123456789.3 positions",
         &(KnBlock){.width = 1, .heads = 1, .kv_heads = 1, .head_dim = 1}, 0, 123456789.3,
         8 + 4 * 123456789.3, "2 x 4 + 2 x 2 x 123,456,789.3"}),
    ROWS(flops__count_large_models, flops_rows, FlopsRow,
        {"Llama-3.1-405B, 100000 positions", &llama_31_405b, 32768, 100000,
         2 * 3187671040.0 + 4 * 16384 * 100000.0, "2 x 3,187,671,040 + 2 x 128 x 256 x 100,000"}),
    cmocka_unit_test(flops__are_of_what_the_block_holds_now),

    ROWS(roofline__is_the_longer_of_two_times, roofline_rows, RooflineRow,
        {"12 FLOPs, 2 bytes", 12, 2, 3, 1, {4, 2, 4, false}},
        {"6 FLOPs, 8 bytes", 6, 8, 3, 1, {2, 8, 8, true}},
        {"0.7 FLOPs, 0.3 bytes", 0.7, 0.3, 3.3, 1.1, {0.7 / 3.3, 0.3 / 1.1, 0.3 / 1.1, true}}),
    ROWS(roofline__at_the_ridge_is_not_memory_bound, roofline_rows, RooflineRow,
        {"6 FLOPs, 2 bytes", 6, 2, 3, 1, {2, 2, 2, false}}),
    ROWS(roofline__without_flops_or_bytes_takes_no_time, roofline_rows, RooflineRow,
        {"a copy", 0, 8, 3, 1, {0, 8, 8, true}},
        {"registers only", 6, 0, 3, 1, {2, 0, 2, false}},
        {"nothing", 0, 0, 3, 1, {0, 0, 0, false}}),
    // Peak over bandwidth: 312e12 / 1.555e12 = 200.6, / 2.039e12 = 153.0; 989e12 / 3.35e12 = 295.2.
    ROWS(roofline__ridge_matches_the_published_gpus, roofline_rows, RooflineRow,
        RIDGE("A100 40 GB", 312e12, 1.555e12, 200.6), RIDGE("A100 80 GB", 312e12, 2.039e12, 153.0),
        RIDGE("H100 SXM", 989e12, 3.35e12, 295.2)),
    // Llama-3.1-8B in bf16 on an H100: 2 FLOPs and 2 bytes for each of 8030261248: 4.79 ms.
    ROWS(roofline__of_decoding_is_bound_by_reading_the_weights, roofline_rows, RooflineRow,
        {"one token of Llama-3.1-8B", 16060522496, 16060522496, 989e12, 3.35e12,
         {16060522496 / 989e12, 16060522496 / 3.35e12, 16060522496 / 3.35e12, true}}),

    cmocka_unit_test(optimum__of_chinchilla_is_70_billion_on_1_4_trillion),
    cmocka_unit_test(optimum__matches_chinchillas_table_3),
    cmocka_unit_test(optimum__spends_the_whole_budget),
    cmocka_unit_test(optimum__of_four_times_the_budget_doubles_the_model),
    cmocka_unit_test(optimum__of_a_zero_budget_is_zero),
    {0},
};
// clang-format on
