/* plain.h -- makes the output of another program safe to print and to store.
 *
 *     puts(plain_text(arena, output, 800));    // no escape code reaches the terminal
 *
 * The result is UTF-8 with printable characters and newlines only, valid in JSON and XML. Tabs become
 * spaces, everything else becomes a question mark.
 */
#pragma once
#include "common/arena.h"

// At most `most` bytes of it; " ..." says that there was more.
const char *plain_text(Arena *arena, const char *text, size_t most);
