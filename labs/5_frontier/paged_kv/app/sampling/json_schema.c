#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_grammar.h"

enum { LENGTH_MAX = 4096, ITEMS_MAX = 1024, REFS_MAX = 512, DEPTH_MAX = 64 };

// A schema that $ref names, compiled once.
typedef struct Ref {
    const cJSON *schema;
    int rule;
} Ref;

typedef struct Compiler {
    const cJSON *root;
    JsonGrammar json;
    Grammar *grammar;
    Ref refs[REFS_MAX];
    int ref_count, depth;
    Error *err;
    bool failed;
} Compiler;

// Where in the schema: "$.properties.name".
typedef struct Where {
    char path[120];
} Where;

static Where inside(Where where, const char *name)
{
    const size_t used = strlen(where.path);
    snprintf(where.path + used, sizeof where.path - used, ".%.40s", name);
    return where;
}

static int fail(Compiler *c, Where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(Compiler *c, Where where, const char *format, ...)
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

static const cJSON *field(const cJSON *schema, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(schema, name);
}

static int either(Compiler *c, int chain, int more)
{
    return chain < 0 ? more : grammar_split(c->grammar, chain, more);
}

static int compile(Compiler *c, const cJSON *schema, Where where, int next);

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
            fail(c, where, "\"%.40s\" is not supported", item->string);
        else fail(c, where, "\"%.40s\" is not supported beside \"%s\"", item->string, known[0]);
        return false;
    }
    return true;
}

// A whole number from `least` to `most`; `fallback` where there is none.
static int64_t integer(Compiler *c, const cJSON *schema, Where where, const char *name,
                       int64_t least, int64_t most, int64_t fallback)
{
    const cJSON *item = field(schema, name);
    if (item == NULL) return fallback;
    const double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (value >= (double)least && value <= (double)most && value == floor(value))
        return (int64_t)value;
    fail(c, where, "\"%s\" is not a whole number from %lld to %lld", name, (long long)least,
         (long long)most);
    return fallback;
}

static int constant(Compiler *c, const cJSON *value, int next)
{
    char *text = cJSON_PrintUnformatted(value);
    REQUIRE(text != NULL, "no memory for a constant");
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
        root = cJSON_IsArray(root) ? cJSON_GetArrayItem(root, atoi(name)) : field(root, name);
    }
    return *pointer == '\0' ? root : NULL;
}

static int reference(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *ref = field(schema, "$ref");
    if (!only(c, schema, where, (const char *const[]){"$ref", NULL})) return 0;
    const cJSON *to = cJSON_IsString(ref) ? resolve(c->root, ref->valuestring) : NULL;
    if (to == NULL)
        return fail(c, where, "$ref \"%.60s\" is not in the schema",
                    cJSON_IsString(ref) ? ref->valuestring : "?");
    int i = 0;
    while (i < c->ref_count && c->refs[i].schema != to) i++;
    if (i == REFS_MAX) return fail(c, where, "there are more than %d references", REFS_MAX);
    if (i == c->ref_count)
        c->refs[c->ref_count++] = (Ref){.schema = to, .rule = grammar_rule(c->grammar)};
    return grammar_call(c->grammar, c->refs[i].rule, next);
}

// ---- objects ----

static bool is_required(const cJSON *schema, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, field(schema, "required")) if (cJSON_IsString(item) &&
                                                            strcmp(item->valuestring, name) ==
                                                                0) return true;
    return false;
}

// One character of another property's name that is a name of ASCII without escapes, and the names that it
// is not: a trie, walked along all names at once. `at` characters of `among` names are read.
static int other_name(Compiler *c, const cJSON **among, int count, size_t at, int free_name,
                      int next)
{
    Grammar *g = c->grammar;
    int ways = -1;
    bool taken[128] = {['"'] = true, ['\\'] = true}, complete = false;
    for (int i = 0; i < count; i++) {
        const unsigned char byte = (unsigned char)among[i]->string[at];
        complete = complete || byte == '\0';
        if (byte == '\0' || byte >= 128 || taken[byte]) continue;
        taken[byte] = true;
        const cJSON **same = calloc((size_t)count, sizeof *same);
        REQUIRE(same != NULL, "no memory for %d names", count);
        int used = 0;
        for (int k = i; k < count; k++)
            if ((unsigned char)among[k]->string[at] == byte) same[used++] = among[k];
        const int rest = other_name(c, same, used, at + 1, free_name, next);
        ways = either(c, ways, grammar_range(g, byte, byte, rest));
        free(same);
    }
    ByteSet others = {{0}};
    for (int b = ' '; b <= '~'; b++)
        if (!taken[b]) others.bits[b / 64] |= (uint64_t)1 << b % 64;
    ways = either(c, ways, grammar_bytes(g, others, free_name));
    return complete ? ways : either(c, ways, grammar_range(g, '"', '"', next));
}

