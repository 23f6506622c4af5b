/* Exercises 7 and 8: the prefix cache. check.c says how cases are made. */
#include "labs/5_frontier/paged_kv/check.h"

// ---- 7: look-up ----

// Caches these tokens as blocks first, first + 1, ..; all are free.
static void cache_prefix(KvPool *pool, int first, uint64_t salt, const int32_t *tokens, int count)
{
    for (int i = 0; i + pool->block_size <= count; i += pool->block_size) {
        uint64_t hash = pool_hash(salt, tokens + i, pool->block_size);
        pool_cache(pool, first++, hash, salt, tokens + i);
        salt = hash;
    }
}

static void assert_look_up(KvPool *pool, uint64_t salt, const int32_t *tokens, int count,
                           int blocks, const int *list)
{
    KvPool *want = pool_copy(pool);
    int room = count / pool->block_size + 1;
    KvTable *table = table_new(pool, room, 0, 0, NULL);
    KvTable *taken = table_new(want, room, blocks * pool->block_size, blocks, list);
    assert_integer("tokens found", kv_look_up(pool, table, salt, tokens, count), taken->tokens);
    assert_table(table, taken);
    assert_pool(pool, want);
}
#define LIST(...)                                                                                  \
    (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (int[])                                     \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

CASE(look_up__takes_the_longest_cached_prefix)
{
    KvPool *pool = pool_new(8, 2, 4);
    cache_prefix(pool, 3, 0, INTS(1, 2, 3, 4, 5, 6), 6);
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5, 6, 7), 7, LIST(3, 4, 5));
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5, 7, 7), 7, LIST(3, 4));
    assert_look_up(pool, 0, INTS(1, 2, 4, 3, 5, 6, 7), 7, LIST(3));
    assert_look_up(pool, 0, INTS(2, 1, 3, 4, 5, 6, 7), 7, 0, NULL);
}

CASE(look_up__leaves_one_token_to_compute)
{
    KvPool *pool = pool_new(8, 3, 4);
    cache_prefix(pool, 0, 0, INTS(1, 2, 3, 4, 5, 6), 6);
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5, 6), 6, LIST(0));
    assert_look_up(pool, 0, INTS(1, 2, 3), 3, 0, NULL);
    assert_look_up(pool, 0, INTS(1, 2, 3, 4), 4, LIST(0));
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5), 5, LIST(0));
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5, 6, 1), 7, LIST(0, 1));
}

CASE(look_up__in_blocks_of_one_token)
{
    KvPool *pool = pool_new(6, 1, 2);
    cache_prefix(pool, 1, 4, INTS(9, 9, 9), 3);
    assert_look_up(pool, 4, INTS(9, 9, 9, 9, 9), 5, LIST(1, 2, 3));
    assert_look_up(pool, 4, INTS(9, 9, 9), 3, LIST(1, 2));
    assert_look_up(pool, 4, INTS(9), 1, 0, NULL);
    assert_look_up(pool, 4, NULL, 0, 0, NULL);
}

CASE(look_up__keeps_salts_apart)
{
    KvPool *pool = pool_new(8, 2, 4);
    cache_prefix(pool, 0, 11, INTS(1, 2, 3, 4), 4);
    assert_look_up(pool, 12, INTS(1, 2, 3, 4, 5), 5, 0, NULL);
    cache_prefix(pool, 4, 12, INTS(1, 2, 3, 4), 4);
    assert_look_up(pool, 11, INTS(1, 2, 3, 4, 5), 5, LIST(0, 1));
    assert_look_up(pool, 12, INTS(1, 2, 3, 4, 5), 5, LIST(4, 5));
}

CASE(look_up__does_not_take_a_block_from_elsewhere_in_a_text)
{
    // The same two tokens in another place have other keys: their block has another parent.
    KvPool *pool = pool_new(8, 2, 1);
    cache_prefix(pool, 0, 0, INTS(1, 2, 3, 4), 4);
    assert_look_up(pool, 0, INTS(3, 4, 1, 2, 5), 5, 0, NULL);
    assert_look_up(pool, 0, INTS(1, 2, 1, 2, 5), 5, LIST(0));
    assert_look_up(pool, 0, INTS(3, 4, 3, 4, 5), 5, 0, NULL);
}

CASE(look_up__takes_blocks_out_of_the_free_queue)
{
    KvPool *pool = pool_new(6, 2, 2);
    cache_prefix(pool, 2, 0, INTS(1, 2, 3, 4, 5, 6), 6);
    pool_order(pool, 6, (int[]){4, 0, 3, 5, 2, 1});
    KvTable *holder = TABLE(pool, 1, 2, 2);
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 9, 9), 6, LIST(2, 3));
    assert_look_up(pool, 0, INTS(1, 2, 3, 4, 5, 6, 9), 7, LIST(2, 3, 4));
    assert_integer("holders of block 2", pool->count[2], 3);
    assert_integer("blocks of the first holder", holder->blocks, 1);
}

