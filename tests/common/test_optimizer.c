/* Optimizers against their papers' formulas, written here once more in double. */
#include "common/optimizer.h"
#include "common/loss.h"
#include "common/ops.h"
#include "kernels/device.h"
#include "kernels/trace.h"
#include "tests/facts.h"
#include "tests/devices.h"
#include "tests/near.h"
#include "tests/stops.h"

enum { N = 7 };

static Arena *keep;
static Params *params;
static Tensor *p;
static Rng rng;

static int setup(void **state)
{
    float start[N];
    device_for_case(*state);
    keep = arena_new("keep", 1u << 20);
    params = params_new(keep);
    p = params_add(params, "p", SHAPE(N));
    rng = rng_from_seed(1);
    rng_fill_normal(&rng, start, N);
    tensor_write(p, start);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(keep);
    return 0;
}

// As a backward would.
static void set_grad(Tensor *x, const float *values)
{
    device->put(x->grad, values, tensor_count(x) * sizeof *values);
    x->has_grad = true;
}

// New gradients, of sizes from 1e-3 to 1e3; a copy in double.
static void draw_gradient(double g[N])
{
    float values[N];
    for (int i = 0; i < N; i++) {
        values[i] = rng_normal(&rng) * powf(10, (float)(i - 3));
        g[i] = (double)values[i];
    }
    set_grad(p, values);
}

static void read_wide(const Tensor *x, double *wide)
{
    float values[N];
    tensor_read(x, values);
    for (int i = 0; i < N; i++) wide[i] = (double)values[i];
}

static void assert_follows(const double want[N], double relative)
{
    double got[N];
    read_wide(p, got);
    for (int i = 0; i < N; i++) assert_close(got[i], want[i], relative * fmax(1, fabs(want[i])));
    assert_false(p->has_grad);    // used up
}

static void sgd_moves_against_the_gradient(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 0.5f}});
    tensor_write(p, (float[N]){1, 2, 3});
    set_grad(p, (float[N]){0, 1, 2, 3, 4, 5, 6});
    optimizer_step(sgd);
    assert_follows((double[N]){1, 1.5, 2, -1.5, -2, -2.5, -3}, 0);
    assert_int_equal(sgd->step, 1);
}

// PyTorch's form: v = momentum v + (g + decay p);  p -= rate v.
static void sgd_with_momentum_and_decay_follows_pytorchs_form(void **state)
{
    (void)state;
    params->items[0].decay = true;
    Optimizer *sgd = optimizer_new(
        keep, params,
        (OptimizerConfig){
            .kind = OPTIMIZER_SGD, .schedule = {.peak = 0.01f}, .momentum = 0.9f, .decay = 0.1f});
    double want[N], v[N] = {0}, g[N];
    read_wide(p, want);
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
static void assert_adam_follows_its_paper(OptimizerConfig config, double beta1, double beta2,
                                          double epsilon)
{
    params->items[0].decay = true;
    Optimizer *adam = optimizer_new(keep, params, config);
    double want[N], m[N] = {0}, v[N] = {0}, g[N];
    double rate = (double)config.schedule.peak, decay = (double)config.decay;
    read_wide(p, want);
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
    assert_adam_follows_its_paper((OptimizerConfig){.kind = OPTIMIZER_ADAM,
                                                    .schedule = {.peak = 0.02f},
                                                    .beta1 = 0.5f,
                                                    .beta2 = 0.75f,
                                                    .epsilon = 0.125f},
                                  0.5, 0.75, 0.125);
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
    Optimizer *adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.125f}});
    tensor_write(p, (float[N]){0});
    set_grad(p, (float[N]){1e-3f, -1e-2f, 0.1f, -1, 10, -100, 1000});
    optimizer_step(adam);
    assert_follows((double[N]){-0.125, 0.125, -0.125, 0.125, -0.125, 0.125, -0.125}, 2e-6);
}

// Decoupled: with a gradient of 0 a parameter shrinks by the factor 1 - rate decay exactly, whatever
// came before; as a part of the gradient (L2) it would shrink by a step of the rate.
// With an epsilon that is made for them (1e-15 is usual in rendering), the smallest gradients count.
static void adam_takes_tiny_gradients_as_the_formula_says(void **state)
{
    (void)state;
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.5f}, .epsilon = 1e-15f});
    float g[N] = {1e-14f, -1e-14f, 3e-15f, 1e-15f, -1e-16f, 1e-17f, 0}, before[N], after[N];
    tensor_read(p, before);
    set_grad(p, g);
    optimizer_step(adam);
    tensor_read(p, after);
    for (int i = 0; i < N; i++) {
        double want = 0.5 * (double)g[i] / (fabs((double)g[i]) + 1e-15),
               got = (double)(before[i] - after[i]);
        if (!(fabs(got - want) < 1e-3))
            fail_msg("a gradient of %g moved by %g, expected %g", (double)g[i], got, want);
    }
}

