/* Parts of a graph that backward computes again (tape_recompute). */
#include "common/loss.h"
#include "common/ops.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "tests/stops.h"
#include "tests/tape_fixture.h"

enum { ROWS = 16, WIDTH = 32, DEPTH = 6 };

// A part of two inputs, the second of which wants no gradient; parameters come by the context.
typedef struct Stack {
    Tensor *w[DEPTH], *b;
    int first, end;    // of its layers
    bool nested;       // the inner ones are a part in the part
} Stack;

static Tensor *stack(Tape *t, const void *context, Tensor *const in[])
{
    const Stack *all = context;
    Tensor *h = in[0], *gate = in[1];
    for (int i = all->first; i < all->end; i++) {
        h = op_mul(t, op_linear_activated(t, h, all->w[i], all->b, ACTIVATION_TANH), gate);
        if (!all->nested || i != 0) continue;
        Stack *inner = arena_alloc(t->arena, sizeof *inner);
        *inner = *all;
        inner->first = 1, inner->end = DEPTH - 1, inner->nested = false;
        h = tape_recompute(t, stack, inner, h->shape, INPUTS(h, gate));
        i = DEPTH - 2;
    }
    return h;
}

typedef struct Network {
    Tensor *x, *first, *gate, *target;
    Stack stack;
} Network;

static Network network_new(void)
{
    Rng rng = rng_from_seed(5);
    float values[ROWS * WIDTH];
    Network n;
    rng_fill_normal(&rng, values, ROWS * WIDTH);
    n.x = tensor_from(keep, SHAPE(ROWS, WIDTH), values);
    n.target = tensor_from(keep, SHAPE(ROWS, WIDTH), values);
    rng_fill_uniform(&rng, values, ROWS * WIDTH);
    n.gate = tensor_from(keep, SHAPE(ROWS, WIDTH), values);
    tensor_want_grad(keep, n.x);
    n.stack = (Stack){.end = DEPTH, .b = params_add(params, "b", SHAPE(WIDTH))};
    for (int i = 0; i <= DEPTH; i++) {
        float w[WIDTH * WIDTH];
        Tensor *matrix = params_add(params, arena_print(keep, "w%d", i), SHAPE(WIDTH, WIDTH));
        for (int k = 0; k < WIDTH * WIDTH; k++) w[k] = 0.3f * rng_normal(&rng);
        tensor_write(matrix, w);
        if (i < DEPTH) n.stack.w[i] = matrix;
        else n.first = matrix;
    }
    return n;
}

// Two stacks of the same weights; what goes into the first is used behind it, too.
static Tensor *network_loss(const Network *n, bool recompute, bool nested)
{
    Stack *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = n->stack;
    saved->nested = nested;
    Tensor *h = op_linear(tape, n->x, n->first, NULL);
    for (int i = 0; i < 2; i++) {
        Tensors in = INPUTS(h, n->gate);
        Tensor *y = recompute ? tape_recompute(tape, stack, saved, h->shape, in)
                              : stack(tape, saved, in.list);
        h = op_add(tape, y, h);
    }
    return loss_mse(tape, h, n->target);
}

typedef struct Step {
    float loss, *grads, *dx;
    size_t peak;    // of the numbers
} Step;

static Step network_step(const Network *n, bool recompute, bool nested)
{
    params_clear_grads(params);
    n->x->has_grad = false;
    Tape *kept = tape;
    tape = tape_new(arena_new("step", 4u << 20));    // whose peak is this step's
    Tensor *loss = network_loss(n, recompute, nested);
    tape_backward(tape, loss);
    Step step = {tensor_item(loss), numbers_at(params->grads.at, params->grads.count),
                 grad_of(n->x), arena_numbers_peak(tape->arena)};
    arena_free(tape->arena);
    tape = kept;
    return step;
}

static double *wide_of(const float *x, size_t n)
{
    double *all = arena_alloc(keep, n * sizeof *all);
    for (size_t i = 0; i < n; i++) all[i] = (double)x[i];
    return all;
}

static void recomputing_gives_the_same_numbers_in_less_memory(void **state)
{
    (void)state;
    Network n = network_new();
    Step plain = network_step(&n, false, false);
    size_t peak[2];
    for (int nested = 0; nested < 2; nested++) {
        Step less = network_step(&n, true, nested);
        Shape block = SHAPE((int)params->grads.count);
        assert_close(less.loss, plain.loss, 0);
        assert_near(less.grads, wide_of(plain.grads, params->grads.count), block,
                    .name = "gradients", .exact = true);
        assert_near(less.dx, wide_of(plain.dx, ROWS * WIDTH), SHAPE(ROWS, WIDTH), .name = "dx",
                    .exact = true);
        peak[nested] = less.peak;
        assert_int_equal(network_step(&n, true, nested).peak, less.peak);
    }
    // In tensors of [ROWS,WIDTH], beside the loss and its gradient. Plain: a linear, two tensors a layer,
    // two sums; gradients of a pair and of what goes past the stack. Recomputed: the linear, outputs of two
    // parts, two sums, one part's layers. Nested: two layers and the inner output, then the inner layers,
    // and the gradient of what came into them.
    assert_int_equal(plain.peak,
                     (1 + 2 * 2 * DEPTH + 2 + 3) * piece_of(ROWS * WIDTH) + 2 * piece_of(1));
    assert_int_equal(peak[0], (5 + 2 * DEPTH + 3) * piece_of(ROWS * WIDTH) + 2 * piece_of(1));
    assert_int_equal(peak[1],
                     (5 + 5 + 2 * (DEPTH - 2) + 4) * piece_of(ROWS * WIDTH) + 2 * piece_of(1));
}

