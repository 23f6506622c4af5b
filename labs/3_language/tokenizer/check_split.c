/* Exercises 12 to 14: the pre-tokenizer, special tokens, and both with the encoder. check.c says how cases
 * are made.
 */
#include <stdio.h>
#include "labs/3_language/tokenizer/check.h"
#include "labs/3_language/tokenizer/tests/truth.h"
#include "tests/guarded.h"

// ---- 12: split ----

static void check_split(const char *text, size_t bytes, BpeClassify *classify, const int *want)
{
    char *copy = text_copy(text, bytes);
    int got[64];
    size_t count = 0, wanted = 0;
    for (size_t at = 0, n; at < bytes && count < 64; at += n) {
        n = bpe_split(copy + at, bytes - at, classify);
        assert_that(n > 0 && n <= bytes - at, "got a piece of %zu bytes, with %zu left", n,
                    bytes - at);
        got[count++] = (int)n;
    }
    while (want[wanted] > 0) wanted++;
    char what[160];
    snprintf(what, sizeof what, "bytes of the pieces of \"%s\"", text);
    ids_assert(what, got, count, want, wanted, __FILE__, __LINE__);
    assert_that(memcmp(copy, text, bytes) == 0, "the text was changed");
}
#define SPLIT(text, ...)                                                                           \
    check_split(text, sizeof(text) - 1, bpe_class, (const int[]){__VA_ARGS__, 0})

CASE(split__of_words_numbers_and_punctuation)
{
    SPLIT("Hello, world!", 5, 1, 6, 1);
    SPLIT("x=42;", 1, 1, 2, 1);
    SPLIT("a", 1);
    SPLIT("abc123", 3, 3);
}

CASE(split__gives_one_blank_to_what_follows)
{
    SPLIT("a b", 1, 2);
    SPLIT("a  b", 1, 1, 2);
    SPLIT("a   b", 1, 2, 2);
    SPLIT("\tb", 1, 1);    // a tab is no space
    SPLIT("a \tb", 1, 1, 1, 1);
    SPLIT(" 7 !", 2, 2);
}

CASE(split__of_whitespace_at_the_end)
{
    SPLIT(" ", 1);
    SPLIT("  ", 2);
    SPLIT("a \n", 1, 2);
    SPLIT("\n", 1);
}

CASE(split__cuts_seven_contractions_in_lower_case)
{
    SPLIT("it's we'll I'd", 2, 2, 3, 3, 2, 2);
    SPLIT("'re've'm't", 3, 3, 2, 2);
    SPLIT("IT'S", 2, 1, 1);
    SPLIT("'", 1);
    SPLIT("'r", 1, 1);
    SPLIT("'l", 1, 1);
    SPLIT(" 's", 2, 1);    // behind a space: punctuation like any other
    SPLIT("'sx", 2, 1);
    SPLIT("it\u2019s", 2, 3, 1);    // a curly apostrophe is punctuation
}

CASE(split__matches_the_package_tokenizers)
{
    for (size_t i = 0; i < sizeof truth_split / sizeof *truth_split; i++)
        check_split(truth_split[i].text, strlen(truth_split[i].text), bpe_class,
                    truth_split[i].pieces);
}

CASE(split__of_characters_of_several_bytes)
{
    SPLIT("\u4e2d\u6587 \u00e9", 6, 3);
    SPLIT("\u3000\u3000x", 3, 3, 1);    // each is whitespace of three bytes
    SPLIT("\u00a0", 2);
    SPLIT("\u00b2x", 2, 1);
}

CASE(split__of_bytes_that_are_not_utf8_takes_them_as_symbols)
{
    SPLIT("a\xff\xe4\xb8z", 1, 3, 1);
    SPLIT(" \xe4\xb8", 3);
    SPLIT("\xe4", 1);
    SPLIT("a\0\0b", 1, 2, 1);
}

