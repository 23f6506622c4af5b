/* Formats of weights, held against llama.cpp's quantiser, bitsandbytes and published files. */
#include "labs/5_frontier/key_numbers/app/formats/format.h"
#include <inttypes.h>
#include <math.h>
#include "labs/5_frontier/key_numbers/app/formats/ggml_type.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

static WeightBytes bytes_in(const Model *model, const char *format)
{
    Error err = {""};
    WeightBytes bytes;
    if (!format_weights(arena, model, format, &bytes, &err)) fail_msg("%s", err.message);
    return bytes;
}

static const StoredType *type_in(const WeightBytes *bytes, const char *name)
{
    for (int t = 0; t < bytes->type_count; t++)
        if (strcmp(bytes->types[t].name, name) == 0) return &bytes->types[t];
    fail_msg("%s has nothing in %s", bytes->format, name);
    return NULL;
}

static void expect_refusal(const Model *model, const char *format, const char *sentence)
{
    Error err = {""};
    WeightBytes bytes;
    assert_false(format_weights(arena, model, format, &bytes, &err));
    assert_string_equal(err.message, sentence);
}

// One layer with one matrix beside what every model has.
static Model *one_matrix(const char *family, Role role, uint64_t rows, uint64_t cols)
{
    Model *model = build_model(arena, family, "small");
    build_weight(model, OUTSIDE, COMPONENT_EMBED, ROLE_EMBED, "embed_tokens.weight", 10, 64);
    int kind = build_kind(
        model, (LayerKind){.name = "layers", .count = 1, .block = {.heads = 1, .kv_heads = 1}});
    build_weight(model, kind, COMPONENT_ATTN, role, "self_attn.o_proj.weight", rows, cols);
    build_weight(model, OUTSIDE, COMPONENT_HEAD, ROLE_HEAD, "lm_head.weight", 10, 64);
    build_finish(model);
    return model;
}

// ---- llama.cpp ----

// llama.cpp, tools/quantize/README.md: "meta-llama/Llama-3.1-8B", bits/weight and size (GiB).
static void llama_3_1_8b_has_the_bits_of_llama_cpps_own_table(void **state)
{
    static const struct {
        const char *format;
        double bits, gib;
    } table[] = {
        {"iq1_s", 2.0042, 1.87},   {"iq1_m", 2.1460, 2.01},  {"iq2_xxs", 2.3824, 2.23},
        {"iq2_xs", 2.5882, 2.42},  {"iq2_s", 2.7403, 2.56},  {"iq2_m", 2.9294, 2.74},
        {"iq3_xxs", 3.2548, 3.04}, {"iq3_xs", 3.4977, 3.27}, {"iq3_s", 3.6606, 3.42},
        {"iq3_m", 3.7628, 3.52},   {"iq4_xs", 4.4597, 4.17}, {"iq4_nl", 4.6818, 4.38},
        {"q2_k_s", 2.9697, 2.78},  {"q2_k", 3.1593, 2.95},   {"q3_k_s", 3.6429, 3.41},
        {"q3_k_m", 3.9960, 3.74},  {"q3_k_l", 4.2979, 4.02}, {"q4_k_s", 4.6672, 4.36},
        {"q4_k_m", 4.8944, 4.58},  {"q5_k_s", 5.5704, 5.21}, {"q5_k_m", 5.7036, 5.33},
        {"q6_k", 6.5633, 6.14},    {"q8_0", 8.5008, 7.95},   {"f16", 16.0005, 14.96},
    };
    (void)state;
    const Model *model = model_of("meta-llama/Llama-3.1-8B");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        WeightBytes bytes = bytes_in(model, table[i].format);
        double gib = (double)bytes.bytes / 0x1p30;
        if (!(fabs(bytes.bits_per_weight - table[i].bits) <= 0.00005) ||
            !(fabs(gib - table[i].gib) <= 0.00501))
            fail_msg("%s: %.5f bits and %.3f GiB, expected %.4f and %.2f", table[i].format,
                     bytes.bits_per_weight, gib, table[i].bits, table[i].gib);
    }
}

