#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/paged_kv/app/sampling/schema_compiler.h"

enum { LENGTH_MAX = 4096, DEPTH_MAX = 64 };

Where schema_inside(Where where, const char *name)
{
    const size_t used = strlen(where.path);
    snprintf(where.path + used, sizeof where.path - used, ".%.40s", name);
    return where;
}

int schema_fail(Compiler *c, Where where, const char *format, ...)
{
    if (c->failed) return 0;
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(c->err, "schema: %s: %s", where.path, text);
    c->failed = true;
    return 0;
}

const cJSON *schema_field(const cJSON *schema, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(schema, name);
}

int schema_either(Compiler *c, int chain, int more)
{
    return chain < 0 ? more : grammar_split(c->grammar, chain, more);
}

// ---- keywords ----

static bool in_list(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0) return true;
    return false;
}

static const char *const DESCRIBING[] = {
    "title",    "description", "default", "examples",         "example",         "$schema",
    "$id",      "$comment",    "$defs",   "definitions",      "format",          "deprecated",
    "readOnly", "writeOnly",   "$anchor", "contentMediaType", "contentEncoding", NULL};

// That the schema has no keyword beside these and those that only describe.
static bool only(Compiler *c, const cJSON *schema, Where where, const char *const *known)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, schema)
    {
        if (in_list(item->string, known) || in_list(item->string, DESCRIBING)) continue;
        if (strcmp(known[0], "type") == 0)
            schema_fail(c, where, "\"%.40s\" is not supported", item->string);
        else
            schema_fail(c, where, "\"%.40s\" is not supported beside \"%s\"", item->string,
                        known[0]);
        return false;
    }
    return true;
}

// A whole number from `least` to `most`; `fallback` where there is none.
int64_t schema_integer(Compiler *c, const cJSON *schema, Where where, const char *name,
                       int64_t least, int64_t most, int64_t fallback)
{
    const cJSON *item = schema_field(schema, name);
    if (item == NULL) return fallback;
    const double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (value >= (double)least && value <= (double)most && value == floor(value))
        return (int64_t)value;
    schema_fail(c, where, "\"%s\" is not a whole number from %lld to %lld", name, (long long)least,
                (long long)most);
    return fallback;
}

int schema_constant(Compiler *c, const cJSON *value, int next)
{
    char *text = cJSON_PrintUnformatted(value);
    if (text == NULL) return schema_fail(c, (Where){"$"}, "no memory for a constant");
    const int start = grammar_literal(c->grammar, text, next);
    cJSON_free(text);
    return start;
}

// ---- references ----

// The part of the schema that "#/$defs/a~1b" points to (RFC 6901); NULL: nothing.
static const cJSON *resolve(const cJSON *root, const char *pointer)
{
    if (*pointer++ != '#') return NULL;
    while (root != NULL && *pointer == '/') {
        char name[256] = "";
        size_t used = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            char byte = *pointer;
            if (byte == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                byte = *++pointer == '0' ? '~' : '/';
            if (used + 1 == sizeof name) return NULL;
            name[used++] = byte;
        }
        root =
            cJSON_IsArray(root) ? cJSON_GetArrayItem(root, atoi(name)) : schema_field(root, name);
    }
    return *pointer == '\0' ? root : NULL;
}

static int reference(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *ref = schema_field(schema, "$ref");
    if (!only(c, schema, where, (const char *const[]){"$ref", NULL})) return 0;
    const cJSON *to = cJSON_IsString(ref) ? resolve(c->root, ref->valuestring) : NULL;
    if (to == NULL)
        return schema_fail(c, where, "$ref \"%.60s\" is not in the schema",
                           cJSON_IsString(ref) ? ref->valuestring : "?");
    int i = 0;
    while (i < c->ref_count && c->refs[i].schema != to) i++;
    if (i == REFS_MAX) return schema_fail(c, where, "there are more than %d references", REFS_MAX);
    if (i == c->ref_count)
        c->refs[c->ref_count++] = (Ref){.schema = to, .rule = grammar_rule(c->grammar)};
    return grammar_call(c->grammar, c->refs[i].rule, next);
}

// ---- numbers ----

// The smallest or the largest allowed whole number: a bound, or one beyond an exclusive one.
static int64_t bound(Compiler *c, const cJSON *schema, Where where, int side)
{
    const char *names[] = {side < 0 ? "minimum" : "maximum",
                           side < 0 ? "exclusiveMinimum" : "exclusiveMaximum"};
    double limit = side * (double)JSON_MOST;
    for (int exclusive = 0; exclusive < 2; exclusive++) {
        const cJSON *item = schema_field(schema, names[exclusive]);
        if (item == NULL) continue;
        if (!cJSON_IsNumber(item))
            return schema_fail(c, where, "\"%s\" is not a number", names[exclusive]);
        double value = item->valuedouble;
        value = side < 0 ? ceil(value) : floor(value);
        if (exclusive && value == item->valuedouble) value -= side;
        if (side < 0 ? value > limit : value < limit) limit = value;
    }
    if (fabs(limit) >= (double)JSON_MOST) return side * JSON_MOST;
    return (int64_t)limit;
}

