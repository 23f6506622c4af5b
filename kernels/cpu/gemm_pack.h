/* gemm_pack.h -- parts of A and B copied into the order in which the tile reads them, and a tile of
 * C copied out of a buffer where it cannot be stored directly.
 */
#pragma once
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/part.h"
#include "kernels/cpu/transpose.h"

enum { BEYOND = 64 };    // floats of a column that are asked for before they are needed

// out[p * stride + j] = x[p, j], with zeros from cols up to the next whole vector.
static void copy_rows(float *out, size_t stride, const float *x, size_t row, size_t k, size_t cols)
{
    for (size_t p = 0; p < k; p++)
        for (size_t j = 0; j < cols; j += LANES) {
            __builtin_prefetch(x + (p + AHEAD) * row + j);
            vec_store(out + p * stride + j, load_some(x + p * row + j, cols - j));
        }
}

// The same with x[p, j] = x[p + j * col].
static void copy_columns(float *out, size_t stride, const float *x, size_t col, size_t k,
                         size_t cols)
{
    for (size_t j = 0; j < cols; j += LANES)
        for (size_t p = 0; p < k; p += LANES) {
            Vec block[LANES];
            if (cols - j >= LANES && k - p >= LANES) {
                UNROLL
                for (int l = 0; l < LANES; l++) {
                    block[l] = vec_load(x + p + (j + (size_t)l) * col);
                    __builtin_prefetch(x + p + (j + (size_t)l) * col + BEYOND);
                }
            } else {
                UNROLL
                for (int l = 0; l < LANES; l++)
                    block[l] = j + (size_t)l < cols
                                   ? load_some(x + p + (j + (size_t)l) * col, k - p)
                                   : (Vec){0};
            }
            transpose(block);
            if (k - p >= LANES) {
                UNROLL
                for (int l = 0; l < LANES; l++)
                    vec_store(out + (p + (size_t)l) * stride + j, block[l]);
            } else {
                UNROLL
                for (int l = 0; l < LANES; l++)
                    if ((size_t)l < k - p) vec_store(out + (p + (size_t)l) * stride + j, block[l]);
            }
        }
}

// All strips of A at once, the first `taller` of them with tall + 1 rows. One strip uses a part of a
// cache line, and by the time the next strip alone came for the rest, the line could be gone.
static inline void pack_strips(float *out, const float *x, size_t row, size_t k, size_t strips,
                               size_t tall, size_t taller)
{
    for (size_t p = 0; p < k; p++) {
        size_t i = 0;
        for (size_t s = 0; s < strips; s++) {
            const size_t rows = tall + (s < taller);
            float *to = out + s * STEP * k + p * STEP;
            for (size_t j = 0; j < rows; j += LANES)
                vec_store(to + j, load_some(x + p * row + i + j, rows - j));
            __builtin_prefetch(x + (p + 4) * row + i);
            i += rows;
        }
    }
}

// out[p * stride + j] = x.data[p * row + j * col].
static inline void pack(float *out, size_t stride, const float *x, size_t row, size_t col, size_t k,
                        size_t cols)
{
    if (col == 1) {
        copy_rows(out, stride, x, row, k, cols);
    } else if (row == 1) {
        copy_columns(out, stride, x, col, k, cols);
    } else {
        for (size_t p = 0; p < k; p++)
            for (size_t j = 0; j < (cols + LANES - 1) / LANES * LANES; j++)
                out[p * stride + j] = j < cols ? x[p * row + j * col] : 0;
    }
}

// c[i,j] = beta c + sum[i,j]
static inline void store_edge(float *c, size_t c_row, const float *sum, size_t rows, size_t cols,
                              float beta)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j += LANES) {
            float *out = c + i * c_row + j;
            const Vec v = vec_load(sum + i * WIDTH + j);
            store_some(out, beta == 0 ? v : beta * load_some(out, cols - j) + v, cols - j);
        }
}

// c[j,i] = beta c + sum[i,j]
static inline void store_transposed(float *c, size_t c_row, const float *sum, size_t rows,
                                    size_t cols, float beta)
{
    for (size_t i = 0; i < rows; i += LANES)
        for (size_t j = 0; j < cols; j += LANES) {
            Vec block[LANES];
            UNROLL
            for (int l = 0; l < LANES; l++) block[l] = vec_load(sum + (i + (size_t)l) * WIDTH + j);
            transpose(block);
            UNROLL
            for (int l = 0; l < LANES; l++)
                if (j + (size_t)l < cols) {
                    float *out = c + (j + (size_t)l) * c_row + i;
                    store_some(out,
                               beta == 0 ? block[l] : beta * load_some(out, rows - i) + block[l],
                               rows - i);
                }
        }
}
