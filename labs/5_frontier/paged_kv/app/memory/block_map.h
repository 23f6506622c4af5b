/* block_map.h -- blocks by a hash: several may have the same, and whoever looks compares them.
 *
 *     block_map_put(&map, hash, block);
 *     for (int32_t b = block_map_first(&map, hash); b >= 0; b = block_map_next(&map, b)) ...
 *     block_map_remove(&map, block);
 *
 * Room for every block is made once: nothing is allocated while the engine runs. A block is in the map
 * once at most.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"

typedef struct BlockMap {
    int32_t *first;    // of each bucket, a list through `next`; -1 ends it
    int32_t *next;     // of each block
    uint64_t *hash;    // of each block
    uint64_t buckets;
} BlockMap;

BlockMap block_map_new(Arena *keep, int blocks);
void block_map_put(BlockMap *map, uint64_t hash, int32_t block);
void block_map_remove(BlockMap *map, int32_t block);            // one that is in it
int32_t block_map_first(const BlockMap *map, uint64_t hash);    // -1: none
int32_t block_map_next(const BlockMap *map, int32_t block);     // another one of the same hash
