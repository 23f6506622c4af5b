/* product.cuh -- products of matrices that are read and written by functions: dense ones, and those of a
 * convolution, whose operands are never laid out (implicit GEMM; Chetlur et al. 2014, "cuDNN").
 *
 *     struct Dense {
 *         bool a_down, b_down;                                         // columns side by side, not rows
 *         __device__ float a(size_t batch, int i, int p) const;        // [m,k]
 *         __device__ float b(size_t batch, int p, int j) const;        // [k,n]
 *         __device__ void store(size_t batch, int i, int j, float sum) const;
 *     };
 *     multiply(batches, m, n, k, Dense{...});
 *
 * A block computes a square of c, a thread EACH x EACH of its elements, from tiles in shared memory. Sums run
 * over k in order.
 */
#pragma once
#include "kernels/cuda/launch.h"

enum { PRODUCT_DEPTH = 16, PRODUCT_EACH = 4 };

template <int SIDE, class Operands>
__global__ void __launch_bounds__(SIDE *SIDE / (PRODUCT_EACH * PRODUCT_EACH))
    product(int m, int n, int k, Operands x)
{
    constexpr int ACROSS = SIDE / PRODUCT_EACH, THREADS = ACROSS * ACROSS, DEPTH = PRODUCT_DEPTH;
    __shared__ float a_tile[DEPTH][SIDE + 1], b_tile[DEPTH][SIDE + 1];
    const unsigned across = (n + SIDE - 1) / SIDE, down = (m + SIDE - 1) / SIDE;
    const size_t batch = blockIdx.x / across / down;
    const int row = blockIdx.x / across % down * SIDE, col = blockIdx.x % across * SIDE;
    const int t = threadIdx.x, tx = t % ACROSS, ty = t / ACROSS;
    float sum[PRODUCT_EACH][PRODUCT_EACH] = {};
    for (int p = 0; p < k; p += DEPTH) {
        // Neighbouring threads read what lies side by side, also where a matrix is transposed.
        for (int e = t; e < SIDE * DEPTH; e += THREADS) {
            const int i = x.a_down ? e % SIDE : e / DEPTH, q = x.a_down ? e / SIDE : e % DEPTH;
            a_tile[q][i] = row + i < m && p + q < k ? x.a(batch, row + i, p + q) : 0;
            const int j = x.b_down ? e / DEPTH : e % SIDE, r = x.b_down ? e % DEPTH : e / SIDE;
            b_tile[r][j] = p + r < k && col + j < n ? x.b(batch, p + r, col + j) : 0;
        }
        __syncthreads();
        UNROLL
        for (int q = 0; q < DEPTH; q++) {
            float a[PRODUCT_EACH], b[PRODUCT_EACH];
            for (int i = 0; i < PRODUCT_EACH; i++) a[i] = a_tile[q][ty + i * ACROSS];
            for (int j = 0; j < PRODUCT_EACH; j++) b[j] = b_tile[q][tx + j * ACROSS];
            for (int i = 0; i < PRODUCT_EACH; i++)
                for (int j = 0; j < PRODUCT_EACH; j++) sum[i][j] += a[i] * b[j];
        }
        __syncthreads();
    }
    for (int i = 0; i < PRODUCT_EACH; i++)
        for (int j = 0; j < PRODUCT_EACH; j++) {
            const int to_row = row + ty + i * ACROSS, to_col = col + tx + j * ACROSS;
            if (to_row < m && to_col < n) x.store(batch, to_row, to_col, sum[i][j]);
        }
}

template <int SIDE, class Operands>
void multiply_in_squares(size_t batches, int m, int n, int k, Operands x)
{
    const size_t across = ((size_t)n + SIDE - 1) / SIDE, down = ((size_t)m + SIDE - 1) / SIDE;
    LAUNCH((product<SIDE, Operands>), (unsigned)(batches * across * down),
           SIDE * SIDE / (PRODUCT_EACH * PRODUCT_EACH), 0, 0)
    (m, n, k, x);
}

// Large squares read less of a and b for each element of c; small ones keep more multiprocessors busy.
template <class Operands> void multiply(size_t batches, int m, int n, int k, Operands x)
{
    if (batches == 0 || m == 0 || n == 0) return;
    if (m >= 256 && n >= 256) multiply_in_squares<64>(batches, m, n, k, x);
    else multiply_in_squares<32>(batches, m, n, k, x);
}
