#include "common/text.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t text_utf8_length(const char *text, size_t left)
{
    static const struct {
        unsigned char first_least, first_most, second_least, second_most, length;
    } FORMS[] = {
        {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    const unsigned char *byte = (const unsigned char *)text;
    for (size_t f = 0; left > 0 && f < sizeof FORMS / sizeof *FORMS; f++) {
        size_t length = FORMS[f].length;
        if (byte[0] < FORMS[f].first_least || byte[0] > FORMS[f].first_most) continue;
        if (length == 1) return 1;
        if (length > left || byte[1] < FORMS[f].second_least || byte[1] > FORMS[f].second_most)
            return 0;
        for (size_t i = 2; i < length; i++)
            if ((byte[i] & 0xC0) != 0x80) return 0;
        return length;
    }
    return 0;
}

bool text_is_utf8(const char *text, size_t bytes)
{
    for (size_t length; bytes > 0; text += length, bytes -= length)
        if ((length = text_utf8_length(text, bytes)) == 0) return false;
    return true;
}

// The code point of a character of `length` bytes.
static uint32_t code_point(const unsigned char *byte, size_t length)
{
    uint32_t code = length == 1 ? byte[0] : byte[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) code = code << 6 | (byte[i] & 0x3F);
    return code;
}

int text_columns(const char *text, size_t bytes)
{
    // clang-format off
    static const struct {
        uint32_t first, last;
        int columns;
    } BLOCKS[] = {{0x300, 0x36F, 0}, {0x1100, 0x115F, 2}, {0x200B, 0x200D, 0}, {0x20D0, 0x20FF, 0},
                  {0x2E80, 0x303E, 2}, {0x3041, 0xA4CF, 2}, {0xAC00, 0xD7A3, 2}, {0xF900, 0xFAFF, 2},
                  {0xFE00, 0xFE0F, 0}, {0xFE30, 0xFE6F, 2}, {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2},
                  {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1FAFF, 2},
                  {0x20000, 0x3FFFD, 2}, {0xE0100, 0xE01EF, 0}};
    // clang-format on
    int columns = 0;
    for (size_t at = 0, length; at < bytes; at += length) {
        length = text_utf8_length(text + at, bytes - at);
        if (length == 0) length = 1;
        uint32_t code = code_point((const unsigned char *)text + at, length);
        int one = 1;
        for (size_t b = 0; code >= 0x300 && b < sizeof BLOCKS / sizeof *BLOCKS; b++)
            if (code >= BLOCKS[b].first && code <= BLOCKS[b].last) one = BLOCKS[b].columns;
        columns += one;
    }
    return columns;
}

const char *text_plural(long n)
{
    return n == 1 ? "" : "s";
}

static bool is_obeyed(const unsigned char *byte, size_t length)
{
    if (length == 1) return byte[0] < ' ' || byte[0] == 0x7F;
    if (length == 2)
        return (byte[0] == 0xC2 && byte[1] < 0xA0) || (byte[0] == 0xD8 && byte[1] == 0x9C);
    if (length != 3 || byte[0] != 0xE2) return false;
    return (byte[1] == 0x80 &&
            (byte[2] == 0x8E || byte[2] == 0x8F || (byte[2] >= 0xA8 && byte[2] <= 0xAE))) ||
           (byte[1] == 0x81 && byte[2] >= 0xA6 && byte[2] <= 0xA9);
}

// The next character as it is shown, `taken` bytes of the text and `shown` ones of the result.
static const char *next(const char *from, size_t left, size_t *taken, size_t *shown)
{
    size_t length = text_utf8_length(from, left);
    bool data = length > 0 && !is_obeyed((const unsigned char *)from, length);
    *taken = length > 0 ? length : 1;
    *shown = data ? length : 1;
    return data ? from : "?";
}

size_t text_clean(char *text)
{
    char *to = text;
    size_t taken, shown;
    for (size_t left = strlen(text), at = 0; left > 0; left -= taken, at += taken, to += shown) {
        const char *character = next(text + at, left, &taken, &shown);
        memmove(to, character, shown);
    }
    *to = '\0';
    return (size_t)(to - text);
}

void text_print(const char *text, size_t bytes, FILE *out)
{
    size_t taken, shown;
    for (; bytes > 0; bytes -= taken, text += taken) {
        const char *character = next(text, bytes, &taken, &shown);
        fwrite(character, 1, shown, out);
    }
}

char *text_spaced(char *text)
{
    for (char *at = text; (at = strchr(at, '_')) != NULL;) *at = ' ';
    return text;
}

bool text_ends(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}
