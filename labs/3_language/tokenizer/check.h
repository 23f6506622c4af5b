/* check.h -- the cases of each part of the lab, and the texts and tables that they use. */
#pragma once
#include "labs/3_language/tokenizer/tokenizer.h"
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"

extern const struct CMUnitTest text_cases[];        // utf8_decode, byte_map
extern const struct CMUnitTest pair_cases[];        // count_pairs .. merge
extern const struct CMUnitTest training_cases[];    // train, train_indexed
extern const struct CMUnitTest encoding_cases[];    // encode .. decode
extern const struct CMUnitTest rate_cases[];        // rates
extern const struct CMUnitTest split_cases[];       // split .. tokenize

// Of a case; the end of its process frees it.
Arena *case_arena(void);

// A copy that ends at a guard page.
char *text_copy(const char *text, size_t bytes);
#define TEXT(literal) text_copy(literal, sizeof(literal) - 1)
int *ids_of_text(const char *text, size_t bytes);    // its bytes as tokens

BpePairs ranks_of(const BpePair *merges, int count);    // of merge k: k
#define RANKS(...)                                                                                 \
    ranks_of((const BpePair[]){__VA_ARGS__},                                                       \
             sizeof((const BpePair[]){__VA_ARGS__}) / sizeof(BpePair))
int64_t count_of(const BpePairs *counts, int left, int right);    // 0 where it is not in the table

// GPT-2's merges, those that the texts of tests/truth.h need; and a comparison with its ids, which name the
// bytes in another order. -1 ends `want`.
BpePairs gpt2_ranks(void);
void assert_gpt2(const char *text, const int *ids, size_t n, const int *want);

// Words with their counts; "low" 5 times. The arrays end at guard pages.
typedef struct Word {
    const char *text;
    int64_t times;
} Word;
BpeWords *words_of(const Word *words, int count);
#define WORDS(...)                                                                                 \
    words_of((const Word[]){__VA_ARGS__}, sizeof((const Word[]){__VA_ARGS__}) / sizeof(Word))

// An array and its length, two arguments.
#define IDS(...) (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)

// Fails with both sequences and the first place where they differ.
#define assert_ids(what, got, n, ...)    ids_assert(what, got, n, __VA_ARGS__, __FILE__, __LINE__)
#define assert_tokens(what, got, n, ...) assert_ids(what, got, n, IDS(__VA_ARGS__))
void ids_assert(const char *what, const int *got, size_t n, const int *want, size_t count,
                const char *file, int line);
