/* Exercises 8 to 10: encoding, the vocabulary, decoding. check.c says how cases are made. */
#include "labs/3_language/tokenizer/check.h"
#include "labs/3_language/tokenizer/tests/truth.h"
#include "tests/guarded.h"

// ---- 8: encode ----

static int *encoded(size_t *n, const char *text, size_t bytes, const BpePairs *ranks)
{
    int *ids = ids_of_text(text, bytes);
    *n = bpe_encode_piece(ids, bytes, ranks);
    assert_that(*n <= bytes, "got %zu tokens of %zu bytes", *n, bytes);
    return ids;
}
#define assert_encoded(ranks, text, ...)                                                           \
    do {                                                                                           \
        size_t tokens;                                                                             \
        int *got_ids = encoded(&tokens, text, sizeof(text) - 1, ranks);                            \
        assert_tokens("tokens of \"" text "\"", got_ids, tokens, __VA_ARGS__);                     \
    } while (0)

CASE(encode__of_the_papers_words)
{
    BpePairs ranks = RANKS({'e', 's'}, {256, 't'}, {'l', 'o'}, {258, 'w'}, {'e', 'r'});
    assert_encoded(&ranks, "lowest", 259, 257);    // a word that was never seen
    assert_encoded(&ranks, "lower", 259, 260);
    assert_encoded(&ranks, "slow", 's', 259);
    assert_encoded(&ranks, "xyz", 'x', 'y', 'z');
}

CASE(encode__merges_the_lowest_rank_first)
{
    BpePairs ranks = RANKS({'b', 'c'}, {'a', 'b'}, {257, 'c'}, {'c', 'd'});
    assert_encoded(&ranks, "abc", 'a',
                   256);    // neither from the left nor the longest match: abc is 258
    assert_encoded(&ranks, "ab", 257);
    assert_encoded(&ranks, "abcd", 'a', 256, 'd');
    assert_encoded(&ranks, "bcabcd", 256, 'a', 256, 'd');
}

CASE(encode__goes_on_with_the_tokens_that_it_made)
{
    BpePairs ranks = RANKS({'a', 'a'}, {256, 256}, {257, 257}, {258, 'a'});
    assert_encoded(&ranks, "aaaaaaaaa", 259);
    assert_encoded(&ranks, "aaa", 256, 'a');
    assert_encoded(&ranks, "aaaaa", 257, 'a');
    assert_encoded(&ranks, "aaaaaaa", 257, 256, 'a');
}

CASE(encode__of_nothing_and_of_one_byte)
{
    BpePairs ranks = RANKS({'a', 'b'}), none = bpe_pairs_new(case_arena());
    assert_integer("tokens of nothing", (int64_t)bpe_encode_piece(ints_filled(0, 0), 0, &ranks), 0);
    assert_encoded(&ranks, "a", 'a');
    assert_encoded(&ranks, "ab", 256);
    assert_encoded(&none, "abab", 'a', 'b', 'a', 'b');
}

CASE(encode__of_pieces_gives_gpt2s_ids)
{
    BpePairs ranks = gpt2_ranks();
    for (size_t i = 0; i < sizeof truth_pieces / sizeof *truth_pieces; i++) {
        size_t n;
        int *ids = encoded(&n, truth_pieces[i].text, strlen(truth_pieces[i].text), &ranks);
        assert_gpt2(truth_pieces[i].text, ids, n, truth_pieces[i].ids);
    }
}

CASE(encode__of_bytes_that_are_not_text)
{
    BpePairs ranks = RANKS({0xe6, 0xad}, {0, 255});
    assert_encoded(&ranks, "\xe6\xad\xff\0\xff", 256, 0xff, 257);
}

