/* gemv.h -- a few rows times a large matrix, as in generating text: B is read once, from memory, so
 * it is neither packed nor waited for.
 */
#pragma once
#include "kernels/cpu/gemm_pack.h"

enum { FEW = 8 };    // rows

#if LANES == 16 || defined __aarch64__
enum { FEW_AT_ONCE = 8 };
#define EACH_WIDE(X) X(1, 16) X(2, 12) X(3, 8) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#define EACH_DOTS(X) X(1, 8) X(2, 8) X(3, 6) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#else
enum { FEW_AT_ONCE = 4 };
#define EACH_WIDE(X) X(1, 12) X(2, 6) X(3, 4) X(4, 3)
#define EACH_DOTS(X) X(1, 8) X(2, 4) X(3, 4) X(4, 3)
#endif
enum {
    GROUP = 24,        // a multiple of every number of columns above
    DOTS_MOST = 24,    // dot products at once
};

// ---- B's rows are adjacent in memory: c[i,j] += a[i,p] b[p,j], a wide tile going down

typedef void Wide(float *c, size_t c_row, const float *a, const float *b, size_t b_row, size_t k,
                  float beta);

// a is a packed strip.
INLINED void wide_tile(const int rows, const int vectors, float *c, size_t c_row, const float *a,
                       const float *b, size_t b_row, size_t k, float beta)
{
    Vec sum[FEW_AT_ONCE][16];
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int j = 0; j < vectors; j++) sum[i][j] = (Vec){0};

    const size_t ahead = 4 * b_row, far = 16 * b_row;
    for (size_t p = 0; p < k; p++) {
        UNROLL
        for (int j = 0; j < vectors; j += 16 / LANES) {
            __builtin_prefetch(b + ahead + (size_t)j * LANES, 0, 3);
            __builtin_prefetch(b + far + (size_t)j * LANES, 0, 2);
        }
        // The fewer of the two wait in registers.
        if (rows <= vectors) {
            UNROLL
            for (int j = 0; j < vectors; j++) {
                const Vec row = vec_load(b + (size_t)j * LANES);
                UNROLL
                for (int i = 0; i < rows; i++) sum[i][j] += a[i] * row;
            }
        } else {
            Vec row[16];
            UNROLL
            for (int j = 0; j < vectors; j++) row[j] = vec_load(b + (size_t)j * LANES);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const float x = a[i];
                UNROLL
                for (int j = 0; j < vectors; j++) sum[i][j] += x * row[j];
            }
        }
        a += STEP;
        b += b_row;
    }

    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int j = 0; j < vectors; j++) {
        float *out = c + (size_t)i * c_row + (size_t)j * LANES;
        if (beta != 0) sum[i][j] += beta * vec_load(out);
        vec_store(out, sum[i][j]);
    }
}

#define DEFINE_WIDE(rows, vectors)                                                                 \
    static void wide_##rows(float *c, size_t c_row, const float *a, const float *b, size_t b_row,  \
                            size_t k, float beta)                                                  \
    {                                                                                              \
        wide_tile(rows, vectors, c, c_row, a, b, b_row, k, beta);                                  \
    }
#define NAME_WIDE(rows, vectors)  wide_##rows,
#define WIDTH_WIDE(rows, vectors) (vectors) * LANES,
EACH_WIDE(DEFINE_WIDE)
static Wide *const wides[FEW_AT_ONCE] = {EACH_WIDE(NAME_WIDE)};
static const size_t wide_width[FEW_AT_ONCE] = {EACH_WIDE(WIDTH_WIDE)};

// One or two rows: a few whole rows of B at a time are added to C, in long streams.
INLINED void add_rows(const int rows, const int depth, float *c, size_t c_row, Mat a,
                      const float *b, size_t b_row, size_t n, float beta)
{
    float x[2][8];
    UNROLL
    for (int i = 0; i < rows; i++) UNROLL
    for (int p = 0; p < depth; p++) x[i][p] = a.data[(size_t)i * a.row + (size_t)p * a.col];
    for (size_t j = 0; j < n; j += LANES) {
        Vec sum[2];
        UNROLL
        for (int i = 0; i < rows; i++) {
            sum[i] = (Vec){0};
            if (beta != 0) sum[i] = beta * load_some(c + (size_t)i * c_row + j, n - j);
        }
        UNROLL
        for (int p = 0; p < depth; p++) {
            const Vec row = load_some(b + (size_t)p * b_row + j, n - j);
            UNROLL
            for (int i = 0; i < rows; i++) sum[i] += x[i][p] * row;
        }
        UNROLL
        for (int i = 0; i < rows; i++) store_some(c + (size_t)i * c_row + j, sum[i], n - j);
    }
}

static void multiply_rows(float *c, size_t c_row, Mat a, Mat b, size_t m, size_t n, size_t k,
                          float beta)
{
    enum { COLUMNS = 4096 };    // of C, which stay in L1
    for (size_t j = 0; j < n; j += COLUMNS) {
        const size_t cols = MIN((size_t)COLUMNS, n - j), depth = m == 1 ? 8 : 4;
        float scale = beta;
        for (size_t p = 0; p < MAX(k, 1); scale = 1) {
            const float *from = b.data + p * b.row + j;
            const Mat x = {a.data + p * a.col, a.row, a.col, 0};
            const size_t now = k - p >= depth ? depth : k > p;
            if (now == 0)
                m == 1 ? add_rows(1, 0, c + j, c_row, x, from, b.row, cols, scale)
                       : add_rows(2, 0, c + j, c_row, x, from, b.row, cols, scale);
            else if (m == 1)
                now == 8 ? add_rows(1, 8, c + j, c_row, x, from, b.row, cols, scale)
                         : add_rows(1, 1, c + j, c_row, x, from, b.row, cols, scale);
            else
                now == 4 ? add_rows(2, 4, c + j, c_row, x, from, b.row, cols, scale)
                         : add_rows(2, 1, c + j, c_row, x, from, b.row, cols, scale);
            p += MAX(now, 1);
        }
    }
}

// ---- B's columns are adjacent in memory: dot products

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

// Loaded once, not once for each row of A.
#ifdef __aarch64__
#define HELD(v) __asm__("" : "+w"(v))
#else
#define HELD(v) __asm__("" : "+v"(v))
#endif

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
            const Vec row = vec_load(a + (size_t)i * a_row + p);
            UNROLL
            for (int j = 0; j < cols; j++) part[i][j] += row * col[j];
        }
    }
    if (p < k) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            const Vec row = load_part(a + (size_t)i * a_row + p, k - p);
            UNROLL
            for (int j = 0; j < cols; j++)
                part[i][j] += row * load_part(b + (size_t)j * b_col + p, k - p);
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
