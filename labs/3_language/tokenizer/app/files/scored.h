/* scored.h -- SentencePiece vocabularies: the pair whose concatenation has the highest score goes first.
 *
 *     ScoredVocabulary vocabulary = {.mark = " ", .count = 512, .tokens = tokens, .bos = 1, .eos = 2};
 *     Tokenizer *tokenizer = tokenizer_scored(&vocabulary, "tok512.bin", &err);
 *
 * Two tokens merge where their concatenation is a token, so the scores say the merges and their ranks.
 */
#pragma once
#include "labs/3_language/tokenizer/app/parts.h"

typedef struct ScoredToken {
    const char *piece;    // borrowed for the call
    size_t bytes;
    float score;
    TokenKind kind;
} ScoredToken;

typedef struct ScoredVocabulary {
    const char *mark;    // what stands for a space: " ", or U+2581
    int count;
    const ScoredToken *tokens;
    int bos, eos, unknown;    // -1: none
    bool add_bos, add_eos, add_space;
} ScoredVocabulary;

Tokenizer *tokenizer_scored(const ScoredVocabulary *vocabulary, const char *where, Error *err);
