/* Exercises 11 to 13: FLOPs, and what they take. check.c says how cases are made. */
#include <math.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 11: FLOPs of a forward pass ----

static void check_flops(const char *name, KnBlock b, uint64_t vectors, double positions,
                        double want, const char *sum)
{
    bool latent = b.kv_rank > 0;
    double a = (double)b.heads, k = (double)b.kv_heads, d = (double)b.head_dim;
    double d_q = (double)(latent ? b.nope_dim + b.rope_dim : b.head_dim),
           d_v = (double)(latent ? b.value_dim : b.head_dim);
    double expert = (b.gated ? 3.0 : 2.0) * (double)b.width * (double)b.expert_ffn;
    assert_real(
        kn_forward_flops(&b, vectors, positions), want, .name = name, .sum = sum,
        .formula = "2 (active parameters - vectors) + 2 a (d_q + d_v) positions",
        .clues = {{.times = 3, .likely = "forward alone: 6 a parameter is forward and backward"},
                  {.off = a * (d_q + d_v) * positions,
                   .likely = "attention has two products, of 2 FLOPs a multiply-add each"},
                  {.off = 2 * a * (d_q + d_v) * positions,
                   .likely = "as much as attention over the positions takes"},
                  {.off = 2 * (a - k) * (d_q + d_v) * positions,
                   .likely = "every query head looks at its keys: grouping saves memory, no FLOPs"},
                  {.off = 2 * a * fabs(d_q - d_v) * positions,
                   .likely = "scores take d_q a head, the weighted sum of values d_v"},
                  {.off = 2 * a * (d_q + d_v) * (positions - floor(positions)),
                   .likely = "half a position counts half"},
                  {.off = 2 * (double)(b.experts - b.active_experts) * expert,
                   .likely = "a token goes through its active experts alone"},
                  {.off = 2 * (double)vectors, .likely = "norms and biases are in no product"},
                  {.off = (double)vectors, .likely = "norms and biases are in no product"},
                  {.off = 2 * a * fabs((double)b.width / a - d) * positions,
                   .likely = "is the head's size h / a? It is head_dim, as given"},
                  {.off = 2 * a * fabs((double)b.width / a - d) * 2 * positions,
                   .likely = "is the head's size h / a? It is head_dim, as given"}});
}

// All vectors of a block like GPT's: biases 9 h, norms 4 h.
static double gpt_training(uint64_t h, uint64_t a, double layers, double positions)
{
    KnBlock block = gpt_of(h, a);
    return 3 * layers * kn_forward_flops(&block, 13 * h, positions);
}

static void flops__are_two_for_each_number_in_a_matrix(void **state)
{
    (void)state;
    check_flops("GPT-2, no position", gpt_of(768, 12), 13 * 768, 0, 2 * 12 * 768.0 * 768,
                "2 x 12 h h");
    check_flops("Llama-3.1-8B, no position", llama_31_8b, 8192, 0, 436207616, "2 x 218,103,808");
}

static void flops__of_a_position_are_two_products_in_each_head(void **state)
{
    (void)state;
    double mlp = 2 * 12 * 768.0 * 768;
    check_flops("GPT-2, one position", gpt_of(768, 12), 13 * 768, 1, mlp + 4 * 768,
                "2 x 12 h h + 4 h");
    check_flops("GPT-2, 512.5 positions", gpt_of(768, 12), 13 * 768, 512.5, mlp + 4 * 768 * 512.5,
                "2 x 12 h h + 4 h x 512.5");
}

static void flops__of_training_are_palms_6n_and_12_l_a_d_s(void **state)
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

static void flops__of_gpt_3s_training_are_the_published_3e23(void **state)
{
    (void)state;
    // Brown et al. 2020, table D.1: 3.14e23 for 300e9 tokens: 6 N D, embeddings among N.
    double tied = 3 * 2 * 50257.0 * 12288;
    assert_real(300e9 * (gpt_training(12288, 96, 96, 0) + tied), 3.14e23,
                .name = "GPT-3, 300e9 tokens", .formula = "6 N D", .rtol = 0.003);
}

