// row_norm.cu -- layer normalisation (Ba et al. 2016): a block for each part of a row.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 128 };

// The variance is taken of the differences from the mean, in double: rows far from 0 keep their digits.
static __global__ void __launch_bounds__(THREADS)
    layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
               const float *shift, float eps, NormRows s)
{
    const size_t part = blockIdx.x;
    const size_t at = part / s.parts * s.row + part % s.parts * s.cols;
    x += at;
    y += at;
    double sum = 0, squares = 0;
    for (int c = threadIdx.x; c < s.cols; c += THREADS) sum += x[c];
    const double center = block_sum(sum) / s.cols;
    for (int c = threadIdx.x; c < s.cols; c += THREADS)
        squares += (x[c] - center) * (x[c] - center);
    const double scale = 1 / sqrt(block_sum(squares) / s.cols + eps);
    for (int c = threadIdx.x; c < s.cols; c += THREADS)
        y[c] = (float)(gamma[c] * (x[c] - center) * scale + (shift ? shift[c] : 0));
    if (threadIdx.x == 0) {
        mean[part] = (float)center;
        rstd[part] = (float)scale;
    }
}

void cuda_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                     const float *shift, float eps, NormRows s)
{
    const unsigned parts = (unsigned)norm_parts(s);
    if (parts > 0) LAUNCH(layer_norm, parts, THREADS, 0, 0)(y, mean, rstd, x, gamma, shift, eps, s);
}
