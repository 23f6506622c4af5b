/* byte_alphabet.h -- how byte-level BPE writes bytes as printable characters: a space is U+0120, 'Ġ'.
 *
 * GPT-2's bytes_to_unicode: 33-126, 161-172 and 174-255 are the characters of these numbers; the other 68
 * bytes, in their order, are U+0100 and the following.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "labs/3_language/tokenizer/app/text/bytes.h"

uint32_t byte_alphabet_code(uint8_t byte);
int byte_alphabet_byte(uint32_t code);    // -1: not of the alphabet
uint8_t byte_alphabet_nth(int n);    // the bytes in GPT-2's order of ids: first those that stay

// The bytes that a written token stands for; false where a character is not of the alphabet.
bool byte_alphabet_read(Bytes *out, const char *written, size_t bytes);
void byte_alphabet_write(Bytes *out, const char *piece, size_t bytes);
