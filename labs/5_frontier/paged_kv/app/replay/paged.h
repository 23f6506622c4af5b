/* paged.h -- KV memory in blocks, for the same requests as contiguous.h reserves it for.
 *
 *     PagedResult r = paged_run(&trace, 15728, 16, 512);
 *
 * All requests arrive at the start, without a prefix cache; the averages are over the steps in which some
 * wait.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef struct PagedResult {
    double used, tail;    // fractions of all slots: with a token; in a held block, without one
    double at_once;       // mean requests at the same time
} PagedResult;

PagedResult paged_run(const Trace *trace, int slots, int block_size, int most_at_once);
