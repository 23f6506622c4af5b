/* sums.c -- reductions to one number, or to one a channel, accumulated in double: right to the last bit but for one
 * rounding, and the same bits for any number of threads (loops.h).
 */
#include "kernels/cpu/functions.h"
#include "kernels/cpu/loops.h"

static double sum_part(const float *x, size_t first, size_t end)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = first; i < end; i++) sum += (double)x[i];
    return sum;
}

static double squares_part(const float *x, size_t first, size_t end)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = first; i < end; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

static double errors_part(const float *x, const float *t, size_t first, size_t end)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = first; i < end; i++) {
        const double error = (double)x[i] - (double)t[i];
        sum += error * error;
    }
    return sum;
}

// max(z,0) - z t + log(1 + exp(-|z|)): no log meets a 0.
static double bce_part(const float *z, const float *t, size_t first, size_t end)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = first; i < end; i++) {
        const float larger = z[i] > 0.0f ? z[i] : 0.0f;
        // The product is exact: what is left of a large logit may be small.
        sum += larger - (double)z[i] * t[i] + (double)fast_log1p(fast_exp(-fabsf(z[i])));
    }
    return sum;
}

void CPU(sum)(float *y, const float *x, size_t n)
{
    double total;
    TOTAL(total, n, LIGHT, first, end, sum_part(x, first, end));
    *y = (float)total;
}

void CPU(sum_squares)(float *y, const float *x, size_t n)
{
    double total;
    TOTAL(total, n, LIGHT, first, end, squares_part(x, first, end));
    *y = (float)total;
}

void CPU(clip_scale)(float *clip, const float *g, size_t n, float max_norm)
{
    double squares;
    TOTAL(squares, n, LIGHT, first, end, squares_part(g, first, end));
    const double norm = sqrt(squares);
    clip[1] = (float)norm;
    clip[0] = (float)(norm > max_norm ? max_norm / norm : 1);
}

void CPU(squared_error)(float *y, const float *x, const float *t, size_t n)
{
    double total;
    TOTAL(total, n, LIGHT, first, end, errors_part(x, t, first, end));
    *y = (float)total;
}

void CPU(bce_logits)(float *y, const float *z, const float *t, size_t n)
{
    double total;
    TOTAL(total, n, HEAVY, first, end, bce_part(z, t, first, end));
    *y = (float)total;
}

static void sum_of_channel(float *y, const float *x, size_t batch, size_t channels, size_t pixels,
                           float beta)
{
    double sum = 0;
    for (size_t b = 0; b < batch; b++) sum += sum_part(x + b * channels * pixels, 0, pixels);
    *y = beta == 0 ? (float)sum : (float)((double)beta * (double)*y + sum);
}

#define SUM_CHANNELS                                                                               \
    for (int c = 0; c < channels; c++)                                                             \
        sum_of_channel(y + c, x + (size_t)c * (size_t)pixels, (size_t)batch, (size_t)channels,     \
                       (size_t)pixels, beta);

void CPU(sum_channels)(float *y, const float *x, int batch, int channels, int pixels, float beta)
{
    const size_t n = (size_t)batch * (size_t)channels * (size_t)pixels;
    SHARE(n, LIGHT, SUM_CHANNELS, PRAGMA(omp for schedule(static) nowait) SUM_CHANNELS);
}
