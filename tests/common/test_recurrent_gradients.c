// LSTM and GRU against finite differences, in double precision; a run in two pieces against one.
#include "common/loss.h"
#include "common/recurrent.h"
#include "tests/facts.h"
#include "tests/gradcheck.h"

enum { T = 10, B = 8, I = 2, H = 5 };    // long enough for u to be transposed once

static Tensor *lstm(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_lstm(tape, in[0], in[1], in[2], in[3], NULL);
}

static Tensor *gru(Tape *tape, Tensor *const in[], const void *context)
{
    (void)context;
    return op_gru(tape, in[0], in[1], in[2], in[3], in[4], NULL);
}

// The context is the state that the run begins with, which is copied: it is overwritten.
static RecurrentState copy_of(Tape *tape, const void *context)
{
    const RecurrentState *begin = context;
    RecurrentState state = {tensor_new(tape->arena, SHAPE(B, H)),
                            tensor_new(tape->arena, SHAPE(B, H))};
    tensor_copy(state.h, begin->h);
    tensor_copy(state.c, begin->c);
    return state;
}

static Tensor *lstm_from_a_state(Tape *tape, Tensor *const in[], const void *context)
{
    RecurrentState state = copy_of(tape, context);
    return op_lstm(tape, in[0], in[1], in[2], in[3], &state);
}

static Tensor *gru_from_a_state(Tape *tape, Tensor *const in[], const void *context)
{
    RecurrentState state = copy_of(tape, context);
    return op_gru(tape, in[0], in[1], in[2], in[3], in[4], &state);
}

typedef struct Weights {
    Tensor *x, *w, *u, *b, *c;
    RecurrentState state;
} Weights;

static Weights weights(Arena *keep, int steps, int blocks)
{
    Rng rng = rng_from_seed(1);
    return (Weights){
        gradcheck_input(keep, SHAPE(steps, B, I), &rng),
        gradcheck_input(keep, SHAPE(blocks * H, I), &rng),
        gradcheck_input(keep, SHAPE(blocks * H, H), &rng),
        gradcheck_input(keep, SHAPE(blocks * H), &rng),
        gradcheck_input(keep, SHAPE(H), &rng),
        {gradcheck_input(keep, SHAPE(B, H), &rng), gradcheck_input(keep, SHAPE(B, H), &rng)}};
}

static void an_lstm_has_its_gradient(void **state)
{
    (void)state;
    Arena *keep = arena_new("keep", 1u << 24);
    for (int steps = 1; steps <= T; steps += T - 1) {
        Weights n = weights(keep, steps, 4);
        gradcheck(lstm, NULL, n.x, n.w, n.u, n.b);
        gradcheck(lstm_from_a_state, &n.state, n.x, n.w, n.u, n.b);
    }
    arena_free(keep);
}

static void a_gru_has_its_gradient(void **state)
{
    (void)state;
    Arena *keep = arena_new("keep", 1u << 24);
    for (int steps = 1; steps <= T; steps += T - 1) {
        Weights n = weights(keep, steps, 3);
        gradcheck(gru, NULL, n.x, n.w, n.u, n.b, n.c);
        gradcheck(gru_from_a_state, &n.state, n.x, n.w, n.u, n.b, n.c);
    }
    arena_free(keep);
}

static void weights_alone_get_their_gradient(void **state)
{
    (void)state;
    Arena *keep = arena_new("keep", 1u << 24);
    Weights n = weights(keep, T, 4);
    n.x->wants_grad = false;
    gradcheck(lstm, NULL, n.x, n.w, n.u, n.b);
    n = weights(keep, T, 3);
    n.x->wants_grad = false;
    gradcheck(gru, NULL, n.x, n.w, n.u, n.b, n.c);
    arena_free(keep);
}

static void a_run_in_two_pieces_is_one_run(void **state)
{
    (void)state;
    Arena *keep = arena_new("keep", 1u << 24), *step = arena_new("step", 1u << 24);
    Tape *tape = tape_new(step);
    tape_quiet(tape, true);
    for (int blocks = 3; blocks <= 4; blocks++) {
        Weights n = weights(keep, T, blocks);
        Tensor *in[] = {n.x, n.w, n.u, n.b, n.c};
        Tensor *(*run)(Tape *, Tensor *const[], const void *) =
            blocks == 4 ? lstm_from_a_state : gru_from_a_state;
        const float *whole = tensor_values(keep, run(tape, in, &n.state));
        RecurrentState at = copy_of(tape, &n.state);
        for (int t = 0; t < T; t += 2) {
            Tensor *part = tensor_rows(step, n.x, t, 2);
            Tensor *h = blocks == 4 ? op_lstm(tape, part, n.w, n.u, n.b, &at)
                                    : op_gru(tape, part, n.w, n.u, n.b, n.c, &at);
            const float *got = tensor_values(keep, h);
            for (int i = 0; i < 2 * B * H; i++)
                assert_close((double)got[i], (double)whole[t * B * H + i], 1e-14);
        }
    }
    arena_free(step);
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_lstm_has_its_gradient),
        cmocka_unit_test(a_gru_has_its_gradient),
        cmocka_unit_test(weights_alone_get_their_gradient),
        cmocka_unit_test(a_run_in_two_pieces_is_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
