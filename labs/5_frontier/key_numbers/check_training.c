/* Exercises 9 and 10: what training keeps. check.c says how cases are made. */
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 9: weights, gradients and optimizer under ZeRO ----

static const KnRecipe mixed_adam = {2, 2, 12};

static void check_state(const char *name, uint64_t params, KnRecipe recipe, int stage, uint64_t n,
                        KnState want)
{
    static const char formula[] = "bytes x params, or bytes x ceil(params / n) from its stage on:\n"
                                  "the state from 1, gradients from 2, weights from 3";
    char title[96];
    KnState got = {-1, -1, -1};
    kn_training_state(&got, params, &recipe, stage, n);
    const struct {
        const char *what;
        int from;
        double each, got, want;
    } part[] = {{"weights", 3, recipe.weights, got.weights, want.weights},
                {"gradients", 2, recipe.gradients, got.gradients, want.gradients},
                {"state", 1, recipe.state, got.state, want.state}};
    uint64_t least = params / n;
    double whole = (double)params, down = (double)least, up = (double)parts_of(params, n);
    for (int i = 0; i < 3; i++) {
        double kept = stage >= part[i].from ? up : whole;
        snprintf(title, sizeof title, "%s, stage %d, n = %llu: %s", name, stage,
                 (unsigned long long)n, part[i].what);
        assert_real(
            part[i].got, part[i].want, .name = title, .formula = formula,
            .clues = {{.value = stage >= part[i].from ? part[i].each * whole : 0,
                       .likely = "at this stage it is split into n parts"},
                      {.value = stage < part[i].from ? part[i].each * up : 0,
                       .likely = "at this stage each GPU keeps all of it"},
                      {.value = stage >= part[i].from ? part[i].each * down : 0,
                       .likely = "rounded down, the parts would not hold all parameters"},
                      {.value = stage >= part[i].from ? part[i].each * whole / (double)n : 0,
                       .likely = "a part is of whole parameters: rounded up"},
                      {.value = kept * recipe.weights,
                       .likely = "each of the three has bytes of its own: these are the weights'"},
                      {.value = kept * recipe.state,
                       .likely = "each of the three has bytes of its own: these are the state's"},
                      {.value = kept, .likely = "bytes: so many for each parameter"}});
    }
}

static void training_state__of_7_5_billion_on_64_gpus_is_zeros_figure(void **state)
{
    (void)state;
    // Rajbhandari et al. 2020, figure 1: 120, 31.4, 16.6 and 1.9 GB. 15e9 + 15e9 + 90e9 in all.
    uint64_t params = 7500000000;
    double two = 15e9, twelve = 90e9;
    check_state("7.5e9, Adam", params, mixed_adam, 0, 64, (KnState){two, two, twelve});
    check_state("7.5e9, Adam", params, mixed_adam, 1, 64, (KnState){two, two, twelve / 64});
    check_state("7.5e9, Adam", params, mixed_adam, 2, 64, (KnState){two, two / 64, twelve / 64});
    check_state("7.5e9, Adam", params, mixed_adam, 3, 64,
                (KnState){two / 64, two / 64, twelve / 64});
}

static void training_state__on_one_gpu_is_whole_at_every_stage(void **state)
{
    (void)state;
    for (int stage = 0; stage <= 3; stage++)
        check_state("GPT-2, Adam", 124439808, mixed_adam, stage, 1,
                    (KnState){248879616, 248879616, 1493277696});
}

static void training_state__rounds_a_part_up_to_whole_parameters(void **state)
{
    (void)state;
    // 10 parameters for 4: three each, and the last has room to spare.
    check_state("10, Adam", 10, mixed_adam, 0, 4, (KnState){20, 20, 120});
    check_state("10, Adam", 10, mixed_adam, 1, 4, (KnState){20, 20, 36});
    check_state("10, Adam", 10, mixed_adam, 2, 4, (KnState){20, 6, 36});
    check_state("10, Adam", 10, mixed_adam, 3, 4, (KnState){6, 6, 36});
    check_state("3, Adam", 3, mixed_adam, 3, 8, (KnState){2, 2, 12});
    check_state("none, Adam", 0, mixed_adam, 3, 8, (KnState){0, 0, 0});
}

