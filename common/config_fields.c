#include "common/config_fields.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, SHOWN = 40 };

void config_fail(ConfigFields *s, const char *format, ...)
{
    if (s->failed) return;    // the first mistake explains the others
    s->failed = true;
    char text[sizeof s->err->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(s->err, "%s: %s", s->where, text);
}

static const cJSON *field(const ConfigFields *s, const char *name)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(s->object, name);
    return cJSON_IsNull(node) ? NULL : node;
}

bool config_has(const ConfigFields *s, const char *name)
{
    return field(s, name) != NULL;
}

bool config_null(const ConfigFields *s, const char *name)
{
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(s->object, name));
}

// Of "n_embd|hidden_size" the first that is there; its name in `name`, else the first name.
static const cJSON *first_of(const ConfigFields *s, const char *names, char name[NAME_BYTES])
{
    for (const char *at = names;;) {
        size_t length = strcspn(at, "|");
        snprintf(name, NAME_BYTES, "%.*s", (int)length, at);
        const cJSON *node = field(s, name);
        if (node != NULL) return node;
        if (at[length] == '\0') break;
        at += length + 1;
    }
    snprintf(name, NAME_BYTES, "%.*s", (int)strcspn(names, "|"), names);
    return NULL;
}

// As it stands in the file, cut short.
static const char *shown(const ConfigFields *s, const cJSON *node)
{
    if (cJSON_IsNumber(node)) return arena_print(s->arena, "%.15g", node->valuedouble);
    if (cJSON_IsBool(node)) return cJSON_IsTrue(node) ? "true" : "false";
    if (!cJSON_IsString(node)) return cJSON_IsArray(node) ? "a list" : "an object";
    bool fits = strlen(node->valuestring) <= SHOWN;
    return arena_print(s->arena, "the text \"%.*s%s\"", SHOWN, node->valuestring,
                       fits ? "" : "...");
}

static uint64_t whole(ConfigFields *s, const cJSON *node, const char *name, uint64_t least)
{
    double number = cJSON_IsNumber(node) ? node->valuedouble : -1;
    if (number >= (double)least && number <= CONFIG_MOST && number == floor(number))
        return (uint64_t)number;
    config_fail(s, "\"%s\" is %s, expected a whole number from %d to %d", name, shown(s, node),
                (int)least, CONFIG_MOST);
    return 1;
}

uint64_t config_need(ConfigFields *s, const char *names)
{
    char name[NAME_BYTES];
    const cJSON *node = first_of(s, names, name);
    if (node != NULL) return whole(s, node, name, 1);
    config_fail(s, "\"%s\" is missing, expected a whole number from 1", name);
    return 1;
}

uint64_t config_size(ConfigFields *s, const char *names, uint64_t fallback)
{
    char name[NAME_BYTES];
    const cJSON *node = first_of(s, names, name);
    if (node != NULL) return whole(s, node, name, 1);
    if (s->note != NULL)
        s->note(s->model, "%s is missing: %s's default, %" PRIu64, name, s->owner, fallback);
    return fallback;
}

uint64_t config_count(ConfigFields *s, const char *names, uint64_t fallback)
{
    char name[NAME_BYTES];
    const cJSON *node = first_of(s, names, name);
    return node != NULL ? whole(s, node, name, 0) : fallback;
}

bool config_flag(ConfigFields *s, const char *name, bool fallback)
{
    const cJSON *node = field(s, name);
    if (node == NULL) return fallback;
    if (!cJSON_IsBool(node))
        config_fail(s, "\"%s\" is %s, expected true or false", name, shown(s, node));
    return cJSON_IsTrue(node);
}

double config_real(ConfigFields *s, const char *names, double fallback, double least, double most)
{
    char name[NAME_BYTES];
    const cJSON *node = first_of(s, names, name);
    if (node == NULL) return fallback;
    if (cJSON_IsNumber(node) && node->valuedouble >= least && node->valuedouble <= most)
        return node->valuedouble;
    config_fail(s, "\"%s\" is %s, expected a number from %g to %g", name, shown(s, node), least,
                most);
    return fallback;
}

const char *config_text(ConfigFields *s, const char *name, const char *fallback)
{
    const cJSON *node = field(s, name);
    if (node == NULL) return fallback;
    if (cJSON_IsString(node)) return node->valuestring;
    config_fail(s, "\"%s\" is %s, expected a text", name, shown(s, node));
    return fallback;
}

// PretrainedConfig: num_labels is the length of id2label, and 2 where there is neither.
uint64_t config_labels(ConfigFields *s)
{
    const cJSON *names = field(s, "id2label");
    int count = cJSON_IsObject(names) ? cJSON_GetArraySize(names) : 0;
    return config_count(s, "num_labels", count > 0 ? (uint64_t)count : 2);
}

ConfigFields config_part(ConfigFields *s, const char *name, const char *owner)
{
    ConfigFields part = *s;
    const cJSON *node = field(s, name);
    if (node != NULL && !cJSON_IsObject(node))
        config_fail(s, "\"%s\" is %s, expected an object", name, shown(s, node));
    part.object = cJSON_IsObject(node) ? node : NULL;
    part.where = arena_print(s->arena, "%s: %s", s->where, name);
    part.owner = owner;
    part.failed = s->failed;
    return part;
}
