/* config.c -- from a config.json to a model: which family, in which format it is published, and what follows
 * from its own settings for the file. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "common/nearest.h"
#include "labs/5_frontier/key_numbers/app/model/extras.h"
#include "labs/5_frontier/key_numbers/app/model/family.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/model/published.h"
#include "common/text.h"

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

static bool same_digits(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strcspn(a, "0123456789"), b += strcspn(b, "0123456789");
        if (*a != *b || *a == '\0') return *a == *b;
    }
}

static const Family *find_family(ConfigFields *s)
{
    const char *type = config_text(s, "model_type", ""), *types[FAMILIES];
    for (int i = 0; i < FAMILIES; i++) {
        types[i] = families[i].type;
        if (strcmp(types[i], type) == 0) return &families[i];
    }
    // Other digits are another model, whose fields mean something else.
    const char *near = nearest_typo(type, types, FAMILIES);
    if (near != NULL && !same_digits(type, near)) near = NULL;
    if (*type == '\0')
        config_fail(s, "\"model_type\" is missing, expected a family's name such as \"llama\"");
    else if (near != NULL)
        config_fail(
            s, "\"model_type\" is \"%.60s\", a family that is not known here; did you mean \"%s\"?",
            type, near);
    else config_fail(s, "\"model_type\" is \"%.60s\", a family that is not known here", type);
    return NULL;
}

static bool is_encoder(const char *type)
{
    static const char *const types[] = {"bert",       "roberta", "xlm-roberta", "camembert",
                                        "distilbert", "mpnet",   "modernbert"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], type) == 0) return true;
    return false;
}

// What architectures[0] has on top of the base model. It must be of the family: remote code of another name
// may lay out its tensors in another way.
static Head find_head(ConfigFields *s, const Family *family)
{
    static const struct {
        const char *end;
        Head head;
    } ends[] = {
        {"ForCausalLM", HEAD_WORDS},
        {"LMHeadModel", HEAD_WORDS},
        {"ForMaskedLM", HEAD_MASKED},
        {"ForConditionalGeneration", HEAD_WORDS},
        {"ForPreTraining", HEAD_PRETRAINING},
        {"ForSequenceClassification", HEAD_LABELS},
        {"ForTokenClassification", HEAD_TOKENS},
        {"ForQuestionAnswering", HEAD_ANSWERS},
        {"ForProcessRewardModel", HEAD_STEPS},
        {"ForRewardModel", HEAD_REWARD},
        {"EncoderModel", HEAD_ENCODER},
        {"TextModel", HEAD_NONE},
        {"BidirectionalModel", HEAD_NONE},
        {"Model", HEAD_NONE},
    };
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->object, "architectures");
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    if (list == NULL || cJSON_IsNull(list) || (cJSON_IsArray(list) && first == NULL)) {
        bool bare = is_encoder(family->type);
        build_note(s->model, "architectures is missing: %s is taken",
                   bare ? "the encoder alone" : "a model that writes text");
        return bare ? HEAD_NONE : HEAD_WORDS;
    }
    const char *name = cJSON_IsArray(list) && cJSON_IsString(first) ? first->valuestring : NULL;
    if (name == NULL) {
        config_fail(s, "\"architectures\" is not a list of texts");
        return HEAD_NONE;
    }
    size_t own = strlen(family->architecture);
    bool begins = strncasecmp(name, family->architecture, own) == 0;
    // Nothing stands between the two: a LlamaRewardModel is no LlamaModel.
    for (size_t i = 0; i < sizeof ends / sizeof *ends && begins; i++)
        if (strcmp(name + own, ends[i].end) == 0) return ends[i].head;
    config_fail(s, "\"architectures\" is \"%.60s\", which is not known for the family %s", name,
                family->type);
    return HEAD_NONE;
}

// ---- the rest ----

// A vision or audio encoder, which this family's class does not have: its parameters would be missing
// from the total.
static void refuse_towers(ConfigFields *s)
{
    static const char *const names[] = {"vision_config",   "audio_config",    "visual",
                                        "audio",           "speech_config",   "vision_tower",
                                        "mm_vision_tower", "audio_tower",     "vit_config",
                                        "vision_encoder",  "audio_processor", "video_config"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (config_has(s, names[i]) && model_component(s->model, COMPONENT_VISION) == 0)
            config_fail(s, "\"%s\" describes an encoder that is not known here for the family %s",
                        names[i], s->model->family);
}

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
    s.model = model, s.note = build_note, s.owner = family->owner;
    Head head = find_head(&s, family);
    if (!s.failed) family->describe(&s, head);
    if (!s.failed) refuse_towers(&s);
    if (!s.failed) check_size(&s);
    uint64_t modules = config_count(&s, "num_nextn_predict_layers", 0);
    ConfigFields part = config_part(&s, "text_config", "its text part");
    bool more = config_count(&part, "num_nextn_predict_layers", 0) +
                    config_count(&part, "mtp_num_hidden_layers", 0) +
                    config_count(&s, "mtp_num_hidden_layers", 0) >
                0;
    if (more || (modules > 0 && model->odd_modules)) {
        build_note(model, "modules that predict further tokens are not counted in what is stored");
        modules = 0;
    }
    if (modules > LAYERS_MOST)
        config_fail(&s, "\"num_nextn_predict_layers\" is over %d", LAYERS_MOST);
    if (s.failed) return NULL;
    build_finish(model);
    published_read(&s);
    if (s.failed) return NULL;
    model->rope_factors = read_rope_factors(&s, model);
    extras_add(model, modules);
    return model;
}
