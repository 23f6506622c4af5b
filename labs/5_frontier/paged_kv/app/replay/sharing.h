/* sharing.h -- blocks saved by copy-on-write sharing in parallel sampling and beam search.
 *
 *     double saved = sharing_saved(&trace, 6, SHARE_BEAM, 16, seed);    // fraction of the unshared blocks
 *
 * Requests run one at a time on the scheduler. Parallel samples share the prompt. In beam search, each new
 * beam continues an old one drawn at random, and old beams without a successor are cancelled. So beams
 * share everything up to the point where they diverged.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef enum Sharing { SHARE_PARALLEL, SHARE_BEAM } Sharing;

double sharing_saved(const Trace *trace, int width, Sharing how, int block_size, uint64_t seed);
