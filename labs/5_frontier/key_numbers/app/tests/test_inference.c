// Memory of inference against published figures: papers, engines' logs, and their rules of splitting.
#include "labs/5_frontier/key_numbers/app/tests/planned.h"
#include "labs/5_frontier/key_numbers/app/tests/shapes.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"
#include "tests/facts.h"
#include <string.h>

static const double gib = 1073741824.0;

static Question question_of(uint64_t context, uint64_t batch)
{
    Question question = question_default();
    Error err;
    question.context = context;
    question.batch = batch;
    question.weights = "bf16";
    if (!question_settle(&question, arena, &err)) fail_msg("%s", err.message);
    return question;
}

static Serving plan(const Model *model, const Question *question)
{
    return planned(arena, model, question, PART_INFERENCE)->serving;
}

static void refuses(const Model *model, const Question *question, const char *sentence)
{
    assert_string_equal(refusal(arena, model, question, PART_INFERENCE), sentence);
}

static Serving serve(const char *name, uint64_t context, uint64_t batch)
{
    Question question = question_of(context, batch);
    return plan(model_of(name), &question);
}

// ---- the cache ----

// DeepSeek-AI, "Insights into DeepSeek-V3" (2025), table 1: KB of a token in bf16.
static void a_tokens_cache_is_what_deepseek_printed_for_three_models(void **state)
{
    (void)state;
    assert_int_equal(serve("DeepSeek-V3", 4096, 1).kv_per_token, 70272);
    assert_int_equal(serve("Qwen2.5-72B", 4096, 1).kv_per_token, 327680);
    assert_int_equal(serve("Llama-3.1-405B", 4096, 1).kv_per_token, 516096);
}

static void a_latent_cache_does_not_depend_on_the_number_of_heads(void **state)
{
    (void)state;
    assert_int_equal(serve("Kimi-K2-Instruct", 4096, 1).kv_per_token,
                     70272);    // 64 heads, V3 has 128
}

static void a_window_keeps_no_more_than_its_width(void **state)
{
    (void)state;
    // unslothai/unsloth PR #4757 lists these in GiB, at each model's longest context.
    assert_close((double)serve("gemma-3-27b-it", 131072, 1).kv_bytes / gib, 10.41, 0.005);
    assert_close((double)serve("DeepSeek-V3", 163840, 1).kv_bytes / gib, 10.72, 0.005);
    assert_close((double)serve("Qwen3-0.6B", 40960, 1).kv_bytes / gib, 4.38, 0.006);
    // gpt-oss: every other of 24 layers sees 128 tokens; 2 rows of 8 x 64 numbers.
    assert_int_equal(serve("gpt-oss-20b", 131072, 1).kv_bytes, 12 * 2048ull * (131072 + 128));
}

static void full_and_grouped_attention_are_distinguished(void **state)
{
    (void)state;
    assert_int_equal(serve("Llama-2-7b-hf", 4096, 1).kv_bytes, (uint64_t)2 << 30);
    assert_int_equal(serve("Llama-3.1-8B", 8192, 1).kv_bytes, (uint64_t)1 << 30);
    assert_int_equal(serve("Llama-3.1-8B", 8192, 7).kv_bytes, (uint64_t)7 << 30);
}

static void a_block_formats_scales_are_in_the_cache(void **state)
{
    (void)state;
    // llama.cpp prints 6.38 KiB for a token of Qwen2.5-0.5B in q8_0: 34 bytes for 32 numbers.
    Question question = question_of(4096, 1);
    question.kv = "q8_0";
    assert_int_equal(plan(model_of("Qwen2.5-0.5B"), &question).kv_per_token, 24 * 2 * 4 * 34);
}

static void an_indexer_adds_8_bit_keys_and_a_float(void **state)
{
    (void)state;
    // vLLM and SGLang: 61 x (576 x 2 + 128 + 128 / 128 x 4).
    assert_int_equal(serve("DeepSeek-V3.2", 4096, 1).kv_per_token, 61 * (1152 + 132));
}

