/* norm.cu -- batch normalisation (Ioffe & Szegedy 2015, Algorithm 1): a block for each channel. The variance is
 * taken of the differences from the mean, in double: channels far from 0 keep their digits.
 */
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/reduce.cuh"

enum { THREADS = 256 };

// Where value k of a channel lies.
static __device__ size_t value_at(size_t k, int channel, NormShape s)
{
    return (k / s.pixels * s.channels + channel) * s.pixels + k % s.pixels;
}

static __device__ size_t values_of(NormShape s)
{
    return (size_t)s.batch * s.pixels;
}

// The sum of f(i) over the channel's values, which lie at i.
template <class F> static __device__ double sum_channel(int channel, NormShape s, F f)
{
    double sum = 0;
    for (size_t k = threadIdx.x; k < values_of(s); k += THREADS) sum += f(value_at(k, channel, s));
    return block_sum(sum);
}

static __global__ void __launch_bounds__(THREADS)
    sum_channels(float *y, const float *x, float beta, NormShape s)
{
    const int c = blockIdx.x;
    const double sum = sum_channel(c, s, [=](size_t i) { return (double)x[i]; });
    if (threadIdx.x == 0) y[c] = (float)(beta == 0 ? sum : beta * y[c] + sum);
}

void cuda_sum_channels(float *y, const float *x, int batch, int channels, int pixels, float beta)
{
    const NormShape s = {batch, channels, pixels};
    if (channels > 0) LAUNCH(sum_channels, (unsigned)channels, THREADS, 0, 0)(y, x, beta, s);
}

static __global__ void __launch_bounds__(THREADS)
    batch_norm(float *y, float *mean, float *var, const float *x, const float *gamma,
               const float *shift, float eps, NormShape s)
{
    const int c = blockIdx.x;
    const double n = values_of(s) > 0 ? (double)values_of(s) : 1;
    const double center = sum_channel(c, s, [=](size_t i) { return (double)x[i]; }) / n;
    const double squares =
        sum_channel(c, s, [=](size_t i) { return (x[i] - center) * (x[i] - center); });
    if (threadIdx.x == 0) {
        mean[c] = (float)center;
        var[c] = (float)(squares / n);
    }
    const double scale = gamma[c] / sqrt(squares / n + eps), to = shift[c];
    for (size_t k = threadIdx.x; k < values_of(s); k += THREADS) {
        const size_t i = value_at(k, c, s);
        y[i] = (float)((x[i] - center) * scale + to);
    }
}

void cuda_batch_norm(float *y, float *mean, float *var, const float *x, const float *gamma,
                     const float *shift, float eps, NormShape s)
{
    if (s.channels > 0) LAUNCH(batch_norm, (unsigned)s.channels, THREADS, 0, 0)
    (y, mean, var, x, gamma, shift, eps, s);
}

void cuda_batch_norm_inference(float *y, const float *x, const float *gamma, const float *shift,
                               const float *mean, const float *var, float eps, NormShape s)
{
    for_each(norm_total(s), [=] __device__(size_t i) {
        const size_t c = i / s.pixels % s.channels;
        const double scale = gamma[c] / sqrt((double)var[c] + eps);
        y[i] = (float)((x[i] - (double)mean[c]) * scale + shift[c]);
    });
}

// ---- backward

// GIVEN: mean and var do not depend on x.
template <bool GIVEN>
static __global__ void __launch_bounds__(THREADS)
    batch_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy, const float *x,
                        const float *gamma, const float *mean, const float *var, float eps,
                        float beta, NormShape s)
{
    const int c = blockIdx.x;
    const double n = (double)values_of(s), deviation = sqrt((double)var[c] + eps);
    double center = mean[c];
    // The mean as a float: at 1e4 that is 5e-4 off, too much for a deviation of 1.
    if (!GIVEN) center += sum_channel(c, s, [=](size_t i) { return x[i] - center; }) / n;
    const double along =
        sum_channel(c, s, [=](size_t i) { return (double)dy[i] * (x[i] - center) / deviation; });
    const double sum = sum_channel(c, s, [=](size_t i) { return (double)dy[i]; });
    if (threadIdx.x == 0) {
        dgamma[c] = (float)along;
        dshift[c] = (float)sum;
    }
    for (size_t k = threadIdx.x; dx && k < values_of(s); k += THREADS) {
        const size_t i = value_at(k, c, s);
        double value = dy[i];
        if (!GIVEN) value -= (sum + (x[i] - center) / deviation * along) / n;
        value *= gamma[c] / deviation;
        dx[i] = (float)(beta == 0 ? value : beta * dx[i] + value);
    }
}

void cuda_batch_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                              const float *x, const float *gamma, const float *mean,
                              const float *var, float eps, float beta, NormShape s)
{
    if (s.channels > 0) LAUNCH(batch_norm_backward<false>, (unsigned)s.channels, THREADS, 0, 0)
    (dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s);
}

void cuda_batch_norm_inference_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                                        const float *x, const float *gamma, const float *mean,
                                        const float *var, float eps, float beta, NormShape s)
{
    if (s.channels > 0) LAUNCH(batch_norm_backward<true>, (unsigned)s.channels, THREADS, 0, 0)
    (dx, dgamma, dshift, dy, x, gamma, mean, var, eps, beta, s);
}
