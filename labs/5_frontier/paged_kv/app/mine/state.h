/* state.h -- the lab's block pool and requests as the planner keeps them, and what differs between two.
 *
 *     KvPool theirs = state_pool(arena, 64, 16), right = state_pool(arena, 64, 16);
 *     char why[STATE_WHY];
 *     if (state_pools_differ(&theirs, &right, why)) guard_wrong("release", "%s", why);
 */
#pragma once
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/paged_kv.h"

enum { STATE_WHY = 160 };

KvPool state_pool(Arena *arena, int blocks, int block_size);    // all free, nothing cached

// The first difference that the contract decides: of `got`, against `want`.
bool state_pools_differ(const KvPool *got, const KvPool *want, char why[STATE_WHY]);
bool state_requests_differ(const KvRequest *got, const KvRequest *want, char why[STATE_WHY]);
