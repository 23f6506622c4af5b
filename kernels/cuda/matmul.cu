/* matmul.cu -- c[b,i,j] = beta c[b,i,j] + sum_p a[b,i,p] b[b,p,j].
 *
 * Naive: a thread reads a row of a and a column of b, 2 k numbers for one of c. Tiled: a block brings a
 * tile of each to shared memory, and each number is read from global memory once for TILE of c's.
 */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { TILE = 32 };    // a warp is a row of it, so that rows of 33 words have no bank conflicts

static __device__ void store(float *c, float sum, float beta)
{
    *c = beta == 0 ? sum : beta * *c + sum;    // 0 never reads
}

static __global__ void matmul_naive(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int m,
                                    int n, int k, float beta)
{
    const int i = blockIdx.y * TILE + threadIdx.y, j = blockIdx.x * TILE + threadIdx.x;
    if (i >= m || j >= n) return;
    const float *row = a.data + blockIdx.z * a.batch + i * a.row;
    const float *column = b.data + blockIdx.z * b.batch + j * b.col;
    float sum = 0;
    for (int p = 0; p < k; p++) sum += row[p * a.col] * column[p * b.row];
    store(c + blockIdx.z * c_batch + i * c_row + j, sum, beta);
}

// Element (i,j) of the tile that begins at (row,col), 0 outside the matrix [rows,cols].
static __device__ float element(const float *data, Mat x, int row, int col, int rows, int cols)
{
    return row < rows && col < cols ? data[row * x.row + col * x.col] : 0;
}

static __global__ void __launch_bounds__(TILE *TILE)
    matmul_tiled(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int m, int n, int k,
                 float beta)
{
    __shared__ float a_tile[TILE][TILE + 1], b_tile[TILE][TILE + 1];
    const int row = blockIdx.y * TILE, col = blockIdx.x * TILE;
    const float *a_data = a.data + blockIdx.z * a.batch, *b_data = b.data + blockIdx.z * b.batch;
    // Neighbouring threads read along what lies side by side, also where a matrix is transposed.
    const bool a_down = a.row < a.col, b_down = b.row < b.col;
    const int x = threadIdx.x, y = threadIdx.y;
    const int ay = a_down ? x : y, ax = a_down ? y : x, by = b_down ? x : y, bx = b_down ? y : x;
    float sum = 0;
    for (int p = 0; p < k; p += TILE) {
        a_tile[ay][ax] = element(a_data, a, row + ay, p + ax, m, k);
        b_tile[by][bx] = element(b_data, b, p + by, col + bx, k, n);
        __syncthreads();
        for (int q = 0; q < TILE; q++) sum += a_tile[y][q] * b_tile[q][x];
        __syncthreads();
    }
    if (row + y < m && col + x < n)
        store(c + blockIdx.z * c_batch + (row + y) * c_row + col + x, sum, beta);
}

// Grids have at most 65535 blocks in y and z.
template <class Kernel>
static void launch(Kernel kernel, float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch,
                   int m, int n, int k, float beta)
{
    if (m == 0 || n == 0) return;
    for (int done = 0, some; done < batch; done += some) {
        some = min(batch - done, 65535);
        for (int i = 0, height; i < m; i += height) {
            height = min(m - i, 65535 * TILE);
            const Mat a_part = {a.data + done * a.batch + i * a.row, a.row, a.col, a.batch};
            const Mat b_part = {b.data + done * b.batch, b.row, b.col, b.batch};
            const dim3 grid((unsigned)(n + TILE - 1) / TILE, (unsigned)(height + TILE - 1) / TILE,
                            (unsigned)some);
            LAUNCH(kernel, grid, dim3(TILE, TILE), 0, 0)
            (c + done * c_batch + i * c_row, c_row, c_batch, a_part, b_part, height, n, k, beta);
        }
    }
}

void cuda_matmul_naive(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                       int n, int k, float beta)
{
    launch(matmul_naive, c, c_row, c_batch, a, b, batch, m, n, k, beta);
}

void cuda_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                 int k, float beta)
{
    launch(matmul_tiled, c, c_row, c_batch, a, b, batch, m, n, k, beta);
}
