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
    size_t keys;
    size_t offset;                       // bytes from there to a row
    const uint8_t *k[KEYS], *v[KEYS];    // of the first kv head
    const struct PagedTile *next;        // of as many keys, to be asked for, or this one
} PagedTile;

enum { Q8_BLOCK = 32, Q8_BYTES = 34, Q8_WORDS = Q8_BLOCK / 4 };

INLINED UintVec vec_from_shorts(const uint16_t *x)
{
    typedef uint16_t Shorts __attribute__((vector_size(2 * LANES), aligned(1), may_alias));
    return __builtin_convertvector(*(const Shorts *)x, UintVec);
}

// Halves in the lower bits of each lane.
INLINED Vec vec_from_halves(UintVec x)
{
#if LANES == 16
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)x));
#elif LANES == 8
    const __m256i words = (__m256i)x;
    return _mm256_cvtph_ps(
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
#else
    const UintVec magnitude = (x & 0x7fff) << 13;
    const UintVec special = (UintVec)(magnitude > 0x0f7fffff) & 0x7f800000;
    const Vec value = (Vec)magnitude * 0x1p112f;    // exact, and right for subnormal numbers too
    return (Vec)((UintVec)value | special | (x & 0x8000) << 16);
#endif
}

INLINED Vec load_halves(const uint8_t *x)
{
#if LANES == 16
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i_u *)x));
#elif LANES == 8
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i_u *)x));
#else
    return vec_from_halves(vec_from_shorts((const uint16_t *)(const void *)x));
#endif
}

INLINED IntVec load_bytes(const uint8_t *x)
{
#if LANES == 16
    return (IntVec)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i_u *)x));
#elif LANES == 8
    return (IntVec)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i_u *)x));
#else
    IntVec out;
    for (int l = 0; l < LANES; l++) out[l] = (int8_t)x[l];
    return out;
#endif
}

INLINED float load_half(const uint8_t *x)
{
    uint16_t bits;
    memcpy(&bits, x, sizeof bits);
#ifdef __F16C__
    return _cvtsh_ss(bits);
#else
    return vec_from_halves((UintVec){bits})[0];
#endif
}

INLINED size_t bytes_of(const DType type, size_t numbers)
{
    return type == DTYPE_F32    ? 4 * numbers
           : type == DTYPE_Q8_0 ? numbers / Q8_BLOCK * Q8_BYTES + numbers % Q8_BLOCK
                                : 2 * numbers;
}

// ---- keys

// Words first .. first + LANES - 1 of a row's numbers, with zeros behind the last.
INLINED UintVec load_words(const DType type, const uint8_t *row, size_t head, size_t first)
{
    typedef unsigned Words __attribute__((vector_size(4 * LANES), aligned(1), may_alias));
    UintVec x = {0};
    if (type == DTYPE_Q8_0) {
        const uint8_t *block = row + first / Q8_WORDS * Q8_BYTES + 2;
#if LANES == 16
        const __m256i low = _mm256_loadu_si256((const __m256i_u *)block);
        if (4 * (first + Q8_WORDS) >= head) return (UintVec)_mm512_zextsi256_si512(low);
        return (UintVec)_mm512_inserti64x4(
            _mm512_castsi256_si512(low), _mm256_loadu_si256((const __m256i_u *)(block + Q8_BYTES)),
            1);
#else
        return *(const Words *)(block + first % Q8_WORDS * 4);
#endif
    }
    const size_t left = bytes_of(type, head) - 4 * first;
    if (left >= sizeof x) return *(const Words *)(row + 4 * first);
    memcpy(&x, row + 4 * first, left);
    return x;
}

// Rows d, d + 1, ... of the transposed keys from a word of each key.
INLINED void store_numbers(const DType type, float *out, size_t d, size_t head, UintVec word,
                           Vec scale)
{
    const size_t count = type == DTYPE_F32 ? 1 : type == DTYPE_Q8_0 ? 4 : 2;
    Vec number[4];
    if (type == DTYPE_F32) number[0] = (Vec)word;
    if (type == DTYPE_F16)
        number[0] = vec_from_halves(word & 0xffff), number[1] = vec_from_halves(word >> 16);
    if (type == DTYPE_BF16) number[0] = (Vec)(word << 16), number[1] = (Vec)(word & 0xffff0000u);
    if (type == DTYPE_Q8_0) {
        UNROLL
        for (int i = 0; i < 4; i++)
            number[i] = scale * __builtin_convertvector((IntVec)(word << (24 - 8 * i)) >> 24, Vec);
    }
    UNROLL
    for (size_t i = 0; i < count; i++)
        if (d + i < head) vec_store(out + (d + i) * KEYS, number[i]);
}

