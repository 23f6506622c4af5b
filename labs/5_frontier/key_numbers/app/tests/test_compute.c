// FLOPs, speed and cost against published figures: papers' tables, measured tokens a second.
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/shapes.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/facts.h"

static Question question_on(const char *gpu)
{
    Question question = question_default();
    Error err;
    question.gpu = gpu;
    question.weights = "bf16";
    if (!question_settle(&question, arena, &err)) fail_msg("%s", err.message);
    return question;
}

static Speed speed_of(const Model *model, const Question *question)
{
    return planned(arena, model, question, PART_COMPUTE)->speed;
}

// Experts of each layer, expected.
static double touched_of(const Model *model, const Question *question)
{
    Speed speed = speed_of(model, question);
    return speed.decode.touched * (double)speed.load.routed;
}

static double ridge_of(const Model *model, const Question *question)
{
    Speed speed = speed_of(model, question);
    return speed.load.peak / speed.load.bandwidth;
}

static TrainingCost run_of(const Model *model, const Question *question)
{
    return planned(arena, model, question, PART_COMPUTE)->run;
}

static Rows *report(const Model *model, const Question *question)
{
    return reported(arena, model, question, PART_COMPUTE);
}

// To train on one token.
static double training_flops(const Model *model, uint64_t sequence)
{
    return flops_plan(model, sequence).training;
}

// Chowdhery et al. 2022, table 1: 118 layers, multi-query, SwiGLU, no biases, tied embeddings.
static Model *palm(void)
{
    KnBlock block = {.width = 18432,
                     .heads = 48,
                     .kv_heads = 1,
                     .head_dim = 256,
                     .ffn = 4 * 18432,
                     .gated = true,
                     .norms = 18432};
    Model *model = shape_model(arena, "PaLM-540B", 18432, 256000, 2048, true);
    shape_layers(model, 118, block, 0);
    build_finish(model);
    return model;
}

// ---- FLOPs ----

static void gpt3_took_3_14e23(void **state)
{
    (void)state;
    // Brown et al. 2020, table D.1: 3.14E+23 FLOPs for 300 billion tokens.
    Question question = question_on("v100-sxm-32");
    question.train_tokens = 300e9;
    assert_close(run_of(model_of("gpt3-175b"), &question).six_nd, 3.14e23, 0.005e23);
}

static void deepseek_printed_what_a_token_takes(void **state)
{
    (void)state;
    // "Insights into DeepSeek-V3" (2025), table 2: GFLOP to train on a token, sequences of 4096.
    assert_close(training_flops(model_of("DeepSeek-V2"), 4096), 155e9, 0.5e9);
    assert_close(training_flops(model_of("DeepSeek-V3"), 4096), 250e9, 0.5e9);
    // It prints 2448 for Llama-3.1-405B, which is what sequences of 2048 take; 4096 take 2473.
    assert_close(training_flops(model_of("Llama-3.1-405B"), 2048), 2448e9, 1e9);
    assert_close(training_flops(model_of("Llama-3.1-405B"), 4096), 2473e9, 1e9);
}

static void palm_reached_46_2_per_cent_of_its_peak(void **state)
{
    (void)state;
    Model *model = palm();
    assert_close((double)model_params(model), 540.35e9, 0.01e9);
    Question question = question_on("tpu-v4");
    question.sequence = 2048;
    question.train_tokens = 780e9;
    Rows *rows = report(model, &question);
    // Table 3: 238.3K tokens a second on 6144 TPU v4 of 275 TFLOP/s.
    assert_close(238.3e3 * number_of(rows, "compute.conventions.palm") / (6144 * 275e12), 0.462,
                 0.0005);
    // Table 21: 2527.2 zettaFLOPs for 780 billion tokens, as 6 N D.
    assert_close(number_of(rows, "compute.training.flops_6nd"), 2527.2e21, 2527.2e21 * 0.001);
    assert_close(number_of(rows, "compute.conventions.palm_recomputed"),
                 number_of(rows, "compute.conventions.palm") * 4 / 3, 1e6);
}