// Every family, layer after layer: 33 file types of each model. fixtures/gguf_bytes.json says how it was made.
static void each_models_gguf_is_what_llama_cpps_quantiser_makes(void **state)
{
    (void)state;
    cJSON *tree = fixture_load("gguf_bytes.json");
    const cJSON *formats = fixture_get(tree, "formats"), *row, *node;
    int models = 0;
    cJSON_ArrayForEach(row, fixture_get(tree, "models"))
    {
        const Model *model = model_of(row->string);
        int f = 0;
        cJSON_ArrayForEach(node, row)
        {
            const char *format = cJSON_GetArrayItem(formats, f++)->valuestring;
            WeightBytes bytes = bytes_in(model, format);
            fixture_equal(row->string, format, bytes.bytes - bytes.component[COMPONENT_VISION],
                          (uint64_t)node->valuedouble);
        }
        assert_int_equal(f, cJSON_GetArraySize(formats));
        models++;
    }
    assert_true(models > 100);
    cJSON_Delete(tree);
}

// Sizes that llama.cpp has printed: 39.59 GiB and 636.18 MiB of two Q4_K_M files.
static void published_sizes_of_gguf_files_are_met(void **state)
{
    (void)state;
    WeightBytes large = bytes_in(model_of("meta-llama/Llama-3.1-70B"), "q4_k_m");
    WeightBytes small = bytes_in(model_of("TinyLlama/TinyLlama-1.1B-Chat-v1.0"), "q4_k_m");
    assert_int_equal(llround((double)large.bytes / 0x1p30 * 100), 3959);
    assert_int_equal(llround((double)small.bytes / 0x1p20 * 100), 63618);
}

static void each_block_takes_the_bytes_of_ggml(void **state)
{
    (void)state;
    int known = 0;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        const DTypeInfo *info = &dtype_info[type];
        if (info->gguf < 0) continue;
        if (ggml_bytes((DType)type, 3, 2 * info->block) != 6 * info->bytes)
            fail_msg("%s: 2 blocks take %" PRIu64 " bytes, expected %u", info->name,
                     ggml_bytes((DType)type, 1, 2 * info->block), 2 * info->bytes);
        known++;
    }
    assert_int_equal(known, 34);
}

// 896 is no multiple of 256: Q5_0 and Q8_0 take the place of Q4_K and Q6_K.
static void rows_that_are_no_whole_blocks_fall_back(void **state)
{
    (void)state;
    WeightBytes bytes = bytes_in(model_of("Qwen/Qwen2.5-0.5B"), "q4_k_m");
    assert_true(type_in(&bytes, "Q5_0")->elements > 200000000);
    assert_true(type_in(&bytes, "Q8_0")->elements > 130000000);    // the embedding is the head

    DType type = DTYPE_Q4_K;
    assert_true(ggml_fit(&type, 4096, NULL));
    assert_int_equal(type, DTYPE_Q4_K);
    assert_true(ggml_fit(&type, 100, NULL));
    assert_int_equal(type, DTYPE_F16);
}

static void a_gguf_adds_the_factors_of_scaled_positions(void **state)
{
    (void)state;
    const Model *scaled = model_of("meta-llama/Llama-3.1-8B");
    assert_int_equal(bytes_in(scaled, "f32").bytes, 4 * model_params(scaled) + 4 * 64);
}

// ---- bitsandbytes ----

static void each_model_in_bitsandbytes_formats_is_what_transformers_makes(void **state)
{
    (void)state;
    cJSON *tree = fixture_load("bitsandbytes.json");
    const cJSON *formats = fixture_get(tree, "formats"), *row, *node;
    int models = 0;
    cJSON_ArrayForEach(row, fixture_get(tree, "models"))
    {
        const Model *model = model_of(row->string);
        int f = 0;
        cJSON_ArrayForEach(node, row)
        {
            const char *format = cJSON_GetArrayItem(formats, f++)->valuestring;
            fixture_equal(row->string, format, bytes_in(model, format).bytes,
                          (uint64_t)node->valuedouble);
        }
        models++;
    }
    assert_true(models > 90);
    cJSON_Delete(tree);
}

