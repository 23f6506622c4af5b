/* conv.cu -- convolution and its gradients, as products that read the images where they lie (product.cuh). A
 * batch of the product is a group; a tap is a pixel of the kernel in one input channel of the group.
 */
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/product.cuh"

struct Conv {
    ConvShape s;
    int height, width;              // of y
    int channels, outputs, taps;    // of a group, and of a kernel's plane
};

static Conv conv_of(ConvShape s)
{
    return {s,
            conv_out_height(s),
            conv_out_width(s),
            s.in / s.groups,
            s.out / s.groups,
            s.kernel_height * s.kernel_width};
}

// A pixel of a batch's images.
struct Pixel {
    size_t image;
    int row, col;
};

static __device__ Pixel pixel_of(int i, int height, int width)
{
    const int pixels = height * width, rest = i % pixels;
    return {(size_t)(i / pixels), rest / width, rest % width};
}

// x under tap (u,v) of the window of an output pixel; 0 outside of the image.
static __device__ float under_window(const float *x, Pixel to, size_t channel, int tap, ConvShape s)
{
    const int row = to.row * s.stride - s.pad + tap / s.kernel_width * s.dilation;
    const int col = to.col * s.stride - s.pad + tap % s.kernel_width * s.dilation;
    if (row < 0 || row >= s.height || col < 0 || col >= s.width) return 0;
    return x[((to.image * s.in + channel) * s.height + row) * s.width + col];
}

// w[out,taps] times what lies under the taps [taps,pixels of the batch].
struct Forward {
    static constexpr bool a_down = false, b_down = false;
    float *y;
    const float *x, *w, *bias;
    Conv c;

    __device__ float a(size_t group, int o, int tap) const
    {
        return w[(group * c.outputs + o) * c.channels * c.taps + tap];
    }
    __device__ float b(size_t group, int tap, int pixel) const
    {
        return under_window(x, pixel_of(pixel, c.height, c.width),
                            group * c.channels + tap / c.taps, tap % c.taps, c.s);
    }
    __device__ void store(size_t group, int o, int pixel, float sum) const
    {
        const size_t pixels = (size_t)c.height * c.width, out = group * c.outputs + o;
        const size_t at = (pixel / pixels * c.s.out + out) * pixels + pixel % pixels;
        y[at] = sum + (bias ? bias[out] : 0);
    }
};

void cuda_conv2d(float *y, const float *x, const float *w, const float *bias, ConvShape s)
{
    const Conv c = conv_of(s);
    multiply((size_t)s.groups, c.outputs, s.batch * c.height * c.width, c.channels * c.taps,
             Forward{y, x, w, bias, c});
}

// w[channels,taps of all outputs] times the dy that each tap sent to a pixel [taps,pixels of the batch].
struct InputGradient {
    static constexpr bool a_down = false, b_down = false;
    float *dx;
    const float *dy, *w;
    float beta;
    Conv c;

    __device__ float a(size_t group, int channel, int tap) const
    {
        const size_t out = group * c.outputs + tap / c.taps;
        return w[(out * c.channels + channel) * c.taps + tap % c.taps];
    }
    __device__ float b(size_t group, int tap, int pixel) const
    {
        const Pixel to = pixel_of(pixel, c.s.height, c.s.width);
        const int k = tap % c.taps;
        const int row = to.row + c.s.pad - k / c.s.kernel_width * c.s.dilation;
        const int col = to.col + c.s.pad - k % c.s.kernel_width * c.s.dilation;
        if (row < 0 || row % c.s.stride || row / c.s.stride >= c.height) return 0;
        if (col < 0 || col % c.s.stride || col / c.s.stride >= c.width) return 0;
        const size_t plane = to.image * c.s.out + group * c.outputs + tap / c.taps;
        return dy[(plane * c.height + row / c.s.stride) * c.width + col / c.s.stride];
    }
    __device__ void store(size_t group, int channel, int pixel, float sum) const
    {
        const size_t pixels = (size_t)c.s.height * c.s.width, in = group * c.channels + channel;
        float *out = dx + (pixel / pixels * c.s.in + in) * pixels + pixel % pixels;
        *out = blend(beta, out, sum);
    }
};

void cuda_conv2d_backward_input(float *dx, const float *dy, const float *w, float beta, ConvShape s)
{
    const Conv c = conv_of(s);
    multiply((size_t)s.groups, c.channels, s.batch * s.height * s.width, c.outputs * c.taps,
             InputGradient{dx, dy, w, beta, c});
}

// dy[outputs,pixels of the batch] times what lay under the taps [pixels,taps]. The pixels come in parts of
// equal length, whose products are added afterwards: with one, few multiprocessors would be busy.
struct WeightGradient {
    static constexpr bool a_down = false, b_down = true;
    float *dw;    // [parts,weights]
    const float *dy, *x;
    int parts, length, pixels;    // of the batch
    Conv c;

    __device__ float a(size_t batch, int o, int p) const
    {
        const int pixel = batch % parts * length + p;
        if (pixel >= pixels) return 0;
        const int plane = c.height * c.width;
        const size_t out = pixel / plane * c.s.out + batch / parts * c.outputs + o;
        return dy[out * plane + pixel % plane];
    }
    __device__ float b(size_t batch, int p, int tap) const
    {
        const int pixel = batch % parts * length + p;
        if (pixel >= pixels) return 0;
        return under_window(x, pixel_of(pixel, c.height, c.width),
                            batch / parts * c.channels + tap / c.taps, tap % c.taps, c.s);
    }
    __device__ void store(size_t batch, int o, int tap, float sum) const
    {
        const size_t group = batch / parts, part = batch % parts, taps = c.channels * c.taps;
        dw[(part * c.s.out + group * c.outputs + o) * taps + tap] = sum;
    }
};

void cuda_conv2d_backward_weight(float *dw, const float *dy, const float *x, float beta,
                                 ConvShape s)
{
    enum { PART = 2048, PARTS = 64 };
    const Conv c = conv_of(s);
    const int pixels = s.batch * c.height * c.width;
    const int length = max((pixels + PARTS - 1) / PARTS, PART),
              parts = max(1, (pixels + length - 1) / length);
    const size_t weights = conv_weights(s);
    float *part = (float *)cuda_workspace((weights * parts + 1) * sizeof *part);
    multiply((size_t)s.groups * parts, c.outputs, c.channels * c.taps, min(length, pixels),
             WeightGradient{part, dy, x, parts, length, pixels, c});
    for_each(weights, [=] __device__(size_t i) {
        float sum = 0;
        for (int k = 0; k < parts; k++) sum += part[k * weights + i];
        dw[i] = blend(beta, &dw[i], sum);
    });
}
