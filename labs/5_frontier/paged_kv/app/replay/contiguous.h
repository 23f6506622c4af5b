/* contiguous.h -- how servers kept keys and values before PagedAttention: each request in one piece, as
 * long as it may become, from a buddy allocator.
 *
 *     ContiguousResult r = contiguous_run(&trace, 15728, 2048, RESERVE_MAX);
 *
 * The requests are all there from the begin, and are admitted in their order as soon as a piece is
 * free. A prompt takes one step, then each step gives every request a token. The averages are over the
 * steps in which others wait.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef enum Reservation {
    RESERVE_MAX,      // the model's longest sequence
    RESERVE_POW2,     // the prompt, and the next power of two of the output
    RESERVE_ORACLE    // what it will really need
} Reservation;

typedef struct ContiguousResult {
    double used, reserved, internal, external;    // shares of all slots, in sum 1
    double at_once;                               // requests
} ContiguousResult;

ContiguousResult contiguous_run(const Trace *trace, int slots, int most, Reservation how);