static BpeClass other_classes(uint32_t code)
{
    return code == 'x' || code == ' ' ? BPE_SPACE : code < 'a' ? BPE_OTHER : BPE_NUMBER;
}

CASE(split__asks_the_given_classes)
{
    check_split("abx!x  -", 8, other_classes, (const int[]){2, 1, 1, 2, 2, 0});
    check_split("b xx!", 5, other_classes, (const int[]){1, 2, 1, 1, 0});
}

CASE(split__of_long_runs)
{
    enum { N = 200000 };
    static const struct {
        int unit;
        size_t kept;
    } runs[] = {{'a', 0}, {'^', 0}, {'7', 0}, {' ', 1}, {'\n', 1}};
    for (size_t r = 0; r < sizeof runs / sizeof *runs; r++) {
        static char text[N + 1];
        memset(text, runs[r].unit, N);
        text[N] = runs[r].unit == 'a' ? '!' : 'a';
        size_t got = bpe_split(text_copy(text, N + 1), N + 1, bpe_class);
        assert_integer("bytes of a long piece", (int64_t)got, (int64_t)(N - runs[r].kept));
    }
}

CASE(split__takes_the_same_text_again)
{
    char *text = TEXT("abc");
    assert_integer("the first piece", (int64_t)bpe_split(text, 3, bpe_class), 3);
    text[1] = '1';
    assert_integer("the first piece, changed", (int64_t)bpe_split(text, 3, bpe_class), 1);
}

// ---- 13: find_special ----

static const BpeSpecial marks[] = {{"<s>", 1000}, {"<|end|>", 1001}, {"<|end", 1002}, {"s", 1003}};

static void check_found(const char *text, size_t bytes, int count, int which, size_t at)
{
    char *copy = text_copy(text, bytes);
    size_t got_at = 999;
    int got = bpe_find_special(&got_at, copy, bytes, marks, count);
    assert_that(got == which && got_at == at,
                "of \"%s\": got special token %d at byte %zu, expected %d at byte %zu", text, got,
                got_at, which, at);
}
#define FOUND(text, count, which, at) check_found(text, sizeof(text) - 1, count, which, at)

CASE(find_special__gives_the_first_in_the_text)
{
    FOUND("ab<s>c<|end|>", 2, 0, 2);
    FOUND("ab<|end|>c<s>", 2, 1, 2);
    FOUND("<s>", 2, 0, 0);
    FOUND("ab<s><s>", 2, 0, 2);
    FOUND("xs<s>", 4, 3, 1);
}

CASE(find_special__of_many_and_of_long_ones)
{
    enum { COUNT = 300, LONG = 70000 };
    BpeSpecial many[COUNT + 1];
    static char names[COUNT][16], text[LONG + 1];
    for (int s = 0; s < COUNT; s++) {
        snprintf(names[s], sizeof names[s], "<%d>", s);
        many[s] = (BpeSpecial){names[s], s};
    }
    memset(text, 'q', LONG);
    many[COUNT] = (BpeSpecial){text, 7};
    size_t at = 9;
    assert_integer("of a<299>", bpe_find_special(&at, TEXT("a<299>"), 6, many, COUNT + 1), 299);
    assert_integer("bytes before it", (int64_t)at, 1);
    assert_integer("of 70000 q",
                   bpe_find_special(&at, text_copy(text, LONG), LONG, many, COUNT + 1), COUNT);
    assert_integer("of 69999 q",
                   bpe_find_special(&at, text_copy(text, LONG - 1), LONG - 1, many, COUNT + 1), -1);
}

CASE(find_special__of_several_at_one_place_gives_the_longest)
{
    FOUND("x<|end|>", 3, 1, 1);
    FOUND("x<|end|", 3, 2, 1);
    FOUND("<s>", 4, 0, 0);
    static const BpeSpecial reversed[] = {{"ab", 1}, {"abcd", 2}, {"abc", 3}, {"a", 4}};
    size_t at = 9;
    assert_integer("of abcde", bpe_find_special(&at, TEXT("abcde"), 5, reversed, 4), 1);
    assert_integer("of abce", bpe_find_special(&at, TEXT("abce"), 4, reversed, 4), 2);
}

