/* Every derivative of ops.c, loss.c and layers.c against central differences, in double precision.
 * An op or a loss that is added to the core adds its line here. */
#include "tests/gradcheck.h"
#include "common/layers.h"
#include "common/loss.h"
#include "common/ops.h"
#include <cmocka.h>

// Each case's inputs; odd shapes, since a square or a power of two hides an exchanged index.
static Arena *keep;
static Rng rng;

static int setup(void **state)
{
    (void)state;
    keep = arena_new("keep", 4u << 20);
    rng = rng_from_seed(7);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static Tensor *input(Shape shape)
{
    return gradcheck_input(keep, shape, &rng);
}

static Tensor *constant(Shape shape)
{
    Tensor *x = input(shape);
    x->wants_grad = false;
    return x;
}

// ---- products

static Tensor *linear(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_linear(tape, in[0], in[1], in[2]);    // in[2] is NULL without a bias
}

static Tensor *matmul(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_matmul(tape, in[0], in[1]);
}

static void linear_has_its_gradient_on_odd_shapes(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {1, 5, 3}, {7, 1, 2}, {3, 4, 1}, {5, 7, 11}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int batch = sizes[i][0], in = sizes[i][1], out = sizes[i][2];
        Tensor *x = input(SHAPE(batch, in)), *w = input(SHAPE(out, in)), *b = input(SHAPE(out));
        gradcheck(linear, NULL, x, w, b);
        gradcheck(linear, NULL, x, w, NULL);
    }
}

static Tensor *linear_activated(Tape *tape, Tensor *const in[], const void *context)
{
    return op_linear_activated(tape, in[0], in[1], in[2], *(const Activation *)context);
}

static void linear_has_its_gradient_with_each_activation_and_leading_dimensions(void **state)
{
    (void)state;
    for (Activation f = ACTIVATION_NONE; f <= ACTIVATION_TANH; f++) {
        Shape shapes[] = {SHAPE(5), SHAPE(3, 5), SHAPE(2, 3, 5), SHAPE(2, 1, 3, 5)};
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            gradcheck(linear_activated, &f, input(shapes[i]), input(SHAPE(7, 5)), input(SHAPE(7)));
            gradcheck(linear_activated, &f, input(shapes[i]), input(SHAPE(7, 5)), NULL);
            gradcheck(linear_activated, &f, constant(shapes[i]), input(SHAPE(7, 5)),
                      input(SHAPE(7)));
        }
    }
}

static void linear_has_its_gradient_when_some_inputs_take_none(void **state)
{
    (void)state;
    gradcheck(linear, NULL, constant(SHAPE(3, 5)), input(SHAPE(2, 5)), input(SHAPE(2)));
    gradcheck(linear, NULL, input(SHAPE(3, 5)), constant(SHAPE(2, 5)), constant(SHAPE(2)));
    gradcheck(linear, NULL, constant(SHAPE(3, 5)), constant(SHAPE(2, 5)), input(SHAPE(2)));
}

static void matmul_has_its_gradient_on_odd_shapes(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {1, 3, 5}, {7, 1, 2}, {3, 4, 1}, {5, 11, 7}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int m = sizes[i][0], k = sizes[i][1], n = sizes[i][2];
        Tensor *a = input(SHAPE(m, k)), *b = input(SHAPE(k, n));
        gradcheck(matmul, NULL, a, b);
        a->wants_grad = false;
        gradcheck(matmul, NULL, a, b);
    }
    gradcheck(matmul, NULL, input(SHAPE(2, 3)), constant(SHAPE(3, 4)));
}

static void batched_matmul_has_its_gradient(void **state)
{
    (void)state;
    gradcheck(matmul, NULL, input(SHAPE(3, 2, 5)), input(SHAPE(3, 5, 7)));
    gradcheck(matmul, NULL, input(SHAPE(2, 3, 1, 5)), input(SHAPE(2, 3, 5, 4)));
    gradcheck(matmul, NULL, input(SHAPE(1, 4, 3)), constant(SHAPE(1, 3, 2)));
    gradcheck(matmul, NULL, constant(SHAPE(2, 4, 3)), input(SHAPE(2, 3, 2)));
}

static void matmul_of_a_matrix_with_itself_adds_both_gradients(void **state)
{
    (void)state;
    Tensor *a = input(SHAPE(5, 5));
    gradcheck(matmul, NULL, a, a);
    a = input(SHAPE(2, 3, 3));
    gradcheck(matmul, NULL, a, a);
}

