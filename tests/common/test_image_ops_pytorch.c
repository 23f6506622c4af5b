/* Convolution, pooling and batch normalisation with their gradients against PyTorch's, by one weighted sum of
 * each result (make_image_ops_pytorch.py). */
#include "common/conv.h"
#include "common/norm.h"
#include "common/ops.h"
#include "common/pool.h"
#include "tests/common/pytorch_sums.h"

typedef struct ConvCase {
    int size[11];      // batch, in, height, width, out, kernel's, stride, pad, dilation, groups
    double want[4];    // y, dx, dw, db
} ConvCase;

typedef struct PoolCase {
    int size[6];       // planes, height, width, kernel, stride, pad
    double want[4];    // y and dx of the largest, y and dx of the mean
} PoolCase;

typedef struct NormCase {
    int size[5];    // batch, channels, height, width, training; [batch,channels] where they are 0
    double want[6];    // y, dx, dw, db, running mean and variance
} NormCase;

#include "tests/common/image_ops_pytorch.inc"

static void convolutions_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof convs / sizeof *convs); i++) {
        const int *s = convs[i].size;
        const double *want = convs[i].want;
        Tensor *x = input(SHAPE(s[0], s[1], s[2], s[3]), 1);
        Tensor *w = input(SHAPE(s[4], s[1] / s[10], s[5], s[6]), 2), *b = input(SHAPE(s[4]), 3);
        hold_output("y", i, op_conv2d(tape, x, w, b, (ConvConfig){s[7], s[8], s[9], s[10]}),
                    want[0]);
        hold_gradient("dx", i, x, want[1]);
        hold_gradient("dw", i, w, want[2]);
        hold_gradient("db", i, b, want[3]);
        tape_reset(tape);
    }
}

static void poolings_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * (int)(sizeof pools / sizeof *pools); i++) {
        const int *s = pools[i / 2].size;
        const double *want = pools[i / 2].want + i % 2 * 2;
        const PoolConfig config = {s[3], s[4], s[5]};
        Tensor *x = input(SHAPE(1, s[0], s[1], s[2]), 4);
        hold_output("y", i / 2, i % 2 ? op_avg_pool(tape, x, config) : op_max_pool(tape, x, config),
                    want[0]);
        hold_gradient("dx", i / 2, x, want[1]);
        tape_reset(tape);
    }
}

static void batch_norms_are_pytorchs(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof norms / sizeof *norms); i++) {
        const int *s = norms[i].size, channels = s[1];
        const double *want = norms[i].want;
        BatchNorm norm = batch_norm_new(params, arena_print(keep, "bn%d", i), channels);
        float var[8];
        for (int c = 0; c < channels; c++) var[c] = fabsf(value((size_t)c, 10)) + 0.5f;
        tensor_copy(norm.weight, filled(SHAPE(channels), 6));
        tensor_copy(norm.bias, filled(SHAPE(channels), 7));
        tensor_copy(norm.running_mean, filled(SHAPE(channels), 8));
        tensor_write(norm.running_var, var);
        Tensor *x = input(s[2] > 0 ? SHAPE(s[0], channels, s[2], s[3]) : SHAPE(s[0], channels), 5);
        tape->evaluating = s[4] == 0;
        hold_output("y", i, batch_norm_forward(tape, &norm, x), want[0]);
        hold_gradient("dx", i, x, want[1]);
        hold_gradient("dw", i, norm.weight, want[2]);
        hold_gradient("db", i, norm.bias, want[3]);
        hold("running mean", i, values_of(norm.running_mean), (size_t)channels, want[4]);
        hold("running variance", i, values_of(norm.running_var), (size_t)channels, want[5]);
        tape_reset(tape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(convolutions_are_pytorchs),
        EACH_DEVICE(poolings_are_pytorchs),
        EACH_DEVICE(batch_norms_are_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