// out[d,j] = k[j,d], for the tile's keys in whole vectors: what is behind the last key is its copy.
INLINED void transpose_keys(const DType type, float *out, size_t head, const PagedTile *t)
{
    const size_t each = type == DTYPE_F32 ? 1 : type == DTYPE_Q8_0 ? 4 : 2;    // numbers in a word
    for (size_t j = 0; j < t->keys; j += LANES) {
        const uint8_t *row[LANES], *next[LANES];
        for (size_t l = 0; l < LANES; l++) {
            row[l] = t->k[MIN(j + l, t->keys - 1)] + t->offset;
            next[l] = t->next->k[MIN(j + l, t->keys - 1)] + t->offset;
        }
        for (size_t w = 0; w * each < head; w += LANES) {
            Vec x[LANES], scale[2] = {{0}, {0}};    // of the blocks that these words belong to
            UNROLL
            for (size_t l = 0; l < LANES; l++) {
                x[l] = (Vec)load_words(type, row[l], head, w);
                __builtin_prefetch(next[l] + bytes_of(type, w * each), 0, 2);
            }
            transpose(x);
            for (size_t b = 0; type == DTYPE_Q8_0 && b < (LANES + Q8_WORDS - 1) / Q8_WORDS; b++) {
                const size_t block = w / Q8_WORDS + b;
                uint16_t half[LANES];
                if (block * Q8_BLOCK >= head) break;
                for (size_t l = 0; l < LANES; l++) memcpy(&half[l], row[l] + block * Q8_BYTES, 2);
                scale[b] = vec_from_halves(vec_from_shorts(half));
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
    const uint8_t *at = row + bytes_of(type, d);
    if (type == DTYPE_F32) return load_some((const float *)(const void *)at, head - d);
    if (type == DTYPE_Q8_0)
        return load_half(row + d / Q8_BLOCK * Q8_BYTES) *
               __builtin_convertvector(load_bytes(at + 2), Vec);
    uint16_t some[LANES] = {0};
    if (head - d < LANES) memcpy(some, at, 2 * (head - d)), at = (const uint8_t *)some;
    if (type == DTYPE_F16) return load_halves(at);
    return (Vec)(vec_from_shorts((const uint16_t *)(const void *)at) << 16);
}

// out[j,:] = v[j,:] in whole vectors
INLINED void copy_values(const DType type, float *out, size_t width, size_t head,
                         const PagedTile *t)
{
    for (size_t j = 0; j < t->keys; j++, out += width)
        for (size_t d = 0; d < head; d += LANES) {
            vec_store(out + d, head - d < LANES
                                   ? load_numbers(type, t->v[j] + t->offset, d, head)
                                   : load_numbers(type, t->v[j] + t->offset, d, d + LANES));
            __builtin_prefetch(t->next->v[j] + t->offset + bytes_of(type, d), 0, 2);
        }
}

// out[i,:] = beta out + sum_j p[i,j] v[j,:], of a few rows, as a tile of gemm_tile.h adds.
INLINED void add_few(const DType type, const int rows, const int vectors, float *out, size_t width,
                     const float *p, size_t d, size_t head, const PagedTile *t, float beta)
{
    Vec sum[8][4];
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int c = 0; c < vectors; c++) sum[i][c] = (Vec){0};
    for (size_t j = 0; j < t->keys; j++) {
        Vec row[4];
        UNROLL
        for (int c = 0; c < vectors; c++) {
            const size_t at = d + (size_t)c * LANES;
            row[c] = load_numbers(type, t->v[j] + t->offset, at, vectors > 1 ? at + LANES : head);
            __builtin_prefetch(t->next->v[j] + t->offset + bytes_of(type, d + (size_t)c * LANES), 0,
                               2);
        }
        UNROLL
        for (int i = 0; i < rows; i++) UNROLL
        for (int c = 0; c < vectors; c++) sum[i][c] += p[(size_t)i * KEYS + j] * row[c];
    }
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int c = 0; c < vectors; c++) {
        float *to = out + (size_t)i * width + d + (size_t)c * LANES;
        if (beta != 0) sum[i][c] += beta * vec_load(to);
        vec_store(to, sum[i][c]);
    }
}

#if LANES == 16
enum { FEW_ROWS = 8 };
#define EACH_FEW(X, type)                                                                          \
    X(type, 1, 4)                                                                                  \
    X(type, 2, 4)                                                                                  \
    X(type, 3, 4) X(type, 4, 4) X(type, 5, 2) X(type, 6, 2) X(type, 7, 2) X(type, 8, 2)
#else
enum { FEW_ROWS = 4 };
#define EACH_FEW(X, type) X(type, 1, 4) X(type, 2, 4) X(type, 3, 2) X(type, 4, 2)
#endif

#define CASE_FEW(type, rows, vectors)                                                              \
    case rows:                                                                                     \
        for (; d + vectors * LANES <= head; d += vectors * LANES)                                  \
            add_few(type, rows, vectors, out, width, p, d, head, t, beta);                         \
        for (; d < head; d += LANES) add_few(type, rows, 1, out, width, p, d, head, t, beta);      \
        break;

// ---- by type

#define FOR_TYPE(type)                                                                             \
    static void keys_##type(float *out, size_t head, const PagedTile *t)                           \
    {                                                                                              \
        transpose_keys(DTYPE_##type, out, head, t);                                                \
    }                                                                                              \
    static void values_##type(float *out, size_t width, size_t head, const PagedTile *t)           \
    {                                                                                              \
        copy_values(DTYPE_##type, out, width, head, t);                                            \
    }                                                                                              \
    static void few_##type(float *out, size_t width, const float *p, size_t rows, size_t head,     \
                           const PagedTile *t, float beta)                                         \
    {                                                                                              \
        size_t d = 0;                                                                              \
        switch (rows) {                                                                            \
            EACH_FEW(CASE_FEW, DTYPE_##type)                                                       \
        }                                                                                          \
    }
FOR_TYPE(F32)
FOR_TYPE(F16)
FOR_TYPE(BF16)
FOR_TYPE(Q8_0)

typedef struct PagedReader {
    void (*keys)(float *out, size_t head, const PagedTile *t);
    void (*values)(float *out, size_t width, size_t head, const PagedTile *t);
    void (*few)(float *out, size_t width, const float *p, size_t rows, size_t head,
                const PagedTile *t, float beta);
} PagedReader;

static const PagedReader paged_readers[DTYPE_COUNT] = {
    [DTYPE_F32] = {keys_F32, values_F32, few_F32},
    [DTYPE_F16] = {keys_F16, values_F16, few_F16},
    [DTYPE_BF16] = {keys_BF16, values_BF16, few_BF16},
    [DTYPE_Q8_0] = {keys_Q8_0, values_Q8_0, few_Q8_0},
};
