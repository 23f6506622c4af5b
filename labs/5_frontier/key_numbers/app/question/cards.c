#include "labs/5_frontier/key_numbers/app/question/cards.h"
#include <stdlib.h>
#include <string.h>

static bool read_share(const char *text, size_t length, double *share, Error *err)
{
    char word[32] = "", *end;
    if (length > 0 && length < sizeof word) memcpy(word, text, length);
    *share = strspn(word, "0123456789.") == strlen(word) ? strtod(word, &end) : 0;
    return *share > 0 || error_set(err, "tensor_split: '%.*s' is not a share above 0",
                                   length > 31 ? 31 : (int)length, text);
}

static bool read_shares(const char *text, Cards *cards, Error *err)
{
    int count = 0;
    for (const char *at = text; at != NULL; count++) {
        size_t length = strcspn(at, ",");
        double share;
        if (!read_share(at, length, &share, err)) return false;
        if (count < cards->count) cards->shares[count] = share;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return count == cards->count ||
           error_set(err, "tensor_split: %d shares for %d cards", count, cards->count);
}

bool cards_read(Arena *arena, const char *names, const char *shares, Cards *cards, Error *err)
{
    *cards = (Cards){0};
    for (const char *at = names; at != NULL;) {
        size_t length = strcspn(at, ",");
        if (cards->count == CARDS_MOST) return error_set(err, "cards: more than %d", CARDS_MOST);
        GpuSpec *spec = &cards->specs[cards->count];
        const char *name = arena_print(arena, "%.*s", length > 64 ? 64 : (int)length, at);
        if (!gpu_spec_in_table(arena, name, spec, err)) return error_wrap(err, "cards");
        cards->shares[cards->count++] = spec->memory;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    if (cards->count < 2) return error_set(err, "cards: expected two GPUs or more, by commas");
    return shares == NULL || read_shares(shares, cards, err);
}

void cards_layers(const Cards *cards, int layers, int ends[CARDS_MOST])
{
    double all = 0, so_far = 0;
    for (int c = 0; c < cards->count; c++) all += cards->shares[c];
    for (int c = 0, l = 0; c < cards->count; c++) {
        so_far += cards->shares[c];
        while (l < layers && so_far / all > (double)l / (layers + 1)) l++;
        ends[c] = c == cards->count - 1 ? layers : l;
    }
}
