/* Exercises 9 and 10: tables that grow. check.c says how cases are made. */
#include "labs/5_frontier/paged_kv/check.h"

static void assert_copy(KvCopy got, KvCopy want)
{
    assert_integer("copy.from", got.from, want.from);
    assert_integer("copy.to", got.to, want.to);
}

// A new block of this pool, as kv_new_block() chooses it.
static int new_block(KvPool *pool)
{
    int block = pool_first(pool);
    if (block < 0) return -1;
    if (pool->hash[block] != 0) pool_forget(pool, block);
    pool_take(pool, block);
    return block;
}

// ---- 9: copy-on-write ----

static bool copy_on_write(KvPool *pool, KvTable *table, KvCopy *copy)
{
    int last = table->block[table->blocks - 1];
    *copy = (KvCopy){-1, -1};
    if (pool->count[last] < 2) return true;
    int block = new_block(pool);
    if (block < 0) return false;
    pool->count[last]--;
    table->block[table->blocks - 1] = block;
    *copy = (KvCopy){last, block};
    return true;
}

static void assert_copy_on_write(KvPool *pool, KvTable *table)
{
    KvPool *want = pool_copy(pool);
    KvTable *after = table_copy(table);
    KvCopy copy = {77, 78}, expected;
    bool done = copy_on_write(want, after, &expected);
    assert_boolean("there is a block to write into", kv_copy_on_write(pool, table, &copy), done);
    assert_copy(copy, expected);
    assert_table(table, after);
    assert_pool(pool, want);
}

CASE(copy_on_write__leaves_a_block_of_its_own_alone)
{
    KvPool *pool = pool_new(5, 4, 2);
    KvTable *table = TABLE(pool, 3, 10, 0, 1, 2), *other = TABLE(pool, 2, 8, 0, 1);
    assert_copy_on_write(pool, table);
    pool_order(pool, 0, NULL);
    assert_copy_on_write(pool, table);    // also where no block is free
    assert_integer("blocks of the other table", other->blocks, 2);
}

CASE(copy_on_write__replaces_a_shared_last_block)
{
    KvPool *pool = pool_new(6, 4, 2);
    KvTable *one = TABLE(pool, 3, 10, 0, 1, 2), *two = TABLE(pool, 3, 10, 0, 1, 2),
            *three = TABLE(pool, 3, 10, 0, 1, 2);
    assert_copy_on_write(pool, two);
    assert_copy_on_write(pool, two);    // it is its own now
    assert_copy_on_write(pool, one);
    assert_copy_on_write(pool, three);    // the last of them keeps the block
    assert_copy_on_write(pool, one);
}

CASE(copy_on_write__does_not_change_the_other_table)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvTable *one = TABLE(pool, 2, 3, 2, 0), *two = TABLE(pool, 2, 3, 2, 0), *kept = table_copy(one);
    assert_copy_on_write(pool, two);
    assert_table(one, kept);
}

CASE(copy_on_write__fails_where_no_block_is_free)
{
    KvPool *pool = pool_new(3, 4, 2);
    KvTable *one = TABLE(pool, 3, 9, 0, 1, 2), *two = TABLE(pool, 3, 9, 0, 1, 2);
    assert_copy_on_write(pool, two);
    assert_copy_on_write(pool, one);
}

CASE(copy_on_write__evicts_what_the_new_block_held)
{
    KvPool *pool = pool_new(4, 2, 1);
    KvTable *one = TABLE(pool, 1, 1, 3), *two = TABLE(pool, 1, 1, 3);
    pool_cache(pool, 0, 12, 5, (int32_t[]){1, 2});
    pool_cache(pool, 1, 14, 12, (int32_t[]){3, 4});
    assert_copy_on_write(pool, two);
    assert_copy_on_write(pool, one);
}

CASE(copy_on_write__of_a_full_and_cached_block)
{
    KvPool *pool = pool_new(6, 2, 2);
    KvTable *one = TABLE(pool, 2, 4, 3, 1), *two = TABLE(pool, 2, 4, 3, 1);
    pool_cache(pool, 1, 13, 12, (int32_t[]){3, 4});
    assert_copy_on_write(pool, two);    // block 1 stays cached, the copy is not
    assert_copy_on_write(pool, two);
    assert_copy_on_write(pool, one);    // alone with a cached block: no copy
}

CASE(copy_on_write__takes_many_tables_of_one_prefix)
{
    KvPool *pool = pool_new(70, 16, 2);
    KvTable *tables[60];
    for (int t = 0; t < 60; t++) tables[t] = TABLE(pool, 3, 40, 7, 5, 6);
    for (int t = 0; t < 60; t++) assert_copy_on_write(pool, tables[t * 7 % 60]);
    for (int t = 0; t < 60; t++) assert_copy_on_write(pool, tables[t]);
}

// ---- 10: appending ----

static void assert_append(KvPool *pool, KvTable *table)
{
    KvPool *want = pool_copy(pool);
    KvTable *after = table_copy(table);
    KvCopy copy = {77, 78}, expected = {-1, -1};
    int size = pool->block_size, block = -1;
    if (after->tokens % size != 0) {
        if (copy_on_write(want, after, &expected)) block = after->block[after->blocks - 1];
    } else if ((block = new_block(want)) >= 0) {
        after->block[after->blocks++] = block;
    }
    int64_t slot = block >= 0 ? (int64_t)block * size + after->tokens++ % size : -1;
    assert_integer("the slot", kv_append(pool, table, &copy), slot);
    assert_copy(copy, expected);
    assert_table(table, after);
    assert_pool(pool, want);
}