// ---- element by element

static Tensor *add(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_add(tape, in[0], in[1]);
}

static Tensor *mul(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_mul(tape, in[0], in[1]);
}

static Tensor *scale(Tape *tape, Tensor *const in[], const void *context)
{
    return op_scale(tape, in[0], *(const float *)context);
}

// An op of one tensor, as a context.
typedef struct Unary {
    const char *name;
    Tensor *(*op)(Tape *tape, Tensor *x);
} Unary;

static Tensor *unary(Tape *tape, Tensor *const in[], const void *context)
{
    return ((const Unary *)context)->op(tape, in[0]);
}

static void add_and_mul_have_their_gradients(void **state)
{
    (void)state;
    Shape shapes[] = {SCALAR, SHAPE(1), SHAPE(7), SHAPE(3, 5), SHAPE(2, 1, 3), SHAPE(2, 3, 1, 5)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Tensor *a = input(shapes[i]), *b = input(shapes[i]), *c = constant(shapes[i]);
        gradcheck(add, NULL, a, b);
        gradcheck(mul, NULL, a, b);
        gradcheck(add, NULL, a, c);
        gradcheck(add, NULL, c, a);
        gradcheck(mul, NULL, a, c);
        gradcheck(mul, NULL, c, a);
    }
}

static void a_tensor_used_twice_by_one_op_gets_both_gradients(void **state)
{
    (void)state;
    Tensor *x = input(SHAPE(3, 5));
    gradcheck(add, NULL, x, x);
    gradcheck(mul, NULL, x, x);
}

static void scale_has_its_gradient(void **state)
{
    (void)state;
    float factors[] = {-2.5f, 0, 1, 1e3f};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        gradcheck(scale, &factors[i], input(SHAPE(3, 7)));
}

static Tensor *dropout(Tape *tape, Tensor *const in[], const void *context)
{
    return op_dropout(tape, in[0], *(const float *)context, (Draw){3, 4});
}

static void dropout_has_its_gradient(void **state)
{
    (void)state;
    float ps[] = {0, 0.25f, 0.5f, 1};
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++)
        gradcheck(dropout, &ps[i], input(SHAPE(3, 7)));
}

static void each_activation_has_its_gradient(void **state)
{
    (void)state;
    static const Unary ops[] = {
        {"exp", op_exp}, {"relu", op_relu}, {"sigmoid", op_sigmoid}, {"tanh", op_tanh}};
    Shape shapes[] = {SCALAR, SHAPE(1), SHAPE(13), SHAPE(3, 5), SHAPE(2, 3, 1, 5)};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++)
            gradcheck_assert(__FILE__, __LINE__, ops[i].name, unary, &ops[i],
                             INPUTS(input(shapes[j])));
}

static void relu_has_derivative_0_at_0(void **state)
{
    (void)state;
    Tape *tape = tape_new(arena_new("step", 1u << 16));
    Tensor *x = input(SCALAR);
    tensor_write(x, (float[]){0});
    tape_backward(tape, op_relu(tape, x));
    assert_true(x->has_grad && x->grad[0] == 0);
    arena_free(tape->arena);
}

// ---- losses

typedef Tensor *TargetLoss(Tape *tape, Tensor *x, Tensor *target);

typedef struct Supervised {
    TargetLoss *loss;
    Tensor *target;
} Supervised;

static Tensor *supervised(Tape *tape, Tensor *const in[], const void *context)
{
    const Supervised *s = context;
    return s->loss(tape, in[0], s->target);
}

static Tensor *cross_entropy(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return loss_cross_entropy(tape, in[0], in[1]);
}

#define LABELS(...)                                                                                \
    tensor_from_ints(keep, SHAPE(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),                      \
                     (int32_t[]){__VA_ARGS__})

static void each_loss_against_a_target_has_its_gradient(void **state)
{
    (void)state;
    TargetLoss *losses[] = {loss_mse, loss_squared_error, loss_bce_logits};
    Shape shapes[] = {SHAPE(1), SHAPE(5), SHAPE(1, 7), SHAPE(7, 1), SHAPE(3, 5), SHAPE(2, 3, 5)};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) {
            Tensor *x = input(shapes[j]), *target = constant(shapes[j]);
            rng_fill_uniform(&rng, tensor_floats(target), tensor_count(target));
            Supervised context = {losses[i], target};
            gradcheck(supervised, &context, x);
        }
}

