/* prefix_cache.h -- which block holds the keys and values of tokens that were computed before.
 *
 *     PrefixCache *cache = prefix_cache_new(keep, &hash_chain, blocks, block_size);
 *     int found = prefix_cache_match(cache, domain, tokens, count, list);    // list[0..found)
 *     int32_t block = prefix_cache_add(cache, PREFIX_ROOT, domain, tokens, mine);
 *     block = prefix_cache_add(cache, block, domain, tokens + block_size, next);
 *     prefix_cache_forget(cache, next);    // its memory gets another use
 *
 * A block's content is the tokens from the sequence's begin to the block's end: a key depends on its
 * token and on all before it. So the cache is a tree of full blocks, and a path from the root spells a
 * prefix. Each content is there once. What is found is compared token by token, never taken for equal
 * because a hash is: the hash of two prompts may be the same, and the answer would then be another
 * user's (vLLM PR #12621).
 *
 * There are two kinds, with the same results. A hash chain looks up every block by the hash of all that
 * leads to it (vLLM). A radix tree looks up a block only where prefixes branch, and compares along the
 * run of blocks between two branches (SGLang).
 *
 * A `domain` is a number that stands for all else that keys and values depend on: the model, its
 * adapter, and the caller who shares with nobody. Equal tokens of different domains never meet.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/memory/block_map.h"

enum { PREFIX_ROOT = -1 };    // the parent of a sequence's first block; "no block" as a result

typedef struct PrefixCache PrefixCache;

typedef struct PrefixKind {
    const char *name;
    // The cached block of these tokens below `parent`, or PREFIX_ROOT.
    int32_t (*find)(const PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens);
    // The block is a leaf, described by the arrays below, and is to be found from now on; or no longer.
    void (*enter)(PrefixCache *cache, int32_t block);
    void (*leave)(PrefixCache *cache, int32_t block);
} PrefixKind;

extern const PrefixKind hash_chain, radix_tree;

struct PrefixCache {
    const PrefixKind *kind;
    int block_size, cached;    // how many blocks are in it
    int heads;                 // of them, entered in the map
    // For each block:
    int32_t *tokens;      // [blocks, block_size]
    int32_t *parent;      // the block before it, or PREFIX_ROOT
    int32_t *children;    // how many cached blocks have it as parent; -1: this one is not cached
    int32_t *next;        // the radix tree: the one that follows in its run, or PREFIX_ROOT
    int *domain;
    BlockMap map;
    uint64_t hash_mask;    // all ones; tests clear some, and hashes collide
};

PrefixCache *prefix_cache_new(Arena *keep, const PrefixKind *kind, int blocks, int block_size);

// The blocks of the longest prefix that is cached, in order; returns how many. Only whole blocks are.
int prefix_cache_match(const PrefixCache *cache, int domain, const int32_t *tokens, int count,
                       int32_t *list);

// A full block, below its cached parent. Returns the block that stands for this content: the one that
// was there already, if there is one, and `block` is then not cached.
int32_t prefix_cache_add(PrefixCache *cache, int32_t parent, int domain, const int32_t *tokens,
                         int32_t block);

bool prefix_cache_holds(const PrefixCache *cache, int32_t block);

// The block must be a cached leaf: the pool evicts the end of a prefix before its begin.
void prefix_cache_forget(PrefixCache *cache, int32_t block);

// For the kinds: a hash of some tokens after `before`, and whether the block is what is looked for.
uint64_t prefix_hash(const PrefixCache *cache, uint64_t before, const int32_t *tokens);
bool prefix_is(const PrefixCache *cache, int32_t block, int32_t parent, int domain,
               const int32_t *tokens);
