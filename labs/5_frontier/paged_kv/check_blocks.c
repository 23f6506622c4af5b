/* Exercises 1 to 3: slots, allocation and release. check.c says how cases are made. */
#include "labs/5_frontier/paged_kv/check.h"
#include <stdio.h>

// ---- 1: slots ----

static void assert_slot(const int32_t *block, int size, int i, int64_t want)
{
    char text[80];
    snprintf(text, sizeof text, "the slot of token %d, in blocks of %d", i, size);
    assert_integer(text, kv_slot(block, size, i), want);
}

CASE(slot__is_that_of_the_block_and_the_place_in_it)
{
    int *block = INTS(7, 2, 9);
    static const int want[12] = {28, 29, 30, 31, 8, 9, 10, 11, 36, 37, 38, 39};
    for (int i = 0; i < 12; i++) assert_slot(block, 4, i, want[i]);
}

CASE(slot__takes_any_block_size)
{
    static const int sizes[] = {1, 2, 3, 5, 16, 100, 256};
    for (int s = 0; s < 7; s++) {
        int *block = INTS(4, 0, 6, 1, 3), size = sizes[s];
        for (int b = 0; b < 5; b++)
            for (int j = 0; j < size; j++)
                assert_slot(block, size, b * size + j, (int64_t)block[b] * size + j);
    }
}

CASE(slot__exceeds_32_bits)
{
    int *block = INTS(0, 1 << 30, INT32_MAX);
    assert_slot(block, 256, 256, (int64_t)1 << 38);
    assert_slot(block, 4, 11, (int64_t)INT32_MAX * 4 + 3);
    assert_slot(block, 2, 2, (int64_t)1 << 31);
}

CASE(slot__depends_on_its_arguments_alone)
{
    int *block = INTS(1, 2);
    assert_slot(block, 2, 3, 5);
    block[1] = 8;
    assert_slot(block, 2, 3, 17);
    assert_slot(INTS(3, 4), 2, 3, 9);
    assert_slot(block, 2, 3, 17);
    assert_slot(block, 3, 3, 24);
    assert_slot(block, 2, 0, 2);
    assert_slot(INTS(6, 4), 2, 1, 13);    // the next token, of another table
}

// ---- 2: allocation ----

static void assert_allocate(KvPool *pool)
{
    KvPool *want = pool_copy(pool);
    int block = pool_first(want);
    if (block >= 0) pool_take(want, block);
    assert_integer("the block", kv_allocate(pool), block);
    assert_pool(pool, want);
}

CASE(allocate__takes_the_block_that_is_free_the_longest)
{
    KvPool *pool = pool_new(6, 4, 4);
    pool_order(pool, 4, (int[]){3, 1, 4, 0});
    for (int i = 0; i < 4; i++) assert_allocate(pool);
}

CASE(allocate__fails_where_no_block_is_free)
{
    KvPool *pool = pool_new(3, 4, 4);
    for (int i = 0; i < 5; i++) assert_allocate(pool);
    pool_join(pool, 1);
    for (int i = 0; i < 3; i++) assert_allocate(pool);
}

CASE(allocate__of_a_pool_of_one_block)
{
    KvPool *pool = pool_new(1, 1, 1);
    for (int i = 0; i < 6; i++) {
        assert_allocate(pool);
        if (i % 2 == 1) pool_join(pool, 0);
    }
}

CASE(allocate__does_not_touch_the_prefix_cache)
{
    KvPool *pool = pool_new(4, 2, 2);
    pool_cache(pool, 0, 12, 5, (int32_t[]){1, 2});
    pool_cache(pool, 2, 14, 12, (int32_t[]){3, 4});
    for (int i = 0; i < 5; i++) assert_allocate(pool);
}

CASE(allocate__takes_many_blocks_in_any_order)
{
    Rng rng = rng_from_seed(1600);
    KvPool *pool = pool_new(101, 16, 8);
    for (int i = 0; i < 2000; i++) {
        int block = (int)rng_below(&rng, 101);
        if (i % 300 < 200 && pool->count[block] > 0) pool_join(pool, block);
        else assert_allocate(pool);
    }
}

CASE(allocate__keeps_two_pools_apart)
{
    KvPool *one = pool_new(5, 4, 2), *two = pool_new(5, 4, 2);
    pool_order(two, 3, (int[]){4, 2, 0});
    for (int i = 0; i < 6; i++) assert_allocate(i % 2 == 0 ? one : two);
}

// ---- 3: release ----

