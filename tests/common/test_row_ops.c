/* A transformer's row ops against numbers worked out by hand, and what they refuse. Their gradients:
 * test_row_gradients.c; PyTorch's numbers: test_row_ops_pytorch.c. */
#include "common/embedding.h"
#include "common/norm.h"
#include "common/ops.h"
#include "common/rope.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

#define VALUES(shape, ...) tensor_from(tape->arena, shape, (float[]){__VA_ARGS__})
#define IDS(shape, ...)    tensor_from_ints(tape->arena, shape, (int32_t[]){__VA_ARGS__})
#define ZEROS(...)         tensor_zeros(tape->arena, SHAPE(__VA_ARGS__))

static void layers_add_their_tensors_by_pytorch_names(void **state)
{
    (void)state;
    const LayerNorm layer = layer_norm_new(params, "ln_1", 3);
    const RmsNorm rms = rms_norm_new(params, "norm", 2);
    assert_int_equal(params->count, 3);
    assert_ptr_equal(params_find(params, "ln_1.weight"), layer.weight);
    assert_ptr_equal(params_find(params, "ln_1.bias"), layer.bias);
    assert_ptr_equal(params_find(params, "norm.weight"), rms.weight);
    assert_near(values_of(layer.weight), ((double[]){1, 1, 1}), SHAPE(3), .name = "weight",
                .exact = true);
    assert_near(values_of(layer.bias), ((double[]){0, 0, 0}), SHAPE(3), .name = "bias",
                .exact = true);
    // 1 2 3: the mean is 2, the variance 2/3
    Tensor *y = layer_norm_forward(tape, &layer, VALUES(SHAPE(1, 3), 1, 2, 3));
    assert_near(values_of(y), ((double[]){-1.22473568, 0, 1.22473568}), SHAPE(1, 3), .name = "y",
                .rtol = 1e-6, .atol = 1e-7);
    // 3 4: the mean square is 12.5
    y = rms_norm_forward(tape, &rms, VALUES(SHAPE(2), 3, 4));
    assert_near(values_of(y), ((double[]){0.84852780, 1.13137040}), SHAPE(2), .name = "y",
                .rtol = 1e-6);
}

// A row of equal numbers has no variance: its output is the bias, and nothing is NaN.
static void a_constant_row_gives_its_bias(void **state)
{
    (void)state;
    const LayerNorm norm = layer_norm_new(params, "ln", 3);
    tensor_write(norm.bias, (float[]){0.25f, 1, 2});
    Tensor *y = layer_norm_forward(tape, &norm, VALUES(SHAPE(1, 3), 7, 7, 7));
    assert_near(values_of(y), ((double[]){0.25, 1, 2}), SHAPE(1, 3), .name = "y", .exact = true);
}

// Two query heads, one key and one value of 2 numbers: the values stay.
static void heads_are_normalised_one_by_one_and_values_stay(void **state)
{
    (void)state;
    Tensor *y = op_head_rms_norm(tape, VALUES(SHAPE(1, 8), 3, 4, 6, 8, 30, 40, 5, 6),
                                 VALUES(SHAPE(2), 1, 1), VALUES(SHAPE(2), 10, 1), 2, 1, 0);
    assert_near(values_of(y),
                ((double[]){0.8485281, 1.1313708, 0.8485281, 1.1313708, 8.485281, 1.1313708, 5, 6}),
                SHAPE(1, 8), .name = "y", .rtol = 1e-6);
}

static void gates_let_all_or_nothing_pass_far_from_0(void **state)
{
    (void)state;
    Tensor *(*const ops[])(Tape *, Tensor *) = {op_gelu, op_gelu_erf, op_silu};
    for (int i = 0; i < 3; i++) {
        Tensor *y =
            ops[i](tape, VALUES(SHAPE(7), 0, 200, -200, 3e38f, -3e38f, INFINITY, -INFINITY));
        assert_near(values_of(y), ((double[]){0, 200, 0, 3e38f, 0, INFINITY, 0}), SHAPE(7),
                    .name = "y", .rtol = 1e-6);
        assert_true(isnan(*values_of(ops[i](tape, VALUES(SHAPE(1), NAN)))));
    }
}

