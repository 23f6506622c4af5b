/* decoder_fields.c -- what most families' config.json says of a decoder, under the usual names. */
#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/model/family.h"

const Names names_llama = {
    .embed = "embed_tokens",
    .final_norm = "norm",
    .head = "lm_head",
    .q = "self_attn.q_proj",
    .k = "self_attn.k_proj",
    .v = "self_attn.v_proj",
    .o = "self_attn.o_proj",
    .q_norm = "self_attn.q_norm",
    .k_norm = "self_attn.k_norm",
    .norms = {"input_layernorm", "post_attention_layernorm"},
    .router = "mlp.gate",
    .mlp = {.gate = "mlp.gate_proj", .up = "mlp.up_proj", .down = "mlp.down_proj"},
    .expert = {.gate = "mlp.experts.gate_proj",
               .up = "mlp.experts.up_proj",
               .down = "mlp.experts.down_proj"},
    .shared = {.gate = "mlp.shared_experts.gate_proj",
               .up = "mlp.shared_experts.up_proj",
               .down = "mlp.shared_experts.down_proj"},
};

uint64_t decoder_head_dim(ConfigFields *s, uint64_t width, uint64_t heads, uint64_t fallback)
{
    if (config_has(s, "head_dim")) return config_size(s, "head_dim", 1);
    if (fallback > 0) return config_size(s, "head_dim", fallback);
    if (width % heads == 0) return width / heads;
    config_fail(s,
                "a width of %" PRIu64 " does not divide into %" PRIu64
                " heads, and there is no \"head_dim\"",
                width, heads);
    return 1;
}

static uint64_t read_kv_heads(ConfigFields *s, uint64_t heads, uint64_t fallback)
{
    if (config_null(s, "num_key_value_heads")) return heads;
    return config_size(s, "num_key_value_heads", fallback > 0 ? fallback : heads);
}

uint64_t decoder_layers(ConfigFields *s, const char *names)
{
    // Of some hybrids only the list of layers says how many there are.
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "layers_block_type");
    if (!config_has(s, "num_hidden_layers") && cJSON_IsArray(list) &&
        cJSON_GetArraySize(list) > 0 && cJSON_GetArraySize(list) <= LAYERS_MOST)
        return (uint64_t)cJSON_GetArraySize(list);
    uint64_t layers = config_need(s, names);
    if (layers <= LAYERS_MOST) return layers;
    config_fail(s, "%" PRIu64 " layers are more than %d", layers, LAYERS_MOST);
    return 1;
}

Decoder decoder_read(ConfigFields *s, Head head, Usual usual)
{
    Decoder d = {.head = head, .names = names_llama};
    KnBlock *b = &d.block;
    b->width = config_need(s, "hidden_size");
    d.layers = decoder_layers(s, "num_hidden_layers");
    b->heads = config_size(s, "num_attention_heads", usual.heads);
    b->kv_heads = read_kv_heads(s, b->heads, usual.kv_heads);
    b->head_dim = decoder_head_dim(s, b->width, b->heads, usual.head_dim);
    b->ffn = config_size(s, "intermediate_size", usual.ffn);
    b->gated = true;
    d.vocab = config_size(s, "vocab_size", usual.vocab);
    d.max_context = config_size(s, "max_position_embeddings", usual.positions);
    d.tied = config_flag(s, "tie_word_embeddings", usual.tied);
    return d;
}

uint64_t decoder_window(ConfigFields *s, uint64_t fallback)
{
    if (config_null(s, "sliding_window")) return 0;
    if (config_has(s, "sliding_window")) return config_size(s, "sliding_window", 1);
    return fallback > 0 ? config_size(s, "sliding_window", fallback) : 0;
}

bool *decoder_flags(ConfigFields *s, uint64_t layers)
{
    return arena_zeros(s->arena, layers * sizeof(bool));
}

const bool *decoder_slides(ConfigFields *s, uint64_t layers, uint64_t period, const bool *otherwise)
{
    bool *slides = decoder_flags(s, layers);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "layer_types"), *node;
    if (list == NULL || cJSON_IsNull(list)) {
        for (uint64_t i = 0; i < layers && period > 0; i++) slides[i] = (i + 1) % period != 0;
        return period > 0 ? slides : otherwise;
    }
    uint64_t i = 0;
    cJSON_ArrayForEach(node, list)
    {
        const char *type = cJSON_IsString(node) ? node->valuestring : "no text";
        if (i < layers) slides[i] = strcmp(type, "sliding_attention") == 0;
        if (strcmp(type, "sliding_attention") != 0 && strcmp(type, "full_attention") != 0)
            config_fail(s,
                        "\"layer_types\"[%" PRIu64
                        "] is %.40s, expected sliding_attention or full_attention",
                        i, type);
        i++;
    }
    if (i != layers)
        config_fail(s, "\"layer_types\" tells of %" PRIu64 " layers, expected %" PRIu64, i, layers);
    return slides;
}

static bool is_type(const cJSON *node, const char *types)
{
    if (cJSON_IsNumber(node)) return node->valuedouble != 0;
    const char *type = cJSON_GetStringValue(node);
    size_t length = type != NULL ? strlen(type) : 0;
    for (const char *at = types; length > 0 && at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strcspn(at, "|") == length && strncmp(at, type, length) == 0) return true;
    }
    return false;
}

const bool *decoder_typed(ConfigFields *s, const char *field, uint64_t layers, const char *types)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, field), *node;
    if (!cJSON_IsArray(list)) return NULL;
    bool *flags = decoder_flags(s, layers);
    uint64_t i = 0;
    cJSON_ArrayForEach(node, list)
    {
        if (i < layers) flags[i] = is_type(node, types);
        i++;
    }
    if (i < layers)
        config_fail(s, "\"%s\" tells of %" PRIu64 " layers, expected %" PRIu64, field, i, layers);
    return flags;
}