static int integer_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    const int64_t least = bound(c, schema, where, -1), most = bound(c, schema, where, 1);
    if (c->failed) return 0;
    if (least > most)
        return schema_fail(c, where, "no integer is at least %lld and at most %lld",
                           (long long)least, (long long)most);
    return json_grammar_integer(&c->json, least, most, next);
}

static int number_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    static const char *const names[] = {"maximum", "exclusiveMinimum", "exclusiveMaximum"};
    const cJSON *minimum = schema_field(schema, "minimum");
    for (int i = 0; i < 3; i++)
        if (schema_field(schema, names[i]) != NULL)
            return schema_fail(c, where, "\"%s\" is supported of integers alone", names[i]);
    if (minimum != NULL && !(cJSON_IsNumber(minimum) && minimum->valuedouble == 0))
        return schema_fail(c, where, "\"minimum\" of numbers is supported as 0 alone");
    return json_grammar_number(&c->json, minimum == NULL, next);
}

// ---- types ----

static int string_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    const int64_t least = schema_integer(c, schema, where, "minLength", 0, LENGTH_MAX, 0);
    const int64_t most = schema_integer(c, schema, where, "maxLength", 0, LENGTH_MAX, -1);
    if (most >= 0 && least > most)
        return schema_fail(c, where, "no text has %d or more characters and at most %d", (int)least,
                           (int)most);
    return json_grammar_string(&c->json, (int)least, (int)most, next);
}

static int boolean(Compiler *c, const cJSON *schema, Where where, int next)
{
    (void)schema, (void)where;
    return grammar_split(c->grammar, grammar_literal(c->grammar, "true", next),
                         grammar_literal(c->grammar, "false", next));
}

static int null_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    (void)schema, (void)where;
    return grammar_literal(c->grammar, "null", next);
}

static const struct {
    const char *type;
    int (*compile)(Compiler *c, const cJSON *schema, Where where, int next);
    const char *keywords[8];    // of the type alone; NULL ends them
} TYPES[] = {
    {"object", schema_object, {"properties", "required", "additionalProperties"}},
    {"array", schema_array, {"items", "prefixItems", "minItems", "maxItems"}},
    {"string", string_value, {"minLength", "maxLength"}},
    {"integer", integer_value, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}},
    {"number", number_value, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}},
    {"boolean", boolean, {NULL}},
    {"null", null_value, {NULL}},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

static int type_named(const cJSON *name)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (cJSON_IsString(name) && strcmp(name->valuestring, TYPES[i].type) == 0) return i;
    return -1;
}

// The types of the schema as bits; without "type", those that its keywords are about, which lets nothing else
// pass.
static unsigned types_of(Compiler *c, const cJSON *schema, Where where)
{
    const cJSON *type = schema_field(schema, "type"), *item;
    unsigned types = 0;
    if (type == NULL) {
        cJSON_ArrayForEach(item, schema) for (int i = 0; i < TYPE_COUNT;
                                              i++) if (in_list(item->string, TYPES[i].keywords))
            types |= 1u << i;
        return types;
    }
    const cJSON *first = cJSON_IsArray(type) ? type->child : type;
    for (item = first; item != NULL; item = cJSON_IsArray(type) ? item->next : NULL) {
        const int i = type_named(item);
        if (i < 0) {
            schema_fail(c, where, "\"type\" is \"%.40s\", expected one of JSON",
                        cJSON_IsString(item) ? item->valuestring : "?");
            return 0;
        }
        types |= 1u << i;
    }
    return types;
}

static int typed(Compiler *c, const cJSON *schema, Where where, int next)
{
    const unsigned types = types_of(c, schema, where);
    const char *known[32] = {"type"};
    int used = 1, ways = -1;
    for (int i = 0; i < TYPE_COUNT; i++)
        for (int k = 0; (types >> i & 1) && TYPES[i].keywords[k] != NULL; k++)
            known[used++] = TYPES[i].keywords[k];
    if (c->failed || !only(c, schema, where, known)) return 0;
    for (int i = 0; i < TYPE_COUNT; i++)
        if (types >> i & 1) ways = schema_either(c, ways, TYPES[i].compile(c, schema, where, next));
    return ways >= 0 ? ways : json_grammar_any(&c->json, next);
}

// ---- constants ----

