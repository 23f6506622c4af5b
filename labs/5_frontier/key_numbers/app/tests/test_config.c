/* Configurations: each turn of each family, tensor by tensor, as transformers makes it; and what is refused. */
#include "labs/5_frontier/key_numbers/app/tests/fixtures.h"
#include <inttypes.h>
#include "labs/5_frontier/key_numbers/app/tests/scratch.h"

static Model *made(const cJSON *config, const char *name)
{
    Error err = {""};
    Model *model = config_model(arena, config, name, "config.json", &err);
    if (model == NULL) fail_msg("%s: %s", name, err.message);
    return model;
}

static Model *parsed(const char *text)
{
    cJSON *config = cJSON_Parse(text);
    if (config == NULL) fail_msg("is not JSON: %.300s", text);
    Model *model = made(config, text);
    cJSON_Delete(config);
    return model;
}

// ---- against transformers ----

typedef void (*EachVariant)(const Model *model, const char *name, const cJSON *expected);

static void each_variant(EachVariant look)
{
    cJSON *inputs = fixture_load("variants.json"), *outputs = fixture_load("parameters.json");
    const cJSON *expected = fixture_get(outputs, "variants"), *config;
    int count = 0;
    cJSON_ArrayForEach(config, fixture_get(inputs, "variants"))
    {
        look(made(config, config->string), config->string, fixture_get(expected, config->string));
        count++;
    }
    assert_int_equal(count, cJSON_GetArraySize(expected));
    assert_true(count > 50);
    cJSON_Delete(inputs);
    cJSON_Delete(outputs);
}

static void expect_counts(const Model *model, const char *name, const cJSON *expected)
{
    fixture_equal(name, "the total", model_params(model), fixture_count(expected, "total"));
    fixture_components(model, name, fixture_get(expected, "components"));
}

static void every_variant_has_the_parameters_that_transformers_counts(void **state)
{
    (void)state;
    each_variant(expect_counts);
}

// [out,in] as in the ledger; GPT-2's matrices and stacked experts stand the other way in memory, and a
// convolution has its [in] in three.
static bool is_shape(const Model *model, const Weight *w, const cJSON *shape)
{
    uint64_t sizes[4] = {1, 1, 1, 1};
    int dims = cJSON_GetArraySize(shape);
    for (int i = 0; i < dims && i < 4; i++)
        sizes[i] = (uint64_t)cJSON_GetArrayItem(shape, i)->valuedouble;
    bool turned = strcmp(model->family, "gpt2") == 0 && (strstr(w->name, "c_") != NULL);
    if (strstr(w->name, "mm_input_projection") != NULL) turned = true;
    switch (dims) {
    case 1: return w->rows == 1 && w->cols == sizes[0];
    case 2:
        if (w->copies == sizes[0] && w->rows == 1) return w->cols == sizes[1];    // experts' biases
        return turned ? w->cols == sizes[0] && w->rows == sizes[1]
                      : w->rows == sizes[0] && w->cols == sizes[1];
    case 3:
        if (sizes[0] == 1 && sizes[1] == 1) return w->rows == 1 && w->cols == sizes[2];
        return w->copies == sizes[0] && w->cols == sizes[1] && w->rows == sizes[2];
    default: return w->rows == sizes[0] && w->cols == sizes[1] * sizes[2] * sizes[3];
    }
}

static void expect_tensors(const Model *model, const char *name, const cJSON *expected)
{
    const cJSON *tensor;
    uint64_t named = 0;
    cJSON_ArrayForEach(tensor, fixture_get(expected, "tensors"))
    {
        const char *word = cJSON_GetArrayItem(tensor, 0)->valuestring;
        const cJSON *shape = cJSON_GetArrayItem(tensor, 1), *size;
        uint64_t count = (uint64_t)cJSON_GetArrayItem(tensor, 2)->valuedouble, sum = 0;
        cJSON_ArrayForEach(size, shape)
        {
            count *= (uint64_t)size->valuedouble;
        }
        for (int i = 0; i < model->weight_count; i++) {
            const Weight *w = &model->weights[i];
            if (strcmp(w->name, word) != 0) continue;
            if (!is_shape(model, w, shape))
                fail_msg("%s: %s is [%" PRIu64 ",%" PRIu64 "]", name, word, w->rows, w->cols);
            sum += weight_elements(model, w);
        }
        fixture_equal(name, word, sum, count);
        named += sum;
    }
    fixture_equal(name, "what has such names", model_params(model), named);
}

