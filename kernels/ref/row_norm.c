/* row_norm.c -- layer normalisation (Ba et al. 2016) and RMS normalisation (Zhang & Sennrich 2019), a row or a
 * part of one at a time. The variance is taken of the differences from the mean, in double.
 */
#include "kernels/ref/ref.h"
#include <tgmath.h>

// Where part i of all begins.
static size_t part_at(size_t i, NormRows s)
{
    const size_t parts = (size_t)s.parts;
    return i / parts * s.row + i % parts * (size_t)s.cols;
}

// The mean of f over a part, with the index c.
#define MEAN(mean, cols, f)                                                                        \
    do {                                                                                           \
        (mean) = 0;                                                                                \
        for (int c = 0; c < (cols); c++) (mean) += (f);                                            \
        (mean) /= (cols);                                                                          \
    } while (0)

void ref_layer_norm(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                    const float *shift, float eps, NormRows s)
{
    for (size_t i = 0; i < norm_parts(s); i++) {
        const float *in = x + part_at(i, s);
        float *out = y + part_at(i, s);
        double center, variance;
        MEAN(center, s.cols, in[c]);
        MEAN(variance, s.cols, (in[c] - center) * (in[c] - center));
        const double scale = 1 / sqrt(variance + eps);
        mean[i] = (float)center;
        rstd[i] = (float)scale;
        for (int c = 0; c < s.cols; c++)
            out[c] = (float)(gamma[c] * (in[c] - center) * scale + (shift ? shift[c] : 0));
    }
}

void ref_rms_norm(float *y, float *rstd, const float *x, const float *gamma, float eps, NormRows s)
{
    for (size_t i = 0; i < norm_parts(s); i++) {
        const float *in = x + part_at(i, s);
        float *out = y + part_at(i, s);
        double square;
        MEAN(square, s.cols, (double)in[c] * in[c]);
        const double scale = 1 / sqrt(square + eps);
        rstd[i] = (float)scale;
        for (int c = 0; c < s.cols; c++) out[c] = (float)(gamma[c] * in[c] * scale);
    }
}

// dgamma and dshift, a column at a time. rms: no mean is subtracted.
static void sum_gradients(float *dgamma, float *dshift, const float *dy, const float *x,
                          const float *mean, const float *rstd, NormRows s)
{
    for (int c = 0; c < s.cols; c++) {
        double along = 0, sum = 0;
        for (size_t i = 0; i < norm_parts(s); i++) {
            const size_t at = part_at(i, s) + (size_t)c;
            along += dy[at] * (x[at] - (mean ? (double)mean[i] : 0)) * rstd[i];
            sum += dy[at];
        }
        dgamma[c] = (float)along;
        if (dshift) dshift[c] = (float)sum;
    }
}

void ref_layer_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                             const float *x, const float *gamma, const float *mean,
                             const float *rstd, float beta, NormRows s)
{
    sum_gradients(dgamma, dshift, dy, x, mean, rstd, s);
    if (dx == NULL) return;
    for (size_t i = 0; i < norm_parts(s); i++) {
        const size_t at = part_at(i, s);
        const double center = mean[i], scale = rstd[i];
        double sum, along;
        MEAN(sum, s.cols, (double)gamma[c] * dy[at + c]);
        MEAN(along, s.cols, (double)gamma[c] * dy[at + c] * (x[at + c] - center) * scale);
        for (int c = 0; c < s.cols; c++) {
            const double h = (x[at + c] - center) * scale;
            dx[at + c] =
                blend(beta, &dx[at + c], scale * ((double)gamma[c] * dy[at + c] - sum - h * along));
        }
    }
}

void ref_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *x,
                           const float *gamma, const float *rstd, float beta, NormRows s)
{
    sum_gradients(dgamma, NULL, dy, x, NULL, rstd, s);
    if (dx == NULL) return;
    for (size_t i = 0; i < norm_parts(s); i++) {
        const size_t at = part_at(i, s);
        const double scale = rstd[i];
        double along;
        MEAN(along, s.cols, (double)gamma[c] * dy[at + c] * x[at + c] * scale);
        for (int c = 0; c < s.cols; c++)
            dx[at + c] = blend(beta, &dx[at + c],
                               scale * ((double)gamma[c] * dy[at + c] - x[at + c] * scale * along));
    }
}