static void flops__of_grouped_heads_look_with_all_queries(void **state)
{
    (void)state;
    check_flops("Llama-3.1-8B, 8192 positions", llama_31_8b, 8192, 8192,
                436207616 + 4 * 4096.0 * 8192, "436,207,616 + 2 x 32 x 256 x 8192");
    check_flops("Falcon-7B, 1000 positions", falcon_7b, 9088, 1000,
                2 * (41877504.0 + 165183488) + 4 * 71 * 64 * 1000.0,
                "2 (41,877,504 + 165,183,488) + 2 x 71 x 128 x 1000");
    check_flops("Qwen3-0.6B, 100 positions", qwen3_06b, 256 + 2048, 100,
                2 * (6291456.0 + 9437184) + 4 * 2048 * 100.0,
                "2 (6,291,456 + 9,437,184) + 2 x 16 x 256 x 100");
}

static void flops__of_a_mixture_are_those_of_its_active_experts(void **state)
{
    (void)state;
    check_flops("Mixtral-8x7B, no position", mixtral_8x7b, 8192, 0, 2 * (394305536.0 - 8192),
                "2 (394,305,536 - 8,192)");
    check_flops("DeepSeek-V2-Lite, no position", deepseek_v2_lite, 512 + 4096, 0,
                2 * (83104256.0 - 4608), "2 (83,104,256 - 4,608)");
}

static void flops__of_a_latent_head_are_of_its_two_sizes(void **state)
{
    (void)state;
    check_flops("DeepSeek-V3, dense, 2048 positions", deepseek_v3_dense, 2048 + 14336, 2048,
                2 * (583483392.0 - 16384) + 2 * 128 * 320 * 2048.0,
                "2 (583,483,392 - 16,384) + 2 x 128 x (192 + 128) x 2048");
}

static void flops__of_deepseek_v3s_training_are_the_published_250_billion(void **state)
{
    (void)state;
    // DeepSeek-AI 2025 (Insights into DeepSeek-V3), table 2: 250 GFLOP a token at 4096, causal.
    double head = 2 * 129280.0 * 7168;
    double forward = 3 * kn_forward_flops(&deepseek_v3_dense, 2048 + 14336, 2048) +
                     58 * kn_forward_flops(&deepseek_v3, 2048 + 14336 + 256, 2048) + head;
    assert_real(3 * forward, 250e9, .name = "DeepSeek-V3, a token in training",
                .formula = "3 (3 dense layers + 58 with experts + head)", .rtol = 0.003);
}

static void flops__pass_32_bits(void **state)
{
    (void)state;
    check_flops("Llama-3.1-405B, 100000 positions", llama_31_405b, 32768, 100000,
                2 * 3187671040.0 + 4 * 16384 * 100000.0,
                "2 x 3,187,671,040 + 2 x 128 x 256 x 100,000");
}

// ---- 12: the roofline ----

static void check_roofline(const char *name, double flops, double bytes, double peak,
                           double bandwidth, KnBounds want)
{
    KnBounds got = kn_roofline(flops, bytes, peak, bandwidth);
    assert_real(got.compute, want.compute, .name = name, .formula = "compute = flops / peak",
                .clues = {{.value = flops / bandwidth, .likely = "FLOPs go by the peak"},
                          {.value = peak / flops, .likely = "upside down: work over speed"}});
    assert_real(got.memory, want.memory, .name = name, .formula = "memory = bytes / bandwidth",
                .clues = {{.value = bytes / peak, .likely = "bytes go by the bandwidth"},
                          {.value = bandwidth / bytes, .likely = "upside down: work over speed"}});
    assert_real(got.seconds, want.seconds, .name = name,
                .formula = "seconds = the longer of the two, which overlap",
                .clues = {{.value = want.compute + want.memory,
                           .likely = "they go on at the same time: no sum"},
                          {.value = want.compute < want.memory ? want.compute : want.memory,
                           .likely = "the longer: who is done first waits for the other"}});
    assert_that(got.memory_bound == want.memory_bound,
                "memory_bound is whether memory takes longer\n%s: got %s, want %s", name,
                got.memory_bound ? "true" : "false", want.memory_bound ? "true" : "false");
}

