/* paged_tile.h -- a tile of a KV cache, up to KEYS tokens of a kv head, as floats: keys transposed, so that lanes
 * are tokens; values row by row. A row is found by its address, so that blocks of any size make the same tile.
 *
 * Keys are transposed as they are stored, in words of 32 bits of one, two or four numbers, and become floats
 * thereafter: a number of 8 bits costs a quarter of the shuffles that a float does.
 */
#pragma once
#include <string.h>
#include "kernels/cpu/attention.h"

typedef struct PagedTile {
    size_t keys, head;
    const uint8_t *k[KEYS], *v[KEYS];
    size_t ahead;    // bytes from a row to where the next tile's is expected
} PagedTile;

typedef int8_t SignedByteVec __attribute__((vector_size(LANES)));
typedef uint16_t ShortVec __attribute__((vector_size(2 * LANES)));

enum { Q8_BLOCK = 32, Q8_BYTES = 34, Q8_WORDS = Q8_BLOCK / 4 };

INLINED UintVec vec_word(uint32_t x)
{
    return (UintVec){0} + x;
}

// Halves in the lower bits of each lane.
INLINED Vec vec_from_halves(UintVec x)
{
#if LANES == 16
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)x));
#else
    const UintVec magnitude = (x & 0x7fff) << 13;
    const UintVec special = (UintVec)(magnitude >= vec_word(0x0f800000)) & 0x7f800000;
    const Vec value = (Vec)magnitude * 0x1p112f;    // exact, and right for subnormal numbers too
    return (Vec)((UintVec)value | special | (x & 0x8000) << 16);
#endif
}

INLINED float float_from_half(const uint8_t *x)
{
    uint16_t bits;
    memcpy(&bits, x, sizeof bits);
    return vec_from_halves(vec_word(bits))[0];
}

INLINED size_t row_bytes(const DType type, size_t head)
{
    return type == DTYPE_F32    ? 4 * head
           : type == DTYPE_Q8_0 ? head / Q8_BLOCK * Q8_BYTES
                                : 2 * head;
}

// ---- keys

// Words first .. first + LANES - 1 of a row's numbers, with zeros behind the last.
INLINED UintVec load_words(const DType type, const uint8_t *row, size_t head, size_t first)
{
    UintVec x = {0};
    if (type == DTYPE_Q8_0) {
        const size_t words = head / 4;
        UNROLL
        for (size_t w = 0; w < LANES; w += MIN(LANES, Q8_WORDS))
            if (first + w < words)
                memcpy((char *)&x + 4 * w,
                       row + (first + w) / Q8_WORDS * Q8_BYTES + 2 + (first + w) % Q8_WORDS * 4,
                       4 * MIN(LANES, Q8_WORDS));
        return x;
    }
    const size_t left = row_bytes(type, head) - 4 * first;
    if (left >= sizeof x) memcpy(&x, row + 4 * first, sizeof x);
    else memcpy(&x, row + 4 * first, left);
    return x;
}

// Rows d, d + 1, ... of the transposed keys from a word of each.
INLINED void store_numbers(const DType type, float *out, size_t d, size_t head, UintVec word,
                           Vec scale)
{
    Vec number[4];
    int count = 1;
    if (type == DTYPE_F32) number[0] = (Vec)word;
    if (type == DTYPE_F16) {
        number[0] = vec_from_halves(word & 0xffff);
        number[1] = vec_from_halves(word >> 16);
        count = 2;
    }
    if (type == DTYPE_BF16) {
        number[0] = (Vec)(word << 16);
        number[1] = (Vec)(word & 0xffff0000u);
        count = 2;
    }
    if (type == DTYPE_Q8_0) {
        UNROLL
        for (int i = 0; i < 4; i++)
            number[i] = scale * __builtin_convertvector((IntVec)(word << (24 - 8 * i)) >> 24, Vec);
        count = 4;
    }
    UNROLL
    for (int i = 0; i < count; i++)
        if (d + (size_t)i < head) vec_store(out + (d + (size_t)i) * KEYS, number[i]);
}

