/* Exercises 4 to 8: the prefix cache. check.c says how cases are made. */
#include "labs/5_frontier/paged_kv/check.h"
#include <stdio.h>

// ---- 4: hashes ----

#define assert_hash(parent, tokens, count, want)                                                   \
    hash_assert(kv_hash(parent, tokens, count), want, __FILE__, __LINE__)

static void hash_assert(uint64_t got, uint64_t want, const char *file, int line)
{
    if (got == want) return;
    print_error("the hash: got 0x%016llx, expected 0x%016llx\n", (unsigned long long)got,
                (unsigned long long)want);
    _fail(file, line);
}

CASE(hash__has_the_published_values_of_fnv_1a)
{
    // Of "chongo w", "chongo was h" and "chongo was here!". Computed in Python by the loop that gives the
    // authors' 0x46810940eff5f915 for the last and a newline.
    assert_hash(0x77206f676e6f6863, NULL, 0, 0xd1edd10b507344d0);
    assert_hash(0x77206f676e6f6863, INTS(0x68207361), 1, 0xf70a2ff589861368);
    assert_hash(0x77206f676e6f6863, INTS(0x68207361, 0x21657265), 2, 0x858e2fa32a55e61d);
    assert_hash(0, NULL, 0, 0xa8c7f832281a39c5);    // of eight bytes 0
}

CASE(hash__of_zero_becomes_one)
{
    // The shortest bytes with the hash 0, by its authors: d5 6b b9 53 42 87 08 36.
    assert_hash(0x3608874253b96bd5, NULL, 0, 1);
}

CASE(hash__takes_any_number_of_tokens)
{
    int *tokens = ints_filled(300, 0);
    for (int i = 0; i < 300; i++) tokens[i] = i * i - 77;
    for (int n = 0; n <= 300; n += 1 + n / 5) {
        int *few = ints_copy(tokens, (size_t)n);
        assert_hash(12345, few, n, pool_hash(12345, tokens, n));
    }
}

CASE(hash__depends_on_every_byte)
{
    for (int bit = 0; bit < 64; bit += 7)
        assert_hash((uint64_t)1 << bit, INTS(5, 6), 2,
                    pool_hash((uint64_t)1 << bit, (int32_t[]){5, 6}, 2));
    for (int bit = 0; bit < 32; bit += 5) {
        int32_t token = (int32_t)(1u << bit);
        assert_hash(3, INTS(token, 6), 2, pool_hash(3, (int32_t[]){token, 6}, 2));
        assert_hash(3, INTS(6, -token), 2, pool_hash(3, (int32_t[]){6, -token}, 2));
    }
}

CASE(hash__counts_tokens_of_0)
{
    for (int n = 1; n < 5; n++) {
        int *zeros = ints_filled((size_t)n, 0);
        assert_hash(3, zeros, n, pool_hash(3, zeros, n));
    }
    assert_hash(3, INTS(7, 0, 8), 3, pool_hash(3, (int32_t[]){7, 0, 8}, 3));
}

CASE(hash__depends_on_the_order_of_tokens)
{
    assert_hash(1, INTS(1, 2, 3), 3, pool_hash(1, (int32_t[]){1, 2, 3}, 3));
    assert_hash(1, INTS(3, 2, 1), 3, pool_hash(1, (int32_t[]){3, 2, 1}, 3));
    int *tokens = INTS(4, 5);
    assert_hash(1, tokens, 2, pool_hash(1, tokens, 2));
    tokens[1] = 9;
    assert_hash(1, tokens, 2, pool_hash(1, tokens, 2));
}

// ---- 5: finding ----

static void assert_find(const KvPool *pool, uint64_t hash, uint64_t parent, const int32_t *tokens,
                        int want)
{
    KvPool *before = pool_copy(pool);
    assert_integer("the cached block", kv_find(pool, hash, parent, tokens), want);
    assert_pool(pool, before);
}

