/* gemm_tile.c -- the tiles, one function for each number of rows and of vectors. */
#include "kernels/cpu/gemm_tile.h"

// clang-format off
#if LANES == 16
#define EACH_SIZE(X)        X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2)
#elif defined __aarch64__
#define EACH_SIZE(X)        X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2) X(rows, 3)
#else
#define EACH_SIZE(X)        X(1) X(2) X(3) X(4) X(5) X(6)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2)
#endif
// clang-format on

#if LANES == 16
#define LOAD(x, j) (j < vectors - 1 ? vec_load(x) : (Vec)_mm512_maskz_loadu_ps(last, x))
#define STORE(x, v, j)                                                                             \
    if (j < vectors - 1) vec_store(x, v);                                                          \
    else _mm512_mask_storeu_ps(x, last, v)
#else
#define LOAD(x, j)     vec_load(x)
#define STORE(x, v, j) vec_store(x, v)
#endif

// One k: a row of B times a column of A. Rows of A that lie apart are reached from every fifth, as
// x86 adds one, two or four strides, or one times three strides, for nothing.
INLINED void tile_step(const Layout layout, const int rows, const int vectors, Vec sum[ROWS][PANEL],
                       const float *base[(ROWS + 4) / 5], size_t a_step, const Vec row[PANEL])
{
    UNROLL
    for (int i = 0; i < rows; i++) {
        const float *from = base[layout == A_APART ? i / 5 : 0];
        const float x = layout == A_ADJACENT ? from[i]
                        : i % 5 == 3         ? from[3 * a_step]
                                             : from[(size_t)(i % 5) * a_step];
        UNROLL
        for (int j = 0; j < vectors; j++) sum[i][j] = vec_fma(vec_of(x), row[j], sum[i][j]);
    }
    if (layout == A_ADJACENT) {
        base[0] += a_step;
    } else {
        UNROLL
        for (int g = 0; g < (rows + 4) / 5; g++) {
            base[g]++;
            OPAQUE(base[g]);
        }
    }
}

// Inlined below with constant sizes, so that the loops over a tile vanish and `sum` is registers.
INLINED void tile(const Layout layout, const int rows, const int vectors, const TileWork *x)
{
#if LANES == 16
    const __mmask16 last = (__mmask16)((1u << (x->cols - (size_t)(vectors - 1) * LANES)) - 1);
#endif
    const size_t k = x->k, a_step = x->a_step, b_row = x->b_row;
    const float *b = x->b, *ask = x->c, *base[(ROWS + 4) / 5];
    const uint8_t *next = x->next;
    UNROLL
    for (int g = 0; g < (rows + 4) / 5; g++) base[g] = x->a + 5 * (size_t)g * a_step;

    Vec sum[ROWS][PANEL], row[PANEL];
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int j = 0; j < vectors; j++) sum[i][j] = (Vec){0};

    // C is asked for before it is needed, a row at a time: all at once would keep A and B waiting.
    size_t p = 0;
    if (x->keep) {
        for (float *keep = x->keep; p < k; p++, b += b_row, keep += vectors * LANES) {
            if (p < (size_t)rows) __builtin_prefetch(ask + p * x->c_row, 1);
            UNROLL
            for (int j = 0; j < vectors; j++) {
                row[j] = LOAD(b + (size_t)j * LANES, j);
                __builtin_prefetch(b + AHEAD * b_row + (size_t)j * LANES, 0, 3);
                __builtin_prefetch(b + FAR * b_row + (size_t)j * LANES, 0, 2);
                vec_store(keep + (size_t)j * LANES, row[j]);
            }
            tile_step(layout, rows, vectors, sum, base, a_step, row);
        }
    } else {
        for (int asked = 0; p + 4 <= k; p += 4, asked++) {
            if (asked < rows) {
                UNROLL
                for (int j = 0; j < vectors; j++) __builtin_prefetch(ask + (size_t)j * LANES, 1);
                ask += x->c_row;
            }
            for (size_t l = x->lines; l > 0; l--, next += 64) __builtin_prefetch(next, 0, 2);
            UNROLL
            for (int u = 0; u < 4; u++, b += b_row) {
                UNROLL
                for (int j = 0; j < vectors; j++) row[j] = LOAD(b + (size_t)j * LANES, j);
                tile_step(layout, rows, vectors, sum, base, a_step, row);
            }
        }
        for (; p < k; p++, b += b_row) {
            UNROLL
            for (int j = 0; j < vectors; j++) row[j] = LOAD(b + (size_t)j * LANES, j);
            tile_step(layout, rows, vectors, sum, base, a_step, row);
        }
    }

    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int j = 0; j < vectors; j++) {
        float *out = x->c + (size_t)i * x->c_row + (size_t)j * LANES;
        if (x->beta != 0) sum[i][j] = vec_fma(vec_of(x->beta), LOAD(out, j), sum[i][j]);
        STORE(out, sum[i][j], j);
    }
}

#define DEFINE(rows, vectors)                                                                      \
    static void adjacent_##rows##x##vectors(const TileWork *x)                                     \
    {                                                                                              \
        tile(A_ADJACENT, rows, vectors, x);                                                        \
    }                                                                                              \
    static void apart_##rows##x##vectors(const TileWork *x)                                        \
    {                                                                                              \
        tile(A_APART, rows, vectors, x);                                                           \
    }
#define NAME_ADJACENT(rows, vectors) adjacent_##rows##x##vectors,
#define NAME_APART(rows, vectors)    apart_##rows##x##vectors,
#define DEFINE_ROW(rows)             EACH_WIDTH(DEFINE, rows)
#define ADJACENT_ROW(rows)                                                                         \
    {                                                                                              \
        EACH_WIDTH(NAME_ADJACENT, rows)                                                            \
    }                                                                                              \
    ,
#define APART_ROW(rows)                                                                            \
    {                                                                                              \
        EACH_WIDTH(NAME_APART, rows)                                                               \
    }                                                                                              \
    ,

EACH_SIZE(DEFINE_ROW)
Tile *const CPU(tiles)[2][ROWS][PANEL] = {{EACH_SIZE(ADJACENT_ROW)}, {EACH_SIZE(APART_ROW)}};
