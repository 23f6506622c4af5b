/* Exercises 1 to 4: the Elman cell, backpropagation through time, truncation, clipping. check.c says how cases are
   made. */
#include "labs/2_core/rnn/check.h"
#include "labs/2_core/rnn/check_values.h"

static const float not_a_number = (float)NAN;

// ---- 1: the Elman cell ----

CASE(elman__matches_an_example_computed_by_hand)
{
    const float w[] = {1, 0, 0, 2}, u[] = {0, 1, 1, 0}, b[] = {0, 0.5f};
    const Cell cell = {2, 2, w, u, b, NULL};
    const Sequence s = {.T = 2, .B = 1, .x = FLOATS(1, 0, 0, 1), .h = floats_filled(4, NAN)};
    rn_elman(&cell, &s);
    const double h0 = tanh(1), h1 = tanh(0.5);
    assert_near(s.h, ((double[]){h0, h1, tanh(h1), tanh(2 + h0 + 0.5)}), SHAPE(2, 1, 2),
                .name = "h", .formula = "h[t] = tanh(w x[t] + u h[t-1] + b)");
}

CASE(elman__matches_pytorch)
{
    const Problem p = problem_waves(ELMAN);
    assert_near(run_forward(&p).h, elman_h, SHAPE(3, 2, 2), .name = "h");
}

CASE(elman__handles_any_number_of_steps_sequences_and_units)
{
    check_forwards(ELMAN, 100);
}

CASE(elman__saturates_at_large_inputs)
{
    check_extremes(ELMAN, 120);
}

CASE(elman__propagates_nan_to_its_own_sequence_alone)
{
    check_nan_forward(ELMAN);
}

CASE(elman__propagates_nan_of_every_input)
{
    check_nan_inputs(ELMAN, 140);
}

CASE(elman__takes_the_same_arrays_again)
{
    const Cell cell = {1, 1, FLOATS(1), FLOATS(1), FLOATS(0), NULL};
    float *x = FLOATS(1, 2), *h0 = FLOATS(0);
    const Sequence s = {.T = 2, .B = 1, .x = x, .h0 = h0, .h = floats_filled(2, NAN)};
    rn_elman(&cell, &s);
    x[0] = -1, h0[0] = 0.25f;
    rn_elman(&cell, &s);
    assert_near(s.h, ((double[]){tanh(-0.75), tanh(2 + tanh(-0.75))}), SHAPE(2, 1, 1),
                .name = "h of the second call");
}

// ---- 2: backpropagation through time ----

CASE(elman_backward__is_the_derivative_of_the_loss)
{
    check_backwards(ELMAN, 200);
}

CASE(elman_backward__adds_to_the_gradients)
{
    const Problem p = problem_random(ELMAN, 3, 2, 3, 2, 210, true);
    check_backward(&p, 0.5f, WANT_ALL);
}

CASE(elman_backward__matches_pytorch)
{
    const Problem p = problem_waves(ELMAN);
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    assert_near(got.dx, elman_dx, SHAPE(3, 2, 2), .name = "dx");
    assert_near(got.dh0, elman_dh0, SHAPE(2, 2), .name = "dh0");
    assert_near(got.dw, elman_dw, SHAPE(2, 2), .name = "dw");
    assert_near(got.du, elman_du, SHAPE(2, 2), .name = "du");
    assert_near(got.db, elman_db, SHAPE(2), .name = "db");
}

CASE(elman_backward__leaves_out_gradients_that_are_not_wanted)
{
    check_unwanted(problem_random(ELMAN, 3, 2, 3, 2, 220, true));
}

CASE(elman_backward__vanishes_and_explodes)
{
    // h stays 0: each step back multiplies the gradient by u.
    for (int sign = -1; sign <= 1; sign += 2) {
        const double factor = sign < 0 ? 0.5 : 2;
        enum { T = 60 };
        Problem p = problem_random(ELMAN, T, 1, 1, 1, 230, false);
        p.u[0] = factor, p.b[0] = 0;
        for (int t = 0; t < T; t++) p.x[t] = 0, p.dh[t] = t == T - 1;
        const Outcome got = run_backward(&p, 0, WANT_ALL);
        double *want = doubles_zero(T);
        for (int t = 0; t < T; t++) want[t] = pow(factor, T - 1 - t);
        assert_near(got.dh, want, SHAPE(T), .name = "dh", .rtol = 1e-5);
    }
}

