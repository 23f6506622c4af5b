/* JSON schemas: what a grammar writes is valid, by a plain validator; what it must take, it takes; and a mask allows
 * a token exactly where all its bytes may come. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "common/rng.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/sampling/constraint.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_grammar.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"
#include "tests/facts.h"

static Grammar *compiled(const char *schema)
{
    Error err = {""};
    Grammar *g = json_schema_compile(schema, strlen(schema), &err);
    if (g == NULL) fail_msg("%s: %s", schema, err.message);
    return g;
}

static bool takes(Grammar *g, const char *text)
{
    int state = grammar_begin(g);
    for (; *text != '\0' && state >= 0; text++) state = grammar_step(g, state, (uint8_t)*text);
    return grammar_ends(g, state);
}

// ---- what is taken, and what is not ----

static void assert_language(const char *schema, const char *const *yes, const char *const *no)
{
    Grammar *g = compiled(schema);
    for (; *yes != NULL; yes++) assert_that(takes(g, *yes), "%s does not take %s", schema, *yes);
    for (; *no != NULL; no++) assert_that(!takes(g, *no), "%s takes %s", schema, *no);
    grammar_free(g);
}
#define TAKES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void values_are_those_of_their_type(void **state)
{
    (void)state;
    assert_language(
        "{\"type\": \"integer\"}", TAKES("0", "-1", "123456789012345678"),
        TAKES("", "-0", "01", "1.0", "1e3", "+1", "\"1\"", "1234567890123456789", "1 "));
    assert_language("{\"type\": \"number\"}",
                    TAKES("0", "-0", "-1.50", "1e3", "0.1E-10", "120000000000000000"),
                    TAKES(".5", "1.", "1e", "00", "1e100", "NaN", "-"));
    assert_language("{\"type\": \"boolean\"}", TAKES("true", "false"),
                    TAKES("tru", "True", "truee"));
    assert_language("{\"type\": \"null\"}", TAKES("null"), TAKES("nul", "0"));
    assert_language("{\"type\": \"string\"}",
                    TAKES("\"\"", "\"a b\"", "\"\\n\\u00e9\\\"\\u0001\\ud7ff\"",
                          "\"\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x99\x82\""),
                    TAKES("\"", "\"a\nb\"", "\"\\x\"", "\"\\ud83d\"", "\"\\u0000\"", "\"\xc0\xaf\"",
                          "\"\xed\xa0\x80\"", "\"\xff\"", "\"\xe4\xbd\"", "\"a\"b\""));
    assert_language("{\"type\": [\"string\", \"null\"]}", TAKES("null", "\"\""), TAKES("0", "[]"));
    assert_language("{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}",
                    TAKES("\"ab\"", "\"abc\"", "\"\\n\xf0\x9f\x99\x82\\u00e9\""),
                    TAKES("\"a\"", "\"abcd\"", "\"\""));
    assert_language("{\"enum\": [\"red\", \"blue\", 5, null]}", TAKES("\"red\"", "5", "null"),
                    TAKES("\"re\"", "red", "50", "\"green\""));
    assert_language("{\"enum\": [\"red\", 5], \"type\": \"integer\"}", TAKES("5"),
                    TAKES("\"red\""));
    assert_language("{\"const\": {\"a\": [1, \"b\\n\"]}}", TAKES("{\"a\":[1,\"b\\n\"]}"),
                    TAKES("{}", "{\"a\":[1]}"));
    assert_language("true", TAKES("{\"a\": [1, {}, [], \"\", null, -2.5e3]}", "0", "[]", "\"x\""),
                    TAKES("[1,]", "{\"a\"}", "{a: 1}", "[1 2]", "tru"));
    assert_language("{\"type\": \"object\"}", TAKES("{}", "{\"a\": 1, \"b\": {\n    \"c\": []\n}}"),
                    TAKES("[]", "{\"a\": 1,}", "{1: 2}", "{\"a\":   1}"));
}

static void objects_have_their_properties_in_order(void **state)
{
    (void)state;
    assert_language(
        "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, "
        "\"age\": {\"type\": \"integer\"}, \"ok\": {\"type\": \"boolean\"}}, \"required\": "
        "[\"age\"]}",
        TAKES("{\"name\": \"A\", \"age\": 3, \"ok\": true}", "{\"age\":3}",
              "{\"age\": 3, \"ok\": false}", "{\n  \"name\": \"\",\n  \"age\": 3\n}"),
        TAKES("{}", "{\"name\": \"A\"}", "{\"age\": 3, \"name\": \"A\"}", "{\"age\": 3, \"x\": 1}",
              "{\"age\": 3, \"age\": 4}", "{,\"age\": 3}", "{\"age\": 3,}", "{\"age\": \"3\"}"));
    assert_language("{\"properties\": {\"a\": {}, \"b\": {}}}",
                    TAKES("{}", "{\"a\": 1}", "{\"b\": []}", "{\"a\": 1, \"b\": 2}"),
                    TAKES("{\"a\": 1 \"b\": 2}", "{\"b\": 1, \"a\": 2}", "5"));
    assert_language("{\"type\": \"object\", \"properties\": {\"\\\"q\\\"\": {}}, \"required\": "
                    "[\"\\\"q\\\"\"]}",
                    TAKES("{\"\\\"q\\\"\": 1}"), TAKES("{\"q\": 1}"));
}

static void other_properties_are_other_than_the_named_ones(void **state)
{
    (void)state;
    assert_language("{\"type\": \"object\", \"properties\": {\"ab\": {\"type\": \"integer\"}, "
                    "\"abc\": {\"type\": "
                    "\"integer\"}}, \"additionalProperties\": {\"type\": \"string\"}}",
                    TAKES("{}", "{\"ab\": 1}", "{\"ab\": 1, \"x\": \"y\"}",
                          "{\"a\": \"y\", \"abcd\": \"\"}",
                          "{\"abc\": 1, \"\": \"y\", \"abd\": \"z\"}"),
                    TAKES("{\"ab\": \"1\"}", "{\"x\": \"y\", \"ab\": \"z\"}", "{\"x\": 1}",
                          "{\"\\u0061b\": \"y\"}", "{\"abc\": \"y\"}"));
    assert_language("{\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}}",
                    TAKES("{}", "{\"any\": 1, \"other\": 2}"), TAKES("{\"any\": \"1\"}"));
    assert_language("{\"type\": \"object\", \"additionalProperties\": false}", TAKES("{}"),
                    TAKES("{\"a\": 1}"));
}

static void arrays_have_their_number_of_items(void **state)
{
    (void)state;
    assert_language("{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}",
                    TAKES("[]", "[1]", "[1, 2,3]", "[\n  1,\n  2\n]"),
                    TAKES("[\"1\"]", "[1 2]", "[,]"));
    assert_language("{\"type\": \"array\", \"items\": {\"type\": \"integer\"}, \"minItems\": 2}",
                    TAKES("[1, 2]", "[1, 2, 3, 4]"), TAKES("[]", "[1]"));
    assert_language("{\"items\": {\"type\": \"integer\"}, \"minItems\": 1, \"maxItems\": 2}",
                    TAKES("[1]", "[1, 2]"), TAKES("[]", "[1, 2, 3]"));
    assert_language("{\"type\": \"array\", \"maxItems\": 0}", TAKES("[]"), TAKES("[1]"));
    assert_language("{\"type\": \"array\", \"prefixItems\": [{\"type\": \"integer\"}, {\"type\": "
                    "\"string\"}], \"minItems\": 2}",
                    TAKES("[1, \"a\"]"), TAKES("[1]", "[\"a\", 1]", "[1, \"a\", 2]"));
    assert_language("{\"type\": \"array\", \"prefixItems\": [{\"type\": \"integer\"}], \"items\": "
                    "{\"type\": \"null\"}}",
                    TAKES("[]", "[1]", "[1, null, null]"), TAKES("[null]", "[1, 1]"));
}

static void references_may_be_recursive(void **state)
{
    (void)state;
    assert_language(
        "{\"$ref\": \"#/$defs/tree\", \"$defs\": {\"tree\": {\"type\": \"object\", "
        "\"properties\": {\"v\": {\"type\": \"integer\"}, \"left\": {\"anyOf\": [{\"$ref\": "
        "\"#/$defs/tree\"}, {\"type\": \"null\"}]}}, \"required\": [\"v\", \"left\"]}}}",
        TAKES("{\"v\": 1, \"left\": null}",
              "{\"v\": 1, \"left\": {\"v\": 2, \"left\": {\"v\": 3, \"left\": null}}}"),
        TAKES("{\"v\": 1}", "{\"v\": 1, \"left\": {\"v\": 2}}", "null"));
    assert_language(
        "{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"array\", \"items\": {\"$ref\": "
        "\"#\"}}]}",
        TAKES("1", "[]", "[1, [2, [[]]]]"), TAKES("[\"a\"]", "[[1]"));
    assert_language(
        "{\"$defs\": {\"a/b\": {\"allOf\": [{\"const\": 1}]}}, \"$ref\": \"#/$defs/a~1b\"}",
        TAKES("1"), TAKES("2"));
}

static void nesting_ends_somewhere(void **state)
{
    (void)state;
    Grammar *g = compiled("true");
    char text[1000] = "";
    memset(text, '[', 90);
    memset(text + 90, ']', 90);
    assert_true(takes(g, text));
    memset(text, '[', 400);
    memset(text + 400, ']', 400);
    assert_false(takes(g, text));
    grammar_free(g);
    // What calls itself before a byte comes has no text.
    Error err = {""};
    const char *loop =
        "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": "
        "{\"$ref\": \"#/$defs/a\"}}}";
    assert_null(json_schema_compile(loop, strlen(loop), &err));
    assert_non_null(strstr(err.message, "no text is valid"));
}

// ---- whole numbers ----

static void integers_are_within_their_bounds(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(9);
    enum { CASES = 150, SPAN = 1300 };
    for (int k = 0; k < CASES; k++) {
        int a = (int)rng_below(&rng, 2 * SPAN) - SPAN, b = (int)rng_below(&rng, 2 * SPAN) - SPAN;
        if (k % 3 == 0) b = a + (int)rng_below(&rng, 12);
        const int least = a < b ? a : b, most = a < b ? b : a;
        const bool beyond = k % 2;
        char schema[120], text[32];
        snprintf(schema, sizeof schema, "{\"type\": \"integer\", \"%s\": %d, \"%s\": %d}",
                 beyond ? "exclusiveMinimum" : "minimum", least - beyond,
                 beyond ? "exclusiveMaximum" : "maximum", most + beyond);
        Grammar *g = compiled(schema);
        for (int i = -2 * SPAN; i <= 2 * SPAN; i++) {
            snprintf(text, sizeof text, "%d", i);
            assert_that(takes(g, text) == (i >= least && i <= most), "%s: %d", schema, i);
        }
        grammar_free(g);
    }
    assert_language("{\"type\": \"integer\", \"minimum\": 1.5}", TAKES("2", "999999999999999999"),
                    TAKES("1", "0", "-2"));
    assert_language("{\"type\": \"integer\", \"maximum\": -7}", TAKES("-7", "-123456789012345678"),
                    TAKES("-6", "0", "7"));
    assert_language("{\"type\": \"number\", \"minimum\": 0}", TAKES("0", "2.5"), TAKES("-1", "-0"));
}

// ---- what is written is valid ----

static bool valid(const cJSON *root, const cJSON *schema, const cJSON *value);

static bool is_type(const cJSON *value, const char *type)
{
    switch (type[0]) {
    case 'o': return cJSON_IsObject(value);
    case 'a': return cJSON_IsArray(value);
    case 's': return cJSON_IsString(value);
    case 'b': return cJSON_IsBool(value);
    case 'i': return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
    case 'n': return type[2] == 'm' ? cJSON_IsNumber(value) : cJSON_IsNull(value);
    default: return false;
    }
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool valid_object(const cJSON *root, const cJSON *schema, const cJSON *value)
{
    const cJSON *properties = get(schema, "properties"),
                *more = get(schema, "additionalProperties");
    const cJSON *item;
    cJSON_ArrayForEach(item, get(schema, "required")) if (get(value, item->valuestring) ==
                                                          NULL) return false;
    cJSON_ArrayForEach(item, value)
    {
        const cJSON *property = get(properties, item->string);
        if (get(value, item->string) != item) return false;    // twice
        if (property == NULL && more != NULL) property = more;
        if (property != NULL && !valid(root, property, item)) return false;
    }
    return true;
}

static bool valid_array(const cJSON *root, const cJSON *schema, const cJSON *value)
{
    const int count = cJSON_GetArraySize(value),
              fixed = cJSON_GetArraySize(get(schema, "prefixItems"));
    const cJSON *least = get(schema, "minItems"), *most = get(schema, "maxItems"), *item;
    if (least != NULL && count < least->valueint) return false;
    if (most != NULL && count > most->valueint) return false;
    int i = 0;
    cJSON_ArrayForEach(item, value)
    {
        const cJSON *one =
            i < fixed ? cJSON_GetArrayItem(get(schema, "prefixItems"), i) : get(schema, "items");
        if (one != NULL && !valid(root, one, item)) return false;
        i++;
    }
    return true;
}

static bool valid_number(const cJSON *schema, double value)
{
    const cJSON *limit;
    return ((limit = get(schema, "minimum")) == NULL || value >= limit->valuedouble) &&
           ((limit = get(schema, "maximum")) == NULL || value <= limit->valuedouble) &&
           ((limit = get(schema, "exclusiveMinimum")) == NULL || value > limit->valuedouble) &&
           ((limit = get(schema, "exclusiveMaximum")) == NULL || value < limit->valuedouble);
}

static bool valid_string(const cJSON *schema, const char *text)
{
    int characters = 0;
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n, characters++)
        if ((n = text_utf8_length(text, left)) == 0) return false;
    const cJSON *least = get(schema, "minLength"), *most = get(schema, "maxLength");
    return (least == NULL || characters >= least->valueint) &&
           (most == NULL || characters <= most->valueint);
}

static bool valid(const cJSON *root, const cJSON *schema, const cJSON *value)
{
    const cJSON *type = get(schema, "type"), *item;
    if (!cJSON_IsObject(schema)) return cJSON_IsTrue(schema);
    const cJSON *ref = get(schema, "$ref");
    if (ref != NULL) {
        const char *name = strrchr(ref->valuestring, '/');
        return valid(root, name != NULL ? get(get(root, "$defs"), name + 1) : root, value);
    }
    bool any = get(schema, "anyOf") == NULL;
    cJSON_ArrayForEach(item, get(schema, "anyOf")) any = any || valid(root, item, value);
    bool listed = get(schema, "enum") == NULL;
    cJSON_ArrayForEach(item, get(schema, "enum")) listed =
        listed || cJSON_Compare(item, value, true);
    bool typed = type == NULL || (cJSON_IsString(type) && is_type(value, type->valuestring));
    if (cJSON_IsArray(type))
        cJSON_ArrayForEach(item, type) typed = typed || is_type(value, item->valuestring);
    if (!any || !listed || !typed) return false;
    if (cJSON_IsObject(value)) return valid_object(root, schema, value);
    if (cJSON_IsArray(value)) return valid_array(root, schema, value);
    if (cJSON_IsNumber(value)) return valid_number(schema, value->valuedouble);
    return !cJSON_IsString(value) || valid_string(schema, value->valuestring);
}

// A random schema that uses most keywords.
static cJSON *random_schema(Rng *rng, int depth)
{
    static const char *const names[] = {"a", "ab", "b", "long name", "\xc3\xa9"};
    cJSON *s = cJSON_CreateObject(), *part;
    const uint32_t kind = rng_below(rng, depth > 0 ? 11 : 7);
    switch (kind) {
    case 0: cJSON_AddStringToObject(s, "type", "boolean"); break;
    case 1:
        cJSON_AddStringToObject(s, "type", "integer");
        if (rng_below(rng, 2)) cJSON_AddNumberToObject(s, "minimum", (int)rng_below(rng, 99) - 50);
        if (rng_below(rng, 2))
            cJSON_AddNumberToObject(s, "exclusiveMaximum", 60 + rng_below(rng, 500));
        break;
    case 2: cJSON_AddStringToObject(s, "type", "number"); break;
    case 3:
        cJSON_AddStringToObject(s, "type", "string");
        if (rng_below(rng, 2)) cJSON_AddNumberToObject(s, "minLength", rng_below(rng, 4));
        if (rng_below(rng, 2)) cJSON_AddNumberToObject(s, "maxLength", 4 + rng_below(rng, 4));
        break;
    case 4:
        part = cJSON_AddArrayToObject(s, "enum");
        cJSON_AddItemToArray(part, cJSON_CreateString("red\"\n"));
        cJSON_AddItemToArray(part, cJSON_CreateNumber(rng_below(rng, 1000)));
        cJSON_AddItemToArray(part, cJSON_CreateNull());
        break;
    case 5:
        part = cJSON_AddArrayToObject(s, "type");
        cJSON_AddItemToArray(part, cJSON_CreateString("null"));
        cJSON_AddItemToArray(part, cJSON_CreateString("string"));
        break;
    case 6:
        if (rng_below(rng, 4) == 0) cJSON_AddStringToObject(s, "$ref", "#/$defs/n");
        break;
    case 7:
        cJSON_AddStringToObject(s, "type", "array");
        cJSON_AddItemToObject(s, "items", random_schema(rng, depth - 1));
        if (rng_below(rng, 2)) cJSON_AddNumberToObject(s, "minItems", rng_below(rng, 3));
        if (rng_below(rng, 2)) cJSON_AddNumberToObject(s, "maxItems", 3 + rng_below(rng, 3));
        if (rng_below(rng, 2)) {
            part = cJSON_AddArrayToObject(s, "prefixItems");
            cJSON_AddItemToArray(part, random_schema(rng, depth - 1));
        }
        break;
    case 8:
        part = cJSON_AddArrayToObject(s, "anyOf");
        cJSON_AddItemToArray(part, random_schema(rng, depth - 1));
        cJSON_AddItemToArray(part, random_schema(rng, depth - 1));
        break;
    default: {
        cJSON *required = cJSON_CreateArray();
        cJSON_AddStringToObject(s, "type", "object");
        part = cJSON_AddObjectToObject(s, "properties");
        for (int i = 0; i < 5; i++) {
            if (rng_below(rng, 2)) continue;
            cJSON_AddItemToObject(part, names[i], random_schema(rng, depth - 1));
            if (rng_below(rng, 2)) cJSON_AddItemToArray(required, cJSON_CreateString(names[i]));
        }
        cJSON_AddItemToObject(s, "required", required);
        if (rng_below(rng, 3) == 0)
            cJSON_AddItemToObject(s, "additionalProperties", random_schema(rng, depth - 1));
        break;
    }
    }
    return s;
}

// A text by steps at random; bytes that end things are likelier the longer it is. 0: it did not end.
static size_t random_text(Grammar *g, Rng *rng, char *text, size_t most)
{
    static const char ending[] = "\"]}ela0";    // of strings, lists, true, false, null
    int state = grammar_begin(g);
    for (size_t used = 0; used < most; used++) {
        uint8_t bytes[256];
        uint32_t count = 0;
        for (int b = 0; b < 256; b++)
            if (grammar_step(g, state, (uint8_t)b) >= 0) bytes[count++] = (uint8_t)b;
        assert_that(count > 0 || grammar_ends(g, state), "a text of %zu bytes is stuck", used);
        if (grammar_ends(g, state) && (count == 0 || rng_below(rng, 3) == 0)) return used;
        uint8_t byte = bytes[rng_below(rng, count)];
        if (rng_below(rng, 100) < 10 + used)
            for (uint32_t i = 0; i < count; i++)
                if (memchr(ending, bytes[i], sizeof ending - 1) != NULL && rng_below(rng, 2))
                    byte = bytes[i];
        text[used] = (char)byte;
        state = grammar_step(g, state, byte);
    }
    return 0;
}

static void random_texts_are_valid(void **state)
{
    (void)state;
    enum { SCHEMAS = 300, TEXTS = 20, BYTES = 3000 };
    static char text[BYTES + 1];
    Rng rng = rng_from_seed(2020);
    int ended = 0;
    for (int k = 0; k < SCHEMAS; k++) {
        cJSON *schema = random_schema(&rng, 3), *defs = cJSON_AddObjectToObject(schema, "$defs");
        cJSON_AddItemToObject(defs, "n",
                              cJSON_Parse("{\"type\": \"array\", \"items\": {\"$ref\": "
                                          "\"#/$defs/n\"}, \"maxItems\": 2}"));
        char *shown = cJSON_PrintUnformatted(schema);
        Grammar *g = compiled(shown);
        for (int i = 0; i < TEXTS; i++) {
            const size_t bytes = random_text(g, &rng, text, BYTES);
            if (bytes == 0) continue;
            text[bytes] = '\0';
            cJSON *value = cJSON_ParseWithOpts(text, NULL, true);
            assert_that(value != NULL, "%s: not JSON: %s", shown, text);
            assert_that(valid(schema, schema, value), "%s: not valid: %s", shown, text);
            ended++;
            cJSON_Delete(value);
        }
        grammar_free(g);
        cJSON_free(shown);
        cJSON_Delete(schema);
    }
    assert_that(ended > SCHEMAS * TEXTS / 2, "%d of %d texts ended", ended, SCHEMAS * TEXTS);
}

// ---- masks ----

static void masks_allow_a_token_where_all_its_bytes_may_come(void **state)
{
    (void)state;
    Error err = {""};
    Tokenizer *tokenizer =
        tokenizer_open(SOURCE "/labs/3_language/tokenizer/app/tests/fixtures/smollm.json", &err);
    if (tokenizer == NULL) fail_msg("%s", err.message);
    const int stop = tokenizer_token(tokenizer, "<|im_end|>"), size = tokenizer_size(tokenizer);
    TokenIndex *index = token_index_new(tokenizer, &stop, 1);
    Grammar *g =
        compiled("{\"type\": \"object\", \"properties\": {\"answer\": {\"type\": \"string\"}, "
                 "\"the number\": {\"type\": \"integer\"}, \"more\": {}}, \"required\": "
                 "[\"answer\"]}");
    Constraint *constraint = constraint_new(g, index);
    Rng rng = rng_from_seed(31);
    int finished = 0, steps = 0;
    for (int k = 0; k < 40; k++) {
        int at = constraint_begin(constraint);
        TokenIds ids = {0};
        for (int i = 0; i < 60; i++, steps++) {
            const TokenMask *mask = constraint_mask(constraint, at);
            int allowed = 0, chosen = -1;
            for (int id = 0; id < size; id++) {
                size_t bytes;
                const char *piece = tokenizer_piece(tokenizer, id, &bytes);
                int to = bytes > 0 && !tokenizer_is_special(tokenizer, id) ? at : -1;
                for (size_t b = 0; b < bytes && to >= 0; b++)
                    to = grammar_step(g, to, (uint8_t)piece[b]);
                const bool want = id == stop ? grammar_ends(g, at) : to >= 0;
                assert_that(token_mask_has(mask, id) == want, "token %d after %d steps", id, i);
                assert_integer("next", constraint_next(constraint, at, id),
                               id == stop ? (want ? at : -1) : to);
                if (want && rng_below(&rng, (uint32_t)++allowed) == 0) chosen = id;
            }
            assert_true(chosen >= 0);
            if (constraint_ends(constraint, at)) chosen = stop;
            if (chosen == stop) break;
            ids_add(&ids, chosen);
            at = constraint_next(constraint, at, chosen);
        }
        if (constraint_ends(constraint, at)) {
            size_t bytes;
            char *text =
                tokenizer_decode(tokenizer, ids.ids, ids.count, (DecodeOptions){0}, &bytes);
            cJSON *value = cJSON_ParseWithOpts(text, NULL, true);
            assert_that(cJSON_IsString(get(value, "answer")), "%s", text);
            finished++;
            cJSON_Delete(value);
            free(text);
        }
        free(ids.ids);
    }
    assert_that(finished > 0 && steps > 500, "%d texts ended in %d steps", finished, steps);
    constraint_close(constraint);
    token_index_free(index);
    tokenizer_close(tokenizer);
}

// ---- what is refused ----

static void schemas_that_cannot_be_kept_are_refused_by_keyword(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"type\"", "is not JSON"},
        {"5", "schema: $: is not a schema"},
        {"false", "schema: $: is false, which no value is"},
        {"{\"type\": \"text\"}", "schema: $: \"type\" is \"text\", expected one of JSON"},
        {"{\"type\": \"string\", \"pattern\": \"a\"}", "schema: $: \"pattern\" is not supported"},
        {"{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"array\", \"uniqueItems\": "
         "true}}}",
         "schema: $.properties.a: \"uniqueItems\" is not supported"},
        {"{\"type\": \"string\", \"minimum\": 3}", "\"minimum\" is not supported"},
        {"{\"anyOf\": [{\"type\": \"null\"}], \"type\": \"null\"}",
         "schema: $: \"type\" is not supported beside \"anyOf\""},
        {"{\"$ref\": \"#/$defs/x\"}", "schema: $: $ref \"#/$defs/x\" is not in the schema"},
        {"{\"$ref\": \"http://x\"}", "is not in the schema"},
        {"{\"allOf\": [{}, {}]}", "\"allOf\" of more than one schema is not supported"},
        {"{\"anyOf\": []}", "schema: $.anyOf: is not a list of schemas"},
        {"{\"type\": \"object\", \"required\": [\"a\"]}",
         "\"required\" has \"a\", which \"properties\" lacks"},
        {"{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 2}", "no text has 3 or more"},
        {"{\"type\": \"string\", \"maxLength\": 5000}",
         "\"maxLength\" is not a whole number from 0 to 4096"},
        {"{\"type\": \"array\", \"minItems\": 2, \"maxItems\": 1}", "no array has 2 or more items"},
        {"{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}", "no integer is at least 3"},
        {"{\"type\": \"integer\", \"multipleOf\": 3}", "\"multipleOf\" is not supported"},
        {"{\"type\": \"number\", \"maximum\": 3}", "\"maximum\" is supported of integers alone"},
        {"{\"enum\": [\"a\"], \"type\": \"integer\"}", "\"enum\" has no value of the type"},
        {"{\"enum\": []}", "\"enum\" has no value of the type"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error err = {""};
        Grammar *g = json_schema_compile(cases[i][0], strlen(cases[i][0]), &err);
        assert_that(g == NULL, "%s was compiled", cases[i][0]);
        if (strstr(err.message, cases[i][1]) == NULL)
            fail_msg("%s: got \"%s\", expected \"%s\"", cases[i][0], err.message, cases[i][1]);
    }
    // Too deep, and too large.
    char deep[4000] = "";
    for (int i = 0; i < 100; i++) strcat(deep, "{\"items\":");
    strcat(deep, "{}");
    for (int i = 0; i < 100; i++) strcat(deep, "}");
    Error err = {""};
    assert_null(json_schema_compile(deep, strlen(deep), &err));
    assert_non_null(strstr(err.message, "is nested too deeply"));
    char large[] =
        "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"array\", \"maxItems\": 1000, "
        "\"items\": {}}";
    char *text = calloc(400, 100);
    assert_non_null(text);
    strcpy(text, large);
    for (int i = 0; i < 200; i++)
        strcat(text, ",{\"type\": \"array\", \"maxItems\": 1000, \"items\": {}}");
    strcat(text, "]}");
    assert_null(json_schema_compile(text, strlen(text), &err));
    assert_non_null(strstr(err.message, "is too large"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(values_are_those_of_their_type),
        cmocka_unit_test(objects_have_their_properties_in_order),
        cmocka_unit_test(other_properties_are_other_than_the_named_ones),
        cmocka_unit_test(arrays_have_their_number_of_items),
        cmocka_unit_test(references_may_be_recursive),
        cmocka_unit_test(nesting_ends_somewhere),
        cmocka_unit_test(integers_are_within_their_bounds),
        cmocka_unit_test(random_texts_are_valid),
        cmocka_unit_test(masks_allow_a_token_where_all_its_bytes_may_come),
        cmocka_unit_test(schemas_that_cannot_be_kept_are_refused_by_keyword),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
