/* Texts, their different pieces, and tokenizers learned from them. */
#include <stdlib.h>
#include "common/file.h"
#include "labs/3_language/tokenizer/story.h"

enum { LARGEST = 64 << 20 };

bool text_read(Arena *arena, Text *text, const char *path, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return false;
    if (view.size == 0 || view.size > LARGEST) {
        file_unmap(view);
        return error_set(err, "%s: it has %zu bytes, expected 1 to %d", path, view.size, LARGEST);
    }
    char *bytes = arena_alloc(arena, view.size);
    memcpy(bytes, view.bytes, view.size);
    *text = (Text){path, bytes, view.size, view.size / 5 * 4};
    file_unmap(view);
    while (text->train < text->size && ((unsigned char)bytes[text->train] & 0xc0) == 0x80)
        text->train++;    // not within a character
    return true;
}

// ---- words ----

// The place of a piece in an open hash table of words + 1, or the free one.
static size_t place_of(const int *slots, size_t mask, const Piece *words, const char *piece,
                       size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)piece[i]) * UINT64_C(0x100000001b3);
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        const Piece *word = words + slots[at] - 1;
        if (slots[at] == 0 || (word->size == size && memcmp(word->bytes, piece, size) == 0))
            return at;
    }
}

BpeWords *text_words(Arena *arena, const char *text, size_t bytes)
{
    size_t room = 64, count = 0, total = 0;
    while (room < 2 * bytes) room *= 2;
    int *slots = arena_zeros(arena, room * sizeof *slots);
    Piece *words = arena_alloc(arena, (bytes + 1) * sizeof *words);
    BpeWords *made = arena_zeros(arena, sizeof *made);
    made->times = arena_zeros(arena, (bytes + 1) * sizeof *made->times);
    for (size_t at = 0, n; at < bytes; at += n) {
        n = bpe_split(text + at, bytes - at, bpe_class);
        size_t place = place_of(slots, room - 1, words, text + at, n);
        if (slots[place] == 0) {
            words[count] = (Piece){text + at, n};
            slots[place] = (int)++count;
            total += n;
        }
        made->times[slots[place] - 1]++;
    }
    made->ids = arena_alloc(arena, (total + 1) * sizeof *made->ids);
    made->first = arena_alloc(arena, (count + 1) * sizeof *made->first);
    made->length = arena_alloc(arena, (count + 1) * sizeof *made->length);
    made->count = (int)count;
    total = 0;
    for (size_t w = 0; w < count; w++) {
        made->first[w] = total;
        made->length[w] = words[w].size;
        for (size_t i = 0; i < words[w].size; i++)
            made->ids[total++] = (unsigned char)words[w].bytes[i];
    }
    return made;
}

// ---- learned tokenizers ----

Learned *learned_first(Arena *arena, const Learned *all, int count)
{
    Learned *l = arena_alloc(arena, sizeof *l);
    *l = (Learned){all->merges,
                   count < all->count ? count : all->count,
                   bpe_pairs_new(arena),
                   {.first = arena_alloc(arena, (257 + (size_t)count) * sizeof(size_t))}};
    for (int k = 0; k < l->count; k++) *bpe_pairs_at(&l->ranks, l->merges[k]) = k;
    BpeVocabulary *v = &l->vocabulary;
    for (v->room = 4096, v->bytes = arena_alloc(arena, v->room);
         !bpe_vocabulary(v, l->merges, l->count) && v->room < LARGEST;)
        v->bytes = arena_alloc(arena, v->room *= 2);
    return l;
}

Learned *learned_step(Arena *arena, const Learned *all, int i)
{
    return learned_first(arena, all, all->count * i * i / ((STEPS - 1) * (STEPS - 1)));
}

Learned *learn(Arena *arena, const char *text, size_t bytes, int merges)
{
    BpePairs counts = bpe_pairs_new(arena);
    Learned all = {.merges = arena_alloc(arena, (size_t)merges * sizeof *all.merges)};
    all.count = bpe_train_indexed(all.merges, merges, text_words(arena, text, bytes), 2, &counts);
    return learned_first(arena, &all, all.count);
}

int *learned_encode(Arena *arena, const Learned *learned, const char *text, size_t bytes, size_t *n)
{
    BpeTokenizer tokenizer = {.ranks = &learned->ranks, .classify = bpe_class};
    int *ids = arena_alloc(arena, (bytes + 1) * sizeof *ids);
    *n = bpe_tokenize(ids, &tokenizer, text, bytes, false);
    return ids;
}

Pieces learned_pieces(Arena *arena, const Learned *learned, const char *text, size_t bytes)
{
    size_t n;
    int *ids = learned_encode(arena, learned, text, bytes, &n);
    return pieces_of_ids(arena, learned, ids, n);
}

BpeRates learned_rates(Arena *arena, const Learned *learned, const char *text, size_t bytes)
{
    int size = 256 + learned->count;
    size_t n;
    int *ids = learned_encode(arena, learned, text, bytes, &n);
    return bpe_rates(arena_alloc(arena, (size_t)size * sizeof(int64_t)), size, ids, n, bytes);
}
