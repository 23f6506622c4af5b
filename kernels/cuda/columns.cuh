/* columns.cuh -- sums down the columns of a matrix, in double.
 *
 *     sum_columns(rows, cols, [=] __device__(size_t r, int c) { return (double)x[r * cols + c]; },
 *                 [=] __device__(int c, double sum) { y[c] = (float)sum; });
 *
 * A block has 32 columns; its warps take every so many rows of them, and their sums are added in order.
 */
#pragma once
#include "kernels/cuda/launch.h"

enum { COLUMNS_ACROSS = 32, COLUMNS_DOWN = 16 };

template <class Value, class Out>
__global__ void __launch_bounds__(COLUMNS_ACROSS *COLUMNS_DOWN)
    columns(size_t rows, int cols, Value value, Out out)
{
    __shared__ double part[COLUMNS_DOWN][COLUMNS_ACROSS];
    const int c = blockIdx.x * COLUMNS_ACROSS + threadIdx.x;
    double sum = 0;
    if (c < cols)
        for (size_t r = threadIdx.y; r < rows; r += COLUMNS_DOWN) sum += value(r, c);
    part[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || c >= cols) return;
    for (int i = 1; i < COLUMNS_DOWN; i++) sum += part[i][threadIdx.x];
    out(c, sum);
}

template <class Value, class Out> void sum_columns(size_t rows, int cols, Value value, Out out)
{
    const unsigned blocks = (unsigned)((cols + COLUMNS_ACROSS - 1) / COLUMNS_ACROSS);
    if (cols > 0) LAUNCH((columns<Value, Out>), blocks, dim3(COLUMNS_ACROSS, COLUMNS_DOWN), 0, 0)
    (rows, cols, value, out);
}