static bool is_of_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "object") == 0) return cJSON_IsObject(value);
    if (strcmp(type, "array") == 0) return cJSON_IsArray(value);
    if (strcmp(type, "string") == 0) return cJSON_IsString(value);
    if (strcmp(type, "boolean") == 0) return cJSON_IsBool(value);
    if (strcmp(type, "null") == 0) return cJSON_IsNull(value);
    const bool integer = strcmp(type, "integer") == 0;
    return cJSON_IsNumber(value) && (!integer || value->valuedouble == floor(value->valuedouble));
}

static bool is_of_types(const cJSON *value, unsigned types)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if ((types >> i & 1) && is_of_type(value, TYPES[i].type)) return true;
    return types == 0;
}

// One of the values, or the only one, that is of the schema's type.
static int constants(Compiler *c, const cJSON *schema, const char *keyword, Where where, int next)
{
    const cJSON *values = schema_field(schema, keyword), *item;
    const bool list = strcmp(keyword, "enum") == 0;
    int ways = -1;
    if (!only(c, schema, where, (const char *const[]){keyword, "type", NULL})) return 0;
    if (list && !cJSON_IsArray(values))
        return schema_fail(c, where, "\"enum\" is not a list of values");
    const unsigned types = schema_field(schema, "type") != NULL ? types_of(c, schema, where) : 0;
    for (item = list ? values->child : values; item != NULL; item = list ? item->next : NULL)
        if (is_of_types(item, types)) ways = schema_either(c, ways, schema_constant(c, item, next));
    return ways >= 0 ? ways : schema_fail(c, where, "\"%s\" has no value of the type", keyword);
}

// ---- all of it ----

static int alternatives(Compiler *c, const cJSON *list, Where where, int next)
{
    const cJSON *item;
    int ways = -1;
    if (!cJSON_IsArray(list) || list->child == NULL)
        return schema_fail(c, where, "is not a list of schemas");
    cJSON_ArrayForEach(item, list) ways =
        schema_either(c, ways, schema_compile(c, item, where, next));
    return ways;
}

static int compile_object(Compiler *c, const cJSON *schema, Where where, int next)
{
    static const char *const combining[] = {"anyOf", "oneOf", "allOf"};
    if (schema_field(schema, "$ref") != NULL) return reference(c, schema, where, next);
    for (int i = 0; i < 3; i++) {
        const cJSON *list = schema_field(schema, combining[i]);
        if (list == NULL) continue;
        if (!only(c, schema, where, (const char *const[]){combining[i], NULL})) return 0;
        if (i == 2 && cJSON_GetArraySize(list) > 1)
            return schema_fail(c, where, "\"allOf\" of more than one schema is not supported");
        return alternatives(c, list, schema_inside(where, combining[i]), next);
    }
    if (schema_field(schema, "enum") != NULL) return constants(c, schema, "enum", where, next);
    if (schema_field(schema, "const") != NULL) return constants(c, schema, "const", where, next);
    return typed(c, schema, where, next);
}

int schema_compile(Compiler *c, const cJSON *schema, Where where, int next)
{
    if (c->failed) return 0;
    if (cJSON_IsTrue(schema)) return json_grammar_any(&c->json, next);
    if (cJSON_IsFalse(schema)) return schema_fail(c, where, "is false, which no value is");
    if (!cJSON_IsObject(schema)) return schema_fail(c, where, "is not a schema");
    if (++c->depth > DEPTH_MAX) return schema_fail(c, where, "is nested too deeply");
    const int start = compile_object(c, schema, where, next);
    c->depth--;
    return start;
}

Grammar *json_schema_compile(const char *text, size_t bytes, Error *err)
{
    cJSON *root = json_parse(text, bytes, "schema", err);
    if (root == NULL) return NULL;
    Compiler *c = calloc(1, sizeof *c);
    Grammar *g = grammar_new();
    if (c == NULL || g == NULL) {
        free(c);
        grammar_free(g);
        cJSON_Delete(root);
        error_set(err, "schema: no memory");
        return NULL;
    }
    *c = (Compiler){.root = root, .grammar = g, .err = err};
    c->json = json_grammar_begin(g);
    const Where top = {"$"};
    grammar_set_start(g, schema_compile(c, root, top, grammar_return(g)));
    for (int i = 0; i < c->ref_count && !c->failed; i++)    // each may bring more
        grammar_set_rule(
            g, c->refs[i].rule,
            schema_compile(c, c->refs[i].schema, schema_inside(top, "$ref"), grammar_return(g)));
    if (grammar_full(g)) schema_fail(c, top, "is too large");
    const int begin = c->failed ? 0 : grammar_begin(g);
    if (begin < 0)
        schema_fail(c, top, begin == GRAMMAR_NO_MEMORY ? "no memory" : "no text is valid");
    const bool failed = c->failed;
    free(c);
    cJSON_Delete(root);
    if (!failed) return g;
    grammar_free(g);
    return NULL;
}
