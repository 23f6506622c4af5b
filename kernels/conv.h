/* conv.h -- the sizes of a two-dimensional convolution: x [batch,in,height,width] and
 * w [out,in/groups,kernel_height,kernel_width] to y [batch,out,height',width'].
 *
 *     y[b,o,i,j] = sum over c, u, v of w[o,c,u,v] x[b, first + c, stride i - pad + dilation u,
 *                                                                 stride j - pad + dilation v]
 *
 * with x = 0 outside of the image, and `first` the first input channel of o's group: group g of the
 * output sees group g of the input alone. (A cross-correlation, as everybody's conv2d.)
 */
#pragma once
#include <stddef.h>

typedef struct ConvShape {
    int batch, in, height, width;            // each >= 0
    int out, kernel_height, kernel_width;    // each >= 0
    int stride, pad, dilation, groups;       // from 1, 0, 1 and 1 on; groups divides in and out
} ConvShape;

// Pixels of the output along one side: 0 where the kernel is larger than the padded image.
static inline int conv_side(int size, int kernel, ConvShape s)
{
    const int room = size + 2 * s.pad - s.dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / s.stride + 1;
}

static inline int conv_out_height(ConvShape s)
{
    return conv_side(s.height, s.kernel_height, s);
}

static inline int conv_out_width(ConvShape s)
{
    return conv_side(s.width, s.kernel_width, s);
}

// The numbers of one image of x and of y, and of w.
static inline size_t conv_image(ConvShape s)
{
    return (size_t)s.in * (size_t)s.height * (size_t)s.width;
}

static inline size_t conv_out_pixels(ConvShape s)
{
    return (size_t)conv_out_height(s) * (size_t)conv_out_width(s);
}

static inline size_t conv_out_image(ConvShape s)
{
    return (size_t)s.out * conv_out_pixels(s);
}

static inline size_t conv_weights(ConvShape s)
{
    return (size_t)s.out * (size_t)(s.in / s.groups) * (size_t)s.kernel_height *
           (size_t)s.kernel_width;
}

// Of the forward and of either gradient; products with the padding's zeros count.
static inline double conv_flops(ConvShape s)
{
    return 2.0 * s.batch * (double)conv_out_pixels(s) * (double)conv_weights(s);
}

static inline double conv_bytes(ConvShape s)
{
    return sizeof(float) * ((double)s.batch * (double)(conv_image(s) + conv_out_image(s)) +
                            (double)conv_weights(s));
}
