/* prefix_cache.h -- finds blocks whose keys and values were computed by an earlier request.
 *
 *     PrefixCache *cache = prefix_cache_new(keep, &hash_chain, blocks, block_size);    // or &radix_tree
 *     int found = prefix_cache_match(cache, domain, tokens, count, list);    // list[0..found)
 *     int32_t block = prefix_cache_insert(cache, PREFIX_ROOT, domain, tokens, first);
 *     block = prefix_cache_insert(cache, block, domain, tokens + block_size, second);
 *     prefix_cache_remove(cache, second);    // evicted
 *
 * Keys and values of a token depend on all tokens before it. So a block is identified by its whole
 * prefix: the cache is a tree of full blocks, and a path from the root spells out a prefix. Each prefix
 * is stored once. A hit is verified token by token: two prompts may have the same hash, and one user
 * would then receive the other's answer (vLLM PR #12621).
 *
 * There are two implementations with identical results. The hash chain looks up every block by a hash of
 * its whole prefix (vLLM). The radix tree hashes only where prefixes branch, and compares tokens along
 * the run of blocks between two branches (SGLang).
 *
 * A `domain` is a number that stands for everything else that keys and values depend on: the model, its
 * adapter, a cache salt (domain.h). Equal tokens of different domains are never shared.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/memory/block_map.h"

enum { PREFIX_ROOT = -1 };    // the parent of a sequence's first block; as a result: not found

typedef struct PrefixCache PrefixCache;

typedef struct PrefixKind {
    const char *name;
    // The cached block of these tokens below `parent`, or PREFIX_ROOT.
    int32_t (*find)(const PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens);
    // Adds a leaf, described by the arrays below, or removes one.
    void (*enter)(PrefixCache *cache, int32_t block);
    void (*leave)(PrefixCache *cache, int32_t block);
} PrefixKind;

extern const PrefixKind hash_chain, radix_tree;

struct PrefixCache {
    const PrefixKind *kind;
    int block_size;
    int cached;    // blocks in the cache
    int heads;     // blocks in the map: for the radix tree, the first block of each run
    // For each block:
    int32_t *tokens;      // [blocks, block_size]
    int32_t *parent;      // the block before it, or PREFIX_ROOT
    int32_t *children;    // cached blocks with this parent; -1: this block is not cached
    int32_t *next;        // radix tree: the next block of the run, or PREFIX_ROOT
    int *domain;
    BlockMap map;
    uint64_t hash_mask;    // all ones; tests clear bits to make hashes collide
};

PrefixCache *prefix_cache_new(Arena *keep, const PrefixKind *kind, int blocks, int block_size);

// The blocks of the longest cached prefix, in order; returns how many.
int prefix_cache_match(const PrefixCache *cache, int domain, const int32_t *tokens, int count,
                       int32_t *list);

// Adds a full block below its cached parent. Returns the cached block of this prefix: where one already
// exists, that one, and `block` is not cached.
int32_t prefix_cache_insert(PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens,
                            int32_t block);

bool prefix_cache_contains(const PrefixCache *cache, int32_t block);

// The block must be a leaf: the pool evicts the end of a prefix before its beginning.
void prefix_cache_remove(PrefixCache *cache, int32_t block);

// For the implementations: a hash of a block's tokens that continues `before`, and the verification.
uint64_t prefix_hash(const PrefixCache *cache, uint64_t before, const int32_t *tokens);
bool prefix_is(const PrefixCache *cache, int32_t block, int32_t parent, int domain,
               const int32_t *tokens);
