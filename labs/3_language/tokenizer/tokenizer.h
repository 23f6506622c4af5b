/* tokenizer.h -- what you write in this lab: fourteen functions of a few lines each.
 *
 * A text is bytes, of which nothing else is known: it may hold bytes 0, need not be UTF-8, and does not
 * end with a 0. A token is an id: ids 0 to 255 are the bytes, and merge k (from 0) makes token 256 + k
 * out of two tokens that exist already. A pair is two tokens side by side; pairs.h has the table.
 *
 * Sizes may be 0 unless a minimum is given. Inputs are not modified; outputs are overwritten, and do
 * not overlap inputs, unless stated otherwise. Nothing is kept from one call to the next.
 */
#pragma once
#include <stdbool.h>
#include "labs/3_language/tokenizer/classes.h"
#include "labs/3_language/tokenizer/pairs.h"

// ---- bytes and characters ----

// 1. The code point of the first character of a UTF-8 text, and how many bytes it takes, in *used.
//    Where there is no well-formed character (Unicode 15, table 3-7: shortest forms, no surrogates, at
//    most U+10FFFF) it is U+FFFD, and *used counts the maximal subpart: as many bytes as begin some
//    well-formed character, at least 1. A text that ends too soon is such a case.
//    text: [bytes], bytes > 0
uint32_t bpe_utf8_decode(const char *text, size_t bytes, size_t *used);

// 2. GPT-2's map from bytes to characters that can be seen: bytes 33 to 126, 161 to 172 and 174 to 255
//    are their own code points; the other 68, in ascending order, are 256, 257, ... A vocabulary file
//    thus holds no space and no control character.
void bpe_byte_map(uint32_t code[256]);

// ---- training ----

// 3. Adds `times` to the count of every pair of neighbours in ids, n - 1 in all: "aaaa" holds the pair
//    aa three times. `times` may be negative. A pair of count 0 may stay in the table.   ids: [n]
void bpe_count_pairs(BpePairs *counts, const int *ids, size_t n, int64_t times);

// 4. The pair with the largest count; of several such the one with the smallest left token, of those
//    the one with the smallest right token. True when its count is at least `least`; otherwise false,
//    and *best is left alone.   least > 0
bool bpe_best_pair(BpePair *best, const BpePairs *counts, int64_t least);

// 5. Replaces the pair by one token `id`, from left to right, each token in at most one pair: "aaa"
//    becomes X a. In place; returns the number of tokens that remain.   ids: [n]
size_t bpe_merge(int *ids, size_t n, BpePair pair, int id);

// The different words (pieces) of a text, each once. A merge shortens a word where it lies.
typedef struct BpeWords {
    int *ids;          // the tokens of word w: ids[first[w]] .. ids[first[w] + length[w] - 1]
    size_t *first;     // [count]
    size_t *length;    // [count]
    int64_t *times;    // [count] how often the text holds the word; > 0
    int count;
} BpeWords;

// 6. Byte-pair encoding is learned: count the pairs of all words, each `times` the word's; merge the
//    best pair in all words into the next token, 256 at first; repeat. Ends after `most` merges, or
//    when no count is at least `least`. Returns the number of merges; merges[k] is the pair of merge
//    k. The words are left as merged. counts: scratch space, whatever it holds is dropped.
//    merges: [most]
int bpe_train(BpePair *merges, int most, BpeWords *words, int64_t least, BpePairs *counts);

// 7. The same merges and words, faster: pairs are counted once, and with each pair the words that hold
//    it are noted. A merge looks only at the words that were noted for its pair; the counts of their
//    pairs are taken away before it and added after it, and what is new is noted. bpe_pairs_at() is
//    called at most twice for each pair in one of those words.
int bpe_train_indexed(BpePair *merges, int most, BpeWords *words, int64_t least, BpePairs *counts);

// ---- encoding and decoding ----

// 8. Merges one piece of text as training would have: of the pairs in it that have a rank, the one
//    with the lowest is merged wherever it stands; repeat until no pair has a rank. The pair of rank k
//    becomes token 256 + k. In place; returns the number of tokens.   ids: [n], bytes at first
size_t bpe_encode_piece(int *ids, size_t n, const BpePairs *ranks);

typedef struct BpeVocabulary {
    char *bytes;    // [room] of token i: bytes[first[i]] .. bytes[first[i + 1] - 1]
    size_t room;
    size_t *first;    // [257 + merges]
    int size;         // tokens
} BpeVocabulary;

// 9. The bytes of all tokens: first the 256 single ones, then merge by merge the bytes of its left and
//    of its right token. `bytes`, `room` and `first` are the caller's. False where `room` is too small
//    or a merge has a token that is negative or not made before it; the contents are then undefined,
//    but nothing is written outside.   merges: [count]
bool bpe_vocabulary(BpeVocabulary *vocabulary, const BpePair *merges, int count);

// 10. The text of tokens: their bytes, one behind the other. An id outside 0 .. size-1, as of a special
//     token, has none. Returns the number of bytes of all; the first `room` of them are written.
//     text: [room]; NULL where room is 0; ids: [n]
size_t bpe_decode(char *text, size_t room, const BpeVocabulary *vocabulary, const int *ids,
                  size_t n);

// 11. What tokens cost, and how much text they carry.
typedef struct BpeRates {
    double bytes_per_token;    // bytes / n
    double bits_per_token;     // entropy of the token frequencies,  -sum_i p_i log2 p_i
    double bits_per_byte;      // bits_per_token n / bytes
} BpeRates;

//     counts[i] becomes the number of times that i occurs in ids, and p_i = counts[i] / n. A token that
//     does not occur adds 0. Without tokens or without bytes all three are NaN.
//     counts: [vocabulary]; ids: [n], each in 0 .. vocabulary-1; bytes: of the text that they encode
BpeRates bpe_rates(int64_t *counts, int vocabulary, const int *ids, size_t n, size_t bytes);

// ---- texts ----

// 12. The pre-tokenizer: how many bytes the first piece of a text has, by GPT-2's pattern
//         's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//     of which the first alternative that matches counts, from left to right: the seven contractions in
//     lower case; letters, numbers, or others (what `classify` calls BPE_OTHER), with one space (U+0020)
//     before them or none; whitespace up to the end of the text; whitespace without its last
//     character; one whitespace. Characters are those of 1. `classify` calls a space whitespace.
//     text: [bytes], bytes > 0
size_t bpe_split(const char *text, size_t bytes, BpeClassify *classify);

typedef struct BpeSpecial {
    const char *text;    // "<|endoftext|>", not empty
    int id;
} BpeSpecial;

// 13. The first special token in a text: its number in `specials`, and in *at the bytes before it. Of
//     several at one place it is the longest. -1 where there is none, and *at is then `bytes`.
//     specials: [count]
int bpe_find_special(size_t *at, const char *text, size_t bytes, const BpeSpecial *specials,
                     int count);

typedef struct BpeTokenizer {
    const BpePairs *ranks;
    BpeClassify *classify;         // NULL: nothing is split, a text is one piece
    const BpeSpecial *specials;    // [special_count]
    int special_count;
} BpeTokenizer;

// 14. From text to tokens: special tokens are cut out first and become their ids, but only where
//     `special` is true: what a user types must not become one. The text between them is split
//     into pieces, and each is encoded by itself. Returns the number of tokens.
//     ids: [bytes]
size_t bpe_tokenize(int *ids, const BpeTokenizer *tokenizer, const char *text, size_t bytes,
                    bool special);
