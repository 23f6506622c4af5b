/* A library as a learner's, each of whose functions fails in a way of its own (test_exercises.c). */
#include "labs/2_core/autoencoder/autoencoder.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

void ae_linear_forward(float *y, const float *x, const float *w, const float *bias, int B, int I,
                       int O)
{
    (void)y, (void)x, (void)w, (void)bias, (void)B, (void)I, (void)O;
    raise(SIGKILL);
}

void ae_relu_backward(float *dx, const float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n && i < 1000; i++)    // right as far as any case looks
        if (y[i] > 0) dx[i] += dy[i];
}

void ae_corrupt(float *noisy, const float *x, size_t n, float p, Rng *rng)
{
    (void)noisy, (void)x, (void)n, (void)p, (void)rng;
    exit(0);
}

void ae_sample(float *z, const float *mean, const float *logvar, const float *e, size_t n)
{
    for (size_t i = 0; i < n; i++) z[i] = mean[i] + __builtin_expf(logvar[i] / 2) * e[i];
    printf("sampled %zu\n", n);
}

// This one is right.
void ae_sample_backward(float *dmean, float *dlogvar, const float *dz, const float *logvar,
                        const float *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dmean[i] += dz[i];
        dlogvar[i] += dz[i] * e[i] * __builtin_expf(logvar[i] / 2) / 2;
    }
}
