/* From characters to bytes, and to the characters that GPT-2's vocabulary writes for bytes. */
#include "common/text.h"
#include "labs/3_language/tokenizer/story.h"

// UTF-8 of a code point below 2048: those of the byte map.
static const char *character(Arena *arena, uint32_t code)
{
    if (code < 0x80) return arena_print(arena, "%c", (int)code);
    return arena_print(arena, "%c%c", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 0x3f)));
}

bool part_bytes(void *context, Error *err)
{
    (void)err;
    const Lab *lab = context;
    const char text[] = "A \u00e9\u4e2d\U0001f642\n\xe4\xb8?\xc0\xaf";
    uint32_t map[256];
    bpe_byte_map(map);
    Table table = table_new(lab->step, "character|code point|UTF-8 bytes|in GPT-2's vocabulary");
    for (size_t at = 0, used; at < sizeof text - 1; at += used) {
        uint32_t code = bpe_utf8_decode(text + at, sizeof text - 1 - at, &used);
        char shown[8] = "\\n";
        const char *bytes = "", *mapped = "";
        if (code != '\n') snprintf(shown, sizeof shown, "%.*s", (int)used, text + at);
        if (code == ' ') snprintf(shown, sizeof shown, "space");
        if (code == 0xfffd) snprintf(shown, sizeof shown, "none");
        for (size_t i = 0; i < used; i++) {
            unsigned char byte = (unsigned char)text[at + i];
            bytes = arena_print(lab->step, "%s%s%02X", bytes, i > 0 ? " " : "", byte);
            mapped = arena_print(lab->step, "%s%s", mapped, character(lab->step, map[byte]));
        }
        table_row(&table, "%s|U+%04X|%s|%s", shown, (unsigned)code, bytes, mapped);
    }
    run_table(lab->run, &table);
    return true;
}
