/* merges.h -- which two tokens become which one, and which pair goes first.
 *
 *     MergeTable merges;
 *     merges_begin(&merges, keep, 50000);
 *     merges_put(&merges, (Merge){left, right, result, rank});
 *     const MergeSlot *slot = merges_find(&merges, left, right);  // NULL: they stay two
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/arena.h"

typedef struct Merge {
    int left, right, result;
    int rank;    // the lowest goes first; of equal ones the leftmost in the text
} Merge;

typedef struct MergeSlot {
    uint64_t pair;
    int rank, result;
} MergeSlot;

typedef struct MergeTable {
    size_t count, room;
    Merge *items;    // in the order of the file
    MergeSlot *slots;
    uint64_t mask;
} MergeTable;

void merges_begin(MergeTable *merges, Arena *arena, size_t room);
void merges_put(MergeTable *merges,
                Merge merge);    // at most `room`; of a pair's two the later holds

static inline uint64_t merges_pair(int left, int right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static inline uint64_t merges_hash(uint64_t pair)
{
    pair *= 0x9e3779b97f4a7c15u;
    return pair ^ pair >> 32;
}

static inline const MergeSlot *merges_find(const MergeTable *merges, int left, int right)
{
    uint64_t pair = merges_pair(left, right);
    for (uint64_t at = merges_hash(pair) & merges->mask;; at = (at + 1) & merges->mask) {
        const MergeSlot *slot = &merges->slots[at];
        if (slot->pair == pair) return slot;
        if (slot->rank < 0) return NULL;
    }
}
