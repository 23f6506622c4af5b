/* fields.h -- the fields of a request's JSON, each checked when it is read.
 *
 *     Fields fields = {.object = body, .refusal = refusal};
 *     double temperature = 1;
 *     if (!field_number(&fields, "temperature", 0, 100, &temperature)) return false;
 *
 * A field that is absent or null leaves the value as it is.
 */
#pragma once
#include <cjson/cJSON.h>
#include <stdint.h>
#include "labs/5_frontier/paged_kv/app/serve/refusal.h"

typedef struct Fields {
    const cJSON *object;
    const char *within;    // "stream_options.", before names in sentences; or NULL
    Refusal *refusal;
} Fields;

// The body as an object. False, and a sentence: not UTF-8, not JSON, a zero in a text (cJSON would end the text
// there), not an object.
bool fields_parse(const char *text, size_t bytes, cJSON **tree, Refusal *refusal);

const cJSON *field(const Fields *fields, const char *name);    // NULL: absent or null

bool field_number(const Fields *fields, const char *name, double least, double most, double *value);
bool field_float(const Fields *fields, const char *name, float least, float most, float *value);
bool field_integer(const Fields *fields, const char *name, int64_t least, int64_t most,
                   int64_t *value);
bool field_int(const Fields *fields, const char *name, int least, int most, int *value);
bool field_flag(const Fields *fields, const char *name, bool *value);
bool field_text(const Fields *fields, const char *name, const char **value);    // the tree's
bool field_object(const Fields *fields, const char *name, const cJSON **value);

// "temperature: is a text, expected 0 to 2"
bool field_refuse(const Fields *fields, const char *name, const char *expected);

// ---- which fields there are ----

typedef struct FieldRule {
    const char *name;
    unsigned where;      // a mask of the caller's: which kinds of requests have it
    const char *only;    // not supported, but as this JSON; NULL: any value
} FieldRule;

// Refuses a field that is in no rule of `where` or has another value than `only`, or is there twice. One that is
// null is absent.
bool fields_check(const Fields *fields, const FieldRule *rules, int count, unsigned where);