static void roofline__is_the_longer_of_two_times(void **state)
{
    (void)state;
    check_roofline("12 FLOPs, 2 bytes", 12, 2, 3, 1, (KnBounds){4, 2, 4, false});
    check_roofline("6 FLOPs, 8 bytes", 6, 8, 3, 1, (KnBounds){2, 8, 8, true});
}

static void roofline__where_both_take_as_long_is_not_memorys(void **state)
{
    (void)state;
    check_roofline("6 FLOPs, 2 bytes", 6, 2, 3, 1, (KnBounds){2, 2, 2, false});
}

static void roofline__of_no_work_takes_no_time(void **state)
{
    (void)state;
    check_roofline("a copy", 0, 8, 3, 1, (KnBounds){0, 8, 8, true});
    check_roofline("on registers alone", 6, 0, 3, 1, (KnBounds){2, 0, 2, false});
    check_roofline("nothing", 0, 0, 3, 1, (KnBounds){0, 0, 0, false});
}

static void roofline__turns_at_the_published_ridges(void **state)
{
    (void)state;
    // Peak over bandwidth: A100 40 GB 312e12 / 1.555e12 = 200.6, 80 GB / 2.039e12 = 153.0;
    // H100 SXM 989e12 / 3.35e12 = 295.2 FLOP/byte.
    const struct {
        const char *name;
        double peak, bandwidth, ridge;
    } cards[] = {{"A100 40 GB", 312e12, 1.555e12, 200.6},
                 {"A100 80 GB", 312e12, 2.039e12, 153.0},
                 {"H100 SXM", 989e12, 3.35e12, 295.2}};
    for (int i = 0; i < 3; i++) {
        double peak = cards[i].peak, bandwidth = cards[i].bandwidth, bytes = 1e9;
        double low = bytes * (cards[i].ridge - 1), high = bytes * (cards[i].ridge + 1);
        check_roofline(cards[i].name, low, bytes, peak, bandwidth,
                       (KnBounds){low / peak, 1e9 / bandwidth, 1e9 / bandwidth, true});
        check_roofline(cards[i].name, high, bytes, peak, bandwidth,
                       (KnBounds){high / peak, 1e9 / bandwidth, high / peak, false});
    }
}

static void roofline__of_decoding_is_the_weights_read_once(void **state)
{
    (void)state;
    // Llama-3.1-8B in bf16 on an H100: 2 FLOPs and 2 bytes for each of 8030261248: 4.79 ms.
    check_roofline(
        "one token of Llama-3.1-8B", 16060522496, 16060522496, 989e12, 3.35e12,
        (KnBounds){16060522496 / 989e12, 16060522496 / 3.35e12, 16060522496 / 3.35e12, true});
}

// ---- 13: the best use of a budget ----

static void check_optimum(const char *name, double flops, double ratio, KnOptimum want, double rtol)
{
    static const char formula[] = "C = 6 N D and D = ratio N";
    KnOptimum got = kn_optimum(flops, ratio);
    double N = want.params;
    assert_real(got.params, N, .name = name, .formula = formula, .rtol = rtol,
                .clues = {
                    {.value = N * N, .likely = "that is N squared: two unknowns make a root"},
                    {.times = sqrt(ratio), .likely = "D is ratio N: the ratio is under the root"},
                    {.times = 1 / sqrt(ratio), .likely = "the ratio is under the root, with the 6"},
                    {.times = sqrt(6), .likely = "6 FLOPs for each parameter and token"},
                    {.times = sqrt(3), .likely = "6 FLOPs: 2 forward and 4 backward"},
                    {.times = ratio, .likely = "were params and tokens exchanged?"},
                });
    assert_real(got.tokens, want.tokens, .name = name, .formula = formula, .rtol = rtol,
                .clues = {{.times = 1 / ratio, .likely = "tokens are ratio for each parameter"},
                          {.value = N / ratio, .likely = "tokens are ratio for each parameter"}});
}