// The name of a property that none of the list has, from its first quote on.
static int name_beyond(Compiler *c, const cJSON *properties, int next)
{
    const int count = cJSON_GetArraySize(properties);
    const cJSON **names = calloc((size_t)count + 1, sizeof *names), *item;
    REQUIRE(names != NULL, "no memory for %d names", count);
    int used = 0;
    cJSON_ArrayForEach(item, properties) names[used++] = item;
    const int free_name = grammar_later(c->grammar);
    ByteSet plain = {{0}};
    for (int b = ' '; b <= '~'; b++)
        if (b != '"' && b != '\\') plain.bits[b / 64] |= (uint64_t)1 << b % 64;
    grammar_set_split(c->grammar, free_name, grammar_range(c->grammar, '"', '"', next),
                      grammar_bytes(c->grammar, plain, free_name));
    const int name = other_name(c, names, used, 0, free_name, next);
    free(names);
    return grammar_range(c->grammar, '"', '"', name);
}

static int colon(Compiler *c, int value)
{
    return grammar_literal(c->grammar, ":", json_grammar_space(&c->json, value));
}

static int comma(Compiler *c, int item)
{
    return grammar_literal(c->grammar, ",", json_grammar_space(&c->json, item));
}

// Properties `item` and on: with others before them, or as the first.
typedef struct Ways {
    int first, later;
} Ways;

// What follows the named properties: the end, or others.
static Ways others(Compiler *c, const cJSON *schema, Where where, int close)
{
    const cJSON *properties = field(schema, "properties"),
                *more = field(schema, "additionalProperties");
    Ways ways = {close, close};
    if (more == NULL || cJSON_IsFalse(more)) return ways;
    const int loop = grammar_later(c->grammar);
    const int value =
        compile(c, more, inside(where, "additionalProperties"), json_grammar_space(&c->json, loop));
    const int pair = name_beyond(c, properties, colon(c, value));
    grammar_set_split(c->grammar, loop, close, comma(c, pair));
    return (Ways){grammar_split(c->grammar, close, pair), loop};
}

static Ways named(Compiler *c, const cJSON *schema, const cJSON *item, Where where, int close)
{
    if (item == NULL) return others(c, schema, where, close);
    const Ways rest = named(c, schema, item->next, where, close);
    const int value = compile(c, item, inside(inside(where, "properties"), item->string),
                              json_grammar_space(&c->json, rest.later));
    cJSON *name = cJSON_CreateString(item->string);
    const int pair = constant(c, name, colon(c, value));
    cJSON_Delete(name);
    if (is_required(schema, item->string)) return (Ways){pair, comma(c, pair)};
    return (Ways){grammar_split(c->grammar, rest.first, pair),
                  grammar_split(c->grammar, rest.later, comma(c, pair))};
}

static bool check_object(Compiler *c, const cJSON *schema, Where where)
{
    const cJSON *properties = field(schema, "properties"), *required = field(schema, "required"),
                *item;
    if (properties != NULL && !cJSON_IsObject(properties))
        return fail(c, where, "\"properties\" is not an object");
    if (required != NULL && !cJSON_IsArray(required))
        return fail(c, where, "\"required\" is not a list");
    cJSON_ArrayForEach(item, required)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "?";
        if (field(properties, name) == NULL)
            return fail(c, where, "\"required\" has \"%.40s\", which \"properties\" lacks", name);
    }
    if (cJSON_GetArraySize(properties) > ITEMS_MAX)
        return fail(c, where, "has more than %d properties", ITEMS_MAX);
    return true;
}

