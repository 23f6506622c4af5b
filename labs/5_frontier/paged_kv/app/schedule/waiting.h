/* waiting.h -- the queue of waiting sequences: a binary heap, lowest rank first, then lowest id.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/schedule/sequence.h"

typedef struct Waiting {
    Sequence **heap;
    int count, room;
} Waiting;

bool sequence_before(const Sequence *a, const Sequence *b);    // whether a is served first

bool waiting_reserve(Waiting *waiting, int count);         // false: out of memory
void waiting_add(Waiting *waiting, Sequence *sequence);    // within the reserve
void waiting_remove(Waiting *waiting, Sequence *sequence);
Sequence *waiting_first(const Waiting *waiting);    // NULL: none waits
void waiting_free(Waiting *waiting);                // not the sequences
