#include "labs/driver/plain.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// The bytes of the printable UTF-8 character that stands at `text`; 0 when none does.
static size_t printable(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t length = byte[0] < 0x80   ? 1
                    : byte[0] < 0xc2 ? 0
                    : byte[0] < 0xe0 ? 2
                    : byte[0] < 0xf0 ? 3
                    : byte[0] < 0xf5 ? 4
                                     : 0;
    if (length == 1) return byte[0] >= ' ' && byte[0] != 0x7f;
    if (length == 0) return 0;
    uint32_t code = byte[0] & (0x7fu >> length);
    for (size_t k = 1; k < length; k++) {
        if ((byte[k] & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte[k] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool valid = code >= least[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    bool controls = code < 0xa0 || (code >= 0x202a && code <= 0x202e) ||    // C1; writing direction
                    (code >= 0x2066 && code <= 0x2069) || code == 0xfffe || code == 0xffff;
    return valid && !controls ? length : 0;
}

const char *plain_text(Arena *arena, const char *text, size_t most)
{
    size_t all = strlen(text), kept = 0;
    char *plain = arena_alloc(arena, (all < most ? all : most) + sizeof " ...");
    while (*text != '\0') {
        size_t length = printable(text), takes = length > 0 ? length : 1;
        if (kept + takes > most) {
            memcpy(plain + kept, " ...", 4);
            kept += 4;
            break;
        }
        if (length > 0) memcpy(plain + kept, text, length);
        else plain[kept] = *text == '\n' ? '\n' : *text == '\t' ? ' ' : '?';
        kept += takes;
        text += takes;
    }
    plain[kept] = '\0';
    return plain;
}
