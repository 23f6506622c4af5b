/* The tape: what is recorded, how gradients add up, and the op of one's own from tape.h's comment. */
#include "common/tape.h"
#include "common/loss.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "kernels/trace.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"

// square() and square_backward(), cut out of the comment on top of tape.h by CMakeLists.txt: what
// the header shows is what is compiled.
Tensor *square(Tape *tape, Tensor *x);
#include "square_from_tape_h.inc"
// After it, for its parameter has the name of the fixture's tape.
#include "tests/tape_fixture.h"

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
    assert_near(values_of(y), ((double[]){1, 4, 9}), SHAPE(3), .name = "y");
    // loss = mean (x^2 - 1)^2   =>   dx = 4 x (x^2 - 1) / 3
    tape_backward(tape, loss_mse(tape, y, tensor_from(keep, SHAPE(3), (float[]){1, 1, 1})));
    assert_near(grad_of(x), ((double[]){0, -8, 32}), SHAPE(3), .name = "dx");
}

static void an_op_is_recorded_when_an_input_wants_a_gradient(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(2), (float[]){1, 2}), *x = tensor_zeros(keep, SHAPE(2));
    Tensor *fixed = op_add(tape, x, x);
    assert_false(fixed->wants_grad);
    assert_null(tape->last);
    Tensor *moved = op_add(tape, fixed, w);
    assert_true(moved->wants_grad);
    assert_string_equal(tape->last->op, "op_add");
    assert_int_equal(tape->last->inputs, 2);
    assert_int_equal(tape->last->outputs, 1);
    assert_ptr_equal(tape->last->out[0], moved);
    assert_ptr_equal(tape->last->in[0], fixed);
    assert_ptr_equal(tape->last->in[1], w);
}

static void nothing_is_recorded_while_evaluating(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(2), (float[]){1, 2});
    tape_quiet(tape, true);
    Tensor *y = op_add(tape, w, w);
    assert_false(y->wants_grad);
    assert_null(tape->last);
    assert_near(values_of(y), ((double[]){2, 4}), SHAPE(2), .name = "y");
    tape_reset(tape);
    assert_false(tape->recording);    // a reset does not change what the tape is for
    tape_quiet(tape, false);
    op_add(tape, w, w);
    assert_non_null(tape->last);
}

// ---- inputs and outputs, any number

// y = sum_k (k + 1) in[k] of those that are there
static void weighted_backward(const TapeNode *node)
{
    for (int k = 0; k < node->inputs; k++) {
        Grad d = tape_grad(node, node->in[k]);
        if (d.at)
            kernels.axpby(d.at, node->out[0]->grad, (float)(k + 1), d.beta,
                          tensor_count(node->in[k]));
    }
}

static Tensor *weighted(Tensors in, Shape shape)
{
    Tensor *y = tensor_zeros(tape->arena, shape);
    for (int k = 0; k < in.count; k++)
        if (in.list[k])
            kernels.axpby(y->data, in.list[k]->data, (float)(k + 1), 1, tensor_count(y));
    return tape_record(tape, y, weighted_backward, NULL, in);
}

static void an_op_may_have_any_inputs_and_none_in_between(void **state)
{
    (void)state;
    Tensor *a = parameter("a", SCALAR, (float[]){3}), *b = parameter("b", SCALAR, (float[]){5}),
           *fixed = tensor_from(keep, SCALAR, (float[]){7});
    Tensor *y = weighted(INPUTS(NULL, a, NULL, b, fixed, NULL), SCALAR);
    assert_int_equal(tape->last->inputs, 6);
    assert_null(tape->last->in[2]);
    assert_close(tensor_item(y), 2 * 3 + 4 * 5 + 5 * 7, 0);
    tape_backward(tape, y);
    assert_close(*grad_of(a), 2, 0);
    assert_close(*grad_of(b), 4, 0);
    assert_false(fixed->has_grad);

    params_clear_grads(params);
    tape_reset(tape);
    tape_backward(tape, weighted(INPUTS(a, b, a, fixed, a), SCALAR));    // a thrice
    assert_close(*grad_of(a), 1 + 3 + 5, 0);
    assert_close(*grad_of(b), 2, 0);
}

// double = 2 x, triple = 3 x
static void double_and_triple_backward(const TapeNode *node)
{
    for (int i = 0; i < 2; i++) {
        if (!node->out[i]->has_grad) {
            assert_null(node->out[i]->grad);
            continue;
        }
        Grad d = tape_grad(node, node->in[0]);
        kernels.axpby(d.at, node->out[i]->grad, (float)(i + 2), d.beta, tensor_count(node->in[0]));
    }
}

