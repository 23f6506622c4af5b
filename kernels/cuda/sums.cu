/* sums.cu -- reductions to one number, accumulated in double. Each block sums its share, one block sums the
 * shares: how many there are depends on n alone, so that the sum has the same bits on every device.
 */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 256, SHARES = 512 };

template <class To, class From> static __global__ void sum(To *y, const From *x, size_t n)
{
    double mine = 0;
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) mine += x[i];
    mine = block_sum(mine);
    if (threadIdx.x == 0) y[blockIdx.x] = (To)mine;
}

void cuda_sum(float *y, const float *x, size_t n)
{
    const size_t shares = n / (4 * THREADS) < SHARES ? n / (4 * THREADS) : (size_t)SHARES;
    if (shares <= 1) {
        LAUNCH((sum<float, float>), 1, THREADS, 0, 0)(y, x, n);
        return;
    }
    double *share = (double *)cuda_workspace(SHARES * sizeof *share);
    LAUNCH((sum<double, float>), (unsigned)shares, THREADS, 0, 0)(share, x, n);
    LAUNCH((sum<float, double>), 1, THREADS, 0, 0)(y, share, shares);
}
