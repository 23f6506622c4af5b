/* The tape: what is recorded, how gradients add up, and the op of one's own from tape.h's comment. */
#include "common/tape.h"
#include "common/loss.h"
#include "common/ops.h"
#include "common/params.h"
#include "tests/near.h"
#include "tests/stops.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

// square() and square_backward(), cut out of the comment on top of tape.h by CMakeLists.txt: what
// the header shows is what is compiled.
Tensor *square(Tape *tape, Tensor *x);
#include "square_from_tape_h.inc"

static Arena  *keep;
static Params *params;
static Tape   *tape;

static int setup(void **state)
{
    (void)state;
    keep   = arena_new("keep", 1u << 20);
    params = params_new(keep);
    tape   = tape_new(arena_new("step", 1u << 20));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(tape->arena);
    arena_free(keep);
    return 0;
}

static Tensor *parameter(const char *name, Shape shape, const float *values)
{
    Tensor *x = params_add(params, name, shape);
    tensor_write(x, values);
    return x;
}

static void the_op_in_the_header_comment_works(void **state)
{
    (void)state;
    Tensor *x = parameter("x", SHAPE(3), (float[]){1, -2, 3});
    Tensor *y = square(tape, x);
    assert_near(y->data, ((double[]){1, 4, 9}), SHAPE(3), .name = "y");
    // loss = mean (x^2 - 1)^2   =>   dx = 4 x (x^2 - 1) / 3
    tape_backward(tape, loss_mse(tape, y, tensor_from(keep, SHAPE(3), (float[]){1, 1, 1})));
    assert_near(x->grad, ((double[]){0, -8, 32}), SHAPE(3), .name = "dx");
}

static void an_op_is_recorded_when_an_input_has_a_gradient(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(2), (float[]){1, 2}), *x = tensor_zeros(keep, SHAPE(2));
    Tensor *fixed = op_add(tape, x, x);
    assert_null(fixed->grad);
    assert_null(tape->last);
    Tensor *moved = op_add(tape, fixed, w);
    assert_non_null(moved->grad);
    assert_ptr_equal(tape->last->out, moved);
    assert_ptr_equal(tape->last->in[0], fixed);
    assert_ptr_equal(tape->last->in[1], w);
    assert_null(tape->last->in[2]);
}

static void nothing_is_recorded_while_evaluating(void **state)
{
    (void)state;
    Tensor *w       = parameter("w", SHAPE(2), (float[]){1, 2});
    tape->recording = false;
    Tensor *y       = op_add(tape, w, w);
    assert_null(y->grad);
    assert_null(tape->last);
    assert_near(y->data, ((double[]){2, 4}), SHAPE(2), .name = "y");
    tape_reset(tape);
    assert_false(tape->recording);    // a reset does not change what the tape is for
}

static void gradients_are_summed_over_all_uses_and_passes(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3});
    for (int pass = 1; pass <= 3; pass++) {
        tape_reset(tape);
        // w w + 2 w   =>   dw = 2 w + 2 = 8 in each pass
        tape_backward(tape, op_add(tape, op_mul(tape, w, w), op_scale(tape, w, 2)));
        assert_near(w->grad, ((double[]){8.0 * pass}), SCALAR, .name = "dw");
    }
}

static void a_tape_may_hold_several_losses(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3});
    Tensor *y = op_scale(tape, w, 2), *first = op_mul(tape, y, y), *second = op_scale(tape, y, 5);
    tape_backward(tape, first);    // (2 w)^2: dw = 8 w
    assert_near(w->grad, ((double[]){24}), SCALAR, .name = "dw");
    tape_backward(tape, second);    // 10 w: dw = 10
    assert_near(w->grad, ((double[]){34}), SCALAR, .name = "dw");
    tape_backward(tape, second);
    assert_near(w->grad, ((double[]){44}), SCALAR, .name = "dw");
}

static void an_op_that_the_loss_does_not_need_changes_nothing(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3}), *loss = op_scale(tape, w, 2);
    op_exp(tape, op_mul(tape, w, w));
    tape_backward(tape, loss);
    assert_near(w->grad, ((double[]){2}), SCALAR, .name = "dw");
}

static void an_input_without_a_gradient_gets_none(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3}), *x = tensor_from(keep, SCALAR, (float[]){7});
    tape_backward(tape, op_mul(tape, x, w));
    assert_near(w->grad, ((double[]){7}), SCALAR, .name = "dw");
    assert_null(x->grad);
}

static void a_reset_forgets_the_graph_and_uses_the_memory_again(void **state)
{
    (void)state;
    Tensor *w    = parameter("w", SHAPE(100), (float[100]){1});
    Tape   *same = tape;
    size_t  used = 0;
    for (int i = 0; i < 5; i++) {
        op_exp(tape, op_mul(tape, w, w));
        if (i == 0) used = arena_used(tape->arena);
        assert_int_equal(arena_used(tape->arena), used);
        tape_reset(tape);
        assert_ptr_equal(tape, same);
        assert_null(tape->last);
    }
}

static void what_cannot_be_a_loss_is_refused(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(2), (float[]){1, 2}), *x = tensor_zeros(keep, SHAPE(1));
    stops_with("the loss is [2]; expected one element", tape_backward(tape, op_add(tape, w, w)));
    stops_with("the loss does not depend on a parameter", tape_backward(tape, op_add(tape, x, x)));
}

static void an_op_of_too_many_inputs_is_refused(void **state)
{
    (void)state;
    Tensor *x = tensor_zeros(keep, SCALAR);
    tape_record(tape, x, square_backward, NULL, INPUTS(x, x, x, x));
    stops_with("an op has 5 inputs; expected at most 4",
               tape_record(tape, x, square_backward, NULL, INPUTS(x, x, x, x, x)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_op_in_the_header_comment_works),
        CASE(an_op_is_recorded_when_an_input_has_a_gradient),
        CASE(nothing_is_recorded_while_evaluating),
        CASE(gradients_are_summed_over_all_uses_and_passes),
        CASE(a_tape_may_hold_several_losses),
        CASE(an_op_that_the_loss_does_not_need_changes_nothing),
        CASE(an_input_without_a_gradient_gets_none),
        CASE(a_reset_forgets_the_graph_and_uses_the_memory_again),
        CASE(what_cannot_be_a_loss_is_refused),
        CASE(an_op_of_too_many_inputs_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
