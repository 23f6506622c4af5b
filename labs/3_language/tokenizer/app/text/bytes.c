#include "labs/3_language/tokenizer/app/text/bytes.h"
#include <stdlib.h>
#include <string.h>
#include "common/error.h"

void bytes_reserve(Bytes *bytes, size_t more)
{
    if (bytes->room - bytes->count >= more) return;
    bytes->room = 2 * bytes->room + more + 64;
    bytes->data = realloc(bytes->data, bytes->room);
    REQUIRE(bytes->data != NULL, "no memory for a text of %zu bytes", bytes->room);
}

void bytes_add(Bytes *bytes, const void *data, size_t count)
{
    if (count == 0) return;
    bytes_reserve(bytes, count);
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
}
