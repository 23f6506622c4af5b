#include "labs/3_language/transformer/files/config_json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/config_fields.h"

static const ModelFamily FAMILIES[] = {
    {"gpt2", "GPT2LMHeadModel", FORMAT_GPT2, FORMAT_GGUF_GPT2},
    {"llama", "LlamaForCausalLM", FORMAT_LLAMA, FORMAT_GGUF_LLAMA},
    {"mistral", "MistralForCausalLM", FORMAT_LLAMA, FORMAT_GGUF_LLAMA},
    {"qwen2", "Qwen2ForCausalLM", FORMAT_LLAMA, FORMAT_GGUF},
    {"qwen3", "Qwen3ForCausalLM", FORMAT_LLAMA, FORMAT_GGUF},
};
enum { GPT2, LLAMA, MISTRAL, QWEN2, QWEN3, FAMILY_COUNT };

// The configuration classes' defaults (transformers 5.24), for fields that a file leaves out. 0: those
// of the other fields.
static const struct {
    int context, kv_heads, head;
} DEFAULTS[FAMILY_COUNT] = {[GPT2] = {1024, 0, 0},
                            [LLAMA] = {2048, 0, 0},
                            [MISTRAL] = {131072, 8, 0},
                            [QWEN2] = {32768, 32, 0},
                            [QWEN3] = {32768, 32, 128}};

// ---- reading ----

static int find_family(ConfigFields *s)
{
    const char *type = config_text(s, "model_type", "");
    for (int i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(type, FAMILIES[i].type) == 0) return i;
    config_fail(s, "\"model_type\" is \"%.40s\", expected gpt2, llama, mistral, qwen2 or qwen3",
                type);
    return GPT2;
}

static void must_be(ConfigFields *s, const char *field, bool value)
{
    if (config_flag(s, field, value) != value)
        config_fail(s, "\"%s\" is %s, which is not supported", field, value ? "false" : "true");
}

static void read_tokens(ConfigFields *s, ModelConfig *c)
{
    c->bos = config_has(s, "bos_token_id") ? (int)config_count(s, "bos_token_id", 0) : -1;
    const cJSON *eos = cJSON_GetObjectItemCaseSensitive(s->object, "eos_token_id"), *item;
    if (cJSON_IsArray(eos)) {
        cJSON_ArrayForEach(item, eos)
        {
            bool token = cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                         item->valuedouble <= CONFIG_MOST && c->stop_count < STOPS_MAX;
            if (!token)
                config_fail(s, "\"eos_token_id\" is not a list of at most %d tokens", STOPS_MAX);
            else c->stops[c->stop_count++] = (int)item->valuedouble;
        }
    } else if (config_has(s, "eos_token_id")) {
        c->stops[c->stop_count++] = (int)config_count(s, "eos_token_id", 0);
    }
}

static void read_gpt2(ConfigFields *s, ModelConfig *c)
{
    static const char *const forms[] = {"gelu_new", "gelu_pytorch_tanh", "gelu"};
    c->width = (int)config_need(s, "n_embd|hidden_size");
    c->layers = (int)config_need(s, "n_layer|num_hidden_layers");
    c->heads = c->kv_heads = (int)config_need(s, "n_head|num_attention_heads");
    c->head = c->width % c->heads == 0 ? c->width / c->heads : 0;
    c->context = (int)config_size(s, "n_positions|max_position_embeddings|n_ctx",
                                  (uint64_t)DEFAULTS[GPT2].context);
    c->ff = (int)config_size(s, "n_inner", 4 * (uint64_t)c->width);
    c->eps = (float)config_real(s, "layer_norm_epsilon", 1e-5, 0, 1);
    c->qkv_bias = c->out_bias = c->mlp_bias = true;
    const char *activation = config_text(s, "activation_function", forms[0]);
    if (strcmp(activation, forms[2]) == 0) c->mlp = MLP_GELU_ERF;
    else if (strcmp(activation, forms[0]) != 0 && strcmp(activation, forms[1]) != 0)
        config_fail(s, "\"activation_function\" is \"%.40s\", expected gelu_new or gelu",
                    activation);
    must_be(s, "scale_attn_weights", true);
    must_be(s, "scale_attn_by_inverse_layer_idx", false);
    must_be(s, "add_cross_attention", false);
}

