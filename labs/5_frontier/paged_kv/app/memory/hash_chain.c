// hash_chain.c -- the prefix cache of vLLM. A block's hash covers its parent's hash and its own tokens,
// and so its whole prefix. Every block is in the map.
#include "labs/5_frontier/paged_kv/app/memory/prefix_cache.h"

static uint64_t chain(const PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens)
{
    uint64_t before = parent == PREFIX_ROOT ? (uint64_t)(unsigned)domain : cache->map.hash[parent];
    return prefix_hash(cache, before, tokens);
}

static int32_t hash_find(const PrefixCache *cache, int32_t parent, int domain,
                         const int32_t *tokens)
{
    int32_t block = block_map_first(&cache->map, chain(cache, parent, domain, tokens));
    while (block >= 0 && !prefix_is(cache, block, parent, domain, tokens))
        block = block_map_next(&cache->map, block);
    return block;
}

static void hash_enter(PrefixCache *cache, int32_t block)
{
    const int32_t *tokens = cache->tokens + (size_t)block * (size_t)cache->block_size;
    block_map_put(&cache->map, chain(cache, cache->parent[block], cache->domain[block], tokens),
                  block);
    cache->heads++;
}

static void hash_leave(PrefixCache *cache, int32_t block)
{
    block_map_remove(&cache->map, block);
    cache->heads--;
}

const PrefixKind hash_chain = {"hash chain", hash_find, hash_enter, hash_leave};
