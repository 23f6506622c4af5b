/* Exercises 9 and 10: memory of training. check.c says how cases are made. */
#include <inttypes.h>
#include <stdio.h>
#include "labs/5_frontier/key_numbers/check.h"

// ---- 9: weights, gradients and optimizer state under ZeRO ----

typedef struct StateRow {
    const char *name;
    uint64_t params;
    KnRecipe recipe;
    int stage;
    uint64_t n;
    KnState want;
} StateRow;

static void check_state(const StateRow *row)
{
    static const char formula[] = "bytes x params, or bytes x ceil(params / n) from its stage on:\n"
                                  "optimizer state from 1, gradients from 2, weights from 3";
    char title[96];
    KnState got = {-1, -1, -1};
    const KnRecipe *recipe = &row->recipe;
    kn_training_state(&got, row->params, recipe, row->stage, row->n);
    const struct {
        const char *what;
        int from;
        double each, got, want;
    } part[] = {{"weights", 3, recipe->weights, got.weights, row->want.weights},
                {"gradients", 2, recipe->gradients, got.gradients, row->want.gradients},
                {"optimizer state", 1, recipe->state, got.state, row->want.state}};
    uint64_t least = row->params / row->n;
    double whole = (double)row->params, down = (double)least,
           up = (double)parts_of(row->params, row->n);
    for (int i = 0; i < 3; i++) {
        bool sharded = row->stage >= part[i].from;
        double kept = sharded ? up : whole;
        snprintf(title, sizeof title, "%s, stage %d, n = %" PRIu64 ": %s", row->name, row->stage,
                 row->n, part[i].what);
        const Clue clues[] = {
            VALUE(sharded ? part[i].each * whole : 0, "at this stage it is sharded: n parts"),
            VALUE(sharded ? 0 : part[i].each * up, "at this stage each GPU keeps all of it"),
            VALUE(sharded ? part[i].each * down : 0,
                  "rounded down, the parts would not hold all parameters"),
            VALUE(sharded ? part[i].each * whole / (double)row->n : 0,
                  "a part is of whole parameters: rounded up"),
            VALUE(kept * recipe->weights,
                  "each of the three has bytes of its own: these are the weights'"),
            VALUE(kept * recipe->state,
                  "each of the three has bytes of its own: these are the optimizer state's"),
            VALUE(kept, "these are parameters: multiply by the bytes"),
            {0}};
        assert_real(part[i].got, part[i].want, .name = title, .formula = formula, .clues = clues);
    }
}

static void state_rows(void **state)
{
    for (const StateRow *row = *state; row->name != NULL; row++) check_state(row);
}

// ---- 10: activations ----

// What a token leaves: arrays of so many numbers, each of so many bytes; shared by t GPUs or not.
typedef struct Array {
    const char *what;    // NULL ends a list
    double numbers, bytes;
    bool shared;
} Array;

typedef struct ActivationRow {
    const char *name;
    const KnBlock *block;
    KnPass pass;
    double want;
    const Array *arrays;    // where they are, want is their sum
    const char *sum;
} ActivationRow;

static const char activations_formula[] =
    "s b (whole + shared / t), sequence-parallel s b (whole + shared) / t\n"
    "whole: 8 h, dropout 2 h, latent 4 (r_q + r_kv), 4 h for each active expert\n"
    "shared: 2 (a + k) (d_q + d_v), qk_norm 2 (a + k) d, MLP 4 f or gated 6 f;\n"
    "  and without recomputation: flash 4 a, or scores 2 a s, dropout 5 a s";

static void check_full(const ActivationRow *row)
{
    const KnPass *pass = &row->pass;
    double t = (double)pass->tensor_parallel;
    assert_real(kn_activation_bytes(row->block, pass), row->want, .name = row->name,
                .formula = "full recomputation: 2 h s b, sequence-parallel 2 h s b / t",
                .sum = row->sum,
                .clues = CLUES(TIMES(pass->sequence_parallel ? t : 1 / t,
                                     "it is shared by t when sequence-parallel, and only then"),
                               TIMES(1 / (double)pass->batch, "a micro-batch is b sequences"),
                               TIMES(0.5, "a number takes two bytes")));
}

