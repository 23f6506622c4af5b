/* autoencoder.c -- the mathematics of the lab; autoencoder.h says what each function promises. */
#include "labs/2_core/autoencoder/autoencoder.h"
#include <math.h>
#include "kernels/kernels.h"

void ae_linear_forward(float *y, const float *x, const float *w, const float *bias, int B, int I,
                       int O)
{
    // solution linear_forward
    matmul_nt(y, x, w, B, O, I, 0.0f);
    kernels.add_row(y, y, bias, B, O);
    // end linear_forward
}

void ae_linear_backward(float *dx, float *dw, float *dbias, const float *dy, const float *x,
                        const float *w, int B, int I, int O)
{
    // solution linear_backward
    if (dx != NULL) matmul(dx, dy, w, B, I, O, 1.0f);
    matmul_tn(dw, dy, x, O, I, B, 1.0f);
    kernels.sum_rows(dbias, dy, B, O, 1.0f);
    // end linear_backward
}

void ae_relu_backward(float *dx, const float *dy, const float *y, size_t n)
{
    // solution relu_backward
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0) dx[i] += dy[i];
    // end relu_backward
}

float ae_loss(float *dz, const float *z, const float *x, int B, int P)
{
    // solution loss
    size_t n = (size_t)B * (size_t)P;
    double sum = 0;
    kernels.sigmoid(dz, z, n);
    for (size_t i = 0; i < n; i++) {
        float s = dz[i], error = s - x[i];
        sum += (double)error * error;
        dz[i] = 2 * error * s * (1 - s) / (float)B;    // the chain rule: ds/dz = s (1 - s)
    }
    return (float)(sum / B);
    // end loss
}

void ae_tied_forward(float *y, const float *h, const float *w, const float *bias, int B, int I,
                     int O)
{
    // solution tied_forward
    matmul(y, h, w, B, I, O, 0.0f);
    kernels.add_row(y, y, bias, B, I);
    // end tied_forward
}

void ae_tied_backward(float *dh, float *dw, float *dbias, const float *dy, const float *h,
                      const float *w, int B, int I, int O)
{
    // solution tied_backward
    matmul_nt(dh, dy, w, B, O, I, 1.0f);
    matmul_tn(dw, h, dy, O, I, B, 1.0f);
    kernels.sum_rows(dbias, dy, B, I, 1.0f);
    // end tied_backward
}

void ae_corrupt(float *noisy, const float *x, size_t n, float p, Rng *rng)
{
    // solution corrupt
    for (size_t i = 0; i < n; i++) noisy[i] = rng_uniform(rng) < p ? 0 : x[i];
    // end corrupt
}

void ae_sample(float *z, const float *mean, const float *logvar, const float *e, size_t n)
{
    // solution sample
    for (size_t i = 0; i < n; i++) z[i] = mean[i] + expf(logvar[i] / 2) * e[i];
    // end sample
}

void ae_sample_backward(float *dmean, float *dlogvar, const float *dz, const float *logvar,
                        const float *e, size_t n)
{
    // solution sample_backward
    for (size_t i = 0; i < n; i++) {
        dmean[i] += dz[i];
        dlogvar[i] += dz[i] * e[i] * expf(logvar[i] / 2) / 2;
    }
    // end sample_backward
}

float ae_kl(float *dmean, float *dlogvar, const float *mean, const float *logvar, int B, int Z)
{
    // solution kl
    size_t n = (size_t)B * (size_t)Z;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double excess = expm1((double)logvar[i]);    // variance - 1, which would cancel near 0
        sum += excess - logvar[i] + (double)mean[i] * mean[i];
        dmean[i] = mean[i] / (float)B;
        dlogvar[i] = (float)(excess / (2 * B));
    }
    return (float)(sum / (2 * B));
    // end kl
}