// The last tokens alone, in some layers or all.
static void refuse_windows(ConfigFields *s, const ModelConfig *c, int family)
{
    const uint64_t fallback = family == MISTRAL && !config_null(s, "sliding_window") ? 4096 : 0;
    uint64_t window = config_count(s, "sliding_window", fallback);
    if ((family == QWEN2 || family == QWEN3) &&
        (!config_flag(s, "use_sliding_window", false) ||
         config_count(s, "max_window_layers", 28) >= (uint64_t)c->layers))
        window = 0;
    if (family == LLAMA) window = 0;
    if (window > 0 && window < (uint64_t)c->context)
        config_fail(s,
                    "\"sliding_window\" is %d, less than the context of %d, which is not supported",
                    (int)window, c->context);
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(s->object, "layer_types"))
    {
        const char *type = cJSON_IsString(item) ? item->valuestring : "?";
        if (strcmp(type, "full_attention") != 0)
            config_fail(s, "\"layer_types\" has \"%.40s\", expected full_attention", type);
    }
}

static float yarn_scale(double factor, double mscale)
{
    return factor <= 1 ? 1 : (float)(0.1 * mscale * log(factor) + 1);
}

static void read_yarn(ConfigFields *s, RopeScaling *scaling)
{
    const double most = 1e6;
    scaling->beta_fast = (float)config_real(s, "beta_fast", 0, 0, most);
    scaling->beta_slow = (float)config_real(s, "beta_slow", 0, 0, most);
    scaling->attention_factor = (float)config_real(s, "attention_factor", 0, 0, most);
    const double one = config_real(s, "mscale", 0, 0, most),
                 all = config_real(s, "mscale_all_dim", 0, 0, most);
    if (scaling->attention_factor == 0 && one > 0 && all > 0)
        scaling->attention_factor =
            yarn_scale(scaling->factor, one) / yarn_scale(scaling->factor, all);
    must_be(s, "truncate", true);
}

// theta, and what changes the frequencies for a longer context.
static void read_rope(ConfigFields *top, ModelConfig *c)
{
    const double theta_most = 1e12, factor_most = 1e6;
    double theta = config_real(top, "rope_theta", 10000, 1, theta_most);
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(top->object, "rope_scaling");
    const bool empty = cJSON_IsObject(old) && cJSON_GetArraySize(old) == 0;
    const bool old_style = config_has(top, "rope_scaling") && !empty;
    ConfigFields s = config_part(top, old_style ? "rope_scaling" : "rope_parameters", top->owner);
    // Of a file with settings for each type of layers, those of the one type that is read here.
    if (config_has(&s, "full_attention")) s = config_part(&s, "full_attention", top->owner);
    c->rope.theta = (float)config_real(&s, "rope_theta", theta, 1, theta_most);
    if (config_real(&s, "partial_rotary_factor", config_real(top, "partial_rotary_factor", 1, 0, 1),
                    0, 1) != 1)
        config_fail(&s, "\"partial_rotary_factor\" is not 1, which is not supported");

    RopeScaling *scaling = &c->rope.scaling;
    const char *type = config_text(&s, "rope_type", config_text(&s, "type", "default"));
    const bool llama3 = strcmp(type, "llama3") == 0, yarn = strcmp(type, "yarn") == 0;
    const bool linear = strcmp(type, "linear") == 0;
    if (llama3 || yarn || linear) {
        scaling->kind = llama3 ? ROPE_LLAMA3 : yarn ? ROPE_YARN : ROPE_LINEAR;
        uint64_t original =
            config_size(top, "original_max_position_embeddings", (uint64_t)c->context);
        original = config_size(&s, "original_max_position_embeddings", original);
        if (!linear) scaling->original_positions = (int)original;
        scaling->factor = (float)config_real(
            &s, "factor", yarn ? (double)c->context / (double)original : -1, 1, factor_most);
        if (scaling->factor < 0) config_fail(&s, "\"factor\" is missing, expected a number from 1");
    } else if (strcmp(type, "default") != 0 && strcmp(type, "dynamic") != 0) {
        // Dynamic scaling begins beyond the context, where nothing is computed.
        config_fail(&s,
                    "\"rope_type\" is \"%.40s\", expected default, linear, dynamic, llama3 or yarn",
                    type);
    }
    if (yarn) read_yarn(&s, scaling);
    if (llama3) {
        scaling->low_freq_factor = (float)config_real(&s, "low_freq_factor", 0, 0, factor_most);
        scaling->high_freq_factor = (float)config_real(&s, "high_freq_factor", 0, 0, factor_most);
        if (!(scaling->low_freq_factor > 0 && scaling->high_freq_factor > scaling->low_freq_factor))
            config_fail(
                &s,
                "\"low_freq_factor\" is %g and \"high_freq_factor\" %g, expected the second "
                "above the first and both above 0",
                (double)scaling->low_freq_factor, (double)scaling->high_freq_factor);
    }
    if (s.failed) top->failed = true;
}

