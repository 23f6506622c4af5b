#include "labs/5_frontier/paged_kv/app/mine/state.h"
#include <stdio.h>

static void *numbers(Arena *arena, int count, size_t size)
{
    return arena_zeros(arena, (size_t)count * size);
}

KvPool state_pool(Arena *arena, int blocks, int block_size)
{
    int buckets = 1;
    while (buckets < blocks) buckets *= 2;
    KvPool pool = {.blocks = blocks,
                   .block_size = block_size,
                   .count = numbers(arena, blocks, sizeof *pool.count),
                   .next = numbers(arena, blocks + 1, sizeof *pool.next),
                   .previous = numbers(arena, blocks + 1, sizeof *pool.previous),
                   .hash = numbers(arena, blocks, sizeof *pool.hash),
                   .parent = numbers(arena, blocks, sizeof *pool.parent),
                   .tokens = numbers(arena, blocks * block_size, sizeof *pool.tokens),
                   .chain = numbers(arena, blocks, sizeof *pool.chain),
                   .bucket = numbers(arena, buckets, sizeof *pool.bucket),
                   .buckets = buckets};
    kv_pool_clear(&pool);
    return pool;
}

static bool differ(char *why, const char *what, int place, int64_t got, int64_t want)
{
    if (got == want) return false;
    snprintf(why, STATE_WHY, "%s %d: %lld, expected %lld", what, place, (long long)got,
             (long long)want);
    return true;
}

// The queue from its first block, then from its last; `end` is the ring's own element.
static bool queues_differ(const int32_t *got, const int32_t *want, int end, const char *what,
                          char *why)
{
    for (int i = 0, block = end; i <= end; i++) {
        if (differ(why, what, i, got[block], want[block])) return true;
        if ((block = want[block]) == end) break;
    }
    return false;
}

static bool caches_differ(const KvPool *got, const KvPool *want, char *why)
{
    for (int b = 0; b < want->blocks; b++) {
        if (got->hash[b] != want->hash[b]) {
            snprintf(why, STATE_WHY, "block %d has the hash %016llx, expected %016llx", b,
                     (unsigned long long)got->hash[b], (unsigned long long)want->hash[b]);
            return true;
        }
        const size_t size = (size_t)want->block_size, at = (size_t)b * size;
        if (want->hash[b] == 0) continue;
        if (differ(why, "the chain after block", b, got->chain[b], want->chain[b])) return true;
        if (got->parent[b] != want->parent[b] ||
            memcmp(got->tokens + at, want->tokens + at, size * sizeof *got->tokens) != 0) {
            snprintf(why, STATE_WHY, "block %d is cached with another parent or other tokens", b);
            return true;
        }
    }
    for (int i = 0; i < want->buckets; i++)
        if (differ(why, "the first block of bucket", i, got->bucket[i], want->bucket[i]))
            return true;
    return false;
}

bool state_pools_differ(const KvPool *got, const KvPool *want, char why[STATE_WHY])
{
    for (int b = 0; b < want->blocks; b++)
        if (differ(why, "the reference count of block", b, got->count[b], want->count[b]))
            return true;
    return differ(why, "free blocks, of", want->blocks, got->free, want->free) ||
           queues_differ(got->next, want->next, want->blocks, "the free queue, block number",
                         why) ||
           queues_differ(got->previous, want->previous, want->blocks,
                         "the free queue from its end, block number", why) ||
           caches_differ(got, want, why);
}

bool state_requests_differ(const KvRequest *got, const KvRequest *want, char why[STATE_WHY])
{
    if (differ(why, "its state, of", KV_FINISHED + 1, got->state, want->state) ||
        differ(why, "its tokens, of", want->tokens, got->tokens, want->tokens) ||
        differ(why, "computed, of its tokens", want->tokens, got->computed, want->computed) ||
        differ(why, "scheduled, of its tokens", want->tokens, got->scheduled, want->scheduled) ||
        differ(why, "blocks of its table, for tokens", want->table.tokens, got->table.blocks,
               want->table.blocks) ||
        differ(why, "tokens of its table, in blocks", want->table.blocks, got->table.tokens,
               want->table.tokens))
        return true;
    for (int i = 0; i < want->table.blocks; i++)
        if (differ(why, "its block", i, got->table.block[i], want->table.block[i])) return true;
    return false;
}
