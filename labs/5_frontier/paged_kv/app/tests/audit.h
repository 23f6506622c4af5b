/* audit.h -- the invariants of a block pool and the tables that use it, checked after every event.
 */
#pragma once
#include <stdlib.h>
#include "labs/5_frontier/paged_kv/app/memory/block_table.h"
#include "tests/facts.h"

static void audit_free_list(const BlockPool *pool)
{
    int count = 0, cached = 0;
    bool seen_cached = false;
    bool *passed = calloc((size_t)pool->blocks, sizeof *passed);
    for (int32_t b = pool->after[pool->blocks]; b != pool->blocks; b = pool->after[b]) {
        assert_that(++count <= pool->blocks, "the free list has a loop at block %d", b);
        assert_that(pool->before[pool->after[b]] == b, "block %d: its links disagree", b);
        assert_that(pool->references[b] == 0, "block %d is in the free list with %d references", b,
                    pool->references[b]);
        cached += block_pool_cached(pool, b);
        assert_that(!seen_cached || block_pool_cached(pool, b),
                    "block %d is not cached and comes after a cached one", b);
        seen_cached = block_pool_cached(pool, b);
        passed[b] = true;
        const int32_t parent = seen_cached ? pool->cache->parent[b] : PREFIX_ROOT;
        assert_that(parent == PREFIX_ROOT || !passed[parent],
                    "block %d would be evicted after its parent %d", b, parent);
    }
    free(passed);
    assert_integer("idle blocks", pool->idle, count);
    assert_integer("cached idle blocks", block_pool_cached_idle(pool), cached);
}

// Held + idle = all blocks, and a block's reference count is the number of tables that hold it.
static void audit_references(const BlockPool *pool, const BlockTable *const *tables, int count)
{
    int held = 0;
    int32_t *holders = calloc((size_t)pool->blocks, sizeof *holders);
    for (int t = 0; t < count; t++)
        for (int i = 0; i < tables[t]->count; i++) {
            const int32_t block = tables[t]->blocks[i];
            assert_that(block >= 0 && block < pool->blocks, "table %d holds block %d", t, block);
            for (int j = 0; j < i; j++)
                assert_that(tables[t]->blocks[j] != block, "table %d holds block %d twice", t,
                            block);
            holders[block]++;
        }
    for (int32_t b = 0; b < pool->blocks; b++) {
        assert_that(pool->references[b] == holders[b],
                    "block %d has reference count %d and %d holders", b, pool->references[b],
                    holders[b]);
        held += holders[b] > 0;
    }
    assert_integer("held + idle", held + pool->idle, pool->blocks);
    free(holders);
}

// A cached block's parent is cached, and is held if the block is held; the counters agree.
static void audit_cache(const BlockPool *pool)
{
    const PrefixCache *cache = pool->cache;
    if (cache == NULL) return;
    int cached = 0;
    int32_t *children = calloc((size_t)pool->blocks, sizeof *children);
    for (int32_t b = 0; b < pool->blocks; b++) {
        if (!prefix_cache_contains(cache, b)) continue;
        cached++;
        const int32_t parent = cache->parent[b];
        if (parent == PREFIX_ROOT) continue;
        assert_that(prefix_cache_contains(cache, parent), "block %d, parent of %d, is not cached",
                    parent, b);
        assert_that(pool->references[b] == 0 || pool->references[parent] > 0,
                    "block %d is held, its parent %d is not", b, parent);
        assert_integer("the parent's domain", cache->domain[parent], cache->domain[b]);
        children[parent]++;
    }
    for (int32_t b = 0; b < pool->blocks; b++)
        if (prefix_cache_contains(cache, b))
            assert_integer("children", cache->children[b], children[b]);
    assert_integer("cached blocks", cache->cached, cached);
    assert_that(cache->heads <= cached, "%d heads of %d blocks", cache->heads, cached);
    free(children);
}

static void audit(const BlockPool *pool, const BlockTable *const *tables, int count)
{
    audit_free_list(pool);
    audit_references(pool, tables, count);
    audit_cache(pool);
}
