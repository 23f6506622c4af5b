/* Exercises 3 to 5: counting pairs, choosing one, merging it. check.c says how cases are made. */
#include "labs/3_language/tokenizer/check.h"

// ---- 3: count_pairs ----

#define assert_count(counts, left, right, want)                                                    \
    assert_integer("count of (" #left ", " #right ")", count_of(counts, left, right), want)

CASE(count_pairs__of_wikipedias_example)
{
    const char text[] = "aaabdaaabac";
    int *ids = ids_of_text(text, 11), *before = ints_copy(ids, 11);
    BpePairs counts = bpe_pairs_new(case_arena());
    bpe_count_pairs(&counts, ids, 11, 1);
    assert_count(&counts, 'a', 'a', 4);
    assert_count(&counts, 'a', 'b', 2);
    assert_count(&counts, 'b', 'd', 1);
    assert_count(&counts, 'd', 'a', 1);
    assert_count(&counts, 'b', 'a', 1);
    assert_count(&counts, 'a', 'c', 1);
    assert_count(&counts, 'd', 'b', 0);
    assert_integer("different pairs", counts.count, 6);
    assert_ids("ids, an input", ids, 11, before, 11);
}

CASE(count_pairs__that_overlap_counts_each)
{
    for (int n = 2; n < 9; n++) {
        BpePairs counts = bpe_pairs_new(case_arena());
        bpe_count_pairs(&counts, ints_filled((size_t)n, 7), (size_t)n, 1);
        assert_count(&counts, 7, 7, n - 1);
    }
}

CASE(count_pairs__of_nothing_and_of_one_token)
{
    BpePairs counts = bpe_pairs_new(case_arena());
    bpe_count_pairs(&counts, ints_filled(0, 0), 0, 1);
    bpe_count_pairs(&counts, INTS(5), 1, 1);
    assert_integer("pairs", counts.count, 0);
    bpe_count_pairs(&counts, INTS(5, 6), 2, 1);
    assert_integer("pairs", counts.count, 1);
}

CASE(count_pairs__adds_times_to_what_is_there)
{
    BpePairs counts = bpe_pairs_new(case_arena());
    bpe_count_pairs(&counts, INTS(1, 2, 1, 2), 4, 10);
    bpe_count_pairs(&counts, INTS(1, 2, 3), 3, 5);
    assert_count(&counts, 1, 2, 25);
    assert_count(&counts, 2, 1, 10);
    assert_count(&counts, 2, 3, 5);
    bpe_count_pairs(&counts, INTS(1, 2, 1, 2), 4, -10);
    assert_count(&counts, 1, 2, 5);
    assert_count(&counts, 2, 1, 0);
    bpe_count_pairs(&counts, INTS(7, 8), 2, -3);    // and below 0, in whatever order calls come
    bpe_count_pairs(&counts, INTS(7, 8), 2, 4);
    assert_count(&counts, 7, 8, 1);
}

CASE(count_pairs__counts_beyond_32_bits)
{
    BpePairs counts = bpe_pairs_new(case_arena());
    const int64_t many = (INT64_C(1) << 53) + 1;
    bpe_count_pairs(&counts, INTS(300, 70000), 2, many);
    bpe_count_pairs(&counts, INTS(300, 70000), 2, 2);
    assert_count(&counts, 300, 70000, many + 2);
}

CASE(count_pairs__of_a_long_text_match_a_table)
{
    enum { N = 20001, V = 40 };
    static int64_t want[V][V];
    Rng rng = rng_from_seed(3);
    int *ids = ints_filled(N, 0);
    for (int i = 0; i < N; i++) ids[i] = 1000 * (int)rng_below(&rng, V);
    for (int i = 0; i + 1 < N; i++) want[ids[i] / 1000][ids[i + 1] / 1000] += 3;
    BpePairs counts = bpe_pairs_new(case_arena());
    bpe_count_pairs(&counts, ids, N, 3);
    for (int a = 0; a < V; a++)
        for (int b = 0; b < V; b++)
            assert_that(count_of(&counts, 1000 * a, 1000 * b) == want[a][b],
                        "count of (%d, %d): got %lld, expected %lld", 1000 * a, 1000 * b,
                        (long long)count_of(&counts, 1000 * a, 1000 * b), (long long)want[a][b]);
}

CASE(count_pairs__of_two_tables_in_turns)
{
    int *ids = INTS(1, 2, 3);
    BpePairs one = bpe_pairs_new(case_arena()), two = bpe_pairs_new(case_arena());
    bpe_count_pairs(&one, ids, 3, 1);
    bpe_count_pairs(&two, ids, 3, 4);
    ids[2] = 9;
    bpe_count_pairs(&one, ids, 3, 1);
    assert_count(&one, 1, 2, 2);
    assert_count(&one, 2, 3, 1);
    assert_count(&one, 2, 9, 1);
    assert_count(&two, 1, 2, 4);
}

// ---- 4: best_pair ----

typedef struct Count {
    int left, right;
    int64_t value;
} Count;

static void check_best(const Count *given, int count, int64_t least, int left, int right)
{
    for (int backwards = 0; backwards < 2; backwards++) {    // the order of the table is no matter
        BpePairs counts = bpe_pairs_new(case_arena());
        for (int i = 0; i < count; i++) {
            const Count *c = given + (backwards ? count - 1 - i : i);
            *bpe_pairs_at(&counts, (BpePair){c->left, c->right}) = c->value;
        }
        BpePair best = {-7, -8};
        bool found = bpe_best_pair(&best, &counts, least);
        assert_boolean("bpe_best_pair", found, left != -7);
        assert_that(best.left == left && best.right == right,
                    "best: got (%d, %d), expected (%d, %d)", best.left, best.right, left, right);
        assert_integer("pairs in the table", counts.count, count);
        for (int i = 0; i < count; i++)
            assert_integer("a count, an input", count_of(&counts, given[i].left, given[i].right),
                           given[i].value);
    }
}
#define BEST(least, left, right, ...)                                                              \
    check_best((const Count[]){__VA_ARGS__}, sizeof((const Count[]){__VA_ARGS__}) / sizeof(Count), \
               least, left, right)
#define NONE_BEST(least, ...) BEST(least, -7, -8, __VA_ARGS__)    // left alone

CASE(best_pair__has_the_largest_count)
{
    BEST(1, 3, 4, {1, 2, 5}, {3, 4, 9}, {2, 1, 7});
    BEST(1, 1, 2, {1, 2, 1});
}

CASE(best_pair__of_equal_counts_has_the_smallest_left_token)
{
    BEST(1, 1, 900, {2, 1, 5}, {1, 900, 5}, {3, 0, 5});
    BEST(1, 97, 300, {300, 97, 2}, {97, 300, 2}, {256, 256, 2});
}

CASE(best_pair__of_equal_left_tokens_has_the_smallest_right_one)
{
    BEST(1, 2, 3, {2, 9, 5}, {2, 3, 5}, {2, 4, 5}, {2, 1, 4});
}

CASE(best_pair__needs_a_count_of_at_least_least)
{
    BEST(5, 1, 2, {1, 2, 5});
    NONE_BEST(6, {1, 2, 5}, {0, 1, 3});
    NONE_BEST(2, {1, 2, 1}, {0, 1, 1});
}

CASE(best_pair__of_no_pairs_and_of_pairs_that_are_gone)
{
    BpePairs counts = bpe_pairs_new(case_arena());
    BpePair best = {-7, -8};
    assert_boolean("bpe_best_pair of an empty table", bpe_best_pair(&best, &counts, 1), false);
    assert_that(best.left == -7 && best.right == -8, "best was written");
    NONE_BEST(1, {1, 2, 0}, {3, 4, 0});
    BEST(1, 3, 4, {1, 2, 0}, {3, 4, 1}, {0, 0, -9});
}

CASE(best_pair__compares_counts_beyond_53_bits)
{
    const int64_t big = INT64_C(1) << 53;
    BEST(1, 5, 6, {1, 2, big}, {5, 6, big + 1});
    NONE_BEST(big + 1, {1, 2, big});
    BEST(1, 5, 6, {1, 2, 3}, {5, 6, (INT64_C(1) << 32) + 1});
    BEST(1, 1000000, 2, {1000000, 2, 3}, {2000000, 1, 3});
    BEST(1, 2, 9, {65537, 2, 3}, {2, 9, 3});
    BEST(1, 1, INT32_MAX, {1, INT32_MAX, 3}, {2, 0, 3});
}

CASE(best_pair__of_many_pairs)
{
    static Count counts[5000];
    for (int i = 0; i < 5000; i++) counts[i] = (Count){i, 7 * i % 5000, 100 + i * 37 % 5000};
    check_best(counts, 5000, 1, 2027, 7 * 2027 % 5000);    // 2027 x 37 is 74999
    counts[17].value = 5100;
    check_best(counts, 5000, 1, 17, 119);
    counts[4999].value = 5101;
    check_best(counts, 5000, 1, 4999, 4993);
}

// ---- 5: merge ----

static void check_merge(const int *ids, size_t n, BpePair pair, int id, const int *want,
                        size_t count)
{
    int *mine = ints_copy(ids, n);
    size_t kept = bpe_merge(mine, n, pair, id);
    assert_that(kept <= n, "got %zu tokens of %zu", kept, n);
    assert_ids("merged", mine, kept, want, count);
}
#define MERGE(ids, ...) check_merge(ids, (BpePair){1, 2}, 9, __VA_ARGS__)

CASE(merge__replaces_the_pair_wherever_it_stands)
{
    MERGE(IDS(1, 2, 3, 1, 2), IDS(9, 3, 9));
    MERGE(IDS(3, 1, 2, 4), IDS(3, 9, 4));
    MERGE(IDS(1, 2, 1, 2, 1, 2), IDS(9, 9, 9));
    MERGE(IDS(1, 1, 2, 2), IDS(1, 9, 2));
    MERGE(IDS(0, 1, 2, 0, 0, 1, 2), IDS(0, 9, 0, 0, 9));    // byte 0 is a token like any other
}

CASE(merge__of_equal_tokens_goes_from_left_to_right)
{
    for (size_t n = 1; n < 10; n++) {
        int *ids = ints_filled(n, 5), want[9];
        size_t count = 0;
        for (size_t i = 0; i < n / 2; i++) want[count++] = 256;
        if (n % 2 == 1) want[count++] = 5;
        size_t kept = bpe_merge(ids, n, (BpePair){5, 5}, 256);
        assert_ids("equal tokens, merged", ids, kept, want, count);
    }
}

CASE(merge__leaves_alone_what_is_no_such_pair)
{
    MERGE(IDS(2, 1, 2000, 1), IDS(2, 1, 2000, 1));
    MERGE(IDS(1, 3, 2), IDS(1, 3, 2));
    MERGE(IDS(3, 1), IDS(3, 1));
    MERGE(IDS(2, 3), IDS(2, 3));
    MERGE(IDS(257, 258), IDS(257, 258));    // 1 and 2 as bytes
    MERGE(IDS(257, 2, 1, 258), IDS(257, 2, 1, 258));
}

CASE(merge__of_nothing_one_and_two)
{
    assert_integer("tokens left of none",
                   (int64_t)bpe_merge(ints_filled(0, 0), 0, (BpePair){1, 2}, 9), 0);
    MERGE(IDS(1), IDS(1));
    MERGE(IDS(1, 2), IDS(9));
}

CASE(merge__does_not_merge_what_it_has_made)
{
    check_merge(IDS(1, 2, 2, 2), (BpePair){1, 2}, 1, IDS(1, 2, 2));    // the token is a part itself
    check_merge(IDS(1, 1, 1, 1), (BpePair){1, 1}, 1, IDS(1, 1));
}

CASE(merge__of_a_long_text)
{
    enum { N = 30000 };
    int *ids = ints_filled(N, 4), *want = ints_filled(N, 4);
    size_t count = 0;
    for (int i = 0; i + 1 < N; i += 3) ids[i] = 70000, ids[i + 1] = 80000;
    for (int i = 0; i < N; i += 3) want[count++] = 90000, want[count++] = 4;
    size_t kept = bpe_merge(ids, N, (BpePair){70000, 80000}, 90000);
    assert_ids("a long text, merged", ids, kept, want, count);
}

CASE(merge__takes_the_same_array_again)
{
    int *ids = INTS(1, 2, 3, 4);
    bpe_merge(ids, 4, (BpePair){1, 2}, 9);
    ids[1] = 1, ids[2] = 2;
    size_t kept = bpe_merge(ids, 3, (BpePair){1, 2}, 8);
    assert_tokens("the second call", ids, kept, 9, 8);
    kept = bpe_merge(ids, 2, (BpePair){9, 8}, 7);
    assert_tokens("the third call", ids, kept, 7);
}

const struct CMUnitTest pair_cases[] = {
    cmocka_unit_test(count_pairs__of_wikipedias_example),
    cmocka_unit_test(count_pairs__that_overlap_counts_each),
    cmocka_unit_test(count_pairs__of_nothing_and_of_one_token),
    cmocka_unit_test(count_pairs__adds_times_to_what_is_there),
    cmocka_unit_test(count_pairs__counts_beyond_32_bits),
    cmocka_unit_test(count_pairs__of_a_long_text_match_a_table),
    cmocka_unit_test(count_pairs__of_two_tables_in_turns),
    cmocka_unit_test(best_pair__has_the_largest_count),
    cmocka_unit_test(best_pair__of_equal_counts_has_the_smallest_left_token),
    cmocka_unit_test(best_pair__of_equal_left_tokens_has_the_smallest_right_one),
    cmocka_unit_test(best_pair__needs_a_count_of_at_least_least),
    cmocka_unit_test(best_pair__of_no_pairs_and_of_pairs_that_are_gone),
    cmocka_unit_test(best_pair__compares_counts_beyond_53_bits),
    cmocka_unit_test(best_pair__of_many_pairs),
    cmocka_unit_test(merge__replaces_the_pair_wherever_it_stands),
    cmocka_unit_test(merge__of_equal_tokens_goes_from_left_to_right),
    cmocka_unit_test(merge__leaves_alone_what_is_no_such_pair),
    cmocka_unit_test(merge__of_nothing_one_and_two),
    cmocka_unit_test(merge__does_not_merge_what_it_has_made),
    cmocka_unit_test(merge__of_a_long_text),
    cmocka_unit_test(merge__takes_the_same_array_again),
    {0},
};