static int object(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *properties = field(schema, "properties");
    if (properties == NULL && field(schema, "required") == NULL &&
        (field(schema, "additionalProperties") == NULL ||
         cJSON_IsTrue(field(schema, "additionalProperties"))))
        return json_grammar_object_any(&c->json, next);
    check_object(c, schema, where);
    if (c->failed) return 0;
    const int close = grammar_literal(c->grammar, "}", next);
    const Ways ways = named(c, schema, properties != NULL ? properties->child : NULL, where, close);
    return grammar_literal(c->grammar, "{", json_grammar_space(&c->json, ways.first));
}

// ---- arrays ----

static int array(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *prefix = field(schema, "prefixItems"), *items = field(schema, "items");
    const int fixed = cJSON_GetArraySize(prefix);
    const bool open = items != NULL ? !cJSON_IsFalse(items) : prefix == NULL;
    const int64_t least = integer(c, schema, where, "minItems", 0, ITEMS_MAX, 0);
    int64_t most = integer(c, schema, where, "maxItems", 0, ITEMS_MAX, -1);
    if (prefix != NULL && !cJSON_IsArray(prefix))
        return fail(c, where, "\"prefixItems\" is not a list");
    if (!open && (most < 0 || most > fixed)) most = fixed;
    if (most >= 0 && least > most)
        return fail(c, where, "no array has %d or more items and at most %d", (int)least,
                    (int)most);
    if (fixed > ITEMS_MAX || c->failed) return c->failed ? 0 : fail(c, where, "has too many items");

    Grammar *g = c->grammar;
    const int close = grammar_literal(g, "]", next);
    // One rule for all further items; item i behind a comma, or as the first.
    const int rule = grammar_rule(g);
    if (open) {
        const cJSON any = {.type = cJSON_True};
        grammar_set_rule(
            g, rule,
            compile(c, items != NULL ? items : &any, inside(where, "items"), grammar_return(g)));
    }
    int64_t i = most >= 0 ? most : least > fixed ? least : fixed;
    Ways ways = {close, close};
    if (most < 0) {
        const int loop = grammar_later(g);
        const int item = grammar_call(g, rule, json_grammar_space(&c->json, loop));
        grammar_set_split(g, loop, close, comma(c, item));
        ways = (Ways){grammar_split(g, close, item), loop};
    }
    while (i-- > 0) {
        const int behind = json_grammar_space(&c->json, ways.later);
        const int item = i < fixed ? compile(c, cJSON_GetArrayItem(prefix, (int)i),
                                             inside(where, "prefixItems"), behind)
                                   : grammar_call(g, rule, behind);
        if (i < least) ways = (Ways){item, comma(c, item)};
        else ways = (Ways){grammar_split(g, close, item), grammar_split(g, close, comma(c, item))};
    }
    return grammar_literal(g, "[", json_grammar_space(&c->json, ways.first));
}

// ---- numbers ----

// The smallest or the largest allowed whole number: a bound, or one beyond an exclusive one.
static int64_t bound(Compiler *c, const cJSON *schema, Where where, int side)
{
    const char *names[] = {side < 0 ? "minimum" : "maximum",
                           side < 0 ? "exclusiveMinimum" : "exclusiveMaximum"};
    double limit = side * (double)JSON_MOST;
    for (int exclusive = 0; exclusive < 2; exclusive++) {
        const cJSON *item = field(schema, names[exclusive]);
        if (item == NULL) continue;
        if (!cJSON_IsNumber(item))
            return fail(c, where, "\"%s\" is not a number", names[exclusive]);
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
        return fail(c, where, "no integer is at least %lld and at most %lld", (long long)least,
                    (long long)most);
    return json_grammar_integer(&c->json, least, most, next);
}

static int number_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    static const char *const names[] = {"maximum", "exclusiveMinimum", "exclusiveMaximum"};
    const cJSON *minimum = field(schema, "minimum");
    for (int i = 0; i < 3; i++)
        if (field(schema, names[i]) != NULL)
            return fail(c, where, "\"%s\" is supported of integers alone", names[i]);
    if (minimum != NULL && !(cJSON_IsNumber(minimum) && minimum->valuedouble == 0))
        return fail(c, where, "\"minimum\" of numbers is supported as 0 alone");
    return json_grammar_number(&c->json, minimum == NULL, next);
}

// ---- types ----

