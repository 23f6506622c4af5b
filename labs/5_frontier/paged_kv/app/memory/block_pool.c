#include "labs/5_frontier/paged_kv/app/memory/block_pool.h"
#include "common/error.h"

// ---- the free list ----

static void insert_before(BlockPool *pool, int32_t place, int32_t block)
{
    int32_t before = pool->before[place];
    pool->after[before] = pool->before[place] = block;
    pool->before[block] = before;
    pool->after[block] = place;
    pool->idle++;
}

static void unlink_block(BlockPool *pool, int32_t block)
{
    pool->after[pool->before[block]] = pool->after[block];
    pool->before[pool->after[block]] = pool->before[block];
    pool->idle--;
}

// ---- references ----

bool block_pool_cached(const BlockPool *pool, int32_t block)
{
    if (pool->hash != NULL) return pool->hash[block] != 0;
    return pool->cache != NULL && prefix_cache_contains(pool->cache, block);
}

BlockPool block_pool_new(Arena *keep, int blocks, int block_size, const PrefixKind *kind)
{
    REQUIRE(blocks > 0 && block_size > 0, "%d blocks of %d tokens", blocks, block_size);
    const size_t n = (size_t)blocks;
    BlockPool pool = {
        .blocks = blocks,
        .block_size = block_size,
        .references = arena_zeros(keep, n * sizeof *pool.references),
        .after = arena_alloc(keep, (n + 1) * sizeof *pool.after),
        .before = arena_alloc(keep, (n + 1) * sizeof *pool.before),
        .cache = kind != NULL ? prefix_cache_new(keep, kind, blocks, block_size) : NULL,
    };
    pool.after[blocks] = pool.before[blocks] = blocks;
    for (int32_t b = 0; b < blocks; b++) insert_before(&pool, blocks, b);
    return pool;
}

bool block_pool_can_allocate(const BlockPool *pool, int count)
{
    return pool->idle >= count &&
           (count <= 0 || pool->refuse == NULL || !pool->refuse(pool->context));
}

int32_t block_pool_allocate(BlockPool *pool)
{
    REQUIRE(pool->idle > 0, "all %d blocks are in use", pool->blocks);
    int32_t block = pool->after[pool->blocks];
    unlink_block(pool, block);
    if (block_pool_cached(pool, block)) {
        prefix_cache_remove(pool->cache, block);
        pool->evicted++;
    }
    pool->references[block] = 1;
    pool->allocated++;
    return block;
}

void block_pool_retain(BlockPool *pool, int32_t block)
{
    if (pool->references[block]++ == 0) unlink_block(pool, block);
}

void block_pool_release(BlockPool *pool, int32_t block)
{
    REQUIRE(pool->references[block] > 0, "block %d is released, but no table holds it", block);
    if (--pool->references[block] > 0) return;
    const int32_t end = pool->blocks;
    insert_before(pool, block_pool_cached(pool, block) ? end : pool->after[end], block);
}

int block_pool_cached_idle(const BlockPool *pool)
{
    int count = 0;
    for (int32_t b = pool->before[pool->blocks]; b != pool->blocks; b = pool->before[b])
        count += block_pool_cached(pool, b);
    return count;
}
