/* gemm_tile.h -- a tile of C in registers, while rows of B and elements of A pass by.
 *
 *     tiles[A_ADJACENT][rows - 1][vectors - 1](c, c_row, a, a_step, b, b_row, k, beta);
 *
 * A tile is as many accumulators as there are registers, less those for a row of B and an element
 * of A. Where a tile ends inside a vector of C, or C is transposed, it is stored through a buffer.
 */
#pragma once
#if defined __AVX512F__ && !defined __clang_analyzer__
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
    WIDTH = PANEL * LANES,
    STEP  = (ROWS + LANES - 1) / LANES * LANES,    // floats from one k of a packed strip to the next
};

#ifdef __clang__
#define UNROLL_BY_4 _Pragma("unroll 4")
#else
#define UNROLL_BY_4 _Pragma("GCC unroll 4")
#endif

#define INLINED static inline __attribute__((always_inline))

// The compiler shall not see where p points: it would keep a pointer to each row of A and spill.
#define OPAQUE(p) __asm__("" : "+r"(p))

// How the elements of A that a tile reads at one k lie: side by side (a packed strip, or A
// transposed), or `a_step` apart, where it is the next k that lies beside.
typedef enum Layout { A_ADJACENT, A_APART } Layout;

typedef void Tile(float *c, size_t c_row, const float *a, size_t a_step, const float *b,
                  size_t b_row, size_t k, float beta);

// Inlined below with constant sizes, so that the loops over a tile vanish and `sum` is registers.
INLINED void tile(const Layout layout, const int rows, const int vectors, float *c, size_t c_row,
                  const float *a, size_t a_step, const float *b, size_t b_row, size_t k, float beta)
{
    Vec sum[ROWS][PANEL];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = (Vec){0};

    // C is asked for before it is needed: a training step ran a tenth faster for it.
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            __builtin_prefetch(c + (size_t)i * c_row + (size_t)j * LANES, 1);

    // Rows of A that lie apart are reached from every fifth: x86 adds one, two or four strides, or
    // one times three strides, for nothing.
    const float *base[(ROWS + 4) / 5];
    const size_t step3 = 3 * a_step;
    UNROLL for (int g = 0; g < (rows + 4) / 5; g++)
        base[g] = a + (layout == A_APART ? 5 * (size_t)g * a_step : 5 * (size_t)g);

    UNROLL_BY_4 for (size_t p = 0; p < k; p++) {
        Vec row[PANEL];
        UNROLL for (int j = 0; j < vectors; j++)
            row[j] = vec_load(b + (size_t)j * LANES);
        b += b_row;
        if (layout == A_APART) {
            UNROLL for (int i = 0; i < rows; i++) {
                const float *from = base[i / 5];
                const float  x    = i % 5 == 3 ? from[step3] : from[(size_t)(i % 5) * a_step];
                UNROLL for (int j = 0; j < vectors; j++)
                    sum[i][j] += x * row[j];
            }
            UNROLL for (int g = 0; g < (rows + 4) / 5; g++) {
                base[g]++;
                OPAQUE(base[g]);
            }
        } else {
            UNROLL for (int i = 0; i < rows; i++) {
                const float x = a[i];
                UNROLL for (int j = 0; j < vectors; j++)
                    sum[i][j] += x * row[j];
            }
            a += a_step;
        }
    }

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) {
            float *out = c + (size_t)i * c_row + (size_t)j * LANES;
            if (beta == 0)
                vec_store(out, sum[i][j]);
            else
                vec_store(out, beta * vec_load(out) + sum[i][j]);
        }
}

#define DEFINE(rows, vectors)                                                                      \
    static void adjacent_##rows##x##vectors(float *c, size_t c_row, const float *a, size_t a_step, \
                                            const float *b, size_t b_row, size_t k, float beta)    \
    {                                                                                              \
        tile(A_ADJACENT, rows, vectors, c, c_row, a, a_step, b, b_row, k, beta);                   \
    }                                                                                              \
    static void apart_##rows##x##vectors(float *c, size_t c_row, const float *a, size_t a_step,    \
                                         const float *b, size_t b_row, size_t k, float beta)       \
    {                                                                                              \
        tile(A_APART, rows, vectors, c, c_row, a, a_step, b, b_row, k, beta);                      \
    }
#define NAME_ADJACENT(rows, vectors) adjacent_##rows##x##vectors,
#define NAME_APART(rows, vectors)    apart_##rows##x##vectors,
#define DEFINE_ROW(rows)             EACH_WIDTH(DEFINE, rows)
#define ADJACENT_ROW(rows)           {EACH_WIDTH(NAME_ADJACENT, rows)},
#define APART_ROW(rows)              {EACH_WIDTH(NAME_APART, rows)},

EACH_SIZE(DEFINE_ROW)
static Tile *const tiles[2][ROWS][PANEL] = {{EACH_SIZE(ADJACENT_ROW)}, {EACH_SIZE(APART_ROW)}};