CASE(elman_backward__propagates_nan)
{
    Problem p = problem_random(ELMAN, 3, 2, 1, 1, 240, false);
    p.dh[2] = (double)NAN;    // step 1, sequence 0
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    for (int t = 0; t < 3; t++)
        for (int b = 0; b < 2; b++)
            assert_that(isnan(got.dx[2 * t + b]) == (b == 0 && t < 2), "dx[%d,%d] is %g", t, b,
                        (double)got.dx[2 * t + b]);
    assert_that(isnan(got.dw[0]) && isnan(got.du[0]) && isnan(got.db[0]),
                "dw, du, db are %g %g %g; expected nan", (double)got.dw[0], (double)got.du[0],
                (double)got.db[0]);
    Problem bad = problem_random(ELMAN, 3, 2, 1, 1, 241, false);
    bad.x[2] = (double)NAN;    // and with it h[1] and h[2] of sequence 0
    const float *dx = run_backward(&bad, 0, WANT_ALL).dx;
    for (int i = 0; i < 6; i++)
        assert_that(isnan(dx[i]) == (i % 2 == 0), "dx[%d,%d] is %g where h is NaN in sequence 0",
                    i / 2, i % 2, (double)dx[i]);
}

// One unit, two steps; h and dh of the second call differ from those of the first.
static void call_again(int K)
{
    const Cell cell = {1, 1, FLOATS(2), FLOATS(3), FLOATS(0), NULL};
    float *x = FLOATS(1, 1), *h = FLOATS(0.5f, 0.5f), *dh = FLOATS(1, 1), *dx = FLOATS(0, 0),
          *dw = FLOATS(0), *du = FLOATS(0), *db = FLOATS(0);
    const Sequence s = {.T = 2, .B = 1, .x = x, .h = h};
    const Gradient g = {.h = dh, .x = dx, .w = dw, .u = du, .b = db, .work = floats_filled(8, NAN)};
    for (int call = 0; call < 2; call++) {
        x[0] = 1, x[1] = (float)call;
        h[0] = 0.5f, h[1] = call == 0 ? 0.5f : 0;
        dh[0] = 0, dh[1] = call == 0 ? 5 : 1;
        dx[0] = dx[1] = dw[0] = du[0] = db[0] = 0;
        if (K > 0) rn_truncated(&g, &cell, &s, K);
        else rn_elman_backward(&g, &cell, &s);
    }
    // da[1] = 1, da[0] = 3 * 0.75, or 0 where the chunk ends between them.
    const double first = K == 1 ? 0 : 2.25;
    assert_near(dx, ((double[]){2 * first, 2}), SHAPE(2), .name = "dx of the second call");
    assert_near(dw, ((double[]){first + 1}), SHAPE(1), .name = "dw of the second call");
    assert_near(du, ((double[]){0.5}), SHAPE(1), .name = "du of the second call");
    assert_near(db, ((double[]){first + 1}), SHAPE(1), .name = "db of the second call");
}

CASE(elman_backward__takes_the_same_arrays_again)
{
    call_again(0);
}

// ---- 3: truncation ----

CASE(truncated__cuts_the_gradient_between_chunks)
{
    for (int K = 1; K <= 8; K++)
        for (int given = 0; given < 2; given++) {
            Problem p = problem_random(ELMAN, 7, 2, 3, 2, 300, given == 1);
            p.K = K;
            check_backward(&p, 0, WANT_ALL);
        }
}

CASE(truncated__takes_any_number_of_chunks)
{
    Problem p = problem_random(ELMAN, 40, 1, 1, 2, 305, true);
    p.K = 1;
    check_backward(&p, 0, WANT_ALL);
}

CASE(truncated__adds_to_the_gradients)
{
    Problem p = problem_random(ELMAN, 5, 3, 2, 4, 310, true);
    p.K = 2;
    check_backward(&p, 0.5f, WANT_ALL);
}

CASE(truncated__leaves_out_gradients_that_are_not_wanted)
{
    Problem p = problem_random(ELMAN, 5, 1, 2, 3, 320, true);
    p.K = 2;
    check_unwanted(p);
}

CASE(truncated__passes_nothing_beyond_the_chunk)
{
    enum { T = 6 };
    Problem p = problem_random(ELMAN, T, 1, 1, 1, 330, false);
    p.K = 3;
    for (int t = 0; t < T; t++) p.dh[t] = t == T - 1;
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    for (int t = 0; t < T; t++)
        assert_that((got.dh[t] != 0) == (t >= 3), "dh[%d] is %g; expected %s", t, (double)got.dh[t],
                    t >= 3 ? "a gradient" : "0: it belongs to the chunk before");
}

CASE(truncated__propagates_nan_within_the_chunk)
{
    Problem p = problem_random(ELMAN, 4, 1, 1, 1, 340, false);
    p.K = 2, p.dh[3] = (double)NAN;
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    for (int t = 0; t < 4; t++)
        assert_that(isnan(got.dx[t]) == (t >= 2), "dx[%d] is %g", t, (double)got.dx[t]);
}

