/* total.cuh -- a sum of n terms, in double, and what becomes of it.
 *
 *     reduce(n, [=] __device__(size_t i) { return (double)x[i] * x[i]; },
 *            [=] __device__(double sum) { *y = (float)sum; });
 *
 * Each block sums its share, one block sums the shares: how many there are depends on n alone, so that the
 * sum has the same bits on every device.
 */
#pragma once
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { TOTAL_THREADS = 256, TOTAL_SHARES = 512 };

template <class Term, class Finish>
__global__ void __launch_bounds__(TOTAL_THREADS) total(size_t n, Term term, Finish finish)
{
    double mine = 0;
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        mine += term(i);
    mine = block_sum(mine);
    if (threadIdx.x == 0) finish(mine);
}

template <class Term, class Finish> void reduce_in_one_block(size_t n, Term term, Finish finish)
{
    LAUNCH((total<Term, Finish>), 1, TOTAL_THREADS, 0, 0)(n, term, finish);
}

struct TotalShare {
    double *share;

    __device__ double operator()(size_t i) const
    {
        return share[i];
    }
    __device__ void operator()(double sum) const
    {
        share[blockIdx.x] = sum;
    }
};

template <class Term, class Finish> void reduce(size_t n, Term term, Finish finish)
{
    const size_t shares = min(n / (4 * TOTAL_THREADS), (size_t)TOTAL_SHARES);
    if (shares <= 1) {
        reduce_in_one_block(n, term, finish);
        return;
    }
    const TotalShare share = {(double *)cuda_workspace(TOTAL_SHARES * sizeof(double))};
    LAUNCH((total<Term, TotalShare>), (unsigned)shares, TOTAL_THREADS, 0, 0)(n, term, share);
    reduce_in_one_block(shares, share, finish);
}