static int string_value(Compiler *c, const cJSON *schema, Where where, int next)
{
    const int64_t least = integer(c, schema, where, "minLength", 0, LENGTH_MAX, 0);
    const int64_t most = integer(c, schema, where, "maxLength", 0, LENGTH_MAX, -1);
    if (most >= 0 && least > most)
        return fail(c, where, "no text has %d or more characters and at most %d", (int)least,
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
    {"object", object, {"properties", "required", "additionalProperties"}},
    {"array", array, {"items", "prefixItems", "minItems", "maxItems"}},
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
    const cJSON *type = field(schema, "type"), *item;
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
            fail(c, where, "\"type\" is \"%.40s\", expected one of JSON",
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
        if (types >> i & 1) ways = either(c, ways, TYPES[i].compile(c, schema, where, next));
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
    const cJSON *values = field(schema, keyword), *item;
    const bool list = strcmp(keyword, "enum") == 0;
    int ways = -1;
    if (!only(c, schema, where, (const char *const[]){keyword, "type", NULL})) return 0;
    if (list && !cJSON_IsArray(values)) return fail(c, where, "\"enum\" is not a list of values");
    const unsigned types = field(schema, "type") != NULL ? types_of(c, schema, where) : 0;
    for (item = list ? values->child : values; item != NULL; item = list ? item->next : NULL)
        if (is_of_types(item, types)) ways = either(c, ways, constant(c, item, next));
    return ways >= 0 ? ways : fail(c, where, "\"%s\" has no value of the type", keyword);
}

// ---- all of it ----

static int alternatives(Compiler *c, const cJSON *list, Where where, int next)
{
    const cJSON *item;
    int ways = -1;
    if (!cJSON_IsArray(list) || list->child == NULL)
        return fail(c, where, "is not a list of schemas");
    cJSON_ArrayForEach(item, list) ways = either(c, ways, compile(c, item, where, next));
    return ways;
}

static int compile_object(Compiler *c, const cJSON *schema, Where where, int next)
{
    static const char *const combining[] = {"anyOf", "oneOf", "allOf"};
    if (field(schema, "$ref") != NULL) return reference(c, schema, where, next);
    for (int i = 0; i < 3; i++) {
        const cJSON *list = field(schema, combining[i]);
        if (list == NULL) continue;
        if (!only(c, schema, where, (const char *const[]){combining[i], NULL})) return 0;
        if (i == 2 && cJSON_GetArraySize(list) > 1)
            return fail(c, where, "\"allOf\" of more than one schema is not supported");
        return alternatives(c, list, inside(where, combining[i]), next);
    }
    if (field(schema, "enum") != NULL) return constants(c, schema, "enum", where, next);
    if (field(schema, "const") != NULL) return constants(c, schema, "const", where, next);
    return typed(c, schema, where, next);
}

static int compile(Compiler *c, const cJSON *schema, Where where, int next)
{
    if (c->failed) return 0;
    if (cJSON_IsTrue(schema)) return json_grammar_any(&c->json, next);
    if (cJSON_IsFalse(schema)) return fail(c, where, "is false, which no value is");
    if (!cJSON_IsObject(schema)) return fail(c, where, "is not a schema");
    if (++c->depth > DEPTH_MAX) return fail(c, where, "is nested too deeply");
    const int start = compile_object(c, schema, where, next);
    c->depth--;
    return start;
}

Grammar *json_schema_compile(const char *text, size_t bytes, Error *err)
{
    cJSON *root = json_parse(text, bytes, "schema", err);
    if (root == NULL) return NULL;
    Compiler *c = calloc(1, sizeof *c);
    REQUIRE(c != NULL, "no memory for a schema");
    *c = (Compiler){.root = root, .grammar = grammar_new(), .err = err};
    Grammar *g = c->grammar;
    c->json = json_grammar_begin(g);
    const Where top = {"$"};
    grammar_set_start(g, compile(c, root, top, grammar_return(g)));
    for (int i = 0; i < c->ref_count && !c->failed; i++)    // each may bring more
        grammar_set_rule(g, c->refs[i].rule,
                         compile(c, c->refs[i].schema, inside(top, "$ref"), grammar_return(g)));
    if (grammar_full(g)) fail(c, top, "is too large");
    if (grammar_begin(g) < 0) fail(c, top, "no text is valid");
    const bool failed = c->failed;
    free(c);
    cJSON_Delete(root);
    if (!failed) return g;
    grammar_free(g);
    return NULL;
}