static void check_activations(const ActivationRow *row)
{
    KnBlock b = *row->block;
    KnPass pass = row->pass;
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
    const Clue clues[] = {
        OFF(score * scores * (t - 1), "the scores are shared by t: each GPU has a / t heads"),
        OFF(score * scores, "the size of the scores, which flash and recomputation do not store"),
        OFF(score * scores * (1 - k / a), "every query head has scores of its own: a s, not k s"),
        OFF(scores, "the size of the scores' mask, one byte each"),
        OFF(tokens * 4 * a / t, "the size of flash attention's float per row"),
        OFF(tokens * whole * (1 - 1 / t),
            "what is whole is shared by t when sequence-parallel, and only then"),
        OFF(tokens * 2 * h, "the size of dropout's two masks, or of one norm"),
        OFF(3 * scores + tokens * 2 * h, "the size of all that dropout stores"),
        OFF(tokens * 4 * (a - k) * d / t, "keys and values have k heads"),
        OFF(tokens * 2 * (a + k) * (d_q - d_v) / t,
            "q and k have d_n + d_r a head, v and o's input d_v"),
        OFF(tokens * 2 * f / t, "gated stores 3 arrays of f, plain 2"),
        OFF(tokens * 6 * (double)b.shared_ffn / t, "the size of the shared MLP's activations"),
        OFF(tokens * 6 * (E - active) * f_e / t,
            "a token has activations only in its active experts"),
        OFF(b.qk_norm ? tokens * 2 * (a + k) * d / t : 0, "the size of q and k before their norms"),
        OFF(tokens * 4 * h * active, "the size of the active experts' inputs and outputs"),
        OFF(latent ? tokens * 4 * (double)(b.q_rank + b.kv_rank) : 0,
            "the size of the latents before and after their norms"),
        {0}};
    double token = 0;
    for (const Array *array = row->arrays; array != NULL && array->what != NULL; array++)
        token += array->numbers * array->bytes / (array->shared || pass.sequence_parallel ? t : 1);
    assert_real(kn_activation_bytes(&b, &pass), row->arrays != NULL ? tokens * token : row->want,
                .name = row->name, .formula = activations_formula, .sum = row->sum,
                .tokens = tokens, .clues = clues);
}

static void activation_rows(void **state)
{
    for (const ActivationRow *row = *state; row->name != NULL; row++)
        if (row->pass.recompute == KN_FULL) check_full(row);
        else check_activations(row);
}

static void training_state__uses_what_the_recipe_holds_now(void **state)
{
    (void)state;
    KnRecipe recipe = {2, 2, 12};
    for (int call = 0; call < 2; call++) {
        if (call == 1) recipe.state = 6;
        KnState got = {-1, -1, -1};
        kn_training_state(&got, 1000, &recipe, 0, 1);
        assert_real(got.state, call == 0 ? 12000 : 6000, .name = "the same recipe, changed",
                    .formula = "bytes x params");
    }
}

static void activations__are_of_what_the_block_and_the_pass_hold_now(void **state)
{
    (void)state;
    KnBlock block = llama_31_8b;
    KnPass pass = {.sequence = 10, .batch = 1, .tensor_parallel = 1, .recompute = KN_FULL};
    for (int call = 0; call < 3; call++) {
        if (call == 1) pass.batch = 3;
        if (call == 2) block.width = 100;
        assert_real(kn_activation_bytes(&block, &pass),
                    call == 0   ? 2.0 * 4096 * 10
                    : call == 1 ? 2.0 * 4096 * 30
                                : 2.0 * 100 * 30,
                    .name = "the same block and pass, changed", .formula = "full: 2 h s b");
    }
}

static void activations__with_full_recomputation_ignore_all_but_the_width(void **state)
{
    (void)state;
    KnPass pass = {
        .sequence = 7, .batch = 2, .tensor_parallel = 4, .dropout = true, .recompute = KN_FULL};
    for (int flash = 0; flash < 2; flash++) {
        pass.flash = flash == 1;
        assert_real(kn_activation_bytes(&deepseek_v2_lite, &pass), 2.0 * 2048 * 14,
                    .name = "DeepSeek-V2-Lite, full, with dropout", .formula = "full: 2 h s b");
    }
}

// ---- the cases ----

// clang-format off
static const Array grouped[] = {    // Llama-3.1-8B
    {"input", 4096, 2, false},  {"after the norm", 4096, 2, false},
    {"q", 32 * 128, 2, true},   {"k", 8 * 128, 2, true},    {"v", 8 * 128, 2, true},
    {"rows", 32, 4, true},      {"o's input", 32 * 128, 2, true},
    {"middle", 4096, 2, false}, {"after the norm", 4096, 2, false},
    {"gate", 14336, 2, true},   {"up", 14336, 2, true},     {"down's input", 14336, 2, true},
    {NULL, 0, 0, false}};