static void training_state__is_that_of_the_recipe(void **state)
{
    (void)state;
    check_state("1000, SGD in fp32", 1000, (KnRecipe){4, 4, 0}, 1, 10, (KnState){4000, 4000, 0});
    check_state("1000, Adam in 8 bits", 1000, (KnRecipe){2, 2, 6}, 1, 10,
                (KnState){2000, 2000, 600});
    check_state("1000, fp32 gradients", 1000, (KnRecipe){2, 4, 12}, 2, 10,
                (KnState){2000, 400, 1200});
    check_state("1000, weights in 4.127 bits", 1000, (KnRecipe){0.515869140625, 0, 0}, 0, 10,
                (KnState){515.869140625, 0, 0});
}

static void training_state__splits_one_more_at_each_stage(void **state)
{
    (void)state;
    const KnRecipe recipe = {3, 5, 7};
    for (uint64_t n = 2; n <= 9; n++) {
        uint64_t part = 0;
        while (part * n < 1000) part++;
        double p = (double)part;
        check_state("1000", 1000, recipe, 0, n, (KnState){3000, 5000, 7000});
        check_state("1000", 1000, recipe, 1, n, (KnState){3000, 5000, 7 * p});
        check_state("1000", 1000, recipe, 2, n, (KnState){3000, 5 * p, 7 * p});
        check_state("1000", 1000, recipe, 3, n, (KnState){3 * p, 5 * p, 7 * p});
    }
}

static void training_state__passes_32_bits(void **state)
{
    (void)state;
    // DeepSeek-V3's 671026419200 over 2048 GPUs: 327649618.75, rounded up.
    uint64_t params = 671026419200;
    check_state("DeepSeek-V3, Adam", params, mixed_adam, 1, 2048,
                (KnState){1342052838400, 1342052838400, 3931795428});
    check_state("DeepSeek-V3, Adam", params, mixed_adam, 3, 2048,
                (KnState){655299238, 655299238, 3931795428});
}

// ---- 10: activations ----

static const char activations_formula[] =
    "s b (whole + shared / t), sequence-parallel s b (whole + shared) / t\n"
    "whole: 8 h, dropout 2 h, latent 4 (r_q + r_kv), 4 h for each active expert\n"
    "shared: 2 (a + k) (d_q + d_v), qk_norm 2 (a + k) d, MLP 4 f or gated 6 f;\n"
    "  and if nothing is computed again: flash 4 a, or scores 2 a s, dropout 5 a s";

static void check_full(const char *name, KnBlock block, KnPass pass, double want, const char *sum)
{
    double t = (double)pass.tensor_parallel;
    assert_real(
        kn_activation_bytes(&block, &pass), want, .name = name, .sum = sum,
        .formula = "full: 2 h s b, sequence-parallel 2 h s b / t",
        .clues = {{.times = pass.sequence_parallel ? t : 1 / t,
                   .likely = "it is shared by t when sequence-parallel, and only then"},
                  {.times = 1 / (double)pass.batch, .likely = "a micro-batch is b sequences"},
                  {.times = 0.5, .likely = "bytes: a number has two"}});
}