CASE(truncated__takes_a_chunk_of_any_length)
{
    Problem p = problem_random(ELMAN, 3, 1, 1, 1, 350, true);
    p.K = INT32_MAX;
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    p.K = 0;
    for (int t = 0; t < 3; t++) p.kick_h[t] = 0;
    p.K = 3;
    const Outcome want = run_backward(&p, 0, WANT_ALL);
    assert_near(got.dx, floats_wide(want.dx, 3), SHAPE(3), .name = "dx of one chunk");
}

CASE(truncated__takes_the_same_arrays_again)
{
    call_again(1);
    call_again(2);
}

// ---- 4: clipping ----

static const char clip_formula[] = "g *= max_norm / |g| where |g| > max_norm, over all arrays";

CASE(clip__scales_all_arrays_by_their_global_norm)
{
    float *a = FLOATS(3, 0), *b = FLOATS(-4);
    float *g[] = {a, b};
    assert_number(rn_clip(g, (size_t[]){2, 1}, 2, 1), 5, .name = "|g|", .formula = clip_formula);
    assert_near(a, ((double[]){0.6, 0}), SHAPE(2), .name = "g[0]", .formula = clip_formula);
    assert_near(b, ((double[]){-0.8}), SHAPE(1), .name = "g[1]", .formula = clip_formula);
}

CASE(clip__changes_nothing_at_or_below_the_limit)
{
    const double limits[] = {5, 5.0001, 1e300, INFINITY};
    for (int k = 0; k < 4; k++) {
        float *a = FLOATS(3, 4);
        assert_number(rn_clip((float *[]){a}, (size_t[]){2}, 1, limits[k]), 5, .name = "|g|");
        assert_near(a, ((double[]){3, 4}), SHAPE(2), .name = "g", .exact = true);
    }
    float *a = FLOATS(3, 4);
    assert_number(rn_clip((float *[]){a}, (size_t[]){2}, 1, 4.999), 5, .name = "|g|");
    assert_that(a[0] < 3, "a norm of 5 is above 4.999, and g[0] is still %g", (double)a[0]);
}

CASE(clip__handles_any_number_of_arrays_and_numbers)
{
    assert_number(rn_clip(NULL, NULL, 0, 1), 0, .name = "|g| of no array");
    Rng rng = rng_from_seed(400);
    enum { COUNT = 5 };
    const size_t n[COUNT] = {0, 1, 17, 1000, 3};
    float *g[COUNT];
    double squares = 0, *want[COUNT];
    for (int k = 0; k < COUNT; k++) {
        g[k] = floats_normal(&rng, n[k]);
        want[k] = floats_wide(g[k], n[k]);
        for (size_t i = 0; i < n[k]; i++) squares += want[k][i] * want[k][i];
    }
    assert_number(rn_clip(g, n, COUNT, 2), sqrt(squares), .name = "|g|", .rtol = 1e-12);
    for (int k = 1; k < COUNT; k++) {
        for (size_t i = 0; i < n[k]; i++) want[k][i] *= 2 / sqrt(squares);
        assert_near(g[k], want[k], SHAPE((int)n[k]), .name = "g", .formula = clip_formula,
                    .rtol = 1e-6, .atol = 1e-12);
    }
}

CASE(clip__takes_large_and_small_gradients)
{
    float *large = FLOATS(3e30f, 4e30f), *small = FLOATS(3e-30f, 4e-30f);
    assert_number(rn_clip((float *[]){large}, (size_t[]){2}, 1, 1), 5e30, .name = "|g|",
                  .rtol = 1e-6);
    assert_near(large, ((double[]){0.6, 0.8}), SHAPE(2), .name = "g", .formula = clip_formula);
    assert_number(rn_clip((float *[]){small}, (size_t[]){2}, 1, 1e-30), 5e-30, .name = "|g|",
                  .rtol = 1e-6);
    assert_near(small, ((double[]){0.6e-30, 0.8e-30}), SHAPE(2), .name = "g",
                .formula = clip_formula, .rtol = 1e-5, .atol = 1e-40);
    float *far = FLOATS(3e30f, 4e30f);    // a factor of 2e-51
    rn_clip((float *[]){far}, (size_t[]){2}, 1, 1e-20);
    assert_near(far, ((double[]){0.6e-20, 0.8e-20}), SHAPE(2), .name = "g", .formula = clip_formula,
                .rtol = 1e-5, .atol = 1e-30);
}

CASE(clip__of_zero_is_zero)
{
    float *a = FLOATS(0, 0);
    assert_number(rn_clip((float *[]){a}, (size_t[]){2}, 1, 0), 0, .name = "|g|");
    assert_near(a, ((double[]){0, 0}), SHAPE(2), .name = "g", .exact = true);
    float *b = FLOATS(3, 4);
    assert_number(rn_clip((float *[]){b}, (size_t[]){2}, 1, 0), 5, .name = "|g|");
    assert_near(b, ((double[]){0, 0}), SHAPE(2), .name = "g clipped to 0", .exact = true);
}

