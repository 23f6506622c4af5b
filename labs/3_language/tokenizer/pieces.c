/* Tokens as pieces of a text: with bars between them, or each on a background of its own. */
#include <stdlib.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/story.h"

Pieces pieces_of_bytes(Arena *arena, const char *text, size_t bytes)
{
    Pieces pieces = {arena_alloc(arena, (bytes + 1) * sizeof(Piece)), bytes};
    for (size_t i = 0; i < bytes; i++) pieces.all[i] = (Piece){text + i, 1};
    return pieces;
}

Pieces pieces_of_characters(Arena *arena, const char *text, size_t bytes)
{
    Pieces pieces = {arena_alloc(arena, (bytes + 1) * sizeof(Piece)), 0};
    for (size_t at = 0, used; at < bytes; at += used) {
        bpe_utf8_decode(text + at, bytes - at, &used);
        pieces.all[pieces.count++] = (Piece){text + at, used};
    }
    return pieces;
}

Pieces pieces_of_ids(Arena *arena, const Learned *learned, const int *ids, size_t n)
{
    Pieces pieces = {arena_alloc(arena, (n + 1) * sizeof(Piece)), n};
    for (size_t i = 0; i < n; i++) {
        size_t size = bpe_decode(NULL, 0, &learned->vocabulary, ids + i, 1);
        char *bytes = arena_alloc(arena, size + 1);
        bpe_decode(bytes, size, &learned->vocabulary, ids + i, 1);
        pieces.all[i] = (Piece){bytes, size};
    }
    return pieces;
}

bool pieces_of_given(Arena *arena, const Tokenizer *tokenizer, const char *text, size_t bytes,
                     Pieces *pieces, Error *err)
{
    TokenIds ids = {0};
    if (!tokenizer_encode(tokenizer, text, bytes, (EncodeOptions){0}, &ids, err)) return false;
    *pieces = (Pieces){arena_alloc(arena, (ids.count + 1) * sizeof(Piece)), ids.count};
    for (size_t i = 0; i < ids.count; i++)
        pieces->all[i].bytes = tokenizer_piece(tokenizer, ids.ids[i], &pieces->all[i].size);
    free(ids.ids);
    return true;
}

// ---- shown ----

// One character as it can be printed, and how wide it is; returns the bytes it takes of the piece.
static size_t shown(char out[8], int *width, const char *bytes, size_t left)
{
    size_t length = text_utf8_length(bytes, left);
    unsigned char first = (unsigned char)bytes[0];
    *width = 1;
    if (length == 0) return snprintf(out, 8, "\\x%02x", first), *width = 4, (size_t)1;
    memcpy(out, bytes, length);
    out[length] = '\0';
    if (first == '\n') return memcpy(out, "\u21b5", 4), length;
    if (first == '\t') return memcpy(out, "\u2192", 4), length;
    text_clean(out);
    *width = text_columns(out, strlen(out));
    return length;
}

const char *pieces_text(Arena *arena, Pieces pieces)
{
    size_t room = 2;
    for (size_t i = 0; i < pieces.count; i++) room += 4 * pieces.all[i].size + 1;
    char *text = arena_zeros(arena, room), *end = text;
    for (size_t i = 0; i < pieces.count; i++) {
        if (i > 0) *end++ = '|';
        for (size_t b = 0; b < pieces.all[i].size;) {
            char one[8];
            int width;
            b += shown(one, &width, pieces.all[i].bytes + b, pieces.all[i].size - b);
            end += strlen(strcpy(end, one));
        }
    }
    return text;
}

void pieces_print(const Console *console, Arena *arena, Pieces pieces, int indent)
{
    static const char *const backgrounds[] = {"\033[30;46m", "\033[30;43m", "\033[30;42m",
                                              "\033[30;45m", "\033[30;47m"};
    if (!console->colour) {
        console_text(console, CONSOLE_PLAIN, indent, pieces_text(arena, pieces));
        return;
    }
    int column = console->columns;    // the first character begins a line
    for (size_t i = 0; i < pieces.count; i++) {
        for (size_t b = 0; b < pieces.all[i].size;) {
            char one[8];
            int width;
            bool line = pieces.all[i].bytes[b] == '\n';
            size_t used = shown(one, &width, pieces.all[i].bytes + b, pieces.all[i].size - b);
            if (column + width > console->columns) {
                printf("%s%*s", i + b > 0 ? "\033[0m\n" : "", indent, "");
                column = indent;
            }
            if (column == indent || b == 0) printf("%s", backgrounds[i % 5]);
            printf("%s", one);
            column = line ? console->columns : column + width;
            b += used;
        }
        printf("\033[0m");
    }
    printf("\n");
}
