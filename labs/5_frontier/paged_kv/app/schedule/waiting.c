#include "labs/5_frontier/paged_kv/app/schedule/waiting.h"
#include <stdlib.h>
#include "common/error.h"

bool sequence_before(const Sequence *a, const Sequence *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->id < b->id;
}

static void put(Waiting *waiting, int place, Sequence *sequence)
{
    waiting->heap[place] = sequence;
    sequence->place = place;
}

// Restores the heap: moves the sequence up from an empty place, or down.
static void sift(Waiting *waiting, int place, Sequence *sequence)
{
    Sequence **heap = waiting->heap;
    while (place > 0 && sequence_before(sequence, heap[(place - 1) / 2])) {
        put(waiting, place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (int child; (child = 2 * place + 1) < waiting->count; place = child) {
        if (child + 1 < waiting->count && sequence_before(heap[child + 1], heap[child])) child++;
        if (!sequence_before(heap[child], sequence)) break;
        put(waiting, place, heap[child]);
    }
    put(waiting, place, sequence);
}

bool waiting_reserve(Waiting *waiting, int count)
{
    if (count <= waiting->room) return true;
    const int room = count < 32 ? 64 : 2 * count;
    Sequence **heap = realloc(waiting->heap, (size_t)room * sizeof *heap);
    if (heap == NULL) return false;
    waiting->heap = heap;
    waiting->room = room;
    return true;
}

void waiting_add(Waiting *waiting, Sequence *sequence)
{
    REQUIRE(waiting->count < waiting->room, "no room for sequence %d", sequence->id);
    sift(waiting, waiting->count++, sequence);
}

void waiting_remove(Waiting *waiting, Sequence *sequence)
{
    const int place = sequence->place;
    REQUIRE(place < waiting->count && waiting->heap[place] == sequence,
            "sequence %d is not waiting", sequence->id);
    Sequence *last = waiting->heap[--waiting->count];
    if (last != sequence) sift(waiting, place, last);
}

Sequence *waiting_first(const Waiting *waiting)
{
    return waiting->count > 0 ? waiting->heap[0] : NULL;
}

void waiting_free(Waiting *waiting)
{
    free(waiting->heap);
    *waiting = (Waiting){0};
}