static void check_activations(const char *name, KnBlock b, KnPass pass, double want,
                              const char *sum)
{
    bool latent = b.kv_rank > 0;
    double t = (double)pass.tensor_parallel, h = (double)b.width, a = (double)b.heads,
           s = (double)pass.sequence, tokens = s * (double)pass.batch, E = (double)b.experts;
    double k = (double)(latent ? b.heads : b.kv_heads), d = (double)b.head_dim;
    double d_q = (double)(b.nope_dim + b.rope_dim), d_v = (double)b.value_dim;
    double active = (double)b.active_experts, f_e = (double)b.expert_ffn;
    double f = (double)(b.ffn + b.shared_ffn) + active * f_e;
    double score = pass.dropout ? 5 : 2, scores = tokens * a * s / t;
    double whole = (8 + (pass.dropout ? 2 : 0)) * h + 4 * h * active +
                   4 * (double)(b.q_rank + (latent ? b.kv_rank : 0));
    assert_real(
        kn_activation_bytes(&b, &pass), want, .name = name, .formula = activations_formula,
        .sum = sum, .tokens = tokens,
        .clues = {{.off = score * scores * (t - 1),
                   .likely = "the scores are shared by t: each GPU has a / t heads"},
                  {.off = score * scores,
                   .likely = "as much as the scores, which flash and recomputation do not keep"},
                  {.off = score * scores * (1 - k / a),
                   .likely = "every query head has scores of its own: a s, not k s"},
                  {.off = scores, .likely = "as much as the mask of the scores, a byte for each"},
                  {.off = tokens * 4 * a / t,
                   .likely = "as much as flash attention's float for each row"},
                  {.off = tokens * whole * (1 - 1 / t),
                   .likely = "what is whole is shared by t when sequence-parallel, and only then"},
                  {.off = tokens * 2 * h, .likely = "as much as dropout's two masks, or one norm"},
                  {.off = 3 * scores + tokens * 2 * h, .likely = "as much as dropout keeps"},
                  {.off = tokens * 4 * (a - k) * d / t, .likely = "keys and values have k heads"},
                  {.off = tokens * 2 * (a + k) * (d_q - d_v) / t,
                   .likely = "q and k are of d_n + d_r a head, v and o's input of d_v"},
                  {.off = tokens * 2 * f / t, .likely = "gated keeps 3 arrays of f, plain 2"},
                  {.off = tokens * 6 * (double)b.shared_ffn / t,
                   .likely = "as much as the shared MLP keeps"},
                  {.off = tokens * 6 * (E - active) * f_e / t,
                   .likely = "a token leaves something in its active experts alone"},
                  {.off = b.qk_norm ? tokens * 2 * (a + k) * d / t : 0,
                   .likely = "as much as q and k before their norms"},
                  {.off = tokens * 4 * h * active,
                   .likely = "as much as the inputs and outputs of the active experts"},
                  {.off = latent ? tokens * 4 * (double)(b.q_rank + b.kv_rank) : 0,
                   .likely = "as much as the latents, before and after their norms"}});
}

// GPT-3's layer, as Korthikanti et al. 2022 write of it: h = 12288, a = 96, s = 2048, 5 a s / h = 80.
static KnPass gpt3_pass(uint64_t t, bool sequence_parallel, KnRecompute recompute)
{
    return (KnPass){.sequence = 2048,
                    .batch = 1,
                    .tensor_parallel = t,
                    .sequence_parallel = sequence_parallel,
                    .dropout = true,
                    .recompute = recompute};
}

static const double sbh = 2048.0 * 12288;

static void activations__of_gpt_3_are_34_and_80(void **state)
{
    (void)state;
    check_activations("GPT-3", gpt_of(12288, 96), gpt3_pass(1, false, KN_KEEP_ALL), sbh * (34 + 80),
                      "s b h (34 + 5 a s / h): equation 1");
}

static void activations__shared_by_tensor_parallelism_leave_10_whole(void **state)
{
    (void)state;
    for (uint64_t t = 2; t <= 8; t *= 2)
        check_activations("GPT-3, tensor-parallel", gpt_of(12288, 96),
                          gpt3_pass(t, false, KN_KEEP_ALL),
                          sbh * (10 + 24 / (double)t + 80 / (double)t),
                          "s b h (10 + 24 / t + 5 a s / (h t)): equation 2");
}

static void activations__shared_by_sequence_parallelism_are_all_shared(void **state)
{
    (void)state;
    for (uint64_t t = 1; t <= 8; t *= 2)
        check_activations("GPT-3, tensor- and sequence-parallel", gpt_of(12288, 96),
                          gpt3_pass(t, true, KN_KEEP_ALL), sbh / (double)t * (34 + 80),
                          "s b h / t (34 + 5 a s / h): equation 4");
}