static void every_variant_has_the_tensors_of_the_published_names_and_shapes(void **state)
{
    (void)state;
    each_variant(expect_tensors);
}

static void expect_windows(const Model *model, const char *name, const cJSON *expected)
{
    const cJSON *windows = fixture_get(expected, "windows"), *window;
    int layer = 0;
    assert_true(model->layers >= cJSON_GetArraySize(windows));
    cJSON_ArrayForEach(window, windows)
    {
        const LayerKind *kind = &model->kinds[model->kind_of[layer++]];
        fixture_equal(name, "a window", kind->window, (uint64_t)window->valuedouble);
    }
}

static void every_layer_sees_as_far_as_transformers_lets_it(void **state)
{
    (void)state;
    each_variant(expect_windows);
}

static void layers_of_each_kind_are_as_many_as_kind_of_says(const Model *model, const char *name,
                                                            const cJSON *expected)
{
    (void)expected;
    int counts[KINDS_MAX] = {0};
    for (int i = 0; i < model->layers; i++) counts[model->kind_of[i]]++;
    for (int k = 0; k < model->kind_count; k++)
        fixture_equal(name, model->kinds[k].name, (uint64_t)model->kinds[k].count,
                      (uint64_t)counts[k]);
}

static void kinds_are_counted_in_the_order_of_layers(void **state)
{
    (void)state;
    each_variant(layers_of_each_kind_are_as_many_as_kind_of_says);
}

// ---- by hand ----

// Vectors are those with one row and the norms and biases; all others stand in matrices.
static void vectors_are_counted_by_hand(void **state)
{
    (void)state;
    // 48 wide, 6 heads of 16, 2 for keys: biases 96 + 2 x 32 + 48, of the MLP 2 x 100 + 48, norms 2 x 48.
    Model *llama =
        parsed("{\"model_type\": \"llama\", \"hidden_size\": 48, \"num_hidden_layers\": 2,"
               " \"num_attention_heads\": 6, \"num_key_value_heads\": 2, \"head_dim\": 16,"
               " \"intermediate_size\": 100, \"vocab_size\": 99, \"attention_bias\": true,"
               " \"mlp_bias\": true, \"max_position_embeddings\": 128}");
    fixture_equal("llama", "vectors", llama->kinds[0].vectors, 96 + 64 + 48 + 248 + 96);
    // Of 6 experts a token goes to 2: their biases 2 x (2 x 40 + 48); the router's 6, the sinks' 6.
    Model *oss =
        parsed("{\"model_type\": \"gpt_oss\", \"hidden_size\": 48, \"num_hidden_layers\": 2,"
               " \"num_attention_heads\": 6, \"num_key_value_heads\": 2, \"head_dim\": 16,"
               " \"intermediate_size\": 40, \"num_local_experts\": 6, \"num_experts_per_tok\": 2}");
    fixture_equal("gpt_oss", "vectors", oss->kinds[0].vectors, 96 + 64 + 48 + 2 * 128 + 6 + 6 + 96);
}

// The code of these is not in transformers: small ones, by hand.
static void families_of_remote_code_are_summed_by_hand(void **state)
{
    (void)state;
    uint64_t h = 48, V = 99, f = 50;
    // Qwen: q, k and v have biases, and the MLP half of intermediate_size.
    Model *qwen =
        parsed("{\"model_type\": \"qwen\", \"hidden_size\": 48, \"num_hidden_layers\": 2,"
               " \"num_attention_heads\": 6, \"kv_channels\": 8, \"intermediate_size\": 100,"
               " \"vocab_size\": 99}");
    fixture_equal("qwen", "the total", model_params(qwen),
                  2 * V * h + 2 * (4 * h * h + 3 * h + 3 * h * f + 2 * h) + h);
    // ChatGLM-6B's first version, 130528 words: 6.17e9 (THUDM/chatglm-6b).
    Model *glm =
        parsed("{\"model_type\": \"chatglm\", \"architectures\": [\"ChatGLMModel\"], "
               "\"hidden_size\": 4096,"
               " \"inner_hidden_size\": 16384, \"num_layers\": 28, \"num_attention_heads\": 32,"
               " \"vocab_size\": 130528}");
    fixture_equal("chatglm", "the total", model_params(glm), 6173286400);
    // Baichuan, InternLM2: LLaMA's sum under other names.
    Model *chuan =
        parsed("{\"model_type\": \"baichuan\", \"hidden_size\": 48, \"num_hidden_layers\": 2,"
               " \"num_attention_heads\": 6, \"intermediate_size\": 50, \"vocab_size\": 99}");
    fixture_equal("baichuan", "the total", model_params(chuan),
                  2 * V * h + 2 * (4 * h * h + 3 * h * f + 2 * h) + h);
    Model *intern =
        parsed("{\"model_type\": \"internlm2\", \"hidden_size\": 48, \"num_hidden_layers\": 2,"
               " \"num_attention_heads\": 6, \"num_key_value_heads\": 3, \"intermediate_size\": 50,"
               " \"vocab_size\": 99, \"bias\": true}");
    fixture_equal("internlm2", "the total", model_params(intern),
                  2 * V * h + 2 * (3 * h * h + 2 * h + h + 3 * h * f + 2 * h) + h);
}

