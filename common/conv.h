/* conv.h -- convolution of images: the op and the layer. Images are [B,C,H,W].
 *
 *     Conv2d conv = conv2d_new(params, "features.0", 1, 20, 5, (ConvConfig){0}, true, &rng);
 *     Tensor *y = conv2d_forward(tape, &conv, x);    // [B,1,28,28] -> [B,20,24,24]
 *
 * A side of H pixels becomes (H + 2 pad - dilation (kernel - 1) - 1) / stride + 1, rounded down.
 */
#pragma once
#include "common/layers.h"

// Zeros stand for stride 1, no padding, dilation 1 and one group.
typedef struct ConvConfig {
    int stride, pad, dilation, groups;
} ConvConfig;

// x [B,I,H,W], w [O,I/groups,KH,KW], b [O] or NULL -> [B,O,H',W'].
Tensor *op_conv2d(Tape *tape, Tensor *x, Tensor *w, Tensor *b, ConvConfig config);

// The same behind a ReLU, which works in place: one tensor is kept for backward instead of two.
Tensor *op_conv2d_relu(Tape *tape, Tensor *x, Tensor *w, Tensor *b, ConvConfig config);

typedef struct Conv2d {
    Tensor *weight;    // [out,in/groups,kernel,kernel]
    Tensor *bias;      // [out], or NULL
    ConvConfig config;
} Conv2d;

// Adds "NAME.weight", N(0, 2 / fan-in) as He et al. 2015, and if wanted "NAME.bias", zeros, to params.
Conv2d conv2d_new(Params *params, const char *name, int in, int out, int kernel, ConvConfig config,
                  bool bias, Rng *rng);
Tensor *conv2d_forward(Tape *tape, const Conv2d *layer, Tensor *x);
