/* block_pool.h -- the blocks of the KV cache: reference counts and the free list.
 *
 *     BlockPool pool = block_pool_new(keep, 1024, 16, &hash_chain);    // or NULL: no prefix cache
 *     if (!block_pool_can_allocate(&pool, 1)) ...    // every block is in use
 *     int32_t block = block_pool_allocate(&pool);    // cannot fail after that
 *     block_pool_retain(&pool, block);               // a second table holds it
 *     block_pool_release(&pool, block);
 *     block_pool_release(&pool, block);              // idle now
 *
 * A block's reference count is the number of block tables that hold it. With none it is idle and in the
 * free list. An idle block may still be in the prefix cache: a hit takes it out of the list again, and
 * if it is allocated before that, it is evicted from the cache. The list is in the order of allocation:
 * blocks that are not cached, then cached ones, the least recently used (LRU) first. A table releases
 * its last block first, so the end of a prefix is evicted before its beginning.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/prefix_cache.h"

typedef struct BlockPool {
    int blocks, block_size;     // block_size in tokens
    int idle;                   // blocks in the free list
    int32_t *references;        // [blocks]
    int32_t *after, *before;    // [blocks + 1]: the free list, a ring through entry [blocks]
    PrefixCache *cache;         // or NULL
    const uint64_t
        *hash;    // of a planner that caches by itself: 0 where a block is not cached; else NULL
    int64_t allocated, evicted;    // totals
    // For tests: injects a failure of block_pool_can_allocate().
    bool (*refuse)(void *context);
    void *context;
} BlockPool;

BlockPool block_pool_new(Arena *keep, int blocks, int block_size, const PrefixKind *kind);

bool block_pool_can_allocate(const BlockPool *pool, int count);
int32_t block_pool_allocate(BlockPool *pool);              // at least one must be idle
void block_pool_retain(BlockPool *pool, int32_t block);    // idle blocks too: a hit
void block_pool_release(BlockPool *pool, int32_t block);

bool block_pool_cached(const BlockPool *pool, int32_t block);    // is it in the prefix cache?
int block_pool_cached_idle(const BlockPool *pool);               // walks the list
