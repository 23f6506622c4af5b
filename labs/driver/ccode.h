/* ccode.h -- finds functions in C text that may not compile yet.
 *
 *     const char *code = code_only(arena, text);       // as long as the text
 *     CodeSpan    span = code_definition(code, "ae_loss");
 *     if (span.end > 0) printf("%.*s", (int)(span.end - span.start), text + span.start);
 *
 * This is not a parser, since the text may be wrong in any way. It searches for a name, its parentheses
 * and a brace, outside of comments, strings, directives and `#if 0`.
 */
#pragma once
#include "common/arena.h"
#include <stdbool.h>
#include <stddef.h>

// The text with everything but code replaced by spaces; newlines are kept.
char *code_only(Arena *arena, const char *text);

typedef struct CodeSpan {    // offsets; all 0 when there is none
    size_t start;            // of the line with the return type
    size_t open;             // of the brace
    size_t close;            // of the matching brace; `end` where there is none
    size_t end;              // after the last line's newline
} CodeSpan;

// Ends at the matching brace or, if that is too early or too late, at the first `}` in the first
// column: a missing or extra brace does not affect the functions below.
CodeSpan code_definition(const char *code, const char *name);

// The declaration that ends in `;`, as its start and end only.
CodeSpan code_declaration(const char *code, const char *name);

typedef struct CodeName {
    const char *text;
    size_t bytes;
} CodeName;

// The next function whose head begins in the first column, from the offset on; false: no more.
bool code_next(const char *code, size_t from, CodeName *name, CodeSpan *span);

// Whether the span holds the name as a word of its own.
bool code_names(const char *code, CodeSpan span, CodeName name);