CASE(encode__of_a_long_piece)
{
    enum { N = 4099 };
    BpePairs ranks = RANKS({'a', 'a'}, {256, 256}, {257, 257}, {258, 258});
    static char text[N];
    memset(text, 'a', N);
    size_t n;
    int *ids = encoded(&n, text, N, &ranks), *want = ints_filled(N / 16 + 2, 259);
    want[N / 16] = 256, want[N / 16 + 1] = 'a';    // 4099 is 16 x 256 + 3
    assert_ids("4099 times a", ids, n, want, N / 16 + 2);
    for (int i = 0; i < N; i++) text[i] = (char)('b' + i % 2);
    memset(text + N - 2, 'a', 2);
    ids = encoded(&n, text, N, &ranks);
    assert_that(n == N - 1 && ids[N - 2] == 256 && ids[N - 3] == 'b', "its end was not merged");
}

CASE(encode__in_turns_with_two_tables)
{
    BpePairs one = RANKS({'a', 'b'}), two = RANKS({'b', 'a'}, {'a', 'b'});
    int *ids = ids_of_text("aba", 3);
    size_t n = bpe_encode_piece(ids, 3, &one);
    assert_tokens("the first call", ids, n, 256, 'a');
    ids[0] = 'a', ids[1] = 'b', ids[2] = 'a';
    n = bpe_encode_piece(ids, 3, &two);
    assert_tokens("the second call", ids, n, 'a', 256);
    *bpe_pairs_at(&two, (BpePair){'b', 'a'}) = 2;
    ids[0] = 'a', ids[1] = 'b', ids[2] = 'a';
    n = bpe_encode_piece(ids, 3, &two);
    assert_tokens("the same table, other ranks", ids, n, 257, 'a');
}

// ---- 9: vocabulary ----

static BpeVocabulary vocabulary_of(size_t room, int count)
{
    return (BpeVocabulary){guarded_new(room, 1), room,
                           guarded_new(257 + (size_t)(count > 0 ? count : 0), sizeof(size_t)), -1};
}

static void check_token(const BpeVocabulary *v, int id, const char *want, size_t bytes)
{
    size_t length = v->first[id + 1] - v->first[id];
    assert_that(length == bytes && memcmp(v->bytes + v->first[id], want, bytes) == 0,
                "token %d: got \"%.*s\" of %zu bytes, expected \"%.*s\" of %zu", id,
                length < 40 ? (int)length : 40, v->bytes + v->first[id], length, (int)bytes, want,
                bytes);
}

static const BpePair low_lowest[] = {{'e', 's'}, {256, 't'}, {'l', 'o'}, {258, 'w'}, {259, 257}};

CASE(vocabulary__of_the_papers_merges)
{
    BpeVocabulary v = vocabulary_of(256 + 2 + 3 + 2 + 3 + 6, 5);
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, low_lowest, 5), true);
    assert_integer("size", v.size, 261);
    for (int b = 0; b < 256; b++) check_token(&v, b, (char[]){(char)b}, 1);
    check_token(&v, 256, "es", 2);
    check_token(&v, 257, "est", 3);
    check_token(&v, 258, "lo", 2);
    check_token(&v, 259, "low", 3);
    check_token(&v, 260, "lowest", 6);
    assert_integer("first[size]", (int64_t)v.first[261], 256 + 16);
}

CASE(vocabulary__without_merges)
{
    BpeVocabulary v = vocabulary_of(256, 0);
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, NULL, 0), true);
    assert_integer("size", v.size, 256);
    check_token(&v, 255, "\xff", 1);
    check_token(&v, 0, "\0", 1);
}

CASE(vocabulary__refuses_too_little_room)
{
    for (size_t room = 0; room < 256 + 16; room += room == 0 ? 255 : 1) {
        BpeVocabulary v = vocabulary_of(room, 5);
        assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, low_lowest, 5), false);
    }
    BpeVocabulary more = vocabulary_of(1000, 5);
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&more, low_lowest, 5), true);
    check_token(&more, 260, "lowest", 6);
}