static void adamws_decay_bypasses_the_moments(void **state)
{
    (void)state;
    params->items[0].decay = true;
    Optimizer *adamw = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.25f}, .decay = 0.5f});
    tensor_write(p, (float[N]){8, -8, 1024});
    optimizer_step(adamw);
    assert_follows((double[N]){7, -7, 896}, 0);
    for (int s = 0; s < adamw->state_count; s++)
        assert_near(values_of(adamw->state[s].tensor), (double[N]){0}, SHAPE(N), .name = "moment",
                    .exact = true);
}

static void the_rate_is_the_schedules(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(
        keep, params,
        (OptimizerConfig){
            .schedule = {.shape = SCHEDULE_LINEAR, .peak = 1, .warmup = 2, .total = 4}});
    static const double rates[] = {0.5, 1, 1, 0.5, 0, 0};
    tensor_write(p, (float[N]){0});
    double at = 0;
    for (int step = 0; step < 6; step++) {
        set_grad(p, (float[N]){-1});
        optimizer_step(sgd);
        at += rates[step];
        assert_follows((double[N]){at}, 0);
    }
}

static void clipping_bounds_the_length_and_leaves_the_direction(void **state)
{
    (void)state;
    Tensor *q = params_add(params, "q", SHAPE(2));    // the norm is over all parameters
    Optimizer *sgd =
        optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}, .clip_norm = 2});
    tensor_write(p, (float[N]){0});
    set_grad(p, (float[N]){6, 0, 0, -3});
    set_grad(q, (float[]){0, 2});
    optimizer_step(sgd);
    assert_close(optimizer_grad_norm(sgd), 7, 1e-6);    // 36 + 9 + 4 = 49; all shrink by 2/7
    assert_follows((double[N]){-12.0 / 7, 0, 0, 6.0 / 7}, 1e-6);
    assert_near(values_of(q), ((double[]){0, -4.0 / 7}), SHAPE(2), .name = "q");
}

static void clipping_scales_gradients_whose_squares_are_no_floats(void **state)
{
    (void)state;
    const float sizes[] = {1e20f, 1e-25f, 6e37f};
    for (int k = 0; k < 3; k++) {
        // 1e-25 is clipped to a fifth of its norm, the others to 1.
        float f = sizes[k], bound = f < 1 ? f : 1;
        Optimizer *sgd = optimizer_new(
            keep, params, (OptimizerConfig){.schedule = {.peak = 1 / bound}, .clip_norm = bound});
        tensor_write(p, (float[N]){0});
        set_grad(p, (float[N]){3 * f, 4 * f});
        optimizer_step(sgd);
        assert_close(optimizer_grad_norm(sgd) / f, 5, 1e-5);
        assert_follows((double[N]){-0.6, -0.8}, 1e-5);
    }
}

static void a_gradient_within_the_bound_is_left(void **state)
{
    (void)state;
    Optimizer *sgd =
        optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}, .clip_norm = 7});
    assert_close(optimizer_grad_norm(sgd), 0, 0);    // no step yet
    tensor_write(p, (float[N]){0});
    set_grad(p, (float[N]){6, 3, 2});
    optimizer_step(sgd);
    assert_follows((double[N]){-6, -3, -2}, 0);
    assert_close(optimizer_grad_norm(sgd), 7, 1e-6);
}

static void adams_moments_see_the_clipped_gradient(void **state)
{
    (void)state;
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}, .clip_norm = 1});
    set_grad(p, (float[N]){1000});
    optimizer_step(adam);
    assert_close(values_of(adam->state[0].tensor)[0], 0.1, 1e-6);
    assert_close(values_of(adam->state[1].tensor)[0], 0.001, 1e-7);
}

static void refused_get(void *host, const void *from, size_t bytes)
{
    (void)host, (void)from, (void)bytes;
    fail_msg("a step read the device's numbers");
}

static void a_step_reads_nothing_back(void **state)
{
    (void)state;
    const Device *const ref = device;
    Device blind = *ref;
    blind.get = refused_get;
    device = &blind;    // ref's kernels stay in use
    Arena *own = arena_new("blind", 1u << 20);
    Params *unread = params_new(own);
    Tensor *w = params_add(unread, "w", SHAPE(2, 2));
    Optimizer *adam = optimizer_new(
        own, unread,
        (OptimizerConfig){
            .kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}, .decay = 0.1f, .clip_norm = 1});
    Tape *tape = tape_new(arena_new("step", 1u << 20));
    for (int step = 0; step < 2; step++) {
        Tensor *y = op_matmul(tape, w, w);
        tape_backward(
            tape, loss_squared_error(tape, y,
                                     tensor_from(tape->arena, SHAPE(2, 2), (float[]){1, 2, 3, 4})));
        optimizer_step(adam);
        tape_reset(tape);
    }
    arena_free(tape->arena);
    arena_free(own);
    device = ref;
}

