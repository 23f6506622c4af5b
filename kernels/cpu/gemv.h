/* gemv.h -- a few rows times a large matrix, as in generating text: B is read once, from memory, so
 * it is neither packed nor waited for.
 */
#pragma once
#include "kernels/cpu/dots.h"
#include "kernels/cpu/gemm_pack.h"

enum { FEW = 8 };    // rows

#if LANES == 16 || defined __aarch64__
#define EACH_WIDE(X) X(1, 16) X(2, 12) X(3, 8) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#else
#define EACH_WIDE(X) X(1, 12) X(2, 6) X(3, 4) X(4, 3)
#endif

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