static void an_encoder_keeps_nothing_and_a_second_attention_as_much_again(void **state)
{
    (void)state;
    KnBlock block = {
        .width = 64, .heads = 4, .kv_heads = 4, .head_dim = 16, .ffn = 256, .norms = 128};
    Model *model = shape_model(arena, "small-t5", 64, 1000, 512, true);
    model->kinds[shape_layers(model, 3, block, 0)].caches = false;
    model->kinds[shape_layers(model, 2, block, 0)].cross = true;
    build_finish(model);
    Question question = question_of(100, 1);
    assert_int_equal(plan(model, &question).kv_bytes, 2 * (2 + 2) * 64 * 2 * 100);
    model->kinds[1].caches = false;
    Serving serving = plan(model, &question);
    assert_int_equal(serving.kv_bytes, 0);
    assert_int_equal(serving.cache_count, 0);
    assert_true(serving.fits);
}

static void pages_have_room_for_tokens_that_are_not_there_yet(void **state)
{
    (void)state;
    Question question = question_of(4097, 3);
    Serving serving = plan(model_of("Llama-3.1-8B"), &question);
    assert_int_equal(serving.kv_bytes, 3 * 131072ull * 4097);
    assert_int_equal(serving.kv_paged, 3 * 131072ull * 4112);
    question.page = 1;
    assert_int_equal(plan(model_of("Llama-3.1-8B"), &question).kv_paged, 3 * 131072ull * 4097);
    // A window of 128 in pages of 16: 9 pages at worst (vLLM, single_type_kv_cache_manager.py).
    question = question_of(4096, 1);
    question.page = 16;
    assert_int_equal(plan(model_of("gpt-oss-20b"), &question).kv_paged, 12 * 2048 * (4096 + 144));
}

static void a_full_window_costs_nothing_for_further_tokens(void **state)
{
    (void)state;
    // Gemma-3-27B: 10 of 62 layers see everything, 52 see 1024; 8192 bytes of a token in a layer.
    assert_int_equal(serve("gemma-3-27b-it", 4096, 1).kv_1k, 10 * 8192 * 1024);
    assert_int_equal(serve("gemma-3-27b-it", 512, 1).kv_1k, 8192 * (10 * 1024 + 52 * 512));
    assert_int_equal(serve("gemma-3-27b-it", 4096, 9).kv_1k, 10 * 8192 * 1024);    // of one request
}

static void memory_that_no_number_holds_is_refused(void **state)
{
    (void)state;
    Question question = question_of(1000000000, 10000000);
    refuses(model_of("Llama-3.1-8B"), &question,
            "batch: the memory of 10000000 requests of 1000000000 tokens in pages of 16 is over "
            "1e+18 bytes");
    question = question_of(1, 10000000);    // 2e19 bytes in pages: 64 bits would hold 1e18 of them
    question.page = 1000000;
    refuses(model_of("bigscience/bloom"), &question,
            "batch: the memory of 10000000 requests of 1 tokens in pages of 1000000 is over "
            "1e+18 bytes");
}

// ---- splits ----

static void stages_are_those_of_vllm(void **state)
{
    (void)state;
    // vLLM, distributed/utils.py get_pp_indices(), and its tests/distributed/test_pipeline_partition.py.
    static const struct {
        int layers, stages, counts[10];
    } rows[] = {{20, 4, {5, 5, 5, 5}},
                {22, 4, {5, 6, 6, 5}},
                {5, 3, {2, 2, 1}},
                {4, 3, {1, 2, 1}},
                {3, 2, {2, 1}},
                {43, 10, {4, 4, 4, 4, 4, 4, 5, 5, 5, 4}},
                {61, 8, {7, 7, 8, 8, 8, 8, 8, 7}}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int s = 0, next = 0; s < rows[r].stages; s++) {
            int from, to;
            split_stage(rows[r].layers, (uint64_t)rows[r].stages, (uint64_t)s, &from, &to);
            assert_int_equal(from, next);
            assert_int_equal(to - from, rows[r].counts[s]);
            next = to;
        }
}