static void falcon_has_two_sets_of_names(void **state)
{
    (void)state;
    Model *now = parsed(
        "{\"model_type\": \"falcon\", \"hidden_size\": 48, \"num_hidden_layers\": 2, "
        "\"vocab_size\": 99,"
        " \"num_attention_heads\": 6, \"num_kv_heads\": 3, \"new_decoder_architecture\": true}");
    Model *then = parsed(
        "{\"model_type\": \"RefinedWeb\", \"architectures\": [\"RWForCausalLM\"], \"n_embed\": 48,"
        " \"n_layer\": 2, \"n_head\": 6, \"n_head_kv\": 3, \"vocab_size\": 99}");
    fixture_equal("RefinedWeb", "the total", model_params(then), model_params(now));
}

// ---- heads, experts and towers ----

#define QWEN_7B(architecture)                                                                      \
    "{\"architectures\": [\"" architecture                                                         \
    "\"], \"model_type\": \"qwen2\", \"hidden_size\": 3584,"                                       \
    " \"num_hidden_layers\": 28, \"num_attention_heads\": 28, \"num_key_value_heads\": 4,"         \
    " \"intermediate_size\": 18944, \"vocab_size\": 152064, \"tie_word_embeddings\": false}"

static void each_head_is_counted(void **state)
{
    (void)state;
    const uint64_t bare = 7070619136, h = 3584;
    // Qwen/Qwen2.5-Math-PRM-7B as published.
    fixture_equal("PRM", "the total", model_params(parsed(QWEN_7B("Qwen2ForProcessRewardModel"))),
                  7083474946);
    fixture_equal("bare", "the total", model_params(parsed(QWEN_7B("Qwen2Model"))), bare);
    fixture_equal("reward", "the total", model_params(parsed(QWEN_7B("Qwen2ForRewardModel"))),
                  bare + h * h + h + h + 1);
    fixture_equal("tokens", "the total",
                  model_params(parsed(QWEN_7B("Qwen2ForTokenClassification"))), bare + 2 * h + 2);
    fixture_equal("answers", "the total",
                  model_params(parsed(QWEN_7B("Qwen2ForQuestionAnswering"))), bare + 2 * h + 2);
    fixture_equal("labels", "the total",
                  model_params(parsed(QWEN_7B("Qwen2ForSequenceClassification"))), bare + 2 * h);
    // BERT has no pooler under these: google-bert/bert-base-uncased is 109482240 with it.
    static const char *const berts[] = {"BertForTokenClassification", "BertForQuestionAnswering"};
    for (int i = 0; i < 2; i++)
        fixture_equal(berts[i], "the total",
                      model_params(parsed(
                          arena_print(arena,
                                      "{\"architectures\": [\"%s\"], \"model_type\": \"bert\","
                                      " \"hidden_size\": 768, \"num_hidden_layers\": 12}",
                                      berts[i]))),
                      109482240 - 768 * 769 + 2 * 769);
}

