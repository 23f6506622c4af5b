#include "labs/5_frontier/paged_kv/app/memory/block_map.h"
#include <string.h>
#include "common/error.h"

BlockMap block_map_new(Arena *keep, int blocks)
{
    BlockMap map = {.buckets = 1};
    while (map.buckets < (uint64_t)blocks) map.buckets *= 2;
    map.first = arena_alloc(keep, (size_t)map.buckets * sizeof *map.first);
    map.next = arena_alloc(keep, (size_t)blocks * sizeof *map.next);
    map.hash = arena_alloc(keep, (size_t)blocks * sizeof *map.hash);
    memset(map.first, 0xff, (size_t)map.buckets * sizeof *map.first);    // -1
    return map;
}

static int32_t *bucket_of(const BlockMap *map, uint64_t hash)
{
    return &map->first[hash & (map->buckets - 1)];
}

void block_map_put(BlockMap *map, uint64_t hash, int32_t block)
{
    int32_t *bucket = bucket_of(map, hash);
    map->hash[block] = hash;
    map->next[block] = *bucket;
    *bucket = block;
}

void block_map_remove(BlockMap *map, int32_t block)
{
    int32_t *at = bucket_of(map, map->hash[block]);
    while (*at != block) {
        REQUIRE(*at >= 0, "block %d is not in the map", block);
        at = &map->next[*at];
    }
    *at = map->next[block];
}

static int32_t same_hash(const BlockMap *map, uint64_t hash, int32_t block)
{
    while (block >= 0 && map->hash[block] != hash) block = map->next[block];
    return block;
}

int32_t block_map_first(const BlockMap *map, uint64_t hash)
{
    return same_hash(map, hash, *bucket_of(map, hash));
}

int32_t block_map_next(const BlockMap *map, int32_t block)
{
    return same_hash(map, map->hash[block], map->next[block]);
}
