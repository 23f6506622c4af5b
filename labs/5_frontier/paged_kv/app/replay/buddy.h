/* buddy.h -- a buddy allocator: what servers before PagedAttention reserved contiguous KV memory from.
 *
 *     Buddy buddy = buddy_new(keep, 15728);
 *     int place = buddy_take(&buddy, 700);    // 1024 slots; -1: no piece is large enough
 *     buddy_drop(&buddy, place, 700);
 *
 * Pieces are powers of two. A larger one is split in halves, and two free halves become one again.
 * A capacity that is no power of two is cut into those it is the sum of.
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
int buddy_take(Buddy *buddy, int slots);
void buddy_drop(Buddy *buddy, int place, int slots);    // as it was taken