static void experts_go_by_the_names_of_transformers_5(void **state)
{
    (void)state;
    // Qwen/Qwen3-Coder-480B-A35B-Instruct as published.
    Model *model = parsed(
        "{\"architectures\": [\"Qwen3MoeForCausalLM\"], \"model_type\": \"qwen3_moe\", "
        "\"hidden_size\": 6144,"
        " \"num_hidden_layers\": 62, \"num_attention_heads\": 96, \"num_key_value_heads\": 8, "
        "\"head_dim\": 128,"
        " \"intermediate_size\": 8192, \"moe_intermediate_size\": 2560, \"num_local_experts\": 160,"
        " \"num_experts_per_tok\": 8, \"vocab_size\": 151936, \"tie_word_embeddings\": false}");
    fixture_equal("Qwen3-Coder-480B", "the total", model_params(model), 480154875392);
    static const char *const types[][2] = {{"mixtral", "num_local_experts"},
                                           {"olmoe", "num_experts"},
                                           {"deepseek_v3", "n_routed_experts"}};
    for (int i = 0; i < 3; i++) {
        static const char form[] =
            "{\"model_type\": \"%s\", \"hidden_size\": 64, \"num_hidden_layers\": 4, \"%s\": 9}";
        uint64_t own = model_params(parsed(arena_print(arena, form, types[i][0], types[i][1])));
        fixture_equal(types[i][0], "the total",
                      model_params(parsed(arena_print(
                          arena, form, types[i][0], i == 1 ? "num_local_experts" : "num_experts"))),
                      own);
    }
}

// THUDM/glm-4v-9b: 13.906e9 in its files, of which glm-4-9b has 9,399,951,360.
static void the_tower_of_glm_4v_is_counted(void **state)
{
    (void)state;
    Model *model = parsed("{\"architectures\": [\"ChatGLMModel\"], \"model_type\": \"chatglm\", "
                          "\"add_qkv_bias\": true, \"hidden_size\": 4096,"
                          " \"ffn_hidden_size\": 13696, \"kv_channels\": 128, "
                          "\"multi_query_attention\": true, \"multi_query_group_num\": 2,"
                          " \"num_attention_heads\": 32, \"num_layers\": 40, "
                          "\"padded_vocab_size\": 151552, \"seq_length\": 8192,"
                          " \"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\", "
                          "\"vision_config\": {\"in_channels\": 3, \"num_hidden_layers\": 63,"
                          " \"hidden_size\": 1792, \"patch_size\": 14, \"num_heads\": 16, "
                          "\"intermediate_size\": 15360, \"num_positions\": 6401}}");
    fixture_equal("glm-4v-9b", "the text",
                  model_params(model) - model_component(model, COMPONENT_VISION), 9399951360);
    fixture_equal("glm-4v-9b", "the total in millions", (model_params(model) + 500000) / 1000000,
                  13906);
}

// zai-org/GLM-4.5-Air: its module that predicts further tokens has an embedding and a head of its own.
static void glm_4_5_stores_its_ends_again(void **state)
{
    (void)state;
    Model *model = parsed(
        "{\"architectures\": [\"Glm4MoeForCausalLM\"], \"model_type\": \"glm4_moe\", "
        "\"attention_bias\": true, \"hidden_size\": 4096,"
        " \"intermediate_size\": 10944, \"moe_intermediate_size\": 1408, \"n_routed_experts\": "
        "128, \"n_shared_experts\": 1,"
        " \"num_experts_per_tok\": 8, \"num_attention_heads\": 96, \"head_dim\": 128, "
        "\"num_hidden_layers\": 46,"
        " \"num_key_value_heads\": 8, \"first_k_dense_replace\": 1, \"num_nextn_predict_layers\": "
        "1,"
        " \"vocab_size\": 151552, \"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\"}");
    fixture_equal("GLM-4.5-Air", "what is stored", model_stored(model), 110468824832);
}

// ---- formats ----

static void expect_published(const char *settings, const char *format)
{
    const char *text = arena_print(
        arena, "{\"model_type\": \"llama\", \"hidden_size\": 128, \"num_hidden_layers\": 1, %s}",
        settings);
    assert_string_equal(parsed(text)->published, format);
}

#define QUANTIZED(inside) "\"quantization_config\": {" inside "}"