static void optimum__of_chinchilla_is_70_billion_on_1_4_trillion(void **state)
{
    (void)state;
    check_optimum("Chinchilla", 5.88e23, 20, (KnOptimum){70e9, 1.4e12}, 1e-12);
}

static void optimum__follows_the_published_table(void **state)
{
    (void)state;
    // Hoffmann et al. 2022, table 3: parameters, FLOPs, tokens. Their fit is within 6 % of C = 6 N D,
    // and so N and D for the same budget and ratio are within 3 %.
    static const double rows[][3] = {
        {0.4e9, 1.92e19, 8.0e9}, {1e9, 1.21e20, 20.2e9},   {10e9, 1.23e22, 205.1e9},
        {67e9, 5.76e23, 1.5e12}, {175e9, 3.85e24, 3.7e12}, {280e9, 9.90e24, 5.9e12},
        {520e9, 3.43e25, 11e12}, {1e12, 1.27e26, 21.2e12}, {10e12, 1.30e28, 216.2e12},
    };
    static const char *const names[] = {"table 3, 0.4e9", "table 3, 1e9",   "table 3, 10e9",
                                        "table 3, 67e9",  "table 3, 175e9", "table 3, 280e9",
                                        "table 3, 520e9", "table 3, 1e12",  "table 3, 10e12"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_optimum(names[i], rows[i][1], rows[i][2] / rows[i][0],
                      (KnOptimum){rows[i][0], rows[i][2]}, 0.03);
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

static void optimum__of_four_times_the_budget_is_twice_the_model(void **state)
{
    (void)state;
    KnOptimum small = kn_optimum(1e21, 20), large = kn_optimum(4e21, 20);
    assert_real(large.params, 2 * small.params, .name = "4e21 FLOPs against 1e21",
                .formula = "N grows with the root of the budget");
    assert_real(large.tokens, 2 * small.tokens, .name = "4e21 FLOPs against 1e21",
                .formula = "so does D");
}

static void optimum__of_no_budget_is_nothing(void **state)
{
    (void)state;
    check_optimum("0 FLOPs", 0, 20, (KnOptimum){0, 0}, 1e-12);
}

const struct CMUnitTest time_cases[] = {
    cmocka_unit_test(flops__are_two_for_each_number_in_a_matrix),
    cmocka_unit_test(flops__of_a_position_are_two_products_in_each_head),
    cmocka_unit_test(flops__of_training_are_palms_6n_and_12_l_a_d_s),
    cmocka_unit_test(flops__of_gpt_3s_training_are_the_published_3e23),
    cmocka_unit_test(flops__of_grouped_heads_look_with_all_queries),
    cmocka_unit_test(flops__of_a_mixture_are_those_of_its_active_experts),
    cmocka_unit_test(flops__of_a_latent_head_are_of_its_two_sizes),
    cmocka_unit_test(flops__of_deepseek_v3s_training_are_the_published_250_billion),
    cmocka_unit_test(flops__pass_32_bits),
    cmocka_unit_test(roofline__is_the_longer_of_two_times),
    cmocka_unit_test(roofline__where_both_take_as_long_is_not_memorys),
    cmocka_unit_test(roofline__of_no_work_takes_no_time),
    cmocka_unit_test(roofline__turns_at_the_published_ridges),
    cmocka_unit_test(roofline__of_decoding_is_the_weights_read_once),
    cmocka_unit_test(optimum__of_chinchilla_is_70_billion_on_1_4_trillion),
    cmocka_unit_test(optimum__follows_the_published_table),
    cmocka_unit_test(optimum__spends_the_whole_budget),
    cmocka_unit_test(optimum__of_four_times_the_budget_is_twice_the_model),
    cmocka_unit_test(optimum__of_no_budget_is_nothing),
    {0},
};
