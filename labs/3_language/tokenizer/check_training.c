/* Exercises 6 and 7: training, by counting anew and with an index. check.c says how cases are made. */
#include "labs/3_language/tokenizer/check.h"
#include "labs/3_language/tokenizer/tests/truth.h"

enum { MERGES = 300 };
typedef enum Method { NAIVE, INDEXED } Method;

// What training gives, in an array of exactly `most`.
typedef struct Trained {
    BpePair *merges;
    int made;
    int64_t calls;
} Trained;

static Trained train(Method method, BpeWords *words, int most, int64_t least)
{
    BpePairs counts = bpe_pairs_new(case_arena());
    *bpe_pairs_at(&counts, (BpePair){'x', 'y'}) = 1000000;    // from before: to be dropped
    counts.calls = 0;
    Trained t = {(BpePair *)ints_filled(2 * (size_t)most, -1), 0, 0};
    t.made = method == NAIVE ? bpe_train(t.merges, most, words, least, &counts)
                             : bpe_train_indexed(t.merges, most, words, least, &counts);
    assert_that(t.made >= 0 && t.made <= most, "%d merges, expected at most %d", t.made, most);
    t.calls = counts.calls;
    return t;
}

static void assert_merges(Trained got, const BpePair *want, int count)
{
    for (int k = 0; k < count && k < got.made; k++)
        assert_that(got.merges[k].left == want[k].left && got.merges[k].right == want[k].right,
                    "merge %d: got (%d, %d), expected (%d, %d)", k, got.merges[k].left,
                    got.merges[k].right, want[k].left, want[k].right);
    assert_integer("merges", got.made, count);
}

static void assert_word(const BpeWords *words, int w, const int *want, size_t count)
{
    assert_ids("a word, merged", words->ids + words->first[w], words->length[w], want, count);
}
#define assert_word_is(words, w, ...) assert_word(words, w, IDS(__VA_ARGS__))

// By plain sums over words of the letters a, b, c and d, in an array of all pairs.
static int oracle(BpePair *merges, int most, BpeWords *words, int64_t least)
{
    enum { V = 64 };
    int made = 0;
    for (; made < most; made++) {
        static int64_t sum[V][V];
        memset(sum, 0, sizeof sum);
        int a = 0, b = 0;
        for (int w = 0; w < words->count; w++)
            for (size_t i = 0; i + 1 < words->length[w]; i++) {
                const int *p = words->ids + words->first[w] + i;
                sum[p[0] < 256 ? p[0] - 'a' : p[0] - 252][p[1] < 256 ? p[1] - 'a' : p[1] - 252] +=
                    words->times[w];
            }
        for (int i = 0; i < V * V; i++)
            if (sum[i / V][i % V] > sum[a][b]) a = i / V, b = i % V;
        if (sum[a][b] < least) break;
        merges[made] = (BpePair){a < 4 ? a + 'a' : a + 252, b < 4 ? b + 'a' : b + 252};
        for (int w = 0; w < words->count; w++) {
            int *ids = words->ids + words->first[w];
            size_t n = words->length[w], kept = 0;
            for (size_t i = 0; i < n; kept++)
                if (i + 1 < n && ids[i] == merges[made].left && ids[i + 1] == merges[made].right)
                    ids[kept] = 256 + made, i += 2;
                else ids[kept] = ids[i++];
            words->length[w] = kept;
        }
    }
    return made;
}

// ---- what both must do ----

// Sennrich et al. 2016, algorithm 1, without the mark at the end of a word. Ties: e w before n ew.
static void check_paper(Method method)
{
    static const BpePair want[] = {{'e', 's'}, {256, 't'}, {'l', 'o'}, {258, 'w'},
                                   {'e', 'w'}, {'n', 260}, {261, 257}, {'d', 257},
                                   {'i', 263}, {'w', 264}, {'e', 'r'}, {259, 266}};
    BpeWords *words = WORDS({"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3});
    assert_merges(train(method, words, 4, 1), want, 4);
    assert_word_is(words, 0, 259);
    assert_word_is(words, 1, 259, 'e', 'r');
    assert_word_is(words, 2, 'n', 'e', 'w', 257);
    assert_word_is(words, 3, 'w', 'i', 'd', 257);
    words = WORDS({"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3});
    assert_merges(train(method, words, 40, 1), want, 12);
    for (int w = 0; w < 4; w++)
        assert_integer("tokens left of a word", (int64_t)words->length[w], 1);
}

static void check_wikipedia(Method method)
{
    BpeWords *words = WORDS({"aaabdaaabac", 1});
    static const BpePair want[] = {{'a', 'a'}, {'a', 'b'}, {256, 257}};
    assert_merges(train(method, words, 9, 2), want, 3);
    assert_word_is(words, 0, 258, 'd', 258, 'a', 'c');
}

static void check_package(Method method)
{
    enum { WORDS_MAX = sizeof truth_words / sizeof *truth_words };
    static Word list[WORDS_MAX];
    for (int w = 0; w < WORDS_MAX; w++) list[w] = (Word){truth_words[w].text, truth_words[w].times};
    int count = (int)(sizeof truth_merges / sizeof *truth_merges);
    assert_merges(train(method, words_of(list, WORDS_MAX), count, 1), truth_merges, count);
}

static void check_ends(Method method)
{
    static const BpePair want[] = {{'b', 'c'}, {'a', 256}};
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 0, 1), want, 0);
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 1, 1), want, 1);
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 9, 3), want, 2);
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 9, 4), want, 1);
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 9, 5), want, 1);
    assert_merges(train(method, WORDS({"abc", 3}, {"bc", 2}), 9, 6), want, 0);
}

