/* Activations kept for the backward pass, against papers' formulas and what PyTorch keeps. */
#include "labs/5_frontier/key_numbers/app/tests/trained.h"

static double layer_of(const Model *model, const Question *q)
{
    return trained(model, q).layers[0].total;
}

// Korthikanti et al. 2022, equations 1 to 6 and Table 2.
static void korthikantis_forms_come_out_for_gpt3(void **state)
{
    (void)state;
    const Model *model = shaped("gpt2", gpt3_block, 96, 51200, true);
    const double h = 12288, a = 96, s = 2048, b = 2, t = 8, sbh = s * b * h;
    assert_close(5 * a * s / h, 80, 0);    // of GPT-3, section 5
    Question q = question();
    q.sequence = 2048, q.micro_batch = 2, q.flash = false;
    assert_close(layer_of(model, &q), sbh * (34 + 5 * a * s / h), 1);
    q.tp = 8;
    assert_close(layer_of(model, &q), sbh * (10 + 24 / t + 5 * a * s / (h * t)), 1);
    q.recompute = "selective";
    assert_close(layer_of(model, &q), sbh * (10 + 24 / t), 1);
    q.sp = true;
    assert_close(layer_of(model, &q), sbh / t * 34, 1);
    q.recompute = "none";
    assert_close(layer_of(model, &q), sbh / t * (34 + 5 * a * s / h), 1);
    q.recompute = "full", q.sp = false;
    assert_close(layer_of(model, &q), 2 * sbh, 1);
}

// Megatron's report counts sbh (18 + 4 f / h) whatever the MLP: Llama-2-7B at 4096 tokens.
static void megatrons_layer_of_llama_2_comes_out(void **state)
{
    (void)state;
    KnBlock block = llama2_block;
    block.gated = false;
    Question q = question();
    q.recompute = "selective";
    assert_close(layer_of(shaped("gpt2", block, 32, 32000, false), &q), 482344960, 0);
}

// tests/measure_activations.py, "fused block": 24632 bytes a token, of which 8 are its norms' mean and
// 1 / sigma; h 768, 12 heads, f 3072, 512 tokens. It has no dropout.
static void pytorch_keeps_as_much_of_a_fused_block_as_the_formula(void **state)
{
    (void)state;
    KnBlock block = {
        .width = 768, .heads = 12, .kv_heads = 12, .head_dim = 64, .ffn = 3072, .norms = 2 * 768};
    Question q = question();
    q.sequence = 512;
    assert_close(layer_of(shaped("test", block, 1, 100, true), &q), 512 * (24632 - 8), 0);
}

static void fp32_doubles_all_but_masks_and_rows(void **state)
{
    (void)state;
    const Model *plain = llama_8b(), *dropout = shaped("gpt2", gpt3_block, 96, 51200, true);
    Question q = question();
    q.sequence = 1024, q.flash = false;
    double half = layer_of(plain, &q), masked = layer_of(dropout, &q);
    q.precision = "fp32";
    assert_close(layer_of(plain, &q), 2 * half, 0);
    assert_close(layer_of(dropout, &q), 2 * masked - 1024.0 * (2 * 12288 + 96 * 1024), 0);
    q.flash = true;    // 4 bytes for each row and head before and after
    assert_close(layer_of(plain, &q), 2 * (half - 1024.0 * 2 * 32 * 1024) + 1024 * 4 * 32, 0);
}

static void more_than_two_norms_keep_their_inputs(void **state)
{
    (void)state;
    Model *model = shape_model(arena, "Gemma's norms", 4096, 1000, 0, true);
    int kind = shape_layers(model, 4, llama_block, 0);
    build_vector(model, kind, COMPONENT_NORM, ROLE_NORM, "post_feedforward_layernorm.weight", 4096);
    build_vector(model, kind, COMPONENT_NORM, ROLE_NORM, "pre_feedforward_layernorm.weight", 4096);
    build_vector(model, kind, COMPONENT_NORM, ROLE_NORM, "post_attention_layernorm.weight", 4096);
    build_finish(model);
    Question q = question();
    TrainingMemory t = trained(model, &q);
    assert_close(t.layers[0].norms, 2 * 2 * 4096.0 * 4096, 0);
}

// A LayerNorm's weight and bias are one norm; Gemma 2 and 3 have four, T5's decoder has its third counted
// with its second attention.
static void a_familys_norms_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        double more;    // numbers of a token's, in those beyond two
    } rows[] = {{"openai-community/gpt2", 0},       {"google-bert/bert-base-uncased", 0},
                {"google-t5/t5-small", 0},          {"google/gemma-2-2b", 2 * 2304},
                {"google/gemma-3-1b-it", 2 * 1152}, {"tiiuae/falcon-7b", 0}};
    Question q = question();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TrainingMemory t = trained(model_of(rows[i].model), &q);
        for (int k = 0; k < KINDS_MAX; k++)
            if (t.layers[k].total > 0) assert_close(t.layers[k].norms, 2 * rows[i].more * 4096, 0);
    }
}