static void weights_of_8b_are_what_vllm_logged_alone_and_on_two(void **state)
{
    (void)state;
    // vllm-project/vllm PR #10511: "model weights take 14.96GiB", with -tp 2 "7.48GiB".
    Question question = question_of(4096, 1);
    Model *model = model_of("Llama-3.1-8B");
    assert_int_equal(plan(model, &question).per_gpu.weights, 2 * 8030261248);
    assert_close(plan(model, &question).per_gpu.weights / gib, 14.96, 0.005);
    question.tp = 2;
    assert_close(plan(model, &question).per_gpu.weights / gib, 7.48, 0.005);
    // All but 65 norms of 4096 is halved.
    assert_int_equal(plan(model, &question).per_gpu.weights, 8030261248 + 65 * 4096);
}

static void tensor_parallel_copies_what_it_cannot_divide(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");    // 8 key/value heads
    Question question = question_of(4096, 1);
    question.tp = 8;
    double eight = plan(model, &question).per_gpu.cache;
    question.tp = 16;
    Serving serving = plan(model, &question);
    assert_int_equal(serving.kv_heads_per_gpu, 1);
    assert_true(serving.per_gpu.cache == eight);
    assert_true(eight == 131072.0 * 4096 / 8);

    model = model_of("DeepSeek-V3");    // the latent is whole on each
    question.tp = 8;
    assert_true(plan(model, &question).per_gpu.cache == 70272.0 * 4096);
    // A vocabulary of 50257 over two: 25129 rows.
    Model *odd = shape_model(arena, "odd", 64, 50257, 512, false);
    shape_layers(odd, 1,
                 (KnBlock){.width = 64, .heads = 4, .kv_heads = 4, .head_dim = 16, .ffn = 256}, 0);
    build_finish(odd);
    question.tp = 2;
    assert_int_equal(plan(odd, &question).per_gpu.weights,
                     2 * (2 * 25129 * 64 + 64 + (4 * 64 * 64 + 2 * 64 * 256) / 2));
}

static void a_tied_head_is_on_the_first_and_the_last_stage(void **state)
{
    (void)state;
    Model *model = model_of("Qwen2.5-0.5B");    // 24 layers, 151936 x 896 tied
    Error err;
    ServingBasis basis;
    assert_true(inference_basis(arena, model, "bf16", "bf16", &basis, &err));
    const StageWeights *stages = split_weights(arena, &basis.split, (Split){1, 3, 1}, NULL);
    uint64_t embed = 2ull * 151936 * 896, all = 0;
    for (int s = 0; s < 3; s++) all += stages[s].all;
    assert_int_equal(all, basis.weights.bytes + embed);
    assert_int_equal(stages[0].all, stages[1].all + embed);
    assert_int_equal(stages[2].all, stages[0].all + 2 * 896);    // and the final norm
    assert_int_equal(stages[0].idle, embed);
    assert_int_equal(stages[2].idle, 0);    // there it is multiplied
}

static void experts_are_divided_over_all_gpus_and_the_rest_over_tp(void **state)
{
    (void)state;
    Model *model = model_of("DeepSeek-V3");
    Question question = question_of(4096, 16);
    Error err;
    ServingBasis basis;
    assert_true(inference_basis(arena, model, "bf16", "bf16", &basis, &err));
    uint64_t experts = model_component(model, COMPONENT_EXPERTS) * 2,
             rest = basis.weights.bytes - experts;
    // DeepSeek-V3's own deployment decodes with one expert on each of 256 GPUs.
    const StageWeights *one = split_weights(arena, &basis.split, (Split){1, 1, 256}, NULL);
    assert_int_equal(one->experts, experts / 256);
    assert_int_equal(one->all, experts / 256 + rest);
    question.ep = 16;
    Serving serving = plan(model, &question);
    assert_int_equal(split_gpus(serving.of.split), 16);
    assert_int_equal(serving.requests_per_group, 1);
    assert_true(serving.per_gpu.cache == 70272.0 * 4096);
    // With ep = 1 the experts' matrices are cut like any other.
    const StageWeights *cut = split_weights(arena, &basis.split, (Split){8, 1, 1}, NULL);
    assert_int_equal(cut->experts, experts / 8);
}

