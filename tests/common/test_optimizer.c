/* Optimizers against their papers' formulas, written here once more in double. */
#include "common/optimizer.h"
#include "common/loss.h"
#include "common/ops.h"
#include "tests/close.h"
#include "tests/stops.h"

enum { N = 7 };

static Arena  *keep;
static Params *params;
static Tensor *p;
static Rng     rng;

static int setup(void **state)
{
    (void)state;
    keep   = arena_new("keep", 1u << 20);
    params = params_new(keep);
    p      = params_add(params, "p", SHAPE(N));
    rng    = rng_from_seed(1);
    rng_fill_normal(&rng, p->data, N);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

// New gradients, of sizes from 1e-3 to 1e3; a copy in double.
static void draw_gradient(double g[N])
{
    for (int i = 0; i < N; i++) {
        p->grad[i] = rng_normal(&rng) * powf(10, (float)(i - 3));
        g[i]       = (double)p->grad[i];
    }
}

static void assert_follows(const double want[N], double relative)
{
    for (int i = 0; i < N; i++) {
        assert_close(p->data[i], want[i], relative * fmax(1, fabs(want[i])));
        assert_true(p->grad[i] == 0);    // used up
    }
}

static void sgd_moves_against_the_gradient(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 0.5f}});
    tensor_write(p, (float[N]){1, 2, 3});
    for (int i = 0; i < N; i++) p->grad[i] = (float)i;
    optimizer_step(sgd);
    assert_follows((double[N]){1, 1.5, 2, -1.5, -2, -2.5, -3}, 0);
    assert_int_equal(sgd->step, 1);
}

// PyTorch's form: v = momentum v + (g + decay p);  p -= rate v.
static void sgd_with_momentum_and_decay_follows_pytorchs_form(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){
        .kind = OPTIMIZER_SGD, .schedule = {.peak = 0.01f}, .momentum = 0.9f, .decay = 0.1f});
    double want[N], v[N] = {0}, g[N];
    for (int i = 0; i < N; i++) want[i] = (double)p->data[i];
    for (int step = 0; step < 20; step++) {
        draw_gradient(g);
        optimizer_step(sgd);
        for (int i = 0; i < N; i++) {
            v[i] = 0.9 * v[i] + (g[i] + 0.1 * want[i]);
            want[i] -= 0.01 * v[i];
        }
        assert_follows(want, 2e-6);
    }
}

// Kingma & Ba 2015, Algorithm 1; with decay Loshchilov & Hutter 2019, Algorithm 2, where the rate
// multiplies both terms, as in PyTorch's AdamW.
static void assert_adam_follows_its_paper(OptimizerConfig config, double beta1, double beta2, double epsilon)
{
    Optimizer *adam = optimizer_new(keep, params, config);
    double     want[N], m[N] = {0}, v[N] = {0}, g[N];
    double     rate = (double)config.schedule.peak, decay = (double)config.decay;
    for (int i = 0; i < N; i++) want[i] = (double)p->data[i];
    for (int t = 1; t <= 50; t++) {
        draw_gradient(g);
        optimizer_step(adam);
        for (int i = 0; i < N; i++) {
            m[i] = beta1 * m[i] + (1 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
            double m_hat = m[i] / (1 - pow(beta1, t)), v_hat = v[i] / (1 - pow(beta2, t));
            want[i] -= rate * (m_hat / (sqrt(v_hat) + epsilon) + decay * want[i]);
        }
        // A step moves by about `rate`; of fifty, each rounded, about 1e-6 of a value of 1 is lost.
        assert_follows(want, 5e-6);
    }
}

static void adam_follows_its_paper_with_the_usual_numbers(void **state)
{
    (void)state;
    assert_adam_follows_its_paper(
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.01f}}, 0.9, 0.999, 1e-8);
}

static void adam_follows_its_paper_with_other_numbers(void **state)
{
    (void)state;
    assert_adam_follows_its_paper((OptimizerConfig){.kind     = OPTIMIZER_ADAM,
                                                    .schedule = {.peak = 0.02f},
                                                    .beta1    = 0.5f,
                                                    .beta2    = 0.75f,
                                                    .epsilon  = 0.125f}, 0.5, 0.75, 0.125);
}

static void adamw_follows_its_paper(void **state)
{
    (void)state;
    assert_adam_follows_its_paper(
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.01f}, .decay = 0.1f}, 0.9,
        0.999, 1e-8);
}

// The corrections make the first step's size the rate, whatever the gradient's.
static void adams_first_step_is_the_rate_in_the_gradients_sign(void **state)
{
    (void)state;
    Optimizer *adam = optimizer_new(keep, params, (OptimizerConfig){
        .kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.125f}});
    tensor_write(p, (float[N]){0});
    for (int i = 0; i < N; i++) p->grad[i] = (i % 2 ? -1.0f : 1.0f) * powf(10, (float)(i - 3));
    optimizer_step(adam);
    for (int i = 0; i < N; i++) assert_close(p->data[i], i % 2 ? 0.125 : -0.125, 2e-6);
}

// Decoupled: with a gradient of 0 a parameter shrinks by the factor 1 - rate decay exactly, whatever
// came before; as a part of the gradient (L2) it would shrink by a step of the rate.
static void adamws_decay_bypasses_the_moments(void **state)
{
    (void)state;
    Optimizer *adamw = optimizer_new(keep, params, (OptimizerConfig){
        .kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.25f}, .decay = 0.5f});
    tensor_write(p, (float[N]){8, -8, 1024});
    optimizer_step(adamw);
    assert_follows((double[N]){7, -7, 896}, 0);
    for (int s = 0; s < adamw->state_count; s++)
        for (int i = 0; i < N; i++) assert_true(adamw->state[s].tensor->data[i] == 0);
}

