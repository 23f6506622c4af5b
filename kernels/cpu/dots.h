/* dots.h -- dot products of a few rows with a few columns at once, whose numbers lie side by side in memory.
 *
 *     dots_of[rows - 1][0](sum, a, a_row, b, b_col, k);    // of dots_cols[rows - 1] columns; [1]: of one
 *
 * The lanes of a vector are summed apart, then in a tree: a sum's order depends on k alone.
 */
#pragma once
#include "kernels/cpu/part.h"

#if LANES == 16 || defined __aarch64__
enum { FEW_AT_ONCE = 8 };
#define EACH_DOTS(X) X(1, 8) X(2, 8) X(3, 6) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#else
enum { FEW_AT_ONCE = 4 };
#define EACH_DOTS(X) X(1, 8) X(2, 4) X(3, 4) X(4, 3)
#endif
enum {
    GROUP = 24,        // a multiple of every number of columns above
    DOTS_MOST = 24,    // dot products at once
};

typedef void Dots(float *sum, const float *a, size_t a_row, const float *b, size_t b_col, size_t k);

#if LANES == 16
#define EVEN(x, y)                                                                                 \
    __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(x, y)                                                                                  \
    __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#elif LANES == 8
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(x, y)  __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6)
#define ODD(x, y)  __builtin_shufflevector(x, y, 1, 3, 5, 7)
#endif

// out[l] = the sum of x[l]'s lanes: neighbours are added in all vectors, two vectors become one.
INLINED void sum_lanes(float *out, Vec x[LANES])
{
    UNROLL
    for (int n = LANES / 2; n > 0; n /= 2) UNROLL
    for (int l = 0; l < n; l++) x[l] = EVEN(x[2 * l], x[2 * l + 1]) + ODD(x[2 * l], x[2 * l + 1]);
    vec_store(out, x[0]);
}

// sum[i * cols + j] = sum_p a[i,p] b[p,j]
INLINED void dots(const int rows, const int cols, float *sum, const float *a, size_t a_row,
                  const float *b, size_t b_col, size_t k)
{
    Vec part[FEW_AT_ONCE][8];
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int j = 0; j < cols; j++) part[i][j] = (Vec){0};
    size_t p = 0;
    for (; p + LANES <= k; p += LANES) {
        Vec col[8];
        UNROLL
        for (int j = 0; j < cols; j++) {
            __builtin_prefetch(b + (size_t)(j + cols) * b_col + p);
            col[j] = vec_load(b + (size_t)j * b_col + p);
            if (rows > 1) HELD(col[j]);
        }
        UNROLL
        for (int i = 0; i < rows; i++) {
            Vec row = vec_load(a + (size_t)i * a_row + p);
            if (cols > 1) HELD(row);
            UNROLL
            for (int j = 0; j < cols; j++) part[i][j] = vec_fma(row, col[j], part[i][j]);
        }
    }
    if (p < k) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            const Vec row = load_part(a + (size_t)i * a_row + p, k - p);
            UNROLL
            for (int j = 0; j < cols; j++)
                part[i][j] = vec_fma(row, load_part(b + (size_t)j * b_col + p, k - p), part[i][j]);
        }
    }
    UNROLL
    for (int start = 0; start < rows * cols; start += LANES) {
        Vec block[LANES];
        UNROLL
        for (int l = 0; l < LANES; l++)
            block[l] =
                start + l < rows * cols ? part[(start + l) / cols][(start + l) % cols] : (Vec){0};
        sum_lanes(sum + start, block);
    }
}

#define DEFINE_DOTS(rows, cols)                                                                    \
    static void dots_##rows##x##cols(float *sum, const float *a, size_t a_row, const float *b,     \
                                     size_t b_col, size_t k)                                       \
    {                                                                                              \
        dots(rows, cols, sum, a, a_row, b, b_col, k);                                              \
    }                                                                                              \
    static void dots_##rows(float *sum, const float *a, size_t a_row, const float *b,              \
                            size_t b_col, size_t k)                                                \
    {                                                                                              \
        dots(rows, 1, sum, a, a_row, b, b_col, k);                                                 \
    }
#define NAME_DOTS(rows, cols) {dots_##rows##x##cols, dots_##rows},
#define COLS_DOTS(rows, cols) cols,
EACH_DOTS(DEFINE_DOTS)
static Dots *const dots_of[FEW_AT_ONCE][2] = {EACH_DOTS(NAME_DOTS)};
static const size_t dots_cols[FEW_AT_ONCE] = {EACH_DOTS(COLS_DOTS)};
