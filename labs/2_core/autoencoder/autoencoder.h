/* autoencoder.h -- what you write in this lab: ten functions of a few lines each.
 *
 * Everything is dense, row-major floats. One row is one image (or its latent code):
 *     B batch      rows
 *     I, O         inputs and outputs of a layer
 *     P            pixels of an image, 784
 *     Z            dimensions of the latent code
 * Any of them may be 1. An output never overlaps an input. Inputs are not modified. A NaN in an input
 * propagates to every output that depends on it, also where it is multiplied by 0. The same arrays may
 * be passed again with other contents.
 *
 * "y  =" : y is overwritten; its old value does not matter.
 * "dw +=": the gradient is accumulated into dw, since a weight may be used more than once.
 * dx stands for d(loss)/dx. kernels/kernels.h has matrix products to build on; loops are fine too.
 */
#pragma once
#include <stddef.h>
#include "common/rng.h"

// 1. y[b,o] = bias[o] + sum_i x[b,i] w[o,i]
void ae_linear_forward(float *y, const float *x, const float *w, const float *bias, int B, int I,
                       int O);

// 2. The layer's gradients, given dy [B,O]:
//    dx[b,i] += sum_o dy[b,o] w[o,i]       skipped when dx is NULL: not needed
//    dw[o,i] += sum_b dy[b,o] x[b,i]
//    dbias[o] += sum_b dy[b,o]
void ae_linear_backward(float *dx, float *dw, float *dbias, const float *dy, const float *x,
                        const float *w, int B, int I, int O);

// 3. For y = max(x, 0):  dx[i] += dy[i] where y[i] > 0, and nothing elsewhere, not
//    even a NaN: where y[i] is 0 or NaN, dx[i] does not depend on dy[i].
void ae_relu_backward(float *dx, const float *dy, const float *y, size_t n);

// 4. Returns the loss: squared error of s = sigmoid(z) against the pixels x, summed over an image,
//    averaged over the batch,  L = 1/B sum_bp (s[b,p] - x[b,p])^2,  and writes its gradient
//    dz[b,p] = dL/dz[b,p].  z, x, dz: [B,P].
float ae_loss(float *dz, const float *z, const float *x, int B, int P);

// 5. A tied decoder: instead of a weight of its own it uses the encoder's w [O,I], transposed.
//    y[b,i] = bias[i] + sum_o h[b,o] w[o,i]       h: [B,O], y: [B,I], bias: [I]
void ae_tied_forward(float *y, const float *h, const float *w, const float *bias, int B, int I,
                     int O);

// 6. Its gradients, given dy [B,I]. The encoder adds to the same dw.
//    dh[b,o] += sum_i dy[b,i] w[o,i]
//    dw[o,i] += sum_b h[b,o] dy[b,i]
//    dbias[i] += sum_b dy[b,i]
void ae_tied_backward(float *dh, float *dw, float *dbias, const float *dy, const float *h,
                      const float *w, int B, int I, int O);

// 7. Masking noise: noisy[i] = 0 with probability p, else x[i]. Draws rng_uniform() once for each
//    element, in order, and zeroes the element, whatever x[i] is, when the draw is below p.
void ae_corrupt(float *noisy, const float *x, size_t n, float p, Rng *rng);

// 8. A sample of N(mean, exp(logvar)) by the reparameterization trick, with noise e ~ N(0,1):
//    z[i] = mean[i] + exp(logvar[i] / 2) e[i]
void ae_sample(float *z, const float *mean, const float *logvar, const float *e, size_t n);

// 9. Its gradients, given dz:  dmean[i] += dz[i],   dlogvar[i] += dz[i] e[i] exp(logvar[i] / 2) / 2
void ae_sample_backward(float *dmean, float *dlogvar, const float *dz, const float *logvar,
                        const float *e, size_t n);

// 10. Returns KL(N(mean, exp(logvar)) || N(0,1)), summed over the latent dimensions,
//     averaged over the batch,
//     K = 1/B sum_bz (exp(logvar) + mean^2 - 1 - logvar) / 2,  and writes dmean = dK/dmean and
//     dlogvar = dK/dlogvar.  All [B,Z]. K and dlogvar keep their digits also near
//     logvar = 0, where exp(logvar) - 1 cancels: expm1(), in double.
float ae_kl(float *dmean, float *dlogvar, const float *mean, const float *logvar, int B, int Z);
