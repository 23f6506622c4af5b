/* code_point.h -- the characters of UTF-8 text, one by one, and the classes that split patterns ask for.
 *
 *     size_t bytes;
 *     uint32_t code = code_point_at(text, left, &bytes);    // 0x1f999, and 4
 *     if (classes[code] & CODE_LETTER) ...                  // classes = code_point_classes()
 *
 * A byte that begins no character (RFC 3629) is a character of its own, CODE_INVALID, of no class:
 * nothing is lost, and nothing after it is read differently.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { CODE_INVALID = 0x110000, CODE_POINTS = 0x110001 };

// As the package `tokenizers` 0.23.3 has them (make_classes.py). Letters, numbers, marks and spaces
// are Unicode 16's \p{L}, \p{N}, \p{M} and \s.
enum {
    CODE_LETTER = 1,
    CODE_NUMBER = 2,
    CODE_MARK = 4,
    CODE_SPACE = 8,
    CODE_WORD = 16,           // \w
    CODE_PUNCTUATION = 32,    // ASCII's, and \p{P}
    CODE_NUMERIC = 64,        // \p{N} of Unicode 17, for the step "Digits"
};

const uint8_t *code_point_classes(void);    // [CODE_POINTS]; the same table each time

uint32_t code_point_long(const uint8_t *text, size_t left, size_t *bytes);    // not ASCII

static inline uint32_t code_point_at(const uint8_t *text, size_t left, size_t *bytes)
{
    if (text[0] >= 0x80) return code_point_long(text, left, bytes);
    *bytes = 1;
    return text[0];
}

// The one that ends at text[end]; end > 0.
uint32_t code_point_before(const uint8_t *text, size_t end, size_t *bytes);

size_t code_point_write(uint32_t code,
                        uint8_t out[4]);    // how many bytes; 1 byte '?' for CODE_INVALID
