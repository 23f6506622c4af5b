/* pattern.h -- the split patterns of the known tokenizers, matched by hand.
 *
 *     const Pattern *pattern = pattern_find("'s|'t|'re|'ve|...");    // NULL: not one of these
 *     for (size_t at = 0, next; at < bytes; at = next) {
 *         next = pattern_next(pattern, text, at, bytes);             // text[at..next) is a piece
 *
 * They are regular expressions with one common form; each switch is where two of them differ. A match
 * begins at every position, so the pieces cover the text, in one pass and without backtracking.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Pattern {
    const char *name;    // "gpt2", "llama3", "qwen2", "qwen3.5": the style it came with
    const char *expression;
    bool
        gpt2;    // ' ?' before words and numbers; else any one character but a newline before words
    int digits;    // at most so many in a piece; 0: any number
    bool marks;    // combining marks belong to words
} Pattern;

const Pattern *pattern_find(const char *expression);
const Pattern *pattern_named(const char *name);

// The end of the match at text[at]; at < end. Nothing from text[end] on is looked at.
size_t pattern_next(const Pattern *pattern, const uint8_t *text, size_t at, size_t end);
