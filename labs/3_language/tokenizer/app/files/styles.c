#include <string.h>
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

static cJSON *byte_level(bool use_regex)
{
    cJSON *part =
        cJSON_Parse("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}");
    cJSON_AddBoolToObject(part, "use_regex", use_regex);
    return part;
}

static cJSON *split(const Pattern *pattern)
{
    cJSON *part = cJSON_Parse("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false}");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(part, "pattern"), "Regex", pattern->expression);
    return part;
}

// As the models' own tokenizer.json have them.
cJSON *tokenizer_style(const char *name)
{
    static const struct {
        const char *name, *normalizer, *digits;    // JSON
    } styles[] = {{"gpt2", "null", NULL},
                  {"llama3", "null", NULL},
                  {"qwen2", "{\"type\":\"NFC\"}", NULL},
                  {"qwen3.5", "{\"type\":\"NFC\"}", NULL},
                  {"smollm", "null", "{\"type\":\"Digits\",\"individual_digits\":true}"}};
    size_t i = 0, count = sizeof styles / sizeof *styles;
    while (i < count && strcmp(styles[i].name, name) != 0) i++;
    if (i == count) return NULL;
    const Pattern *pattern = pattern_named(name);
    bool built_in = pattern == NULL || pattern->gpt2;    // ByteLevel's own pattern
    cJSON *parts = cJSON_CreateObject(), *steps = cJSON_CreateArray();
    if (styles[i].digits) cJSON_AddItemToArray(steps, cJSON_Parse(styles[i].digits));
    if (!built_in) cJSON_AddItemToArray(steps, split(pattern));
    cJSON_AddItemToArray(steps, byte_level(built_in));
    cJSON *sequence = cJSON_Parse("{\"type\":\"Sequence\"}");
    cJSON_AddItemToObject(sequence, "pretokenizers", steps);
    cJSON_AddItemToObject(parts, "normalizer", cJSON_Parse(styles[i].normalizer));
    cJSON_AddItemToObject(parts, "pre_tokenizer", sequence);
    cJSON_AddNullToObject(parts, "post_processor");
    cJSON_AddItemToObject(parts, "decoder", byte_level(true));
    return parts;
}
