/* Exercises 9 to 11: the two layers of an RBM, and sampling. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"
#include "kernels/philox.h"

// ---- 9 and 10: P(h | v), P(v | h) ----

static const char hidden_formula[] = "h[r,j] = sigmoid(c[j] + sum_i w[j,i] v[r,i])",
                  visible_formula[] = "v[r,i] = sigmoid(b[i] + sum_j h[r,j] w[j,i])";

static void check_hidden(int B, int V, int H, uint64_t seed)
{
    Rbm rbm = rbm_random(seed, V, H, 1 / sqrt(V)), before = rbm_copy(&rbm);
    size_t in = (size_t)B * (size_t)V, out = (size_t)B * (size_t)H;
    float *v = rows_random(seed + 1, B, V), *held = floats_filled(out, 0.25f),
          *h = floats_filled(out, 0.25f), *kept = floats_copy(v, in);
    bm_hidden(h, v, &rbm, B);
    assert_near(h, hidden_of(&rbm, floats_wide(v, in), B), SHAPE(B, H), .name = "h",
                .formula = hidden_formula, .replaces = held, SUM_TOLERANCE);
    assert_kept("v", v, kept, in);
    assert_rbm_kept(&rbm, &before);
}

static void check_visible(int B, int V, int H, uint64_t seed)
{
    Rbm rbm = rbm_random(seed, V, H, 1 / sqrt(H)), before = rbm_copy(&rbm);
    size_t in = (size_t)B * (size_t)H, out = (size_t)B * (size_t)V;
    float *h = rows_random(seed + 1, B, H), *held = floats_filled(out, 0.25f),
          *v = floats_filled(out, 0.25f), *kept = floats_copy(h, in);
    bm_visible(v, h, &rbm, B);
    assert_near(v, visible_of(&rbm, floats_wide(h, in), B), SHAPE(B, V), .name = "v",
                .formula = visible_formula, .replaces = held, SUM_TOLERANCE);
    assert_kept("h", h, kept, in);
    assert_rbm_kept(&rbm, &before);
}

// Weights such that sums are logarithms: sigmoid(log x) = x / (1 + x).
static Rbm by_hand(void)
{
    return rbm_of(2, 3, (float[]){logf(2), 0, logf(3), logf(4), 0, -logf(2)}, (float[]){0, logf(2)},
                  (float[]){0, -logf(3), logf(5)});
}

CASE(hidden__matches_an_example_computed_by_hand)
{
    Rbm rbm = by_hand();
    float *h = floats_filled(6, NAN);
    bm_hidden(h, FLOATS(1, 0, 1, 1), &rbm, 2);
    assert_near(h, ((double[]){2 / 3.0, 1 / 2.0, 5 / 6.0, 2 / 3.0, 4 / 5.0, 5 / 7.0}), SHAPE(2, 3),
                .name = "h", .formula = hidden_formula);
}

CASE(hidden__handles_one_and_many_rows_and_units)
{
    check_hidden(1, 1, 1, 500);
    check_hidden(1, 5, 3, 510);
    check_hidden(4, 1, 7, 520);
    check_hidden(3, 7, 1, 530);
    check_hidden(5, 33, 18, 540);
    check_hidden(17, 100, 65, 550);
}

CASE(hidden__takes_probabilities_and_large_inputs)
{
    Rbm rbm = rbm_of(1, 2, (float[]){2, 1000}, (float[]){0}, (float[]){0, -500});
    float *h = floats_filled(4, NAN);
    bm_hidden(h, FLOATS(0.5f, 0), &rbm, 2);
    assert_near(h, ((double[]){1 / (1 + exp(-1)), 0.5, 0.5, 0}), SHAPE(2, 2), .name = "h",
                .formula = hidden_formula);
    bm_hidden(h, FLOATS(1, 0.75f), &rbm, 2);
    assert_near(h, ((double[]){1 / (1 + exp(-2)), 1, 1 / (1 + exp(-1.5)), 1}), SHAPE(2, 2),
                .name = "h", .formula = hidden_formula);
}

CASE(hidden__propagates_nan)
{
    Rbm rbm = rbm_of(2, 2, (float[]){1, 1, 0, 0}, (float[]){0, 0}, (float[]){0, NAN});
    float *h = floats_filled(4, 7);
    bm_hidden(h, FLOATS(NAN, 1, 1, 1), &rbm, 2);
    assert_near(h, ((double[]){(double)NAN, (double)NAN, 1 / (1 + exp(-2)), (double)NAN}),
                SHAPE(2, 2), .name = "h", .formula = hidden_formula);
}

CASE(hidden__takes_the_same_arrays_again)
{
    float w[] = {1}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *h = floats_filled(1, NAN), *v = FLOATS(1);
    bm_hidden(h, v, &rbm, 1);
    w[0] = 2;
    bm_hidden(h, v, &rbm, 1);
    assert_near(h, &(double){1 / (1 + exp(-2))}, SHAPE(1, 1), .name = "h of the second call");
}

CASE(visible__matches_an_example_computed_by_hand)
{
    Rbm rbm = by_hand();
    float *v = floats_filled(4, NAN);
    bm_visible(v, FLOATS(1, 1, 0, 0, 0, 1), &rbm, 2);
    assert_near(v, ((double[]){6 / 7.0, 8 / 9.0, 1 / 2.0, 1 / 2.0}), SHAPE(2, 2), .name = "v",
                .formula = visible_formula);
}

CASE(visible__handles_one_and_many_rows_and_units)
{
    check_visible(1, 1, 1, 560);
    check_visible(1, 5, 3, 570);
    check_visible(4, 1, 7, 580);
    check_visible(3, 7, 1, 590);
    check_visible(5, 33, 18, 600);
    check_visible(17, 100, 65, 610);
}

CASE(visible__takes_probabilities_and_large_inputs)
{
    Rbm rbm = rbm_of(2, 1, (float[]){2, 1000}, (float[]){0, -500}, (float[]){0});
    float *v = floats_filled(4, NAN);
    bm_visible(v, FLOATS(0.5f, 0), &rbm, 2);
    assert_near(v, ((double[]){1 / (1 + exp(-1)), 0.5, 0.5, 0}), SHAPE(2, 2), .name = "v",
                .formula = visible_formula);
    bm_visible(v, FLOATS(1, 0.75f), &rbm, 2);
    assert_near(v, ((double[]){1 / (1 + exp(-2)), 1, 1 / (1 + exp(-1.5)), 1}), SHAPE(2, 2),
                .name = "v", .formula = visible_formula);
}

CASE(visible__propagates_nan)
{
    Rbm rbm = rbm_of(2, 2, (float[]){1, 0, 1, 0}, (float[]){0, NAN}, (float[]){0, 0});
    float *v = floats_filled(4, 7);
    bm_visible(v, FLOATS(NAN, 1, 1, 1), &rbm, 2);
    assert_near(v, ((double[]){(double)NAN, (double)NAN, 1 / (1 + exp(-2)), (double)NAN}),
                SHAPE(2, 2), .name = "v", .formula = visible_formula);
}

CASE(visible__takes_the_same_arrays_again)
{
    float w[] = {1}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *v = floats_filled(1, NAN), *h = FLOATS(1);
    bm_visible(v, h, &rbm, 1);
    w[0] = 2;
    bm_visible(v, h, &rbm, 1);
    assert_near(v, &(double){1 / (1 + exp(-2))}, SHAPE(1, 1), .name = "v of the second call");
}

// ---- 11: sampling ----

static const char sample_formula[] = "s[i] = 1 where u[i] < p[i], else 0";

static void check_sample(size_t n, Draw draw)
{
    Rng rng = rng_from_seed(620 + n);
    float *p = floats_filled(n, 0), *s = floats_filled(n, 0.25f), *held = floats_copy(s, n), *kept;
    rng_fill_uniform(&rng, p, n);
    kept = floats_copy(p, n);
    bm_sample(s, p, n, draw);
    assert_near(s, sample_of(floats_wide(p, n), n, draw), SHAPE((int)n), .name = "s",
                .formula = sample_formula, .exact = true, .replaces = held);
    assert_kept("p", p, kept, n);
}

CASE(sample__is_1_where_the_draw_is_below_p)
{
    for (size_t n = 1; n <= 9; n++) check_sample(n, (Draw){5, 6});
    check_sample(1001, (Draw){7, 8});
    check_sample(64, (Draw){UINT64_MAX, UINT64_MAX});
}

CASE(sample__of_0_is_0_and_of_1_is_1)
{
    float *s = floats_filled(1000, NAN);
    bm_sample(s, floats_filled(1000, 0), 1000, (Draw){1, 2});
    for (int i = 0; i < 1000; i++) assert_close(s[i], 0, 0);
    bm_sample(s, floats_filled(1000, 1), 1000, (Draw){1, 2});
    for (int i = 0; i < 1000; i++) assert_close(s[i], 1, 0);
}

CASE(sample__is_0_where_p_equals_the_draw)
{
    const Draw draw = {3, 4};
    float *p = floats_filled(40, 0), *s = floats_filled(40, NAN);
    double *zeros = doubles_zero(40);
    for (size_t i = 0; i < 40; i++) p[i] = philox_uniform(philox(draw, i / 4).word[i % 4]);
    bm_sample(s, p, 40, draw);
    assert_near(s, zeros, SHAPE(40), .name = "s", .formula = sample_formula, .exact = true);
}

CASE(sample__draws_by_seed_stream_and_place)
{
    check_sample(200, (Draw){1, 0});
    check_sample(200, (Draw){1, 1});
    check_sample(200, (Draw){2, 0});
}

CASE(sample__takes_a_share_p)
{
    enum { N = 40000 };
    float *s = floats_filled(N, NAN);
    bm_sample(s, floats_filled(N, 0.3f), N, (Draw){11, 12});
    double ones = 0;
    for (int i = 0; i < N; i++) ones += (double)s[i];
    // Its standard deviation is 92.
    assert_number(ones, 0.3 * N, .name = "ones among 40000 samples of p = 0.3", .atol = 400);
}

CASE(sample__keeps_nan)
{
    float *s = floats_filled(3, 7);
    bm_sample(s, FLOATS(1, NAN, 0), 3, (Draw){1, 2});
    assert_near(s, ((double[]){1, (double)NAN, 0}), SHAPE(3), .name = "s",
                .formula = "a NaN stays NaN", .exact = true);
}

CASE(sample__takes_the_same_arrays_again)
{
    float *p = FLOATS(1, 0), *s = floats_filled(2, NAN);
    bm_sample(s, p, 2, (Draw){1, 2});
    p[0] = 0, p[1] = 1;
    bm_sample(s, p, 2, (Draw){1, 2});
    assert_near(s, ((double[]){0, 1}), SHAPE(2), .name = "s of the second call", .exact = true);
}

const struct CMUnitTest layer_cases[] = {
    cmocka_unit_test(hidden__matches_an_example_computed_by_hand),
    cmocka_unit_test(hidden__handles_one_and_many_rows_and_units),
    cmocka_unit_test(hidden__takes_probabilities_and_large_inputs),
    cmocka_unit_test(hidden__propagates_nan),
    cmocka_unit_test(hidden__takes_the_same_arrays_again),
    cmocka_unit_test(visible__matches_an_example_computed_by_hand),
    cmocka_unit_test(visible__handles_one_and_many_rows_and_units),
    cmocka_unit_test(visible__takes_probabilities_and_large_inputs),
    cmocka_unit_test(visible__propagates_nan),
    cmocka_unit_test(visible__takes_the_same_arrays_again),
    cmocka_unit_test(sample__is_1_where_the_draw_is_below_p),
    cmocka_unit_test(sample__of_0_is_0_and_of_1_is_1),
    cmocka_unit_test(sample__is_0_where_p_equals_the_draw),
    cmocka_unit_test(sample__draws_by_seed_stream_and_place),
    cmocka_unit_test(sample__takes_a_share_p),
    cmocka_unit_test(sample__keeps_nan),
    cmocka_unit_test(sample__takes_the_same_arrays_again),
    {0},
};
