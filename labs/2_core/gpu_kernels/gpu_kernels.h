/* gpu_kernels.h -- what you write in this lab: CUDA kernels, the ladder from a vector sum to paged attention.
 *
 * Matrices are dense and row-major. Sizes are 1 or more, and never a promise: no size is a multiple of a
 * block unless it says so here. Outputs are overwritten, every element of them once, and overlap no input.
 * launch.cu starts the kernels; grid and block are what the comment says, and the body is yours.
 * Constants of this header are the launch's as well. All threads of a block have to reach each
 * __syncthreads(). A block waits there for its busiest thread, so that threads share out the work before
 * each of them; a tree at the end of a reduction, with ever fewer threads, is part of that.
 *
 * A sector is 32 bytes of global memory, a wavefront one access of the 32 banks of shared memory: what the
 * cases count, and kernels/cuda/emulator/report.h explains.
 */
#pragma once
#include "kernels/cuda/launch.h"

enum {
    ADD_THREADS = 128,
    TILE = 32,    // transposes: a block of TILE x ROWS threads for TILE x TILE elements
    ROWS = 8,
    REDUCE_THREADS = 256,
    ROW_THREADS = 128,        // softmax, layer norm
    SIDE = 16,                // matrix products by SIDE x SIDE threads
    BLOCKED = 64,             // rows and columns of c that a block of SIDE x SIDE threads computes
    EACH = BLOCKED / SIDE,    // rows and columns of a thread: 4 x 4 elements
    WARP_TILES = 2,           // warps of a block of matmul_warp_tiled
    FRAGMENT = 16,            // rows and columns of a fragment of the tensor cores
    WARPS = 4,                // of a block: attention, and the product on tensor cores
    WIDTH_MAX = 64,           // the largest width D of a head
    KV_BLOCK = 16,            // tokens of a block of the paged cache
};

constexpr unsigned WHOLE_WARP = 0xffffffff;

