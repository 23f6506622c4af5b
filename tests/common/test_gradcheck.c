/* The checker is checked: a wrong gradient must be found, and named. */
#include "tests/gradcheck.h"
#include "common/ops.h"
#include "kernels/kernels.h"
#include <cmocka.h>
#include <string.h>

static Arena *keep;
static Rng rng;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 1u << 20);
    rng = rng_from_seed(3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

// y = x^2 with whatever backward the context holds.
typedef struct Backward {
    void (*run)(const TapeNode *node);
} Backward;

static Tensor *square(Tape *tape, Tensor *const in[], const void *context)
{
    Tensor *x = in[0], *y = tensor_new(tape->arena, x->shape);
    kernels.mul(y->data, x->data, x->data, 0, tensor_count(x));
    return tape_record(tape, y, ((const Backward *)context)->run, NULL, INPUTS(x));
}

// dx = beta dx + factor x dy for the first n elements
static void backward_as(const TapeNode *node, float factor, Grad dx, size_t n)
{
    const float *x = tensor_floats(node->in[0]), *dy = node->out[0]->grad;
    for (size_t i = 0; i < n; i++)
        dx.at[i] = (dx.beta != 0 ? dx.beta * dx.at[i] : 0) + factor * x[i] * dy[i];
}

static void right(const TapeNode *node)
{
    backward_as(node, 2, tape_grad(node, node->in[0]), 6);
}

static void forgets_the_factor(const TapeNode *node)
{
    backward_as(node, 1, tape_grad(node, node->in[0]), 6);
}

static void overwrites(const TapeNode *node)
{
    backward_as(node, 2, (Grad){tape_grad(node, node->in[0]).at, 0}, 6);
}

static void adds_to_a_null_input(const TapeNode *node)
{
    backward_as(node, 2, (Grad){tape_grad(node, node->in[0]).at, 1}, 6);
}

static void forgets_the_last(const TapeNode *node)
{
    float *dx = tape_grad_sum(node, node->in[0]);
    backward_as(node, 2, (Grad){dx, 1}, 5);
}

static void is_off_by_a_millionth(const TapeNode *node)
{
    backward_as(node, 2.000002, tape_grad(node, node->in[0]), 6);
}

static void gives_nan(const TapeNode *node)
{
    backward_as(node, NAN, tape_grad(node, node->in[0]), 6);
}

static bool square_holds(void (*backward)(const TapeNode *), Error *err)
{
    Tensor *x = tensor_from(keep, SHAPE(2, 3), (float[]){1, 2, -1, 0.5f, 3, -2});
    tensor_want_grad(keep, x);
    return gradcheck_holds("square", square, &(Backward){backward}, INPUTS(x), err);
}

static void a_right_gradient_passes(void **state)
{
    (void)state;
    Error err = {"untouched"};
    assert_true(square_holds(right, &err));
    assert_string_equal(err.message, "untouched");
}

static void a_wrong_gradient_is_found(void **state)
{
    (void)state;
    void (*wrong[])(const TapeNode *) = {forgets_the_factor,    overwrites,
                                         adds_to_a_null_input,  forgets_the_last,
                                         is_off_by_a_millionth, gives_nan};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(square_holds(wrong[i], NULL));
}

static void the_message_names_input_index_and_both_values(void **state)
{
    (void)state;
    Error err;
    square_holds(forgets_the_last, &err);
    // weight 1.5 + cos(5) = 1.78366..., times 2 x = -4; nothing was added.
    assert_non_null(strstr(err.message,
                           "square: gradient of input 0 [2,3]: 1 of 6 elements are wrong, "
                           "the first at [1,2]: analytic 0, numeric -7.1346"));
}

static Tensor *unrecorded(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return tensor_zeros(tape->arena, in[0]->shape);
}

static void a_result_that_is_not_on_the_tape_is_found(void **state)
{
    (void)state;
    Error err;
    Tensor *x = gradcheck_input(keep, SHAPE(3), &rng);
    assert_false(gradcheck_holds("unrecorded", unrecorded, NULL, INPUTS(x), &err));
    assert_string_equal(err.message,
                        "unrecorded: the result was not recorded as depending on an input");
}

static Tensor *scaled(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_scale(tape, in[0], 3);
}

static void inputs_are_as_before(void **state)
{
    (void)state;
    Tensor *x = gradcheck_input(keep, SHAPE(4), &rng), *same = tensor_from(keep, SHAPE(4), x->data);
    gradcheck(scaled, NULL, x);
    assert_memory_equal(x->data, same->data, tensor_bytes(x));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_right_gradient_passes),
        CASE(a_wrong_gradient_is_found),
        CASE(the_message_names_input_index_and_both_values),
        CASE(a_result_that_is_not_on_the_tape_is_found),
        CASE(inputs_are_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
