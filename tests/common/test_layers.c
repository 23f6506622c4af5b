#include "common/layers.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"
#include <string.h>

static void a_linear_layer_adds_its_two_parameters_by_pytorch_names(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(1);
    Linear layer = linear_new(params, "encoder.0", 7, 3, init_he, &rng);
    assert_int_equal(params->count, 2);
    assert_ptr_equal(params_find(params, "encoder.0.weight"), layer.weight);
    assert_ptr_equal(params_find(params, "encoder.0.bias"), layer.bias);
    assert_string_equal(TENSOR_TEXT(layer.weight), "[3,7]");
    assert_string_equal(TENSOR_TEXT(layer.bias), "[3]");
    assert_near(values_of(layer.bias), (double[3]){0}, SHAPE(3), .name = "bias", .exact = true);
}

static void forward_is_the_op_with_both_parameters(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(2);
    Linear layer = linear_new(params, "layer", 2, 1, init_he, &rng);
    tensor_write(layer.weight, (float[]){3, 5});
    tensor_write(layer.bias, (float[]){100});
    Tensor *y =
        linear_forward(tape, &layer, tensor_from(keep, SHAPE(2, 2), (float[]){1, 2, -1, 0}));
    assert_string_equal(TENSOR_TEXT(y), "[2,1]");
    assert_near(values_of(y), ((double[]){113, 97}), SHAPE(2, 1), .name = "y", .exact = true);
}

// The mean square of n values of kurtosis k has the deviation variance * sqrt((k - 1) / n); bounds
// are four of them. A uniform's kurtosis is 9/5, a normal's 3.
static void glorot_is_uniform_within_its_limit(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(3);
    double limit = sqrt(6.0 / (300 + 200)), sum = 0, squares = 0, largest = 0;
    int n = 300 * 200;
    Tensor *w = linear_new(params, "layer", 300, 200, init_glorot, &rng).weight;
    const float *values = values_of(w);
    for (int i = 0; i < n; i++) {
        double x = (double)values[i];
        sum += x;
        squares += x * x;
        largest = fmax(largest, fabs(x));
    }
    assert_true(largest <= limit * (1 + 1e-6) && largest > 0.999 * limit);
    assert_close(sum / n, 0, 4 * limit / sqrt(3.0 * n));
    assert_close(squares / n, limit * limit / 3, 4 * limit * limit / 3 * sqrt(0.8 / n));
}

static void he_is_normal_with_variance_two_by_fan_in(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(4);
    double variance = 2.0 / 300, sum = 0, squares = 0, fourth = 0;
    int n = 300 * 200;
    Tensor *w = linear_new(params, "layer", 300, 200, init_he, &rng).weight;
    const float *values = values_of(w);
    for (int i = 0; i < n; i++) {
        double x = (double)values[i];
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    assert_close(sum / n, 0, 4 * sqrt(variance / n));
    assert_close(squares / n, variance, 4 * variance * sqrt(2.0 / n));
    assert_close(fourth / n / (variance * variance), 3, 4 * sqrt(96.0 / n));
}

static void the_same_seed_gives_the_same_weights_and_another_others(void **state)
{
    (void)state;
    Init *inits[] = {init_glorot, init_he};
    for (int i = 0; i < 2; i++) {
        Rng a = rng_from_seed(5), b = rng_from_seed(5), c = rng_from_seed(6);
        Tensor *x = tensor_zeros(keep, SHAPE(5, 7)), *y = tensor_zeros(keep, SHAPE(5, 7)),
               *z = tensor_zeros(keep, SHAPE(5, 7));
        inits[i](x, 7, 5, &a);
        inits[i](y, 7, 5, &b);
        inits[i](z, 7, 5, &c);
        assert_memory_equal(values_of(x), values_of(y), 35 * sizeof(float));
        assert_true(memcmp(values_of(x), values_of(z), 35 * sizeof(float)) != 0);
    }
}

static void layers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(7);
    stops_with("layer 'a' from 0 to 3 units; expected at least 1",
               linear_new(params, "a", 0, 3, init_he, &rng));
    stops_with("layer 'a' from 3 to -1 units; expected at least 1",
               linear_new(params, "a", 3, -1, init_he, &rng));
    linear_new(params, "a", 3, 2, init_he, &rng);
    stops_with("there is already a parameter 'a.weight'",
               linear_new(params, "a", 3, 2, init_he, &rng));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_linear_layer_adds_its_two_parameters_by_pytorch_names),
        EACH_DEVICE(forward_is_the_op_with_both_parameters),
        CASE(glorot_is_uniform_within_its_limit),
        CASE(he_is_normal_with_variance_two_by_fan_in),
        EACH_DEVICE(the_same_seed_gives_the_same_weights_and_another_others),
        CASE(layers_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