// bitsandbytes 0.50.2, functional.quantize_4bit() of one matrix: bytes of the numbers, of absmax, of
// state2.absmax and of the offset.
static void a_flattened_matrix_has_the_arrays_that_bitsandbytes_makes(void **state)
{
    static const struct {
        uint64_t rows, cols, numbers, once, twice;
    } cases[] = {
        {64, 65, 2080, 260, 65 + 4 + 4},
        {100, 100, 5000, 628, 157 + 4 + 4},
        {1000, 129, 64500, 8064, 2016 + 32 + 4},
        {7, 9, 32, 4, 1 + 4 + 4},
    };
    (void)state;
    const uint64_t rest = 2 * 2 * 10 * 64;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model = one_matrix("llama", ROLE_O, cases[i].rows, cases[i].cols);
        assert_int_equal(bytes_in(model, "nf4").bytes, rest + cases[i].numbers + cases[i].once);
        assert_int_equal(bytes_in(model, "fp4").bytes, rest + cases[i].numbers + cases[i].once);
        assert_int_equal(bytes_in(model, "nf4-dq").bytes, rest + cases[i].numbers + cases[i].twice);
        assert_int_equal(bytes_in(model, "fp4-dq").bytes, rest + cases[i].numbers + cases[i].twice);
    }
}

// ---- published files ----

// metadata.total_size of their model.safetensors.index.json; of the last, of Llama-3-70B in AWQ.
static void published_indices_name_these_bytes(void **state)
{
    (void)state;
    assert_int_equal(bytes_in(model_of("openai/gpt-oss-20b"), NULL).bytes, 13761264768u);
    assert_int_equal(bytes_in(model_of("openai/gpt-oss-120b"), "mxfp4").bytes, 65248815744u);
    assert_int_equal(bytes_in(model_of("meta-llama/Llama-3.1-70B"), "awq4-g128").bytes,
                     39767785472u);
}

// The 163 files of DeepSeek-V3 have 688,586,727,753 bytes: their headers, the model in fp8, and what the
// catalogue knows them to hold beside it. The scales of the model are among that too.
static void deepseek_v3_in_fp8_is_what_its_files_hold(void **state)
{
    (void)state;
    const Model *model = model_of("deepseek-ai/DeepSeek-V3");
    WeightBytes bytes = bytes_in(model, NULL);
    uint64_t files = 688586727753u, tensors = 0;
    assert_string_equal(bytes.format, "fp8");
    tensors += type_in(&bytes, "F8_E4M3")->elements + 2 * type_in(&bytes, "BF16")->elements;
    tensors += 4 * type_in(&bytes, "F32")->elements;
    for (int i = 0; i < model->extra_count; i++) tensors += model->extras[i].bytes;
    uint64_t headers = files - tensors;
    if (headers < 163 * 8 || headers > 20000000)
        fail_msg("%" PRIu64 " bytes of tensors leave %" PRIu64 " for headers", tensors, headers);
}

// TheBloke/Llama-2-7B-GPTQ and -AWQ: 3.90 and 3.89 GB. AutoGPTQ of 2023 gave every layer a bias of zeros.
static void llama_2_7b_in_gptq_and_awq_is_as_large_as_published(void **state)
{
    (void)state;
    const Model *model = model_of("meta-llama/Llama-2-7b-hf");
    uint64_t zeros = 2 * 32 * (4 * 4096 + 2 * 11008 + 4096),
             gptq = bytes_in(model, "gptq4-g128").bytes;
    assert_int_equal(llround((double)(gptq + zeros) / 1e7), 390);
    assert_int_equal(llround((double)bytes_in(model, "awq4-g128").bytes / 1e7), 389);
    // 4 bits, 20 for 128, and 4 bytes for each column of each matrix
    uint64_t packed = 32 * (uint64_t)(4 * 4096 * 4096 + 3 * 4096 * 11008),
             columns = 32 * (6 * 4096 + 11008);
    WeightBytes bytes = bytes_in(model, "gptq4-g128");
    assert_int_equal(type_in(&bytes, "INT4")->bytes,
                     packed / 2 + packed / 128 * 20 / 8 + 4 * columns);
}

