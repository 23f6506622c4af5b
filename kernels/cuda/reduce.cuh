/* reduce.cuh -- sums of a warp and of a block, in the same order whatever runs when.
 *
 * A warp adds by shuffles (Luitjens 2014, "Faster parallel reductions on Kepler"); a block then adds its
 * warps' sums. All threads of the block have to call, and all of them get the sum.
 */
#pragma once
#include "kernels/cuda/launch.h"

constexpr unsigned WHOLE_WARP = 0xffffffff;

template <class T> __device__ T warp_sum(T x)
{
    for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(WHOLE_WARP, x, bits);
    return x;
}

// Blocks are whole warps, of one dimension.
template <class T> __device__ T block_sum(T x)
{
    __shared__ T sum_of_warp[32];
    const unsigned warps = blockDim.x / 32;
    x = warp_sum(x);
    if (threadIdx.x % 32 == 0) sum_of_warp[threadIdx.x / 32] = x;
    __syncthreads();
    T sum = sum_of_warp[0];
    for (unsigned i = 1; i < warps; i++) sum += sum_of_warp[i];
    __syncthreads();    // before the next call writes
    return sum;
}