static void narayanans_formula_is_ours_of_a_gpt(void **state)
{
    (void)state;
    // 96 B l s h^2 (1 + s/(6h) + V/(16 l h)), of B s tokens (Narayanan et al. 2021, equation 3).
    double h = 12288, l = 96, s = 2048, v = 50257;
    double formula = 96 * l * h * h * (1 + s / (6 * h) + v / (16 * l * h));
    assert_close(flops_plan(model_of("gpt3-175b"), 2048).narayanan, formula, formula * 1e-12);
}

static void conventions_differ_by_what_they_count(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    Question question = question_on("h100-sxm");
    question.sequence = 8192;
    Rows *rows = report(model, &question);
    double n = 8030261248.0 - 128256.0 * 4096 - 65 * 4096, lads = 32.0 * 32 * 128 * 8192;
    assert_close(number_of(rows, "compute.training_flops_per_token"), 6 * n + 6 * lads, 1);
    assert_close(number_of(rows, "compute.conventions.six_n"), 6 * (n + 65 * 4096),
                 1);    // with the norms, as people do
    assert_close(number_of(rows, "compute.conventions.palm"), 6 * (n + 65 * 4096) + 12 * lads, 1);
    assert_close(number_of(rows, "compute.conventions.kaplan_forward"),
                 2 * (n - 128256.0 * 4096) + 2 * lads, 1);
    assert_close(number_of(rows, "compute.recomputed_flops_per_token"),
                 8 * n + 8 * lads - 2 * 128256.0 * 4096, 1);
}

static void a_vision_tower_is_no_work_for_a_token(void **state)
{
    (void)state;
    Model *model = model_of("gemma-3-27b-it");
    uint64_t vision = model_component(model, COMPONENT_VISION);
    assert_true(vision > 400000000);
    assert_close(flops_plan(model, 1).six_n, 6.0 * (double)(model_params(model) - vision), 1);
    assert_close(flops_plan(model, 1).six_n, 3 * flops_plan(model, 1).forward,
                 1e-3 * flops_plan(model, 1).six_n);
}

// The mean of min(i, window) over tokens 1 to s; ours leaves out half a position.
static void positions_of_a_window_are_the_mean_over_its_tokens(void **state)
{
    (void)state;
    KnBlock block = {.width = 64, .heads = 4, .kv_heads = 4, .head_dim = 16, .ffn = 256};
    for (uint64_t window = 0; window <= 300; window += 50)
        for (uint64_t s = 1; s <= 1000; s += 111) {
            Model *model = shape_model(arena, "window", 64, 1000, 1000, true);
            shape_layers(model, 1, block, window);
            build_finish(model);
            double sum = 0;
            for (uint64_t i = 1; i <= s; i++)
                sum += (double)(window > 0 && i > window ? window : i);
            double mean = sum / (double)s, at = 4 * 4 * 16;
            double got = flops_token(model, s, POSITIONS_CAUSAL, PHASE_BOTH).attention / at;
            double whole = window > 0 && window < s ? (double)window / (double)s
                                                    : 1;    // tokens before it is full
            assert_close(got, mean - whole / 2, 1e-9);
            double last = flops_token(model, s, POSITIONS_LAST, PHASE_BOTH).attention / at;
            assert_close(last, (double)(window > 0 && window < s ? window : s), 0);
        }
}

static void decoding_scores_a_latent_and_a_prompt_does_not(void **state)
{
    (void)state;
    // SemiAnalysisAI/InferenceX-app PR #849: 61 layers x 278,528 FLOPs for each position of DeepSeek-R1.
    Model *model = model_of("DeepSeek-V3");
    assert_close(flops_token(model, 1000, POSITIONS_LAST, PHASE_DECODE).attention, 61 * 278528e3,
                 1);
    assert_close(flops_token(model, 1000, POSITIONS_FULL, PHASE_PREFILL).attention,
                 61 * 2.0 * 128 * 320e3, 1);
}

