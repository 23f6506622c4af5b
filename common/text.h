/* text.h -- text from outside (files, models, command lines), made fit to be shown.
 *
 *     char name[] = "width\n\033[31m";
 *     text_clean(name);    // "width??[31m"
 *
 * What a terminal or a plotting program would obey is data, and is shown as '?': control characters
 * (C0, DEL and C1), bytes that are not UTF-8, and the characters that reorder or end a line (Unicode
 * 15, chapter 23.2: LRE to RLO, LRI to PDI, LRM, RLM, ALM; LINE and PARAGRAPH SEPARATOR).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// The bytes of the UTF-8 character at `text` (RFC 3629: shortest form, no surrogates); 0 where there
// is none, or where it needs more than the `left` bytes.
size_t text_utf8_length(const char *text, size_t left);
bool text_is_utf8(const char *text, size_t bytes);    // all of it

// The columns that some bytes of a text take on a terminal: two for a character of East Asian scripts or
// an emoji, none for an accent that combines with the one before (Unicode annex 11, by blocks).
int text_columns(const char *text, size_t bytes);

// "s" unless there is one: printf("%d file%s", n, text_plural(n)).
const char *text_plural(long n);

// In place: each such character becomes one '?'. Returns the new length, which is never larger.
size_t text_clean(char *text);

// The same for some bytes of a text that must not change: printed, cleaned.
void text_print(const char *text, size_t bytes, FILE *out);

// In place, an identifier as its words: "from_scratch" becomes "from scratch". Returns the text.
char *text_spaced(char *text);

// text_ends("model.safetensors", ".safetensors")
bool text_ends(const char *text, const char *end);
