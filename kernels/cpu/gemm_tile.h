/* gemm_tile.h -- a tile of C in registers, while rows of B and elements of A pass by.
 *
 *     tiles[A_ADJACENT][rows - 1][vectors - 1](c, c_row, a, a_step, b, b_row, keep, k, cols, beta);
 *
 * A tile is as many accumulators as there are registers, less those for a row of B and an element
 * of A. Where a tile ends inside a vector of C, or C is transposed, it is stored through a buffer.
 */
#pragma once
#ifdef __AVX__
#include <immintrin.h>
#endif
#include "kernels/cpu/variant.h"

#if LANES == 16
enum { ROWS = 14, PANEL = 2 };
#define EACH_SIZE(X)                                                                               \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2)
#elif defined __aarch64__
enum { ROWS = 8, PANEL = 3 };
#define EACH_SIZE(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2) X(rows, 3)
#else
enum { ROWS = 6, PANEL = 2 };
#define EACH_SIZE(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define EACH_WIDTH(X, rows) X(rows, 1) X(rows, 2)
#endif

enum {
    AHEAD = 6, FAR = 24,    // rows of B that are asked for before they are needed, in L1 and in L2
    WIDTH = PANEL * LANES,
    STEP  = (ROWS + LANES - 1) / LANES * LANES,    // floats from one k of a packed strip to the next
};

#define INLINED static inline __attribute__((always_inline))

// The compiler shall not see where p points: it would keep a pointer to each row of A and spill.
#define OPAQUE(p) __asm__("" : "+r"(p))

// How the elements of A that a tile reads at one k lie: side by side (a packed strip, or A
// transposed), or `a_step` apart, where it is the next k that lies beside.
typedef enum Layout { A_ADJACENT, A_APART } Layout;

typedef void Tile(float *c, size_t c_row, const float *a, size_t a_step, const float *b,
                  size_t b_row, float *keep, size_t k, size_t cols, float beta);

#define MULTIPLY(row)                                                                              \
    if (layout == A_APART) {                                                                       \
        UNROLL for (int i = 0; i < rows; i++) {                                                    \
            const float *from = base[i / 5];                                                       \
            const float  x    = i % 5 == 3 ? from[step3] : from[(size_t)(i % 5) * a_step];         \
            UNROLL for (int j = 0; j < vectors; j++)                                               \
                sum[i][j] += x * row[j];                                                           \
        }                                                                                          \
        UNROLL for (int g = 0; g < (rows + 4) / 5; g++) {                                          \
            base[g]++;                                                                             \
            OPAQUE(base[g]);                                                                       \
        }                                                                                          \
    } else {                                                                                       \
        UNROLL for (int i = 0; i < rows; i++) {                                                    \
            const float x = a[i];                                                                  \
            UNROLL for (int j = 0; j < vectors; j++)                                               \
                sum[i][j] += x * row[j];                                                           \
        }                                                                                          \
        a += a_step;                                                                               \
    }

// Inlined below with constant sizes, so that the loops over a tile vanish and `sum` is registers.
INLINED void tile(const Layout layout, const int rows, const int vectors, float *c, size_t c_row,
                  const float *a, size_t a_step, const float *b, size_t b_row, float *keep, size_t k, size_t cols, float beta)
{
#if LANES == 16
    const __mmask16 last = (__mmask16)((1u << (cols - (size_t)(vectors - 1) * LANES)) - 1);
#define LOAD(x, j) (j < vectors - 1 ? vec_load(x) : (Vec)_mm512_maskz_loadu_ps(last, x))
#define STORE(x, v, j) \
    if (j < vectors - 1) vec_store(x, v); else _mm512_mask_storeu_ps(x, last, v)
#else
    (void)cols;
#define LOAD(x, j) vec_load(x)
#define STORE(x, v, j) vec_store(x, v)
#endif
    Vec sum[ROWS][PANEL];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = (Vec){0};

    // Rows of A that lie apart are reached from every fifth: x86 adds one, two or four strides, or
    // one times three strides, for nothing.
    const float *base[(ROWS + 4) / 5];
    const size_t step3 = 3 * a_step;
    UNROLL for (int g = 0; g < (rows + 4) / 5; g++)
        base[g] = a + (layout == A_APART ? 5 * (size_t)g * a_step : 5 * (size_t)g);

    if (keep) {
        for (size_t p = 0; p < k; p++) {
            if (p < (size_t)rows) __builtin_prefetch(c + p * c_row, 1);
            Vec row[PANEL];
            UNROLL for (int j = 0; j < vectors; j++) {
                row[j] = LOAD(b + (size_t)j * LANES, j);
                __builtin_prefetch(b + AHEAD * b_row + (size_t)j * LANES, 0, 3);
                __builtin_prefetch(b + FAR * b_row + (size_t)j * LANES, 0, 2);
                vec_store(keep + (size_t)j * LANES, row[j]);
            }
            b += b_row;
            keep += vectors * LANES;
            MULTIPLY(row)
        }
    } else {
        size_t p = 0;
        const float *ask = c;
        for (int asked = 0; p + 4 <= k; p += 4) {
            // C is asked for before it is needed, a row at a time: all at once would keep A waiting.
            if (asked < rows) {
                UNROLL for (int j = 0; j < vectors; j++)
                    __builtin_prefetch(ask + (size_t)j * LANES, 1);
                ask += c_row;
                asked++;
            }
            UNROLL for (int u = 0; u < 4; u++) {
                Vec row[PANEL];
                UNROLL for (int j = 0; j < vectors; j++)
                    row[j] = LOAD(b + (size_t)j * LANES, j);
                b += b_row;
                MULTIPLY(row)
            }
        }
        for (; p < k; p++) {
            Vec row[PANEL];
            UNROLL for (int j = 0; j < vectors; j++)
                row[j] = LOAD(b + (size_t)j * LANES, j);
            b += b_row;
            MULTIPLY(row)
        }
    }

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) {
            float *out = c + (size_t)i * c_row + (size_t)j * LANES;
            if (beta != 0) sum[i][j] += beta * LOAD(out, j);
            STORE(out, sum[i][j], j);
        }
}

#define DEFINE(rows, vectors)                                                                      \
    static void adjacent_##rows##x##vectors(float *c, size_t c_row, const float *a, size_t a_step, \
                                            const float *b, size_t b_row, float *keep, size_t k, size_t cols, float beta)    \
    {                                                                                              \
        tile(A_ADJACENT, rows, vectors, c, c_row, a, a_step, b, b_row, keep, k, cols, beta);                   \
    }                                                                                              \
    static void apart_##rows##x##vectors(float *c, size_t c_row, const float *a, size_t a_step,    \
                                         const float *b, size_t b_row, float *keep, size_t k, size_t cols, float beta)       \
    {                                                                                              \
        tile(A_APART, rows, vectors, c, c_row, a, a_step, b, b_row, keep, k, cols, beta);                      \
    }
#define NAME_ADJACENT(rows, vectors) adjacent_##rows##x##vectors,
#define NAME_APART(rows, vectors)    apart_##rows##x##vectors,
#define DEFINE_ROW(rows)             EACH_WIDTH(DEFINE, rows)
#define ADJACENT_ROW(rows)           {EACH_WIDTH(NAME_ADJACENT, rows)},
#define APART_ROW(rows)              {EACH_WIDTH(NAME_APART, rows)},

EACH_SIZE(DEFINE_ROW)
static Tile *const tiles[2][ROWS][PANEL] = {{EACH_SIZE(ADJACENT_ROW)}, {EACH_SIZE(APART_ROW)}};