// The same pairs in both layouts: 0 with 1 and 2 with 3, or 0 with 2 and 1 with 3.
static void both_layouts_turn_the_same_pairs(void **state)
{
    (void)state;
    RopeConfig config = {.head = 4, .positions = 5, .theta = 100};
    const Rope *halves = rope_new(keep, config);
    config.interleaved = true;
    const Rope *interleaved = rope_new(keep, config);
    // position 3: angles 3 and 0.3; behind the head one number stays
    const double c = cos(3), s = sin(3), c2 = cos(0.3), s2 = sin(0.3);
    Tensor *y = op_rope(tape, VALUES(SHAPE(1, 5), 1, 2, 3, 4, 9), halves, 1, 4, 3);
    assert_near(values_of(y),
                ((double[]){1 * c - 3 * s, 2 * c2 - 4 * s2, 1 * s + 3 * c, 2 * s2 + 4 * c2, 9}),
                SHAPE(1, 5), .name = "halves", .atol = 1e-6);
    y = op_rope(tape, VALUES(SHAPE(1, 5), 1, 3, 2, 4, 9), interleaved, 1, 4, 3);
    assert_near(values_of(y),
                ((double[]){1 * c - 3 * s, 1 * s + 3 * c, 2 * c2 - 4 * s2, 2 * s2 + 4 * c2, 9}),
                SHAPE(1, 5), .name = "interleaved", .atol = 1e-6);
}

// The second row of each sequence is one position further.
static void positions_begin_anew_with_each_sequence(void **state)
{
    (void)state;
    Tensor *table = VALUES(SHAPE(3, 1), 10, 20, 30), *x = VALUES(SHAPE(2, 2, 1), 1, 2, 3, 4);
    assert_near(values_of(op_add_positions(tape, x, table, 1)), ((double[]){21, 32, 23, 34}),
                SHAPE(2, 2, 1), .name = "y", .exact = true);
}

static void other_shapes_are_refused(void **state)
{
    (void)state;
    Tensor *x = ZEROS(2, 3), *three = ZEROS(3), *two = ZEROS(2);
    stops_with("x is [2,3] and gamma is [2]; expected [...,C] and [C]",
               op_layer_norm(tape, x, two, NULL, 1e-5f));
    stops_with("shift is [2]; expected [3] as gamma", op_layer_norm(tape, x, three, two, 1e-5f));
    stops_with("x is [2,3] and gamma is [2]", op_rms_norm(tape, x, two, 1e-5f));
    stops_with("qkv is [2,3], gamma_q [3] and gamma_k [3]; expected [...,(2 + 2 1) D], [D] and [D]",
               op_head_rms_norm(tape, x, three, three, 2, 1, 1e-5f));
    stops_with("gate_up is [2,3]; expected [...,2F]", op_swiglu(tape, x));
    stops_with("layer 'none' of 0 columns; expected at least 1", layer_norm_new(params, "none", 0));

    Tensor *table = ZEROS(4, 3);
    stops_with("id 4 at 1 of [2]; expected 0 to 3", op_embedding(tape, IDS(SHAPE(2), 3, 4), table));
    stops_with("id -1 at 0 of [1,2]; expected 0 to 3",
               op_embedding(tape, IDS(SHAPE(1, 2), -1, 0), table));
    stops_with("positions 3 to 4 of 4: the sequence is longer than the table",
               op_add_positions(tape, x, table, 3));

    const Rope *rope = rope_new(keep, (RopeConfig){.head = 2, .positions = 4, .theta = 10});
    stops_with("positions 3 to 4; expected 0 to 3", op_rope(tape, x, rope, 1, 2, 3));
    stops_with("qkv is [2,3]; expected [...,T,W] of 2 heads of 2, of which 2 are rotated",
               op_rope(tape, x, rope, 2, 2, 0));
    stops_with("3 numbers of a head, 4 positions, theta 10; expected an even number",
               rope_new(keep, (RopeConfig){.head = 3, .positions = 4, .theta = 10}));
    stops_with("scaling for 0 original positions; expected a positive number",
               rope_new(keep, (RopeConfig){.head = 2,
                                           .positions = 4,
                                           .theta = 10,
                                           .scaling = {.kind = ROPE_YARN, .factor = 2}}));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(layers_add_their_tensors_by_pytorch_names),
        EACH_DEVICE(a_constant_row_gives_its_bias),
        EACH_DEVICE(heads_are_normalised_one_by_one_and_values_stay),
        EACH_DEVICE(gates_let_all_or_nothing_pass_far_from_0),
        EACH_DEVICE(both_layouts_turn_the_same_pairs),
        EACH_DEVICE(positions_begin_anew_with_each_sequence),
        CASE(other_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