static void an_encoder_decoder_takes_a_prompt_in_one_and_writes_with_the_other(void **state)
{
    (void)state;
    KnBlock block = {.width = 64, .heads = 4, .kv_heads = 4, .head_dim = 16, .ffn = 256};
    Model *model = shape_model(arena, "small-t5", 64, 1000, 512, true);
    int in = shape_layers(model, 3, block, 0), out = shape_layers(model, 2, block, 0);
    model->kinds[in].caches = model->kinds[in].causal = false;
    model->kinds[out].cross = true;
    build_finish(model);
    double layer = 2.0 * (4 * 64 * 64 + 2 * 64 * 256), at = 4 * 4 * 16;
    TokenFlops prompt = flops_token(model, 100, POSITIONS_CAUSAL, PHASE_PREFILL);
    TokenFlops token = flops_token(model, 100, POSITIONS_LAST, PHASE_DECODE);
    assert_close(prompt.matrices, 3 * layer, 0);
    assert_close(prompt.attention, 3 * at * 100, 0);    // without a mask
    assert_close(token.matrices, 2 * layer, 0);
    assert_close(token.attention, 2 * at * 200, 0);    // itself and the encoder's
    Question question = question_on("h100-sxm");
    Speed speed = speed_of(model, &question);
    assert_true(speed.load.decodes);
    assert_true(speed.decode.bytes < speed.prefill.bytes * 2);
}

// ---- speed ----

static void gpt_fast_reads_the_weights_and_the_cache_of_every_token(void **state)
{
    (void)state;
    // pytorch-labs/gpt-fast, README: A100 80 GB, Llama-2-7B in bf16, batch 1, 5 + 200 tokens:
    // 104.9 tokens/s at 1397.31 GB/s.
    Question question = question_on("a100-sxm-80");
    question.context = 205;
    question.u_memory = 1397.31e9 / question.gpu_spec.bandwidth;
    Speed speed = speed_of(model_of("Llama-2-7b-hf"), &question);
    assert_true(speed.decode.bounds.memory_bound);
    assert_close(speed.tokens_per_second, 104.9, 0.2);
    // Of all that is stored all is read but the embedding's rows.
    assert_close(speed.decode.bytes, 2.0 * (6738415616 - 32000 * 4096) + 205 * 524288.0, 0);
}

static void experts_are_read_when_a_token_is_sent_to_them(void **state)
{
    (void)state;
    Model *model = model_of("DeepSeek-V3");    // 8 of 256
    Question question = question_on("h200-sxm");
    static const struct {
        uint64_t batch;
        double touched, within;
    } rows[] = {
        {1, 8, 1e-9}, {2, 15.75, 1e-9}, {32, 163.3, 0.1}, {256, 255.9, 0.1}, {100000, 256, 1e-9}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        question.batch = rows[r].batch;
        assert_close(touched_of(model, &question), rows[r].touched, rows[r].within);
    }
    // At batch 1 a token reads what it goes through, and its cache.
    question.batch = 1;
    question.context = 1;
    double active = 2.0 * (double)(model_active(model) - model_looked_up(model));
    assert_close(speed_of(model, &question).decode.bytes, active + 70272, active * 1e-12);
}

static void the_ridge_is_where_compute_and_memory_meet(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    Question question = question_on("h100-sxm");
    assert_close(ridge_of(model, &question), 295, 0.5);
    question = question_on("a100-sxm-80");
    assert_close(ridge_of(model, &question), 153, 0.5);
    // Without a cache to speak of, 2 FLOPs for 2 bytes of weights: the batch is the ridge.
    question.context = 1;
    question.u_compute = question.u_memory = 1;
    Rows *rows = report(model, &question);
    uint64_t batch = rows_find(rows, "compute.compute_bound_batch")->count;
    assert_close((double)batch, 153, 3);
    question.batch = batch;
    assert_false(speed_of(model, &question).decode.bounds.memory_bound);
    question.batch = batch - 1;
    assert_true(speed_of(model, &question).decode.bounds.memory_bound);
    // Each position of full attention with grouped heads is 8 FLOP/byte: a long cache is always memory's.
    question.context = 131072;
    assert_int_equal(rows_find(report(model, &question), "compute.compute_bound_batch")->kind,
                     ROW_NULL);
}