static void read_llama(ConfigFields *s, ModelConfig *c, int family)
{
    c->norm = NORM_RMS;
    c->rotary = true;
    c->mlp = MLP_SWIGLU;
    c->width = (int)config_need(s, "hidden_size");
    c->layers = (int)config_need(s, "num_hidden_layers");
    c->heads = (int)config_need(s, "num_attention_heads");
    int kv_heads = DEFAULTS[family].kv_heads;
    if (kv_heads == 0 || config_null(s, "num_key_value_heads")) kv_heads = c->heads;
    c->kv_heads = (int)config_size(s, "num_key_value_heads", (uint64_t)kv_heads);
    int head = DEFAULTS[family].head;
    if (head == 0 || config_null(s, "head_dim"))
        head = c->width % c->heads == 0 ? c->width / c->heads : 0;
    c->head = config_has(s, "head_dim") ? (int)config_need(s, "head_dim") : head;
    c->ff = (int)config_need(s, "intermediate_size");
    c->context = (int)config_size(s, "max_position_embeddings", (uint64_t)DEFAULTS[family].context);
    c->eps = (float)config_real(s, "rms_norm_eps", 1e-6, 0, 1);
    const bool bias =
        (family == LLAMA || family == QWEN3) && config_flag(s, "attention_bias", false);
    c->qkv_bias = bias || family == QWEN2;
    c->out_bias = bias;
    c->mlp_bias = family == LLAMA && config_flag(s, "mlp_bias", false);
    c->qk_norm = family == QWEN3;
    const char *activation = config_text(s, "hidden_act", "silu");
    if (strcmp(activation, "silu") != 0 && strcmp(activation, "swish") != 0)
        config_fail(s, "\"hidden_act\" is \"%.40s\", expected silu", activation);
    read_rope(s, c);
    refuse_windows(s, c, family);
}

bool config_json_read(ModelConfig *config, Arena *arena, const cJSON *tree, const char *where,
                      Error *err)
{
    Error first = {""};
    ConfigFields s = {.object = tree, .where = where, .arena = arena, .err = &first};
    *config = (ModelConfig){.bos = -1};
    const int family = find_family(&s);
    s.owner = FAMILIES[family].architecture;
    if (config_has(&s, "quantization_config"))
        config_fail(&s, "\"quantization_config\" says that the weights are packed, which is not "
                        "supported");
    config->vocabulary = (int)config_need(&s, "vocab_size");
    config->tied = config_flag(&s, "tie_word_embeddings", family == GPT2);
    if (!s.failed) read_tokens(&s, config);
    if (!s.failed && family == GPT2) read_gpt2(&s, config);
    if (!s.failed && family != GPT2) read_llama(&s, config, family);
    if (s.failed) return error_set(err, "%s", first.message);
    return model_config_check(config, where, err);
}

// ---- writing ----

const ModelFamily *config_json_family(const ModelConfig *c, Error *err)
{
    const bool whole = c->heads * c->head == c->width;
    if (c->norm == NORM_LAYER && !c->rotary && c->mlp != MLP_SWIGLU && c->qkv_bias && c->out_bias &&
        c->mlp_bias && !c->qk_norm && c->kv_heads == c->heads && whole)
        return &FAMILIES[GPT2];
    if (c->norm == NORM_RMS && c->rotary && c->mlp == MLP_SWIGLU) {
        if (c->qk_norm && c->qkv_bias == c->out_bias && !c->mlp_bias) return &FAMILIES[QWEN3];
        if (!c->qk_norm && c->qkv_bias && !c->out_bias && !c->mlp_bias) return &FAMILIES[QWEN2];
        // LlamaConfig wants a width that the heads divide.
        if (!c->qk_norm && c->qkv_bias == c->out_bias && c->width % c->heads == 0)
            return &FAMILIES[LLAMA];
    }
    error_set(
        err,
        "no class of Hugging Face has a model of %s, %s positions, %s, %d heads over %d, biases "
        "%s%s%s%s",
        c->norm == NORM_RMS ? "RMSNorm" : "LayerNorm", c->rotary ? "rotary" : "learned",
        c->mlp == MLP_SWIGLU ? "SwiGLU" : "GELU", c->heads, c->kv_heads,
        c->qkv_bias ? "of q, k and v, " : "", c->out_bias ? "of attention's output, " : "",
        c->mlp_bias ? "of the MLP" : "not of the MLP", c->qk_norm ? ", norms of q and k" : "");
    return NULL;
}

