/* Every derivative of conv.c against central differences, in double precision. */
#include "tests/gradcheck.h"
#include "common/conv.h"
#include <cmocka.h>

static Arena *keep;
static Rng rng;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 4u << 20);
    rng = rng_from_seed(11);
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

static Tensor *constant(Shape shape)
{
    Tensor *x = input(shape);
    x->wants_grad = false;
    return x;
}

static Tensor *conv2d(Tape *tape, Tensor *const in[], const void *context)
{
    return op_conv2d(tape, in[0], in[1], in[2], *(const ConvConfig *)context);
}

static Tensor *conv2d_relu(Tape *tape, Tensor *const in[], const void *context)
{
    return op_conv2d_relu(tape, in[0], in[1], in[2], *(const ConvConfig *)context);
}

static void conv2d_has_its_gradient_at_every_stride_padding_and_dilation(void **state)
{
    (void)state;
    for (int stride = 1; stride <= 3; stride++)
        for (int pad = 0; pad <= 3; pad++)
            for (int dilation = 1; dilation <= 2; dilation++) {
                const ConvConfig config = {stride, pad, dilation, 1};
                gradcheck(conv2d, &config, input(SHAPE(2, 3, 7, 5)), input(SHAPE(4, 3, 3, 2)),
                          input(SHAPE(4)));
            }
}

static void conv2d_has_its_gradient_with_groups(void **state)
{
    (void)state;
    const ConvConfig two = {.pad = 1, .groups = 2}, depthwise = {.stride = 2, .groups = 3};
    gradcheck(conv2d, &two, input(SHAPE(2, 4, 5, 3)), input(SHAPE(6, 2, 3, 3)), input(SHAPE(6)));
    gradcheck(conv2d, &depthwise, input(SHAPE(2, 3, 7, 6)), input(SHAPE(3, 1, 3, 3)),
              input(SHAPE(3)));
    gradcheck(conv2d, &depthwise, input(SHAPE(1, 3, 6, 6)), input(SHAPE(6, 1, 2, 3)), NULL);
}

static void conv2d_has_its_gradient_on_the_smallest_sizes(void **state)
{
    (void)state;
    const ConvConfig plain = {0}, padded = {.pad = 2};
    gradcheck(conv2d, &plain, input(SHAPE(1, 1, 1, 1)), input(SHAPE(1, 1, 1, 1)), input(SHAPE(1)));
    gradcheck(conv2d, &plain, input(SHAPE(3, 2, 3, 4)), input(SHAPE(5, 2, 3, 4)), input(SHAPE(5)));
    gradcheck(conv2d, &padded, input(SHAPE(1, 2, 1, 2)), input(SHAPE(3, 2, 5, 5)), NULL);
}

static void conv2d_has_its_gradient_when_some_inputs_take_none(void **state)
{
    (void)state;
    const ConvConfig config = {.pad = 1};
    const Shape x = SHAPE(2, 2, 4, 3), w = SHAPE(3, 2, 3, 3), b = SHAPE(3);
    gradcheck(conv2d, &config, constant(x), input(w), input(b));
    gradcheck(conv2d, &config, input(x), constant(w), constant(b));
    gradcheck(conv2d, &config, constant(x), constant(w), input(b));
}

static void a_fused_relu_has_its_gradient(void **state)
{
    (void)state;
    const ConvConfig config = {.pad = 1};
    gradcheck(conv2d_relu, &config, input(SHAPE(2, 2, 4, 5)), input(SHAPE(3, 2, 3, 3)),
              input(SHAPE(3)));
}

// x is used twice: the second gradient adds to the first.
static Tensor *two_convolutions(Tape *tape, Tensor *const in[], const void *context)
{
    return op_mul(tape, conv2d(tape, in, context), conv2d(tape, in, context));
}

static void gradients_of_two_uses_add_up(void **state)
{
    (void)state;
    const ConvConfig config = {.stride = 2};
    gradcheck(two_convolutions, &config, input(SHAPE(2, 2, 5, 5)), input(SHAPE(3, 2, 3, 3)),
              input(SHAPE(3)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(conv2d_has_its_gradient_at_every_stride_padding_and_dilation),
        CASE(conv2d_has_its_gradient_with_groups),
        CASE(conv2d_has_its_gradient_on_the_smallest_sizes),
        CASE(conv2d_has_its_gradient_when_some_inputs_take_none),
        CASE(a_fused_relu_has_its_gradient),
        CASE(gradients_of_two_uses_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
