/* contiguous.h -- KV memory before PagedAttention: one contiguous reservation per request.
 *
 *     ContiguousResult r = contiguous_run(&trace, 15728, 2048, RESERVE_MAX);
 *
 * Reservations come from a buddy allocator. All requests arrive at the start and are admitted in order,
 * each as soon as its reservation fits. A prefill takes one step; each further step generates one token
 * per request. The averages are over the steps in which requests are waiting.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef enum Reservation {
    RESERVE_MAX,      // the model's longest sequence
    RESERVE_POW2,     // the prompt, and the next power of two of the output
    RESERVE_ORACLE    // the length it will have
} Reservation;

typedef struct ContiguousResult {
    // Fractions of all slots; their sum is 1.
    double used;
    double reserved;    // for tokens still to be generated
    double internal;    // internal fragmentation: reserved beyond the last token
    double external;    // free, or lost to rounding up to a power of two
    double at_once;     // mean requests at the same time
} ContiguousResult;

ContiguousResult contiguous_run(const Trace *trace, int slots, int most, Reservation how);
