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

static void labels_out_of_range_are_refused_where_the_host_sees_them(void **state)
{
    (void)state;
    Tensor *z = tensor_zeros(tape->arena, SHAPE(2, 3));
    stops_with("label 3 of row 1; expected 0 to 2", loss_cross_entropy(tape, z, LABELS(0, 3)));
    stops_with("label -1 of row 0; expected 0 to 2", loss_cross_entropy(tape, z, LABELS(-1, 0)));
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
    stops_with("labels are [3]; expected [2] for z [2,3]",
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
        ON_DEVICE(labels_out_of_range_are_refused_where_the_host_sees_them, "ref"),
        ON_DEVICE(labels_out_of_range_are_refused_where_the_host_sees_them, "cpu"),
        CASE(wrong_shapes_and_types_are_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