CASE(look_up__verifies_the_tokens)
{
    KvPool *pool = pool_new(4, 2, 2);
    uint64_t hash = pool_hash(0, (int32_t[]){1, 2}, 2);
    pool_cache(pool, 1, hash, 0, (int32_t[]){7, 7});    // another text of the same hash
    assert_look_up(pool, 0, INTS(1, 2, 3), 3, 0, NULL);
    pool_cache(pool, 2, hash, 0, (int32_t[]){1, 2});
    assert_look_up(pool, 0, INTS(1, 2, 3), 3, LIST(2));
}

CASE(look_up__of_a_long_prompt)
{
    KvPool *pool = pool_new(300, 16, 256);
    int *tokens = ints_filled(4000, 0);
    int *list = ints_filled(249, 0);
    for (int i = 0; i < 4000; i++) tokens[i] = i % 97;
    for (int i = 0; i < 249; i++) list[i] = 20 + i;
    cache_prefix(pool, 20, 3, tokens, 4000);
    assert_look_up(pool, 3, tokens, 4000, 249, list);
    assert_look_up(pool, 3, tokens, 1000, 62, list);
}

// ---- 8: eviction ----

static void assert_evict(KvPool *pool, int block)
{
    KvPool *want = pool_copy(pool);
    if (want->hash[block] != 0) pool_forget(want, block);
    kv_evict(pool, block);
    assert_pool(pool, want);
}

static KvPool *pool_of_chain(int blocks)
{
    KvPool *pool = pool_new(blocks, 1, 2);
    for (int b = 0; b < blocks; b++)
        pool_cache(pool, b, 40 + 2 * (uint64_t)b, 0, (int32_t[]){b + 5});
    return pool;
}

CASE(evict__unlinks_the_first_the_middle_and_the_last)
{
    for (int b = 0; b < 5; b++) assert_evict(pool_of_chain(5), b);
    KvPool *pool = pool_of_chain(5);
    for (int i = 0; i < 5; i++) assert_evict(pool, (int[]){2, 0, 4, 1, 3}[i]);
}

CASE(evict__leaves_other_buckets_alone)
{
    KvPool *pool = pool_of_chain(4);
    pool_forget(pool, 1);
    pool_cache(pool, 1, 41, 0, (int32_t[]){1});
    assert_evict(pool, 1);
    assert_evict(pool, 0);
}

CASE(evict__of_a_block_that_is_not_cached_changes_nothing)
{
    KvPool *pool = pool_of_chain(4);
    assert_evict(pool, 2);
    assert_evict(pool, 2);
    KvPool *empty = pool_new(3, 2, 2);
    assert_evict(empty, 1);
}

CASE(evict__keeps_the_blocks_that_follow_in_a_prefix)
{
    // They cannot be reached by a look-up any more, but they are cached until they are evicted.
    KvPool *pool = pool_new(4, 1, 2);
    for (int b = 0; b < 4; b++)
        pool_cache(pool, b, 40 + (uint64_t)b, 39 + (uint64_t)b, (int32_t[]){b});
    assert_evict(pool, 1);
    assert_evict(pool, 0);
}

CASE(evict__does_not_free_the_block)
{
    KvPool *pool = pool_of_chain(4);
    TABLE(pool, 2, 2, 3, 0);
    assert_evict(pool, 3);
    assert_evict(pool, 1);
}

CASE(evict__follows_a_long_chain)
{
    KvPool *pool = pool_of_chain(200);
    Rng rng = rng_from_seed(1611);
    for (int i = 0; i < 250; i++) assert_evict(pool, (int)rng_below(&rng, 200));
}

CASE(evict__takes_a_block_again_with_other_contents)
{
    KvPool *pool = pool_of_chain(3);
    assert_evict(pool, 1);
    pool_cache(pool, 1, 77, 3, (int32_t[]){5});
    assert_evict(pool, 1);
    pool_cache(pool, 1, 46, 3, (int32_t[]){5});
    assert_evict(pool, 0);
    assert_evict(pool, 1);
}

const struct CMUnitTest prefix_cases[] = {
    cmocka_unit_test(look_up__takes_the_longest_cached_prefix),
    cmocka_unit_test(look_up__leaves_one_token_to_compute),
    cmocka_unit_test(look_up__in_blocks_of_one_token),
    cmocka_unit_test(look_up__keeps_salts_apart),
    cmocka_unit_test(look_up__does_not_take_a_block_from_elsewhere_in_a_text),
    cmocka_unit_test(look_up__takes_blocks_out_of_the_free_queue),
    cmocka_unit_test(look_up__verifies_the_tokens),
    cmocka_unit_test(look_up__of_a_long_prompt),
    cmocka_unit_test(evict__unlinks_the_first_the_middle_and_the_last),
    cmocka_unit_test(evict__leaves_other_buckets_alone),
    cmocka_unit_test(evict__of_a_block_that_is_not_cached_changes_nothing),
    cmocka_unit_test(evict__keeps_the_blocks_that_follow_in_a_prefix),
    cmocka_unit_test(evict__does_not_free_the_block),
    cmocka_unit_test(evict__follows_a_long_chain),
    cmocka_unit_test(evict__takes_a_block_again_with_other_contents),
    {0},
};
