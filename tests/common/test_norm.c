/* Batch normalisation against numbers worked out by hand, its running statistics, and what it refuses. */
#include "common/loss.h"
#include "common/norm.h"
#include "common/ops.h"
#include "kernels/kernels.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})

static void a_layer_adds_its_four_tensors_by_pytorch_names(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "layer1.bn1", 3);
    assert_int_equal(params->count, 4);
    assert_ptr_equal(params_find(params, "layer1.bn1.weight"), norm.weight);
    assert_ptr_equal(params_find(params, "layer1.bn1.bias"), norm.bias);
    assert_ptr_equal(params_find(params, "layer1.bn1.running_mean"), norm.running_mean);
    assert_ptr_equal(params_find(params, "layer1.bn1.running_var"), norm.running_var);
    const double ones[3] = {1, 1, 1}, zeros[3] = {0};
    assert_near(values_of(norm.weight), ones, SHAPE(3), .name = "weight", .exact = true);
    assert_near(values_of(norm.bias), zeros, SHAPE(3), .name = "bias", .exact = true);
    assert_near(values_of(norm.running_mean), zeros, SHAPE(3), .name = "mean", .exact = true);
    assert_near(values_of(norm.running_var), ones, SHAPE(3), .name = "var", .exact = true);
    assert_true(norm.weight->wants_grad && norm.bias->wants_grad);
    assert_false(norm.running_mean->wants_grad || norm.running_var->wants_grad || params->frozen);
}

// Two variances (pytorch#3122, #19902, #77427, mlx#3817): of 1 2 3 4, that by n normalises and that by
// n - 1 is remembered. A batch of 4 values is one picture of 2x2.
static void one_variance_normalises_and_the_other_is_remembered(void **state)
{
    (void)state;
    const Shape shapes[] = {SHAPE(4, 1), SHAPE(4, 1, 1, 1), SHAPE(1, 1, 2, 2)};
    for (int i = 0; i < 3; i++) {
        BatchNorm norm = batch_norm_new(params, arena_print(keep, "bn%d", i), 1);
        tape_quiet(tape, false);
        Tensor *y = batch_norm_forward(tape, &norm, VALUES(shapes[i], 1, 2, 3, 4));
        assert_near(values_of(y), ((double[]){-1.34163542, -0.44721181, 0.44721181, 1.34163542}),
                    shapes[i], .name = "y", .rtol = 1e-6);
        assert_near(values_of(norm.running_mean), ((double[]){0.25}), SHAPE(1),
                    .name = "running mean", .rtol = 1e-6);
        assert_near(values_of(norm.running_var), ((double[]){1.06666667}), SHAPE(1),
                    .name = "running var", .rtol = 1e-6);
        tape_quiet(tape, true);
        y = batch_norm_forward(tape, &norm, VALUES(SHAPE(1, 1), 2.5f));
        assert_near(values_of(y), ((double[]){2.17854292}), SHAPE(1), .name = "y", .rtol = 1e-6);
        assert_near(values_of(norm.running_mean), ((double[]){0.25}), SHAPE(1),
                    .name = "running mean", .rtol = 1e-6);
    }
}

static void weight_and_bias_come_after(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "bn", 2);
    norm.eps = 0;
    tensor_write(norm.weight, (float[]){10, -1});
    tensor_write(norm.bias, (float[]){5, 0.5f});
    Tensor *y = batch_norm_forward(tape, &norm, VALUES(SHAPE(2, 2), 3, 7, 5, 7.5f));
    assert_near(values_of(y), ((double[]){-5, 1.5, 15, -0.5}), SHAPE(2, 2), .name = "y");
}

// With a momentum of 1 the running statistics are this batch's: inference differs by n / (n - 1) alone.
static void inference_by_the_batchs_own_statistics_equals_training(void **state)
{
    (void)state;
    enum { B = 6, C = 3, P = 35, N = B * P };
    BatchNorm norm = batch_norm_new(params, "bn", C);
    norm.momentum = 1;
    Rng rng = rng_from_seed(5);
    Tensor *x = tensor_zeros(keep, SHAPE(B, C, 5, 7));
    float values[B * C * P];
    rng_fill_normal(&rng, values, B * C * P);
    tensor_write(x, values);
    Tensor *trained = batch_norm_forward(tape, &norm, x);
    kernels.axpby(norm.running_var->data, norm.running_var->data, (N - 1.0f) / N, 0, C);
    tape_quiet(tape, true);
    Tensor *inferred = batch_norm_forward(tape, &norm, x);
    double *want = arena_alloc(keep, sizeof(double) * B * C * P);
    const float *y = values_of(trained);
    for (int i = 0; i < B * C * P; i++) want[i] = (double)y[i];
    assert_near(values_of(inferred), want, x->shape, .name = "y", .atol = 1e-6, .rtol = 1e-6);
}