CASE(find__gives_the_block_that_holds_the_tokens)
{
    KvPool *pool = pool_new(4, 3, 4);
    pool_cache(pool, 2, 9, 1, (int32_t[]){5, 6, 7});
    pool_cache(pool, 0, 22, 9, (int32_t[]){8, 8, 8});
    assert_find(pool, 9, 1, INTS(5, 6, 7), 2);
    assert_find(pool, 22, 9, INTS(8, 8, 8), 0);
    assert_find(pool, 21, 9, INTS(8, 8, 8), -1);
    assert_find(pool, 26, 9, INTS(8, 8, 8), -1);    // the same bucket
    assert_find(pool, 8, 1, INTS(5, 6, 7), -1);
}

CASE(find__is_not_misled_by_an_equal_hash)
{
    // Tokens of one user must not be taken for another's because their hashes are equal.
    KvPool *pool = pool_new(4, 2, 2);
    pool_cache(pool, 1, 100, 5, (int32_t[]){10, 11});
    assert_find(pool, 100, 5, INTS(10, 12), -1);
    assert_find(pool, 100, 5, INTS(12, 11), -1);
    assert_find(pool, 100, 5, INTS(11, 10), -1);
    assert_find(pool, 100, 6, INTS(10, 11), -1);
    assert_find(pool, 100, 5 + ((uint64_t)1 << 40), INTS(10, 11), -1);
    pool_cache(pool, 3, 100, 6, (int32_t[]){10, 11});
    pool_cache(pool, 0, 100, 5, (int32_t[]){10, 12});
    assert_find(pool, 100, 5, INTS(10, 11), 1);
    assert_find(pool, 100, 6, INTS(10, 11), 3);
    assert_find(pool, 100, 5, INTS(10, 12), 0);
}

CASE(find__compares_all_bits_of_the_hash)
{
    KvPool *pool = pool_new(3, 1, 2);
    uint64_t high = ((uint64_t)7 << 40) + 4;
    pool_cache(pool, 1, high, 2, (int32_t[]){3});
    assert_find(pool, high, 2, INTS(3), 1);
    assert_find(pool, 4, 2, INTS(3), -1);
    pool_cache(pool, 2, UINT64_MAX, 2, (int32_t[]){5});    // negative, as an int
    assert_find(pool, UINT64_MAX, 2, INTS(5), 2);
}

CASE(find__follows_a_long_chain)
{
    KvPool *pool = pool_new(70, 2, 1);
    for (int b = 0; b < 70; b++) pool_cache(pool, b, 1000 + (uint64_t)b, 1, (int32_t[]){b, -b});
    for (int b = 0; b < 70; b++) assert_find(pool, 1000 + (uint64_t)b, 1, INTS(b, -b), b);
    assert_find(pool, 1070, 1, INTS(70, -70), -1);
}

CASE(find__of_an_empty_cache)
{
    KvPool *pool = pool_new(3, 1, 8);
    assert_find(pool, 5, 0, INTS(1), -1);
    pool_cache(pool, 0, 5, 0, (int32_t[]){1});
    assert_find(pool, 5, 0, INTS(1), 0);
    pool_forget(pool, 0);
    assert_find(pool, 5, 0, INTS(1), -1);
}

CASE(find__finds_blocks_in_use_and_free_ones)
{
    KvPool *pool = pool_new(3, 1, 2);
    pool_cache(pool, 1, 8, 2, (int32_t[]){4});
    assert_find(pool, 8, 2, INTS(4), 1);
    pool_take(pool, 1);
    assert_find(pool, 8, 2, INTS(4), 1);
}

// ---- 6: insertion ----

static void assert_insert(KvPool *pool, int block, uint64_t parent, const int32_t *tokens)
{
    KvPool *want = pool_copy(pool);
    uint64_t hash = pool_hash(parent, tokens, pool->block_size);
    bool known = want->hash[block] != 0;
    for (int b = 0; b < want->blocks && !known; b++)
        known = want->hash[b] == hash && want->parent[b] == parent &&
                memcmp(want->tokens + b * want->block_size, tokens,
                       (size_t)want->block_size * sizeof *tokens) == 0;
    if (!known) pool_cache(want, block, hash, parent, tokens);
    hash_assert(kv_insert(pool, block, parent, tokens), hash, __FILE__, __LINE__);
    assert_pool(pool, want);
}

