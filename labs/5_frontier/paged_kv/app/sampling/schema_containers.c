/* schema_containers.c -- objects and arrays of a JSON schema. */
#include <stdlib.h>
#include <string.h>
#include "labs/5_frontier/paged_kv/app/sampling/schema_compiler.h"

enum { ITEMS_MAX = 1024 };

// ---- objects ----

static bool is_required(const cJSON *schema, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, schema_field(schema, "required")) if (cJSON_IsString(item) &&
                                                                   strcmp(item->valuestring,
                                                                          name) == 0) return true;
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
        if (same == NULL) return schema_fail(c, (Where){"$"}, "no memory for %d names", count);
        int used = 0;
        for (int k = i; k < count; k++)
            if ((unsigned char)among[k]->string[at] == byte) same[used++] = among[k];
        const int rest = other_name(c, same, used, at + 1, free_name, next);
        ways = schema_either(c, ways, grammar_range(g, byte, byte, rest));
        free(same);
    }
    ByteSet others = {{0}};
    for (int b = ' '; b <= '~'; b++)
        if (!taken[b]) others.bits[b / 64] |= (uint64_t)1 << b % 64;
    ways = schema_either(c, ways, grammar_bytes(g, others, free_name));
    return complete ? ways : schema_either(c, ways, grammar_range(g, '"', '"', next));
}

// The name of a property that none of the list has, from its first quote on.
static int name_beyond(Compiler *c, const cJSON *properties, int next)
{
    const int count = cJSON_GetArraySize(properties);
    const cJSON **names = calloc((size_t)count + 1, sizeof *names), *item;
    if (names == NULL) return schema_fail(c, (Where){"$"}, "no memory for %d names", count);
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
    const cJSON *properties = schema_field(schema, "properties"),
                *more = schema_field(schema, "additionalProperties");
    Ways ways = {close, close};
    if (more == NULL || cJSON_IsFalse(more)) return ways;
    const int loop = grammar_later(c->grammar);
    const int value = schema_compile(c, more, schema_inside(where, "additionalProperties"),
                                     json_grammar_space(&c->json, loop));
    const int pair = name_beyond(c, properties, colon(c, value));
    grammar_set_split(c->grammar, loop, close, comma(c, pair));
    return (Ways){grammar_split(c->grammar, close, pair), loop};
}

static Ways named(Compiler *c, const cJSON *schema, const cJSON *item, Where where, int close)
{
    if (item == NULL) return others(c, schema, where, close);
    const Ways rest = named(c, schema, item->next, where, close);
    const int value =
        schema_compile(c, item, schema_inside(schema_inside(where, "properties"), item->string),
                       json_grammar_space(&c->json, rest.later));
    cJSON *name = cJSON_CreateString(item->string);
    const int pair = schema_constant(c, name, colon(c, value));
    cJSON_Delete(name);
    if (is_required(schema, item->string)) return (Ways){pair, comma(c, pair)};
    return (Ways){grammar_split(c->grammar, rest.first, pair),
                  grammar_split(c->grammar, rest.later, comma(c, pair))};
}

static bool check_object(Compiler *c, const cJSON *schema, Where where)
{
    const cJSON *properties = schema_field(schema, "properties"),
                *required = schema_field(schema, "required"), *item;
    if (properties != NULL && !cJSON_IsObject(properties))
        return schema_fail(c, where, "\"properties\" is not an object");
    if (required != NULL && !cJSON_IsArray(required))
        return schema_fail(c, where, "\"required\" is not a list");
    cJSON_ArrayForEach(item, required)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "?";
        if (schema_field(properties, name) == NULL)
            return schema_fail(c, where, "\"required\" has \"%.40s\", which \"properties\" lacks",
                               name);
    }
    if (cJSON_GetArraySize(properties) > ITEMS_MAX)
        return schema_fail(c, where, "has more than %d properties", ITEMS_MAX);
    return true;
}

int schema_object(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *properties = schema_field(schema, "properties");
    if (properties == NULL && schema_field(schema, "required") == NULL &&
        (schema_field(schema, "additionalProperties") == NULL ||
         cJSON_IsTrue(schema_field(schema, "additionalProperties"))))
        return json_grammar_object_any(&c->json, next);
    check_object(c, schema, where);
    if (c->failed) return 0;
    const int close = grammar_literal(c->grammar, "}", next);
    const Ways ways = named(c, schema, properties != NULL ? properties->child : NULL, where, close);
    return grammar_literal(c->grammar, "{", json_grammar_space(&c->json, ways.first));
}

// ---- arrays ----

int schema_array(Compiler *c, const cJSON *schema, Where where, int next)
{
    const cJSON *prefix = schema_field(schema, "prefixItems"),
                *items = schema_field(schema, "items");
    const int fixed = cJSON_GetArraySize(prefix);
    const bool open = items != NULL ? !cJSON_IsFalse(items) : prefix == NULL;
    const int64_t least = schema_integer(c, schema, where, "minItems", 0, ITEMS_MAX, 0);
    int64_t most = schema_integer(c, schema, where, "maxItems", 0, ITEMS_MAX, -1);
    if (prefix != NULL && !cJSON_IsArray(prefix))
        return schema_fail(c, where, "\"prefixItems\" is not a list");
    if (!open && (most < 0 || most > fixed)) most = fixed;
    if (most >= 0 && least > most)
        return schema_fail(c, where, "no array has %d or more items and at most %d", (int)least,
                           (int)most);
    if (fixed > ITEMS_MAX || c->failed)
        return c->failed ? 0 : schema_fail(c, where, "has too many items");

    Grammar *g = c->grammar;
    const int close = grammar_literal(g, "]", next);
    // One rule for all further items; item i behind a comma, or as the first.
    const int rule = grammar_rule(g);
    if (open) {
        const cJSON any = {.type = cJSON_True};
        grammar_set_rule(g, rule,
                         schema_compile(c, items != NULL ? items : &any,
                                        schema_inside(where, "items"), grammar_return(g)));
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
        const int item = i < fixed ? schema_compile(c, cJSON_GetArrayItem(prefix, (int)i),
                                                    schema_inside(where, "prefixItems"), behind)
                                   : grammar_call(g, rule, behind);
        if (i < least) ways = (Ways){item, comma(c, item)};
        else ways = (Ways){grammar_split(g, close, item), grammar_split(g, close, comma(c, item))};
    }
    return grammar_literal(g, "[", json_grammar_space(&c->json, ways.first));
}