// A mean of 1e4 with a standard deviation of 1: the mean square less the squared mean has no digit left.
static void a_far_mean_keeps_its_digits(void **state)
{
    (void)state;
    enum { N = 1000 };
    float values[N];
    double mean = 0, var = 0, want[N];
    Rng rng = rng_from_seed(6);
    rng_fill_normal(&rng, values, N);
    for (int i = 0; i < N; i++) mean += (double)(values[i] += 1e4f) / N;
    for (int i = 0; i < N; i++) var += ((double)values[i] - mean) * ((double)values[i] - mean) / N;
    for (int i = 0; i < N; i++) want[i] = ((double)values[i] - mean) / sqrt(var + 1e-5);
    BatchNorm norm = batch_norm_new(params, "bn", 1);
    Tensor *y = batch_norm_forward(tape, &norm, tensor_from(keep, SHAPE(10, 1, 10, 10), values));
    assert_near(values_of(y), want, SHAPE(N), .name = "y", .atol = 1e-6, .rtol = 1e-6);
    assert_near(values_of(norm.running_var), ((double[]){0.9 + 0.1 * var * N / (N - 1.0)}),
                SHAPE(1), .name = "running var", .rtol = 1e-6);
}

// A channel of equal values has no variance: its output is the bias, and nothing is NaN.
static void a_constant_channel_gives_its_bias(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "bn", 1);
    tensor_write(norm.bias, (float[]){0.25f});
    Tensor *y = batch_norm_forward(tape, &norm, VALUES(SHAPE(3, 1), 7, 7, 7));
    assert_near(values_of(y), ((double[]){0.25, 0.25, 0.25}), SHAPE(3), .name = "y", .exact = true);
}

// 101 items in batches of 10 (nn#1271, makemore#22, SparseConvNet#190): the last has one value a channel,
// and no variance. It is refused before it can leave a NaN in the running one.
static void one_value_a_channel_is_refused_in_training(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "bn", 2);
    Tensor *one = VALUES(SHAPE(1, 2), 3, 4);
    stops_with("batch_norm_forward: x is [1,2], 1 value a channel; training needs 2 or more for a "
               "variance: take a larger batch, or leave out the last one where it is smaller",
               batch_norm_forward(tape, &norm, one));
    stops_with("x is [0,2], 0 values a channel",
               batch_norm_forward(tape, &norm, tensor_zeros(keep, SHAPE(0, 2))));
    batch_norm_forward(tape, &norm, tensor_zeros(keep, SHAPE(1, 2, 8, 8)));    // 64 of them
    tape_quiet(tape, true);
    assert_near(values_of(batch_norm_forward(tape, &norm, one)), ((double[]){3.16226, 4.21634}),
                SHAPE(1, 2), .name = "y", .rtol = 1e-5);
    assert_string_equal(
        TENSOR_TEXT(batch_norm_forward(tape, &norm, tensor_zeros(keep, SHAPE(0, 2, 3, 3)))),
        "[0,2,3,3]");
}

static void other_shapes_are_refused(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "bn", 3);
    stops_with("batch_norm_forward: x is [2,4,5,5]; expected [B,3] or [B,3,H,W] for 3 channels",
               batch_norm_forward(tape, &norm, tensor_zeros(keep, SHAPE(2, 4, 5, 5))));
    stops_with("x is [3]; expected [B,3] or",
               batch_norm_forward(tape, &norm, tensor_zeros(keep, SHAPE(3))));
    stops_with("layer 'none' of 0 channels; expected at least 1",
               batch_norm_new(params, "none", 0));
}

static Tensor *normalised(Tape *on, const void *context, Tensor *const in[])
{
    return batch_norm_forward(on, context, in[0]);
}

// Its forward runs twice; a batch counts once.
static void a_part_that_is_computed_again_moves_the_running_statistics_once(void **state)
{
    (void)state;
    BatchNorm norm = batch_norm_new(params, "bn", 1);
    Tensor *x = VALUES(SHAPE(4, 1), 1, 2, 3, 4);
    Tensor *y = tape_recompute(tape, normalised, &norm, SHAPE(4, 1), INPUTS(x));
    tape_backward(tape, loss_mse(tape, y, tensor_zeros(tape->arena, SHAPE(4, 1))));
    assert_near(values_of(norm.running_mean), ((double[]){0.25}), SHAPE(1), .name = "running mean",
                .rtol = 1e-6);
    assert_near(values_of(norm.running_var), ((double[]){1.06666667}), SHAPE(1),
                .name = "running var", .rtol = 1e-6);
    grad_of(norm.weight);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_layer_adds_its_four_tensors_by_pytorch_names),
        EACH_DEVICE(one_variance_normalises_and_the_other_is_remembered),
        EACH_DEVICE(weight_and_bias_come_after),
        EACH_DEVICE(inference_by_the_batchs_own_statistics_equals_training),
        EACH_DEVICE(a_far_mean_keeps_its_digits),
        EACH_DEVICE(a_constant_channel_gives_its_bias),
        CASE(one_value_a_channel_is_refused_in_training),
        CASE(other_shapes_are_refused),
        EACH_DEVICE(a_part_that_is_computed_again_moves_the_running_statistics_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