CASE(insert__makes_a_block_the_first_of_its_bucket)
{
    KvPool *pool = pool_new(6, 3, 1);
    assert_insert(pool, 4, 0, INTS(1, 2, 3));
    assert_insert(pool, 0, pool_hash(0, (int32_t[]){1, 2, 3}, 3), INTS(4, 5, 6));
    assert_insert(pool, 5, 0, INTS(1, 2, 4));
}

CASE(insert__ignores_a_duplicate)
{
    KvPool *pool = pool_new(4, 2, 2);
    assert_insert(pool, 1, 7, INTS(1, 2));
    assert_insert(pool, 2, 7, INTS(1, 2));
    assert_insert(pool, 2, 8, INTS(1, 2));
    assert_insert(pool, 0, 7, INTS(1, 2));
}

CASE(insert__ignores_a_block_that_is_cached)
{
    KvPool *pool = pool_new(4, 2, 2);
    assert_insert(pool, 1, 7, INTS(1, 2));
    assert_insert(pool, 1, 7, INTS(1, 2));
    assert_insert(pool, 1, 7, INTS(3, 4));
}

CASE(insert__keeps_different_tokens_of_one_hash)
{
    KvPool *pool = pool_new(4, 2, 2);
    uint64_t hash = pool_hash(7, (int32_t[]){1, 2}, 2);
    pool_cache(pool, 3, hash, 7, (int32_t[]){9, 9});
    pool_cache(pool, 0, hash, 6, (int32_t[]){1, 2});
    assert_insert(pool, 2, 7, INTS(1, 2));
}

CASE(insert__takes_blocks_of_one_token_and_of_many)
{
    KvPool *one = pool_new(9, 1, 4), *many = pool_new(2, 256, 4);
    for (int b = 8; b >= 0; b--) assert_insert(one, b, 5, INTS(b * 3));
    int *tokens = ints_filled(256, 4);
    assert_insert(many, 1, 5, tokens);
    tokens[255] = 5;
    assert_insert(many, 0, 5, tokens);
}

CASE(insert__fills_many_buckets)
{
    Rng rng = rng_from_seed(1610);
    KvPool *pool = pool_new(200, 2, 64);
    for (int i = 0; i < 300; i++) {
        int block = (int)rng_below(&rng, 200);
        int *tokens = INTS((int)rng_below(&rng, 12), (int)rng_below(&rng, 12));
        assert_insert(pool, block, rng_below(&rng, 3), tokens);
    }
}

CASE(insert__does_not_change_who_holds_a_block)
{
    KvPool *pool = pool_new(4, 2, 2);
    KvTable *table = TABLE(pool, 2, 4, 3, 1);
    assert_insert(pool, 3, 1, INTS(5, 5));
    assert_insert(pool, 1, 2, INTS(6, 5));
    assert_integer("blocks of the table", table->blocks, 2);
}

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
    cmocka_unit_test(hash__has_the_published_values_of_fnv_1a),
    cmocka_unit_test(hash__of_zero_becomes_one),
    cmocka_unit_test(hash__takes_any_number_of_tokens),
    cmocka_unit_test(hash__depends_on_every_byte),
    cmocka_unit_test(hash__counts_tokens_of_0),
    cmocka_unit_test(hash__depends_on_the_order_of_tokens),
    cmocka_unit_test(find__gives_the_block_that_holds_the_tokens),
    cmocka_unit_test(find__is_not_misled_by_an_equal_hash),
    cmocka_unit_test(find__compares_all_bits_of_the_hash),
    cmocka_unit_test(find__follows_a_long_chain),
    cmocka_unit_test(find__of_an_empty_cache),
    cmocka_unit_test(find__finds_blocks_in_use_and_free_ones),
    cmocka_unit_test(insert__makes_a_block_the_first_of_its_bucket),
    cmocka_unit_test(insert__ignores_a_duplicate),
    cmocka_unit_test(insert__ignores_a_block_that_is_cached),
    cmocka_unit_test(insert__keeps_different_tokens_of_one_hash),
    cmocka_unit_test(insert__takes_blocks_of_one_token_and_of_many),
    cmocka_unit_test(insert__fills_many_buckets),
    cmocka_unit_test(insert__does_not_change_who_holds_a_block),
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