static const Array qk_norms[] = {    // Qwen3-0.6B
    {"input, middle", 2 * 1024, 2, false}, {"after the norms", 2 * 1024, 2, false},
    {"q before its norm", 16 * 128, 2, true}, {"q", 16 * 128, 2, true},
    {"k before its norm", 8 * 128, 2, true},  {"k", 8 * 128, 2, true},
    {"v", 8 * 128, 2, true}, {"rows", 16, 4, true}, {"o's input", 16 * 128, 2, true},
    {"gate, up, down's input", 3 * 3072, 2, true},
    {NULL, 0, 0, false}};
static const Array latent_arrays[] = {    // DeepSeek-V3, layer 1
    {"input, middle", 2 * 7168, 2, false}, {"after the norms", 2 * 7168, 2, false},
    {"latent of q before its norm", 1536, 2, false}, {"and after", 1536, 2, false},
    {"latent of k and v before its norm", 512, 2, false}, {"and after", 512, 2, false},
    {"q", 128 * 192, 2, true}, {"k", 128 * 192, 2, true}, {"v", 128 * 128, 2, true},
    {"rows", 128, 4, true},    {"o's input", 128 * 128, 2, true},
    {"gate, up, down's input", 3 * 18432, 2, true},
    {NULL, 0, 0, false}};
static const Array mixture[] = {    // DeepSeek-V2-Lite, layer 2
    {"input, middle", 2 * 2048, 2, false}, {"after the norms", 2 * 2048, 2, false},
    {"latent of k and v, before and after", 2 * 512, 2, false},
    {"q, k", 2 * 16 * 192, 2, true}, {"v, o's input", 2 * 16 * 128, 2, true}, {"rows", 16, 4, true},
    {"copies of the input for 6 experts", 6 * 2048, 2, false},
    {"gate, up, down's input of each", 6 * 3 * 1408, 2, true},
    {"outputs, to be weighted", 6 * 2048, 2, false},
    {"gate, up, down's input of the shared ones", 3 * 2816, 2, true},
    {NULL, 0, 0, false}};

static const KnBlock plain_mlp = {.width = 4096, .heads = 32, .kv_heads = 32, .head_dim = 128,
    .qkv_bias = true, .out_bias = true, .ffn = 11008, .mlp_bias = true, .norms = 4 * 4096};

#define STAGES(n, part) \
    {"1000", 1000, {3, 5, 7}, 0, n, {3000, 5000, 7000}}, \
    {"1000", 1000, {3, 5, 7}, 1, n, {3000, 5000, 7 * part}}, \
    {"1000", 1000, {3, 5, 7}, 2, n, {3000, 5 * part, 7 * part}}, \
    {"1000", 1000, {3, 5, 7}, 3, n, {3 * part, 5 * part, 7 * part}}
#define ADAM {2, 2, 12}    // in mixed precision
// GPT-3's layer, as Korthikanti et al. 2022 write of it: h = 12288, a = 96, s = 2048, 5 a s / h = 80.
#define GPT3 &GPT(12288, 96)
#define SBH (2048.0 * 12288)
#define PASS(s, b, t) .sequence = (s), .batch = (b), .tensor_parallel = (t)
#define GPT3_PASS(t, split, how) \
    {PASS(2048, 1, t), .sequence_parallel = (split), .dropout = true, .recompute = (how)}
#define ALL_SHARED(t) {"GPT-3, t = " #t ", sequence-parallel", GPT3, \
    GPT3_PASS(t, true, KN_KEEP_ALL), SBH / (t) * (34 + 80), NULL, \
    "s b h / t (34 + 5 a s / h): equation 4"}
#define TEN_WHOLE(t) {"GPT-3, t = " #t, GPT3, GPT3_PASS(t, false, KN_KEEP_ALL), \
    SBH * (10 + 24.0 / (t) + 80.0 / (t)), NULL, "s b h (10 + 24 / t + 5 a s / (h t)): equation 2"}
#define SMALL .width = 256, .heads = 8, .head_dim = 32, .gated = true
#define LATENT .width = 256, .heads = 8, .kv_rank = 64, .nope_dim = 32, .rope_dim = 16, \
    .value_dim = 32, .ffn = 700, .gated = true