CASE(find_special__prefers_an_earlier_one_to_a_longer_one)
{
    static const BpeSpecial two[] = {{"bcdefgh", 1}, {"ab", 2}};
    size_t at = 9;
    assert_integer("of abcdefgh", bpe_find_special(&at, TEXT("abcdefgh"), 8, two, 2), 1);
    assert_integer("bytes before it", (int64_t)at, 0);
}

CASE(find_special__without_one_gives_minus_one)
{
    FOUND("", 4, -1, 0);
    FOUND("abc", 3, -1, 3);
    FOUND("<s> <|end|>", 0, -1, 11);
    FOUND("<S>", 3, -1, 3);
}

CASE(find_special__is_not_fooled_by_half_a_token)
{
    FOUND("<s", 3, -1, 2);
    FOUND("a<|en", 3, -1, 5);
    FOUND("<<s>", 2, 0, 1);
    FOUND("<|endx|>", 2, -1, 8);
    FOUND("<|<|end|>", 2, 1, 2);
    size_t at = 9;    // what fails may begin anew within itself
    assert_integer("of aaab", bpe_find_special(&at, TEXT("aaab"), 4, &(BpeSpecial){"aab", 1}, 1),
                   0);
    assert_integer("bytes before it", (int64_t)at, 1);
}

CASE(find_special__goes_on_behind_a_byte_0)
{
    FOUND("a\0b<s>", 2, 0, 3);
    FOUND("\0\0", 2, -1, 2);
}

CASE(find_special__at_the_end_of_a_long_text)
{
    enum { N = 100000 };
    static char text[N + 3];
    memset(text, '<', N);
    memcpy(text + N, "<s>", 3);
    check_found(text, N + 3, 3, 0, N);
    check_found(text, N + 2, 3, -1, N + 2);
}

CASE(find_special__takes_the_same_text_again)
{
    char *text = TEXT("a<s>");
    size_t at = 9;
    bpe_find_special(&at, text, 4, marks, 2);
    text[2] = 'x';
    assert_integer("the changed text", bpe_find_special(&at, text, 4, marks, 2), -1);
    assert_integer("bytes before it", (int64_t)at, 4);
}

// ---- 14: tokenize ----

static void check_tokenized(const BpeTokenizer *tokenizer, const char *text, size_t bytes,
                            bool special, const int *want, size_t count)
{
    char *copy = text_copy(text, bytes);
    int *ids = ints_filled(bytes, -1);
    size_t n = bpe_tokenize(ids, tokenizer, copy, bytes, special);
    assert_that(n <= bytes, "got %zu tokens of %zu bytes", n, bytes);
    char what[160];
    snprintf(what, sizeof what, "tokens of \"%s\"", text);
    ids_assert(what, ids, n, want, count, __FILE__, __LINE__);
    assert_that(bytes == 0 || memcmp(copy, text, bytes) == 0, "the text was changed");
}
#define TOKENIZED(tokenizer, text, special, ...)                                                   \
    check_tokenized(tokenizer, text, sizeof(text) - 1, special, IDS(__VA_ARGS__))

static BpeTokenizer tokenizer_of(const BpePairs *ranks, BpeClassify *classify)
{
    return (BpeTokenizer){ranks, classify, marks, 3};
}

CASE(tokenize__of_texts_gives_gpt2s_ids)
{
    BpePairs ranks = gpt2_ranks();
    BpeTokenizer gpt2 = tokenizer_of(&ranks, bpe_class);
    for (size_t i = 0; i < sizeof truth_texts / sizeof *truth_texts; i++) {
        size_t bytes = strlen(truth_texts[i].text);
        int *ids = ints_filled(bytes, -1);
        size_t n = bpe_tokenize(ids, &gpt2, text_copy(truth_texts[i].text, bytes), bytes, false);
        assert_gpt2(truth_texts[i].text, ids, n, truth_texts[i].ids);
    }
}