// ---- sums that fit in a head ----

static void scales_go_by_tile_row_matrix_and_block(void **state)
{
    (void)state;
    const Model *model = one_matrix("llama", ROLE_O, 576, 7168);
    const uint64_t n = 576 * 7168, rest = 2 * 2 * 10 * 64;
    assert_int_equal(bytes_in(model, "fp8").bytes, rest + n + 4 * 5 * 56);    // 4.5 x 56 tiles
    assert_int_equal(bytes_in(model, "fp8-tensor").bytes, rest + n + 4);
    assert_int_equal(bytes_in(model, "w8a8-int8").bytes, rest + n + 4 * 576);
    assert_int_equal(bytes_in(model, "int8").bytes, rest + n + 4 * 576);
    assert_int_equal(bytes_in(model, "mxfp8").bytes, rest + n + n / 32);
    assert_int_equal(bytes_in(model, "mxfp6").bytes, rest + n * 6 / 8 + n / 32);
    assert_int_equal(bytes_in(model, "mxfp4").bytes, rest + n / 2 + n / 32);
    assert_int_equal(bytes_in(model, "nvfp4").bytes, rest + n / 2 + n / 16 + 4);
    assert_int_equal(bytes_in(model, "gptq3-g64").bytes,
                     rest + n * 3 / 8 + n / 64 * 19 / 8 + 4 * 7168);
    assert_int_equal(bytes_in(model, "gptq8-row").bytes, rest + n + 576 * 3 + 4 * 7168);
    assert_int_equal(bytes_in(model, "awq4-g32").bytes, rest + n / 2 + n / 32 * 20 / 8);
    assert_int_equal(bytes_in(model, "bf16").bytes, rest + 2 * n);
}

static void a_router_and_what_stands_outside_stay_in_16_bits(void **state)
{
    static const char *const formats[] = {"fp8",        "fp8-tensor", "w8a8-int8",
                                          "gptq4-g128", "awq4-g128",  "nvfp4"};
    (void)state;
    const Model *model = model_of("mistralai/Mixtral-8x7B-Instruct-v0.1");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        WeightBytes bytes = bytes_in(model, formats[i]);
        assert_int_equal(bytes.component[COMPONENT_ROUTER], 2 * 32 * 8 * 4096);
        assert_int_equal(bytes.component[COMPONENT_EMBED], 2 * 32000 * 4096);
        assert_int_equal(bytes.component[COMPONENT_HEAD], 2 * 32000 * 4096);
        assert_int_equal(bytes.component[COMPONENT_NORM], 2 * 65 * 4096);
    }
}

// ---- how the answers hang together ----

static void layers_components_and_types_add_up(void **state)
{
    static const char *const models[] = {
        "Qwen/Qwen2.5-0.5B", "mistralai/Mixtral-8x7B-Instruct-v0.1", "deepseek-ai/DeepSeek-V2-Lite",
        "google-t5/t5-small", "google/gemma-3-4b-it"};
    (void)state;
    const FormatInfo *formats;
    int count = format_list(&formats), refused = 0;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        const Model *model = model_of(models[m]);
        for (int f = 0; f < count; f++) {
            if (!formats[f].weights) continue;
            WeightBytes bytes;
            if (!format_weights(arena, model, formats[f].name, &bytes, NULL)) {
                refused++;
                continue;
            }
            uint64_t layers = 0, components = 0, types = 0;
            for (int i = 0; i < model->weight_count; i++) {
                const Weight *w = &model->weights[i];
                if (w->kind == OUTSIDE)
                    layers += format_weight_bytes(model, &formats[f], w, OUTSIDE);
                for (int l = 0; l < model->layers; l++)
                    if (model->kind_of[l] == w->kind)
                        layers += format_weight_bytes(model, &formats[f], w, l);
            }
            for (int c = 0; c < COMPONENT_COUNT; c++) components += bytes.component[c];
            for (int t = 0; t < bytes.type_count; t++) types += bytes.types[t].bytes;
            fixture_equal(models[m], formats[f].name, layers, bytes.bytes);
            fixture_equal(models[m], formats[f].name, components, bytes.bytes);
            fixture_equal(models[m], formats[f].name, types, bytes.bytes);
            assert_true(bytes.bits_per_weight ==
                        8 * (double)bytes.bytes / (double)model_params(model));
        }
    }
    assert_int_equal(refused, 1);    // AWQ takes no rows of 10944 in groups of 128
}

