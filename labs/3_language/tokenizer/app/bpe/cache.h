/* cache.h -- what one encoding needs besides the vocabulary, and remembers for the next: pieces it has seen.
 *
 *     Scratch *scratch = scratch_new();
 *     if (!scratch_encode(scratch, &bpe, piece, bytes, &ids, &err)) ...    // as bpe_encode()
 *     scratch_free(scratch);
 *
 * Text repeats its words: nine of ten pieces are found here, at the cost of two cache lines.
 */
#pragma once
#include "labs/3_language/tokenizer/app/bpe/bpe.h"

typedef struct Scratch Scratch;

Scratch *scratch_new(void);             // for one Bpe
void scratch_free(Scratch *scratch);    // NULL is fine
bool scratch_encode(Scratch *scratch, const Bpe *bpe, const uint8_t *piece, size_t bytes,
                    TokenIds *ids, Error *err);
