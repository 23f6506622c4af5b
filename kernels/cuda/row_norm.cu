// row_norm.cu -- layer normalisation (Ba et al. 2016): a block for each part of a row.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 128 };

// The variance is of the differences from the mean; sums are in float, of a few numbers a thread and then
// by halves, which loses less than one long sum.
static __global__ void __launch_bounds__(THREADS)
    layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma, const float *shift,
               float eps, NormRows s)
{
    const size_t part = blockIdx.x;
    const size_t at = part / s.parts * s.row + part % s.parts * s.cols;
    x += at;
    y += at;
    float sum = 0, squares = 0;
    for (int c = threadIdx.x; c < s.cols; c += THREADS) sum += x[c];
    const float center = block_sum(sum) / s.cols;
    for (int c = threadIdx.x; c < s.cols; c += THREADS) squares += (x[c] - center) * (x[c] - center);
    const float scale = 1 / sqrtf(block_sum(squares) / s.cols + eps);
    for (int c = threadIdx.x; c < s.cols; c += THREADS)
        y[c] = gamma[c] * (x[c] - center) * scale + (shift ? shift[c] : 0);
    if (threadIdx.x == 0) {
        mean[part] = center;
        rstd[part] = scale;
    }
}

void cuda_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                     const float *shift, float eps, NormRows s)
{
    if (norm_parts(s) > 0)
        LAUNCH(layer_norm, (unsigned)norm_parts(s), THREADS, 0, 0)(y, mean, rstd, x, gamma, shift, eps, s);
}