static void a_model_from_files_is_as_it_stands_there(void **state)
{
    static const StoredType stored[] = {{"F8_E4M3", 1000, 1000}, {"F32", 200, 800}};
    (void)state;
    Model *model = one_matrix("llama", ROLE_O, 32, 32);
    model->stored = stored, model->stored_count = 2;
    WeightBytes bytes = bytes_in(model, NULL);
    assert_string_equal(bytes.format, "as stored");
    assert_int_equal(bytes.bytes, 1800);
    assert_int_equal(bytes.compute_bits, 8);
    assert_int_equal(bytes.component[COMPONENT_HEAD], 1800 * 640 / (2 * 640 + 1024));
    model->weights[0].stored_bytes = 700, model->weights[1].stored_bytes = 1000;
    assert_int_equal(bytes_in(model, NULL).component[COMPONENT_ATTN], 1000);
    assert_int_equal(bytes_in(model, "bf16").bytes, 2 * model_params(model));
}

// ---- names, refusals, the cache ----

static void names_are_taken_in_any_case_with_either_line(void **state)
{
    (void)state;
    assert_string_equal(format_find("Q4-K_M", NULL)->name, "q4_k_m");
    assert_string_equal(format_find("NF4_DQ", NULL)->name, "nf4-dq");
    for (int bits = 2; bits <= 8; bits++)
        for (int group = 16; group <= 1024; group *= 2)
            assert_int_equal(format_find(arena_print(arena, "gptq%d-g%d", bits, group), NULL) !=
                                 NULL,
                             bits != 5 && bits != 6 && bits != 7);
    const FormatInfo *formats;
    int count = format_list(&formats);
    for (int i = 0; i < count; i++)
        assert_ptr_equal(format_find(formats[i].name, NULL), &formats[i]);
}