CASE(tokenize__merges_nothing_across_pieces)
{
    BpePairs ranks = RANKS({'a', ' '}, {' ', 'b'}, {'a', 'b'});
    BpeTokenizer split = tokenizer_of(&ranks, bpe_class), whole = tokenizer_of(&ranks, NULL);
    TOKENIZED(&split, "a b", false, 'a', 257);
    TOKENIZED(&whole, "a b", false, 256, 'b');
    TOKENIZED(&split, "ab a", false, 258, ' ', 'a');
    BpeTokenizer own = tokenizer_of(&ranks, other_classes);    // where x is whitespace
    ranks = RANKS({'x', 'a'}, {'a', '7'});
    TOKENIZED(&own, "xa", false, 'x', 'a');
    TOKENIZED(&split, "xa", false, 256);
}

CASE(tokenize__cuts_special_tokens_where_it_is_asked_to)
{
    BpePairs ranks = RANKS({'a', 'b'}, {'b', '<'}, {'>', 'a'});
    BpeTokenizer t = tokenizer_of(&ranks, NULL);
    TOKENIZED(&t, "ab<s>ab", true, 256, 1000, 256);
    TOKENIZED(&t, "<s>", true, 1000);
    TOKENIZED(&t, "<s><s>", true, 1000, 1000);
    TOKENIZED(&t, "<s><|end|>b<|end", true, 1000, 1001, 'b', 1002);
    TOKENIZED(&t, "b<s>a", true, 'b', 1000, 'a');    // and not the pairs "b<" and ">a"
}

CASE(tokenize__takes_special_tokens_as_text_otherwise)
{
    BpePairs ranks = RANKS({'b', '<'}, {'>', 'a'});
    BpeTokenizer t = tokenizer_of(&ranks, NULL), split = tokenizer_of(&ranks, bpe_class);
    TOKENIZED(&t, "<s>", false, '<', 's', '>');
    TOKENIZED(&t, "b<s>a", false, 256, 's', 257);
    TOKENIZED(&split, "<|end|>", false, '<', '|', 'e', 'n', 'd', '|', '>');
}

CASE(tokenize__of_nothing_and_without_merges_or_special_tokens)
{
    BpePairs none = bpe_pairs_new(case_arena());
    BpeTokenizer t = {&none, bpe_class, NULL, 0};
    check_tokenized(&t, "", 0, true, NULL, 0);
    check_tokenized(&t, "", 0, false, NULL, 0);
    TOKENIZED(&t, "a<s>", true, 'a', '<', 's', '>');
}

CASE(tokenize__of_bytes_above_127_and_of_0)
{
    BpePairs ranks = RANKS({0xe6, 0xad}, {0, 'a'});
    BpeTokenizer t = tokenizer_of(&ranks, bpe_class), whole = tokenizer_of(&ranks, NULL);
    TOKENIZED(&t, "\xe6\xad\xff", true, 256, 255);
    TOKENIZED(&whole, "\0a\xe6", false, 257, 0xe6);
    TOKENIZED(&t, "\0<s>\0", true, 0, 1000, 0);
}

CASE(tokenize__splits_what_stands_between_special_tokens)
{
    BpePairs ranks = RANKS({' ', 'a'}, {' ', ' '});
    BpeTokenizer t = tokenizer_of(&ranks, bpe_class);
    TOKENIZED(&t, "  <s> a", true, 257, 1000, 256);    // whitespace up to the end of its text
    TOKENIZED(&t, "  a<s>  ", true, ' ', 256, 1000, 257);
}

