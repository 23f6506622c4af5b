/* Losses against closed forms, and what they refuse. Their gradients: test_gradients.c. */
#include "common/loss.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})
#define LABELS(...)                                                                                \
    tensor_from_ints(tape->arena, SHAPE(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),               \
                     (int32_t[]){__VA_ARGS__})

static void squared_errors_differ_only_in_what_they_divide_by(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(2, 3), 1, 2, 3, 4, 5, 6), *t = VALUES(SHAPE(2, 3), 1, 0, 3, 4, 8, 5);
    // differences 0, 2, 0, 0, -3, 1: squares 14
    assert_close(tensor_item(loss_mse(tape, x, t)), 14.0 / 6, 1e-6);
    assert_close(tensor_item(loss_squared_error(tape, x, t)), 14.0 / 2, 1e-6);
    assert_close(tensor_item(loss_squared_error(tape, x, x)), 0, 0);
    assert_string_equal(TENSOR_TEXT(loss_mse(tape, x, t)), "[]");
}

static void bce_is_the_cross_entropy_of_the_sigmoid(void **state)
{
    (void)state;
    const double logits[] = {0, 1, -2, 3}, targets[] = {1, 0, 0.25, 1};
    Tensor *z = VALUES(SHAPE(2, 2), 0, 1, -2, 3), *t = VALUES(SHAPE(2, 2), 1, 0, 0.25f, 1);
    double want = 0;
    for (int i = 0; i < 4; i++) {
        double s = 1 / (1 + exp(-logits[i])), p = targets[i];
        want -= p * log(s) + (1 - p) * log(1 - s);
    }
    assert_close(tensor_item(loss_bce_logits(tape, z, t)), want / 2, 1e-6);    // per row of 2
    assert_close(tensor_item(loss_bce_logits(tape, VALUES(SHAPE(1), 0), VALUES(SHAPE(1), 0.5f))),
                 log(2), 1e-7);
}

// In two steps, log(sigmoid(-200)) would be -infinity and 0 times it NaN.
static void bce_is_exact_where_the_sigmoid_is_0_or_1(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(1), 200), *one = VALUES(SHAPE(1), 1), *zero = VALUES(SHAPE(1), 0);
    assert_close(tensor_item(loss_bce_logits(tape, z, one)), 0, 0);
    assert_close(tensor_item(loss_bce_logits(tape, z, zero)), 200, 0);
    z = VALUES(SHAPE(1), -200);
    assert_close(tensor_item(loss_bce_logits(tape, z, one)), 200, 0);
    assert_close(tensor_item(loss_bce_logits(tape, z, zero)), 0, 0);
}

static void cross_entropy_of_equal_logits_is_the_log_of_their_number(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(2, 5), 3, 3, 3, 3, 3, -7, -7, -7, -7, -7);
    assert_close(tensor_item(loss_cross_entropy(tape, z, LABELS(0, 4))), log(5), 1e-6);
    for (int i = 0; i < 4; i++) {    // log 5 is not lost beside them
        Tensor *one = VALUES(SHAPE(1, 1), (float[]){1e6f, -1e6f, 3e38f, -3e38f}[i]);
        Tensor *w = VALUES(SHAPE(5, 1), 1, 1, 1, 1, 1);
        z = op_linear(tape, one, w, NULL);
        assert_close(tensor_item(loss_cross_entropy(tape, z, LABELS(3))), log(5), 1e-6);
        assert_close(tensor_item(loss_linear_cross_entropy(tape, one, w, LABELS(3))), log(5), 1e-6);
    }
}

static void cross_entropy_is_the_mean_over_rows(void **state)
{
    (void)state;
    // softmax of (0, log 3) is (1/4, 3/4)
    Tensor *z = VALUES(SHAPE(2, 2), 0, 1.0986123f, 0, 1.0986123f);
    assert_close(tensor_item(loss_cross_entropy(tape, z, LABELS(0, 1))),
                 -(log(0.25) + log(0.75)) / 2, 1e-6);
}

static void cross_entropy_does_not_change_when_all_logits_move(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(1, 3), 1, 2, 4), *far = VALUES(SHAPE(1, 3), 8193, 8194, 8196);
    double want = tensor_item(loss_cross_entropy(tape, z, LABELS(1)));
    assert_close(tensor_item(loss_cross_entropy(tape, far, LABELS(1))), want, 1e-5);
    assert_close(tensor_item(loss_cross_entropy(tape, VALUES(SHAPE(1, 2), 1000, -1000), LABELS(1))),
                 2000, 0);
}

// PyTorch's ignore_index: what is ignored counts neither in the sum nor in what it is divided by, and its logits,
// even NaN, have no influence.
static void negative_labels_are_ignored(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(3, 2), 0, 1.0986123f, NAN, 5, 0, 1.0986123f);
    tensor_want_grad(tape->arena, z);
    Tensor *loss = loss_cross_entropy(tape, z, LABELS(0, -100, 1));
    assert_close(tensor_item(loss), -(log(0.25) + log(0.75)) / 2, 1e-6);
    tape_backward(tape, loss);
    assert_near(grad_of(z), ((double[]){-0.375, 0.375, 0, 0, 0.125, -0.125}), SHAPE(3, 2),
                .name = "dz");
}

