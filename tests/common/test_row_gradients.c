/* Derivatives of what a transformer's rows go through against central differences, in double precision:
 * normalisation of rows, gates, rotary positions, embeddings, cross-entropy with ignored labels. */
#include "tests/gradcheck.h"
#include "common/embedding.h"
#include "common/loss.h"
#include "common/norm.h"
#include "common/ops.h"
#include "common/rope.h"
#include <cmocka.h>

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

#define INTEGERS(shape, ...) tensor_from_ints(keep, shape, (int32_t[]){__VA_ARGS__})

// ---- normalisation

static Tensor *layer_norm(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_layer_norm(tape, in[0], in[1], in[2], 1e-5f);
}

static void layer_norm_has_its_gradient(void **state)
{
    (void)state;
    const Shape shapes[] = {SHAPE(5), SHAPE(3, 5), SHAPE(2, 3, 7), SHAPE(2, 1, 3, 4)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const Shape cols = SHAPE(shapes[i].size[shapes[i].dims - 1]);
        gradcheck(layer_norm, NULL, input(shapes[i]), input(cols), input(cols));
        gradcheck(layer_norm, NULL, input(shapes[i]), input(cols), NULL);
        gradcheck(layer_norm, NULL, constant(shapes[i]), input(cols), input(cols));
        gradcheck(layer_norm, NULL, input(shapes[i]), constant(cols), constant(cols));
    }
}

static Tensor *rms_norm(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_rms_norm(tape, in[0], in[1], 1e-5f);
}

static void rms_norm_has_its_gradient(void **state)
{
    (void)state;
    const Shape shapes[] = {SHAPE(1), SHAPE(3, 5), SHAPE(2, 3, 7), SHAPE(2, 1, 3, 4)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const Shape cols = SHAPE(shapes[i].size[shapes[i].dims - 1]);
        gradcheck(rms_norm, NULL, input(shapes[i]), input(cols));
        gradcheck(rms_norm, NULL, constant(shapes[i]), input(cols));
        gradcheck(rms_norm, NULL, input(shapes[i]), constant(cols));
    }
}

static Tensor *head_rms_norm(Tape *tape, Tensor *const in[], const void *context)
{
    const int *heads = context;
    return op_head_rms_norm(tape, in[0], in[1], in[2], heads[0], heads[1], 1e-5f);
}

// Its input is used a second time, so that what it adds to a gradient is seen.
static Tensor *head_rms_norm_twice(Tape *tape, Tensor *const in[], const void *context)
{
    Tensor *x = op_scale(tape, in[0], 2),
           *y = head_rms_norm(tape, (Tensor *[]){x, in[1], in[2]}, context);
    return op_mul(tape, y, x);
}

static void norms_of_heads_have_their_gradient(void **state)
{
    (void)state;
    static const int heads[][2] = {{1, 1}, {4, 2}, {3, 1}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        const int width = (heads[i][0] + 2 * heads[i][1]) * 5;
        gradcheck(head_rms_norm, heads[i], input(SHAPE(2, 3, width)), input(SHAPE(5)),
                  input(SHAPE(5)));
        gradcheck(head_rms_norm_twice, heads[i], input(SHAPE(3, width)), input(SHAPE(5)),
                  input(SHAPE(5)));
        gradcheck(head_rms_norm, heads[i], constant(SHAPE(3, width)), input(SHAPE(5)),
                  input(SHAPE(5)));
    }
}

// ---- gates

typedef struct Unary {
    const char *name;
    Tensor *(*op)(Tape *tape, Tensor *x);
} Unary;

static Tensor *unary(Tape *tape, Tensor *const in[], const void *context)
{
    return ((const Unary *)context)->op(tape, in[0]);
}

static void each_gate_has_its_gradient(void **state)
{
    (void)state;
    static const Unary ops[] = {
        {"gelu", op_gelu}, {"gelu_erf", op_gelu_erf}, {"silu", op_silu}, {"swiglu", op_swiglu}};
    const Shape shapes[] = {SHAPE(2), SHAPE(3, 6), SHAPE(2, 3, 4), SHAPE(2, 3, 1, 8)};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++)
            gradcheck_assert(__FILE__, __LINE__, ops[i].name, unary, &ops[i],
                             INPUTS(input(shapes[j])));
}

// ---- tokens

static Tensor *embed(Tape *tape, Tensor *const in[], const void *context)
{
    return op_add_positions(tape, op_embedding(tape, in[0], in[1]), in[2], *(const int *)context);
}