static void a_split_that_no_engine_takes_is_refused(void **state)
{
    (void)state;
    Question question = question_of(4096, 1);
    Model *qwen = model_of("Qwen2.5-0.5B"), *llama = model_of("Llama-3.1-8B");
    question.tp = 4;
    refuses(qwen, &question,
            arena_print(arena,
                        "tp: 14 query and 2 key/value heads of %s cannot be divided over 4 GPUs",
                        qwen->name));
    question.tp = 1, question.pp = 33;
    refuses(llama, &question,
            arena_print(arena, "pp: %s has 32 layers, too few for 33 stages", llama->name));
    question.pp = 1, question.ep = 2;
    refuses(llama, &question,
            arena_print(arena, "ep: %s has 0 experts, too few for tp x ep = 2 GPUs", llama->name));
    question.ep = 1, question.tp = 2, question.pp = 2, question.gpus = 8;
    refuses(llama, &question, "gpus: 8 cannot be had as tp x pp x ep with 2 x 2 x 1 asked for");
    question.tp = 8, question.pp = 1, question.gpus = 4;
    refuses(llama, &question, "gpus: 4 cannot be had as tp x pp x ep with 8 x 1 x 1 asked for");
}

static void gpus_alone_are_split_within_nodes_first(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t gpus, tp, pp;
    } rows[] = {{"Llama-3.1-405B", 16, 8, 2}, {"Llama-3.1-405B", 8, 8, 1},
                {"Llama-3.1-8B", 6, 2, 3},    {"Qwen2.5-0.5B", 8, 2, 4},
                {"Llama-3.1-8B", 3, 1, 3},    {"Llama-3.1-8B", 1, 1, 1}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        Question question = question_of(4096, 1);
        question.gpus = rows[r].gpus;
        Serving serving = plan(model_of(rows[r].name), &question);
        assert_int_equal(serving.of.split.tp, rows[r].tp);
        assert_int_equal(serving.of.split.pp, rows[r].pp);
        assert_int_equal(split_gpus(serving.of.split), rows[r].gpus);
    }
    Question question = question_of(4096, 1);    // the stages are what tp leaves
    question.gpus = 12, question.tp = 4;
    assert_int_equal(plan(model_of("Llama-3.1-8B"), &question).of.split.pp, 3);
}

// ---- work space, and the most that fits ----

static void room_for_the_cache_is_what_vllm_profiled(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-8B");
    // Oracle's model-deployment tips, a log of vLLM 0.7 on an A10: 22.07 GiB x 0.90, non_torch 0.05 GiB,
    // activations 0.22 GiB, 2356 blocks of 16 tokens. Steps of 2048 tokens.
    Question question = question_of(131072, 1);
    question.gpu_spec.memory = 22.07 * gib;
    question.overhead = 0.05;
    Serving serving = plan(model, &question);
    assert_close(serving.per_gpu.work / gib, 0.22, 0.03);
    assert_close((double)serving.memory_context, 2356.0 * 16, 0.015 * 2356 * 16);
    assert_int_equal(serving.max_requests, 0);
    assert_false(serving.fits);
    // vllm-project/vllm PR #10511: 79.22 GiB x 0.90, non_torch 1.79 GiB, 53.29 GiB left for the cache;
    // 8192 tokens a step.
    question = question_of(8192, 1);
    question.gpu_spec.memory = 79.22 * gib;
    question.overhead = 1.79;
    question.step_tokens = 8192;
    serving = plan(model, &question);
    assert_int_equal(serving.max_requests, 53);    // of 1 GiB each
}

static void the_maximum_fits_and_one_more_does_not(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t context, tp, pp, ep;
    } rows[] = {{"Llama-3.1-8B", 4096, 1, 1, 1},  {"gemma-3-27b-it", 32768, 2, 1, 1},
                {"DeepSeek-V3", 4096, 8, 3, 1},   {"DeepSeek-V3", 8192, 1, 1, 64},
                {"gpt-oss-20b", 131072, 1, 1, 1}, {"Llama-3.1-405B", 8192, 8, 3, 1}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        Model *model = model_of(rows[r].name);
        Question question = question_of(rows[r].context, 1);
        question.tp = rows[r].tp, question.pp = rows[r].pp, question.ep = rows[r].ep;
        Serving serving = plan(model, &question);
        assert_true(serving.max_requests > 0);
        question.batch = serving.max_requests;
        assert_true(plan(model, &question).fits);
        question.batch++;
        assert_false(plan(model, &question).fits);

        question.batch = 4;
        serving = plan(model, &question);
        question.context = serving.memory_context;
        assert_true(plan(model, &question).fits);
        question.context++;
        assert_false(plan(model, &question).fits);
        assert_true(serving.max_context <= model->max_context);
    }
}