static void activations__computed_again_selectively_lose_the_scores(void **state)
{
    (void)state;
    check_activations("GPT-3, selective", gpt_of(12288, 96), gpt3_pass(8, true, KN_SELECTIVE),
                      sbh / 8 * 34, "34 s b h / t: equation 6");
    check_activations("GPT-3, selective, no sequence parallelism", gpt_of(12288, 96),
                      gpt3_pass(8, false, KN_SELECTIVE), sbh * (10 + 24.0 / 8),
                      "s b h (10 + 24 / t)");
    // Megatron-LM's estimate, s b h (18 + 4 f / h), of a plain MLP of another size.
    KnBlock block = gpt_of(4096, 32);
    block.ffn = 11008;
    KnPass pass = gpt3_pass(1, true, KN_SELECTIVE);
    pass.sequence = 4096;
    check_activations("h = 4096, f = 11008", block, pass, 482344960, "s b (18 h + 4 f)");
}

static void activations__computed_again_in_full_are_the_input(void **state)
{
    (void)state;
    check_full("GPT-3, full", gpt_of(12288, 96), gpt3_pass(1, false, KN_FULL), 2 * sbh, "2 s b h");
    check_full("GPT-3, full, t = 8", gpt_of(12288, 96), gpt3_pass(8, false, KN_FULL), 2 * sbh,
               "2 s b h");
    check_full("GPT-3, full, sequence-parallel", gpt_of(12288, 96), gpt3_pass(8, true, KN_FULL),
               2 * sbh / 8, "2 s b h / t");
    KnPass pass = {.sequence = 100, .batch = 3, .tensor_parallel = 2, .recompute = KN_FULL};
    check_full("DeepSeek-V3, full", deepseek_v3, pass, 2.0 * 7168 * 300, "2 s b h");
}

static void activations__without_dropout_have_no_masks(void **state)
{
    (void)state;
    KnPass pass = gpt3_pass(1, false, KN_KEEP_ALL);
    pass.dropout = false;
    check_activations("GPT-3, no dropout", gpt_of(12288, 96), pass, sbh * (32 + 32),
                      "s b h (34 - 2) + 2 a s s b");
}

static void activations__with_flash_attention_keep_a_float_per_row(void **state)
{
    (void)state;
    KnPass pass = gpt3_pass(4, true, KN_KEEP_ALL);
    pass.flash = true;
    check_activations("GPT-3, flash, t = 4", gpt_of(12288, 96), pass,
                      (sbh * 34 + 2048 * 4.0 * 96) / 4, "(34 s b h + 4 a s b) / t");
    pass.recompute = KN_SELECTIVE;
    check_activations("GPT-3, flash and selective", gpt_of(12288, 96), pass, sbh * 34 / 4,
                      "34 s b h / t");
}

// clang-format off
// What a token leaves: arrays of so many numbers, each of so many bytes; shared by t GPUs or not.
typedef struct Array {
    const char *what;    // NULL ends a list
    double      numbers, bytes;
    bool        shared;
} Array;

static double sum_of(const Array *array, double whole_by, double t)
{
    double sum = 0;
    for (; array->what != NULL; array++)
        sum += array->numbers * array->bytes / (array->shared ? t : whole_by);
    return sum;
}

static void activations__of_a_gated_grouped_block_are_its_arrays(void **state)
{
    (void)state;
    const Array arrays[] = {
        {"input", 4096, 2, false},  {"after the norm", 4096, 2, false},
        {"q", 32 * 128, 2, true},   {"k", 8 * 128, 2, true},    {"v", 8 * 128, 2, true},
        {"rows", 32, 4, true},      {"o's input", 32 * 128, 2, true},
        {"middle", 4096, 2, false}, {"after the norm", 4096, 2, false},
        {"gate", 14336, 2, true},   {"up", 14336, 2, true},     {"down's input", 14336, 2, true},
        {NULL, 0, 0, false}};
    KnPass pass = {.sequence = 8192, .batch = 2, .tensor_parallel = 1, .flash = true};
    check_activations("Llama-3.1-8B, flash", llama_31_8b, pass, 8192 * 2 * sum_of(arrays, 1, 1),
                      "16,384 x 2 (4 x 4096 + 2 x 4096 + 2 x 1024 + 3 x 14336 + 2 x 32)");
    pass.tensor_parallel = 8;
    check_activations("Llama-3.1-8B, flash, t = 8", llama_31_8b, pass,
                      8192 * 2 * sum_of(arrays, 1, 8), "2 x 4 x 4096 whole, the rest / 8");
}