static void double_and_triple(Tensor *out[2], Tensor *x)
{
    for (int i = 0; i < 2; i++) {
        out[i] = tensor_new(tape->arena, x->shape);
        kernels.axpby(out[i]->data, x->data, (float)(i + 2), 0, tensor_count(x));
    }
    tape_record_all(tape, OUTPUTS(out[0], out[1]), double_and_triple_backward, NULL, INPUTS(x));
}

static void an_op_may_have_two_outputs_and_one_may_be_unused(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3});
    static const double want[] = {2 + 3 * 2, 2, 3 * 2};    // of double + 2 triple, double, 2 triple
    for (int use = 0; use < 3; use++) {
        Tensor *both[2];
        double_and_triple(both, w);
        assert_true(both[0]->wants_grad && both[1]->wants_grad);
        Tensor *twice = both[0], *thrice = op_scale(tape, both[1], 2);
        tape_backward(tape, use == 0 ? op_add(tape, twice, thrice) : use == 1 ? twice : thrice);
        assert_close(*grad_of(w), want[use], 0);
        params_clear_grads(params);
        tape_reset(tape);
    }
}

static void gradients_are_summed_over_all_uses_and_passes(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3});
    for (int pass = 1; pass <= 3; pass++) {
        tape_reset(tape);
        // w w + 2 w   =>   dw = 2 w + 2 = 8 in each pass
        tape_backward(tape, op_add(tape, op_mul(tape, w, w), op_scale(tape, w, 2)));
        assert_near(grad_of(w), ((double[]){8.0 * pass}), SCALAR, .name = "dw");
    }
}

static void a_tape_may_hold_several_losses(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3});
    Tensor *y = op_scale(tape, w, 2), *first = op_mul(tape, y, y), *second = op_scale(tape, y, 5);
    tape_backward(tape, first);    // (2 w)^2: dw = 8 w
    assert_near(grad_of(w), ((double[]){24}), SCALAR, .name = "dw");
    tape_backward(tape, second);    // 10 w: dw = 10
    assert_near(grad_of(w), ((double[]){34}), SCALAR, .name = "dw");
    tape_backward(tape, second);
    assert_near(grad_of(w), ((double[]){44}), SCALAR, .name = "dw");
}

static void a_tensor_used_three_times_gets_all_gradients(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3}), *y = op_scale(tape, w, 2);
    // y^2 y + 5 y   =>   dy = 3 y^2 + 5 = 113, dw = 226
    tape_backward(tape, op_add(tape, op_mul(tape, op_mul(tape, y, y), y), op_scale(tape, y, 5)));
    assert_close(*grad_of(w), 226, 0);
}

static void an_op_that_the_loss_does_not_need_changes_nothing(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3}), *loss = op_scale(tape, w, 2);
    op_exp(tape, op_mul(tape, w, w));
    tape_backward(tape, loss);
    assert_near(grad_of(w), ((double[]){2}), SCALAR, .name = "dw");
}

static void an_input_without_a_gradient_gets_none(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SCALAR, (float[]){3}), *x = tensor_from(keep, SCALAR, (float[]){7});
    tape_backward(tape, op_mul(tape, x, w));
    assert_near(grad_of(w), ((double[]){7}), SCALAR, .name = "dw");
    assert_null(x->grad);
}

// Saliency: how the loss depends on what went in (Simonyan et al. 2014).
static void an_input_may_want_its_gradient(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(1, 2), (float[]){3, 5});
    Tensor *x = tensor_from(tape->arena, SHAPE(2, 2), (float[]){1, 2, 3, 4});
    tensor_want_grad(tape->arena, x);
    Tensor *y = op_linear(tape, x, w, NULL);    // 13, 29
    tape_backward(tape, loss_squared_error(tape, y, tensor_zeros(keep, SHAPE(2, 1))));
    // mean over the rows of y^2: dy = y
    assert_near(grad_of(x), ((double[]){39, 65, 87, 145}), SHAPE(2, 2), .name = "dx",
                .exact = true);
    assert_near(grad_of(w), ((double[]){13 + 87, 26 + 116}), SHAPE(1, 2), .name = "dw",
                .exact = true);
    stops_with("x is a view", tensor_want_grad(tape->arena, tensor_rows(tape->arena, x, 0, 1)));
}

// ---- views

static Tensor *sum_of_squares(Tensor *x)
{
    Tensor *rows = tensor_view(tape->arena, x, SHAPE(1, (int)tensor_count(x)));
    return loss_squared_error(tape, rows, tensor_zeros(tape->arena, rows->shape));    // dx = 2 x
}

