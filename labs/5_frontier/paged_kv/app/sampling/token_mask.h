/* token_mask.h -- which tokens may come next: one bit each.
 *
 *     TokenMask mask = token_mask_new(tokenizer_size(tokenizer));    // none
 *     token_mask_add(&mask, 42);
 *     if (token_mask_has(&mask, 42)) ...
 *     token_mask_free(&mask);
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct TokenMask {
    int count;         // tokens; others may not come
    uint64_t *bits;    // malloc
} TokenMask;

static inline size_t token_mask_words(const TokenMask *mask)
{
    return ((size_t)mask->count + 63) / 64;
}

static inline TokenMask token_mask_new(int count)    // bits NULL: no memory
{
    TokenMask mask = {.count = count};
    mask.bits = calloc(token_mask_words(&mask) + 1, sizeof *mask.bits);
    return mask;
}

static inline void token_mask_free(TokenMask *mask)
{
    free(mask->bits);
    *mask = (TokenMask){0};
}

static inline void token_mask_clear(TokenMask *mask)
{
    memset(mask->bits, 0, token_mask_words(mask) * sizeof *mask->bits);
}

static inline void token_mask_add(TokenMask *mask, int token)
{
    mask->bits[token / 64] |= (uint64_t)1 << token % 64;
}

static inline bool token_mask_has(const TokenMask *mask, int token)
{
    return token >= 0 && token < mask->count && (mask->bits[token / 64] >> token % 64 & 1);
}
