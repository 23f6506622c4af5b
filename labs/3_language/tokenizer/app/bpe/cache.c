#include "labs/3_language/tokenizer/app/bpe/cache.h"
#include <stdlib.h>
#include <string.h>

// A piece of up to PIECE bytes that became up to IDS tokens, in 128 bytes. Each has one place, by its
// hash, and drives out what was there.
enum { PIECE = 70, IDS = 12, PLACES = 1 << 14 };

typedef struct Remembered {
    int32_t ids[IDS];
    uint64_t hash;
    uint8_t bytes, count;    // 0 bytes: free
    uint8_t piece[PIECE];
} Remembered;
_Static_assert(sizeof(Remembered) == 128, "a place is two cache lines");

struct Scratch {
    BpeScratch bpe;
    void *memory;
    Remembered *places;    // in memory
};

Scratch *scratch_new(void)
{
    Scratch *scratch = calloc(1, sizeof *scratch);
    REQUIRE(scratch != NULL, "no memory to encode");
    // Zeros that are memory only where they are touched, in whole cache lines.
    scratch->memory = calloc(PLACES + 1, sizeof *scratch->places);
    REQUIRE(scratch->memory != NULL, "no memory to encode");
    void *line = (char *)scratch->memory + (-(uintptr_t)scratch->memory & 127);
    scratch->places = line;
    return scratch;
}

void scratch_free(Scratch *scratch)
{
    if (scratch == NULL) return;
    bpe_scratch_free(&scratch->bpe);
    free(scratch->memory);
    free(scratch);
}

bool scratch_encode(Scratch *scratch, const Bpe *bpe, const uint8_t *piece, size_t bytes,
                    TokenIds *ids, Error *err)
{
    if (bytes > PIECE) return bpe_encode(bpe, &scratch->bpe, piece, bytes, ids, err);
    uint64_t hash = vocabulary_hash(piece, bytes);
    Remembered *place = &scratch->places[hash % PLACES];
    if (place->hash == hash && place->bytes == bytes && memcmp(place->piece, piece, bytes) == 0) {
        ids_reserve(ids, IDS);
        memcpy(ids->ids + ids->count, place->ids, sizeof place->ids);
        ids->count += place->count;
        return true;
    }
    size_t before = ids->count;
    if (!bpe_encode(bpe, &scratch->bpe, piece, bytes, ids, err)) return false;
    size_t count = ids->count - before;
    if (count > IDS) return true;
    place->hash = hash;
    place->bytes = (uint8_t)bytes;
    place->count = (uint8_t)count;
    memcpy(place->piece, piece, bytes);
    memcpy(place->ids, ids->ids + before, count * sizeof *ids->ids);
    return true;
}