static void a_prompt_is_bound_by_compute_and_shared_by_tp(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    Question question = question_on("h100-sxm");
    Speed one = speed_of(model, &question);
    assert_false(one.prefill.bounds.memory_bound);
    double layers = flops_plan(model, 4096).forward - 2 * 128256.0 * 4096;
    assert_close(one.prefill.flops, 4096 * layers + 2 * 128256.0 * 4096, 1e4);
    assert_close(one.prefill.bounds.seconds, one.prefill.flops / (989e12 * 0.7), 1e-9);
    question.tp = 4;
    Speed shared = speed_of(model, &question);
    assert_close(shared.prefill.bounds.seconds, one.prefill.bounds.seconds / 4, 1e-9);
    assert_close(shared.decode.bytes, one.decode.bytes / 4, 3e6);    // norms are whole on each
    // A ring moves 2 (tp - 1) / tp of 2 all-reduces in each of 32 layers.
    assert_close(shared.decode.link, 32 * 2 * 4096 * 2 * 1.5 / question.gpu_spec.link, 1e-12);
    assert_close(one.decode.link, 0, 0);
}

static void batches_for_a_chart_have_whether_they_fit(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    Question question = question_on("h100-sxm");
    Rows *rows = report(model, &question);
    for (int i = 0; i < 9; i++) {
        const char *rate = row_path(rows, "compute.batches[%d].tokens_per_second", i);
        const char *fits = row_path(rows, "compute.batches[%d].fits", i);
        question.batch = (uint64_t)1 << i;
        assert_close(number_of(rows, rate), speed_of(model, &question).tokens_per_second, 1e-9);
        assert_int_equal(rows_find(rows, fits)->flag,
                         planned(arena, model, &question, PART_INFERENCE)->serving.fits);
    }
}

static void an_unknown_peak_is_reported_and_is_no_error(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    Question known = question_on("h100-sxm"), question = known;
    question.gpu_spec.bf16 = 0;
    Rows *one = report(model, &known), *two = report(model, &question);
    for (const Row *row = one->first; row != NULL; row = row->next)
        if (rows_find(two, row->path) == NULL) fail_msg("%s", row->path);
    const Row *seconds = rows_find(two, "compute.prefill.seconds");
    assert_int_equal(seconds->kind, ROW_NULL);
    assert_string_equal(seconds->text,
                        arena_print(arena,
                                    "the peak of %s for 16-bit products is not known; give "
                                    "--tflops",
                                    question.gpu_spec.name));
    assert_string_equal(speed_of(model, &question).unknown, seconds->text);
}

// ---- training ----

static void llama_405b_took_30_84_million_hours(void **state)
{
    (void)state;
    // Dubey et al. 2024: 3.8e25 FLOPs for 15.6T tokens, 30.84M H100-hours: 34.6 % of the peak. A sequence of
    // one token leaves attention out, as 6 N D does.
    Question question = question_on("h100-sxm");
    question.train_tokens = 15.6e12;
    question.train_gpus = 16384;
    question.mfu = 0.346;
    question.sequence = 1;
    TrainingCost run = run_of(model_of("Llama-3.1-405B"), &question);
    assert_close(run.six_nd, 3.8e25, 0.05e25);
    assert_close(run.gpu_hours, 30.84e6, 0.02 * 30.84e6);
    assert_close(run.seconds, run.gpu_hours * 3600 / 16384, 1e-3);
    assert_close(run.kwh, run.gpu_hours * 0.7, 1);
}

static void deepseek_v3_cost_5_576_million_dollars(void **state)
{
    (void)state;
    // DeepSeek-AI 2024, table 1: 2.788M H800-hours at 2 dollars, 2.664M of them for 14.8T tokens. That is 39 %
    // of what 16-bit products could do; it trained in fp8.
    Model *model = model_of("DeepSeek-V3");
    Question question = question_on("h800");
    question.train_tokens = 14.8e12;
    question.price = 2;
    question.mfu = training_flops(model, 4096) * 14.8e12 / (2.664e6 * 3600 * 989e12);
    assert_close(question.mfu, 0.39, 0.005);
    TrainingCost run = run_of(model, &question);
    assert_close(run.dollars * 2.788 / 2.664, 5.576e6, 1e4);
    assert_close(run.tokens / (20 * run.params), 20,
                 0.5);    // of what Chinchilla would give its active parameters
}

