#include "labs/5_frontier/paged_kv/app/serve/fields.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "common/text.h"

enum { RULES_MAX = 128 };

// ---- the body ----

static bool is_utf8(const char *text, size_t bytes)
{
    for (size_t length; bytes > 0; text += length, bytes -= length)
        if ((length = text_utf8_length(text, bytes)) == 0) return false;
    return true;
}

// \u0000 as JSON writes it: within a text, not after another backslash.
static bool has_escaped_zero(const char *text)
{
    for (; (text = strchr(text, '\\')) != NULL; text += 2) {
        if (strncmp(text + 1, "u0000", 5) == 0) return true;
        if (text[1] == '\0') return false;
    }
    return false;
}

bool fields_parse(const char *text, size_t bytes, cJSON **tree, Refusal *refusal)
{
    Error err;
    *tree = NULL;
    if (!is_utf8(text, bytes))
        return refuse(refusal, 400, "", "the body is not UTF-8, as JSON has to be");
    if (strlen(text) != bytes) return refuse(refusal, 400, "", "the body has a zero byte");
    if (has_escaped_zero(text))
        return refuse(refusal, 400, "", "a text in the body has a \\u0000, which no text may have");
    *tree = json_parse(text, bytes, "body", &err);
    if (*tree == NULL) return refuse_with(refusal, 400, "", NULL, &err);
    if (cJSON_IsObject(*tree)) return true;
    cJSON_Delete(*tree);
    *tree = NULL;
    return refuse(refusal, 400, "", "the body is not a JSON object");
}

// ---- values ----

const cJSON *field(const Fields *f, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(f->object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

static const char *shown(const cJSON *item, char *number, size_t bytes)
{
    if (cJSON_IsNumber(item)) {
        snprintf(number, bytes, "%.15g", item->valuedouble);
        return number;
    }
    return cJSON_IsString(item)   ? "a text"
           : cJSON_IsArray(item)  ? "a list"
           : cJSON_IsObject(item) ? "an object"
           : cJSON_IsTrue(item)   ? "true"
                                  : "false";
}

bool field_refuse(const Fields *f, const char *name, const char *expected)
{
    char number[32];
    return refuse(f->refusal, 400, name, "%s%s: is %s, expected %s",
                  f->within != NULL ? f->within : "", name,
                  shown(field(f, name), number, sizeof number), expected);
}

bool field_number(const Fields *f, const char *name, double least, double most, double *value)
{
    const cJSON *item = field(f, name);
    char expected[64];
    if (item == NULL) return true;
    if (cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most) {
        *value = item->valuedouble;
        return true;
    }
    snprintf(expected, sizeof expected, "a number of %.15g to %.15g", least, most);
    return field_refuse(f, name, expected);
}

bool field_float(const Fields *f, const char *name, float least, float most, float *value)
{
    double number = *value;
    if (!field_number(f, name, least, most, &number)) return false;
    *value = (float)number;
    return true;
}

bool field_integer(const Fields *f, const char *name, int64_t least, int64_t most, int64_t *value)
{
    double number = (double)*value;
    if (!field_number(f, name, (double)least, (double)most, &number)) return false;
    if (number != floor(number)) return field_refuse(f, name, "a whole number");
    *value = (int64_t)number;
    return true;
}

bool field_int(const Fields *f, const char *name, int least, int most, int *value)
{
    int64_t number = *value;
    if (!field_integer(f, name, least, most, &number)) return false;
    *value = (int)number;
    return true;
}

bool field_flag(const Fields *f, const char *name, bool *value)
{
    const cJSON *item = field(f, name);
    if (item == NULL) return true;
    if (!cJSON_IsBool(item)) return field_refuse(f, name, "true or false");
    *value = cJSON_IsTrue(item);
    return true;
}

bool field_text(const Fields *f, const char *name, const char **value)
{
    const cJSON *item = field(f, name);
    if (item == NULL) return true;
    if (!cJSON_IsString(item)) return field_refuse(f, name, "a text");
    *value = item->valuestring;
    return true;
}

bool field_object(const Fields *f, const char *name, const cJSON **value)
{
    const cJSON *item = field(f, name);
    if (item == NULL) return true;
    if (!cJSON_IsObject(item)) return field_refuse(f, name, "an object");
    *value = item;
    return true;
}

// ---- which there are ----

static bool is_only(const cJSON *item, const char *json)
{
    cJSON *expected = cJSON_Parse(json);
    const bool same = cJSON_Compare(item, expected, true);
    cJSON_Delete(expected);
    return same;
}

bool fields_check(const Fields *f, const FieldRule *rules, int count, unsigned where)
{
    bool seen[RULES_MAX] = {false};
    const char *within = f->within != NULL ? f->within : "";
    const cJSON *item;
    cJSON_ArrayForEach(item, f->object)
    {
        int i = 0;
        while (i < count && (strcmp(rules[i].name, item->string) != 0 || !(rules[i].where & where)))
            i++;
        if (i < count && seen[i])
            return refuse(f->refusal, 400, item->string, "%s%.40s: is there twice", within,
                          item->string);
        if (i < count) seen[i] = true;
        if (cJSON_IsNull(item)) continue;
        if (i == count)
            return refuse(f->refusal, 400, item->string,
                          "%s%.40s: is not supported, and may be meant to change the answer",
                          within, item->string);
        if (rules[i].only != NULL && !is_only(item, rules[i].only))
            return refuse(
                f->refusal, 400, item->string,
                "%s%s: is not supported, and would change the answer; expected %s or nothing",
                within, item->string, rules[i].only);
    }
    return true;
}
