#include "common/conv.h"
#include "common/error.h"
#include "kernels/kernels.h"

typedef struct Saved {
    ConvShape shape;
    bool relu;
} Saved;

// y = f(z), z = x * w + b   =>   dz = dy f'(z),   dx += dz * w turned round,   dw += dz * x,   db += sum dz
static void conv2d_backward(const TapeNode *node)
{
    const Saved *saved = node->saved;
    const ConvShape s = saved->shape;
    Tensor *x = node->in[0], *w = node->in[1], *y = node->out[0];
    float *dz = y->grad;
    if (saved->relu)    // in place: dy has no other use
        kernels.relu_backward(dz, dz, y->data, 0.0f, tensor_count(y));
    Grad dx = tape_grad(node, x), dw = tape_grad(node, w), db = tape_grad(node, node->in[2]);
    if (dx.at) kernels.conv2d_backward_input(dx.at, dz, w->data, dx.beta, s);
    if (dw.at) kernels.conv2d_backward_weight(dw.at, dz, x->data, dw.beta, s);
    if (db.at) kernels.sum_channels(db.at, dz, s.batch, s.out, (int)conv_out_pixels(s), db.beta);
}

static int or_one(int size)
{
    return size == 0 ? 1 : size;
}

static ConvShape conv2d_shape(const Tensor *x, const Tensor *w, const Tensor *b, ConvConfig config)
{
    const int *in = x->shape.size, *kernel = w->shape.size;
    REQUIRE(config.stride >= 0 && config.pad >= 0 && config.dilation >= 0 && config.groups >= 0,
            "stride %d, pad %d, dilation %d, groups %d; expected none below 0", config.stride,
            config.pad, config.dilation, config.groups);
    ConvShape s = {.stride = or_one(config.stride),
                   .pad = config.pad,
                   .dilation = or_one(config.dilation),
                   .groups = or_one(config.groups)};
    REQUIRE(x->shape.dims == 4 && w->shape.dims == 4 && in[1] == kernel[1] * s.groups,
            "x is %s and w is %s; expected [B,I,H,W] and [O,I/%d,KH,KW]", TENSOR_TEXT(x),
            TENSOR_TEXT(w), s.groups);
    REQUIRE(kernel[0] % s.groups == 0, "w is %s; expected a multiple of %d channels, the groups",
            TENSOR_TEXT(w), s.groups);
    REQUIRE(!b || shape_equal(b->shape, SHAPE(kernel[0])), "b is %s; expected [%d] for w %s",
            TENSOR_TEXT(b), kernel[0], TENSOR_TEXT(w));
    s.batch = in[0], s.in = in[1], s.height = in[2], s.width = in[3];
    s.out = kernel[0], s.kernel_height = kernel[2], s.kernel_width = kernel[3];
    REQUIRE(conv_out_pixels(s) > 0,
            "w is %s, dilation %d; expected a kernel that fits into x %s with pad %d",
            TENSOR_TEXT(w), s.dilation, TENSOR_TEXT(x), s.pad);
    return s;
}

static Tensor *convolve(const char *op, Tape *tape, Tensor *x, Tensor *w, Tensor *b,
                        ConvConfig config, bool relu)
{
    const ConvShape s = conv2d_shape(x, w, b, config);
    Tensor *y =
        tensor_new(tape->arena, SHAPE(s.batch, s.out, conv_out_height(s), conv_out_width(s)));
    kernels.conv2d(y->data, tensor_floats(x), tensor_floats(w), b ? tensor_floats(b) : NULL, s);
    if (relu) kernels.relu(y->data, y->data, tensor_count(y));
    Saved *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Saved){s, relu};
    return tape_record_as(op, tape, OUTPUTS(y), conv2d_backward, saved, INPUTS(x, w, b)).list[0];
}

Tensor *op_conv2d(Tape *tape, Tensor *x, Tensor *w, Tensor *b, ConvConfig config)
{
    return convolve(__func__, tape, x, w, b, config, false);
}

Tensor *op_conv2d_relu(Tape *tape, Tensor *x, Tensor *w, Tensor *b, ConvConfig config)
{
    return convolve(__func__, tape, x, w, b, config, true);
}

Conv2d conv2d_new(Params *params, const char *name, int in, int out, int kernel, ConvConfig config,
                  bool bias, Rng *rng)
{
    const int groups = or_one(config.groups);
    REQUIRE(in > 0 && out > 0 && kernel > 0,
            "layer '%s' from %d to %d channels, kernel %d; expected at least 1", name, in, out,
            kernel);
    REQUIRE(in % groups == 0 && out % groups == 0,
            "layer '%s' from %d to %d channels in %d groups; expected multiples of them", name, in,
            out, groups);
    const Shape shape = SHAPE(out, in / groups, kernel, kernel);
    Conv2d layer = {
        .weight = params_add(params, arena_print(params->arena, "%s.weight", name), shape),
        .config = config,
    };
    if (bias)
        layer.bias = params_add(params, arena_print(params->arena, "%s.bias", name), SHAPE(out));
    const int taps = kernel * kernel;
    init_he(layer.weight, in / groups * taps, out / groups * taps, rng);
    return layer;
}

Tensor *conv2d_forward(Tape *tape, const Conv2d *layer, Tensor *x)
{
    return op_conv2d(tape, x, layer->weight, layer->bias, layer->config);
}
