// radix_tree.c -- the prefix cache of SGLang. A node is a run of blocks, linked through next[]. Only the
// first block of a run, its head, is in the map, by its parent and its tokens; the others are found by
// comparing tokens along the run. A conversation is one node until another one branches off:
//
//     [0 1 2 3]      a second conversation that differs after block 1:      [0 1] -> [2 3]
//                                                                                 -> [7]
#include "labs/5_frontier/paged_kv/app/memory/prefix_cache.h"

static uint64_t branch(const PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens)
{
    uint64_t where = (uint64_t)(uint32_t)parent << 32 | (uint32_t)domain;
    return prefix_hash(cache, where, tokens);
}

static const int32_t *tokens_of(const PrefixCache *cache, int32_t block)
{
    return cache->tokens + (size_t)block * (size_t)cache->block_size;
}

static int32_t radix_find(const PrefixCache *cache, int32_t parent, int domain,
                          const int32_t *tokens)
{
    if (parent != PREFIX_ROOT && cache->next[parent] != PREFIX_ROOT) {    // within a run
        int32_t next = cache->next[parent];
        return prefix_is(cache, next, parent, domain, tokens) ? next : PREFIX_ROOT;
    }
    int32_t block = block_map_first(&cache->map, branch(cache, parent, domain, tokens));
    while (block >= 0 && !prefix_is(cache, block, parent, domain, tokens))
        block = block_map_next(&cache->map, block);
    return block;
}

static void become_head(PrefixCache *cache, int32_t block)
{
    block_map_put(
        &cache->map,
        branch(cache, cache->parent[block], cache->domain[block], tokens_of(cache, block)), block);
    cache->heads++;
}

static void radix_enter(PrefixCache *cache, int32_t block)
{
    const int32_t parent = cache->parent[block];
    if (parent != PREFIX_ROOT && cache->children[parent] == 0) {
        cache->next[parent] = block;    // extends the run
        return;
    }
    if (parent != PREFIX_ROOT && cache->next[parent] != PREFIX_ROOT) {    // splits the run
        become_head(cache, cache->next[parent]);
        cache->next[parent] = PREFIX_ROOT;
    }
    become_head(cache, block);
}

static void radix_leave(PrefixCache *cache, int32_t block)
{
    const int32_t parent = cache->parent[block];
    if (parent != PREFIX_ROOT && cache->next[parent] == block) {
        cache->next[parent] = PREFIX_ROOT;
        return;
    }
    block_map_remove(&cache->map, block);
    cache->heads--;
}

const PrefixKind radix_tree = {"radix tree", radix_find, radix_enter, radix_leave};