CASE(vocabulary__refuses_tokens_that_do_not_exist_yet)
{
    static const BpePair damaged[][2] = {{{'a', 'b'}, {257, 'c'}},   {{'a', 'b'}, {'c', 257}},
                                         {{256, 'a'}, {'a', 'b'}},   {{'a', 'b'}, {-1, 'c'}},
                                         {{'a', 'b'}, {'c', -5}},    {{'a', 'b'}, {256, 258}},
                                         {{'a', INT32_MIN}, {0, 0}}, {{'a', 'b'}, {INT32_MAX, 1}}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        BpeVocabulary v = vocabulary_of(300, 2);
        bpe_vocabulary(&v, low_lowest, 2);    // so that the arrays hold something
        assert_that(!bpe_vocabulary(&v, damaged[i], 2),
                    "merges (%d, %d), (%d, %d): got true, expected false", damaged[i][0].left,
                    damaged[i][0].right, damaged[i][1].left, damaged[i][1].right);
    }
}

CASE(vocabulary__of_tokens_that_double)
{
    BpePair merges[16] = {{'a', 'a'}};
    for (int k = 1; k < 16; k++) merges[k] = (BpePair){255 + k, 255 + k};
    BpeVocabulary v = vocabulary_of(256 + (1 << 17) - 2, 16);
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, merges, 16), true);
    static char want[1 << 16];
    memset(want, 'a', sizeof want);
    assert_that(v.first[272] - v.first[271] == sizeof want &&
                    memcmp(v.bytes + v.first[271], want, sizeof want) == 0,
                "token 271 is not 65536 times a");
}

CASE(vocabulary__takes_the_same_arrays_again)
{
    BpeVocabulary v = vocabulary_of(400, 2);
    BpePair merges[] = {{'a', 'b'}, {256, 0xff}};
    bpe_vocabulary(&v, merges, 2);
    merges[0] = (BpePair){0, 'z'};
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, merges, 2), true);
    check_token(&v, 256, "\0z", 2);
    check_token(&v, 257, "\0z\xff", 3);
    assert_boolean("bpe_vocabulary", bpe_vocabulary(&v, merges, 1), true);
    assert_integer("size", v.size, 257);
}

// ---- 10: decode ----

// Tokens: a, "", "est", "\0\xff", "\xe4\xb8", "\xad".
static const BpeVocabulary *small(void)
{
    static const size_t first[] = {0, 1, 1, 4, 6, 8, 9};
    static BpeVocabulary v = {.room = 9, .size = 6};
    if (v.bytes == NULL) {
        v.bytes = TEXT("aest\0\xff\xe4\xb8\xad");
        v.first = memcpy(guarded_new(7, sizeof *first), first, sizeof first);
    }
    return &v;
}

static void check_text(const int *ids, size_t n, size_t room, const char *want, size_t bytes)
{
    int *mine = ints_copy(ids, n);
    size_t written = room < bytes ? room : bytes;
    char *text = room > 0 ? guarded_new(room, 1) : NULL;
    size_t got = bpe_decode(text, room, small(), mine, n);
    assert_integer("bytes of the text", (int64_t)got, (int64_t)bytes);
    assert_that(written == 0 || memcmp(text, want, written) == 0,
                "text: got \"%.*s\", expected \"%.*s\"", (int)written, text, (int)written, want);
    for (size_t i = written; i < room; i++)
        assert_that((unsigned char)text[i] == 0xff, "text[%zu] was written", i);
    assert_ids("ids, an input", mine, n, ids, n);
}
#define DECODE(room, want, ...) check_text(IDS(__VA_ARGS__), room, want, sizeof(want) - 1)

CASE(decode__puts_the_bytes_one_behind_the_other)
{
    DECODE(5, "aesta", 0, 2, 0);
    DECODE(3, "est", 2);
    DECODE(9, "aaaestest", 0, 0, 0, 2, 2);
    size_t first[302];    // as of 300 tokens of one byte
    char bytes[301], text[4];
    for (int i = 0; i <= 301; i++) first[i] = (size_t)i;
    for (int i = 0; i < 301; i++) bytes[i] = (char)i;
    BpeVocabulary large = {bytes, 301, first, 301};
    assert_integer("bytes of the text",
                   (int64_t)bpe_decode(text, 4, &large, INTS(' ', 298, 300, ' '), 4), 4);
    assert_that(memcmp(text, " *, ", 4) == 0, "text: got \"%.4s\", expected \" *, \"", text);
}

