#include "labs/5_frontier/paged_kv/app/memory/block_table.h"
#include "common/error.h"

int blocks_for_tokens(const BlockPool *pool, int tokens)
{
    return (int)(((int64_t)tokens + pool->block_size - 1) / pool->block_size);
}

int block_table_match(const BlockPool *pool, const BlockTable *table, int domain,
                      const int32_t *tokens, int count)
{
    REQUIRE(table->count == 0, "a table of %d blocks, expected an empty one", table->count);
    if (pool->cache == NULL) return 0;
    return prefix_cache_match(pool->cache, domain, tokens, count, table->blocks);
}

void block_table_share(BlockPool *pool, BlockTable *table, int found)
{
    for (int i = 0; i < found; i++) block_pool_retain(pool, table->blocks[i]);
    table->count = table->cached = table->ready = found;
}

int block_table_follow(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens,
                       int count)
{
    const PrefixCache *cache = pool->cache;
    const int size = pool->block_size;
    while (cache != NULL && table->cached == table->count && (table->count + 1) * size <= count) {
        const int32_t parent = table->count > 0 ? table->blocks[table->count - 1] : PREFIX_ROOT;
        const int32_t next =
            cache->kind->find(cache, parent, domain, tokens + (size_t)table->count * (size_t)size);
        if (next == PREFIX_ROOT) break;
        block_pool_retain(pool, next);
        table->blocks[table->count++] = next;
        table->cached = table->ready = table->count;
    }
    return table->ready;
}

// The entry of token `first`, if its block must be copied before it is written to; else -1. Blocks that
// this table itself put into the cache are its own to write in this step.
static int shared_entry(const BlockPool *pool, const BlockTable *table, int first)
{
    const int entry = first / pool->block_size;
    if (entry < table->cached || entry >= table->count) return -1;
    const int32_t block = table->blocks[entry];
    return pool->references[block] > 1 || block_pool_cached(pool, block) ? entry : -1;
}

int block_table_needs(const BlockPool *pool, const BlockTable *table, int first, int count)
{
    const int more = blocks_for_tokens(pool, first + count) - table->count;
    return (more > 0 ? more : 0) + (shared_entry(pool, table, first) >= 0);
}

bool block_table_extend(BlockPool *pool, BlockTable *table, int first, int count,
                        BlockCopies *copies)
{
    const int shared = shared_entry(pool, table, first),
              need = blocks_for_tokens(pool, first + count);
    if (!block_pool_can_allocate(pool, block_table_needs(pool, table, first, count))) return false;
    if (shared >= 0) {
        const int32_t from = table->blocks[shared], to = block_pool_allocate(pool);
        copies->list[copies->count++] = (BlockCopy){from, to};
        block_pool_release(pool, from);
        table->blocks[shared] = to;
    }
    while (table->count < need) table->blocks[table->count++] = block_pool_allocate(pool);
    return true;
}

void block_table_cache(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens,
                       int count)
{
    if (pool->cache == NULL) return;
    for (; (table->cached + 1) * pool->block_size <= count; table->cached++) {
        const int i = table->cached;
        const int32_t mine = table->blocks[i], parent = i > 0 ? table->blocks[i - 1] : PREFIX_ROOT;
        // A forked block was cached through the other table.
        if (prefix_cache_contains(pool->cache, mine)) continue;
        int32_t kept = prefix_cache_insert(pool->cache, parent, domain,
                                           tokens + (size_t)i * (size_t)pool->block_size, mine);
        if (kept == mine) continue;
        block_pool_retain(pool, kept);
        block_pool_release(pool, mine);
        table->blocks[i] = kept;
        table->ready = i + 1;
    }
}

void block_table_fork(BlockPool *pool, BlockTable *to, const BlockTable *from)
{
    REQUIRE(to->count == 0 && to->room >= from->count, "%d of %d entries for %d blocks", to->count,
            to->room, from->count);
    for (int i = 0; i < from->count; i++) {
        to->blocks[i] = from->blocks[i];
        block_pool_retain(pool, to->blocks[i]);
    }
    to->count = from->count;
    to->cached = from->cached;
    to->ready = from->ready;
}

void block_table_truncate(BlockPool *pool, BlockTable *table, int tokens)
{
    const int keep = blocks_for_tokens(pool, tokens);
    while (table->count > keep) block_pool_release(pool, table->blocks[--table->count]);
    const int full = tokens / pool->block_size;
    if (table->cached > full) table->cached = full;
    if (table->ready > full) table->ready = full;
}

int block_table_exclusive(const BlockPool *pool, const BlockTable *table)
{
    int alone = 0;
    for (int i = 0; i < table->count; i++) alone += pool->references[table->blocks[i]] == 1;
    return alone;
}

int64_t block_table_slot(const BlockPool *pool, const BlockTable *table, int token)
{
    return (int64_t)table->blocks[token / pool->block_size] * pool->block_size +
           token % pool->block_size;
}
