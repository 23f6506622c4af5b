/* stop.h -- stop strings in a text that comes in chunks: what may be shown, and where the text ends.
 *
 *     Stop *stop = stop_new((const char *[]){"\n\n", "User:"}, 2, false, 100);
 *     size_t bytes;
 *     const char *text = stop_step(stop, chunk, chunk_bytes, &bytes);    // to be shown now
 *     if (stop_found(stop) >= 0) ...                                     // the text is over
 *     text = stop_end(stop, last, last_bytes, &bytes);                   // with what was held back
 *     stop_close(stop);
 *
 * A string may lie across chunks. So the end of a text that is the beginning of one is held back until it is
 * clear whether the rest follows. Where a chunk ends makes no difference: the string whose last byte comes
 * first ends the text, and of those that end there the longest.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Stop Stop;

// The strings are copied, and none is empty. `include`: the string that ends the text is shown, too. Chunks of up to
// `chunk` bytes need no more memory. NULL: no memory.
Stop *stop_new(const char *const *strings, int count, bool include, size_t chunk);
void stop_close(Stop *stop);    // NULL is fine

// What is returned lives until the next call. After the end there is no more.
const char *stop_step(Stop *stop, const char *text, size_t bytes, size_t *shown);
const char *stop_end(Stop *stop, const char *text, size_t bytes,
                     size_t *shown);    // the last chunk

int stop_found(const Stop *stop);    // which string ended the text; -1: none so far
