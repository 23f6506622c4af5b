/* bytes.h -- bytes that grow at their end.
 *
 *     Bytes out = {0};
 *     bytes_add(&out, "abc", 3);
 *     free(out.data);
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct Bytes {
    uint8_t *data;    // malloc; NULL while empty
    size_t count, room;
} Bytes;

void bytes_reserve(Bytes *bytes, size_t more);
void bytes_add(Bytes *bytes, const void *data, size_t count);
