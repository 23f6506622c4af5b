/* check.h -- the cases of each part of the lab, in the exercises' order, and the pools they use. */
#pragma once
#include "labs/5_frontier/paged_kv/paged_kv.h"
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

extern const struct CMUnitTest block_cases[];        // slot, allocate, release
extern const struct CMUnitTest prefix_cases[];       // hash .. evict
extern const struct CMUnitTest table_cases[];        // copy_on_write, append
extern const struct CMUnitTest attention_cases[];    // attention
extern const struct CMUnitTest preempt_cases[];      // preempt
extern const struct CMUnitTest schedule_cases[];     // schedule
extern const struct CMUnitTest commit_cases[];       // commit
extern const struct CMUnitTest sampling_cases[];     // sample, accept
extern const struct CMUnitTest quantize_cases[];     // quantize, dot

// ---- pools, made and changed without the exercises; every array ends at a guard page ----

KvPool *pool_new(int blocks, int block_size, int buckets);    // all blocks free
KvPool *pool_copy(const KvPool *pool);
void pool_order(KvPool *pool, int count, const int *blocks);    // the free queue; others are in use
void pool_take(KvPool *pool, int block);                        // one more table holds it
void pool_join(KvPool *pool, int block);    // one less; the last one puts it into the queue
uint64_t pool_hash(uint64_t parent, const int32_t *tokens, int count);
void pool_cache(KvPool *pool, int block, uint64_t hash, uint64_t parent, const int32_t *tokens);
void pool_forget(KvPool *pool, int block);
int pool_first(const KvPool *pool);    // of the free queue, -1

// A table with room for `room` blocks, which holds blocks that it takes.
KvTable *table_new(KvPool *pool, int room, int tokens, int count, const int *blocks);
#define TABLE(pool, room, tokens, ...)                                                             \
    table_new(pool, room, tokens, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),               \
              (int[]){__VA_ARGS__})
KvTable *table_copy(const KvTable *table);

// Every count, the queue in both directions, every chain and what the cached blocks hold.
#define assert_pool(got, want)  pool_assert(got, want, __FILE__, __LINE__)
#define assert_table(got, want) table_assert(#got, got, want, __FILE__, __LINE__)
void pool_assert(const KvPool *got, const KvPool *want, const char *file, int line);
void table_assert(const char *what, const KvTable *got, const KvTable *want, const char *file,
                  int line);
void list_assert(const char *what, const int *got, int got_count, const int *want, int want_count,
                 const char *file, int line);

// ---- requests ----

KvRequest *requests_new(int count);    // finished ones, whose ids differ from each other's
KvRequest *requests_copy(const KvRequest *requests, int count);
void wait_with(KvRequest *request, int tokens);
void run_with(KvPool *pool, KvRequest *request, int tokens, int computed);
void append_to(KvPool *pool, KvTable *table, int tokens);    // with copy-on-write
int requests_preempt(KvPool *pool, KvRequest *requests, int count);
void assert_requests(const KvRequest *got, const KvRequest *want, int count);
