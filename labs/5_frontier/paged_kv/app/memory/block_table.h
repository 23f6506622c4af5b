/* block_table.h -- a sequence's blocks in order: token i lies in entry i / block_size.
 *
 *     BlockTable table = {.blocks = memory, .room = entries};
 *     int hits = block_table_match(&pool, &table, domain, tokens, count);
 *     block_table_adopt(&pool, &table, hits);                                // shared, computed before
 *     if (!block_table_extend(&pool, &table, first, count, &copies)) ...     // nothing has changed
 *     int64_t slot = block_table_slot(&pool, &table, token);
 *     block_table_cache(&pool, &table, domain, tokens, first + count);       // others may share it now
 *     block_table_truncate(&pool, &table, 0);                                // gives all back
 *
 * Several tables may hold a block, and then none may write to it: one that has to gets a copy first
 * (copy-on-write). Only the last block with tokens is ever written to.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/memory/block_pool.h"

typedef struct BlockTable {
    int32_t *blocks;    // the caller's, with `room` entries
    int count, room;
    int cached;    // the first so many are in the prefix cache
    int ready;     // the first so many came with their keys and values: there is nothing to write
} BlockTable;

// A block to be copied before the step computes anything.
typedef struct BlockCopy {
    int32_t from, to;
} BlockCopy;

typedef struct BlockCopies {
    BlockCopy *list;    // the caller's, of enough room: one for each sequence of a step
    int count;
} BlockCopies;

int blocks_for(const BlockPool *pool, int tokens);    // rounded up

// The cached blocks of the longest prefix: written into the table's memory, and how many they are. The
// table is empty and stays so, until it adopts them; nothing may be taken from the pool in between.
int block_table_match(const BlockPool *pool, const BlockTable *table, int domain,
                      const int32_t *tokens, int count);
void block_table_adopt(BlockPool *pool, BlockTable *table, int found);

// How many blocks the pool must give before the tokens [first, first + count) can be written.
int block_table_needs(const BlockPool *pool, const BlockTable *table, int first, int count);

// Takes them. False: the pool has too few, and nothing has changed.
bool block_table_extend(BlockPool *pool, BlockTable *table, int first, int count,
                        BlockCopies *copies);

// The first `count` tokens are computed, or will be in this step: enters the blocks that they fill in
// the prefix cache. A block whose content was there already gives way to the one that has it.
void block_table_cache(BlockPool *pool, BlockTable *table, int domain, const int32_t *tokens,
                       int count);

// An empty table gets all blocks of another: both hold them.
void block_table_fork(BlockPool *pool, BlockTable *to, const BlockTable *from);

// Keeps the blocks of the first `tokens` tokens and drops the others, the last one first.
void block_table_truncate(BlockPool *pool, BlockTable *table, int tokens);

int block_table_alone(const BlockPool *pool,
                      const BlockTable *table);    // blocks no other table holds
int64_t block_table_slot(const BlockPool *pool, const BlockTable *table, int token);
