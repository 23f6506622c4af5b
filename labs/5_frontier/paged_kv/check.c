/* check.c -- the cases that test your functions. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check paged_kv
 *     ./lab check paged_kv.allocate
 *
 * Expected values never come from paged_kv.c: they are worked out by hand, by plain sums in double,
 * by the pool functions of this file, or were published. A case calls functions of its own exercise
 * only; yours may call those of the exercises before. Every array ends at a guard page.
 */
#include "labs/5_frontier/paged_kv/check.h"
#include <stdio.h>
#include <stdlib.h>
#include "tests/guarded.h"

const CaseList lab_cases[] = {
    block_cases,    prefix_cases, table_cases,    attention_cases, preempt_cases,
    schedule_cases, commit_cases, sampling_cases, quantize_cases,  NULL};

// ---- pools ----

static uint64_t *longs(size_t n)
{
    uint64_t *x = guarded_new(n, sizeof *x);
    memset(x, 0, n * sizeof *x);
    return x;
}

KvPool *pool_new(int blocks, int block_size, int buckets)
{
    KvPool *pool = guarded_new(1, sizeof *pool);
    size_t n = (size_t)blocks;
    *pool = (KvPool){.blocks = blocks,
                     .block_size = block_size,
                     .count = ints_filled(n, 0),
                     .next = ints_filled(n + 1, 0),
                     .previous = ints_filled(n + 1, 0),
                     .hash = longs(n),
                     .parent = longs(n),
                     .tokens = ints_filled(n * (size_t)block_size, -7),
                     .chain = ints_filled(n, -1),
                     .bucket = ints_filled((size_t)buckets, -1),
                     .buckets = buckets};
    kv_pool_clear(pool);
    return pool;
}

KvPool *pool_copy(const KvPool *pool)
{
    KvPool *copy = pool_new(pool->blocks, pool->block_size, pool->buckets);
    size_t n = (size_t)pool->blocks;
    memcpy(copy->count, pool->count, n * sizeof *pool->count);
    memcpy(copy->next, pool->next, (n + 1) * sizeof *pool->next);
    memcpy(copy->previous, pool->previous, (n + 1) * sizeof *pool->previous);
    memcpy(copy->hash, pool->hash, n * sizeof *pool->hash);
    memcpy(copy->parent, pool->parent, n * sizeof *pool->parent);
    memcpy(copy->tokens, pool->tokens, n * (size_t)pool->block_size * sizeof *pool->tokens);
    memcpy(copy->chain, pool->chain, n * sizeof *pool->chain);
    memcpy(copy->bucket, pool->bucket, (size_t)pool->buckets * sizeof *pool->bucket);
    copy->free = pool->free;
    return copy;
}

static void queue_put(KvPool *pool, int block)
{
    int last = pool->previous[pool->blocks];
    pool->next[last] = block, pool->previous[block] = last;
    pool->next[block] = pool->blocks, pool->previous[pool->blocks] = block;
    pool->free++;
}

void pool_order(KvPool *pool, int count, const int *blocks)
{
    pool->next[pool->blocks] = pool->previous[pool->blocks] = pool->blocks;
    pool->free = 0;
    for (int b = 0; b < pool->blocks; b++) pool->count[b] = 1;
    for (int i = 0; i < count; i++) {
        pool->count[blocks[i]] = 0;
        queue_put(pool, blocks[i]);
    }
}

void pool_take(KvPool *pool, int block)
{
    if (pool->count[block]++ > 0) return;
    pool->next[pool->previous[block]] = pool->next[block];
    pool->previous[pool->next[block]] = pool->previous[block];
    pool->free--;
}

void pool_join(KvPool *pool, int block)
{
    if (--pool->count[block] == 0) queue_put(pool, block);
}

int pool_first(const KvPool *pool)
{
    return pool->free > 0 ? pool->next[pool->blocks] : -1;
}

uint64_t pool_hash(uint64_t parent, const int32_t *tokens, int count)
{
    uint64_t hash = 0xcbf29ce484222325;    // Fowler, Noll & Vo's offset basis and prime
    for (int i = 0; i < 8 + 4 * count; i++) {
        uint64_t from = i < 8 ? parent : (uint64_t)(uint32_t)tokens[(i - 8) / 4];
        hash ^= from >> 8 * (i < 8 ? i : i % 4) & 0xff;
        hash *= 0x100000001b3;
    }
    return hash == 0 ? 1 : hash;
}

void pool_cache(KvPool *pool, int block, uint64_t hash, uint64_t parent, const int32_t *tokens)
{
    int bucket = (int)(hash % (uint64_t)pool->buckets);
    pool->hash[block] = hash, pool->parent[block] = parent;
    for (int i = 0; i < pool->block_size; i++)
        pool->tokens[block * pool->block_size + i] = tokens[i];
    pool->chain[block] = pool->bucket[bucket];
    pool->bucket[bucket] = block;
}

