#include "labs/3_language/tokenizer/app/text/code_point.h"
#include <pthread.h>
#include <stdbool.h>
#include "common/text.h"

static const struct {
    uint32_t first, last;
    uint8_t classes;
} ranges[] = {
#include "labs/3_language/tokenizer/app/text/classes.inc"
};

static uint8_t table[CODE_POINTS];    // written once

static void fill(void)
{
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (uint32_t c = ranges[r].first; c <= ranges[r].last; c++) table[c] = ranges[r].classes;
}

const uint8_t *code_point_classes(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    return table;
}

uint32_t code_point_long(const uint8_t *text, size_t left, size_t *bytes)
{
    static const uint8_t lead[] = {0, 0, 0x1f, 0x0f, 0x07};
    size_t length = text_utf8_length((const char *)text, left);
    *bytes = length > 0 ? length : 1;
    if (length < 2) return length == 1 ? text[0] : CODE_INVALID;
    uint32_t code = text[0] & lead[length];
    for (size_t i = 1; i < length; i++) code = code << 6 | (text[i] & 0x3f);
    return code;
}

uint32_t code_point_before(const uint8_t *text, size_t end, size_t *bytes)
{
    for (size_t back = 1; back <= 4 && back <= end; back++) {
        uint32_t code = code_point_at(text + end - back, back, bytes);
        if (*bytes == back && code != CODE_INVALID) return code;
    }
    *bytes = 1;
    return CODE_INVALID;
}

size_t code_point_write(uint32_t code, uint8_t out[4])
{
    if (code >= CODE_INVALID) code = '?';
    size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6) out[i] = (uint8_t)(0x80 | (code & 0x3f));
    out[0] = (uint8_t)(lead[bytes] | code);
    return bytes;
}
