/* schema_compiler.h -- a JSON schema on its way into a grammar: what the parts of json_schema.c share.
 *
 *     int start = schema_compile(c, schema, where, next);    // reads a value, and goes on at `next`
 *     return schema_fail(c, where, "\"%s\" is not supported", keyword);
 */
#pragma once
#include <cjson/cJSON.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/sampling/json_grammar.h"

enum { REFS_MAX = 512 };

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

// The first failure counts; returns 0.
int schema_fail(Compiler *c, Where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

Where schema_inside(Where where, const char *name);
const cJSON *schema_field(const cJSON *schema, const char *name);

// A whole number from `least` to `most`; `fallback` where there is none.
int64_t schema_integer(Compiler *c, const cJSON *schema, Where where, const char *name,
                       int64_t least, int64_t most, int64_t fallback);

// Nodes: any value of the schema; a constant; one way more beside a chain of them, which begins as -1.
int schema_compile(Compiler *c, const cJSON *schema, Where where, int next);
int schema_constant(Compiler *c, const cJSON *value, int next);
int schema_either(Compiler *c, int chain, int more);

// The types with schemas inside.
int schema_object(Compiler *c, const cJSON *schema, Where where, int next);
int schema_array(Compiler *c, const cJSON *schema, Where where, int next);