void pool_forget(KvPool *pool, int block)
{
    int bucket = (int)(pool->hash[block] % (uint64_t)pool->buckets);
    if (pool->bucket[bucket] == block) pool->bucket[bucket] = pool->chain[block];
    for (int b = 0; b < pool->blocks; b++)
        if (pool->hash[b] != 0 && pool->chain[b] == block) pool->chain[b] = pool->chain[block];
    pool->hash[block] = 0;
}

// ---- tables ----

KvTable *table_new(KvPool *pool, int room, int tokens, int count, const int *blocks)
{
    KvTable *table = guarded_new(1, sizeof *table);
    *table = (KvTable){ints_filled((size_t)room, -9), count, tokens};
    for (int i = 0; i < count; i++) {
        table->block[i] = blocks[i];
        pool_take(pool, blocks[i]);
    }
    return table;
}

KvTable *table_copy(const KvTable *table)
{
    KvTable *copy = guarded_new(1, sizeof *copy);
    *copy = (KvTable){ints_filled((size_t)table->blocks + 1, -9), table->blocks, table->tokens};
    memcpy(copy->block, table->block, (size_t)table->blocks * sizeof *table->block);
    return copy;
}

// ---- comparisons ----

static void list_print(const char *side, const int *x, int from, int count)
{
    print_error("  %s %s", side, from > 0 ? " .." : "");
    if (count < 0) print_error(" the links do not lead to an end");
    for (int i = from; i < count && i < from + 24; i++) print_error(" %d", x[i]);
    print_error("%s\n", count == 0 ? " none" : count > from + 24 ? " .." : "");
}

void list_assert(const char *what, const int *got, int got_count, const int *want, int want_count,
                 const char *file, int line)
{
    int same = 0;
    while (same < got_count && same < want_count && got[same] == want[same]) same++;
    if (same == want_count && got_count == want_count) return;
    int from = same < 20 ? 0 : same - 3;    // the first difference is in sight
    print_error("%s\n", what);
    list_print("got ", got, from, got_count);
    list_print("want", want, from, want_count);
    _fail(file, line);
}

// The blocks in the order of these links; -1 where they leave the pool or lead round in a circle.
static int queue_list(const KvPool *pool, const int32_t *links, int *list)
{
    int count = 0;
    for (int b = links[pool->blocks]; b != pool->blocks; b = links[b]) {
        if (b < 0 || b > pool->blocks || count == pool->blocks) return -1;
        list[count++] = b;
    }
    return count;
}

static int chain_list(const KvPool *pool, int bucket, int *list)
{
    int count = 0;
    for (int b = pool->bucket[bucket]; b != -1; b = pool->chain[b]) {
        if (b < 0 || b >= pool->blocks || count == pool->blocks) return -1;
        list[count++] = b;
    }
    return count;
}

static void hash_assert(const char *what, int block, uint64_t got, uint64_t want, const char *file,
                        int line)
{
    if (got == want) return;
    if (want == 0) print_error("block %d is in the prefix cache; its hash should be 0\n", block);
    else
        print_error("%s of block %d: got 0x%llx%s, expected 0x%llx\n", what, block,
                    (unsigned long long)got, got == 0 ? " (not cached)" : "",
                    (unsigned long long)want);
    _fail(file, line);
}

void pool_assert(const KvPool *got, const KvPool *want, const char *file, int line)
{
    // Not guarded: a process may map only so many pages, and this is called thousands of times.
    int *a = malloc(sizeof *a * (size_t)want->blocks),
        *b = malloc(sizeof *b * (size_t)want->blocks);
    list_assert("the reference counts of blocks 0, 1, ..:", got->count, got->blocks, want->count,
                want->blocks, file, line);
    int n = queue_list(got, got->next, a), m = queue_list(want, want->next, b);
    list_assert("the free queue, from its first block on:", a, n, b, m, file, line);
    n = queue_list(got, got->previous, a), m = queue_list(want, want->previous, b);
    list_assert("the free queue, from its last block back:", a, n, b, m, file, line);
    integer_assert("the number of free blocks", got->free, want->free, file, line);
    for (int i = 0; i < want->blocks; i++) {
        hash_assert("the hash", i, got->hash[i], want->hash[i], file, line);
        if (want->hash[i] != 0)
            hash_assert("the parent", i, got->parent[i], want->parent[i], file, line);
    }
    for (int i = 0; i < want->buckets; i++) {
        n = chain_list(got, i, a), m = chain_list(want, i, b);
        list_assert("a bucket's chain of cached blocks:", a, n, b, m, file, line);
    }
    for (int i = 0; i < want->blocks; i++) {
        if (want->hash[i] == 0) continue;
        size_t at = (size_t)i * (size_t)want->block_size;
        list_assert("the tokens of a cached block:", got->tokens + at, want->block_size,
                    want->tokens + at, want->block_size, file, line);
    }
    free(a);
    free(b);
}

void table_assert(const char *what, const KvTable *got, const KvTable *want, const char *file,
                  int line)
{
    char text[80];
    snprintf(text, sizeof text, "the tokens of %s", what);
    integer_assert(text, got->tokens, want->tokens, file, line);
    snprintf(text, sizeof text, "the blocks of %s:", what);
    list_assert(text, got->block, got->blocks, want->block, want->blocks, file, line);
}