static void the_rate_is_the_schedules(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){
        .schedule = {.shape = SCHEDULE_LINEAR, .peak = 1, .warmup = 2, .total = 4}});
    static const double rates[] = {0.5, 1, 1, 0.5, 0, 0};
    tensor_write(p, (float[N]){0});
    double at = 0;
    for (int step = 0; step < 6; step++) {
        for (int i = 0; i < N; i++) p->grad[i] = -1;
        optimizer_step(sgd);
        at += rates[step];
        assert_close(p->data[0], at, 0);
    }
}

static void clipping_bounds_the_length_and_leaves_the_direction(void **state)
{
    (void)state;
    Tensor    *q   = params_add(params, "q", SHAPE(2));    // the norm is over all parameters
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}, .clip_norm = 2});
    tensor_write(p, (float[N]){0});
    p->grad[0] = 6;
    p->grad[3] = -3;
    q->grad[1] = 2;
    optimizer_step(sgd);
    assert_close(sgd->grad_norm, 7, 1e-6);    // 36 + 9 + 4 = 49; all shrink by 2/7
    assert_close(p->data[0], -12.0 / 7, 1e-6);
    assert_close(p->data[3], 6.0 / 7, 1e-6);
    assert_close(q->data[1], -4.0 / 7, 1e-6);
    assert_true(p->grad[0] == 0 && q->grad[1] == 0);
}

static void a_gradient_within_the_bound_is_left(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}, .clip_norm = 7});
    tensor_write(p, (float[N]){0});
    p->grad[0] = 6;
    p->grad[1] = 3;
    p->grad[2] = 2;
    optimizer_step(sgd);
    assert_follows((double[N]){-6, -3, -2}, 0);
    assert_close(sgd->grad_norm, 7, 1e-6);
}

static void adams_moments_see_the_clipped_gradient(void **state)
{
    (void)state;
    Optimizer *adam = optimizer_new(keep, params, (OptimizerConfig){
        .kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}, .clip_norm = 1});
    p->grad[0] = 1000;
    optimizer_step(adam);
    assert_close(adam->state[0].tensor->data[0], 0.1, 1e-6);
    assert_close(adam->state[1].tensor->data[0], 0.001, 1e-7);
}

static Tensor *loss_on(Tape *tape, const float *rows, int count)
{
    Tensor *x = tensor_from(tape->arena, SHAPE(count, N), rows);
    Tensor *y = op_matmul(tape, x, tensor_view(tape->arena, p, SHAPE(N, 1)));    // [B,N] [N,1] -> [B,1]
    return loss_squared_error(tape, y, tensor_zeros(tape->arena, SHAPE(count, 1)));
}

// The loss is a mean over rows: two halves, each weighing a half, are the whole batch.
static void two_accumulated_halves_are_one_step_on_the_whole_batch(void **state)
{
    (void)state;
    enum { HALF = 5 };
    OptimizerConfig config = {.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.1f}};
    float rows[2 * HALF * N], start[N], whole[N];
    Tape *tape = tape_new(arena_new("step", 1u << 20));
    rng_fill_normal(&rng, rows, 2 * HALF * N);
    tensor_read(p, start);

    Optimizer *once = optimizer_new(keep, params, config);
    tape_backward(tape, loss_on(tape, rows, 2 * HALF));
    optimizer_step(once);
    tensor_read(p, whole);

    tensor_write(p, start);
    Optimizer *twice = optimizer_new(keep, params, config);
    for (int half = 0; half < 2; half++) {
        tape_reset(tape);
        tape_backward(tape, op_scale(tape, loss_on(tape, rows + half * HALF * N, HALF), 0.5f));
    }
    optimizer_step(twice);
    for (int i = 0; i < N; i++) assert_close(p->data[i], whole[i], 1e-6);
    arena_free(tape->arena);
}

static void state_is_named_for_checkpoints(void **state)
{
    (void)state;
    params_add(params, "q", SHAPE(2, 3));
    Optimizer *sgd  = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}});
    Optimizer *adam = optimizer_new(keep, params, (OptimizerConfig){
        .kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}});
    static const char *const names[] = {"adam.m.p", "adam.v.p", "adam.m.q", "adam.v.q"};
    assert_int_equal(sgd->state_count, 2);
    assert_string_equal(sgd->state[1].name, "sgd.v.q");
    assert_int_equal(adam->state_count, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(adam->state[i].name, names[i]);
    assert_string_equal(TENSOR_TEXT(adam->state[3].tensor), "[2,3]");
}

static void what_cannot_work_is_refused(void **state)
{
    (void)state;
    stops_with("the learning rate is 0; expected more than 0",
               optimizer_new(keep, params, (OptimizerConfig){0}));
    stops_with("the learning rate is nan; expected more than 0",
               optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = NAN}}));
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}});
    params_add(params, "late", SHAPE(1));
    stops_with("there are 2 parameters, but 1 when the optimizer was made", optimizer_step(sgd));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sgd_moves_against_the_gradient),
        CASE(sgd_with_momentum_and_decay_follows_pytorchs_form),
        CASE(adam_follows_its_paper_with_the_usual_numbers),
        CASE(adam_follows_its_paper_with_other_numbers),
        CASE(adamw_follows_its_paper),
        CASE(adams_first_step_is_the_rate_in_the_gradients_sign),
        CASE(adamws_decay_bypasses_the_moments),
        CASE(the_rate_is_the_schedules),
        CASE(clipping_bounds_the_length_and_leaves_the_direction),
        CASE(a_gradient_within_the_bound_is_left),
        CASE(adams_moments_see_the_clipped_gradient),
        CASE(two_accumulated_halves_are_one_step_on_the_whole_batch),
        CASE(state_is_named_for_checkpoints),
        CASE(what_cannot_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