// Two layers, the inner one wide: [ROWS,A] -> [ROWS,4 WIDTH] -> [ROWS,B].
static Tensor *widened(Tape *t, const void *context, Tensor *const in[])
{
    Tensor *const *w = context;
    return op_linear_activated(t, op_linear_activated(t, in[0], w[0], NULL, ACTIVATION_TANH), w[1],
                               NULL, ACTIVATION_TANH);
}

// The first part's gradient is as wide as those inside the second, whose memory is gone by then.
static void a_part_leaves_no_memory_of_its_own_behind(void **state)
{
    (void)state;
    Network n = network_new();
    Shape wide = SHAPE(ROWS, 4 * WIDTH);
    Tensor *up = params_add(params, "up", SHAPE(4 * WIDTH, WIDTH)),
           *across = params_add(params, "across", SHAPE(4 * WIDTH, 4 * WIDTH)),
           *down = params_add(params, "down", SHAPE(WIDTH, 4 * WIDTH)), *all[] = {up, across, down};
    Rng rng = rng_from_seed(6);
    for (int i = 0; i < 3; i++) {
        float *values = arena_alloc(keep, tensor_bytes(all[i]));
        rng_fill_normal(&rng, values, tensor_count(all[i]));
        for (size_t k = 0; k < tensor_count(all[i]); k++) values[k] *= 0.1f;
        tensor_write(all[i], values);
    }
    double *want = NULL;
    for (int recompute = 0; recompute < 2; recompute++) {
        params_clear_grads(params);
        tape_reset(tape);
        Tensor *first[] = {up, across}, *second[] = {up, down}, *y, *z;
        y = recompute ? tape_recompute(tape, widened, first, wide, INPUTS(n.x))
                      : widened(tape, first, &n.x);
        z = op_linear(tape, y, down, NULL);
        z = recompute ? tape_recompute(tape, widened, second, z->shape, INPUTS(z))
                      : widened(tape, second, &z);
        Tensor *loss = loss_mse(tape, z, n.target);
        tape_quiet(tape, true);
        tape_backward(tape, loss);
        assert_false(tape->recording);    // as it was
        tape_quiet(tape, false);
        const float *grads = numbers_at(params->grads.at, params->grads.count);
        if (!recompute) want = wide_of(grads, params->grads.count);
        else
            assert_near(grads, want, SHAPE((int)params->grads.count), .name = "gradients",
                        .exact = true);
    }
}

static void evaluating_a_part_that_is_recomputed_records_nothing(void **state)
{
    (void)state;
    Network n = network_new();
    float want = tensor_item(network_loss(&n, false, false));
    tape_reset(tape);
    tape_quiet(tape, true);
    assert_close(tensor_item(network_loss(&n, true, true)), want, 0);
    assert_null(tape->last);
}

static Tensor *its_input(Tape *t, const void *context, Tensor *const in[])
{
    return context != NULL ? tensor_view(t->arena, in[0], SHAPE(1)) : in[0];
}

static void a_part_must_compute_its_output(void **state)
{
    (void)state;
    Tensor *w = params_add(params, "w", SHAPE(1));
    stops_with("a part that is computed again returned one of its inputs",
               tape_backward(tape, tape_recompute(tape, its_input, NULL, SHAPE(1), INPUTS(w))));
    stops_with("a part that is computed again returned a view",
               tape_backward(tape, tape_recompute(tape, its_input, w, SHAPE(1), INPUTS(w))));
}

static Tensor *outsider;

static Tensor *part_with_an_outsider(Tape *t, const void *context, Tensor *const in[])
{
    (void)context;
    return op_mul(t, op_tanh(t, in[0]), outsider);
}

// Its gradient would lie in memory that is used again before it is asked for.
static void a_part_must_name_what_an_op_computed_before_it(void **state)
{
    (void)state;
    Tensor *w = params_add(params, "w", SHAPE(3));
    outsider = op_scale(tape, w, 2);
    Tensor *y = tape_recompute(tape, part_with_an_outsider, NULL, SHAPE(3), INPUTS(w));
    stops_with("[3] is used by a part that is computed again and was computed before it",
               tape_backward(tape, loss_mse(tape, y, tensor_zeros(tape->arena, SHAPE(3)))));
    y = tape_recompute(tape, part_with_an_outsider, NULL, SHAPE(3), INPUTS(w, outsider));
    tape_backward(tape, loss_mse(tape, y, tensor_zeros(tape->arena, SHAPE(3))));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(a_part_leaves_no_memory_of_its_own_behind),
        EACH_DEVICE(recomputing_gives_the_same_numbers_in_less_memory),
        CASE(evaluating_a_part_that_is_recomputed_records_nothing),
        CASE(a_part_must_compute_its_output),
        CASE(a_part_must_name_what_an_op_computed_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