CASE(clip__returns_infinity_and_nan_and_changes_nothing)
{
    float *a = FLOATS(INFINITY, 2), *b = FLOATS(1, not_a_number);
    const double infinite = rn_clip((float *[]){a}, (size_t[]){2}, 1, 1),
                 nan = rn_clip((float *[]){b}, (size_t[]){2}, 1, 1);
    assert_that(isinf(infinite) && isnan(nan), "|g| is %g and %g; expected inf and nan", infinite,
                nan);
    assert_near(a, ((double[]){(double)INFINITY, 2}), SHAPE(2), .name = "g", .exact = true);
    assert_near(b, ((double[]){1, (double)NAN}), SHAPE(2), .name = "g", .exact = true);
    float *below = FLOATS(-INFINITY, 2), *one = FLOATS(3);
    const double negative = rn_clip((float *[]){below}, (size_t[]){2}, 1, 1),
                 second = rn_clip((float *[]){one, b}, (size_t[]){1, 2}, 2, 1);
    assert_that(isinf(negative) && isnan(second), "|g| is %g and %g; expected inf and nan",
                negative, second);
    assert_near(below, ((double[]){-(double)INFINITY, 2}), SHAPE(2), .name = "g", .exact = true);
    assert_near(one, ((double[]){3}), SHAPE(1), .name = "g beside a NaN", .exact = true);
}

CASE(clip__sums_in_double)
{
    // 1e8 + 1 + 1 + ...: in float the ones are lost.
    enum { N = 10001 };
    float *a = floats_filled(N, 1);
    a[0] = 1e4f;
    assert_number(rn_clip((float *[]){a}, (size_t[]){N}, 1, 1e9), sqrt(1e8 + N - 1), .name = "|g|",
                  .rtol = 1e-12);
}

CASE(clip__takes_the_same_arrays_again)
{
    float *a = FLOATS(3, 4);
    rn_clip((float *[]){a}, (size_t[]){2}, 1, 1);
    a[0] = 6, a[1] = 8;
    assert_number(rn_clip((float *[]){a}, (size_t[]){2}, 1, 1), 10,
                  .name = "|g| of the second call");
    assert_near(a, ((double[]){0.6, 0.8}), SHAPE(2), .name = "g of the second call");
}

const struct CMUnitTest elman_cases[] = {
    cmocka_unit_test(elman__matches_an_example_computed_by_hand),
    cmocka_unit_test(elman__matches_pytorch),
    cmocka_unit_test(elman__handles_any_number_of_steps_sequences_and_units),
    cmocka_unit_test(elman__saturates_at_large_inputs),
    cmocka_unit_test(elman__propagates_nan_to_its_own_sequence_alone),
    cmocka_unit_test(elman__propagates_nan_of_every_input),
    cmocka_unit_test(elman__takes_the_same_arrays_again),
    cmocka_unit_test(elman_backward__is_the_derivative_of_the_loss),
    cmocka_unit_test(elman_backward__adds_to_the_gradients),
    cmocka_unit_test(elman_backward__matches_pytorch),
    cmocka_unit_test(elman_backward__leaves_out_gradients_that_are_not_wanted),
    cmocka_unit_test(elman_backward__vanishes_and_explodes),
    cmocka_unit_test(elman_backward__propagates_nan),
    cmocka_unit_test(elman_backward__takes_the_same_arrays_again),
    cmocka_unit_test(truncated__cuts_the_gradient_between_chunks),
    cmocka_unit_test(truncated__takes_any_number_of_chunks),
    cmocka_unit_test(truncated__adds_to_the_gradients),
    cmocka_unit_test(truncated__leaves_out_gradients_that_are_not_wanted),
    cmocka_unit_test(truncated__passes_nothing_beyond_the_chunk),
    cmocka_unit_test(truncated__propagates_nan_within_the_chunk),
    cmocka_unit_test(truncated__takes_a_chunk_of_any_length),
    cmocka_unit_test(truncated__takes_the_same_arrays_again),
    cmocka_unit_test(clip__scales_all_arrays_by_their_global_norm),
    cmocka_unit_test(clip__changes_nothing_at_or_below_the_limit),
    cmocka_unit_test(clip__handles_any_number_of_arrays_and_numbers),
    cmocka_unit_test(clip__takes_large_and_small_gradients),
    cmocka_unit_test(clip__of_zero_is_zero),
    cmocka_unit_test(clip__returns_infinity_and_nan_and_changes_nothing),
    cmocka_unit_test(clip__sums_in_double),
    cmocka_unit_test(clip__takes_the_same_arrays_again),
    {0},
};