// The shortest decimal that is read as the same float: 1e-05, not 9.9999997473787516e-06.
static void put_real(cJSON *object, const char *name, float value)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    cJSON_AddNumberToObject(object, name, strtod(text, NULL));
}

static void put_rope(cJSON *object, const ModelConfig *c)
{
    static const char *const types[] = {
        [ROPE_LINEAR] = "linear", [ROPE_LLAMA3] = "llama3", [ROPE_YARN] = "yarn"};
    const RopeScaling *scaling = &c->rope.scaling;
    put_real(object, "rope_theta", c->rope.theta);
    if (scaling->kind == ROPE_PLAIN) {
        cJSON_AddNullToObject(object, "rope_scaling");
        return;
    }
    cJSON *part = cJSON_AddObjectToObject(object, "rope_scaling");
    cJSON_AddStringToObject(part, "rope_type", types[scaling->kind]);
    put_real(part, "factor", scaling->factor);
    if (scaling->kind == ROPE_LINEAR) return;
    cJSON_AddNumberToObject(part, "original_max_position_embeddings", scaling->original_positions);
    const struct {
        const char *name;
        float value;
    } rest[] = {{"low_freq_factor", scaling->low_freq_factor},
                {"high_freq_factor", scaling->high_freq_factor},
                {"beta_fast", scaling->beta_fast},
                {"beta_slow", scaling->beta_slow},
                {"attention_factor", scaling->attention_factor}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].value != 0) put_real(part, rest[i].name, rest[i].value);
}

static void put_tokens(cJSON *object, const ModelConfig *c)
{
    if (c->bos >= 0) cJSON_AddNumberToObject(object, "bos_token_id", c->bos);
    else cJSON_AddNullToObject(object, "bos_token_id");
    if (c->stop_count == 0) cJSON_AddNullToObject(object, "eos_token_id");
    else if (c->stop_count == 1) cJSON_AddNumberToObject(object, "eos_token_id", c->stops[0]);
    else
        cJSON_AddItemToObject(object, "eos_token_id",
                              cJSON_CreateIntArray(c->stops, c->stop_count));
}

static void put_gpt2(cJSON *object, const ModelConfig *c)
{
    cJSON_AddNumberToObject(object, "n_embd", c->width);
    cJSON_AddNumberToObject(object, "n_layer", c->layers);
    cJSON_AddNumberToObject(object, "n_head", c->heads);
    cJSON_AddNumberToObject(object, "n_positions", c->context);
    cJSON_AddNumberToObject(object, "n_inner", c->ff);
    cJSON_AddStringToObject(object, "activation_function",
                            c->mlp == MLP_GELU_ERF ? "gelu" : "gelu_new");
    put_real(object, "layer_norm_epsilon", c->eps);
}

static void put_llama(cJSON *object, const ModelConfig *c)
{
    cJSON_AddNumberToObject(object, "hidden_size", c->width);
    cJSON_AddNumberToObject(object, "intermediate_size", c->ff);
    cJSON_AddNumberToObject(object, "num_hidden_layers", c->layers);
    cJSON_AddNumberToObject(object, "num_attention_heads", c->heads);
    cJSON_AddNumberToObject(object, "num_key_value_heads", c->kv_heads);
    cJSON_AddNumberToObject(object, "head_dim", c->head);
    cJSON_AddNumberToObject(object, "max_position_embeddings", c->context);
    cJSON_AddStringToObject(object, "hidden_act", "silu");
    put_real(object, "rms_norm_eps", c->eps);
    cJSON_AddBoolToObject(object, "attention_bias", c->qkv_bias);
    cJSON_AddBoolToObject(object, "mlp_bias", c->mlp_bias);
    put_rope(object, c);
}

cJSON *config_json_write(const ModelConfig *config, const ModelFamily *family, DType type)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "architectures",
                          cJSON_CreateStringArray((const char *[]){family->architecture}, 1));
    cJSON_AddStringToObject(object, "model_type", family->type);
    cJSON_AddNumberToObject(object, "vocab_size", config->vocabulary);
    if (family == &FAMILIES[GPT2]) put_gpt2(object, config);
    else put_llama(object, config);
    cJSON_AddBoolToObject(object, "tie_word_embeddings", config->tied);
    put_tokens(object, config);
    cJSON_AddStringToObject(object, "torch_dtype",
                            type == DTYPE_F16    ? "float16"
                            : type == DTYPE_BF16 ? "bfloat16"
                                                 : "float32");
    return object;
}