// out[d,j] = k[j,d], for the tile's keys in whole vectors: what is behind the last key is its copy.
INLINED void transpose_keys(const DType type, float *out, const PagedTile *t)
{
    const size_t head = t->head, each = type == DTYPE_F32 ? 1 : type == DTYPE_Q8_0 ? 4 : 2;
    for (size_t j = 0; j < t->keys; j += LANES) {
        const uint8_t *row[LANES];
        for (size_t l = 0; l < LANES; l++) row[l] = t->k[MIN(j + l, t->keys - 1)];
        for (size_t w = 0; w * each < head; w += LANES) {
            Vec x[LANES], scale[2] = {{0}, {0}};
            UNROLL
            for (size_t l = 0; l < LANES; l++) {
                x[l] = (Vec)load_words(type, row[l], head, w);
                __builtin_prefetch(row[l] + t->ahead + 4 * w, 0, 2);
            }
            transpose(x);
            if (type == DTYPE_Q8_0)
                for (size_t b = 0; b < (LANES + Q8_WORDS - 1) / Q8_WORDS; b++) {
                    const size_t block = w / Q8_WORDS + b;
                    if (block * Q8_BLOCK >= head) break;
                    float d[LANES];
                    for (size_t l = 0; l < LANES; l++)
                        d[l] = float_from_half(row[l] + block * Q8_BYTES);
                    scale[b] = vec_load(d);
                }
            UNROLL
            for (size_t l = 0; l < LANES; l++)
                if ((w + l) * each < head)
                    store_numbers(type, out + j, (w + l) * each, head, (UintVec)x[l],
                                  scale[l / Q8_WORDS]);
        }
    }
}

// ---- values

// Numbers d .. d + LANES - 1 of a row, with zeros behind the last.
INLINED Vec load_numbers(const DType type, const uint8_t *row, size_t d, size_t head)
{
    if (type == DTYPE_F32) return load_some((const float *)(const void *)row + d, head - d);
    if (type == DTYPE_Q8_0) {
        const uint8_t *block = row + d / Q8_BLOCK * Q8_BYTES;
        SignedByteVec x;
        memcpy(&x, block + 2 + d % Q8_BLOCK, sizeof x);
        return float_from_half(block) * __builtin_convertvector(x, Vec);
    }
    ShortVec x = {0};
    if (head - d >= LANES) memcpy(&x, row + 2 * d, sizeof x);
    else memcpy(&x, row + 2 * d, 2 * (head - d));
    const UintVec word = __builtin_convertvector(x, UintVec);
    return type == DTYPE_BF16 ? (Vec)(word << 16) : vec_from_halves(word);
}

// out[j,:] = v[j,:] in whole vectors
INLINED void copy_values(const DType type, float *out, size_t width, const PagedTile *t)
{
    for (size_t j = 0; j < t->keys; j++, out += width) {
        const uint8_t *row = t->v[j];
        for (size_t d = 0; d < t->head; d += LANES) {
            vec_store(out + d, load_numbers(type, row, d, t->head));
            __builtin_prefetch(row + t->ahead + row_bytes(type, d), 0, 2);
        }
    }
}

// ---- by type

static void paged_keys(DType type, float *out, const PagedTile *t)
{
    if (type == DTYPE_F32) transpose_keys(DTYPE_F32, out, t);
    else if (type == DTYPE_F16) transpose_keys(DTYPE_F16, out, t);
    else if (type == DTYPE_BF16) transpose_keys(DTYPE_BF16, out, t);
    else transpose_keys(DTYPE_Q8_0, out, t);
}

static void paged_values(DType type, float *out, size_t width, const PagedTile *t)
{
    if (type == DTYPE_F32) copy_values(DTYPE_F32, out, width, t);
    else if (type == DTYPE_F16) copy_values(DTYPE_F16, out, width, t);
    else if (type == DTYPE_BF16) copy_values(DTYPE_BF16, out, width, t);
    else copy_values(DTYPE_Q8_0, out, width, t);
}