static void views_of_a_parameter_share_its_gradient(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(3, 2), (float[]){1, 2, 3, 4, 5, 6});
    tape_backward(tape, sum_of_squares(tensor_rows(tape->arena, w, 1, 1)));
    assert_near(grad_of(w), ((double[]){0, 0, 6, 8, 0, 0}), SHAPE(3, 2), .name = "dw",
                .exact = true);
    tape_backward(tape, sum_of_squares(tensor_view(tape->arena, w, SHAPE(2, 3))));    // adds
    assert_near(grad_of(w), ((double[]){2, 4, 12, 16, 10, 12}), SHAPE(3, 2), .name = "dw",
                .exact = true);
}

static void views_of_an_activation_share_its_gradient_where_they_overlap(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(4, 1), (float[]){1, 2, 3, 4}), *y = op_scale(tape, w, 10);
    Tensor *first = tensor_rows(tape->arena, y, 0, 3), *last = tensor_rows(tape->arena, y, 2, 2);
    Tensor *inner = tensor_rows(tape->arena, first, 1, 1);    // a view of a view
    Tensor *all = tensor_view(tape->arena, y, SHAPE(2, 2));
    Tensor *sums[] = {sum_of_squares(first), sum_of_squares(last), sum_of_squares(inner),
                      sum_of_squares(all)};
    Tensor *loss = op_add(tape, op_add(tape, sums[0], sums[1]), op_add(tape, sums[2], sums[3]));
    tape_backward(tape, loss);
    // dw[i] = 10 * 2 * 10 w[i] times how many views have it: 2, 3, 3, 2
    assert_near(grad_of(w), ((double[]){400, 1200, 1800, 1600}), SHAPE(4, 1), .name = "dw",
                .exact = true);
    assert_null(y->grad);    // given back
    assert_false(y->has_grad);
}

static void a_view_may_be_the_loss(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(3), (float[]){1, 2, 3}), *y = op_mul(tape, w, w);
    tape_backward(tape, tensor_view(tape->arena, tensor_rows(tape->arena, y, 1, 1), SCALAR));
    assert_near(grad_of(w), ((double[]){0, 4, 0}), SHAPE(3), .name = "dw", .exact = true);
}

// ---- memory

// A step of a network with these widths needs at most: what went in and what each layer gave (one tensor,
// since the ReLU is in place), the loss and its gradient, and gradients of these widths.
static void assert_peak(const int *widths, int layers, const int *gradients, int count)
{
    enum { BATCH = 8 };
    size_t want = 2 * piece_of(1);
    Tensor *w[8], *target = tensor_zeros(keep, SHAPE(BATCH, widths[layers]));
    for (int i = 0; i < layers; i++)
        w[i] = params_add(params, arena_print(keep, "w%d.%d", widths[0], i),
                          SHAPE(widths[i + 1], widths[i]));
    for (int i = 0; i <= layers; i++) want += piece_of(BATCH * (size_t)widths[i]);
    for (int i = 0; i < count; i++) want += piece_of(BATCH * (size_t)gradients[i]);
    size_t host = 0;
    for (int step = 0; step < 4; step++) {
        Tensor *y = tensor_zeros(tape->arena, SHAPE(BATCH, widths[0]));
        for (int i = 0; i < layers; i++) y = op_linear_relu(tape, y, w[i], NULL);
        tape_backward(tape, loss_mse(tape, y, target));
        assert_int_equal(arena_numbers_used(tape->arena), want);
        if (step == 0) host = arena_used(tape->arena);
        assert_int_equal(arena_used(tape->arena), host);
        tape_reset(tape);
    }
}

static void a_step_holds_activations_and_the_largest_pair_of_gradients(void **state)
{
    (void)state;
    assert_peak((int[]){48, 48, 48, 48, 48, 48, 48, 48}, 7, (int[]){48, 48}, 2);
    assert_peak((int[]){784, 256, 64, 256, 784}, 4, (int[]){784, 256}, 2);
    // Where gradients grow towards the input, the smaller ones that were given back are too small.
    assert_peak((int[]){512, 256, 128, 64}, 3, (int[]){64, 128, 256}, 3);
}

static void a_reset_forgets_the_graph_and_uses_the_memory_again(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(100), (float[100]){1});
    Tape *same = tape;
    size_t used = 0;
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
    w->has_grad = true;
    stops_with("the loss has a gradient already", tape_backward(tape, tensor_rows(keep, w, 0, 1)));
}

// ---- a tensor that outlives a step