static void without_a_label_the_loss_is_0(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(2, 2), 0, 1, 2, 3),
           *w = VALUES(SHAPE(5, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 0);
    tensor_want_grad(tape->arena, z);
    Tensor *losses[] = {loss_cross_entropy(tape, z, LABELS(-1, -1)),
                        loss_linear_cross_entropy(tape, z, w, LABELS(-1, -1))};
    for (int i = 0; i < 2; i++) {
        assert_close(tensor_item(losses[i]), 0, 0);
        tape_backward(tape, losses[i]);
        assert_near(grad_of(z), ((double[]){0, 0, 0, 0}), SHAPE(2, 2), .name = "dz", .exact = true);
    }
}

// ---- with the last layer

typedef struct Logits {
    Tensor *x, *w, *labels;
    float loss, evaluated;    // evaluated: without recording
    const float *dx, *dw;
} Logits;

// [2,n/2,d] [V,d], every third label ignored: the loss times 3, and its gradients, by one op or by two.
static Logits logits_new(int n, int width, int vocabulary, bool one_op)
{
    Rng rng = rng_from_seed(11);
    Arena *room = arena_new("numbers", 1u << 24);
    float *x = arena_alloc(room, sizeof *x * (size_t)(n * width)),
          *w = arena_alloc(room, sizeof *w * (size_t)(vocabulary * width));
    int32_t *label = arena_alloc(room, sizeof *label * (size_t)n);
    rng_fill_normal(&rng, x, (size_t)(n * width));
    rng_fill_normal(&rng, w, (size_t)(vocabulary * width));
    for (int i = 0; i < n; i++)
        label[i] = i % 3 ? (int32_t)rng_below(&rng, (uint32_t)vocabulary) : -1;
    Tape *on = tape_new(arena_new("step", 256u << 20));
    Logits l = {.x = tensor_from(keep, SHAPE(2, n / 2, width), x),
                .w = tensor_from(keep, SHAPE(vocabulary, width), w),
                .labels = tensor_from_ints(keep, SHAPE(2, n / 2), label)};
    tensor_want_grad(keep, l.x);
    tensor_want_grad(keep, l.w);
    Tensor *loss = one_op ? loss_linear_cross_entropy(on, l.x, l.w, l.labels)
                          : loss_cross_entropy(on, op_linear(on, l.x, l.w, NULL), l.labels);
    l.loss = tensor_item(loss);
    tape_quiet(on, true);
    if (one_op) l.evaluated = tensor_item(loss_linear_cross_entropy(on, l.x, l.w, l.labels));
    tape_quiet(on, false);
    tape_backward(on, op_scale(on, loss, 3));
    l.dx = grad_of(l.x);
    l.dw = grad_of(l.w);
    arena_free(on->arena);
    arena_free(room);
    return l;
}

static const double *doubles(const float *x, size_t n)
{
    double *copy = arena_alloc(keep, n * sizeof *copy);
    for (size_t i = 0; i < n; i++) copy[i] = (double)x[i];
    return copy;
}

