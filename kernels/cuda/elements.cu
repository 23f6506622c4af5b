// elements.cu -- element by element: a thread for each, and where there are more, further ones a grid apart.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

enum { THREADS = 256 };
constexpr size_t BLOCKS_MAX = 1 << 16;

static unsigned blocks_for(size_t n)
{
    const size_t blocks = (n + THREADS - 1) / THREADS;
    return (unsigned)min(blocks, BLOCKS_MAX);
}

static __global__ void add(float *y, const float *a, const float *b, size_t n)
{
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        y[i] = a[i] + b[i];
}

void cuda_add(float *y, const float *a, const float *b, size_t n)
{
    if (n > 0) LAUNCH(add, blocks_for(n), THREADS, 0, 0)(y, a, b, n);
}
