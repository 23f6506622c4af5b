/* pairs.h -- a hash table from pairs of tokens to numbers: how often a pair occurs, or its rank.
 *
 *     BpePairs counts = bpe_pairs_new(arena);
 *     *bpe_pairs_at(&counts, (BpePair){108, 111}) += 5;    // a pair that is new begins at 0
 *     const BpeEntry *entry = bpe_pairs_find(&counts, (BpePair){108, 111});    // NULL: not in it
 *     for (int i = 0; i < counts.count; i++) sum += counts.entries[i].value;
 *     bpe_pairs_note(&counts, (BpePair){108, 111}, word);    // this word holds the pair
 *     bpe_pairs_clear(&counts);
 *
 * Entries stand in the order in which their pairs first came. The memory is the arena's.
 */
#pragma once
#include <stdint.h>
#include <string.h>
#include "common/arena.h"

typedef struct BpePair {
    int left, right;
} BpePair;

typedef struct BpeEntry {
    BpePair pair;
    int64_t value;
    int *words, noted, room;    // the words that were noted, in that order; each may come again
} BpeEntry;

typedef struct BpePairs {
    Arena *arena;
    BpeEntry *entries;    // [count]
    int count, room;
    int *slots;       // [2 room]: the entry's number + 1; 0: free
    int64_t calls;    // of bpe_pairs_at() since bpe_pairs_new()
} BpePairs;

static inline BpePairs bpe_pairs_new(Arena *arena)
{
    enum { ROOM = 64 };
    return (BpePairs){.arena = arena,
                      .entries = arena_alloc(arena, ROOM * sizeof(BpeEntry)),
                      .room = ROOM,
                      .slots = arena_zeros(arena, 2 * ROOM * sizeof(int))};
}

static inline void bpe_pairs_clear(BpePairs *pairs)
{
    pairs->count = 0;
    memset(pairs->slots, 0, 2 * (size_t)pairs->room * sizeof(int));
}

// The slot that holds the pair, or the free one where it belongs.
static inline int *bpe_pairs_slot(const BpePairs *pairs, BpePair pair)
{
    uint64_t hash =
        ((uint64_t)(uint32_t)pair.left << 32 | (uint32_t)pair.right) * UINT64_C(0x9e3779b97f4a7c15);
    size_t mask = 2 * (size_t)pairs->room - 1, at = (size_t)(hash >> 32) & mask;
    for (;; at = (at + 1) & mask) {
        const BpeEntry *entry = pairs->entries + pairs->slots[at] - 1;
        if (pairs->slots[at] == 0 ||
            (entry->pair.left == pair.left && entry->pair.right == pair.right))
            return pairs->slots + at;
    }
}

static inline BpeEntry *bpe_pairs_find(const BpePairs *pairs, BpePair pair)
{
    int slot = *bpe_pairs_slot(pairs, pair);
    return slot == 0 ? NULL : pairs->entries + slot - 1;
}

// Valid until the next call.
static inline int64_t *bpe_pairs_at(BpePairs *pairs, BpePair pair)
{
    pairs->calls++;
    BpeEntry *found = bpe_pairs_find(pairs, pair);
    if (found != NULL) return &found->value;
    if (pairs->count == pairs->room) {
        BpeEntry *old = pairs->entries;
        size_t room = 2 * (size_t)(pairs->room *= 2);
        pairs->entries = arena_alloc(pairs->arena, room / 2 * sizeof *old);
        memcpy(pairs->entries, old, (size_t)pairs->count * sizeof *old);
        pairs->slots = arena_zeros(pairs->arena, room * sizeof(int));
        for (int i = 0; i < pairs->count; i++) *bpe_pairs_slot(pairs, old[i].pair) = i + 1;
    }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): bpe_pairs_new() made room
    pairs->entries[pairs->count] = (BpeEntry){.pair = pair};
    *bpe_pairs_slot(pairs, pair) = pairs->count + 1;
    return &pairs->entries[pairs->count++].value;
}

// The pair must be in the table. A word that was the last to be noted there is not noted again.
static inline void bpe_pairs_note(BpePairs *pairs, BpePair pair, int word)
{
    BpeEntry *entry = bpe_pairs_find(pairs, pair);
    if (entry->noted > 0 && entry->words[entry->noted - 1] == word) return;
    if (entry->noted == entry->room) {
        int *old = entry->words;
        entry->room = entry->room == 0 ? 4 : 2 * entry->room;
        entry->words = arena_alloc(pairs->arena, (size_t)entry->room * sizeof(int));
        if (old != NULL) memcpy(entry->words, old, (size_t)entry->noted * sizeof(int));
    }
    entry->words[entry->noted++] = word;
}
