/* ccode.h -- where functions stand in C text that a person is still writing.
 *
 *     const char *code = code_only(arena, text);       // as long as the text
 *     CodeSpan    span = code_definition(code, "ae_loss");
 *     if (span.end > 0) printf("%.*s", (int)(span.end - span.start), text + span.start);
 *
 * No parser: the text may be wrong in any way. What is looked for is a name, its parentheses and a
 * brace, outside of comments, strings, directives and `#if 0`.
 */
#pragma once
#include "common/arena.h"

// The text with all that is no code replaced by spaces; every newline stays where it was.
char *code_only(Arena *arena, const char *text);

typedef struct CodeSpan {    // offsets; all 0 when there is none
    size_t start;            // of the line with the return type
    size_t open;             // of the brace
    size_t close;            // of its partner; `end` where there is none
    size_t end;              // behind the last line's newline
} CodeSpan;

// Ends at the brace's partner or, when that comes first or leaves one too many, at the first `}`
// in the first column: a brace forgotten or put in twice does no harm to the functions below.
CodeSpan code_definition(const char *code, const char *name);

// The declaration that ends in `;`, as its start and end only.
CodeSpan code_declaration(const char *code, const char *name);