CASE(decode__of_nothing_and_of_empty_tokens)
{
    check_text(ints_filled(0, 0), 0, 4, "", 0);
    DECODE(0, "", 1);
    DECODE(2, "aa", 0, 1, 1, 0, 1);
}

CASE(decode__of_bytes_0_and_255_is_not_cut)
{
    DECODE(6,
           "\0\xff"
           "a\0\xff"
           "a",
           3, 0, 3, 0);
}

CASE(decode__of_half_characters_gives_their_bytes)
{
    DECODE(2, "\xe4\xb8", 4);
    DECODE(3, "\xe4\xb8\xad", 4, 5);
}

CASE(decode__skips_ids_that_are_no_tokens)
{
    DECODE(4, "aest", 0, 6, 2);
    DECODE(2, "aa", -1, 0, 1000000, 0, INT32_MIN, 50256, INT32_MAX);
    DECODE(0, "", 6, 7);
    DECODE(0, "", 65538, 131072, 1 << 24, 1 << 30 | 2);
}

CASE(decode__writes_no_more_than_there_is_room_for)
{
    for (size_t room = 0; room < 12; room++) DECODE(room, "aestaest\xad", 0, 2, 0, 2, 5);
}

CASE(decode__of_a_long_text)
{
    enum { N = 20000 };
    int *ids = ints_filled(N, 2);
    static char want[3 * N];
    for (int i = 0; i < 3 * N; i++) want[i] = "est"[i % 3];
    check_text(ids, N, 3 * N, want, 3 * N);
    check_text(ids, N, 3 * N - 1, want, 3 * N);
}

CASE(decode__takes_the_same_array_again)
{
    int *ids = INTS(0, 2);
    char *text = guarded_new(6, 1);
    bpe_decode(text, 6, small(), ids, 2);
    ids[0] = 2;
    assert_integer("bytes of the second call", (int64_t)bpe_decode(text, 6, small(), ids, 2), 6);
    assert_that(memcmp(text, "estest", 6) == 0, "second call: got \"%.6s\", expected \"estest\"",
                text);
}

const struct CMUnitTest encoding_cases[] = {
    cmocka_unit_test(encode__of_the_papers_words),
    cmocka_unit_test(encode__merges_the_lowest_rank_first),
    cmocka_unit_test(encode__goes_on_with_the_tokens_that_it_made),
    cmocka_unit_test(encode__of_nothing_and_of_one_byte),
    cmocka_unit_test(encode__of_pieces_gives_gpt2s_ids),
    cmocka_unit_test(encode__of_bytes_that_are_not_text),
    cmocka_unit_test(encode__of_a_long_piece),
    cmocka_unit_test(encode__in_turns_with_two_tables),
    cmocka_unit_test(vocabulary__of_the_papers_merges),
    cmocka_unit_test(vocabulary__without_merges),
    cmocka_unit_test(vocabulary__refuses_too_little_room),
    cmocka_unit_test(vocabulary__refuses_tokens_that_do_not_exist_yet),
    cmocka_unit_test(vocabulary__of_tokens_that_double),
    cmocka_unit_test(vocabulary__takes_the_same_arrays_again),
    cmocka_unit_test(decode__puts_the_bytes_one_behind_the_other),
    cmocka_unit_test(decode__of_nothing_and_of_empty_tokens),
    cmocka_unit_test(decode__of_bytes_0_and_255_is_not_cut),
    cmocka_unit_test(decode__of_half_characters_gives_their_bytes),
    cmocka_unit_test(decode__skips_ids_that_are_no_tokens),
    cmocka_unit_test(decode__writes_no_more_than_there_is_room_for),
    cmocka_unit_test(decode__of_a_long_text),
    cmocka_unit_test(decode__takes_the_same_array_again),
    {0},
};
