/* regex.h -- patterns that are not known by name, through PCRE2.
 *
 *     Regex *regex = regex_open("\\p{N}{1,3}", &err);      // NULL: not a pattern, or no PCRE2
 *     while (regex_find(regex, text, at, end, &first, &last, &err) == REGEX_FOUND) at = last;
 *     regex_close(regex);
 *
 * \s, \d, \h, \w, \b, ^ and $ are those of Oniguruma, which `tokenizers` uses; \p{..} are PCRE2's,
 * whose Unicode may be older. Bytes that are not UTF-8 match nothing. A match that backtracks too long is refused.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"

typedef struct Regex Regex;
typedef enum RegexResult { REGEX_FOUND, REGEX_NONE, REGEX_FAILED } RegexResult;

Regex *regex_open(const char *expression, Error *err);
void regex_close(Regex *regex);    // NULL is fine

// The first match in text[at..end); text[0..at) is seen by what looks back. Several threads may ask.
RegexResult regex_find(const Regex *regex, const uint8_t *text, size_t at, size_t end,
                       size_t *first, size_t *last, Error *err);
