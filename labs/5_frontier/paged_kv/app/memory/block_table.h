/* block_table.h -- a sequence's blocks in order: token i is in the block of entry i / block_size.
 *
 *     BlockTable table = {.blocks = memory, .room = entries};
 *     int hits = block_table_match(&pool, &table, domain, tokens, count);
 *     block_table_share(&pool, &table, hits);                               // the cached prefix
 *     if (!block_table_extend(&pool, &table, first, count, &copies)) ...    // nothing has changed
 *     int64_t slot = block_table_slot(&pool, &table, token);
 *     block_table_cache(&pool, &table, domain, tokens, first + count);      // full blocks: for others
 *     block_table_truncate(&pool, &table, 0);                               // releases all blocks
 *
 * A block that several tables hold is not written to. A table that needs to write gets a copy of the
 * block first (copy-on-write).
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/block_pool.h"

typedef struct BlockTable {
    int32_t *blocks;    // the caller's, with `room` entries
    int count, room;
    int cached;    // the first `cached` blocks are in the prefix cache
    int ready;     // the first `ready` blocks were computed by others: they are not written to
} BlockTable;

// A block to copy before the step computes anything.
typedef struct BlockCopy {
    int32_t from, to;
} BlockCopy;

typedef struct BlockCopies {
    BlockCopy *list;    // the caller's: room for one per sequence of the step
    int count;
} BlockCopies;

int blocks_for_tokens(const BlockPool *pool, int tokens);    // rounded up

// Finds the blocks of the longest cached prefix of an empty table; returns how many.
// block_table_share() then retains them. Nothing may be allocated in between.
int block_table_match(const BlockPool *pool, const BlockTable *table, int domain,
                      const int32_t *tokens, int count);
void block_table_share(BlockPool *pool, BlockTable *table, int found);

// Appends the cached blocks that continue a table of cached blocks; returns how many it then has that
// need not be computed.
int block_table_follow(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens,
                       int count);

// How many blocks must be allocated before the tokens [first, first + count) can be written.
int block_table_needs(const BlockPool *pool, const BlockTable *table, int first, int count);

// Allocates them. False: the pool has too few, and nothing has changed.
bool block_table_extend(BlockPool *pool, BlockTable *table, int first, int count,
                        BlockCopies *copies);

// The first `count` tokens are computed, or will be in this step: puts the blocks they fill into the
// prefix cache. Where the prefix is already cached, the table takes that block and releases its own.
void block_table_cache(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens,
                       int count);

// An empty table shares all blocks of another one.
void block_table_fork(BlockPool *pool, BlockTable *to, const BlockTable *from);

// Keeps the blocks of the first `tokens` tokens and releases the others, the last one first.
void block_table_truncate(BlockPool *pool, BlockTable *table, int tokens);

// How many of its blocks no other table holds.
int block_table_exclusive(const BlockPool *pool, const BlockTable *table);
int64_t block_table_slot(const BlockPool *pool, const BlockTable *table, int token);
