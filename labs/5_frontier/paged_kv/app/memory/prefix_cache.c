#include "labs/5_frontier/paged_kv/app/memory/prefix_cache.h"
#include <string.h>
#include "common/error.h"

enum { NOT_CACHED = -1 };

PrefixCache *prefix_cache_new(Arena *keep, const PrefixKind *kind, int blocks, int block_size)
{
    PrefixCache *cache = arena_zeros(keep, sizeof *cache);
    const size_t n = (size_t)blocks;
    cache->kind = kind;
    cache->block_size = block_size;
    cache->tokens = arena_alloc(keep, n * (size_t)block_size * sizeof *cache->tokens);
    cache->parent = arena_alloc(keep, n * sizeof *cache->parent);
    cache->children = arena_alloc(keep, n * sizeof *cache->children);
    cache->next = arena_alloc(keep, n * sizeof *cache->next);
    cache->domain = arena_alloc(keep, n * sizeof *cache->domain);
    cache->map = block_map_new(keep, blocks);
    cache->hash_mask = UINT64_MAX;
    for (size_t b = 0; b < n; b++) cache->children[b] = NOT_CACHED;
    return cache;
}

static int32_t *tokens_of(const PrefixCache *cache, int32_t block)
{
    return cache->tokens + (size_t)block * (size_t)cache->block_size;
}

bool prefix_cache_contains(const PrefixCache *cache, int32_t block)
{
    return cache->children[block] != NOT_CACHED;
}

int prefix_cache_match(const PrefixCache *cache, int domain, const int32_t *tokens, int count,
                       int32_t *list)
{
    int found = 0;
    int32_t parent = PREFIX_ROOT;
    for (; count >= cache->block_size; count -= cache->block_size, tokens += cache->block_size) {
        parent = cache->kind->find(cache, parent, domain, tokens);
        if (parent == PREFIX_ROOT) break;
        list[found++] = parent;
    }
    return found;
}

int32_t prefix_cache_insert(PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens,
                            int32_t block)
{
    REQUIRE(!prefix_cache_contains(cache, block), "block %d is cached already", block);
    REQUIRE(parent == PREFIX_ROOT || prefix_cache_contains(cache, parent),
            "block %d, parent of block %d, is not cached", parent, block);
    int32_t there = cache->kind->find(cache, parent, domain, tokens);
    if (there != PREFIX_ROOT) return there;
    memcpy(tokens_of(cache, block), tokens, (size_t)cache->block_size * sizeof *tokens);
    cache->parent[block] = parent;
    cache->domain[block] = domain;
    cache->children[block] = 0;
    cache->next[block] = PREFIX_ROOT;
    cache->kind->enter(cache, block);
    if (parent != PREFIX_ROOT) cache->children[parent]++;
    cache->cached++;
    return block;
}

void prefix_cache_remove(PrefixCache *cache, int32_t block)
{
    REQUIRE(cache->children[block] == 0, "block %d has %d children, expected a cached leaf", block,
            cache->children[block]);
    const int32_t parent = cache->parent[block];
    cache->kind->leave(cache, block);
    if (parent != PREFIX_ROOT) cache->children[parent]--;
    cache->children[block] = NOT_CACHED;
    cache->cached--;
}

// ---- for the implementations ----

// A multiplication and a shift for each token, as in the finalizer of MurmurHash3 (Appleby 2011).
uint64_t prefix_hash(const PrefixCache *cache, uint64_t before, const int32_t *tokens)
{
    uint64_t hash = before + 0x9e3779b97f4a7c15u;
    for (int i = 0; i < cache->block_size; i++) {
        hash = (hash ^ (uint32_t)tokens[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash & cache->hash_mask;
}

bool prefix_is(const PrefixCache *cache, int32_t block, int32_t parent, int domain,
               const int32_t *tokens)
{
    return cache->parent[block] == parent && cache->domain[block] == domain &&
           memcmp(tokens_of(cache, block), tokens, (size_t)cache->block_size * sizeof *tokens) == 0;
}
