/* each.cuh -- work for each of n indices, which no order connects.
 *
 *     for_each(n, [=] __device__(size_t i) { y[i] = a[i] + b[i]; });
 *
 * Where there are more indices than threads, a thread takes further ones a grid apart.
 */
#pragma once
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { EACH_THREADS = 256, EACH_INDICES = 4, EACH_BLOCKS = 8192 };

template <class Work> __global__ void __launch_bounds__(EACH_THREADS) each(size_t n, Work work)
{
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) work(i);
}

template <class Work> void for_each(size_t n, Work work)
{
    const size_t blocks = (n + EACH_INDICES * EACH_THREADS - 1) / (EACH_INDICES * EACH_THREADS);
    if (n > 0) LAUNCH((each<Work>), (unsigned)min(blocks, (size_t)EACH_BLOCKS), EACH_THREADS, 0, 0)
    (n, work);
}

// beta 0 does not read y: it may be NaN.
__device__ inline float blend(float beta, const float *y, float value)
{
    return beta == 0 ? value : beta * *y + value;
}
