/* buddy.h -- a buddy allocator, for the contiguous KV memory of servers before PagedAttention.
 *
 *     Buddy buddy = buddy_new(keep, 15728);
 *     int place = buddy_allocate(&buddy, 700);    // 1024 slots; -1: no piece is large enough
 *     buddy_free(&buddy, place, 700);
 *
 * Sizes are rounded up to powers of two. A larger piece is split in halves; two free halves are merged.
 * A capacity that is not a power of two is the sum of several.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"

enum { BUDDY_ORDERS = 31 };

typedef struct Buddy {
    int capacity, used;    // slots; `used` counts whole pieces
    signed char *order;    // of the free piece that begins at a slot; -1: none does
    int *next, *before;    // lists of free pieces of an order
    int first[BUDDY_ORDERS];
} Buddy;

Buddy buddy_new(Arena *keep, int capacity);
int buddy_allocate(Buddy *buddy, int slots);
void buddy_free(Buddy *buddy, int place, int slots);    // the same size as it was allocated with