static void a_second_attention_keeps_half_a_block(void **state)
{
    (void)state;
    KnBlock block = {.width = 1024, .heads = 16, .kv_heads = 16, .head_dim = 64, .ffn = 4096};
    Model *model = shape_model(arena, "T5", 1024, 32128, 0, true);
    model->family = "t5";
    int encoder = shape_layers(model, 24, block, 0), decoder = shape_layers(model, 24, block, 0);
    model->kinds[encoder].caches = false, model->kinds[decoder].cross = true;
    build_finish(model);
    Question q = question();
    q.flash = false, q.sequence = 512;
    TrainingMemory t = trained(model, &q);
    // Korthikanti's attention, 11 sbh + 5 a s^2 b, and one norm's input and output, without a second.
    assert_close(t.layers[decoder].cross, 512 * (1024 * (11 + 2) + 5.0 * 16 * 512), 0);
    assert_close(t.layers[encoder].cross, 0, 0);
    assert_close(t.layers[encoder].block, t.layers[decoder].block, 0);
    double both = 24 * (t.layers[0].total + t.layers[1].total);
    assert_close(t.per_gpu.activations, both + 512 * (8 + 1024 + 4 * 2 * 1024.0), 0);
}

static void logits_are_floats_and_so_is_their_gradient(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    q.sequence = 8192;
    assert_close(trained(model, &q).per_gpu.logits, 8 * 8192.0 * 128256, 0);
    q.tp = 8;
    assert_close(trained(model, &q).per_gpu.logits, 8 * 8192.0 * 128256 / 8, 0);
    model = shaped("llama", llama_block, 32, 128256, true);    // a tied head is a head
    assert_close(trained(model, &q).per_gpu.logits, 8 * 8192.0 * 128256 / 8, 0);
}

static void full_recomputation_holds_one_layer_at_a_time(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    Question q = question();
    double all = layer_of(model, &q);
    q.recompute = "full";
    TrainingMemory t = trained(model, &q);
    assert_close(t.layers[0].total, 2 * 4096.0 * 4096, 0);
    assert_close(t.per_gpu.recomputed, all - t.layers[0].total, 0);
}

static void work_space_is_of_one_layer(void **state)
{
    (void)state;
    const Model *model = llama_8b();
    const double embed = 128256.0 * 4096, tokens = 4096;
    Question q = question();
    TrainingMemory t = trained(model, &q);
    assert_close(t.per_gpu.work, 2 * tokens * (4096 + 2 * 14336), 0);
    assert_close(t.per_gpu.backward, t.per_gpu.work, 0);
    q.dp = 4;    // what is divided is whole while it is used: the embedding is larger than a layer
    t = trained(model, &q);
    assert_close(t.by_zero[1].gathered, 0, 0);
    assert_close(t.by_zero[2].gathered, 2 * embed, 0);
    assert_close(t.by_zero[3].gathered, 4 * embed, 0);
    q.method = "lora", q.recompute = "none";
    double adapters = trained(model, &q).adapters[0];
    assert_close(adapters, 7 * 16 * 2 * tokens, 0);
    q.recompute = "full";
    TrainingMemory lora = trained(model, &q);
    assert_close(lora.adapters[0], 0, 0);
    q.method = "full";
    assert_close(lora.per_gpu.recomputed, trained(model, &q).per_gpu.recomputed + adapters, 0);
}

// A token's copies for its experts and what comes back, a float for each expert's probability.
static void routed_experts_keep_copies_of_their_tokens(void **state)
{
    (void)state;
    Question q = question();
    TrainingMemory t = trained(shaped("mixtral", mixtral_block, 32, 32000, false), &q);
    assert_close(t.layers[0].router, 4096 * 4 * 8, 0);
    assert_close(t.layers[0].block,
                 4096.0 * (8 * 4096 + 2 * 4 * 4096 + 2 * 40 * 256 + 2 * 3 * 2 * 14336 + 4 * 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(korthikantis_forms_come_out_for_gpt3),
        cmocka_unit_test(megatrons_layer_of_llama_2_comes_out),
        cmocka_unit_test(pytorch_keeps_as_much_of_a_fused_block_as_the_formula),
        cmocka_unit_test(fp32_doubles_all_but_masks_and_rows),
        cmocka_unit_test(more_than_two_norms_keep_their_inputs),
        cmocka_unit_test(a_familys_norms_are_counted),
        cmocka_unit_test(a_second_attention_keeps_half_a_block),
        cmocka_unit_test(logits_are_floats_and_so_is_their_gradient),
        cmocka_unit_test(full_recomputation_holds_one_layer_at_a_time),
        cmocka_unit_test(work_space_is_of_one_layer),
        cmocka_unit_test(routed_experts_keep_copies_of_their_tokens),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
