#include "labs/3_language/tokenizer/app/bpe/merges.h"
#include "common/error.h"

void merges_begin(MergeTable *merges, Arena *arena, size_t room)
{
    size_t slots = 64;
    while (slots < 2 * room) slots *= 2;
    *merges = (MergeTable){.room = room,
                           .items = arena_alloc(arena, (room + 1) * sizeof(Merge)),
                           .slots = arena_alloc(arena, slots * sizeof(MergeSlot)),
                           .mask = slots - 1};
    for (size_t i = 0; i < slots; i++) merges->slots[i] = (MergeSlot){~0ull, -1, -1};
}

void merges_put(MergeTable *merges, Merge merge)
{
    REQUIRE(merges->count < merges->room && merge.rank >= 0, "merge %zu of %zu, rank %d",
            merges->count, merges->room, merge.rank);
    uint64_t pair = merges_pair(merge.left, merge.right), at = merges_hash(pair) & merges->mask;
    while (merges->slots[at].rank >= 0 && merges->slots[at].pair != pair)
        at = (at + 1) & merges->mask;
    merges->slots[at] = (MergeSlot){pair, merge.rank, merge.result};
    merges->items[merges->count++] = merge;
}
