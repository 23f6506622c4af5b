/* matmul_wgmma.cu -- products of float32 matrices by wgmma.cu: both operands are rounded to bfloat16 first, row by
 * row of k side by side, as TMA wants them.
 */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/wgmma.h"

enum { TILE = 32, TILE_ROWS = 8 };

// to[r,c] = x[r,c] of [rows,cols], through a tile: neighbouring threads read what lies side by side, and write so.
static __global__ void __launch_bounds__(TILE *TILE_ROWS)
    round_rows(uint16_t *to, size_t to_row, Mat x, int rows, int cols)
{
    __shared__ float tile[TILE][TILE + 1];
    const int across = (cols + TILE - 1) / TILE, tx = threadIdx.x % TILE, ty = threadIdx.x / TILE;
    const int row = blockIdx.x / across * TILE, col = blockIdx.x % across * TILE;
    const bool down = x.row < x.col;    // x's columns lie side by side
    for (int i = ty; i < TILE; i += TILE_ROWS) {
        const int r = down ? tx : i, c = down ? i : tx;
        if (row + r < rows && col + c < cols)
            tile[r][c] = x.data[(row + r) * x.row + (col + c) * x.col];
    }
    __syncthreads();
    for (int i = ty; i < TILE; i += TILE_ROWS)
        if (row + i < rows && col + tx < cols)
            to[(row + i) * to_row + col + tx] =
                __bfloat16_as_ushort(__float2bfloat16_rn(tile[i][tx]));
}

static void round_operand(uint16_t *to, size_t to_row, Mat x, int rows, int cols)
{
    const size_t tiles = ((size_t)rows + TILE - 1) / TILE * (((size_t)cols + TILE - 1) / TILE);
    LAUNCH(round_rows, (unsigned)tiles, TILE * TILE_ROWS, 0, 0)(to, to_row, x, rows, cols);
}

bool cuda_matmul_wgmma(float *c, size_t c_row, Mat a, Mat b, int m, int n, int k, float beta)
{
    if (m == 0 || n == 0) return true;
    if (k == 0) return false;
    const size_t row = ((size_t)k + 7) / 8 * 8;    // rows of whole 16 bytes
    auto *const rounded =
        static_cast<uint16_t *>(cuda_workspace(((size_t)m + (size_t)n) * row * sizeof(uint16_t)));
    if (rounded == nullptr) return false;
    uint16_t *const rounded_b = rounded + m * row;
    round_operand(rounded, row, a, m, k);
    round_operand(rounded_b, row, {b.data, b.col, b.row, 0}, n, k);
    return cuda_wgmma_product(c, c_row, rounded, row, rounded_b, row, m, n, k, beta);
}