static void frozen_weights_cost_two_thirds(void **state)
{
    (void)state;
    Question question = question_on("h100-sxm");
    double full = run_of(model_of("Llama-3.1-8B"), &question).flops;
    question.method = "lora";
    assert_close(run_of(model_of("Llama-3.1-8B"), &question).flops, full * 2 / 3, full * 1e-12);
    assert_close(run_of(model_of("Llama-3.1-8B"), &question).tokens, 20 * 8030261248.0, 0);
}

static void the_optimum_is_table_3_of_hoffmann_within_6_per_cent(void **state)
{
    (void)state;
    static const struct {
        double params, flops, tokens,
            rounded;    // tokens are printed to the next 0.1 billion or trillion
    } table[] = {{400e6, 1.92e19, 8.0e9, 0.05e9},    {1e9, 1.21e20, 20.2e9, 0.05e9},
                 {10e9, 1.23e22, 205.1e9, 0.05e9},   {67e9, 5.76e23, 1.5e12, 0.05e12},
                 {175e9, 3.85e24, 3.7e12, 0.05e12},  {280e9, 9.90e24, 5.9e12, 0.05e12},
                 {520e9, 3.43e25, 11e12, 0.05e12},   {1e12, 1.27e26, 21.2e12, 0.05e12},
                 {10e12, 1.30e28, 216.2e12, 0.05e12}};
    Question question = question_on("h100-sxm");
    for (size_t r = 0; r < sizeof table / sizeof *table; r++) {
        question.budget = table[r].flops;
        Rows *rows = report(model_of("Qwen2.5-0.5B"), &question);
        assert_close(number_of(rows, "compute.chinchilla.parameters"), table[r].params,
                     0.06 * table[r].params);
        assert_close(number_of(rows, "compute.chinchilla.tokens"), table[r].tokens,
                     0.06 * table[r].tokens + table[r].rounded);
    }
}

static void the_fitted_loss_is_least_at_the_optimum(void **state)
{
    (void)state;
    assert_close(training_loss(70e9, 1.4e12), 1.936, 0.001);    // Chinchilla's
    static const double budgets[] = {1e18, 1e21, 1e24, 1e27};
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; b++) {
        double flops = budgets[b];
        KnOptimum best = training_least_loss(flops);
        double loss = training_loss(best.params, best.tokens);
        assert_close(6 * best.params * best.tokens, flops, flops * 1e-12);
        assert_true(loss < training_loss(best.params * 1.01, best.tokens / 1.01));
        assert_true(loss < training_loss(best.params / 1.01, best.tokens * 1.01));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt3_took_3_14e23),
        cmocka_unit_test(deepseek_printed_what_a_token_takes),
        cmocka_unit_test(palm_reached_46_2_per_cent_of_its_peak),
        cmocka_unit_test(narayanans_formula_is_ours_of_a_gpt),
        cmocka_unit_test(conventions_differ_by_what_they_count),
        cmocka_unit_test(a_vision_tower_is_no_work_for_a_token),
        cmocka_unit_test(positions_of_a_window_are_the_mean_over_its_tokens),
        cmocka_unit_test(decoding_scores_a_latent_and_a_prompt_does_not),
        cmocka_unit_test(an_encoder_decoder_takes_a_prompt_in_one_and_writes_with_the_other),
        cmocka_unit_test(gpt_fast_reads_the_weights_and_the_cache_of_every_token),
        cmocka_unit_test(experts_are_read_when_a_token_is_sent_to_them),
        cmocka_unit_test(the_ridge_is_where_compute_and_memory_meet),
        cmocka_unit_test(a_prompt_is_bound_by_compute_and_shared_by_tp),
        cmocka_unit_test(batches_for_a_chart_have_whether_they_fit),
        cmocka_unit_test(an_unknown_peak_is_reported_and_is_no_error),
        cmocka_unit_test(llama_405b_took_30_84_million_hours),
        cmocka_unit_test(deepseek_v3_cost_5_576_million_dollars),
        cmocka_unit_test(frozen_weights_cost_two_thirds),
        cmocka_unit_test(the_optimum_is_table_3_of_hoffmann_within_6_per_cent),
        cmocka_unit_test(the_fitted_loss_is_least_at_the_optimum),
    };
    return cmocka_run_group_tests_name("compute", tests, scratch_begin, scratch_end);
}