static void embeddings_and_positions_have_their_gradient(void **state)
{
    (void)state;
    Tensor *ids = INTEGERS(SHAPE(2, 3), 4, 0, 4, 1, 4, 0);    // 2 and 3 never
    for (int first = 0; first < 3; first++) {
        gradcheck(embed, &first, ids, input(SHAPE(5, 7)), input(SHAPE(5, 7)));
        gradcheck(embed, &first, ids, constant(SHAPE(5, 7)), input(SHAPE(5, 7)));
        gradcheck(embed, &first, ids, input(SHAPE(5, 7)), constant(SHAPE(5, 7)));
    }
}

typedef struct Rotation {
    const Rope *rope;
    int heads, head, first;
} Rotation;

static Tensor *rotate(Tape *tape, Tensor *const in[], const void *context)
{
    const Rotation *r = context;
    return op_rope(tape, in[0], r->rope, r->heads, r->head, r->first);
}

static void rotations_have_their_gradient(void **state)
{
    (void)state;
    for (int interleaved = 0; interleaved < 2; interleaved++) {
        const Rope *rope = rope_new(
            keep,
            (RopeConfig){.head = 4, .positions = 9, .theta = 10, .interleaved = interleaved});
        gradcheck(rotate, (&(Rotation){rope, 3, 4, 0}), input(SHAPE(2, 3, 20)));
        gradcheck(rotate, (&(Rotation){rope, 2, 5, 6}), input(SHAPE(3, 11)));
    }
}

// ---- losses

static Tensor *cross_entropy(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_scale(tape, loss_cross_entropy(tape, in[0], in[1]), 3);
}

static Tensor *linear_cross_entropy(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_scale(tape, loss_linear_cross_entropy(tape, in[0], in[1], in[2]), 3);
}

static void losses_have_their_gradient_with_ignored_labels(void **state)
{
    (void)state;
    Tensor *labels = INTEGERS(SHAPE(2, 3), 2, -1, 0, -100, 1, 2);
    gradcheck(cross_entropy, NULL, input(SHAPE(2, 3, 4)), labels);
    gradcheck(linear_cross_entropy, NULL, input(SHAPE(2, 3, 5)), input(SHAPE(7, 5)), labels);
    gradcheck(linear_cross_entropy, NULL, constant(SHAPE(2, 3, 5)), input(SHAPE(7, 5)), labels);
    gradcheck(linear_cross_entropy, NULL, input(SHAPE(2, 3, 5)), constant(SHAPE(7, 5)), labels);
}

// ---- a block of either style, with its table used again for the logits

static Tensor *gpt(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    Tensor *ids = in[0], *labels = in[1], *table = in[2], *gamma = in[3], *up = in[4],
           *down = in[5];
    Tensor *x = op_embedding(tape, ids, table);    // [2,3,6]
    Tensor *h =
        op_gelu(tape, op_linear(tape, op_layer_norm(tape, x, gamma, gamma, 1e-5f), up, NULL));
    x = op_add(tape, x, op_linear(tape, h, down, NULL));
    return loss_linear_cross_entropy(tape, op_layer_norm(tape, x, gamma, NULL, 1e-5f), table,
                                     labels);
}

static Tensor *llama(Tape *tape, Tensor *const in[], const void *context)
{
    Tensor *ids = in[0], *labels = in[1], *table = in[2], *gamma = in[3], *up = in[4],
           *down = in[5];
    Tensor *x = op_embedding(tape, ids, table);
    x = op_rope(tape, x, context, 1, 6, 0);
    Tensor *h = op_swiglu(tape, op_linear(tape, op_rms_norm(tape, x, gamma, 1e-5f), up, NULL));
    x = op_add(tape, x, op_linear(tape, h, down, NULL));
    return loss_cross_entropy(
        tape, op_linear(tape, op_rms_norm(tape, x, gamma, 1e-5f), table, NULL), labels);
}

static void a_block_of_either_style_has_its_gradient(void **state)
{
    (void)state;
    Tensor *ids = INTEGERS(SHAPE(2, 3), 4, 0, 4, 1, 3, 0),
           *labels = INTEGERS(SHAPE(2, 3), 0, 4, -1, 3, 0, 2);
    const Rope *rope = rope_new(keep, (RopeConfig){.head = 6, .positions = 3, .theta = 100});
    gradcheck(gpt, NULL, ids, labels, input(SHAPE(5, 6)), input(SHAPE(6)), input(SHAPE(8, 6)),
              input(SHAPE(6, 8)));
    gradcheck(llama, rope, ids, labels, input(SHAPE(5, 6)), input(SHAPE(6)), input(SHAPE(8, 6)),
              input(SHAPE(6, 4)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(layer_norm_has_its_gradient),
        CASE(rms_norm_has_its_gradient),
        CASE(norms_of_heads_have_their_gradient),
        CASE(each_gate_has_its_gradient),
        CASE(embeddings_and_positions_have_their_gradient),
        CASE(rotations_have_their_gradient),
        CASE(losses_have_their_gradient_with_ignored_labels),
        CASE(a_block_of_either_style_has_its_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