static void the_format_is_that_of_the_file(void **state)
{
    (void)state;
    expect_published("\"torch_dtype\": \"float16\"", "fp16");
    expect_published("\"dtype\": \"float32\"", "fp32");
    expect_published("\"dtype\": \"bfloat16\", \"torch_dtype\": \"float16\"", "bf16");
    expect_published("\"use_cache\": true", "bf16");
    expect_published(QUANTIZED("\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]"),
                     "fp8");
    expect_published(QUANTIZED("\"quant_method\": \"fp8\""), "fp8-tensor");
    expect_published(QUANTIZED("\"quant_method\": \"mxfp4\""), "mxfp4");
    expect_published(QUANTIZED("\"quant_method\": \"gptq\", \"bits\": 3, \"group_size\": 64"),
                     "gptq3-g64");
    expect_published(QUANTIZED("\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": -1"),
                     "gptq4-row");
    expect_published(QUANTIZED("\"quant_method\": \"awq\", \"w_bit\": 4, \"q_group_size\": 128"),
                     "awq4-g128");
    expect_published(QUANTIZED("\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true"),
                     "int8");
    expect_published(QUANTIZED("\"load_in_4bit\": true, \"bnb_4bit_quant_type\": \"nf4\""), "nf4");
    expect_published(
        QUANTIZED("\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true,"
                  " \"bnb_4bit_quant_type\": \"nf4\", \"bnb_4bit_use_double_quant\": true"),
        "nf4-dq");
    expect_published(QUANTIZED("\"quant_method\": \"aqlm\"") ", \"torch_dtype\": \"float16\"",
                     "fp16");
    expect_published(QUANTIZED("\"quant_method\": \"fp8\", \"weight_block_size\": [64, 64]"),
                     "bf16");
}

static bool notes_have(const Model *model, const char *words)
{
    for (int i = 0; i < model->note_count; i++)
        if (strstr(model->notes[i], words) != NULL) return true;
    return false;
}

static void a_default_that_is_taken_is_noted(void **state)
{
    (void)state;
    Model *model = parsed(
        "{\"model_type\": \"llama\", \"hidden_size\": 4096, \"num_hidden_layers\": 32,"
        " \"intermediate_size\": 11008, \"vocab_size\": null, \"torch_dtype\": \"float16\"}");
    fixture_equal("llama", "the total", model_params(model),
                  6738415616);    // LLaMA-7B is the default
    assert_true(notes_have(model, "num_attention_heads is missing: LlamaConfig's default, 32"));
    assert_true(notes_have(model, "num_key_value_heads is missing: LlamaConfig's default, 32"));
    assert_true(notes_have(model, "vocab_size is missing: LlamaConfig's default, 32000"));
    assert_true(notes_have(model, "architectures is missing: a model that writes text is taken"));
    assert_int_equal(model->note_count, 5);    // and the context
    // A method of quantisation that is not known is not passed over in silence.
    model = parsed("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 1,"
                   " \"quantization_config\": {\"quant_method\": \"aqlm\"}}");
    assert_true(notes_have(model, "aqlm"));
}

static void text_from_a_file_cannot_steer_a_terminal(void **state)
{
    (void)state;
    Model *model =
        parsed("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 1,"
               " \"torch_dtype\": \"a\\u001b[31m\\nb\\u009bc\\u202ed\"}");
    assert_true(notes_have(model, "torch_dtype is a?[31m?b?c?d, which"));
    cJSON *config =
        cJSON_Parse("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 1}");
    assert_string_equal(made(config, "/tmp/\x1b[2J\n\xff/config.json")->name, "/tmp/?[2J?"
                                                                              "?/config.json");
    cJSON_Delete(config);
}

static void scaled_positions_come_with_factors(void **state)
{
    (void)state;
    Model *model =
        parsed("{\"model_type\": \"llama\", \"hidden_size\": 4096, \"num_hidden_layers\": 1,"
               " \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}}");
    fixture_equal("llama3", "factors", model->rope_factors, 64);
    model = parsed("{\"model_type\": \"phi3\", \"hidden_size\": 64, \"num_hidden_layers\": 1, "
                   "\"rope_scaling\":"
                   " {\"type\": \"longrope\", \"short_factor\": [1, 1], \"long_factor\": [1, 2]}}");
    fixture_equal("longrope", "factors", model->rope_factors, 4);
}

// ---- refusals ----

static void refused(const char *text, const char *sentence)
{
    cJSON *config = cJSON_Parse(text);
    Error err = {""};
    Model *model = config_model(arena, config, "some", "config.json", &err);
    cJSON_Delete(config);
    if (model != NULL) fail_msg("was taken: %.300s", text);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("%.300s\n  said \"%s\"\n  expected \"%s\"", text, err.message, sentence);
    if (strncmp(err.message, "config.json: ", 13) != 0) fail_msg("said \"%s\"", err.message);
}

static void refused_without(const char *text, const char *words)
{
    cJSON *config = cJSON_Parse(text);
    Error err = {""};
    assert_null(config_model(arena, config, "some", "config.json", &err));
    cJSON_Delete(config);
    if (strstr(err.message, words) != NULL) fail_msg("%s said \"%s\"", text, err.message);
}

#define LLAMA(more)                                                                                \
    "{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 2, " more "}"

static void an_unknown_family_is_refused_by_its_name(void **state)
{
    (void)state;
    refused("[]", "holds no object");
    refused("{}", "\"model_type\" is missing");
    refused("{\"model_type\": 4}", "\"model_type\" is 4, expected a text");
    refused("{\"model_type\": \"rwkv9\"}", "\"rwkv9\", a family that is not known here");
    refused("{\"model_type\": \"lama\"}", "did you mean \"llama\"?");
    refused(LLAMA("\"architectures\": [\"MyForCausalLM\"]"),
            "\"MyForCausalLM\", which is not known for the family llama");
    refused(LLAMA("\"architectures\": [\"LlamaForImages\"]"), "\"LlamaForImages\"");
    // Nearly a name, but no typing error: the fields of another version mean something else.
    refused("{\"model_type\": \"qwen9_vl\"}", "\"qwen9_vl\", a family that is not known here");
    refused_without("{\"model_type\": \"qwen9_vl\"}", "did you mean");
    refused_without("{\"model_type\": \"gemma4\"}", "did you mean");
    refused(LLAMA("\"architectures\": [\"LlamaRewardModel\"]"), "\"LlamaRewardModel\"");
    refused(LLAMA("\"architectures\": [\"LlamaForProcessRewardModel\"]"), "a reward model");
    refused("{\"model_type\": \"gpt2\", \"n_embd\": 64, \"n_layer\": 1, \"architectures\": "
            "[\"GPT2DoubleHeadsModel\"]}",
            "\"GPT2DoubleHeadsModel\"");
    static const char *const towers[] = {"vision_config", "audio_config", "visual"};
    for (int i = 0; i < 3; i++)
        refused(arena_print(arena, LLAMA("\"%s\": {\"hidden_size\": 8}"), towers[i]),
                "describes an encoder that is not known here");
    refused(LLAMA("\"architectures\": 7"), "\"architectures\" is not a list of texts");
    refused(LLAMA("\"architectures\": [7]"), "\"architectures\" is not a list of texts");
    refused(
        "{\"model_type\": \"bert\", \"architectures\": [\"BertLMHeadModel\"], \"hidden_size\": 64,"
        " \"num_hidden_layers\": 2, \"num_attention_heads\": 4}",
        "no head of BERT");
    refused("{\"model_type\": \"llama\", \"architectures\": [\"LlamaForMaskedLM\"], "
            "\"hidden_size\": 64,"
            " \"num_hidden_layers\": 2}",
            "\"architectures\"");
}

static void a_wrong_field_is_named_with_its_value(void **state)
{
    (void)state;
    refused("{\"model_type\": \"llama\"}",
            "\"hidden_size\" is missing, expected a whole number from 1");
    refused("{\"model_type\": \"gpt2\", \"n_embd\": 64}", "\"n_layer\" is missing");
    refused(LLAMA("\"vocab_size\": \"32000\""),
            "\"vocab_size\" is the text \"32000\", expected a whole number");
    refused(LLAMA("\"vocab_size\": -1"), "\"vocab_size\" is -1, expected a whole number from 1");
    refused(LLAMA("\"vocab_size\": 0"), "\"vocab_size\" is 0");
    refused(LLAMA("\"vocab_size\": 1e300"), "\"vocab_size\" is 1e+300");
    refused(LLAMA("\"vocab_size\": 1e999"), "\"vocab_size\" is");
    refused(LLAMA("\"vocab_size\": 32000.5"), "\"vocab_size\" is 32000.5");
    refused(LLAMA("\"vocab_size\": [1]"), "\"vocab_size\" is a list");
    refused(LLAMA("\"vocab_size\": {}"), "\"vocab_size\" is an object");
    refused(LLAMA("\"vocab_size\": true"), "\"vocab_size\" is true");
    refused(LLAMA("\"mlp_bias\": 1"), "\"mlp_bias\" is 1, expected true or false");
    refused(LLAMA("\"num_key_value_heads\": 0"), "\"num_key_value_heads\" is 0");
    refused(LLAMA("\"torch_dtype\": 16"), "\"torch_dtype\" is 16, expected a text");
    refused(LLAMA("\"quantization_config\": 8"),
            "\"quantization_config\" is 8, expected an object");
    refused(LLAMA("\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": \"4\"}"),
            "quantization_config: \"bits\" is the text \"4\"");
    refused(LLAMA("\"num_nextn_predict_layers\": 1e9"), "\"num_nextn_predict_layers\"");
    refused("{\"model_type\": \"gemma3\", \"text_config\": 3}",
            "\"text_config\" is 3, expected an object");
    refused("{\"model_type\": \"gemma3\", \"text_config\": {\"num_hidden_layers\": 2}}",
            "text_config: \"hidden_size\" is missing");
    refused("{\"model_type\": \"gemma3\", \"text_config\": {\"hidden_size\": 64, "
            "\"num_hidden_layers\": 2},"
            " \"vision_config\": {\"patch_size\": 512}}",
            "vision_config: \"image_size\" is 224 and \"patch_size\" 512");
    refused("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 100000}",
            "100000 layers");
}

static void sizes_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    refused(LLAMA("\"num_attention_heads\": 6"), "a width of 64 does not divide into 6 heads");
    refused(LLAMA("\"num_attention_heads\": 8, \"num_key_value_heads\": 3"),
            "8 heads cannot share 3 key and value heads");
    refused("{\"model_type\": \"mixtral\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
            "\"num_local_experts\": 4,"
            " \"num_experts_per_tok\": 5}",
            "a token goes to 5 experts, and there are 4");
    refused("{\"model_type\": \"gemma2\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
            "\"layer_types\":"
            " [\"full_attention\"]}",
            "\"layer_types\" tells of 1 layers, expected 2");
    refused("{\"model_type\": \"gemma2\", \"hidden_size\": 64, \"num_hidden_layers\": 1, "
            "\"layer_types\":"
            " [\"linear_attention\"]}",
            "\"layer_types\"[0] is linear_attention");
    refused("{\"model_type\": \"qwen3_moe\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
            "\"mlp_only_layers\": [2]}",
            "\"mlp_only_layers\" names a layer that is not one of 2");
    refused("{\"model_type\": \"deepseek_v2\", \"hidden_size\": 64, \"num_hidden_layers\": 2}",
            "\"num_experts_per_tok\" is missing");
    refused("{\"model_type\": \"deepseek_v32\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
            "\"q_lora_rank\": null}",
            "an indexer needs the queries' latent");
    // Each number is within its limits, and the product would pass 2^64.
    refused("{\"model_type\": \"llama\", \"hidden_size\": 1073741824, \"num_hidden_layers\": 65536,"
            " \"intermediate_size\": 1073741824, \"vocab_size\": 1073741824}",
            "parameters, expected at most 1e+15");
    refused("{\"model_type\": \"mixtral\", \"hidden_size\": 1073741824, \"num_hidden_layers\": "
            "65536, \"head_dim\":"
            " 1073741824, \"intermediate_size\": 1073741824, \"num_local_experts\": 1073741824}",
            "parameters, expected at most 1e+15");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_has_the_parameters_that_transformers_counts),
        cmocka_unit_test(every_variant_has_the_tensors_of_the_published_names_and_shapes),
        cmocka_unit_test(every_layer_sees_as_far_as_transformers_lets_it),
        cmocka_unit_test(kinds_are_counted_in_the_order_of_layers),
        cmocka_unit_test(vectors_are_counted_by_hand),
        cmocka_unit_test(families_of_remote_code_are_summed_by_hand),
        cmocka_unit_test(falcon_has_two_sets_of_names),
        cmocka_unit_test(each_head_is_counted),
        cmocka_unit_test(experts_go_by_the_names_of_transformers_5),
        cmocka_unit_test(the_tower_of_glm_4v_is_counted),
        cmocka_unit_test(glm_4_5_stores_its_ends_again),
        cmocka_unit_test(text_from_a_file_cannot_steer_a_terminal),
        cmocka_unit_test(the_format_is_that_of_the_file),
        cmocka_unit_test(a_default_that_is_taken_is_noted),
        cmocka_unit_test(scaled_positions_come_with_factors),
        cmocka_unit_test(an_unknown_family_is_refused_by_its_name),
        cmocka_unit_test(a_wrong_field_is_named_with_its_value),
        cmocka_unit_test(sizes_that_do_not_fit_together_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