extern "C" {

// 1. c[i] = a[i] + b[i] for 0 <= i < n. The grid may have fewer threads than n, or more.
//    Blocks of ADD_THREADS threads. Each element is read and written once, without wasted sectors.
__global__ void gk_vector_add(float *c, const float *a, const float *b, int n);

// 2. y[c,r] = x[r,c]; x: [rows,cols]. One element for each thread: block TILE x ROWS, grid
//    (cols / TILE, rows / ROWS), rounded up. Neighbouring threads read neighbouring elements;
//    they write where they must.
__global__ void gk_transpose_naive(float *y, const float *x, int rows, int cols);

// 3. The same, where neighbouring threads also write neighbouring elements: a block of TILE x ROWS
//    threads transposes a tile of TILE x TILE elements in shared memory; grid (cols / TILE, rows / TILE),
//    rounded up.
__global__ void gk_transpose_tiled(float *y, const float *x, int rows, int cols);

// 4. The same again, without a bank conflict.
__global__ void gk_transpose_padded(float *y, const float *x, int rows, int cols);

// 5. sums[b] = the sum of the elements of x of block b: x[b REDUCE_THREADS + t] of its thread t, 0 from
//    n on. A tree in shared memory: the first half of the threads adds, then the first half of those,
//    without bank conflicts. Blocks of REDUCE_THREADS threads.
__global__ void gk_reduce_tree(float *sums, const float *x, int n);

// 6. The sum of the x of all threads of the block, in each of them, by warp shuffles: in shared memory is
//    one number for each warp. Blocks are 1 to 32 whole warps, of one dimension. It may be called again
//    at once, as the kernels below do.
__device__ float gk_block_sum(float x);

// Given: sums[b] = the sum of all x[i] whose i / REDUCE_THREADS is b, b + gridDim.x, b + 2 gridDim.x, ...
__global__ void gk_reduce_shuffle(float *sums, const float *x, int n);

// Given, for the cases: gk_block_sum of x and then of y, in one block.
__global__ void gk_block_sum_twice(float *of_x, float *of_y, const float *x, const float *y);

// 7. y[r,c] = exp(x[r,c]) / sum_j exp(x[r,j]), for numbers of any size: nothing overflows. A block of
//    ROW_THREADS threads for each row. cols may be less or more than that.
__global__ void gk_softmax_rows(float *y, const float *x, int cols);

// 8. y[r,c] = gamma[c] (x[r,c] - mean) / sqrt(variance + eps) + beta[c], with mean and variance (over
//    cols, not cols - 1) of row r; also where the mean is a thousand times the deviation. A block
//    of ROW_THREADS threads for each row.
__global__ void gk_layer_norm(float *y, const float *x, const float *gamma, const float *beta,
                              float eps, int cols);

// 9. c[i,j] = sum_p a[i,p] b[p,j]; a: [m,k], b: [k,n], c: [m,n]. One element for each thread: block
//    TILE x ROWS, grid (n / TILE, m / ROWS), rounded up; no wasted sectors.
__global__ void gk_matmul_naive(float *c, const float *a, const float *b, int m, int n, int k);

// 10. The same through shared memory: a block of SIDE x SIDE threads computes SIDE x SIDE elements
//     of c, from tiles of SIDE x SIDE elements of a and b. Each block reads each element that it
//     needs from global memory once. No bank conflicts.
__global__ void gk_matmul_tiled(float *c, const float *a, const float *b, int m, int n, int k);

// 11. The same with more work in registers: a block of SIDE x SIDE threads computes BLOCKED x
//     BLOCKED elements, EACH x EACH a thread, from tiles of BLOCKED x SIDE of a and SIDE x BLOCKED of b.
//     Of a product a thread reads at most 0.6 numbers from shared memory.
__global__ void gk_matmul_blocked(float *c, const float *a, const float *b, int m, int n, int k);

// 12. The same with vectors: n and k are multiples of 4, and all reads from global memory are of a
//     float4. A thread reads at most 0.15 times from shared memory for a product.
__global__ void gk_matmul_vectorized(float *c, const float *a, const float *b, int m, int n, int k);

// 13. The same with a tile for each warp: a block of WARP_TILES warps computes BLOCKED x BLOCKED elements,
//     each warp BLOCKED rows of BLOCKED / WARP_TILES columns, each lane 8 x 8 elements of these. A thread
//     reads at most 0.07 times from shared memory for a product, without bank conflicts. n and k are
//     multiples of 4, and all reads from global memory are of a float4.
__global__ void gk_matmul_warp_tiled(float *c, const float *a, const float *b, int m, int n, int k);

// 14. The same on tensor cores (nvcuda::wmma): halves in, float sums, float out. A block of WARPS
//     warps computes 2 x 2 fragments, one for each warp: 2 FRAGMENT x 2 FRAGMENT elements of c.
__global__ void gk_matmul_tensor(float *c, const __half *a, const __half *b, int m, int n, int k);

// 15. Causal attention, for each head h: out[t] = sum_s softmax_s(q[t] . k[s] / sqrt(D)) v[s] over
//     s <= t. q, k, v, out: [H,T,D], D <= WIDTH_MAX. The T x T scores are never stored: a block takes
//     WARPS queries, one for each warp, and tiles of 32 keys, one for each lane, through shared memory;
//     maximum and sum are updated tile by tile (online softmax). Grid (T / WARPS rounded up, H).
//     A block reads each query, key and value at most once, and none beyond the last tile that it
//     needs.
__global__ void gk_flash_attention(float *out, const float *q, const float *k, const float *v,
                                   int T, int D);

// 16. Attention of one new token for each sequence s, whose keys and values lie in blocks of a paged
//     cache: out[s,h] = sum_t softmax_t(q[s,h] . key(t) / sqrt(D)) value(t) over 0 <= t < lengths[s],
//     where token t is in slot t % KV_BLOCK of block table[s,t / KV_BLOCK]. q, out: [S,H,D]; keys,
//     values: [blocks,KV_BLOCK,H,D]; table: [S,table_width], with no valid number behind the last block
//     that is needed. Grid (S, H), WARPS warps, which share out the tokens. No wasted sectors.
__global__ void gk_paged_attention(float *out, const float *q, const float *keys,
                                   const float *values, const int *table, const int *lengths,
                                   int table_width, int D);
}
