/* config.c -- from a config.json to a model: which family, in which format it is published, and what follows
 * from its own settings for the file. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "common/nearest.h"
#include "labs/5_frontier/key_numbers/app/model/extras.h"
#include "labs/5_frontier/key_numbers/app/model/family.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/text.h"

// A hundred times what exists; up to here no sum of bits passes 2^64.
static const double PARAMETERS_MOST = 1e15;

typedef struct Family {
    const char *type, *owner, *architecture;
    void (*describe)(ConfigFields *s, Head head);
} Family;

static const Family families[] = {
#define X(type, owner, architecture, function) {type, owner, architecture, function},
    FAMILY_LIST(X)
#undef X
};

enum { FAMILIES = sizeof families / sizeof *families };

// ---- which family ----

static const Family *find_family(ConfigFields *s)
{
    const char *type = config_text(s, "model_type", ""), *types[FAMILIES];
    for (int i = 0; i < FAMILIES; i++) {
        types[i] = families[i].type;
        if (strcmp(types[i], type) == 0) return &families[i];
    }
    const char *near = nearest(type, types, FAMILIES);
    if (*type == '\0')
        config_fail(s, "\"model_type\" is missing, expected a family's name such as \"llama\"");
    else if (near != NULL)
        config_fail(
            s, "\"model_type\" is \"%.60s\", a family that is not known here; did you mean \"%s\"?",
            type, near);
    else config_fail(s, "\"model_type\" is \"%.60s\", a family that is not known here", type);
    return NULL;
}

// What architectures[0] has on top of the base model. It must be of the family: remote code of another name
// may lay out its tensors in another way.
static Head find_head(ConfigFields *s, const Family *family)
{
    static const struct {
        const char *end;
        Head head;
    } ends[] = {
        {"ForCausalLM", HEAD_WORDS},          {"LMHeadModel", HEAD_WORDS},
        {"ForMaskedLM", HEAD_MASKED},         {"ForConditionalGeneration", HEAD_WORDS},
        {"ForPreTraining", HEAD_PRETRAINING}, {"ForSequenceClassification", HEAD_LABELS},
        {"EncoderModel", HEAD_ENCODER},       {"Model", HEAD_NONE},
    };
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "architectures");
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    if (list == NULL || cJSON_IsNull(list) || (cJSON_IsArray(list) && first == NULL)) {
        bool bare = strcmp(family->type, "bert") == 0;
        build_note(s->model, "architectures is missing: %s is taken",
                   bare ? "BertModel" : "a model that writes text");
        return bare ? HEAD_NONE : HEAD_WORDS;
    }
    const char *name = cJSON_IsArray(list) && cJSON_IsString(first) ? first->valuestring : NULL;
    if (name == NULL) {
        config_fail(s, "\"architectures\" is not a list of texts");
        return HEAD_NONE;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strncasecmp(name, family->architecture, strlen(family->architecture)) == 0 &&
            text_ends(name, ends[i].end))
            return ends[i].head;
    config_fail(s, "\"architectures\" is \"%.60s\", which is not known for the family %s", name,
                family->type);
    return HEAD_NONE;
}

// ---- in which format it is published ----

static const char *read_dtype(ConfigFields *s)
{
    static const char *const names[][2] = {{"float32", "fp32"},
                                           {"float16", "fp16"},
                                           {"bfloat16", "bf16"},
                                           {"float", "fp32"},
                                           {"half", "fp16"}};
    static const char *const before[] = {"gpt2", "bert", "t5", "mt5"};
    const char *type = config_text(s, "dtype", config_text(s, "torch_dtype", NULL));
    if (type == NULL) {
        // The text part of a model that sees has its own.
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(s->object, "text_config");
        const cJSON *node = cJSON_GetObjectItemCaseSensitive(part, "torch_dtype");
        if (node == NULL) node = cJSON_GetObjectItemCaseSensitive(part, "dtype");
        type = cJSON_GetStringValue(node);
    }
    for (size_t i = 0; type != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(strncmp(type, "torch.", 6) == 0 ? type + 6 : type, names[i][0]) == 0)
            return names[i][1];
    const char *format = "bf16";
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (strcmp(s->model->family, before[i]) == 0) format = "fp32";
    if (type != NULL)
        build_note(s->model, "torch_dtype is %.40s, which is not known here: %s is taken", type,
                   format);
    else build_note(s->model, "torch_dtype is missing: %s is taken", format);
    return format;
}

static const char *read_bitsandbytes(ConfigFields *q)
{
    bool twice = config_flag(q, "bnb_4bit_use_double_quant", false);
    bool nf4 = strcmp(config_text(q, "bnb_4bit_quant_type", "fp4"), "nf4") == 0;
    if (config_flag(q, "load_in_8bit", false)) return "int8";
    if (!config_flag(q, "load_in_4bit", false)) return NULL;
    return nf4 ? (twice ? "nf4-dq" : "nf4") : (twice ? "fp4-dq" : "fp4");
}

// DeepSeek's blocks are 128 x 128; without blocks a matrix has one scale.
static const char *read_fp8(ConfigFields *q)
{
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(q->object, "weight_block_size");
    if (size == NULL || cJSON_IsNull(size)) return "fp8-tensor";
    const cJSON *rows = cJSON_GetArrayItem(size, 0), *cols = cJSON_GetArrayItem(size, 1);
    bool known = cJSON_IsNumber(rows) && rows->valueint == 128 && cJSON_IsNumber(cols) &&
                 cols->valueint == 128;
    return known ? "fp8" : NULL;
}

// AutoGPTQ and AutoAWQ take groups of some sizes, and -1 for a whole row.
static const char *read_groups(ConfigFields *q, const char *method)
{
    const cJSON *group = cJSON_GetObjectItemCaseSensitive(q->object, "group_size");
    uint64_t bits = config_size(q, "bits|w_bit", 4);
    if (cJSON_IsNumber(group) && group->valueint == -1)
        return arena_print(q->arena, "%s%" PRIu64 "-row", method, bits);
    return arena_print(q->arena, "%s%" PRIu64 "-g%" PRIu64, method, bits,
                       config_size(q, "group_size|q_group_size", 128));
}

static const char *read_published(ConfigFields *s)
{
    if (!config_has(s, "quantization_config")) return read_dtype(s);
    ConfigFields q = config_part(s, "quantization_config", "its method");
    const char *method = config_text(&q, "quant_method", ""), *format = NULL;
    if (strcmp(method, "fp8") == 0) format = read_fp8(&q);
    else if (strcmp(method, "mxfp4") == 0) format = "mxfp4";
    else if (strcmp(method, "gptq") == 0 || strcmp(method, "awq") == 0)
        format = read_groups(&q, method);
    else if (strcmp(method, "bitsandbytes") == 0 || config_has(&q, "load_in_4bit"))
        format = read_bitsandbytes(&q);
    s->failed |= q.failed;
    if (format != NULL) return format;
    build_note(s->model,
               "quantization_config (%.40s) is not known here: weights are counted as without it",
               method);
    return read_dtype(s);
}

// ---- the rest ----

// Llama 3.1 and long Phi-3 scale positions by factors, which a GGUF stores as floats.
static uint64_t read_rope_factors(const ConfigFields *s, const Model *model)
{
    const cJSON *scaling = cJSON_GetObjectItemCaseSensitive(s->object, "rope_scaling");
    if (!cJSON_IsObject(scaling))
        scaling = cJSON_GetObjectItemCaseSensitive(s->object, "rope_parameters");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(scaling, "rope_type");
    if (type == NULL) type = cJSON_GetObjectItemCaseSensitive(scaling, "type");
    const char *name = cJSON_GetStringValue(type);
    if (name == NULL || model->kind_count == 0) return 0;
    if (strcmp(name, "llama3") == 0) return model->kinds[0].block.head_dim / 2;
    if (strcmp(name, "longrope") != 0 && strcmp(name, "su") != 0) return 0;
    const cJSON *few = cJSON_GetObjectItemCaseSensitive(scaling, "short_factor");
    const cJSON *many = cJSON_GetObjectItemCaseSensitive(scaling, "long_factor");
    return (uint64_t)cJSON_GetArraySize(few) + (uint64_t)cJSON_GetArraySize(many);
}

// Before anything is multiplied in whole numbers.
static void check_size(ConfigFields *s)
{
    double sum = 0;
    for (int i = 0; i < s->model->weight_count; i++) {
        const Weight *w = &s->model->weights[i];
        sum += (double)w->rows * (double)w->cols * (double)w->copies * weight_layers(s->model, w);
    }
    if (sum > PARAMETERS_MOST)
        config_fail(s, "comes to %.2g parameters, expected at most %.0g", sum, PARAMETERS_MOST);
}

Model *config_model(Arena *arena, const cJSON *config, const char *name, const char *where,
                    Error *err)
{
    ConfigFields s = {.object = config, .where = where, .arena = arena, .err = err};
    if (!cJSON_IsObject(config)) {
        error_set(err, "%s: holds no object, expected { ... }", where);
        return NULL;
    }
    const Family *family = find_family(&s);
    if (family == NULL) return NULL;
    Model *model = build_model(arena, family->type, arena_print(arena, "%s", name));
    model->source = "config.json";
    s.model = model, s.owner = family->owner;
    Head head = find_head(&s, family);
    if (!s.failed) family->describe(&s, head);
    if (!s.failed) check_size(&s);
    if (!s.failed) model->published = read_published(&s);
    uint64_t modules = config_count(&s, "num_nextn_predict_layers", 0);
    if (modules > LAYERS_MOST)
        config_fail(&s, "\"num_nextn_predict_layers\" is over %d", LAYERS_MOST);
    if (s.failed) return NULL;
    build_finish(model);
    model->rope_factors = read_rope_factors(&s, model);
    extras_add(model, modules);
    return model;
}
