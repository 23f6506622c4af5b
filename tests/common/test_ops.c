/* Ops against closed forms, and the shapes they refuse. Their gradients: test_gradients.c. */
#include "common/loss.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

static Tensor *zeros(Shape shape)
{
    return tensor_zeros(tape->arena, shape);
}

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})

static void linear_is_x_times_w_transposed_plus_b(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(2, 3), 1, 2, 3, -1, 0, 1);
    Tensor *w = VALUES(SHAPE(4, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1);
    Tensor *b = VALUES(SHAPE(4), 10, 20, 30, 40);
    assert_near(values_of(op_linear(tape, x, w, b)), ((double[]){11, 22, 33, 46, 9, 20, 31, 40}),
                SHAPE(2, 4), .name = "x w' + b", .exact = true);
    assert_near(values_of(op_linear(tape, x, w, NULL)), ((double[]){1, 2, 3, 6, -1, 0, 1, 0}),
                SHAPE(2, 4), .name = "x w'", .exact = true);
}

// [2,2,2]: as a batch of four rows.
static void linear_takes_any_leading_dimensions(void **state)
{
    (void)state;
    Tensor *w = VALUES(SHAPE(3, 2), 1, 0, 0, 1, 1, 1), *b = VALUES(SHAPE(3), 10, 20, 30);
    Tensor *x = VALUES(SHAPE(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8), *y = op_linear(tape, x, w, b);
    assert_near(values_of(y), ((double[]){11, 22, 33, 13, 24, 37, 15, 26, 41, 17, 28, 45}),
                SHAPE(2, 2, 3), .name = "y", .exact = true);
    assert_string_equal(TENSOR_TEXT(y), "[2,2,3]");
    y = op_linear(tape, tensor_view(tape->arena, tensor_rows(tape->arena, x, 1, 1), SHAPE(2, 2)), w,
                  NULL);
    assert_near(values_of(y), ((double[]){5, 6, 11, 7, 8, 15}), SHAPE(2, 3), .name = "y",
                .exact = true);
    y = op_linear(tape, VALUES(SHAPE(2), 1, 2), w, b);
    assert_near(values_of(y), ((double[]){11, 22, 33}), SHAPE(3), .name = "y", .exact = true);
    assert_string_equal(TENSOR_TEXT(op_linear(tape, zeros(SHAPE(2, 3, 1, 2)), w, b)), "[2,3,1,3]");
}

static void a_fused_activation_is_the_op_behind_a_linear(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(2, 3), 1, -2, 3, -1, 0, 1),
           *w = VALUES(SHAPE(2, 3), 1, 0.5f, -1, 0, 1, 1), *b = VALUES(SHAPE(2), 0.25f, -0.5f);
    for (Activation f = ACTIVATION_NONE; f <= ACTIVATION_TANH; f++) {
        Tensor *y = op_activation(tape, op_linear(tape, x, w, b), f);
        double *want = floats_wide(values_of(y), 4);
        assert_near(values_of(op_linear_activated(tape, x, w, b, f)), want, SHAPE(2, 2),
                    .name = "y", .exact = true);
    }
    assert_ptr_equal(op_activation(tape, x, ACTIVATION_NONE), x);
}

static void matmul_is_rows_times_columns(void **state)
{
    (void)state;
    Tensor *a = VALUES(SHAPE(2, 3), 1, 2, 3, 4, 5, 6), *b = VALUES(SHAPE(3, 1), 7, 8, 9);
    assert_near(values_of(op_matmul(tape, a, b)), ((double[]){50, 122}), SHAPE(2, 1), .name = "a b",
                .exact = true);
    assert_string_equal(TENSOR_TEXT(op_matmul(tape, b, VALUES(SHAPE(1, 2), 1, 2))), "[3,2]");
}

static void matmul_goes_matrix_by_matrix(void **state)
{
    (void)state;
    Tensor *a = VALUES(SHAPE(2, 1, 3), 1, 2, 3, 4, 5, 6),
           *b = VALUES(SHAPE(2, 3, 2), 1, 0, 0, 1, 1, 1, 2, 0, 0, 2, -1, 1);
    Tensor *y = op_matmul(tape, a, b);
    assert_near(values_of(y), ((double[]){4, 5, 2, 16}), SHAPE(2, 1, 2), .name = "a b",
                .exact = true);
    assert_string_equal(TENSOR_TEXT(y), "[2,1,2]");
    assert_string_equal(
        TENSOR_TEXT(op_matmul(tape, zeros(SHAPE(2, 3, 4, 5)), zeros(SHAPE(2, 3, 5, 7)))),
        "[2,3,4,7]");
}

static void elementwise_ops_match_their_formulas(void **state)
{
    (void)state;
    Shape shape = SHAPE(2, 1, 3);
    Tensor *a = VALUES(shape, 1, -2, 3, 0, 5, -6), *b = VALUES(shape, 2, 2, -2, 7, 0.5f, -1);
    assert_near(values_of(op_add(tape, a, b)), ((double[]){3, 0, 1, 7, 5.5, -7}), shape,
                .name = "a + b", .exact = true);
    assert_near(values_of(op_mul(tape, a, b)), ((double[]){2, -4, -6, 0, 2.5, 6}), shape,
                .name = "a b", .exact = true);
    assert_near(values_of(op_scale(tape, a, -0.5f)), ((double[]){-0.5, 1, -1.5, 0, -2.5, 3}), shape,
                .name = "-a/2", .exact = true);
    assert_near(values_of(op_relu(tape, a)), ((double[]){1, 0, 3, 0, 5, 0}), shape, .name = "relu",
                .exact = true);
    double exps[6], sigmoids[6], tanhs[6];
    const float *values = values_of(a);
    for (int i = 0; i < 6; i++) {
        double x = (double)values[i];
        exps[i] = exp(x);
        sigmoids[i] = 1 / (1 + exp(-x));
        tanhs[i] = tanh(x);
    }
    assert_near(values_of(op_exp(tape, a)), exps, shape, .name = "exp", .rtol = 1e-6);
    assert_near(values_of(op_sigmoid(tape, a)), sigmoids, shape, .name = "sigmoid", .rtol = 1e-6);
    assert_near(values_of(op_tanh(tape, a)), tanhs, shape, .name = "tanh", .rtol = 1e-6);
}

