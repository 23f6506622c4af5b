#include "labs/3_language/tokenizer/app/bpe/bpe.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/text/code_point.h"

// Up to so many tokens the lowest rank is looked for anew after each merge.
enum { SHORT_PIECE = 48 };

void ids_reserve(TokenIds *ids, size_t more)
{
    if (ids->room - ids->count >= more) return;
    ids->room = 2 * ids->room + more + 64;
    ids->ids = realloc(ids->ids, ids->room * sizeof *ids->ids);
    REQUIRE(ids->ids != NULL, "no memory for %zu tokens", ids->room);
}

void ids_add(TokenIds *ids, int id)
{
    ids_reserve(ids, 1);
    ids->ids[ids->count++] = id;
}

static void scratch_reserve(BpeScratch *s, size_t count)
{
    if (s->room >= count) return;
    s->room = 2 * count + 64;
    int32_t **arrays[] = {&s->ids, &s->ranks, &s->results, &s->next, &s->before};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free(*arrays[i]);
        *arrays[i] = malloc(s->room * sizeof **arrays[i]);
        REQUIRE(*arrays[i] != NULL, "no memory for a piece of %zu bytes", count);
    }
}

void bpe_scratch_free(BpeScratch *s)
{
    free(s->ids), free(s->ranks), free(s->results), free(s->next), free(s->before), free(s->heap);
    *s = (BpeScratch){0};
}

// ---- the first tokens: bytes or characters ----

static bool has_bytes(const Bpe *bpe, const uint8_t *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (bpe->bytes[at[i]] < 0) return false;
    return bpe->byte_fallback || bpe->byte_level;
}

static bool refuse(const uint8_t *at, size_t bytes, uint32_t code, Error *err)
{
    if (code == CODE_INVALID || bytes == 1)
        return error_set(err,
                         "the byte 0x%02x has no token in this vocabulary, which has no unknown "
                         "token either",
                         at[0]);
    return error_set(err,
                     "the character U+%04X has no token in this vocabulary, which has no unknown "
                     "token and no byte tokens either",
                     code);
}

// How many there are in scratch->ids; -1 and a sentence where a character has no token.
static long first_tokens(const Bpe *bpe, BpeScratch *s, const uint8_t *piece, size_t bytes,
                         Error *err)
{
    long count = 0;
    size_t length;
    bool unknown = false;
    for (size_t at = 0; at < bytes; at += length) {
        uint32_t code = piece[at];
        length = 1;
        if (!bpe->byte_level) code = code_point_at(piece + at, bytes - at, &length);
        int id = bpe->byte_level ? bpe->bytes[piece[at]]
                                 : vocabulary_find(&bpe->vocabulary, piece + at, length);
        bool was_unknown = unknown;
        unknown = false;
        if (id >= 0) s->ids[count++] = id;
        else if (has_bytes(bpe, piece + at, length))
            for (size_t i = 0; i < length; i++) s->ids[count++] = bpe->bytes[piece[at + i]];
        else if (bpe->unknown >= 0) {
            unknown = true;
            if (!was_unknown || !bpe->fuse_unknown) s->ids[count++] = bpe->unknown;
        } else {
            refuse(piece + at, length, code, err);
            return -1;
        }
    }
    return count;
}

// ---- short pieces ----

static void rank(const Bpe *bpe, BpeScratch *s, int left, int right)
{
    const MergeSlot *merge = merges_find(&bpe->merges, s->ids[left], s->ids[right]);
    s->ranks[left] = merge ? merge->rank : INT_MAX;
    s->results[left] = merge ? merge->result : -1;
}

static int merge_short(const Bpe *bpe, BpeScratch *s, int count)
{
    for (int i = 0; i + 1 < count; i++) rank(bpe, s, i, i + 1);
    while (count > 1) {
        int best = 0;
        for (int i = 1; i + 1 < count; i++)
            if (s->ranks[i] < s->ranks[best]) best = i;
        if (s->ranks[best] == INT_MAX) break;
        s->ids[best] = s->results[best];
        size_t after = (size_t)(count - best - 2) * sizeof *s->ids;
        memmove(s->ids + best + 1, s->ids + best + 2, after);
        memmove(s->ranks + best + 1, s->ranks + best + 2, after);
        memmove(s->results + best + 1, s->results + best + 2, after);
        count--;
        if (best > 0) rank(bpe, s, best - 1, best);
        if (best + 1 < count) rank(bpe, s, best, best + 1);
    }
    return count;
}