CASE(append__begins_a_block_where_all_are_full)
{
    KvPool *pool = pool_new(6, 3, 2);
    pool_order(pool, 4, (int[]){4, 2, 0, 5});
    KvTable *table = table_new(pool, 4, 0, 0, NULL);
    for (int i = 0; i < 12; i++) assert_append(pool, table);
}

CASE(append__takes_any_block_size)
{
    static const int sizes[] = {1, 2, 5, 16, 100};
    for (int s = 0; s < 5; s++) {
        KvPool *pool = pool_new(4, sizes[s], 2);
        KvTable *table = table_new(pool, 4, 0, 0, NULL);
        for (int i = 0; i < 4 * sizes[s]; i++) assert_append(pool, table);
    }
}

CASE(append__fails_where_no_block_is_free)
{
    KvPool *pool = pool_new(2, 2, 2);
    KvTable *one = TABLE(pool, 3, 3, 1, 0), *two = table_new(pool, 1, 0, 0, NULL);
    for (int i = 0; i < 3; i++) assert_append(pool, one);    // one slot is left
    assert_append(pool, two);
    KvTable *three = TABLE(pool, 2, 3, 1, 0);
    three->tokens = one->tokens = 3;
    assert_append(pool, three);    // shared, and no block for a copy
}

CASE(append__copies_a_shared_block_before_writing)
{
    KvPool *pool = pool_new(8, 4, 2);
    KvTable *one = TABLE(pool, 4, 6, 3, 1), *two = TABLE(pool, 4, 6, 3, 1);
    for (int i = 0; i < 5; i++) {
        assert_append(pool, two);
        assert_append(pool, one);
    }
}

CASE(append__shares_full_blocks_for_good)
{
    KvPool *pool = pool_new(6, 2, 2);
    KvTable *one = TABLE(pool, 4, 4, 0, 1), *two = TABLE(pool, 4, 4, 0, 1);
    for (int i = 0; i < 3; i++) {
        assert_append(pool, one);
        assert_append(pool, two);
    }
}

CASE(append__evicts_what_the_new_block_held)
{
    KvPool *pool = pool_new(4, 1, 1);
    for (int b = 0; b < 4; b++) pool_cache(pool, b, 12 + (uint64_t)b, 5, (int32_t[]){b});
    KvTable *table = table_new(pool, 4, 0, 0, NULL);
    for (int i = 0; i < 5; i++) assert_append(pool, table);
}

CASE(append__counts_slots_above_32_bits)
{
    KvPool *pool = pool_new(3, 1, 1);
    KvTable *table = TABLE(pool, 2, 5, 2);
    pool->block_size = 1 << 30;    // nothing is cached: no array of tokens is needed
    KvCopy copy;
    assert_integer("the slot", kv_append(pool, table, &copy), ((int64_t)2 << 30) + 5);
}

CASE(append__keeps_random_tables_apart)
{
    Rng rng = rng_from_seed(1620);
    KvPool *pool = pool_new(80, 4, 4);
    KvTable *tables[6];
    for (int t = 0; t < 6; t++) tables[t] = table_new(pool, 40, 0, 0, NULL);
    for (int i = 0; i < 600; i++) {
        KvTable *table = tables[rng_below(&rng, 6)], *other = tables[rng_below(&rng, 6)];
        if (table->blocks == 0 && other->blocks > 0 && i % 3 == 0) {
            memcpy(table->block, other->block, (size_t)other->blocks * sizeof *other->block);
            table->blocks = other->blocks, table->tokens = other->tokens;
            for (int b = 0; b < other->blocks; b++) pool_take(pool, other->block[b]);
        } else if (table->blocks >= 30 || i % 40 == 39) {
            while (table->blocks > 0) pool_join(pool, table->block[--table->blocks]);
            table->tokens = 0;
        } else {
            assert_append(pool, table);
        }
    }
}

const struct CMUnitTest table_cases[] = {
    cmocka_unit_test(copy_on_write__leaves_a_block_of_its_own_alone),
    cmocka_unit_test(copy_on_write__replaces_a_shared_last_block),
    cmocka_unit_test(copy_on_write__does_not_change_the_other_table),
    cmocka_unit_test(copy_on_write__fails_where_no_block_is_free),
    cmocka_unit_test(copy_on_write__evicts_what_the_new_block_held),
    cmocka_unit_test(copy_on_write__of_a_full_and_cached_block),
    cmocka_unit_test(copy_on_write__takes_many_tables_of_one_prefix),
    cmocka_unit_test(append__begins_a_block_where_all_are_full),
    cmocka_unit_test(append__takes_any_block_size),
    cmocka_unit_test(append__fails_where_no_block_is_free),
    cmocka_unit_test(append__copies_a_shared_block_before_writing),
    cmocka_unit_test(append__shares_full_blocks_for_good),
    cmocka_unit_test(append__evicts_what_the_new_block_held),
    cmocka_unit_test(append__counts_slots_above_32_bits),
    cmocka_unit_test(append__keeps_random_tables_apart),
    {0},
};