static void bce_has_its_gradient_at_hard_targets_and_large_logits(void **state)
{
    (void)state;
    Tensor *z = input(SHAPE(2, 3));
    Supervised context = {loss_bce_logits,
                          tensor_from(keep, SHAPE(2, 3), (float[]){0, 1, 1, 0, 0, 1})};
    tensor_write(z, (float[]){30, -30, 8, -8, 0.5f, -0.5f});
    gradcheck(supervised, &context, z);
}

static void cross_entropy_has_its_gradient(void **state)
{
    (void)state;
    gradcheck(cross_entropy, NULL, input(SHAPE(1, 1)), LABELS(0));
    gradcheck(cross_entropy, NULL, input(SHAPE(1, 5)), LABELS(4));
    gradcheck(cross_entropy, NULL, input(SHAPE(7, 3)), LABELS(2, 0, 1, 1, 2, 0, 2));
}

// The arriving gradient is not 1, and a second loss shares the input.
static Tensor *two_losses(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    Tensor *entropy = loss_cross_entropy(tape, in[0], in[1]);
    Tensor *size = loss_squared_error(tape, in[0], tensor_zeros(tape->arena, in[0]->shape));
    return op_add(tape, op_scale(tape, entropy, 3), op_mul(tape, size, entropy));
}

static void losses_pass_on_the_gradient_that_arrives(void **state)
{
    (void)state;
    gradcheck(two_losses, NULL, input(SHAPE(3, 5)), LABELS(2, 0, 1));
}

// ---- layers and networks

static Tensor *layer(Tape *tape, Tensor *const in[], const void *context)
{
    return linear_forward(tape, context, in[0]);
}

static void a_linear_layer_has_its_gradient(void **state)
{
    (void)state;
    Init *inits[] = {init_glorot, init_he};
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        Params *params = params_new(keep);
        Linear linear = linear_new(params, "layer", 5, 3, inits[i], &rng);
        gradcheck(layer, &linear, input(SHAPE(7, 5)), linear.weight, linear.bias);
    }
}

// Five layers deep, with every op: two branches from one hidden layer, a product of them, a weight
// that is used three times, a skip connection, and a loss.
static Tensor *deep_network(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    Tensor *x = in[0], *w1 = in[1], *b1 = in[2], *w2 = in[3], *b2 = in[4], *w3 = in[5];
    Tensor *h = op_tanh(tape, op_linear(tape, x, w1, b1));                         // [3,7] -> [3,5]
    Tensor *gate = op_sigmoid(tape, op_linear(tape, h, w2, b2));                   // [3,5] -> [3,5]
    Tensor *wave = op_exp(tape, op_scale(tape, op_matmul(tape, h, w2), -0.3f));    // w2 again
    Tensor *skip = op_add(tape, op_mul(tape, gate, wave), h);
    Tensor *deep = op_relu(tape, op_linear(tape, skip, w2, NULL));    // and again
    return loss_cross_entropy(tape, op_linear(tape, deep, w3, NULL), in[6]);
}

static void a_deep_network_with_shared_weights_has_its_gradient(void **state)
{
    (void)state;
    gradcheck(deep_network, NULL, input(SHAPE(3, 7)), input(SHAPE(5, 7)), input(SHAPE(5)),
              input(SHAPE(5, 5)), input(SHAPE(5)), input(SHAPE(2, 5)), LABELS(1, 0, 1));
}

static Tensor *hundred_tanhs(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    Tensor *x = in[0];
    for (int i = 0; i < 100; i++) x = op_tanh(tape, op_add(tape, x, in[0]));
    return x;
}

static void a_hundred_ops_in_a_row_have_their_gradient(void **state)
{
    (void)state;
    gradcheck(hundred_tanhs, NULL, input(SHAPE(2, 3)));
}

static Tensor *gated_part(Tape *tape, const void *context, Tensor *const in[])
{
    (void)context;
    return op_mul(tape, op_tanh(tape, op_linear(tape, in[0], in[1], in[2])), in[0]);
}

static Tensor *recomputed(Tape *tape, Tensor *const in[], const void *context)
{
    Tensor *x = op_exp(tape, in[0]);
    for (int i = 0; i < 2; i++)
        x = op_add(tape, x,
                   tape_recompute(tape, gated_part, context, x->shape, INPUTS(x, in[1], in[2])));
    return x;
}