static void activations__of_queries_and_keys_with_norms_are_kept_twice(void **state)
{
    (void)state;
    const Array arrays[] = {
        {"input, middle", 2 * 1024, 2, false}, {"after the norms", 2 * 1024, 2, false},
        {"q before its norm", 16 * 128, 2, true}, {"q", 16 * 128, 2, true},
        {"k before its norm", 8 * 128, 2, true},  {"k", 8 * 128, 2, true},
        {"v", 8 * 128, 2, true}, {"rows", 16, 4, true}, {"o's input", 16 * 128, 2, true},
        {"gate, up, down's input", 3 * 3072, 2, true},
        {NULL, 0, 0, false}};
    KnPass pass = {.sequence = 1000, .batch = 1, .tensor_parallel = 4, .flash = true};
    check_activations("Qwen3-0.6B, flash, t = 4", qwen3_06b, pass, 1000 * sum_of(arrays, 1, 4),
                      "2 x 4 x 1024 whole, the rest / 4");
}

static void activations__of_a_latent_block_hold_its_latents(void **state)
{
    (void)state;
    const Array arrays[] = {
        {"input, middle", 2 * 7168, 2, false}, {"after the norms", 2 * 7168, 2, false},
        {"latent of q before its norm", 1536, 2, false}, {"and after", 1536, 2, false},
        {"latent of k and v before its norm", 512, 2, false}, {"and after", 512, 2, false},
        {"q", 128 * 192, 2, true}, {"k", 128 * 192, 2, true}, {"v", 128 * 128, 2, true},
        {"rows", 128, 4, true},    {"o's input", 128 * 128, 2, true},
        {"gate, up, down's input", 3 * 18432, 2, true},
        {NULL, 0, 0, false}};
    KnPass pass = {.sequence = 4096, .batch = 1, .tensor_parallel = 8, .flash = true};
    check_activations("DeepSeek-V3, layer 1, t = 8", deepseek_v3_dense, pass,
                      4096 * sum_of(arrays, 1, 8), "2 (4 x 7168 + 2 x 2048) whole, the rest / 8");
    pass.sequence_parallel = true;
    check_activations("DeepSeek-V3, layer 1, sequence-parallel", deepseek_v3_dense, pass,
                      4096 * sum_of(arrays, 8, 8), "all of it / 8");
}

static void activations__of_a_mixture_are_those_of_its_active_experts(void **state)
{
    (void)state;
    const Array arrays[] = {
        {"input, middle", 2 * 2048, 2, false}, {"after the norms", 2 * 2048, 2, false},
        {"latent of k and v, before and after", 2 * 512, 2, false},
        {"q, k", 2 * 16 * 192, 2, true}, {"v, o's input", 2 * 16 * 128, 2, true}, {"rows", 16, 4, true},
        {"copies of the input for 6 experts", 6 * 2048, 2, false},
        {"gate, up, down's input of each", 6 * 3 * 1408, 2, true},
        {"outputs, to be weighed", 6 * 2048, 2, false},
        {"gate, up, down's input of the shared ones", 3 * 2816, 2, true},
        {NULL, 0, 0, false}};
    KnPass pass = {.sequence = 4096, .batch = 1, .tensor_parallel = 1, .flash = true};
    check_activations("DeepSeek-V2-Lite, layer 2", deepseek_v2_lite, pass,
                      4096 * sum_of(arrays, 1, 1), NULL);
    pass.tensor_parallel = 2;
    check_activations("DeepSeek-V2-Lite, layer 2, t = 2", deepseek_v2_lite, pass,
                      4096 * sum_of(arrays, 1, 2), NULL);
    pass.sequence_parallel = true;
    check_activations("DeepSeek-V2-Lite, layer 2, sequence-parallel", deepseek_v2_lite, pass,
                      4096 * sum_of(arrays, 2, 2), NULL);
}
// clang-format on

