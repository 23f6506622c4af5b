/* Ops against closed forms, and the shapes they refuse. Their gradients: test_gradients.c. */
#include "common/ops.h"
#include "tests/close.h"
#include "tests/near.h"
#include "tests/stops.h"

static Tape *tape;

static int setup(void **state)
{
    (void)state;
    tape = tape_new(arena_new("step", 1u << 20));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(tape->arena);
    return 0;
}

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
    assert_near(op_linear(tape, x, w, b)->data, ((double[]){11, 22, 33, 46, 9, 20, 31, 40}),
                SHAPE(2, 4), .name = "x w' + b", .exact = true);
    assert_near(op_linear(tape, x, w, NULL)->data, ((double[]){1, 2, 3, 6, -1, 0, 1, 0}), SHAPE(2, 4),
                .name = "x w'", .exact = true);
}

static void matmul_is_rows_times_columns(void **state)
{
    (void)state;
    Tensor *a = VALUES(SHAPE(2, 3), 1, 2, 3, 4, 5, 6), *b = VALUES(SHAPE(3, 1), 7, 8, 9);
    assert_near(op_matmul(tape, a, b)->data, ((double[]){50, 122}), SHAPE(2, 1), .name = "a b",
                .exact = true);
    assert_string_equal(TENSOR_TEXT(op_matmul(tape, b, VALUES(SHAPE(1, 2), 1, 2))), "[3,2]");
}

static void elementwise_ops_match_their_formulas(void **state)
{
    (void)state;
    Shape   shape = SHAPE(2, 1, 3);
    Tensor *a = VALUES(shape, 1, -2, 3, 0, 5, -6), *b = VALUES(shape, 2, 2, -2, 7, 0.5f, -1);
    assert_near(op_add(tape, a, b)->data, ((double[]){3, 0, 1, 7, 5.5, -7}), shape, .name = "a + b",
                .exact = true);
    assert_near(op_mul(tape, a, b)->data, ((double[]){2, -4, -6, 0, 2.5, 6}), shape, .name = "a b",
                .exact = true);
    assert_near(op_scale(tape, a, -0.5f)->data, ((double[]){-0.5, 1, -1.5, 0, -2.5, 3}), shape,
                .name = "-a/2", .exact = true);
    assert_near(op_relu(tape, a)->data, ((double[]){1, 0, 3, 0, 5, 0}), shape, .name = "relu",
                .exact = true);
    double exps[6], sigmoids[6], tanhs[6];
    for (int i = 0; i < 6; i++) {
        double x    = (double)a->data[i];
        exps[i]     = exp(x);
        sigmoids[i] = 1 / (1 + exp(-x));
        tanhs[i]    = tanh(x);
    }
    assert_near(op_exp(tape, a)->data, exps, shape, .name = "exp", .rtol = 1e-6);
    assert_near(op_sigmoid(tape, a)->data, sigmoids, shape, .name = "sigmoid", .rtol = 1e-6);
    assert_near(op_tanh(tape, a)->data, tanhs, shape, .name = "tanh", .rtol = 1e-6);
}

static void activations_are_finite_far_out(void **state)
{
    (void)state;
    Tensor *x = VALUES(SHAPE(4), -1e30f, -100, 100, 1e30f);
    assert_near(op_sigmoid(tape, x)->data, ((double[]){0, 3.7200760e-44, 1, 1}), SHAPE(4),
                .name = "sigmoid", .atol = 1e-43);
    assert_near(op_tanh(tape, x)->data, ((double[]){-1, -1, 1, 1}), SHAPE(4), .name = "tanh",
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
    assert_true(x->data[0] == -1);
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
    stops_with("op_matmul: a is [32,784] and b is [10,784]; expected [m,k] and [k,n]", op_matmul(tape, a, b));
    stops_with("op_matmul: a is [784] and b is [10,784]; expected", op_matmul(tape, v, b));
    stops_with("op_matmul: a is [10,784] and b is [784]; expected", op_matmul(tape, b, v));

    stops_with("op_linear: x is [32,784] and w is [784,10]; expected [B,I] and [O,I]",
               op_linear(tape, a, zeros(SHAPE(784, 10)), NULL));
    stops_with("op_linear: x is [784] and w is [10,784]; expected", op_linear(tape, v, b, NULL));
    stops_with("op_linear: x is [32,784] and w is [784]; expected", op_linear(tape, a, v, NULL));
    stops_with("op_linear: b is [784]; expected [10] for w [10,784]", op_linear(tape, a, b, v));
    stops_with("op_linear: b is [10,1]; expected [10] for w [10,784]",
               op_linear(tape, a, b, zeros(SHAPE(10, 1))));

    stops_with("op_add: a is [32,784] and b is [10,784]; expected the same shape", op_add(tape, a, b));
    stops_with("op_mul: a is [784] and b is [10,784]; expected the same shape", op_mul(tape, v, b));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(linear_is_x_times_w_transposed_plus_b),
        CASE(matmul_is_rows_times_columns),
        CASE(elementwise_ops_match_their_formulas),
        CASE(activations_are_finite_far_out),
        CASE(relu_does_not_hide_nan),
        CASE(results_do_not_share_memory_with_inputs),
        CASE(an_empty_batch_gives_an_empty_result),
        CASE(wrong_shapes_are_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