static void activations_are_finite_far_out(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(4), -1e30f, -100, 100, 1e30f);
    assert_near(values_of(op_sigmoid(tape, x)), ((double[]){0, 3.7200760e-44, 1, 1}), SHAPE(4),
                .name = "sigmoid", .atol = 1e-43);
    assert_near(values_of(op_tanh(tape, x)), ((double[]){-1, -1, 1, 1}), SHAPE(4), .name = "tanh",
                .exact = true);
}

static void relu_does_not_hide_nan(void **state)
{
    (void)state;
    assert_true(isnan(tensor_item(op_relu(tape, VALUES(SCALAR, NAN)))));
}

static void results_do_not_share_memory_with_inputs(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(2), -1, 2), *y = op_relu(tape, x);
    assert_ptr_not_equal(y->data, x->data);
    assert_near(values_of(x), ((double[]){-1, 2}), SHAPE(2), .name = "x", .exact = true);
}

// dx has elements though dy has none: it is 0, not what lay in the memory.
static void an_empty_layer_passes_on_a_gradient_of_zeros(void **state)
{
    (void)state;
    float junk[6] = {7, 7, 7, 7, 7, 7};
    Tensor *x = zeros(SHAPE(2, 3)), *b = zeros(SHAPE(4));
    tensor_want_grad(tape->arena, x);
    device->put(x->grad, junk, sizeof junk);
    Tensor *h = op_linear(tape, x, zeros(SHAPE(0, 3)), NULL);
    Tensor *y = op_linear(tape, h, zeros(SHAPE(4, 0)), b);
    tape_backward(tape, loss_mse(tape, y, zeros(SHAPE(2, 4))));
    device->get(junk, x->grad, sizeof junk);
    for (int i = 0; i < 6; i++) assert_true(junk[i] == 0);
}

static void an_empty_batch_gives_an_empty_result(void **state)
{
    (void)state;
    Tensor *y = op_linear(tape, zeros(SHAPE(0, 3)), zeros(SHAPE(2, 3)), zeros(SHAPE(2)));
    assert_string_equal(TENSOR_TEXT(op_relu(tape, y)), "[0,2]");
}

static void wrong_shapes_are_refused_and_named(void **state)
{
    (void)state;
    Tensor *a = zeros(SHAPE(32, 784)), *b = zeros(SHAPE(10, 784)), *v = zeros(SHAPE(784));
    stops_with("op_matmul: a is [32,784] and b is [10,784]; expected [...,m,k] and [...,k,n]",
               op_matmul(tape, a, b));
    stops_with("op_matmul: a is [784] and b is [10,784]; expected", op_matmul(tape, v, b));
    stops_with("op_matmul: a is [10,784] and b is [784]; expected", op_matmul(tape, b, v));

    stops_with("op_matmul: a is [2,3,4] and b is [3,4,5]; expected",
               op_matmul(tape, zeros(SHAPE(2, 3, 4)), zeros(SHAPE(3, 4, 5))));
    stops_with("op_matmul: a is [2,3,4] and b is [4,5]; expected",
               op_matmul(tape, zeros(SHAPE(2, 3, 4)), zeros(SHAPE(4, 5))));

    stops_with("op_linear_activated: x is [32,784] and w is [784,10]; expected [...,I] and [O,I]",
               op_linear(tape, a, zeros(SHAPE(784, 10)), NULL));
    stops_with("x is [] and w is [10,784]; expected", op_linear(tape, zeros(SCALAR), b, NULL));
    stops_with("x is [32,784] and w is [784]; expected", op_linear(tape, a, v, NULL));
    stops_with("b is [784]; expected [10] for w [10,784]", op_linear(tape, a, b, v));
    stops_with("b is [10,1]; expected [10] for w [10,784]",
               op_linear(tape, a, b, zeros(SHAPE(10, 1))));

    stops_with("op_add: a is [32,784] and b is [10,784]; expected the same shape",
               op_add(tape, a, b));
    stops_with("op_mul: a is [784] and b is [10,784]; expected the same shape", op_mul(tape, v, b));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(linear_is_x_times_w_transposed_plus_b),
        EACH_DEVICE(linear_takes_any_leading_dimensions),
        EACH_DEVICE(a_fused_activation_is_the_op_behind_a_linear),
        EACH_DEVICE(matmul_is_rows_times_columns),
        EACH_DEVICE(matmul_goes_matrix_by_matrix),
        EACH_DEVICE(elementwise_ops_match_their_formulas),
        EACH_DEVICE(activations_are_finite_far_out),
        EACH_DEVICE(relu_does_not_hide_nan),
        CASE(results_do_not_share_memory_with_inputs),
        EACH_DEVICE(an_empty_batch_gives_an_empty_result),
        EACH_DEVICE(an_empty_layer_passes_on_a_gradient_of_zeros),
        CASE(wrong_shapes_are_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
