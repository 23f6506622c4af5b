/* Exercises 20 to 22: the loss, the optimizer, the schedule. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

// ---- 20: cross-entropy with ignored labels ----

static const char loss_formula[] = "L = -1/M sum_n log softmax(z[n])[label[n]]";
static const char dz_formula[] = "dz[n,k] = (p[n,k] - [k is the label]) / M, 0 without a label";

typedef struct Logits {
    int N, V;
    double *z;
    const int *labels;
} Logits;

static double loss_of(const void *argument)
{
    const Logits *l = argument;
    double loss = 0;
    int M = 0;
    for (int n = 0; n < l->N; n++) {
        const double *z = l->z + n * l->V;
        double most = largest_of(z, l->V), sum = 0;
        if (l->labels[n] < 0) continue;
        for (int k = 0; k < l->V; k++) sum += exp(z[k] - most);
        loss += log(sum) + (most - z[l->labels[n]]);
        M++;
    }
    return M > 0 ? loss / M : 0;
}

// With a tolerance relative to the values alone where `relative` says so.
static void assert_loss(float *z, const int *labels, int N, int V, bool relative)
{
    size_t n = (size_t)(N * V);
    float *dz = floats_filled(n, 7), *before = floats_copy(dz, n), *kept = floats_copy(z, n);
    Logits wide = {N, V, floats_wide(z, n), labels};
    double want = loss_of(&wide), *dz_want = doubles_zero(n), atol = relative ? 0 : 1e-6;
    int M = 0;
    for (int row = 0; row < N; row++) M += labels[row] >= 0;
    for (int row = 0; row < N; row++) {
        double *p = dz_want + row * V,
               others = 0;    // 1 - p of the label, without the cancellation
        if (labels[row] < 0) continue;
        softmax_of(p, wide.z + row * V, V, V);
        for (int k = 0; k < V; k++) p[k] /= M;
        for (int k = 0; k < V; k++)
            if (k != labels[row]) others += p[k];
        p[labels[row]] = -others;
    }
    float loss = tf_cross_entropy(dz, z, labels, N, V);
    assert_near(&loss, &want, SCALAR, .name = "L", .batch = M, .atol = atol, .rtol = 1e-5,
                .formula = loss_formula);
    assert_near(dz, dz_want, SHAPE(N, V), .name = "dz", .replaces = before, .batch = M,
                .atol = atol, .rtol = 1e-5, .formula = dz_formula);
    assert_kept("z", z, kept, n);
}

// Every third row has no label where `ignored` says so.
static void check_loss(int N, int V, bool ignored, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    int *labels = ints_filled((size_t)N, 0);
    for (int n = 0; n < N; n++)
        labels[n] = ignored && n % 3 == 1 ? -1 - n : (int)rng_below(&rng, (uint32_t)V);
    assert_loss(floats_normal(&rng, (size_t)(N * V)), labels, N, V, false);
}

CASE(cross_entropy__matches_an_example_computed_by_hand)
{
    // p = 1/6 2/6 3/6, a row without a label, 1/3 1/3 1/3: L = (log 2 + log 3) / 2
    float *z = FLOATS(0, logf(2), logf(3), 9, 8, 7, 5, 5, 5), *dz = floats_filled(9, NAN);
    float loss = tf_cross_entropy(dz, z, INTS(2, -1, 0), 3, 3);
    assert_number((double)loss, 0.89587973, .name = "L", .rtol = 1e-6, .formula = loss_formula);
    assert_near(dz,
                ((double[]){1 / 12.0, 2 / 12.0, -3 / 12.0, 0, 0, 0, -2 / 6.0, 1 / 6.0, 1 / 6.0}),
                SHAPE(3, 3), .name = "dz", .formula = dz_formula);
}

CASE(cross_entropy__matches_pytorch)
{
    // cross_entropy(z, [2, -100, 0])
    float *dz = floats_filled(12, NAN);
    float loss = tf_cross_entropy(dz, waves(12, 0, 1, 0), INTS(2, -100, 0), 3, 4);
    assert_number((double)loss, 0.839610816, .name = "L", .rtol = 1e-6, .formula = loss_formula);
    assert_near(dz,
                ((double[]){0.0719019183, 0.166796404, -0.321497899, 0.082799577, 0, 0, 0, 0,
                            -0.238771842, 0.146665492, 0.056374382, 0.0357319676}),
                SHAPE(3, 4), .name = "dz", .atol = 1e-7, .formula = dz_formula);
}

CASE(cross_entropy__matches_the_formula_in_double)
{
    const int shapes[][2] = {{3, 4}, {4, 3}, {1, 10}, {5, 2}, {64, 10}, {3, 1003}, {2, 1}};
    for (int i = 0; i < 7; i++)
        for (int ignored = 0; ignored < 2; ignored++)
            check_loss(shapes[i][0], shapes[i][1], ignored > 0, 900 + (uint64_t)i);
    // L is log 2; a sum in float is off in the fourth digit.
    assert_loss(floats_filled(60022, 0), ints_filled(30011, 0), 30011, 2, false);
}

CASE(cross_entropy__without_any_label_is_0)
{
    assert_loss(FLOATS(1, 2, 3, 4), INTS(-1, -100), 2, 2, false);
    assert_loss(FLOATS(1), INTS(-1), 1, 1, false);
}

CASE(cross_entropy__takes_the_first_and_the_last_token_as_labels)
{
    assert_loss(FLOATS(1, 2, 3, 0, 2, 1, 0, 0, 5), INTS(0, 2, -1), 3, 3, false);
}

CASE(cross_entropy__gradient_matches_finite_differences)
{
    Rng rng = rng_from_seed(910);
    float *z = floats_normal(&rng, 20), *dz = floats_filled(20, NAN);
    int *labels = INTS(3, -1, 0, 2, -7);
    Logits wide = {5, 4, floats_wide(z, 20), labels};
    tf_cross_entropy(dz, z, labels, 5, 4);
    assert_near(dz, slopes(loss_of, &wide, wide.z, 20), SHAPE(5, 4), .name = "dz", .batch = 3,
                .formula = "dz = dL/dz");
}

CASE(cross_entropy__is_stable_for_large_logits)
{
    assert_loss(FLOATS(1000, 999, 998, -1000, -999, -998), INTS(1, 0), 2, 3, false);
    assert_loss(FLOATS(0, 200, -200, 0), INTS(0, 0), 2, 2, false);    // L of 200 in each
    assert_loss(FLOATS(-1e30f, 1e30f), INTS(0), 1, 2, false);
    assert_loss(FLOATS(3e38f, 3e38f, 3e38f), INTS(1), 1, 3, false);
    assert_loss(floats_filled(50, 1e6f), ints_filled(1, 7), 1, 50, false);    // log 50
    assert_loss(FLOATS(-INFINITY, 1, 2, -INFINITY), INTS(2), 1, 4, false);
}

CASE(cross_entropy__keeps_the_digits_of_a_small_loss)
{
    assert_loss(FLOATS(20, 0, 1), INTS(0), 1, 3, true);
    assert_loss(FLOATS(0, 12, 0, 14, 3, 3), INTS(1, 1, -1), 3, 2, true);
}

CASE(cross_entropy__propagates_nan_within_its_row_unless_it_is_ignored)
{
    for (int k = 0; k < 6; k++) {
        float *z = FLOATS(1, 2, 3, 0, 0, 0, 3, 2, 1);
        z[3 + k % 3] = k < 3 ? NAN : INFINITY;
        if (k < 3) assert_loss(z, INTS(0, 1, 2), 3, 3, false);
        assert_loss(z, INTS(0, -1, 2), 3, 3, false);
    }
}

CASE(cross_entropy__takes_the_same_arrays_again_with_other_contents)
{
    float *z = FLOATS(1, 2, 3, 0, 0, 1);
    int *labels = INTS(0, 1);
    assert_loss(z, labels, 2, 3, false);
    z[0] = 5, labels[1] = 2;
    assert_loss(z, labels, 2, 3, false);
    labels[0] = -1;
    assert_loss(z, labels, 2, 3, false);
    check_loss(3, 4, true, 911);
    assert_loss(z, labels, 2, 3, false);
}

// ---- 21: AdamW ----

static const char adamw_formula[] =
    "p -= rate (m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps) + decay p)";

// Numbers that float holds exactly.
static const TfAdamW plain_step = {0.125f, 0.875f, 0.96875f, 0x1p-10f, 0.25f, 1};

typedef struct State {
    size_t n;
    float *p, *m, *v, *g;
} State;

static State state_new(size_t n, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    State s = {n, floats_normal(&rng, n), floats_normal(&rng, n), floats_normal(&rng, n),
               floats_normal(&rng, n)};
    for (size_t i = 0; i < n; i++) s.v[i] *= s.v[i];
    return s;
}

// A step in double, and the state that the function leaves is the next one's.
static void assert_adamw(State s, TfAdamW step, double rtol)
{
    double *p = floats_wide(s.p, s.n), *m = floats_wide(s.m, s.n), *v = floats_wide(s.v, s.n);
    double b1 = (double)step.beta1, b2 = (double)step.beta2;
    float *g = floats_copy(s.g, s.n);
    for (size_t i = 0; i < s.n; i++) {
        double gradient = (double)s.g[i];
        m[i] += (1 - b1) * (gradient - m[i]);
        v[i] += (1 - b2) * (gradient * gradient - v[i]);
        double m_hat = m[i] / -expm1((double)step.step * log(b1));
        double v_hat = v[i] / -expm1((double)step.step * log(b2));
        p[i] -= (double)step.rate *
                (m_hat / (sqrt(v_hat) + (double)step.eps) + (double)step.decay * p[i]);
    }
    tf_adamw(s.p, s.m, s.v, s.g, s.n, step);
    Shape shape = SHAPE((int)s.n);
    assert_near(s.m, m, shape, .name = "m", .rtol = 1e-6, .atol = 1e-7,
                .formula = "m = beta1 m + (1 - beta1) g");
    assert_near(s.v, v, shape, .name = "v", .rtol = 1e-6,
                .formula = "v = beta2 v + (1 - beta2) g^2");
    assert_near(s.p, p, shape, .name = "p", .rtol = rtol, .atol = rtol, .formula = adamw_formula);
    assert_kept("g", s.g, g, s.n);
}

CASE(adamw__matches_three_steps_of_pytorch)
{
    // torch.optim.AdamW from p = 1, -2, 0.5 with the gradients sin(t), sin(t + 1), sin(t + 2), t = 0, 1, 2
    const double want[3][3] = {{0.96875, -2.0623551, 0.359509103},
                               {0.845087201, -2.12291931, 0.251707356},
                               {0.710835908, -2.16113685, 0.239509929}};
    float *p = FLOATS(1, -2, 0.5f), *m = floats_filled(3, 0), *v = floats_filled(3, 0);
    TfAdamW step = plain_step;
    for (int t = 0; t < 3; t++, step.step++) {
        tf_adamw(p, m, v, waves(3, t, 1, 0), 3, step);
        assert_near(p, want[t], SHAPE(3), .name = "p", .atol = 1e-6, .formula = adamw_formula);
    }
    assert_near(m, ((double[]){0.205698067, 0.19762581, 0.00785729427}), SHAPE(3), .name = "m",
                .atol = 1e-7, .formula = "m = beta1 m + (1 - beta1) g");
    assert_near(v, ((double[]){0.0472739979, 0.0464190248, 0.042749857}), SHAPE(3), .name = "v",
                .atol = 1e-7, .formula = "v = beta2 v + (1 - beta2) g^2");
}

CASE(adamw__first_step_is_the_rate_against_the_sign_of_the_gradient)
{
    // m^ / sqrt(v^) is 1 or -1, whatever the scale
    float *p = FLOATS(1, 1, 1, 1), *m = floats_filled(4, 0), *v = floats_filled(4, 0);
    tf_adamw(p, m, v, FLOATS(1e-4f, -1e-4f, 1e4f, -1e4f), 4,
             (TfAdamW){0.5f, 0.9f, 0.999f, 1e-12f, 0, 1});
    assert_near(p, ((double[]){0.5, 1.5, 0.5, 1.5}), SHAPE(4), .name = "p", .rtol = 1e-5,
                .formula = adamw_formula);
}

CASE(adamw__without_a_gradient_only_decays)
{
    float *p = FLOATS(2, -4), *m = floats_filled(2, 0), *v = floats_filled(2, 0);
    tf_adamw(p, m, v, floats_filled(2, 0), 2, plain_step);
    assert_near(p, ((double[]){2 - 2 * 0.03125, -4 + 4 * 0.03125}), SHAPE(2), .name = "p",
                .exact = true, .formula = adamw_formula);
}

CASE(adamw__matches_the_formula_in_double)
{
    const size_t counts[] = {0, 1, 7, 1003};
    const int64_t steps[] = {1, 2, 17, 100000};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            TfAdamW step = {0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, steps[k]}, large = plain_step;
            large.step = steps[k];
            assert_adamw(state_new(counts[i], 920 + (uint64_t)(4 * i + k)), step, 1e-6);
            assert_adamw(state_new(counts[i], 940 + (uint64_t)(4 * i + k)), large, 2e-6);
        }
}

CASE(adamw__adds_eps_outside_the_root)
{
    State s = state_new(5, 960);
    for (int i = 0; i < 5; i++) s.m[i] *= 1e-4f, s.v[i] = 1e-8f, s.g[i] = 1e-4f;
    assert_adamw(s, (TfAdamW){1, 0.75f, 0.5f, 0.0625f, 0, 3}, 1e-6);
}

CASE(adamw__keeps_the_digits_of_the_bias_correction)
{
    // 1 - 0.999^2 in float may be off by 1e-5; p is the direction itself
    for (int step = 2; step < 12; step++) {
        State s = state_new(5, 966);
        floats_scale(s.g, 5, 0.01f);
        for (int i = 0; i < 5; i++) s.p[i] = 0, s.v[i] = 1e-4f, s.m[i] = 0.25f * (float)(i + 1);
        assert_adamw(s, (TfAdamW){1, 0.9f, 0.999f, 1e-8f, 0, step}, 1e-6);
    }
}

CASE(adamw__corrects_the_bias_in_every_step)
{
    // 0.99999^100000 is still 0.37
    const int64_t steps[] = {50, 101, 500, 1001, 1025, 5000, 10001, 100001};
    for (int i = 0; i < 8; i++)
        assert_adamw(state_new(5, 967), (TfAdamW){1, 0.9999f, 0.99999f, 1e-8f, 0, steps[i]}, 1e-6);
}

CASE(adamw__counts_steps_beyond_32_bits)
{
    State s = state_new(5, 961);
    assert_adamw(s, (TfAdamW){0.01f, 0.5f, 0.999f, 1e-8f, 0.1f, ((int64_t)1 << 32) + 1}, 1e-6);
}

CASE(adamw__takes_large_and_small_gradients)
{
    State s = state_new(4, 962);
    for (int i = 0; i < 4; i++) s.m[i] = s.v[i] = 0, s.g[i] = (float[]){1e18f, -1e-18f, 3, 0}[i];
    assert_adamw(s, (TfAdamW){0.25f, 0.875f, 0.96875f, 1e-30f, 0, 1}, 1e-6);
}

CASE(adamw__propagates_nan_to_its_own_parameter)
{
    State s = state_new(4, 963);
    s.g[1] = NAN, s.p[2] = NAN, s.m[3] = NAN;
    assert_adamw(s, plain_step, 1e-6);
}

CASE(adamw__takes_the_same_arrays_again_with_other_contents)
{
    State s = state_new(5, 964);
    TfAdamW step = plain_step;
    for (int i = 0; i < 4; i++, step.step++) {
        assert_adamw(s, step, 2e-6);
        floats_scale(s.g, 5, -0.5f);
        if (i == 1) assert_adamw(state_new(5, 965), plain_step, 2e-6);
        step.rate *= 0.5f;
    }
}

// ---- 22: the schedule ----

static const char schedule_formula[] =
    "peak (step + 1) / warmup, then floor + (peak - floor) (1 + cos(pi x)) / 2";

static void assert_rate(int64_t step, TfSchedule s, double want)
{
    assert_number((double)tf_schedule(step, s), want, .name = "the rate", .rtol = 3e-7,
                  .atol = 1e-12, .formula = schedule_formula);
}

CASE(schedule__climbs_to_the_peak_and_falls_to_the_floor)
{
    TfSchedule s = {8, 2, 4, 16};
    const double want[] = {2, 4, 6, 8, 8};
    for (int step = 0; step < 5; step++) assert_rate(step, s, want[step]);
    assert_rate(10, s, 5);                             // half of the way: cos is 0
    assert_rate(8, s, 5 + 3 * 0.5);                    // a third: cos is 1/2
    assert_rate(12, s, 5 - 3 * 0.5);                   // two thirds
    assert_rate(7, s, 5 + 3 * 0.70710678118654752);    // a quarter
    assert_rate(16, s, 2);
}

CASE(schedule__stays_at_the_floor)
{
    TfSchedule s = {1, 0.125f, 2, 10};
    for (int step = 10; step < 40; step++) assert_rate(step, s, 0.125);
    assert_rate(INT64_MAX / 2, s, 0.125);
}

CASE(schedule__climbs_from_below_the_floor)
{
    for (int step = 0; step < 4; step++)
        assert_rate(step, (TfSchedule){8, 5, 4, 16}, 2 * (double)(step + 1));
}

CASE(schedule__starts_at_the_peak_without_a_warm_up)
{
    TfSchedule s = {3, 0, 0, 2};
    assert_rate(0, s, 3);
    assert_rate(1, s, 1.5);
    assert_rate(2, s, 0);
    assert_rate(0, (TfSchedule){3, 1, 0, 1}, 3);
    assert_rate(1, (TfSchedule){3, 1, 0, 1}, 1);
    assert_rate(0, (TfSchedule){3, 1, 1, 2}, 3);
}

CASE(schedule__keeps_its_digits_over_a_long_run)
{
    TfSchedule s = {6e-4f, 6e-5f, 2000, 600000};
    double peak = (double)s.peak, floor = (double)s.floor;
    for (int64_t step = 0; step < 600000; step += 12347) {
        double x = ((double)step - 2000) / 598000;
        double half = sin(acos(-1) * x / 2);    // (1 + cos a) / 2 is 1 - sin(a / 2)^2
        assert_rate(step, s,
                    step < 2000 ? peak * (double)(step + 1) / 2000
                                : floor + (peak - floor) * (1 - half * half));
    }
}

CASE(schedule__counts_steps_beyond_32_bits)
{
    int64_t big = (int64_t)1 << 40;
    TfSchedule s = {1, 0, big, 3 * big};
    assert_rate(big / 2 - 1, s, 0.5);
    assert_rate(2 * big, s, 0.5);
    assert_rate(3 * big, s, 0);
}

CASE(schedule__depends_on_its_arguments_alone)
{
    TfSchedule one = {8, 0, 4, 16}, other = {80, 0, 2, 6};
    assert_rate(1, one, 4);
    assert_rate(1, other, 80);
    assert_rate(10, one, 4);
    assert_rate(4, other, 40);
    assert_rate(0, one, 2);
}

const struct CMUnitTest training_cases[] = {
    cmocka_unit_test(cross_entropy__matches_an_example_computed_by_hand),
    cmocka_unit_test(cross_entropy__matches_pytorch),
    cmocka_unit_test(cross_entropy__matches_the_formula_in_double),
    cmocka_unit_test(cross_entropy__without_any_label_is_0),
    cmocka_unit_test(cross_entropy__takes_the_first_and_the_last_token_as_labels),
    cmocka_unit_test(cross_entropy__gradient_matches_finite_differences),
    cmocka_unit_test(cross_entropy__is_stable_for_large_logits),
    cmocka_unit_test(cross_entropy__keeps_the_digits_of_a_small_loss),
    cmocka_unit_test(cross_entropy__propagates_nan_within_its_row_unless_it_is_ignored),
    cmocka_unit_test(cross_entropy__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(adamw__matches_three_steps_of_pytorch),
    cmocka_unit_test(adamw__first_step_is_the_rate_against_the_sign_of_the_gradient),
    cmocka_unit_test(adamw__without_a_gradient_only_decays),
    cmocka_unit_test(adamw__matches_the_formula_in_double),
    cmocka_unit_test(adamw__adds_eps_outside_the_root),
    cmocka_unit_test(adamw__keeps_the_digits_of_the_bias_correction),
    cmocka_unit_test(adamw__corrects_the_bias_in_every_step),
    cmocka_unit_test(adamw__counts_steps_beyond_32_bits),
    cmocka_unit_test(adamw__takes_large_and_small_gradients),
    cmocka_unit_test(adamw__propagates_nan_to_its_own_parameter),
    cmocka_unit_test(adamw__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(schedule__climbs_to_the_peak_and_falls_to_the_floor),
    cmocka_unit_test(schedule__stays_at_the_floor),
    cmocka_unit_test(schedule__climbs_from_below_the_floor),
    cmocka_unit_test(schedule__starts_at_the_peak_without_a_warm_up),
    cmocka_unit_test(schedule__keeps_its_digits_over_a_long_run),
    cmocka_unit_test(schedule__counts_steps_beyond_32_bits),
    cmocka_unit_test(schedule__depends_on_its_arguments_alone),
    {0},
};
