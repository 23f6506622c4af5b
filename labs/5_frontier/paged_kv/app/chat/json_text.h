/* json_text.h -- JSON laid out as Python's json.dumps does, which is how templates show it.
 *
 *     if (!json_text_add(&out, "{\"a\":[1,2]}", 0, &err)) ...    // {"a": [1, 2]}
 *
 * Keys keep their order and numbers their digits. Letters beyond ASCII are themselves, not escaped.
 */
#pragma once
#include <stdbool.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"

// indent 0: in one line. False where the text is not JSON.
bool json_text_add(Bytes *out, const char *json, int indent, Error *err);
void json_text_quote(Bytes *out, const char *text);    // a text as a JSON string
void json_text_quote_bytes(Bytes *out, const char *text, size_t bytes);    // it may hold zeros
