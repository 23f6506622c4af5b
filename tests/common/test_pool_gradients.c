/* The derivatives of pool.c and norm.c against central differences, in double precision. */
#include "tests/gradcheck.h"
#include "common/norm.h"
#include "common/ops.h"
#include "common/pool.h"
#include <cmocka.h>

static Arena *keep;
static Rng rng;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 4u << 20);
    rng = rng_from_seed(9);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static Tensor *input(Shape shape)
{
    return gradcheck_input(keep, shape, &rng);
}

typedef struct Pool {
    Tensor *(*op)(Tape *tape, Tensor *x, PoolConfig config);
    PoolConfig config;
} Pool;

static Tensor *pool(Tape *tape, Tensor *const in[], const void *context)
{
    const Pool *p = context;
    return p->op(tape, in[0], p->config);
}

static Tensor *global_avg_pool(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_global_avg_pool(tape, in[0]);
}

static void pooling_has_its_gradient_at_each_stride_and_pad(void **state)
{
    (void)state;
    for (int kernel = 1; kernel <= 7; kernel++)
        for (int stride = 1; stride <= 3; stride++)
            for (int pad = 0; pad <= kernel / 2; pad++)
                for (int kind = 0; kind < 2; kind++) {
                    const Pool p = {kind ? op_avg_pool : op_max_pool, {kernel, stride, pad}};
                    gradcheck(pool, &p, input(SHAPE(1, 2, 7, 9)));
                    gradcheck(pool, &p, input(SHAPE(2, 1, 8, 7)));
                    arena_reset(keep);
                }
    const Pool p = {op_max_pool, {.kernel = 2}};
    gradcheck(pool, &p, input(SHAPE(3, 2, 4, 5)));
    gradcheck(global_avg_pool, NULL, input(SHAPE(1, 1, 1, 1)));
    gradcheck(global_avg_pool, NULL, input(SHAPE(2, 3, 5, 7)));
}

typedef struct Norm {
    BatchNorm layer;
    bool evaluating;
} Norm;

static Tensor *norm(Tape *tape, Tensor *const in[], const void *context)
{
    const Norm *n = context;
    tape->evaluating = n->evaluating;
    return batch_norm_forward(tape, &n->layer, in[0]);
}

static void batch_norm_has_its_gradient_in_training_and_in_inference(void **state)
{
    (void)state;
    const Shape shapes[] = {SHAPE(2, 3), SHAPE(7, 3), SHAPE(1, 3, 1, 2), SHAPE(1, 3, 5, 3),
                            SHAPE(5, 3, 2, 3)};
    for (size_t i = 0; i < 2 * sizeof shapes / sizeof *shapes; i++) {
        Params *params = params_new(keep);
        Norm n = {batch_norm_new(params, "bn", 3), i % 2};
        if (i % 2) {
            tensor_write(n.layer.running_mean, (float[]){0.5, -1, 2});
            tensor_write(n.layer.running_var, (float[]){0.25, 1, 3});
        }
        rng_fill_normal(&rng, n.layer.weight->data, 3);
        rng_fill_normal(&rng, n.layer.bias->data, 3);
        Tensor *x = input(shapes[i / 2]), *constant = input(shapes[i / 2]);
        constant->wants_grad = false;
        gradcheck(norm, &n, x, n.layer.weight, n.layer.bias);
        gradcheck(norm, &n, constant, n.layer.weight, n.layer.bias);
        n.layer.weight->wants_grad = false;
        gradcheck(norm, &n, x, n.layer.weight, n.layer.bias);
    }
}

// A residual block's shape: normalise, ReLU, pool, and a skip connection.
static Tensor *block(Tape *tape, Tensor *const in[], const void *context)
{
    const Norm *n = context;
    Tensor *h = op_tanh(tape, batch_norm_forward(tape, &n->layer, in[0]));
    Tensor *y = op_add(tape, op_avg_pool(tape, h, (PoolConfig){3, 1, 1}), in[0]);
    return op_global_avg_pool(tape, op_max_pool(tape, y, (PoolConfig){.kernel = 2}));
}

static void a_block_of_all_has_its_gradient(void **state)
{
    (void)state;
    Norm n = {batch_norm_new(params_new(keep), "bn", 3), false};
    gradcheck(block, &n, input(SHAPE(2, 3, 4, 5)), n.layer.weight, n.layer.bias);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pooling_has_its_gradient_at_each_stride_and_pad),
        CASE(batch_norm_has_its_gradient_in_training_and_in_inference),
        CASE(a_block_of_all_has_its_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
