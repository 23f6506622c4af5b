#include "common/pool.h"
#include "common/error.h"
#include "kernels/kernels.h"

// What backward needs besides the tensors.
typedef struct Pooling {
    PoolShape shape;
    int32_t *at;    // of max pooling: where each maximum came from
} Pooling;

static Pooling *pooling_new(const char *op, Tape *tape, const Tensor *x, PoolConfig config)
{
    const int stride = config.stride != 0 ? config.stride : config.kernel;
    REQUIRE(x->shape.dims == 4, "%s: x is %s; expected [B,C,H,W]", op, TENSOR_TEXT(x));
    REQUIRE(config.kernel > 0 && stride > 0,
            "%s: kernel %d and stride %d; expected at least 1 of each", op, config.kernel, stride);
    REQUIRE(config.pad >= 0 && config.pad <= config.kernel / 2,
            "%s: pad %d for kernel %d; expected 0 to %d, half the kernel", op, config.pad,
            config.kernel, config.kernel / 2);
    Pooling *pooling = arena_alloc(tape->arena, sizeof *pooling);
    *pooling = (Pooling){.shape = {.planes = x->shape.size[0] * x->shape.size[1],
                                   .height = x->shape.size[2],
                                   .width = x->shape.size[3],
                                   .kernel = config.kernel,
                                   .stride = stride,
                                   .pad = config.pad}};
    REQUIRE(pool_size(x->shape.size[2], pooling->shape) > 0 &&
                pool_size(x->shape.size[3], pooling->shape) > 0,
            "%s: x is %s; a window of %d does not fit into its %d by %d pixels with pad %d", op,
            TENSOR_TEXT(x), config.kernel, x->shape.size[2], x->shape.size[3], config.pad);
    return pooling;
}

static Tensor *output_new(Tape *tape, const Tensor *x, PoolShape s)
{
    return tensor_new(tape->arena, SHAPE(x->shape.size[0], x->shape.size[1], pool_size(s.height, s),
                                         pool_size(s.width, s)));
}

// y = max x   =>   dx += dy where x was the maximum
static void max_pool_backward(const TapeNode *node)
{
    const Pooling *pooling = node->saved;
    Grad dx = tape_grad(node, node->in[0]);
    kernels.max_pool_backward(dx.at, node->out[0]->grad, pooling->at, dx.beta, pooling->shape);
}

Tensor *op_max_pool(Tape *tape, Tensor *x, PoolConfig config)
{
    Pooling *pooling = pooling_new(__func__, tape, x, config);
    Tensor *y = output_new(tape, x, pooling->shape);
    pooling->at = tensor_ints(tensor_of(tape->arena, DTYPE_I32, y->shape));
    kernels.max_pool(y->data, pooling->at, tensor_floats(x), pooling->shape);
    return tape_record(tape, y, max_pool_backward, pooling, INPUTS(x));
}

// y = mean x   =>   dx += dy / kernel^2, for each window
static void avg_pool_backward(const TapeNode *node)
{
    const Pooling *pooling = node->saved;
    Grad dx = tape_grad(node, node->in[0]);
    kernels.avg_pool_backward(dx.at, node->out[0]->grad, dx.beta, pooling->shape);
}

Tensor *op_avg_pool(Tape *tape, Tensor *x, PoolConfig config)
{
    Pooling *pooling = pooling_new(__func__, tape, x, config);
    Tensor *y = output_new(tape, x, pooling->shape);
    kernels.avg_pool(y->data, tensor_floats(x), pooling->shape);
    return tape_record(tape, y, avg_pool_backward, pooling, INPUTS(x));
}

// y = x u, x [B C, H W] and u a column of 1 / (H W)   =>   dx += dy u^T
static void global_avg_pool_backward(const TapeNode *node)
{
    const float *u = node->saved;
    const Tensor *x = node->in[0], *y = node->out[0];
    Grad dx = tape_grad(node, node->in[0]);
    matmul(dx.at, y->grad, u, (int)tensor_count(y), x->shape.size[2] * x->shape.size[3], 1,
           dx.beta);
}

Tensor *op_global_avg_pool(Tape *tape, Tensor *x)
{
    const int *size = x->shape.size;
    REQUIRE(x->shape.dims == 4 && size[2] > 0 && size[3] > 0,
            "x is %s; expected [B,C,H,W] with at least 1 pixel", TENSOR_TEXT(x));
    const int pixels = size[2] * size[3];
    Tensor *y = tensor_new(tape->arena, SHAPE(size[0], size[1]));
    Tensor *u = tensor_new(tape->arena, SHAPE(pixels));
    kernels.fill(u->data, 1.0f / (float)pixels, (size_t)pixels);
    matmul(y->data, tensor_floats(x), u->data, (int)tensor_count(y), 1, pixels, 0.0f);
    return tape_record(tape, y, global_avg_pool_backward, u->data, INPUTS(x));
}
