/* train.h -- learns byte-pair encoding from the pieces of a text.
 *
 *     WordCounts words = {0};
 *     word_counts_add(&words, " the", 4);                        // each piece of the text
 *     train_merges(&bpe, &words, (Training){.minimum = 2});      // until the vocabulary is full
 *     word_counts_free(&words);
 *
 * Each step merges the pair of tokens that is most often beside each other in the pieces; of equal pairs
 * the one of lower ids. A piece that occurs often is merged once and counts as often as it occurs. Each
 * pair knows the pieces that may hold it, and the pairs lie in a heap by their counts, which are brought
 * up to date when they come to the top (Sennrich et al. 2016; in every detail as `tokenizers` counts).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "labs/3_language/tokenizer/app/bpe/bpe.h"
#include "labs/3_language/tokenizer/app/text/bytes.h"

typedef struct WordCount {
    uint64_t hash;
    size_t start;    // of the piece, in text
    uint32_t bytes;
    int64_t count;
} WordCount;

typedef struct WordCounts {
    Bytes text;
    WordCount *words;
    size_t count, room;
    uint32_t *table;    // a word's number and 1, by hash; 0: free
    size_t mask;
} WordCounts;

void word_counts_add(WordCounts *words, const uint8_t *piece, size_t bytes);
void word_counts_free(WordCounts *words);

typedef struct Training {
    int64_t minimum;    // a pair that is rarer is not merged
    void (*on_merge)(void *context, int id, const char *piece, size_t bytes, uint64_t times);
    void *context;
} Training;

// Adds tokens and merges; the bytes have tokens already. Takes what is in the table of merges away.
void train_merges(Bpe *bpe, const WordCounts *words, Training training);
