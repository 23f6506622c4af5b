/* paged_tile.h -- a tile of a KV cache, up to KEYS tokens of a kv head, as floats: keys transposed, so that lanes
 * are tokens; values row by row. A row is found by its address, so that blocks of any size make the same tile.
 *
 * Keys are transposed as they are stored, in words of 32 bits of one, two or four numbers, and become floats
 * thereafter: a number of 8 bits costs a quarter of the shuffles that a float does.
 */
#pragma once
#include <string.h>
#include "kernels/cpu/attention.h"
#include "kernels/cpu/small_numbers.h"

typedef struct PagedTile {
    size_t keys;
    size_t offset;                       // bytes from there to a row
    const uint8_t *k[KEYS], *v[KEYS];    // of the first kv head
    // What is read next and asked for now: as many keys or more.
    const struct PagedTile *next;
    size_t next_offset;
} PagedTile;

enum { LINE = 64 };

enum { Q8_BLOCK = 32, Q8_BYTES = 34, Q8_WORDS = Q8_BLOCK / 4 };

INLINED size_t bytes_of(const DType type, size_t numbers)
{
    return type == DTYPE_F32    ? 4 * numbers
           : type == DTYPE_Q8_0 ? numbers / Q8_BLOCK * Q8_BYTES + numbers % Q8_BLOCK
                                : 2 * numbers;
}

// Rows that meet keys and values as these are read, and how many vectors of values at once.
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

// ---- keys

INLINED size_t numbers_in_word(const DType type)
{
    return type == DTYPE_F32 ? 1 : type == DTYPE_Q8_0 ? 4 : 2;
}

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

// The numbers of a word of each key.
INLINED void split_word(const DType type, Vec number[4], UintVec word, Vec scale)
{
    if (type == DTYPE_F32) number[0] = (Vec)word;
    if (type == DTYPE_F16) split_halves(number, word);
    if (type == DTYPE_BF16) number[0] = (Vec)(word << 16), number[1] = (Vec)(word & 0xffff0000u);
    if (type == DTYPE_Q8_0) {
        UNROLL
        for (int i = 0; i < 4; i++)
            number[i] = scale * __builtin_convertvector((IntVec)(word << (24 - 8 * i)) >> 24, Vec);
    }
}

// Of the tile's keys in whole vectors, where what is behind the last key is its copy: with rows == 0 the keys
// transposed, out[d,j] = k[j,d], else products with a few rows, out[i,j] = sum_d q[i,d] k[j,d], as a tile of
// gemm_tile.h adds.
// `whole`: the head is a multiple of what is transposed at once.
INLINED void read_keys(const DType type, const int rows, const bool whole, float *out,
                       const float *q, size_t head, const PagedTile *t)
{
    const size_t each = numbers_in_word(type);
    for (size_t w = 0; w * each < head; w += LANES)
        for (size_t j = 0; j < t->keys; j += LANES) {
            const uint8_t *row[LANES];
            Vec x[LANES], scale[2] = {{0}, {0}};    // of the blocks that these words belong to
            UNROLL
            for (size_t l = 0; l < LANES; l++) {
                const size_t key = MIN(j + l, t->keys - 1);
                row[l] = t->k[key] + t->offset;
                x[l] = (Vec)load_words(type, row[l], head, w);
                __builtin_prefetch(t->next->k[key] + t->next_offset + bytes_of(type, w * each), 0,
                                   3);
            }
            transpose(x);
            for (size_t b = 0; type == DTYPE_Q8_0 && b < (LANES + Q8_WORDS - 1) / Q8_WORDS; b++) {
                const size_t block = w / Q8_WORDS + b;
                uint16_t half[LANES];
                if (block * Q8_BLOCK >= head) break;
                for (size_t l = 0; l < LANES; l++) memcpy(&half[l], row[l] + block * Q8_BYTES, 2);
                scale[b] = load_halves((const uint8_t *)half);
            }
            const Vec zeros = {0};
            Vec sum[FEW_ROWS];
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i] = w == 0 ? zeros : vec_load(out + (size_t)i * KEYS + j);
            UNROLL
            for (size_t l = 0; l < LANES; l++) {
                Vec number[4];
                split_word(type, number, (UintVec)x[l], scale[l / Q8_WORDS]);
                UNROLL
                for (size_t n = 0; n < each; n++) {
                    const size_t d = (w + l) * each + n;
                    if (!whole && d >= head) break;
                    if (rows == 0) vec_store(out + d * KEYS + j, number[n]);
                    UNROLL
                    for (int i = 0; i < rows; i++) sum[i] += q[(size_t)i * head + d] * number[n];
                }
            }
            UNROLL
            for (int i = 0; i < rows; i++) vec_store(out + (size_t)i * KEYS + j, sum[i]);
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
    return (Vec)(vec_from_shorts(at) << 16);
}

// out[j,:] = v[j,:] in whole vectors
INLINED void copy_values(const DType type, float *out, size_t width, size_t head,
                         const PagedTile *t)
{
    for (size_t j = 0; j < t->keys; j++, out += width) {
        const uint8_t *next = t->next->v[j] + t->next_offset;
        for (size_t at = 0; at < bytes_of(type, head); at += LINE)
            __builtin_prefetch(next + at, 0, 3);
        for (size_t d = 0; d < head; d += LANES)
            vec_store(out + d, head - d < LANES
                                   ? load_numbers(type, t->v[j] + t->offset, d, head)
                                   : load_numbers(type, t->v[j] + t->offset, d, d + LANES));
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
        const uint8_t *next = t->next->v[j] + t->next_offset + bytes_of(type, d);
        UNROLL
        for (size_t at = 0; at < bytes_of(type, (size_t)vectors * LANES); at += LINE)
            __builtin_prefetch(next + at, 0, 3);
        UNROLL
        for (int c = 0; c < vectors; c++) {
            const size_t at = d + (size_t)c * LANES;
            row[c] = load_numbers(type, t->v[j] + t->offset, at, vectors > 1 ? at + LANES : head);
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

#define CASE_SCORES(type, rows, vectors)                                                           \
    case rows:                                                                                     \
        if (head % (LANES * numbers_in_word(type)) == 0)                                           \
            read_keys(type, rows, true, out, q, head, t);                                          \
        else read_keys(type, rows, false, out, q, head, t);                                        \
        break;

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
        read_keys(DTYPE_##type, 0, false, out, NULL, head, t);                                     \
    }                                                                                              \
    static void scores_##type(float *out, const float *q, size_t rows, size_t head,                \
                              const PagedTile *t)                                                  \
    {                                                                                              \
        switch (rows) {                                                                            \
            EACH_FEW(CASE_SCORES, DTYPE_##type)                                                    \
        }                                                                                          \
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
    void (*scores)(float *out, const float *q, size_t rows, size_t head, const PagedTile *t);
    void (*values)(float *out, size_t width, size_t head, const PagedTile *t);
    void (*few)(float *out, size_t width, const float *p, size_t rows, size_t head,
                const PagedTile *t, float beta);
} PagedReader;

static const PagedReader paged_readers[DTYPE_COUNT] = {
    [DTYPE_F32] = {keys_F32, scores_F32, values_F32, few_F32},
    [DTYPE_F16] = {keys_F16, scores_F16, values_F16, few_F16},
    [DTYPE_BF16] = {keys_BF16, scores_BF16, values_BF16, few_BF16},
    [DTYPE_Q8_0] = {keys_Q8_0, scores_Q8_0, values_Q8_0, few_Q8_0},
};