static void check_little(Method method)
{
    BpeWords *words = WORDS({"a", 9}, {"b", 9}, {"", 3});
    assert_merges(train(method, words, 5, 1), NULL, 0);
    assert_word_is(words, 1, 'b');
    words->count = 0;
    assert_merges(train(method, words, 5, 1), NULL, 0);
}

static void check_random(Method method)
{
    Rng rng = rng_from_seed(method);
    for (int round = 0; round < 60; round++) {
        static char text[12][16];
        Word list[12];
        for (int w = 0; w < 12; w++) {
            size_t n = rng_below(&rng, 15);
            for (size_t i = 0; i < n; i++)
                text[w][i] = (char)('a' + rng_below(&rng, 2 + round / 20));
            text[w][n] = '\0';
            list[w] = (Word){text[w], 1 + (int64_t)rng_below(&rng, 4)};
        }
        BpePair want[MERGES];
        BpeWords *same = words_of(list, 12), *mine = words_of(list, 12);
        int least = 1 + round % 3, most = 1 + round % 30, count = oracle(want, most, same, least);
        assert_merges(train(method, mine, most, least), want, count);
        for (int w = 0; w < 12; w++)
            assert_word(mine, w, same->ids + same->first[w], same->length[w]);
    }
}

static void check_large_counts(Method method)
{
    const int64_t big = INT64_C(1) << 53;
    static const BpePair want[] = {{'c', 'd'}, {'a', 'b'}};
    assert_merges(train(method, WORDS({"ab", big}, {"cd", big + 1}), 2, big), want, 2);
    assert_merges(train(method, WORDS({"ab", 3}, {"cd", INT64_C(1) << 32}), 9, 3), want, 2);
}

static void check_twice(Method method)
{
    BpeWords *words = WORDS({"abab", 2});
    static const BpePair first[] = {{'a', 'b'}}, second[] = {{'b', 'b'}};
    assert_merges(train(method, words, 1, 1), first, 1);
    for (int i = 0; i < 4; i++) words->ids[i] = i == 0 ? 'a' : 'b';
    words->length[0] = 4;
    assert_merges(train(method, words, 1, 1), second, 1);
    assert_word_is(words, 0, 'a', 256, 'b');
    assert_integer("times of the word, an input", words->times[0], 2);
    assert_integer("first of the word, an input", (int64_t)words->first[0], 0);
}

// ---- 6: train, 7: train_indexed ----

#define BOTH_LIST(X)                                                                               \
    X(on_the_papers_words, check_paper)                                                            \
    X(on_wikipedias_example, check_wikipedia)                                                      \
    X(makes_the_merges_of_the_package_tokenizers, check_package)                                   \
    X(ends_after_most_merges_or_below_least, check_ends)                                           \
    X(on_no_words_and_on_single_bytes, check_little)                                               \
    X(on_random_words_matches_plain_sums, check_random)                                            \
    X(takes_counts_beyond_53_bits, check_large_counts)                                             \
    X(keeps_nothing_from_the_call_before, check_twice)

#define CASES(promise, check)                                                                      \
    CASE(train__##promise)                                                                         \
    {                                                                                              \
        check(NAIVE);                                                                              \
    }                                                                                              \
    CASE(train_indexed__##promise)                                                                 \
    {                                                                                              \
        check(INDEXED);                                                                            \
    }
BOTH_LIST(CASES)

CASE(train_indexed__looks_only_at_words_that_hold_the_pair)
{
    enum { COUNT = 200 };
    static char text[COUNT][4];
    static Word list[COUNT];
    for (int w = 0; w < COUNT; w++) {
        text[w][0] = (char)(33 + w % 90), text[w][1] = (char)(33 + w / 90);
        text[w][2] = (char)(60 + w % 60);
        list[w] = (Word){text[w], w + 1};
    }
    Trained got = train(INDEXED, words_of(list, COUNT), MERGES, 1);
    assert_that(got.made >= COUNT, "%d merges, expected one for each word at least", got.made);
    // 400 pairs at first; few words share a pair, and each is looked at once or twice: 3 + 1 calls.
    assert_that(got.calls <= 3200, "bpe_pairs_at() was called %lld times, expected at most 3200",
                (long long)got.calls);
}

#define NAIVE_CASE(promise, check)   cmocka_unit_test(train__##promise),
#define INDEXED_CASE(promise, check) cmocka_unit_test(train_indexed__##promise),

// clang-format off
const struct CMUnitTest training_cases[] = {
    BOTH_LIST(NAIVE_CASE)
    BOTH_LIST(INDEXED_CASE)
    cmocka_unit_test(train_indexed__looks_only_at_words_that_hold_the_pair),
    {0},
};
// clang-format on