// Truncated backpropagation through time (Williams & Peng 1990): h = tanh(u x + w h), the state carried
// from one chunk of two steps to the next without its gradient.
static void a_state_is_carried_over_a_reset(void **state)
{
    (void)state;
    const double x[4] = {0.5, -1, 2, 0.25};
    Tensor *u = parameter("u", SHAPE(1, 1), (float[]){0.75f}),
           *w = parameter("w", SHAPE(1, 1), (float[]){-1.25f});
    Tensor *carried = tensor_zeros(keep, SHAPE(1, 1));
    double h[5] = {0}, du = 0, dw = 0;    // of the second chunk's h alone
    for (int t = 0; t < 4; t++) {
        h[t + 1] = tanh(0.75 * x[t] - 1.25 * h[t]);
        double slope = 1 - h[t + 1] * h[t + 1];
        if (t == 2) du = dw = 0;    // h[2] is taken as given
        dw = slope * (h[t] - 1.25 * dw);
        du = slope * (x[t] - 1.25 * du);
    }
    for (int chunk = 0; chunk < 2; chunk++) {
        Tensor *now = carried;
        for (int t = 2 * chunk; t < 2 * chunk + 2; t++) {
            Tensor *from_x = op_linear(
                tape, tensor_from(tape->arena, SHAPE(1, 1), (float[]){(float)x[t]}), u, NULL);
            now = op_tanh(tape, op_add(tape, from_x, op_linear(tape, now, w, NULL)));
        }
        params_clear_grads(params);
        tape_backward(tape, now);
        tensor_copy(carried, now);
        tape_reset(tape);
        assert_close(tensor_item(carried), h[2 * chunk + 2], 1e-6);
    }
    assert_false(carried->wants_grad);
    assert_close(*grad_of(u), du, 1e-6);
    assert_close(*grad_of(w), dw, 1e-6);
}

static void the_first_op_that_is_not_finite_is_named(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(2), (float[]){0, 1e30f}),
           *z = tensor_from(keep, SHAPE(2), (float[]){0, 1e30f});
    stops_with("op_mul of [2] [2] -> [2]: kernels.mul gave inf at [0,1]", trace_start(false, true),
               op_add(tape, op_mul(tape, w, z), w));
    Tensor *large = op_scale(tape, op_scale(tape, loss_mse(tape, w, w), 1e30f),
                             1e30f);    // 0; its slope is not
    stops_with("op_scale, backward of [] -> []: kernels.axpby gave inf at [0,0]",
               trace_start(false, true), tape_backward(tape, large));
}

// A learner's function works on the host, with loops that no kernel sees.
static void host_backward(const TapeNode *node)
{
    Tensor *x = node->in[0];
    float *dx = tape_grad_sum(node, x);
    device->put(dx, &(float){NAN}, sizeof *dx);
}

static Tensor *on_host(Tape *t, Tensor *x, float value)
{
    return tape_record(t, tensor_from(t->arena, SHAPE(1), &value), host_backward, NULL, INPUTS(x));
}

static void what_the_host_gives_an_op_is_looked_at_too(void **state)
{
    (void)state;
    Tensor *w = parameter("w", SHAPE(1), (float[]){1});
    stops_with("on_host of [1] -> [1]: the host's code gave NaN at [0,0], the first of 1 in [1,1]",
               trace_start(false, true), op_add(tape, on_host(tape, w, NAN), w));
    stops_with("on_host, backward of [1] -> [1]: the host's code gave NaN at [0,0]",
               trace_start(false, true),
               tape_backward(tape, on_host(tape, op_scale(tape, w, 2), 1)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(the_op_in_the_header_comment_works),
        CASE(an_op_is_recorded_when_an_input_wants_a_gradient),
        CASE(nothing_is_recorded_while_evaluating),
        EACH_DEVICE(an_op_may_have_any_inputs_and_none_in_between),
        EACH_DEVICE(an_op_may_have_two_outputs_and_one_may_be_unused),
        EACH_DEVICE(gradients_are_summed_over_all_uses_and_passes),
        EACH_DEVICE(a_tape_may_hold_several_losses),
        CASE(a_tensor_used_three_times_gets_all_gradients),
        CASE(an_op_that_the_loss_does_not_need_changes_nothing),
        CASE(an_input_without_a_gradient_gets_none),
        EACH_DEVICE(an_input_may_want_its_gradient),
        EACH_DEVICE(views_of_a_parameter_share_its_gradient),
        EACH_DEVICE(views_of_an_activation_share_its_gradient_where_they_overlap),
        CASE(a_view_may_be_the_loss),
        EACH_DEVICE(a_step_holds_activations_and_the_largest_pair_of_gradients),
        CASE(a_reset_forgets_the_graph_and_uses_the_memory_again),
        EACH_DEVICE(a_state_is_carried_over_a_reset),
        CASE(what_cannot_be_a_loss_is_refused),
        EACH_DEVICE(the_first_op_that_is_not_finite_is_named),
        EACH_DEVICE(what_the_host_gives_an_op_is_looked_at_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
