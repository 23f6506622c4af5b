/* waiting.h -- the sequences that wait, the one of the lowest rank first: a binary heap.
 *
 * Equal ranks are served in the order of their ids. Any sequence can leave.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/schedule/sequence.h"

typedef struct Waiting {
    Sequence **heap;
    int count, room;
} Waiting;

bool sequence_before(const Sequence *a, const Sequence *b);    // a is served first

bool waiting_add(Waiting *waiting, Sequence *sequence);    // false: no memory, and nothing changed
void waiting_remove(Waiting *waiting, Sequence *sequence);
Sequence *waiting_first(const Waiting *waiting);    // or NULL
void waiting_free(Waiting *waiting);                // the list, not its sequences