// Of logits that stay for backward, because there are few of them or few rows, and of slices: more than 2^24
// numbers in more rows than columns, the last slice shorter than the others.
static void a_loss_with_its_last_layer_is_that_of_the_two_ops(void **state)
{
    (void)state;
    static const int shapes[][3] = {{2, 1, 1}, {10, 7, 5}, {66, 3, 41}, {1030, 2, 17000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int n = shapes[i][0], width = shapes[i][1], vocabulary = shapes[i][2];
        const Logits want = logits_new(n, width, vocabulary, false),
                     got = logits_new(n, width, vocabulary, true);
        assert_close(got.loss, want.loss, 1e-6 * (double)want.loss);
        assert_near(got.dx, doubles(want.dx, tensor_count(want.x)), want.x->shape, .name = "dx",
                    .rtol = 1e-4, .atol = 1e-7);
        assert_near(got.dw, doubles(want.dw, tensor_count(want.w)), want.w->shape, .name = "dw",
                    .rtol = 1e-4, .atol = 1e-7);
        assert_close(got.evaluated, want.loss, 1e-6 * (double)want.loss);
    }
}

static void a_second_backward_of_used_up_logits_is_refused(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(1, 2), 1, 2), *w = VALUES(SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
    tensor_want_grad(tape->arena, x);
    Tensor *loss = loss_linear_cross_entropy(tape, x, w, LABELS(1));
    tape_backward(tape, loss);
    stops_with("backward of this loss has run before; its numbers are used up",
               tape_backward(tape, loss));
    stops_with(
        "x is [1,2] and w is [2,3]; expected [...,d] and [V,d]",
        loss_linear_cross_entropy(tape, x, VALUES(SHAPE(2, 3), 1, 2, 3, 4, 5, 6), LABELS(0)));
    stops_with("labels are [2]; expected [1] for [1,2]",
               loss_linear_cross_entropy(tape, x, w, LABELS(0, 1)));
}

static void labels_out_of_range_are_refused_where_the_host_sees_them(void **state)
{
    (void)state;
    Tensor *z = tensor_zeros(tape->arena, SHAPE(2, 3));
    stops_with("label 3 of row 1; expected 0 to 2, or less than 0 to ignore it",
               loss_cross_entropy(tape, z, LABELS(0, 3)));
    stops_with(
        "label 7 of row 0; expected 0 to 6",
        loss_linear_cross_entropy(tape, z, tensor_zeros(tape->arena, SHAPE(7, 3)), LABELS(7, 0)));
}

static void wrong_shapes_and_types_are_refused_and_named(void **state)
{
    (void)state;
    Tensor *x = tensor_zeros(tape->arena, SHAPE(2, 3)), *t = tensor_zeros(tape->arena, SHAPE(3, 2)),
           *scalar = tensor_zeros(tape->arena, SCALAR),
           *none = tensor_zeros(tape->arena, SHAPE(0, 3));
    stops_with("x is [2,3] and target is [3,2]; expected the same", loss_mse(tape, x, t));
    stops_with("x is [2,3] and target is [3,2]; expected the same", loss_squared_error(tape, x, t));
    stops_with("x is [2,3] and target is [3,2]; expected the same", loss_bce_logits(tape, x, t));
    stops_with("x is []; expected a batch of rows", loss_squared_error(tape, scalar, scalar));
    stops_with("x is [0,3]; expected a batch of rows", loss_mse(tape, none, none));

    stops_with("z is []; expected [B,C]", loss_cross_entropy(tape, scalar, LABELS(0)));
    stops_with("z is [0,3]; expected [B,C]", loss_cross_entropy(tape, none, LABELS(0)));
    stops_with("labels are [3]; expected [2] for [2,3]",
               loss_cross_entropy(tape, x, LABELS(0, 1, 2)));
    stops_with("x is [2] of F32; expected I32",
               loss_cross_entropy(tape, x, VALUES(SHAPE(2), 0, 1)));
}

// What arrives is used where it is: a loss scaled by 3 has three times the gradient.
static void gradients_carry_what_arrives(void **state)
{
    (void)state;
    Tensor *z = VALUES(SHAPE(2, 2), 0, 1.0986123f, 0, 1.0986123f);    // probabilities 1/4, 3/4
    tensor_want_grad(tape->arena, z);
    tape_backward(tape, op_scale(tape, loss_cross_entropy(tape, z, LABELS(0, 1)), 3));
    assert_near(grad_of(z), ((double[]){-9.0 / 8, 9.0 / 8, 3.0 / 8, -3.0 / 8}), SHAPE(2, 2),
                .name = "dz");
    Tensor *x = VALUES(SHAPE(2, 1), 1, 5), *t = VALUES(SHAPE(2, 1), 3, 4);
    tensor_want_grad(tape->arena, x);
    tape_backward(tape, op_scale(tape, loss_squared_error(tape, x, t), 3));
    assert_near(grad_of(x), ((double[]){-6, 3}), SHAPE(2, 1), .name = "dx");
    tape_backward(tape, loss_mse(tape, x, t));    // adds
    assert_near(grad_of(x), ((double[]){-8, 4}), SHAPE(2, 1), .name = "dx");
    Tensor *logit = VALUES(SHAPE(2, 1), 0, 0);
    tensor_want_grad(tape->arena, logit);
    tape_backward(tape,
                  op_scale(tape, loss_bce_logits(tape, logit, VALUES(SHAPE(2, 1), 1, 0)), -4));
    assert_near(grad_of(logit), ((double[]){1, -1}), SHAPE(2, 1), .name = "dz");
    assert_false(t->has_grad);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(squared_errors_differ_only_in_what_they_divide_by),
        EACH_DEVICE(bce_is_the_cross_entropy_of_the_sigmoid),
        EACH_DEVICE(bce_is_exact_where_the_sigmoid_is_0_or_1),
        EACH_DEVICE(cross_entropy_of_equal_logits_is_the_log_of_their_number),
        EACH_DEVICE(cross_entropy_is_the_mean_over_rows),
        EACH_DEVICE(cross_entropy_does_not_change_when_all_logits_move),
        EACH_DEVICE(gradients_carry_what_arrives),
        EACH_DEVICE(negative_labels_are_ignored),
        EACH_DEVICE(without_a_label_the_loss_is_0),
        EACH_DEVICE(a_loss_with_its_last_layer_is_that_of_the_two_ops),
        CASE(a_second_backward_of_used_up_logits_is_refused),
        ON_DEVICE(labels_out_of_range_are_refused_where_the_host_sees_them, "ref"),
        ON_DEVICE(labels_out_of_range_are_refused_where_the_host_sees_them, "cpu"),
        CASE(wrong_shapes_and_types_are_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