static void assert_release(KvPool *pool, KvTable *table)
{
    KvPool *want = pool_copy(pool);
    for (int i = table->blocks; i-- > 0;) pool_join(want, table->block[i]);
    const int32_t *room = table->block;
    kv_release(pool, table);
    assert_that(table->block == room,
                "table->block is another pointer; the empty table keeps its room");
    assert_integer("the blocks of the released table", table->blocks, 0);
    assert_integer("the tokens of the released table", table->tokens, 0);
    assert_pool(pool, want);
}

CASE(release__frees_the_last_block_first)
{
    KvPool *pool = pool_new(8, 4, 4);
    assert_release(pool, TABLE(pool, 3, 11, 5, 0, 2));
    assert_release(pool, TABLE(pool, 3, 12, 1, 7, 5));
}

CASE(release__keeps_what_another_table_holds)
{
    KvPool *pool = pool_new(6, 4, 4);
    KvTable *one = TABLE(pool, 4, 14, 0, 1, 2, 3), *two = TABLE(pool, 3, 10, 0, 1, 4),
            *three = TABLE(pool, 1, 4, 0);
    assert_release(pool, one);
    assert_release(pool, three);
    assert_release(pool, two);
    assert_integer("free blocks after all", pool->free, 6);
}

CASE(release__of_an_empty_table_changes_nothing)
{
    KvPool *pool = pool_new(3, 4, 4);
    KvTable *table = table_new(pool, 1, 0, 0, NULL);
    assert_release(pool, table);
    pool_order(pool, 0, NULL);
    assert_release(pool, table);
}

CASE(release__fills_an_empty_queue)
{
    KvPool *pool = pool_new(2, 1, 1);
    KvTable *table = TABLE(pool, 2, 2, 1, 0);
    assert_release(pool, table);
    KvPool *single = pool_new(1, 4, 1);
    assert_release(single, TABLE(single, 1, 1, 0));
}

CASE(release__leaves_blocks_in_the_prefix_cache)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvTable *table = TABLE(pool, 3, 5, 3, 1, 0);
    pool_cache(pool, 3, 9, 1, (int32_t[]){7, 8});
    pool_cache(pool, 1, 11, 9, (int32_t[]){9, 9});
    pool_cache(pool, 2, 12, 9, (int32_t[]){9, 8});    // the other bucket
    assert_release(pool, table);
}

CASE(release__balances_random_tables)
{
    Rng rng = rng_from_seed(1601);
    KvPool *pool = pool_new(64, 8, 8);
    KvTable *tables[8] = {0};
    for (int i = 0; i < 400; i++) {
        int t = (int)rng_below(&rng, 8), blocks[24], count = 0;
        if (tables[t] != NULL) assert_release(pool, tables[t]);
        // Shares what the next table begins with, then takes free blocks.
        const KvTable *other = tables[(t + 1) % 8];
        int shared = other != NULL && other->blocks > 0 ? (int)rng_below(&rng, 4) : 0;
        for (; count < shared && count < other->blocks; count++)
            blocks[count] = other->block[count];
        int more = (int)rng_below(&rng, 6), free = pool_first(pool);
        for (int k = 0; k < more && free >= 0 && free < 64; k++, free = pool->next[free])
            blocks[count++] = free;
        tables[t] = table_new(pool, 24, count * 8, count, blocks);
    }
    for (int t = 0; t < 8; t++)
        if (tables[t] != NULL) assert_release(pool, tables[t]);
    assert_integer("free blocks after all", pool->free, 64);
}

const struct CMUnitTest block_cases[] = {
    cmocka_unit_test(slot__is_that_of_the_block_and_the_place_in_it),
    cmocka_unit_test(slot__takes_any_block_size),
    cmocka_unit_test(slot__exceeds_32_bits),
    cmocka_unit_test(slot__depends_on_its_arguments_alone),
    cmocka_unit_test(allocate__takes_the_block_that_is_free_the_longest),
    cmocka_unit_test(allocate__fails_where_no_block_is_free),
    cmocka_unit_test(allocate__of_a_pool_of_one_block),
    cmocka_unit_test(allocate__does_not_touch_the_prefix_cache),
    cmocka_unit_test(allocate__takes_many_blocks_in_any_order),
    cmocka_unit_test(allocate__keeps_two_pools_apart),
    cmocka_unit_test(release__frees_the_last_block_first),
    cmocka_unit_test(release__keeps_what_another_table_holds),
    cmocka_unit_test(release__of_an_empty_table_changes_nothing),
    cmocka_unit_test(release__fills_an_empty_queue),
    cmocka_unit_test(release__leaves_blocks_in_the_prefix_cache),
    cmocka_unit_test(release__balances_random_tables),
    {0},
};