static void activations__are_what_pytorch_keeps_of_small_blocks(void **state)
{
    (void)state;
    // bfloat16, 128 tokens: the bytes a token that autograd saves (saved_tensors_hooks, each storage
    // once, no parameters), with a norm and a gate that save their inputs alone. Without the
    // statistics of layer norms, and the router's own few numbers.
    KnPass pass = {.sequence = 128, .batch = 2, .tensor_parallel = 1};
    KnBlock gpt = gpt_of(256, 8), mha, latent, routed;
    KnBlock gqa = {
        .width = 256, .heads = 8, .kv_heads = 2, .head_dim = 32, .ffn = 700, .gated = true};
    check_activations("grouped, 2 of 8 heads", gqa, pass, 256 * 9576.0, NULL);
    mha = gqa;
    mha.kv_heads = 8;
    pass.flash = true;
    check_activations("full, flash", mha, pass, 256 * 8328.0, NULL);
    pass.flash = false;
    gqa.qk_norm = true;
    check_activations("grouped, with norms of q and k", gqa, pass, 256 * 10216.0, NULL);
    gqa.qk_norm = false;
    latent = (KnBlock){.width = 256,
                       .heads = 8,
                       .q_rank = 96,
                       .kv_rank = 64,
                       .nope_dim = 32,
                       .rope_dim = 16,
                       .value_dim = 32,
                       .ffn = 700,
                       .gated = true};
    check_activations("latent", latent, pass, 256 * 11496.0, NULL);
    latent.q_rank = 0;
    check_activations("latent, no rank of queries", latent, pass, 256 * 11112.0, NULL);
    routed = gqa;
    routed.ffn = 0;
    routed.experts = 8, routed.active_experts = 2, routed.expert_ffn = 100, routed.shared_ffn = 300;
    check_activations("2 experts of 8, and a shared one", routed, pass, 256 * 10424.0, NULL);
    pass.dropout = true;
    check_activations("GPT's shape", gpt, pass, 256 * 13824.0, NULL);
}

static void activations__pass_32_bits(void **state)
{
    (void)state;
    // Llama-3.1-405B's layer at 128k tokens with its scores: 2 x 128 x 131072^2 bytes of them.
    KnPass pass = {.sequence = 131072, .batch = 1, .tensor_parallel = 1};
    double s = 131072;
    check_activations("Llama-3.1-405B, 131072 tokens", llama_31_405b, pass,
                      s * (8.0 * 16384 + 4 * (16384 + 1024) + 6.0 * 53248 + 2 * 128 * s), NULL);
}

const struct CMUnitTest training_cases[] = {
    cmocka_unit_test(training_state__of_7_5_billion_on_64_gpus_is_zeros_figure),
    cmocka_unit_test(training_state__on_one_gpu_is_whole_at_every_stage),
    cmocka_unit_test(training_state__rounds_a_part_up_to_whole_parameters),
    cmocka_unit_test(training_state__is_that_of_the_recipe),
    cmocka_unit_test(training_state__splits_one_more_at_each_stage),
    cmocka_unit_test(training_state__passes_32_bits),
    cmocka_unit_test(activations__of_gpt_3_are_34_and_80),
    cmocka_unit_test(activations__shared_by_tensor_parallelism_leave_10_whole),
    cmocka_unit_test(activations__shared_by_sequence_parallelism_are_all_shared),
    cmocka_unit_test(activations__computed_again_selectively_lose_the_scores),
    cmocka_unit_test(activations__computed_again_in_full_are_the_input),
    cmocka_unit_test(activations__without_dropout_have_no_masks),
    cmocka_unit_test(activations__with_flash_attention_keep_a_float_per_row),
    cmocka_unit_test(activations__of_a_gated_grouped_block_are_its_arrays),
    cmocka_unit_test(activations__of_queries_and_keys_with_norms_are_kept_twice),
    cmocka_unit_test(activations__of_a_latent_block_hold_its_latents),
    cmocka_unit_test(activations__of_a_mixture_are_those_of_its_active_experts),
    cmocka_unit_test(activations__are_what_pytorch_keeps_of_small_blocks),
    cmocka_unit_test(activations__pass_32_bits),
    {0},
};
