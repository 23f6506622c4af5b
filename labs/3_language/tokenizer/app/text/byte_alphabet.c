#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

static bool stays(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// The 68 that do not stay: 0-32, 127, 128-160, 173.
static int moved(int n)
{
    return n < 33 ? n : n < 67 ? n + 94 : 173;
}

uint8_t byte_alphabet_nth(int n)
{
    static const int stay = 256 - 68;
    if (n >= stay) return (uint8_t)moved(n - stay);
    return (uint8_t)(n < 94 ? n + 33 : n < 106 ? n + 67 : n + 68);
}

uint32_t byte_alphabet_code(uint8_t byte)
{
    if (stays(byte)) return byte;
    return 0x100u + (byte < 33 ? byte : byte < 161 ? byte - 94u : 67u);
}

int byte_alphabet_byte(uint32_t code)
{
    if (code < 0x100) return stays((int)code) ? (int)code : -1;
    return code < 0x100 + 68 ? moved((int)code - 0x100) : -1;
}

bool byte_alphabet_read(Bytes *out, const char *written, size_t bytes)
{
    size_t length;
    for (size_t at = 0; at < bytes; at += length) {
        int byte =
            byte_alphabet_byte(code_point_at((const uint8_t *)written + at, bytes - at, &length));
        if (byte < 0) return false;
        bytes_add(out, &(uint8_t){(uint8_t)byte}, 1);
    }
    return true;
}

void byte_alphabet_write(Bytes *out, const char *piece, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t code[4];
        bytes_add(out, code, code_point_write(byte_alphabet_code((uint8_t)piece[i]), code));
    }
}
