/* json_schema.h -- a grammar of the JSON texts that a schema describes.
 *
 *     Grammar *g = json_schema_compile(text, bytes, &err);    // {"type": "object", "properties": {...}}
 *     if (g == NULL) puts(err.message);    // $.properties.name: "pattern" is not supported
 *
 * Every text of the grammar is valid by the schema (JSON Schema 2020-12); not every valid text is one of the
 * grammar: properties come in the schema's order, white space is scarce (json_grammar.h), and an object with
 * "properties" has no others unless "additionalProperties" asks for them (their names are then ASCII). An
 * array with "prefixItems" has no others unless "items" does.
 *
 * Supported: type (one or several), properties, required, additionalProperties, items, prefixItems, minItems,
 * maxItems, enum, const, anyOf, oneOf (as anyOf), allOf of one, $ref within the schema (recursive ones too),
 * minLength, maxLength, minimum, maximum, exclusiveMinimum and exclusiveMaximum of integers, minimum 0 of
 * numbers. What only describes (title, description, default, examples, format, ...) is passed over. All
 * else is refused by name: what is not enforced is not promised.
 */
#pragma once
#include <stddef.h>
#include "common/error.h"
#include "labs/5_frontier/paged_kv/app/sampling/grammar.h"

// text[bytes] is 0.
Grammar *json_schema_compile(const char *text, size_t bytes, Error *err);    // NULL and why
