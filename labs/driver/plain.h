/* plain.h -- makes the output of another program safe to print and to store.
 *
 *     puts(plain_text(arena, output, 800));    // no escape code reaches the terminal
 *
 * What is left is UTF-8 of printable characters and newlines; a tab is a space, and whatever else
 * there was is a question mark. JSON and XML can hold it.
 */
#pragma once
#include "common/arena.h"

// At most `most` bytes of it; " ..." says that there was more.
const char *plain_text(Arena *arena, const char *text, size_t most);