// ---- parts of the block

static void each_parameter_has_its_own_rate_and_decay(void **state)
{
    (void)state;
    Tensor *weight = params_add(params, "weight", SHAPE(1, 2)),
           *bias = params_add(params, "bias", SHAPE(2)),
           *slow = params_add(params, "slow", SHAPE(1, 1)),
           *last = params_add(params, "last", SHAPE(1, 1));
    Tensor *all[] = {p, weight, bias, slow, last};
    params_item(params, "slow")->rate = 0.25f;
    Optimizer *sgd =
        optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 0.5f}, .decay = 0.5f});
    assert_int_equal(sgd->span_count, 5);
    for (int i = 0; i < 5; i++) {
        tensor_write(all[i], (float[N]){8, 8, 8, 8, 8, 8, 8});
        set_grad(all[i], (float[N]){1, 1, 1, 1, 1, 1, 1});
    }
    optimizer_step(sgd);
    // 8 - 0.5 (1 + 0.5 * 8) = 5.5 where it decays, 8 - 0.5 = 7.5 where not, 8 - 0.125 * 5 = 7.375 slowly
    assert_follows((double[N]){7.5, 7.5, 7.5, 7.5, 7.5, 7.5, 7.5}, 0);
    assert_near(values_of(weight), ((double[]){5.5, 5.5}), SHAPE(1, 2), .name = "weight",
                .exact = true);
    assert_near(values_of(bias), ((double[]){7.5, 7.5}), SHAPE(2), .name = "bias", .exact = true);
    assert_near(values_of(slow), ((double[]){7.375}), SHAPE(1, 1), .name = "slow", .exact = true);
    assert_near(values_of(last), ((double[]){5.5}), SHAPE(1, 1), .name = "last", .exact = true);
}

static void neighbours_of_the_same_rate_and_decay_are_one_span(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) params_add(params, arena_print(keep, "%d", i), SHAPE(3));
    Optimizer *sgd =
        optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}, .decay = 0.1f});
    assert_int_equal(sgd->span_count, 1);
}

static void a_frozen_parameter_stands_still_and_has_no_moments(void **state)
{
    (void)state;
    params->frozen = true;
    Tensor *e = params_add(params, "e", SHAPE(1, N));
    params->frozen = false;
    tensor_write(e, (float[N]){1, 2, 3, 4, 5, 6, 7});
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}, .decay = 0.5f});
    assert_int_equal(adam->state_count, 2);
    Tape *tape = tape_new(arena_new("step", 1u << 20));
    for (int step = 0; step < 3; step++) {
        Tensor *both = op_mul(tape, e, tensor_view(tape->arena, p, SHAPE(1, N)));
        tape_backward(tape, loss_squared_error(tape, both, tensor_zeros(tape->arena, both->shape)));
        optimizer_step(adam);
        tape_reset(tape);
    }
    arena_free(tape->arena);
    assert_false(e->has_grad);
    assert_near(values_of(e), ((double[]){1, 2, 3, 4, 5, 6, 7}), SHAPE(1, N), .name = "e",
                .exact = true);
}

static void an_optimizer_of_frozen_parameters_does_nothing(void **state)
{
    (void)state;
    Params *frozen = params_new(keep);
    frozen->frozen = true;
    Tensor *e = params_add(frozen, "e", SHAPE(2));
    tensor_write(e, (float[]){1, 2});
    for (OptimizerKind kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAM; kind++) {
        Optimizer *optimizer = optimizer_new(
            keep, frozen,
            (OptimizerConfig){
                .kind = kind, .schedule = {.peak = 1}, .decay = 0.5f, .clip_norm = 1});
        assert_int_equal(optimizer->state_count, 0);
        optimizer_step(optimizer);
    }
    assert_near(values_of(e), ((double[]){1, 2}), SHAPE(2), .name = "e", .exact = true);
}

static void a_parameter_that_no_gradient_reached_stands_still(void **state)
{
    (void)state;
    Tensor *q = params_add(params, "q", SHAPE(2));
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}, .clip_norm = 100});
    tensor_write(q, (float[]){3, 4});
    kernels.fill(q->grad, 99, 2);    // left from long ago: it is no gradient
    set_grad(p, (float[N]){3});
    optimizer_step(adam);
    assert_near(values_of(q), ((double[]){3, 4}), SHAPE(2), .name = "q", .exact = true);
    assert_close(optimizer_grad_norm(adam), 3, 1e-6);
}

