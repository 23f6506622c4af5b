/* transpose.cu -- y[c,r] = x[r,c].
 *
 * The naive kernel reads along rows and writes down columns: each lane of a warp writes to another sector.
 * The other one transposes a tile in shared memory, so that both sides go along rows. A column of 32 words would
 * lie in one bank; rows of 33 words put it into 32 banks.
 */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { TILE = 32, ROWS = 8 };    // a block: 32 x 8 threads, four rows of the tile each

static __global__ void transpose_naive(float *y, size_t y_row, const float *x, int rows, int cols)
{
    const int c = blockIdx.x * TILE + threadIdx.x;
    for (int r = blockIdx.y * TILE + threadIdx.y; r < min(rows, (int)(blockIdx.y + 1) * TILE);
         r += ROWS)
        if (c < cols) y[(size_t)c * y_row + r] = x[(size_t)r * cols + c];
}

static __global__ void transpose(float *y, size_t y_row, const float *x, int rows, int cols)
{
    __shared__ float tile[TILE][TILE + 1];
    const int row = blockIdx.y * TILE, col = blockIdx.x * TILE;
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (row + i < rows && col + (int)threadIdx.x < cols)
            tile[i][threadIdx.x] = x[(size_t)(row + i) * cols + col + threadIdx.x];
    __syncthreads();
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (col + i < cols && row + (int)threadIdx.x < rows)
            y[(size_t)(col + i) * y_row + row + threadIdx.x] = tile[threadIdx.x][i];
}

static dim3 tiles(int rows, int cols)
{
    return dim3((unsigned)(cols + TILE - 1) / TILE, (unsigned)(rows + TILE - 1) / TILE);
}

void cuda_transpose_naive(float *y, size_t y_row, const float *x, int rows, int cols)
{
    if (rows > 0 && cols > 0)
        LAUNCH(transpose_naive, tiles(rows, cols), dim3(TILE, ROWS), 0, 0)(y, y_row, x, rows, cols);
}

void cuda_transpose(float *y, size_t y_row, const float *x, int rows, int cols)
{
    if (rows > 0 && cols > 0)
        LAUNCH(transpose, tiles(rows, cols), dim3(TILE, ROWS), 0, 0)(y, y_row, x, rows, cols);
}
