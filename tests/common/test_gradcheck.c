/* The checker is checked: a wrong gradient must be found, and named. */
#include "tests/gradcheck.h"
#include "common/ops.h"
#include <cmocka.h>
#include <string.h>

static Arena *keep;
static Rng    rng;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 1u << 20);
    rng  = rng_from_seed(3);
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
    for (size_t i = 0; i < tensor_count(x); i++) y->data[i] = x->data[i] * x->data[i];
    return tape_record(tape, y, ((const Backward *)context)->run, NULL, INPUTS(x));
}

static void right(const TapeNode *node)
{
    Tensor *x = node->in[0], *y = node->out;
    for (size_t i = 0; i < tensor_count(x); i++) x->grad[i] += 2 * x->data[i] * y->grad[i];
}

static void forgets_the_factor(const TapeNode *node)
{
    Tensor *x = node->in[0], *y = node->out;
    for (size_t i = 0; i < tensor_count(x); i++) x->grad[i] += x->data[i] * y->grad[i];
}

static void overwrites(const TapeNode *node)
{
    Tensor *x = node->in[0], *y = node->out;
    for (size_t i = 0; i < tensor_count(x); i++) x->grad[i] = 2 * x->data[i] * y->grad[i];
}

static void forgets_the_last(const TapeNode *node)
{
    Tensor *x = node->in[0], *y = node->out;
    for (size_t i = 0; i + 1 < tensor_count(x); i++) x->grad[i] += 2 * x->data[i] * y->grad[i];
}

static void is_off_by_a_millionth(const TapeNode *node)
{
    Tensor *x = node->in[0], *y = node->out;
    for (size_t i = 0; i < tensor_count(x); i++) x->grad[i] += 2.000002 * x->data[i] * y->grad[i];
}

static void gives_nan(const TapeNode *node)
{
    node->in[0]->grad[0] += NAN;
}

static bool square_holds(void (*backward)(const TapeNode *), Error *err)
{
    Tensor *x = tensor_from(keep, SHAPE(2, 3), (float[]){1, 2, -1, 0.5f, 3, -2});
    x->grad   = tensor_zeros(keep, SHAPE(2, 3))->data;
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
    void (*wrong[])(const TapeNode *) = {forgets_the_factor, overwrites, forgets_the_last,
                                         is_off_by_a_millionth, gives_nan};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(square_holds(wrong[i], NULL));
}

static void the_message_names_input_index_and_both_values(void **state)
{
    (void)state;
    Error err;
    square_holds(forgets_the_last, &err);
    // weight 1.5 + cos(5) = 1.78366..., times 2 x = -4; nothing was added.
    assert_non_null(strstr(err.message, "square: gradient of input 0 [2,3]: 1 of 6 elements are wrong, "
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
    Error   err;
    Tensor *x = gradcheck_input(keep, SHAPE(3), &rng);
    assert_false(gradcheck_holds("unrecorded", unrecorded, NULL, INPUTS(x), &err));
    assert_string_equal(err.message, "unrecorded: the result was not recorded as depending on an input");
}

static void inputs_are_as_before(void **state)
{
    (void)state;
    Tensor *x = gradcheck_input(keep, SHAPE(4), &rng), *same = tensor_from(keep, SHAPE(4), x->data);
    gradcheck(square, &(Backward){right}, x);
    assert_memory_equal(x->data, same->data, 4 * sizeof *x->data);
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
