/* row_norm.cu -- layer normalisation (Ba et al. 2016) and RMS normalisation (Zhang & Sennrich 2019): a warp for
 * each part of a row. The variance is taken of the differences from the mean, in double: rows far from 0 keep
 * their digits.
 */
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reduce.cuh"

enum { WARPS = 4, THREADS = 32 * WARPS };

// The part of the warp; false where there are none left for it.
static __device__ bool part_of_warp(size_t *part, NormRows s)
{
    *part = (size_t)blockIdx.x * WARPS + threadIdx.x / 32;
    return *part < (size_t)s.rows * s.parts;
}

static unsigned blocks_for(NormRows s)
{
    return (unsigned)((norm_parts(s) + WARPS - 1) / WARPS);
}

static __device__ size_t part_at(size_t part, NormRows s)
{
    return part / s.parts * s.row + part % s.parts * s.cols;
}

// The mean of f(c) over a part's numbers.
template <class F> static __device__ double mean_of(int cols, F f)
{
    double sum = 0;
    for (int c = threadIdx.x % 32; c < cols; c += 32) sum += f(c);
    return warp_sum(sum) / cols;
}

static __global__ void __launch_bounds__(THREADS)
    layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
               const float *shift, float eps, NormRows s)
{
    size_t part;
    if (!part_of_warp(&part, s)) return;
    x += part_at(part, s);
    y += part_at(part, s);
    const double center = mean_of(s.cols, [=](int c) { return (double)x[c]; });
    const double variance =
        mean_of(s.cols, [=](int c) { return (x[c] - center) * (x[c] - center); });
    const double scale = 1 / sqrt(variance + eps);
    for (int c = threadIdx.x % 32; c < s.cols; c += 32)
        y[c] = (float)(gamma[c] * (x[c] - center) * scale + (shift ? shift[c] : 0));
    if (threadIdx.x % 32 == 0) {
        mean[part] = (float)center;
        rstd[part] = (float)scale;
    }
}

void cuda_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                     const float *shift, float eps, NormRows s)
{
    if (norm_parts(s) > 0)
        LAUNCH(layer_norm, blocks_for(s), THREADS, 0, 0)(y, mean, rstd, x, gamma, shift, eps, s);
}

static __global__ void __launch_bounds__(THREADS)
    rms_norm(float *y, float *rstd, const float *x, const float *gamma, float eps, NormRows s)
{
    size_t part;
    if (!part_of_warp(&part, s)) return;
    x += part_at(part, s);
    y += part_at(part, s);
    const double square = mean_of(s.cols, [=](int c) { return (double)x[c] * x[c]; });
    const double scale = 1 / sqrt(square + eps);
    for (int c = threadIdx.x % 32; c < s.cols; c += 32) y[c] = (float)(gamma[c] * x[c] * scale);
    if (threadIdx.x % 32 == 0) rstd[part] = (float)scale;
}

void cuda_rms_norm(float *y, float *rstd, const float *x, const float *gamma, float eps, NormRows s)
{
    if (norm_parts(s) > 0)
        LAUNCH(rms_norm, blocks_for(s), THREADS, 0, 0)(y, rstd, x, gamma, eps, s);
}

// ---- backward

// dx of a part; mean is NULL where none was subtracted.
static __global__ void __launch_bounds__(THREADS)
    input_gradient(float *dx, const float *dy, const float *x, const float *gamma,
                   const float *mean, const float *rstd, float beta, NormRows s)
{
    size_t part;
    if (!part_of_warp(&part, s)) return;
    const size_t at = part_at(part, s);
    dx += at, dy += at, x += at;
    const double center = mean ? (double)mean[part] : 0, scale = rstd[part];
    double sum = 0;
    if (mean) sum = mean_of(s.cols, [=](int c) { return (double)gamma[c] * dy[c]; });
    const double along =
        mean_of(s.cols, [=](int c) { return (double)gamma[c] * dy[c] * (x[c] - center) * scale; });
    for (int c = threadIdx.x % 32; c < s.cols; c += 32) {
        const double h = (x[c] - center) * scale;
        const double value = scale * ((double)gamma[c] * dy[c] - sum - h * along);
        dx[c] = (float)(beta == 0 ? value : beta * dx[c] + value);
    }
}

static void backward(float *dx, float *dgamma, float *dshift, const float *dy, const float *x,
                     const float *gamma, const float *mean, const float *rstd, float beta,
                     NormRows s)
{
    const size_t parts = norm_parts(s);
    sum_columns(
        parts, s.cols,
        [=] __device__(size_t part, int c) {
            const size_t at = part_at(part, s) + c;
            return dy[at] * (x[at] - (mean ? (double)mean[part] : 0)) * rstd[part];
        },
        [=] __device__(int c, double sum) { dgamma[c] = (float)sum; });
    if (dshift)
        sum_columns(
            parts, s.cols,
            [=] __device__(size_t part, int c) { return (double)dy[part_at(part, s) + c]; },
            [=] __device__(int c, double sum) { dshift[c] = (float)sum; });
    if (dx && parts > 0) LAUNCH(input_gradient, blocks_for(s), THREADS, 0, 0)
    (dx, dy, x, gamma, mean, rstd, beta, s);
}

void cuda_layer_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                              const float *x, const float *gamma, const float *mean,
                              const float *rstd, float beta, NormRows s)
{
    backward(dx, dgamma, dshift, dy, x, gamma, mean, rstd, beta, s);
}

void cuda_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *x,
                            const float *gamma, const float *rstd, float beta, NormRows s)
{
    backward(dx, dgamma, nullptr, dy, x, gamma, nullptr, rstd, beta, s);
}