const struct CMUnitTest training_cases[] = {
    // Rajbhandari et al. 2020, figure 1: 120, 31.4, 16.6 and 1.9 GB.
    ROWS(training_state__of_7_5_billion_on_64_gpus_matches_zeros_figure, state_rows, StateRow,
        {"7.5e9, Adam", 7500000000, ADAM, 0, 64, {15e9, 15e9, 90e9}},
        {"7.5e9, Adam", 7500000000, ADAM, 1, 64, {15e9, 15e9, 90e9 / 64}},
        {"7.5e9, Adam", 7500000000, ADAM, 2, 64, {15e9, 15e9 / 64, 90e9 / 64}},
        {"7.5e9, Adam", 7500000000, ADAM, 3, 64, {15e9 / 64, 15e9 / 64, 90e9 / 64}}),
    ROWS(training_state__on_one_gpu_is_whole_at_every_stage, state_rows, StateRow,
        {"GPT-2, Adam", 124439808, ADAM, 0, 1, {248879616, 248879616, 1493277696}},
        {"GPT-2, Adam", 124439808, ADAM, 1, 1, {248879616, 248879616, 1493277696}},
        {"GPT-2, Adam", 124439808, ADAM, 2, 1, {248879616, 248879616, 1493277696}},
        {"GPT-2, Adam", 124439808, ADAM, 3, 1, {248879616, 248879616, 1493277696}}),
    // 10 parameters for 4: three each, and the last has room to spare.
    ROWS(training_state__rounds_a_part_up_to_whole_parameters, state_rows, StateRow,
        {"10, Adam", 10, ADAM, 0, 4, {20, 20, 120}},
        {"10, Adam", 10, ADAM, 1, 4, {20, 20, 36}},
        {"10, Adam", 10, ADAM, 2, 4, {20, 6, 36}},
        {"10, Adam", 10, ADAM, 3, 4, {6, 6, 36}},
        {"3, Adam", 3, ADAM, 3, 8, {2, 2, 12}},
        {"none, Adam", 0, ADAM, 3, 8, {0, 0, 0}}),
    ROWS(training_state__follows_the_recipe, state_rows, StateRow,
        {"1000, SGD in fp32", 1000, {4, 4, 0}, 1, 10, {4000, 4000, 0}},
        {"1000, Adam in 8 bits", 1000, {2, 2, 6}, 1, 10, {2000, 2000, 600}},
        {"1000, fp32 gradients", 1000, {2, 4, 12}, 2, 10, {2000, 400, 1200}},
        {"1000, weights in 4.127 bits", 1000, {0.515869140625, 0, 0}, 0, 10,
         {515.869140625, 0, 0}}),
    ROWS(training_state__shards_one_more_part_at_each_stage, state_rows, StateRow,
        STAGES(2, 500), STAGES(3, 334), STAGES(4, 250), STAGES(5, 200),
        STAGES(6, 167), STAGES(7, 143), STAGES(8, 125), STAGES(9, 112)),
    // 671026419200 over 2048 GPUs: 327649618.75, rounded up.
    ROWS(training_state__counts_large_models, state_rows, StateRow,
        {"DeepSeek-V3, Adam", 671026419200, ADAM, 1, 2048,
         {1342052838400, 1342052838400, 3931795428}},
        {"DeepSeek-V3, Adam", 671026419200, ADAM, 3, 2048, {655299238, 655299238, 3931795428}}),

    ROWS(training_state__is_computed_in_double, state_rows, StateRow,
        {"2^24 + 1", 16777217, {0.1, 0.3, 0.7}, 0, 3, {1677721.7, 5033165.1, 11744051.9}},
        {"2^24 + 1", 16777217, {0.1, 0.3, 0.7}, 3, 1, {1677721.7, 5033165.1, 11744051.9}}),
    cmocka_unit_test(training_state__uses_what_the_recipe_holds_now),

    ROWS(activations__of_gpt_3_are_34_plus_80, activation_rows, ActivationRow,
        {"GPT-3", GPT3, GPT3_PASS(1, false, KN_KEEP_ALL), SBH * (34 + 80), NULL,
         "s b h (34 + 5 a s / h): equation 1"}),
    ROWS(activations__with_tensor_parallelism_keep_10_whole, activation_rows, ActivationRow,
        TEN_WHOLE(2), TEN_WHOLE(4), TEN_WHOLE(8)),
    ROWS(activations__with_sequence_parallelism_are_all_shared, activation_rows, ActivationRow,
        ALL_SHARED(1), ALL_SHARED(2), ALL_SHARED(4), ALL_SHARED(8)),
    ROWS(activations__with_selective_recomputation_omit_the_scores, activation_rows, ActivationRow,
        {"GPT-3, selective", GPT3, GPT3_PASS(8, true, KN_SELECTIVE), SBH / 8 * 34, NULL,
         "34 s b h / t: equation 6"},
        {"GPT-3, selective, no sequence parallelism", GPT3, GPT3_PASS(8, false, KN_SELECTIVE),
         SBH * (10 + 24.0 / 8), NULL, "s b h (10 + 24 / t)"},
        // Megatron-LM's estimate, s b h (18 + 4 f / h), of a plain MLP of another size.
        {"h = 4096, f = 11008", &plain_mlp,
         {PASS(4096, 1, 1), .sequence_parallel = true, .dropout = true, .recompute = KN_SELECTIVE},
         482344960, NULL, "s b (18 h + 4 f)"}),
    ROWS(activations__with_full_recomputation_are_the_input, activation_rows, ActivationRow,
        {"GPT-3, full", GPT3, GPT3_PASS(1, false, KN_FULL), 2 * SBH, NULL, "2 s b h"},
        {"GPT-3, full, t = 8", GPT3, GPT3_PASS(8, false, KN_FULL), 2 * SBH, NULL, "2 s b h"},
        {"GPT-3, full, sequence-parallel", GPT3, GPT3_PASS(8, true, KN_FULL), 2 * SBH / 8, NULL,
         "2 s b h / t"},
        {"DeepSeek-V3, full", &deepseek_v3, {PASS(100, 3, 2), .recompute = KN_FULL},
         2.0 * 7168 * 300, NULL, "2 s b h"}),
    ROWS(activations__without_dropout_have_no_masks, activation_rows, ActivationRow,
        {"GPT-3, no dropout", GPT3, {PASS(2048, 1, 1)}, SBH * (32 + 32), NULL,
         "s b h (34 - 2) + 2 a s s b"}),
    ROWS(activations__with_flash_attention_store_a_float_per_row, activation_rows, ActivationRow,
        {"GPT-3, flash, t = 4", GPT3,
         {PASS(2048, 1, 4), .sequence_parallel = true, .flash = true, .dropout = true},
         (SBH * 34 + 2048 * 4.0 * 96) / 4, NULL, "(34 s b h + 4 a s b) / t"},
        {"GPT-3, flash and selective", GPT3,
         {PASS(2048, 1, 4), .sequence_parallel = true, .flash = true, .dropout = true,
          .recompute = KN_SELECTIVE},
         SBH * 34 / 4, NULL, "34 s b h / t"}),
    ROWS(activations__of_a_gated_grouped_query_block_are_its_arrays, activation_rows, ActivationRow,
        {"Llama-3.1-8B, flash", &llama_31_8b, {PASS(8192, 2, 1), .flash = true}, 0, grouped,
         "16,384 x 2 (4 x 4096 + 2 x 4096 + 2 x 1024 + 3 x 14336 + 2 x 32)"},
        {"Llama-3.1-8B, flash, t = 8", &llama_31_8b, {PASS(8192, 2, 8), .flash = true}, 0, grouped,
         "2 x 4 x 4096 whole, the rest / 8"},
        {"h = 1001, a = k = 7, d = 143, f = 3001", &odd_sizes, {PASS(1001, 1, 1), .flash = true},
         34084050, NULL, "1001 (8 x 1001 + 2 x 14 x 286 + 6 x 3001 + 4 x 7)"}),
    ROWS(activations__of_normalized_queries_and_keys_are_stored_twice, activation_rows,
        ActivationRow,
        {"Qwen3-0.6B, flash, t = 4", &qwen3_06b, {PASS(1000, 1, 4), .flash = true}, 0, qk_norms,
         "2 x 4 x 1024 whole, the rest / 4"}),
    ROWS(activations__of_latent_attention_include_the_latents, activation_rows, ActivationRow,
        {"DeepSeek-V3, layer 1, t = 8", &deepseek_v3_dense, {PASS(4096, 1, 8), .flash = true}, 0,
         latent_arrays, "2 (4 x 7168 + 2 x 2048) whole, the rest / 8"},
        {"DeepSeek-V3, layer 1, sequence-parallel", &deepseek_v3_dense,
         {PASS(4096, 1, 8), .sequence_parallel = true, .flash = true}, 0, latent_arrays,
         "all of it / 8"}),
    ROWS(activations__of_a_mixture_are_those_of_its_active_experts, activation_rows, ActivationRow,
        {"DeepSeek-V2-Lite, layer 2", &deepseek_v2_lite, {PASS(4096, 1, 1), .flash = true}, 0,
         mixture, NULL},
        {"DeepSeek-V2-Lite, layer 2, t = 2", &deepseek_v2_lite, {PASS(4096, 1, 2), .flash = true},
         0, mixture, NULL},
        {"DeepSeek-V2-Lite, layer 2, sequence-parallel", &deepseek_v2_lite,
         {PASS(4096, 1, 2), .sequence_parallel = true, .flash = true}, 0, mixture, NULL}),
    // bfloat16, 128 tokens: the bytes a token that autograd saves (saved_tensors_hooks, each storage
    // once, no parameters), with a norm and a gate that save their inputs only. Without the
    // statistics of layer norms, and the router's own few numbers.
    ROWS(activations__match_what_pytorch_saves_for_small_blocks, activation_rows, ActivationRow,
        {"grouped-query, 2 of 8 heads", &(KnBlock){SMALL, .kv_heads = 2, .ffn = 700},
         {PASS(128, 2, 1)}, 256 * 9576.0, NULL, NULL},
        {"multi-head, flash", &(KnBlock){SMALL, .kv_heads = 8, .ffn = 700},
         {PASS(128, 2, 1), .flash = true}, 256 * 8328.0, NULL, NULL},
        {"grouped-query, with norms of q and k",
         &(KnBlock){SMALL, .kv_heads = 2, .ffn = 700, .qk_norm = true},
         {PASS(128, 2, 1)}, 256 * 10216.0, NULL, NULL},
        {"latent", &(KnBlock){LATENT, .q_rank = 96}, {PASS(128, 2, 1)}, 256 * 11496.0, NULL, NULL},
        {"latent, without a query rank", &(KnBlock){LATENT}, {PASS(128, 2, 1)}, 256 * 11112.0, NULL,
         NULL},
        {"2 experts of 8, and a shared one",
         &(KnBlock){SMALL, .kv_heads = 2, .experts = 8, .active_experts = 2, .expert_ffn = 100,
                    .shared_ffn = 300},
         {PASS(128, 2, 1)}, 256 * 10424.0, NULL, NULL},
        {"GPT's shape", &GPT(256, 8), {PASS(128, 2, 1), .dropout = true}, 256 * 13824.0, NULL,
         NULL}),
    // 4099 x 4099 tokens are above 2^24; 17 + 24 + 27 bytes in 3 parts are no whole number.
    ROWS(activations__are_computed_in_double, activation_rows, ActivationRow,
        {"h = 1, a = k = 1, d = 1, f = 3, t = 3",
         &(KnBlock){.width = 1, .heads = 1, .kv_heads = 1, .head_dim = 1, .ffn = 3},
         {PASS(4099, 4099, 3), .flash = true}, 4099.0 * 4099 * (8 + (8 + 12 + 4) / 3.0), NULL,
         "s b (8 h + (8 d + 4 f + 4 a) / t)"},
        {"the same, 5 GPUs",
         &(KnBlock){.width = 1, .heads = 1, .kv_heads = 1, .head_dim = 1, .ffn = 3},
         {PASS(4099, 4099, 5), .flash = true}, 4099.0 * 4099 * (8 + (8 + 12 + 4) / 5.0), NULL,
         "s b (8 h + (8 d + 4 f + 4 a) / t)"}),
    // Llama-3.1-405B's layer at 128k tokens with its scores: 2 x 128 x 131072^2 bytes of them.
    ROWS(activations__count_long_sequences, activation_rows, ActivationRow,
        {"Llama-3.1-405B, 131072 tokens", &llama_31_405b, {PASS(131072, 1, 1)},
         131072.0 * (8.0 * 16384 + 4 * (16384 + 1024) + 6.0 * 53248 + 2 * 128 * 131072.0), NULL,
         NULL}),
    ROWS(activations__of_the_longest_sequences_do_not_overflow, activation_rows, ActivationRow,
        {"h = 1, a = k = 4, d = 1, 2^62 tokens",
         &(KnBlock){.width = 1, .heads = 4, .kv_heads = 4, .head_dim = 1},
         {PASS((uint64_t)1 << 62, 1, 1), .dropout = true}, 0x1p62 * (5 * 4 * 0x1p62 + 10 + 32), NULL,
         "s b ((2 + 3) a s + 10 h + 2 (a + k) 2 d)"}),
    cmocka_unit_test(activations__are_of_what_the_block_and_the_pass_hold_now),
    cmocka_unit_test(activations__with_full_recomputation_ignore_all_but_the_width),
    {0},
};
// clang-format on