static void the_zeros_between_parameters_stay(void **state)
{
    (void)state;
    params_add(params, "q", SHAPE(3, 3));
    Optimizer *adam = optimizer_new(
        keep, params,
        (OptimizerConfig){
            .kind = OPTIMIZER_ADAM, .schedule = {.peak = 0.1f}, .decay = 0.1f, .clip_norm = 1});
    for (int step = 0; step < 3; step++) {
        set_grad(p, (float[N]){1, 2, 3, 4, 5, 6, 7});
        set_grad(params->items[1].tensor, (float[]){1, 2, 3, 4, 5, 6, 7, 8, 9});
        optimizer_step(adam);
    }
    const float *blocks[] = {params->trained.at, params->grads.at, adam->moments[0],
                             adam->moments[1]};
    for (int k = 0; k < 4; k++) {
        const float *x = numbers_at(blocks[k], 32);
        for (int i = 0; i < 32; i++) assert_int_equal(x[i] != 0, i < N || (i >= 16 && i < 16 + 9));
    }
}

static Tensor *loss_on(Tape *tape, const float *rows, int count)
{
    Tensor *x = tensor_from(tape->arena, SHAPE(count, N), rows);
    Tensor *y =
        op_matmul(tape, x, tensor_view(tape->arena, p, SHAPE(N, 1)));    // [B,N] [N,1] -> [B,1]
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
    const float *parts = values_of(p);
    for (int i = 0; i < N; i++) assert_close(parts[i], whole[i], 1e-6);
    arena_free(tape->arena);
}

static void state_is_named_for_checkpoints(void **state)
{
    (void)state;
    params_add(params, "q", SHAPE(2, 3));
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1}});
    Optimizer *adam = optimizer_new(
        keep, params, (OptimizerConfig){.kind = OPTIMIZER_ADAM, .schedule = {.peak = 1}});
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
    Params *all = params_new(keep);
    params_include(all, params);
    stops_with("'p' was included from other parameters; an optimizer takes their own",
               optimizer_new(keep, all, (OptimizerConfig){.schedule = {.peak = 1}}));
    params_add(all, "own", SHAPE(1));
    stops_with("'p' was included from other parameters",
               optimizer_new(keep, all, (OptimizerConfig){.schedule = {.peak = 1}}));
}

static void a_step_that_is_not_finite_is_named(void **state)
{
    (void)state;
    Optimizer *sgd = optimizer_new(keep, params, (OptimizerConfig){.schedule = {.peak = 1e38f}});
    float g[N] = {0, 1e10f};
    set_grad(p, g);
    stops_with("optimizer_step: kernels.sgd_step gave -inf at [0,1]", trace_start(false, true),
               optimizer_step(sgd));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_DEVICE(sgd_moves_against_the_gradient),
        EACH_DEVICE(sgd_with_momentum_and_decay_follows_pytorchs_form),
        EACH_DEVICE(adam_follows_its_paper_with_the_usual_numbers),
        EACH_DEVICE(adam_follows_its_paper_with_other_numbers),
        EACH_DEVICE(adamw_follows_its_paper),
        EACH_DEVICE(adams_first_step_is_the_rate_in_the_gradients_sign),
        EACH_DEVICE(adam_takes_tiny_gradients_as_the_formula_says),
        EACH_DEVICE(adamws_decay_bypasses_the_moments),
        EACH_DEVICE(the_rate_is_the_schedules),
        EACH_DEVICE(clipping_bounds_the_length_and_leaves_the_direction),
        EACH_DEVICE(clipping_scales_gradients_whose_squares_are_no_floats),
        EACH_DEVICE(a_gradient_within_the_bound_is_left),
        EACH_DEVICE(adams_moments_see_the_clipped_gradient),
        CASE(a_step_reads_nothing_back),
        EACH_DEVICE(each_parameter_has_its_own_rate_and_decay),
        CASE(neighbours_of_the_same_rate_and_decay_are_one_span),
        EACH_DEVICE(a_frozen_parameter_stands_still_and_has_no_moments),
        EACH_DEVICE(an_optimizer_of_frozen_parameters_does_nothing),
        EACH_DEVICE(a_parameter_that_no_gradient_reached_stands_still),
        EACH_DEVICE(the_zeros_between_parameters_stay),
        EACH_DEVICE(two_accumulated_halves_are_one_step_on_the_whole_batch),
        CASE(state_is_named_for_checkpoints),
        CASE(what_cannot_work_is_refused),
        EACH_DEVICE(a_step_that_is_not_finite_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