static void missing_memory_is_reported(void **state)
{
    (void)state;
    Model *model = model_of("Llama-3.1-70B");
    Question question = question_of(4096, 1);
    Rows *rows = reported(arena, model, &question, PART_INFERENCE);
    assert_int_equal(rows_find(rows, "inference.fits")->flag, false);
    double missing = row_number(rows_find(rows, "inference.missing_bytes"));
    double total = row_number(rows_find(rows, "inference.per_gpu.total_bytes"));
    assert_close(missing, total - question.gpu_spec.memory * 0.9, 2);
    assert_int_equal(rows_find(rows, "inference.max_context")->count, 0);
}

static void a_question_finds_the_same_paths_in_every_answer(void **state)
{
    (void)state;
    Question question = question_of(4096, 1);
    Rows *one = reported(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE);
    question.tp = 8, question.batch = 1000000;
    Rows *two = reported(arena, model_of("Llama-3.1-8B"), &question, PART_INFERENCE);
    for (const Row *row = one->first; row != NULL; row = row->next)
        if (rows_find(two, row->path) == NULL) fail_msg("%s", row->path);
}

static void tensors_without_a_configuration_have_weights_and_no_cache(void **state)
{
    (void)state;
    Model *model = build_model(arena, "unknown", "model.safetensors");
    build_weight(model, OUTSIDE, COMPONENT_MLP, ROLE_OTHER, "layers.0.weight", 100, 200);
    build_finish(model);
    Question question = question_of(4096, 1);
    Rows *rows = reported(arena, model, &question, PART_INFERENCE);
    assert_int_equal(rows_find(rows, "weights.bytes")->count, 40000);
    assert_int_equal(rows_find(rows, "kv_cache.bytes_per_token")->kind, ROW_NULL);
    question.tp = 2;
    refuses(
        model, &question,
        "model.safetensors: without a config.json its layers are not known, nor how to split them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tokens_cache_is_what_deepseek_printed_for_three_models),
        cmocka_unit_test(a_latent_cache_does_not_depend_on_the_number_of_heads),
        cmocka_unit_test(a_window_keeps_no_more_than_its_width),
        cmocka_unit_test(full_and_grouped_attention_are_distinguished),
        cmocka_unit_test(a_block_formats_scales_are_in_the_cache),
        cmocka_unit_test(an_indexer_adds_8_bit_keys_and_a_float),
        cmocka_unit_test(an_encoder_keeps_nothing_and_a_second_attention_as_much_again),
        cmocka_unit_test(pages_have_room_for_tokens_that_are_not_there_yet),
        cmocka_unit_test(a_full_window_costs_nothing_for_further_tokens),
        cmocka_unit_test(memory_that_no_number_holds_is_refused),
        cmocka_unit_test(stages_are_those_of_vllm),
        cmocka_unit_test(weights_of_8b_are_what_vllm_logged_alone_and_on_two),
        cmocka_unit_test(tensor_parallel_copies_what_it_cannot_divide),
        cmocka_unit_test(a_tied_head_is_on_the_first_and_the_last_stage),
        cmocka_unit_test(experts_are_divided_over_all_gpus_and_the_rest_over_tp),
        cmocka_unit_test(a_split_that_no_engine_takes_is_refused),
        cmocka_unit_test(gpus_alone_are_split_within_nodes_first),
        cmocka_unit_test(room_for_the_cache_is_what_vllm_profiled),
        cmocka_unit_test(the_maximum_fits_and_one_more_does_not),
        cmocka_unit_test(missing_memory_is_reported),
        cmocka_unit_test(a_question_finds_the_same_paths_in_every_answer),
        cmocka_unit_test(tensors_without_a_configuration_have_weights_and_no_cache),
    };
    return cmocka_run_group_tests_name("inference", tests, scratch_begin, scratch_end);
}
