/* sharing.h -- how many blocks several continuations of one prompt save by sharing them.
 *
 *     double saved = sharing_saved(&trace, 6, SHARE_BEAM, 16, seed);    // of the blocks without sharing
 *
 * Requests run one at a time on a real scheduler. Parallel samples share their prompt. Beams are replaced
 * in each step: every new beam continues one of the old ones, drawn at random, and those that nobody
 * continues are cancelled; so beams share all up to where they parted, which is never long ago.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/replay/trace.h"

typedef enum Sharing { SHARE_PARALLEL, SHARE_BEAM } Sharing;

double sharing_saved(const Trace *trace, int width, Sharing how, int block_size, uint64_t seed);
