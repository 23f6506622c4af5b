/* block_pool.h -- the blocks of the KV cache: who holds each, and which is used next.
 *
 *     BlockPool pool = block_pool_new(keep, 1024, 16, &hash_chain);    // or NULL: no prefix cache
 *     if (!block_pool_offers(&pool, 1)) ...      // every block is held
 *     int32_t block = block_pool_take(&pool);    // never fails after that
 *     block_pool_hold(&pool, block);             // a second holder
 *     block_pool_drop(&pool, block);
 *     block_pool_drop(&pool, block);             // idle now
 *
 * A block is held by as many block tables as its reference count says, or idle: in the free list. An
 * idle block whose content is cached waits there for its next hit, and is the memory of all others
 * meanwhile: when it is taken, its content is evicted. The list is in the order in which blocks are
 * taken: those without content, then the cached ones, the least recently used (LRU) first. Since a
 * table drops its last block first, the end of a prefix is evicted before its begin.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/prefix_cache.h"

typedef struct BlockPool {
    int blocks, block_size;    // block_size in tokens
    int idle;                  // how many are in the free list
    int32_t *references;       // [blocks]
    int32_t *after,
        *before;    // [blocks + 1]: the free list, a ring; entry [blocks] is its begin and end
    PrefixCache *cache;        // or NULL
    int64_t taken, evicted;    // since the start
    // For tests: a pool that offers nothing although blocks are idle.
    bool (*refuse)(void *context);
    void *context;
} BlockPool;

BlockPool block_pool_new(Arena *keep, int blocks, int block_size, const PrefixKind *kind);

bool block_pool_offers(const BlockPool *pool, int count);
int32_t block_pool_take(BlockPool *pool);                // one is idle
void block_pool_hold(BlockPool *pool, int32_t block);    // of an idle block, too: a hit
void block_pool_drop(BlockPool *pool, int32_t block);

bool block_pool_cached(const BlockPool *pool, int32_t block);    // its content is
int block_pool_cached_idle(
    const BlockPool *pool);    // idle blocks with content: a walk of the list
