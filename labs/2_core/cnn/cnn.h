/* cnn.h -- what you write in this lab: the layers of a convolutional network, forward and backward.
 *
 * Everything is dense, row-major floats. Images are [B,C,H,W]: pixel (i,j) of channel c of image b is
 * x[((b * C + c) * H + i) * W + j]. No array has 2^31 elements or more.
 *     B batch      images
 *     C, O         channels in and out: a convolution has O filters, each [C,K,K]
 *     H, W         rows and columns of an image; H', W' those of an output
 *     K            rows and columns of a kernel or window
 *     P            pixels of a channel, H W
 * All sizes and strides are 1 or more, a pad is 0 or more. An output never overlaps an input unless it
 * is said. Inputs are not modified. A NaN in an input propagates to every output that depends on it,
 * also where it is multiplied by 0. The same arrays may be passed again with other contents.
 *
 * "y  =" : y is overwritten; its old value does not matter.
 * "dx +=": the gradient is accumulated into dx, since a tensor may be used more than once.
 * dx stands for d(loss)/dx. kernels/kernels.h has matrix products to build on. An exercise may call
 * the earlier ones.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "common/rng.h"

// ---- convolution ----

typedef struct CnnConv {
    int B, C, H, W;     // x [B,C,H,W]
    int O, K;           // w [O,C,K,K], bias [O], y [B,O,H',W']
    int stride, pad;    // the same in both directions; the padding is zeros, on all four sides
} CnnConv;

// 1. How often a window fits: the first at -pad, each next one stride further, the last still inside
//    size + 2 pad. 0 when none fits.  H' = cnn_output_size(H, K, stride, pad), W' the same of W.
//    What follows is never called with a shape whose H' or W' is 0.
int cnn_output_size(int size, int kernel, int stride, int pad);

// 2. y[b,o,i,j] = bias[o] + sum_ckl w[o,c,k,l] x[b,c, i stride - pad + k, j stride - pad + l]
//    where x is 0 outside the image. A NULL bias is 0. (What a weight that is not finite makes of the
//    zeros outside the image is left open.)
void cnn_conv_loops(float *y, const float *x, const float *w, const float *bias, CnnConv s);

// 3. Of one image [C,H,W] (B is not used): the window of each output as a column.
//    columns[(c K + k) K + l, i W' + j] = image[c, i stride - pad + k, j stride - pad + l], or 0 outside.
//    columns: [C K K, H' W'].
void cnn_im2col(float *columns, const float *image, CnnConv s);

// 4. The same as cnn_conv_loops, by a matrix product for each image: y[b] = w columns of x[b].
//    columns: room for [C K K, H' W'], to use as you like.
void cnn_conv_matmul(float *y, const float *x, const float *w, const float *bias, float *columns,
                     CnnConv s);

// 5. The way back of cnn_im2col: each element of columns [C K K, H' W'] is added to the pixel of
//    dimage [C,H,W] that it was copied from; what came from the padding is dropped.  dimage +=
void cnn_col2im(float *dimage, const float *columns, CnnConv s);

// 6. The gradients of a convolution, given dy [B,O,H',W']:
//    dx += dy w,  dw += dy x: each product of the forward pass, once for either factor. Skipped when
//    dx is NULL: not needed.   dbias[o] += sum_bij dy[b,o,i,j], skipped when dbias is NULL.
//    columns: room for [C K K, H' W'], to use as you like.
void cnn_conv_backward(float *dx, float *dw, float *dbias, const float *dy, const float *x,
                       const float *w, float *columns, CnnConv s);

// ---- pooling ----

typedef struct CnnPool {
    int planes;       // B C: each channel of each image by itself
    int H, W;         // x [planes,H,W]
    int K, stride;    // y [planes,H',W'], no padding
} CnnPool;

// 7. y[p,i,j] = the largest of the K K pixels x[p, i stride + k, j stride + l], and at[p,i,j] = its
//    place in the plane, row W + column; of several, the first in row order. A NaN is larger than all.
void cnn_max_pool(float *y, int32_t *at, const float *x, CnnPool s);

// 8. dx[p, at[p,i,j]] += dy[p,i,j]: the maximum gets the gradient, and no other pixel anything.
void cnn_max_pool_backward(float *dx, const float *dy, const int32_t *at, CnnPool s);

// 9. y[p,i,j] = the mean of the K K pixels x[p, i stride + k, j stride + l]
void cnn_avg_pool(float *y, const float *x, CnnPool s);

// 10. dx[p, i stride + k, j stride + l] += dy[p,i,j] / (K K), for all K K pixels of each window
void cnn_avg_pool_backward(float *dx, const float *dy, CnnPool s);

// ---- batch normalization ----

typedef struct CnnNorm {
    int B, C, P;       // x, y [B,C,P]; all else is [C]
    float eps;         // > 0: keeps a channel without variance finite
    float momentum;    // of the running statistics, 0 to 1
} CnnNorm;

// 11. In training. Each channel by itself, over its n = B P values; in double up to where y, mean and
//    rstd are written:
//    mean = 1/n sum x,   variance = 1/n sum (x - mean)^2,   rstd = 1 / sqrt(variance + eps)
//    y = gamma (x - mean) rstd + shift.   mean and rstd are written for the backward pass.
//    The running statistics move by the share `momentum` to those of this batch:
//    running_mean += momentum (mean - running_mean), and running_var the same to the unbiased
//    sum (x - mean)^2 / (n - 1); with n = 1 there is none, and running_var does not change.
void cnn_batch_norm(float *y, float *mean, float *rstd, float *running_mean, float *running_var,
                    const float *x, const float *gamma, const float *shift, CnnNorm s);

// 12. In inference, an image does not depend on the others of its batch:
//    y = gamma (x - running_mean) / sqrt(running_var + eps) + shift
//    The difference comes first: folded into one factor and one summand, digits are lost far from 0.
void cnn_batch_norm_inference(float *y, const float *x, const float *running_mean,
                              const float *running_var, const float *gamma, const float *shift,
                              CnnNorm s);

// 13. The gradients of 11, given dy and what 11 wrote. With x^ = (x - mean) rstd, for each channel
//    (sums in double again, and the sums of this call only):
//    dshift += sum dy,   dgamma += sum dy x^
//    dx += gamma rstd (dy - 1/n sum dy - x^ 1/n sum dy x^)
void cnn_batch_norm_backward(float *dx, float *dgamma, float *dshift, const float *dy,
                             const float *x, const float *mean, const float *rstd,
                             const float *gamma, CnnNorm s);

// ---- dropout ----

// 14. In training, with probability p, 0 to 1: mask[i] = 0 and y[i] = 0, whatever x[i] is; otherwise
//    mask[i] = 1 / (1 - p) and y[i] = x[i] mask[i]. Draws rng_uniform() once for each element, in order,
//    and drops it when the draw is below p. y may be x.   n may be 0.
void cnn_dropout(float *y, float *mask, const float *x, size_t n, float p, Rng *rng);

// 15. dx[i] += dy[i] mask[i], and nothing where mask[i] is 0, not even a NaN.
void cnn_dropout_backward(float *dx, const float *dy, const float *mask, size_t n);

// ---- the loss ----

// 16. Returns the cross-entropy of p = softmax(z) with the labels, averaged over the batch,
//    L = -1/B sum_b log p[b, label[b]],  and writes dz[b,k] = (p[b,k] - [k is the label]) / B.
//    z, dz: [B,K], labels: [B] in 0..K-1. Any finite logits have a finite loss: log p, not
//    log(exp(..)/..), after the row's maximum is subtracted; exp, log and sums in double, so that
//    1 - p keeps its digits where p is near 1. A logit of -infinity has the probability 0.
float cnn_cross_entropy(float *dz, const float *z, const int32_t *labels, int B, int K);

// ---- the end of a residual block ----

// 17. y[i] = max(f[i] + x[i], 0), where f is what the block's layers made of x. y may be f.
void cnn_residual(float *y, const float *f, const float *x, size_t n);

// 18. Its gradients, given dy and y: where y[i] > 0, df[i] += dy[i] and dx[i] += dy[i]; elsewhere
//    nothing, not even a NaN. The layers then add their part to the same dx: the sum at the fork.
void cnn_residual_backward(float *df, float *dx, const float *dy, const float *y, size_t n);
