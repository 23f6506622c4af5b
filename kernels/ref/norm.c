/* norm.c -- batch normalisation (Ioffe & Szegedy 2015, Algorithm 1), channel by channel.
 *
 * The variance is taken of the differences from the mean, in double: with a mean of 1e4 and a standard
 * deviation of 1, the mean square less the squared mean would lose its digits in float.
 */
#include "kernels/ref/ref.h"
#include <tgmath.h>

// The channel's pixels of one item of the batch.
static size_t first_pixel(int item, int channel, NormShape s)
{
    return ((size_t)item * (size_t)s.channels + (size_t)channel) * (size_t)s.pixels;
}

// Each index i of the channel.
#define EACH_VALUE(i, channel, s)                                                                  \
    for (int item_ = 0; item_ < (s).batch; item_++)                                                \
        for (size_t i = first_pixel(item_, channel, s); i < first_pixel(item_, channel + 1, s); i++)

void ref_batch_norm(float *y, float *mean, float *var, const float *x, const float *gamma,
                    const float *shift, float eps, NormShape s)
{
    const double n = norm_count(s) > 0 ? (double)norm_count(s) : 1;
    for (int c = 0; c < s.channels; c++) {
        double sum = 0, squares = 0;
        EACH_VALUE (i, c, s) sum += x[i];
        const double center = sum / n;
        EACH_VALUE (i, c, s) squares += (x[i] - center) * (x[i] - center);
        mean[c] = (float)center;
        var[c] = (float)(squares / n);
        EACH_VALUE (i, c, s)
            y[i] = (float)(gamma[c] * (x[i] - center) / sqrt(squares / n + eps) + shift[c]);
    }
}

void ref_batch_norm_inference(float *y, const float *x, const float *gamma, const float *shift,
                              const float *mean, const float *var, float eps, NormShape s)
{
    for (int c = 0; c < s.channels; c++) {
        const double center = mean[c], deviation = sqrt((double)var[c] + eps);
        EACH_VALUE (i, c, s) y[i] = (float)(gamma[c] * (x[i] - center) / deviation + shift[c]);
    }
}

// Writes dgamma and dshift of a channel whose mean and standard deviation are these.
static void sum_gradients(float *dgamma, float *dshift, const float *dy, const float *x,
                          double mean, double deviation, int c, NormShape s)
{
    double along = 0, sum = 0;
    EACH_VALUE (i, c, s) {
        along += dy[i] * (x[i] - mean) / deviation;
        sum += dy[i];
    }
    *dgamma = (float)along;
    *dshift = (float)sum;
}

// The mean of a channel, given as a float: at 1e4 that is 5e-4 off, too much for a deviation of 1.
static double exact_mean(const float *x, float mean, int c, NormShape s)
{
    double rest = 0;
    EACH_VALUE (i, c, s) rest += x[i] - (double)mean;
    return mean + rest / (double)norm_count(s);
}

void ref_batch_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                             const float *x, const float *gamma, const float *mean,
                             const float *var, float eps, float beta, NormShape s)
{
    const double n = (double)norm_count(s);
    for (int c = 0; c < s.channels; c++) {
        const double center = exact_mean(x, mean[c], c, s), deviation = sqrt((double)var[c] + eps);
        sum_gradients(&dgamma[c], &dshift[c], dy, x, center, deviation, c, s);
        if (dx == NULL) continue;
        EACH_VALUE (i, c, s) {
            const double along = (x[i] - center) / deviation * dgamma[c];
            dx[i] = blend(beta, &dx[i], gamma[c] * (dy[i] - (dshift[c] + along) / n) / deviation);
        }
    }
}

void ref_batch_norm_inference_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                                       const float *x, const float *gamma, const float *mean,
                                       const float *var, float eps, float beta, NormShape s)
{
    for (int c = 0; c < s.channels; c++) {
        const double deviation = sqrt((double)var[c] + eps);
        sum_gradients(&dgamma[c], &dshift[c], dy, x, mean[c], deviation, c, s);
        if (dx == NULL) continue;
        EACH_VALUE (i, c, s) dx[i] = blend(beta, &dx[i], gamma[c] * dy[i] / deviation);
    }
}
