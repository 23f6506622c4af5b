#include "labs/5_frontier/paged_kv/app/replay/buddy.h"
#include <string.h>

static int order_of(int slots)
{
    int order = 0;
    while (1 << order < slots) order++;
    return order;
}

static void put(Buddy *buddy, int place, int order)
{
    buddy->order[place] = (signed char)order;
    buddy->before[place] = -1;
    buddy->next[place] = buddy->first[order];
    if (buddy->next[place] >= 0) buddy->before[buddy->next[place]] = place;
    buddy->first[order] = place;
}

static void take_out(Buddy *buddy, int place)
{
    const int before = buddy->before[place], next = buddy->next[place];
    if (before >= 0) buddy->next[before] = next;
    else buddy->first[(int)buddy->order[place]] = next;
    if (next >= 0) buddy->before[next] = before;
    buddy->order[place] = -1;
}

Buddy buddy_new(Arena *keep, int capacity)
{
    const size_t n = (size_t)capacity;
    Buddy buddy = {.capacity = capacity,
                   .order = arena_alloc(keep, n),
                   .next = arena_alloc(keep, n * sizeof(int)),
                   .before = arena_alloc(keep, n * sizeof(int))};
    memset(buddy.order, -1, n);
    memset(buddy.first, -1, sizeof buddy.first);
    // The largest first, so that each begins at a multiple of its size.
    for (int order = BUDDY_ORDERS - 1, place = 0; order >= 0; order--)
        if (capacity >> order & 1) {
            put(&buddy, place, order);
            place += 1 << order;
        }
    return buddy;
}

int buddy_allocate(Buddy *buddy, int slots)
{
    const int want = order_of(slots);
    int order = want;
    while (order < BUDDY_ORDERS && buddy->first[order] < 0) order++;
    if (order == BUDDY_ORDERS) return -1;
    const int place = buddy->first[order];
    take_out(buddy, place);
    while (order > want) {
        order--;
        put(buddy, place + (1 << order), order);    // the second half stays free
    }
    buddy->used += 1 << want;
    return place;
}

void buddy_free(Buddy *buddy, int place, int slots)
{
    int order = order_of(slots);
    buddy->used -= 1 << order;
    for (; order < BUDDY_ORDERS - 1; order++) {
        const int other = place ^ 1 << order;
        if (other + (1 << order) > buddy->capacity || buddy->order[other] != order) break;
        take_out(buddy, other);
        if (other < place) place = other;
    }
    put(buddy, place, order);
}
