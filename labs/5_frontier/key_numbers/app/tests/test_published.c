/* What quantised files say of themselves: the format, the modules that it leaves alone, the cache's. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include "labs/5_frontier/key_numbers/app/model/kept.h"
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

// Two layers of 589,824 in 7 matrices of 2,048 rows; 512,000 in embedding and head, 1,280 in norms.
#define SMALL                                                                                      \
    "\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_size\": 256,"  \
    " \"num_hidden_layers\": 2, \"intermediate_size\": 512, \"vocab_size\": 1000,"                 \
    " \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"head_dim\": 64,"                   \
    " \"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\","                              \
    " \"max_position_embeddings\": 512"

enum { LAYER = 589824, ATTENTION = 196608, REST = 2 * (512000 + 1280) };

static Model *parsed(const char *text)
{
    Error err = {""};
    cJSON *config = cJSON_Parse(text);
    if (config == NULL) fail_msg("is not JSON: %.300s", text);
    Model *model = config_model(arena, config, "small", "config.json", &err);
    cJSON_Delete(config);
    if (model == NULL) fail_msg("%s", err.message);
    return model;
}

static Model *quantised(const char *inside)
{
    return parsed(arena_print(arena, "{" SMALL ", \"quantization_config\": {%s}}", inside));
}

static uint64_t bytes_of(const Model *model)
{
    Error err = {""};
    WeightBytes bytes;
    if (!format_weights(arena, model, NULL, &bytes, &err)) fail_msg("%s", err.message);
    return bytes.bytes;
}

static void expect(const char *inside, const char *format, uint64_t bytes)
{
    Model *model = quantised(inside);
    if (strcmp(model->published, format) != 0)
        fail_msg("%s\n  is %s, expected %s", inside, model->published, format);
    fixture_equal(inside, "the weights", bytes_of(model), bytes);
    if (model->warnings != 0) fail_msg("%s: %s", inside, model->notes[0]);
}

#define GROUP(inside)                                                                              \
    "\"config_groups\": {\"group_0\": {\"targets\": [\"Linear\"], \"weights\": {" inside "}}}"
#define TENSORS(inside) "\"quant_method\": \"compressed-tensors\", " GROUP(inside)

static void each_method_comes_to_its_bytes(void **state)
{
    (void)state;
    const uint64_t nvfp4 = 2 * LAYER / 16 * 9 + 14 * 4 + REST, fp8 = 2 * LAYER + 14 * 4 + REST,
                   row = 2 * LAYER + 2 * 2048 * 2 + REST, int8 = 2 * LAYER + 2 * 2048 * 4 + REST;
    expect("\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\"", "fp8-tensor", fp8);
    expect("\"quant_method\": \"modelopt\", \"quant_algo\": \"NVFP4\"", "nvfp4", nvfp4);
    expect("\"quant_method\": \"modelopt\", \"quant_algo\": \"W4A16_AWQ\", \"group_size\": 128",
           "w4a16-g128", 2 * LAYER / 64 * 33 + REST);
    expect("\"quant_method\": \"modelopt\", " GROUP(
               "\"num_bits\": 4, \"type\": \"float\", \"group_size\": 16"),
           "nvfp4", nvfp4);
    expect(TENSORS("\"num_bits\": 4, \"type\": \"int\", \"strategy\": \"group\", \"group_size\": "
                   "128, \"symmetric\": true"),
           "w4a16-g128", 2 * LAYER / 64 * 33 + REST);
    expect(TENSORS("\"num_bits\": 4, \"type\": \"int\", \"strategy\": \"group\", \"group_size\": "
                   "128, \"symmetric\": false"),
           "w4a16-g128-zero", 2 * LAYER / 256 * 133 + REST);
    expect(TENSORS("\"num_bits\": 8, \"type\": \"int\", \"strategy\": \"channel\""),
           "w8a8-int8-s16", row);
    expect(TENSORS("\"num_bits\": 8, \"type\": \"float\", \"strategy\": \"channel\""), "fp8-row",
           row);
    expect(TENSORS("\"num_bits\": 8, \"type\": \"float\", \"strategy\": \"tensor\""),
           "fp8-tensor-s16", fp8 - 14 * 2);
    expect(TENSORS("\"num_bits\": 8, \"type\": \"float\", \"strategy\": \"block\", "
                   "\"block_structure\": [128, 128]"),
           "fp8-s16", 2 * (LAYER + 2 * LAYER / 16384) + REST);
    expect(TENSORS("\"num_bits\": 4, \"type\": \"float\", \"strategy\": \"tensor_group\", "
                   "\"group_size\": 16"),
           "nvfp4", nvfp4);
    expect("\"quant_method\": \"fbgemm_fp8\"", "fp8-row", row);
    // mlx: embedding and head as well; 4 bits and 32 for each 64.
    expect("\"group_size\": 64, \"bits\": 4", "mlx4-g64", (2 * LAYER + 512000) / 16 * 9 + 2 * 1280);
    expect("\"quant_method\": \"hqq\", \"quant_config\": {\"weight_quant_params\": {\"nbits\": 4,"
           " \"group_size\": 64}}, \"skip_modules\": [\"lm_head\"]",
           "w4a16-g64-zero32", 2 * LAYER / 8 * 5 + REST + 2 * 256000);
    expect("\"quant_method\": \"torchao\", \"quant_type\": {\"default\": {\"_type\":"
           " \"Int4WeightOnlyConfig\", \"_data\": {\"group_size\": 128}}}",
           "w4a16-g128-zero16", 2 * LAYER / 32 * 17 + REST);
    expect("\"quant_method\": \"torchao\", \"quant_type\": \"int4_weight_only\","
           " \"quant_type_kwargs\": {\"group_size\": 64}",
           "w4a16-g64-zero16", 2 * LAYER / 16 * 9 + REST);
    expect("\"quant_method\": \"torchao\", \"quant_type\": \"int8_weight_only\"", "w8a8-int8",
           int8);
    expect("\"quant_method\": \"auto-round\", \"bits\": 4, \"group_size\": 128, \"sym\": true,"
           " \"packing_format\": \"auto_round:auto_gptq\"",
           "w4a16-g128-zero", 2 * LAYER / 256 * 133 + REST);
    // mlx writes this beside or instead.
    Model *mlx = parsed("{" SMALL ", \"quantization\": {\"group_size\": 32, \"bits\": 8}}");
    assert_string_equal(mlx->published, "mlx8-g32");
}

// Three matrices of 512 x 256 in fp8 with a float each, one of 256 x 256 in 4 bits with a byte for 16 and a float.
static void formats_of_single_modules_are_mixed(void **state)
{
    (void)state;
    const uint64_t eight = 512 * 256 + 4, four = 256 * 256 / 2 + 256 * 256 / 16 + 4;
    static const char *const ways[] = {
        "\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED_PRECISION\", "
        "\"quantized_layers\": {"
        "\"model.layers.0.mlp.gate_proj\": {\"quant_algo\": \"FP8\"}, "
        "\"model.layers.0.mlp.up_proj\": {\"quant_algo\": \"FP8\"}, "
        "\"model.layers.0.mlp.down_proj\": {\"quant_algo\": \"FP8\"}, "
        "\"model.layers.1.self_attn.q_proj\": {\"quant_algo\": \"NVFP4\", \"group_size\": 16}}",
        "\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED_PRECISION\", "
        "\"quantized_layers\": {"
        "\"model.layers.0.mlp\": {\"quant_algo\": \"FP8\"}, "
        "\"model.layers.1.self_attn.q_proj\": {\"quant_algo\": \"W4A16_NVFP4\", "
        "\"group_size\": 16}}"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        Model *model = quantised(ways[i]);
        uint64_t kept = model_params(model) - 3 * 512 * 256 - 256 * 256;
        WeightBytes bytes;
        Error err = {""};
        assert_true(format_weights(arena, model, NULL, &bytes, &err));
        fixture_equal(ways[i], "bytes", bytes.bytes, 2 * kept + 3 * eight + four);
        assert_int_equal(model->warnings, 0);
        // Asked for by name, a format is one.
        assert_true(format_weights(arena, model, "bf16", &bytes, &err));
        fixture_equal(ways[i], "bf16", bytes.bytes, 2 * model_params(model));
    }
    assert_true(quantised("\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED_PRECISION\", "
                          "\"quantized_layers\": {\"model.layers.0.mlp\": {\"quant_algo\": "
                          "\"FP8\"}, \"model.layers.1.mlp\": {\"quant_algo\": \"FP7\"}}")
                    ->warnings != 0);
}

static void what_is_not_understood_is_counted_without_it_and_warned_of(void **state)
{
    (void)state;
    static const char *const unknown[] = {
        "\"quant_method\": \"aqlm\"", "\"quant_method\": \"modelopt\", \"quant_algo\": \"MIXED\"",
        "\"quant_method\": \"hqq\", \"quant_config\": {}",
        "\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 48",
        "\"quant_method\": \"torchao\", \"quant_type\": \"fpx_weight_only\""};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        Model *model = quantised(unknown[i]);
        assert_string_equal(model->published, "bf16");
        if (model->warnings == 0) fail_msg("%s: no warning", unknown[i]);
    }
    Model *mixed = quantised(
        "\"quant_method\": \"compressed-tensors\", \"config_groups\": {"
        "\"a\": {\"targets\": [\"Linear\"], \"weights\": {\"num_bits\": 8, \"type\": \"float\"}},"
        "\"b\": {\"targets\": [\"Linear\"], \"weights\": {\"num_bits\": 4, \"type\": \"int\", "
        "\"group_size\": 64}}}");
    assert_string_equal(mixed->published, "fp8-tensor-s16");
    assert_int_equal(mixed->warnings, 1);
}

// ---- what stays as it was ----

static void lists_of_modules_that_stay_unquantised_are_honoured(void **state)
{
    (void)state;
    const uint64_t first = 3 * LAYER + 7 * 4 + REST,
                   attention = 2 * LAYER + 2 * ATTENTION + 6 * 4 + REST;
    static const char *const fields[] = {"modules_to_not_convert", "ignore", "exclude_modules",
                                         "ignored_layers"};
    static const char *const of_first[] = {"model.layers.0",
                                           "layers.0",
                                           "model.layers.0.",
                                           "model.layers.0.*",
                                           "model.layers.0*",
                                           "re:model\\\\.layers\\\\.0\\\\..*",
                                           "re:.*\\\\.(?:0)\\\\.\\\\w+.*",
                                           "model.language_model.layers.0"};
    static const char *const of_attention[] = {"self_attn", "*self_attn*", "re:.*self_attn.*",
                                               "model.layers.*.self_attn*"};
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        for (size_t i = 0; i < sizeof of_first / sizeof *of_first; i++)
            expect(arena_print(arena, "\"quant_method\": \"fp8\", \"%s\": [\"lm_head\", \"%s\"]",
                               fields[f], of_first[i]),
                   "fp8-tensor", first);
        for (size_t i = 0; i < sizeof of_attention / sizeof *of_attention; i++)
            expect(arena_print(arena, "\"quant_method\": \"fp8\", \"%s\": [\"%s\"]", fields[f],
                               of_attention[i]),
                   "fp8-tensor", attention);
        // "layers.1" is not "layers.10", nor "gate" a part of "gate_proj".
        expect(arena_print(arena,
                           "\"quant_method\": \"fp8\", \"%s\": [\"layers.10\", \"gate\", \"attn\"]",
                           fields[f]),
               "fp8-tensor", 2 * LAYER + 14 * 4 + REST);
    }
    expect("\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true, \"bnb_4bit_quant_type\": "
           "\"nf4\","
           " \"bnb_4bit_use_double_quant\": true, \"llm_int8_skip_modules\": [\"lm_head\", "
           "\"model.layers.0\"]",
           "nf4-dq", 2510508);    // 1635160 without
    expect("\"quant_method\": \"auto-round\", \"bits\": 4, \"group_size\": 128, \"extra_config\":"
           " {\"model.layers.0\": {\"bits\": 16}}",
           "w4a16-g128-zero", LAYER * 2 + LAYER / 256 * 133 + REST);
    expect("\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"dynamic\": "
           "{\"-:.*\\\\.1\\\\..*\": {}}",
           "gptq4-g128", LAYER * 2 + LAYER / 256 * 133 + 4 * (6 * 256 + 512) + REST);
    // Only what the targets name.
    expect("\"quant_method\": \"compressed-tensors\", \"config_groups\": {\"a\": {\"targets\": "
           "[\"re:.*mlp.*\"],"
           " \"weights\": {\"num_bits\": 8, \"type\": \"float\", \"strategy\": \"tensor\"}}}",
           "fp8-tensor-s16", attention - 6 * 2);
    static const char *const wrong[] = {"re:(?!x).*", "re:(", "re:(a)\\\\1", "re:a{1,9999}", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Model *model = quantised(
            arena_print(arena, "\"quant_method\": \"fp8\", \"ignore\": [\"%s\"]", wrong[i]));
        if (model->warnings != 1) fail_msg("%s: %d notes", wrong[i], model->note_count);
        assert_non_null(strstr(model->notes[0], "is not supported"));
    }
    // What is no list, or a list of other things, is none of names.
    expect("\"quant_method\": \"fp8\", \"ignore\": 7, \"dynamic\": [1], \"extra_config\": [{}],"
           " \"exclude_modules\": [7, null, {}]",
           "fp8-tensor", 2 * LAYER + 14 * 4 + REST);
}

// MiniMax-M3 in NVFP4 lists some 20,000 modules, most of them of one expert each.
static void a_list_of_thousands_is_read_to_its_end(void **state)
{
    (void)state;
    enum { NAMES = 5000 };
    char *list = arena_alloc(arena, (size_t)NAMES * 64), *end = list;
    for (int i = 0; i < NAMES; i++)
        end += snprintf(end, 64, "\"mtp.layers.%d.mlp.experts.%d.w1\", \"mtp.%d\", ", i % 90, i, i);
    snprintf(end, 64, "\"model.layers.1.mlp\"");
    Model *model =
        quantised(arena_print(arena, "\"quant_method\": \"fp8\", \"ignore\": [%s]", list));
    // The second layer's MLP has 2 bytes a number, all else in the layers one, and a scale for each matrix.
    const uint64_t mlp = LAYER - ATTENTION;
    fixture_equal("a long list", "the weights", bytes_of(model), 2 * LAYER + mlp + 11 * 4 + REST);
}

// In the words of a name, from either end; not in a part of a word, nor in another layer.
static void a_name_in_a_layer_matches_whole_words_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int matrices;    // that stay in 16 bits, of layer 0's seven or layer 1's
    } cases[] = {
        {"model.layers.0", 7},
        {"layers.0.mlp", 3},
        {"model.layers.0.mlp.down_proj", 1},
        {"odel.layers.0.mlp", 0},
        {"layers.0.ml", 0},
        {"layers.7.mlp", 0},
        {"transformer.h.0.mlp", 3},
        {"layers.0.mlp.", 3},
        {"language_model.model.layers.1", 7},
        {"visual.layers.0.mlp", 0},
        {"model.layers.00.mlp", 0},
        {"layers.1.self_attn", 4},
        {"model.layers.0.mlp.gate", 0},
        {"model.layers.0.mlp.experts.1.w1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model = quantised(
            arena_print(arena, "\"quant_method\": \"fp8\", \"ignore\": [\"%s\"]", cases[i].name));
        uint64_t kept = 0;
        for (int w = 0; w < model->weight_count; w++)
            if (weight_projects(&model->weights[w]))
                kept += weight_kept_layers(model, &model->weights[w]);
        fixture_equal(cases[i].name, "matrices that are kept", kept, (uint64_t)cases[i].matrices);
    }
}

static void another_format_is_not_bound_by_the_list(void **state)
{
    (void)state;
    Error err;
    WeightBytes bytes;
    Model *model = quantised("\"quant_method\": \"fp8\", \"ignore\": [\"model.layers.0\"]");
    assert_true(format_weights(arena, model, "nvfp4", &bytes, &err));
    assert_int_equal(bytes.bytes, 2 * LAYER / 16 * 9 + 14 * 4 + REST);
}

static void the_cache_may_have_a_format_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(quantised("\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\", "
                                  "\"kv_cache_quant_algo\": \"FP8\"")
                            ->cache,
                        "fp8");
    assert_string_equal(quantised("\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\", "
                                  "\"kv_cache_scheme\": {\"num_bits\": 8, \"type\": \"float\"}")
                            ->cache,
                        "fp8");
    assert_null(quantised("\"quant_method\": \"modelopt\", \"quant_algo\": \"FP8\", "
                          "\"kv_cache_quant_algo\": null")
                    ->cache);
}

// ---- hf_quant_config.json ----

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// nvidia/Llama-3.1-70B-Instruct-FP8: 72.7 GB.
static void a_folder_of_modelopt_is_read_with_both_its_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_kn_published_XXXXXX";
    Error err = {""};
    assert_non_null(mkdtemp(folder));
    const char *config = arena_print(arena, "%s/config.json", folder),
               *beside = arena_print(arena, "%s/hf_quant_config.json", folder);
    write_text(
        config,
        "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_size\": "
        "8192,"
        " \"num_hidden_layers\": 80, \"intermediate_size\": 28672, \"vocab_size\": 128256,"
        " \"num_attention_heads\": 64, \"num_key_value_heads\": 8, \"torch_dtype\": \"bfloat16\"}");
    write_text(
        beside,
        "{\"producer\": {\"name\": \"modelopt\"}, \"quantization\": {\"quant_algo\": \"FP8\","
        " \"kv_cache_quant_algo\": \"FP8\", \"exclude_modules\": [\"lm_head\"]}}");
    const char *const names[] = {folder, config};
    for (int i = 0; i < 2; i++) {
        Model *model = model_open(arena, names[i], &err);
        if (model == NULL) fail_msg("%s", err.message);
        assert_string_equal(model->published, "fp8-tensor");
        assert_string_equal(model->cache, "fp8");
        fixture_equal("70B", "tenths of GB", (bytes_of(model) + 50000000) / 100000000, 727);
    }
    write_text(beside, "{\"quantization\": ");
    assert_null(model_open(arena, folder, &err));
    assert_non_null(strstr(err.message, "hf_quant_config.json:1: is not JSON"));
    unlink(beside);
    // AutoGPTQ and AutoAWQ have files of other names.
    static const char *const others[][3] = {
        {"quantize_config.json", "{\"bits\": 4, \"group_size\": 128, \"desc_act\": true}",
         "gptq4-g128"},
        {"quant_config.json", "{\"w_bit\": 4, \"q_group_size\": 64}", "awq4-g64"}};
    for (int i = 0; i < 2; i++) {
        const char *other = arena_print(arena, "%s/%s", folder, others[i][0]);
        write_text(other, others[i][1]);
        Model *model = model_open(arena, folder, &err);
        if (model == NULL) fail_msg("%s", err.message);
        assert_string_equal(model->published, others[i][2]);
        unlink(other);
    }
    unlink(config), rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_comes_to_its_bytes),
        cmocka_unit_test(formats_of_single_modules_are_mixed),
        cmocka_unit_test(what_is_not_understood_is_counted_without_it_and_warned_of),
        cmocka_unit_test(lists_of_modules_that_stay_unquantised_are_honoured),
        cmocka_unit_test(a_list_of_thousands_is_read_to_its_end),
        cmocka_unit_test(a_name_in_a_layer_matches_whole_words_of_it),
        cmocka_unit_test(another_format_is_not_bound_by_the_list),
        cmocka_unit_test(the_cache_may_have_a_format_of_its_own),
        cmocka_unit_test(a_folder_of_modelopt_is_read_with_both_its_files),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
