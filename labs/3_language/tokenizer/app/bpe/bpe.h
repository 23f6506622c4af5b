/* bpe.h -- byte-pair encoding of one piece: its characters, merged in the order of their ranks.
 *
 *     BpeScratch scratch = {0};
 *     if (!bpe_encode(&bpe, &scratch, " lowest", 7, &ids, &err)) ...    // appends to ids
 *     bpe_scratch_free(&scratch);
 *
 * As long as two neighbours have a merge, the pair of the lowest rank becomes one token; of equal pairs
 * the leftmost. Short pieces look for it anew each time; long ones keep the pairs in a heap, so that a
 * piece of n bytes takes n log n steps.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"
#include "labs/3_language/tokenizer/app/bpe/merges.h"
#include "labs/3_language/tokenizer/app/bpe/vocabulary.h"

typedef struct TokenIds {
    int32_t *ids;    // malloc; begins as NULL
    size_t count, room;
} TokenIds;

typedef struct Bpe {
    Vocabulary vocabulary;
    MergeTable merges;
    bool byte_level;       // a piece is bytes, each a token; else characters
    int bytes[256];        // byte-level, or byte fallback: the byte's token; -1
    bool byte_fallback;    // a character that is no token becomes its bytes' tokens
    int unknown;           // what stands for a character that is no token; -1: it is refused
    bool fuse_unknown;     // one for several in a row
    bool ignore_merges;    // a piece that is a token is that token
} Bpe;

typedef struct BpeScratch {
    int32_t *ids, *ranks, *results, *next, *before;    // [room]
    size_t room;
    uint64_t *heap;
    size_t heap_count, heap_room;
} BpeScratch;

void ids_reserve(TokenIds *ids, size_t more);
void ids_add(TokenIds *ids, int id);

bool bpe_encode(const Bpe *bpe, BpeScratch *scratch, const uint8_t *piece, size_t bytes,
                TokenIds *ids, Error *err);
void bpe_scratch_free(BpeScratch *scratch);