// ---- long pieces: a linked list of the tokens, and a heap of the pairs by (rank, place) ----

static void heap_push(BpeScratch *s, int rank_of_pair, int place)
{
    if (s->heap_count == s->heap_room) {
        s->heap_room = 2 * s->heap_room + 1024;
        s->heap = realloc(s->heap, s->heap_room * sizeof *s->heap);
        REQUIRE(s->heap != NULL, "no memory for %zu pairs", s->heap_room);
    }
    uint64_t item = (uint64_t)rank_of_pair << 32 | (uint32_t)place;
    size_t at = s->heap_count++;
    for (size_t up; at > 0 && s->heap[up = (at - 1) / 2] > item; at = up) s->heap[at] = s->heap[up];
    s->heap[at] = item;
}

static uint64_t heap_pop(BpeScratch *s)
{
    uint64_t top = s->heap[0], item = s->heap[--s->heap_count];
    size_t at = 0, count = s->heap_count;
    for (size_t down; (down = 2 * at + 1) < count; at = down) {
        if (down + 1 < count && s->heap[down + 1] < s->heap[down]) down++;
        if (s->heap[down] >= item) break;
        s->heap[at] = s->heap[down];
    }
    s->heap[at] = item;
    return top;
}

static void rank_and_push(const Bpe *bpe, BpeScratch *s, int left)
{
    rank(bpe, s, left, s->next[left]);
    if (s->ranks[left] != INT_MAX) heap_push(s, s->ranks[left], left);
}

static int merge_long(const Bpe *bpe, BpeScratch *s, int count)
{
    s->heap_count = 0;
    for (int i = 0; i < count; i++) {
        s->next[i] = i + 1;
        s->before[i] = i - 1;
    }
    for (int i = 0; i + 1 < count; i++) rank_and_push(bpe, s, i);
    s->ranks[count - 1] = INT_MAX;
    while (s->heap_count > 0) {
        uint64_t top = heap_pop(s);
        int place = (int)(uint32_t)top;
        if (s->ranks[place] != (int)(top >> 32))
            continue;    // one of the two has been merged since
        int gone = s->next[place], next = s->next[gone];
        s->ids[place] = s->results[place];
        s->next[place] = next;
        s->ranks[gone] = s->ranks[place] = INT_MAX;
        if (next < count) {
            s->before[next] = place;
            rank_and_push(bpe, s, place);
        }
        if (place > 0) rank_and_push(bpe, s, s->before[place]);
    }
    int kept = 0;
    for (int i = 0; i < count; i = s->next[i]) s->ids[kept++] = s->ids[i];
    return kept;
}

bool bpe_encode(const Bpe *bpe, BpeScratch *scratch, const uint8_t *piece, size_t bytes,
                TokenIds *ids, Error *err)
{
    if (bpe->ignore_merges) {
        int whole = vocabulary_find(&bpe->vocabulary, piece, bytes);
        if (whole >= 0) return ids_add(ids, whole), true;
    }
    if (bytes > INT_MAX / 4) return error_set(err, "a piece of %zu bytes is too long", bytes);
    scratch_reserve(scratch, bytes);
    long count = first_tokens(bpe, scratch, piece, bytes, err);
    if (count < 0) return false;
    if (count > 1)
        count = count <= SHORT_PIECE ? merge_short(bpe, scratch, (int)count)
                                     : merge_long(bpe, scratch, (int)count);
    ids_reserve(ids, (size_t)count);
    memcpy(ids->ids + ids->count, scratch->ids, (size_t)count * sizeof *ids->ids);
    ids->count += (size_t)count;
    return true;
}