CASE(tokenize__of_a_long_text)
{
    enum { N = 6000 };
    BpePairs ranks = RANKS({' ', 'a'}, {256, 'b'});
    BpeTokenizer t = tokenizer_of(&ranks, bpe_class);
    static char text[6 * N];
    for (int i = 0; i < N; i++) memcpy(text + 6 * i, " ab<s>", 6);
    int *want = ints_filled(2 * N, 1000);
    for (int i = 0; i < N; i++) want[2 * i] = 257;
    text[0] = ' ';
    char *copy = text_copy(text, 6 * N);
    int *ids = ints_filled(6 * N, -1);
    size_t n = bpe_tokenize(ids, &t, copy, 6 * N, true);
    assert_ids("a long text", ids, n, want, 2 * N);
    n = bpe_tokenize(ids, &t, copy, 6 * N, false);
    assert_integer("tokens of a long text with no special ones", (int64_t)n, 4 * N);
    memset(text, 'b', 6 * N);    // one piece
    n = bpe_tokenize(ids, &t, text_copy(text, 6 * N), 6 * N, false);
    assert_integer("tokens of a long piece", (int64_t)n, 6 * N);
}

CASE(tokenize__takes_the_same_text_again)
{
    BpePairs ranks = RANKS({'a', 'b'});
    BpeTokenizer t = tokenizer_of(&ranks, bpe_class);
    char *text = TEXT("ab");
    int *ids = ints_filled(2, -1);
    bpe_tokenize(ids, &t, text, 2, false);
    text[1] = 'c';
    size_t n = bpe_tokenize(ids, &t, text, 2, false);
    assert_tokens("the second call", ids, n, 'a', 'c');
    text[1] = 'b';
    BpePairs other = RANKS({'z', 'z'}, {'a', 'b'});
    t.ranks = &other;
    n = bpe_tokenize(ids, &t, text, 2, false);
    assert_tokens("with other ranks", ids, n, 257);
}

const struct CMUnitTest split_cases[] = {
    cmocka_unit_test(split__of_words_numbers_and_punctuation),
    cmocka_unit_test(split__gives_one_blank_to_what_follows),
    cmocka_unit_test(split__of_whitespace_at_the_end),
    cmocka_unit_test(split__cuts_seven_contractions_in_lower_case),
    cmocka_unit_test(split__matches_the_package_tokenizers),
    cmocka_unit_test(split__of_characters_of_several_bytes),
    cmocka_unit_test(split__of_bytes_that_are_not_utf8_takes_them_as_symbols),
    cmocka_unit_test(split__asks_the_given_classes),
    cmocka_unit_test(split__of_long_runs),
    cmocka_unit_test(split__takes_the_same_text_again),
    cmocka_unit_test(find_special__gives_the_first_in_the_text),
    cmocka_unit_test(find_special__of_many_and_of_long_ones),
    cmocka_unit_test(find_special__of_several_at_one_place_gives_the_longest),
    cmocka_unit_test(find_special__prefers_an_earlier_one_to_a_longer_one),
    cmocka_unit_test(find_special__without_one_gives_minus_one),
    cmocka_unit_test(find_special__is_not_fooled_by_half_a_token),
    cmocka_unit_test(find_special__goes_on_behind_a_byte_0),
    cmocka_unit_test(find_special__at_the_end_of_a_long_text),
    cmocka_unit_test(find_special__takes_the_same_text_again),
    cmocka_unit_test(tokenize__of_texts_gives_gpt2s_ids),
    cmocka_unit_test(tokenize__merges_nothing_across_pieces),
    cmocka_unit_test(tokenize__cuts_special_tokens_where_it_is_asked_to),
    cmocka_unit_test(tokenize__takes_special_tokens_as_text_otherwise),
    cmocka_unit_test(tokenize__of_nothing_and_without_merges_or_special_tokens),
    cmocka_unit_test(tokenize__of_bytes_above_127_and_of_0),
    cmocka_unit_test(tokenize__splits_what_stands_between_special_tokens),
    cmocka_unit_test(tokenize__of_a_long_text),
    cmocka_unit_test(tokenize__takes_the_same_text_again),
    {0},
};