static void an_unknown_format_is_refused_with_the_nearest(void **state)
{
    (void)state;
    Error err = {""};
    KnFormat format;
    assert_null(format_find("Q4_K_N", &err));
    assert_string_equal(err.message, "there is no format 'q4_k_n'; did you mean q4_k_m?");
    assert_null(format_find("gptq5-g128", &err));
    assert_non_null(strstr(err.message, "did you mean gptq"));
    assert_null(format_find("", &err));
    assert_string_equal(err.message,
                        "there is no format '', expected one such as fp8, gptq4-g128 or q4_k_m");
    char long_name[1000];
    memset(long_name, 'q', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_null(format_find(long_name, &err));
    assert_false(format_cache("q4_k_m", &format, &err));
    assert_string_equal(err.message, "q4_k_m is a format of weights, not of the cache");
    expect_refusal(one_matrix("llama", ROLE_O, 64, 64), "fp8-g128",
                   "fp8-g128 is a format of the cache, not of weights");
}

static void a_model_that_a_format_cannot_hold_is_refused_by_name(void **state)
{
    (void)state;
    Model *odd = one_matrix("llama", ROLE_O, 60, 100);
    expect_refusal(odd, "q4_0",
                   "q4_0 cannot hold small: self_attn.o_proj.weight: a row of 100 numbers is not a "
                   "multiple of the 32 of a block of Q4_0");
    expect_refusal(odd, "gptq4-g128",
                   "gptq4-g128 cannot hold small: self_attn.o_proj.weight is 60 by 100, expected "
                   "multiples of 32 and 32");
    expect_refusal(odd, "awq4-g128",
                   "awq4-g128 cannot hold small: self_attn.o_proj.weight is 60 by 100, expected "
                   "multiples of 8 and 128");
    expect_refusal(
        odd, "mxfp4",
        "mxfp4 cannot hold small: self_attn.o_proj.weight has rows of 100 numbers, expected a "
        "multiple of 32");
    assert_int_equal(format_weight_bytes(odd, format_find("q4_0", NULL), &odd->weights[1], 0), 0);
    assert_int_equal(type_in(&(WeightBytes[]){bytes_in(odd, "q4_k_m")}[0], "F16")->elements, 6000);
    expect_refusal(one_matrix("opt", ROLE_O, 64, 64), "q8_0",
                   "q8_0: small: llama.cpp knows no models of the family opt");
    Model *flat = one_matrix("llama", ROLE_O, 64, 64);
    flat->layers = 0;
    expect_refusal(flat, "q8_0",
                   "q8_0: small: a GGUF's mix goes by layer, and the model's layers are not known");
}

// Qwen2.5-0.5B, two key/value heads of 64 in 24 layers: 6.38 KiB of q8_0 for a token.
static void a_cache_takes_blocks_as_llama_cpp_and_vllm_have_them(void **state)
{
    static const struct {
        const char *name;
        uint64_t bytes;    // of a row of 128
    } rows[] = {{"fp32", 512},  {"bf16", 256}, {"f16", 256},      {"fp8", 128},     {"int8", 128},
                {"q8_0", 136},  {"q5_1", 96},  {"q5_0", 88},      {"q4_1", 80},     {"q4_0", 72},
                {"iq4_nl", 72}, {"nvfp4", 72}, {"fp8-g128", 132}, {"int8-g64", 136}};
    (void)state;
    KnFormat format;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(format_cache(rows[i].name, &format, NULL));
        fixture_equal(rows[i].name, "a row", kn_format_bytes(&format, 128), rows[i].bytes);
    }
    assert_true(format_cache("q8_0", &format, NULL));
    uint64_t token = 24 * kn_kv_bytes(&model_of("Qwen/Qwen2.5-0.5B")->kinds[0].block, &format);
    assert_int_equal(llround((double)token / 1024 * 100), 638);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_3_1_8b_has_the_bits_of_llama_cpps_own_table),
        cmocka_unit_test(each_models_gguf_is_what_llama_cpps_quantiser_makes),
        cmocka_unit_test(published_sizes_of_gguf_files_are_met),
        cmocka_unit_test(each_block_takes_the_bytes_of_ggml),
        cmocka_unit_test(rows_that_are_no_whole_blocks_fall_back),
        cmocka_unit_test(a_gguf_adds_the_factors_of_scaled_positions),
        cmocka_unit_test(each_model_in_bitsandbytes_formats_is_what_transformers_makes),
        cmocka_unit_test(a_flattened_matrix_has_the_arrays_that_bitsandbytes_makes),
        cmocka_unit_test(published_indices_name_these_bytes),
        cmocka_unit_test(deepseek_v3_in_fp8_is_what_its_files_hold),
        cmocka_unit_test(llama_2_7b_in_gptq_and_awq_is_as_large_as_published),
        cmocka_unit_test(scales_go_by_tile_row_matrix_and_block),
        cmocka_unit_test(a_router_and_what_stands_outside_stay_in_16_bits),
        cmocka_unit_test(layers_components_and_types_add_up),
        cmocka_unit_test(a_model_from_files_is_as_it_stands_there),
        cmocka_unit_test(names_are_taken_in_any_case_with_either_line),
        cmocka_unit_test(an_unknown_format_is_refused_with_the_nearest),
        cmocka_unit_test(a_model_that_a_format_cannot_hold_is_refused_by_name),
        cmocka_unit_test(a_cache_takes_blocks_as_llama_cpp_and_vllm_have_them),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
