// The exercises as ops on the tape, against finite differences; the exercises beside the kernel table.
#include "labs/2_core/rnn/recurrent.h"
#include "tests/facts.h"
#include "tests/gradcheck.h"

enum { STEPS = 4, ROWS = 3, IN = 2, HIDDEN = 3, SYMBOLS = 5 };

static Arena *keep;

static int begin(void **state)
{
    (void)state;
    keep = arena_new("keep", 1u << 26);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

static Recurrent layer_of(CellKind kind, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    return recurrent_new(params_new(keep), "layer", kind, IN, HIDDEN, &rng);
}

static Tensor *input(int first, int second, int third)
{
    Rng rng = rng_from_seed(9);
    return gradcheck_input(keep, SHAPE(first, second, third), &rng);
}

static Tensor *run(Tape *tape, Tensor *const in[], const void *layer)
{
    return recurrent_run(tape, layer, in[0], NULL);
}

static void a_layer_of_each_kind_has_its_gradient(void **state)
{
    (void)state;
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        const Recurrent layer = layer_of((CellKind)kind, 1);
        gradcheck(run, &layer, input(STEPS, ROWS, IN), layer.w, layer.u, layer.b, layer.c);
    }
}

static void the_kernel_table_gives_what_the_exercises_give(void **state)
{
    (void)state;
    Tape *tape = tape_new(arena_new("step", 1u << 26));
    tape_quiet(tape, true);
    for (int kind = CELL_LSTM; kind < CELL_KINDS; kind++) {
        Recurrent layer = layer_of((CellKind)kind, 2);
        Tensor *x = input(STEPS, ROWS, IN);
        const float *slow = tensor_values(keep, recurrent_run(tape, &layer, x, NULL));
        layer.fast = true;
        const float *fast = tensor_values(keep, recurrent_run(tape, &layer, x, NULL));
        for (int i = 0; i < STEPS * ROWS * HIDDEN; i++)
            assert_close((double)fast[i], (double)slow[i], 1e-6);
    }
    arena_free(tape->arena);
}

static void a_state_carries_a_run_on(void **state)
{
    (void)state;
    Tape *tape = tape_new(arena_new("step", 1u << 26));
    tape_quiet(tape, true);
    for (int kind = 0; kind < CELL_KINDS; kind++) {
        const Recurrent layer = layer_of((CellKind)kind, 3);
        Tensor *x = input(STEPS, ROWS, IN);
        const float *whole = tensor_values(keep, recurrent_run(tape, &layer, x, NULL));
        RecurrentState at = {tensor_zeros(keep, SHAPE(ROWS, HIDDEN)),
                             tensor_zeros(keep, SHAPE(ROWS, HIDDEN))};
        for (int t = 0; t < STEPS; t++) {
            const float *h = tensor_values(
                keep, recurrent_run(tape, &layer, tensor_rows(tape->arena, x, t, 1), &at));
            for (int i = 0; i < ROWS * HIDDEN; i++)
                assert_close((double)h[i], (double)whole[t * ROWS * HIDDEN + i], 1e-12);
        }
    }
    arena_free(tape->arena);
}

static const int lengths[ROWS] = {STEPS, 1, 2};

static Tensor *both_ends(Tape *tape, Tensor *const in[], const void *layers)
{
    return bidirectional_run(tape, layers, in[0], lengths);
}

static void a_bidirectional_layer_has_its_gradient(void **state)
{
    (void)state;
    const Recurrent layers[2] = {layer_of(CELL_ELMAN, 4), layer_of(CELL_ELMAN, 5)};
    gradcheck(both_ends, layers, input(STEPS, ROWS, IN), layers[0].w, layers[0].u, layers[0].b,
              layers[1].w, layers[1].u, layers[1].b);
}

static Tensor *look(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_look(tape, in[0], in[1], lengths, NULL);
}

static void attention_has_its_gradient(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(6);
    gradcheck(look, NULL, gradcheck_input(keep, SHAPE(2, ROWS, HIDDEN), &rng),
              gradcheck_input(keep, SHAPE(STEPS, ROWS, HIDDEN), &rng));
}

static Tensor *loss(Tape *tape, Tensor *const in[], const void *tokens)
{
    return op_sequence_loss(tape, in[0], (Tensor *)tokens);
}

static void the_loss_has_its_gradient(void **state)
{
    (void)state;
    const int32_t ids[(STEPS + 1) * ROWS] = {0, 1, 2, 3, 4, -1, 1, 0, -1, 2, -1, -1, 4, -1, -1};
    gradcheck(loss, tensor_from_ints(keep, SHAPE(STEPS + 1, ROWS), ids),
              input(STEPS, ROWS, SYMBOLS));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_layer_of_each_kind_has_its_gradient),
        TEST(the_kernel_table_gives_what_the_exercises_give),
        TEST(a_state_carries_a_run_on),
        TEST(a_bidirectional_layer_has_its_gradient),
        TEST(attention_has_its_gradient),
        TEST(the_loss_has_its_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
