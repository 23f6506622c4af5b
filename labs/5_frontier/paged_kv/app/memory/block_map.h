/* block_map.h -- blocks by hash; several blocks may have the same hash, so callers compare.
 *
 *     block_map_put(&map, hash, block);
 *     for (int32_t b = block_map_first(&map, hash); b >= 0; b = block_map_next(&map, b)) ...
 *     block_map_remove(&map, block);
 *
 * All memory is allocated at the start. A block is in the map at most once.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"

typedef struct BlockMap {
    int32_t *first;    // of each bucket: a list through `next`, ended by -1
    int32_t *next;     // of each block
    uint64_t *hash;    // of each block
    uint64_t buckets;
} BlockMap;

BlockMap block_map_new(Arena *keep, int blocks);
void block_map_put(BlockMap *map, uint64_t hash, int32_t block);
void block_map_remove(BlockMap *map, int32_t block);            // must be in the map
int32_t block_map_first(const BlockMap *map, uint64_t hash);    // -1: none
int32_t block_map_next(const BlockMap *map, int32_t block);     // the next block with the same hash
