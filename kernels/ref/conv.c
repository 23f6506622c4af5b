/* conv.c -- convolution as the plainest loops that are right: one sum for each number that is written.
 * Pixels outside of the image are left out of a sum instead of multiplied by 0.
 */
#include "kernels/ref/ref.h"

// The pixel of x that tap `tap` of the kernel reads for the output's pixel `at`, or -1 outside.
static int pixel_of(int at, int tap, int size, ConvShape s)
{
    const int pixel = at * s.stride - s.pad + tap * s.dilation;
    return pixel < size ? pixel : -1;
}

// The output's pixel that reads `pixel` by `tap`, or -1 where there is none.
static int reader_of(int pixel, int tap, int size, ConvShape s)
{
    const int place = pixel + s.pad - tap * s.dilation;
    return place >= 0 && place % s.stride == 0 && place / s.stride < size ? place / s.stride : -1;
}

// Planes and kernels of [n,channels,height,width].
static const float *plane(const float *x, int n, int channels, int channel, int height, int width)
{
    return x + ((size_t)n * (size_t)channels + (size_t)channel) * (size_t)height * (size_t)width;
}

static const float *kernel_of(const float *w, int o, int c, ConvShape s)
{
    return plane(w, o, s.in / s.groups, c, s.kernel_height, s.kernel_width);
}

// Output pixel (i,j) of one pair of planes.
static double sum_of_window(const float *x, const float *w, int i, int j, ConvShape s)
{
    double sum = 0;
    for (int u = 0; u < s.kernel_height; u++)
        for (int v = 0; v < s.kernel_width; v++) {
            const int row = pixel_of(i, u, s.height, s), col = pixel_of(j, v, s.width, s);
            if (row >= 0 && col >= 0)
                sum += (double)w[u * s.kernel_width + v] * x[(size_t)row * (size_t)s.width + col];
        }
    return sum;
}

void ref_conv2d(float *y, const float *x, const float *w, const float *bias, ConvShape s)
{
    const int height = conv_out_height(s), width = conv_out_width(s);
    for (int b = 0; b < s.batch; b++)
        for (int o = 0; o < s.out; o++) {
            const int channels = s.in / s.groups, first = o / (s.out / s.groups) * channels;
            for (int i = 0; i < height; i++)
                for (int j = 0; j < width; j++) {
                    double sum = bias ? bias[o] : 0;
                    for (int c = 0; c < channels; c++)
                        sum += sum_of_window(plane(x, b, s.in, first + c, s.height, s.width),
                                             kernel_of(w, o, c, s), i, j, s);
                    *y++ = (float)sum;
                }
        }
}

// Pixel (i,j) of dx, from one pair of planes.
static double sum_of_readers(const float *dy, const float *w, int i, int j, ConvShape s)
{
    const int height = conv_out_height(s), width = conv_out_width(s);
    double sum = 0;
    for (int u = 0; u < s.kernel_height; u++)
        for (int v = 0; v < s.kernel_width; v++) {
            const int row = reader_of(i, u, height, s), col = reader_of(j, v, width, s);
            if (row >= 0 && col >= 0)
                sum += (double)w[u * s.kernel_width + v] * dy[(size_t)row * (size_t)width + col];
        }
    return sum;
}

void ref_conv2d_backward_input(float *dx, const float *dy, const float *w, float beta, ConvShape s)
{
    const int height = conv_out_height(s), width = conv_out_width(s);
    for (int b = 0; b < s.batch; b++)
        for (int c = 0; c < s.in; c++) {
            const int channels = s.in / s.groups, readers = s.out / s.groups,
                      first = c / channels * readers;
            for (int i = 0; i < s.height; i++)
                for (int j = 0; j < s.width; j++, dx++) {
                    double sum = 0;
                    for (int o = first; o < first + readers; o++)
                        sum += sum_of_readers(plane(dy, b, s.out, o, height, width),
                                              kernel_of(w, o, c % channels, s), i, j, s);
                    *dx = blend(beta, dx, sum);
                }
        }
}

// Tap (u,v) of dw, from one pair of planes.
static double sum_of_pixels(const float *dy, const float *x, int u, int v, ConvShape s)
{
    const int height = conv_out_height(s), width = conv_out_width(s);
    double sum = 0;
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++) {
            const int row = pixel_of(i, u, s.height, s), col = pixel_of(j, v, s.width, s);
            if (row >= 0 && col >= 0)
                sum += (double)dy[(size_t)i * (size_t)width + j] *
                       x[(size_t)row * (size_t)s.width + col];
        }
    return sum;
}

void ref_conv2d_backward_weight(float *dw, const float *dy, const float *x, float beta, ConvShape s)
{
    const int height = conv_out_height(s), width = conv_out_width(s);
    for (int o = 0; o < s.out; o++) {
        const int channels = s.in / s.groups, first = o / (s.out / s.groups) * channels;
        for (int c = 0; c < channels; c++)
            for (int u = 0; u < s.kernel_height; u++)
                for (int v = 0; v < s.kernel_width; v++, dw++) {
                    double sum = 0;
                    for (int b = 0; b < s.batch; b++)
                        sum +=
                            sum_of_pixels(plane(dy, b, s.out, o, height, width),
                                          plane(x, b, s.in, first + c, s.height, s.width), u, v, s);
                    *dw = blend(beta, dw, sum);
                }
    }
}

void ref_sum_channels(float *y, const float *x, int batch, int channels, int pixels, float beta)
{
    for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int b = 0; b < batch; b++) {
            const float *from = plane(x, b, channels, c, 1, pixels);
            for (int p = 0; p < pixels; p++) sum += from[p];
        }
        y[c] = blend(beta, &y[c], sum);
    }
}