static void a_part_that_is_computed_again_has_its_gradient(void **state)
{
    (void)state;
    gradcheck(recomputed, NULL, input(SHAPE(3, 5)), input(SHAPE(5, 5)), input(SHAPE(5)));
    gradcheck(recomputed, NULL, input(SHAPE(3, 5)), constant(SHAPE(5, 5)), NULL);
}

// Twenty ops of whatever there is already: all of it [4,3], used any number of times, whole or by rows.
static Tensor *random_graph(Tape *tape, Tensor *const in[], const void *context)
{
    enum { OPS = 20 };
    Rng draw = *(const Rng *)context;
    Tensor *all[2 + OPS] = {in[0], in[1]}, *w = in[2];    // w is [3,3]
    for (int i = 2; i < 2 + OPS; i++) {
        Tensor *a = all[rng_below(&draw, (uint32_t)i)], *b = all[rng_below(&draw, (uint32_t)i)], *y;
        int row = (int)rng_below(&draw, 3);
        switch (rng_below(&draw, 5)) {
        case 0: y = op_add(tape, a, b); break;
        case 1: y = op_mul(tape, op_tanh(tape, a), b); break;
        case 2:
            y = op_linear_activated(
                tape, a, w, tensor_view(tape->arena, tensor_rows(tape->arena, b, row, 1), SHAPE(3)),
                ACTIVATION_SIGMOID);
            break;
        case 3: y = tape_recompute(tape, gated_part, NULL, a->shape, INPUTS(a, w, NULL)); break;
        default: {
            Tensor *tall = tensor_view(tape->arena, a, SHAPE(6, 2));
            Tensor *wide = tensor_rows(tape->arena, b, row, 2);    // [2,3]
            y = op_matmul(tape, op_tanh(tape, tensor_rows(tape->arena, tall, row, 4)), wide);
        }
        }
        all[i] = op_tanh(tape, y);
    }
    return op_add(tape, all[OPS + 1], all[OPS]);
}

static void random_graphs_have_their_gradient(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        Rng draw = rng_from_seed(seed);
        gradcheck(random_graph, &draw, input(SHAPE(4, 3)), input(SHAPE(4, 3)), input(SHAPE(3, 3)));
    }
}

// Views share their gradient with what they view.
static Tensor *through_views(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    Tensor *y = op_tanh(tape, tensor_view(tape->arena, in[0], SHAPE(5, 3)));
    Tensor *rows = tensor_rows(tape->arena, y, 1, 3), *others = tensor_rows(tape->arena, y, 0, 3);
    return op_mul(tape, op_mul(tape, rows, others), tensor_rows(tape->arena, in[1], 1, 3));
}

static void gradients_flow_through_views(void **state)
{
    (void)state;
    gradcheck(through_views, NULL, input(SHAPE(3, 5)), input(SHAPE(5, 3)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(linear_has_its_gradient_on_odd_shapes),
        CASE(linear_has_its_gradient_with_each_activation_and_leading_dimensions),
        CASE(linear_has_its_gradient_when_some_inputs_take_none),
        CASE(matmul_has_its_gradient_on_odd_shapes),
        CASE(batched_matmul_has_its_gradient),
        CASE(matmul_of_a_matrix_with_itself_adds_both_gradients),
        CASE(add_and_mul_have_their_gradients),
        CASE(a_tensor_used_twice_by_one_op_gets_both_gradients),
        CASE(scale_has_its_gradient),
        CASE(dropout_has_its_gradient),
        CASE(each_activation_has_its_gradient),
        CASE(relu_has_derivative_0_at_0),
        CASE(each_loss_against_a_target_has_its_gradient),
        CASE(bce_has_its_gradient_at_hard_targets_and_large_logits),
        CASE(cross_entropy_has_its_gradient),
        CASE(losses_pass_on_the_gradient_that_arrives),
        CASE(a_linear_layer_has_its_gradient),
        CASE(a_deep_network_with_shared_weights_has_its_gradient),
        CASE(a_hundred_ops_in_a_row_have_their_gradient),
        CASE(a_part_that_is_computed_again_has_its_gradient),
        CASE(random_graphs_have_their_gradient),
        CASE(gradients_flow_through_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
