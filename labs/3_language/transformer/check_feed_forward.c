/* Exercises 14 to 18: the feed-forward block. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char gelu_formula[] = "gelu(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))";
static const char gelu_backward_formula[] = "dx += dy dgelu(x)/dx";
static const char swiglu_formula[] = "y = gate / (1 + exp(-gate)) up";
static const char swiglu_backward_formula[] =
    "dgate += dy up s (1 + gate (1 - s)), dup += dy gate s, s = 1 / (1 + exp(-gate))";
static const char feed_forward_formula[] = "y = activation(x up^T + up_bias) down^T + down_bias";

static double gelu_of(double x)
{
    return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
}

static double silu_of(double x)
{
    return x / (1 + exp(-x));
}

static const size_t counts[] = {0, 1, 2, 17, 1003};
enum { COUNTS = sizeof counts / sizeof *counts };

// ---- 14 and 15: GELU ----

static void assert_gelu(float *x, size_t n)
{
    float *y = floats_filled(n, 7), *before = floats_copy(y, n), *kept = floats_copy(x, n);
    float *in_place = floats_copy(x, n);
    double *want = floats_wide(x, n);
    for (size_t i = 0; i < n; i++) want[i] = gelu_of(want[i]);
    tf_gelu(y, x, n);
    assert_near(y, want, SHAPE((int)n), .name = "y", .replaces = before, .rtol = 1e-6,
                .atol = 1e-12, .formula = gelu_formula);
    assert_kept("x", x, kept, n);
    tf_gelu(in_place, in_place, n);
    assert_near(in_place, want, SHAPE((int)n), .name = "y in place of x", .rtol = 1e-6,
                .atol = 1e-12, .formula = gelu_formula);
}

CASE(gelu__matches_pytorch)
{
    // gelu(x, approximate='tanh')
    float *y = floats_filled(7, NAN);
    tf_gelu(y, FLOATS(-3, -1, -0.5f, 0, 0.5f, 1, 3), 7);
    assert_near(y,
                ((double[]){-0.00363739208, -0.158808009, -0.15428599, 0, 0.34571401, 0.841191991,
                            2.99636261}),
                SHAPE(7), .name = "y", .atol = 1e-8, .rtol = 1e-7, .formula = gelu_formula);
}

CASE(gelu__matches_the_formula_in_double)
{
    Rng rng = rng_from_seed(700);
    for (int i = 0; i < COUNTS; i++) assert_gelu(floats_normal(&rng, counts[i]), counts[i]);
}

CASE(gelu__keeps_its_digits_for_negative_numbers)
{
    assert_gelu(FLOATS(-4, -4.5f, -5, -3.5f, -3.75f), 5);
}

CASE(gelu__propagates_nan_and_takes_large_and_small_numbers)
{
    assert_gelu(FLOATS(NAN, 20, -20, 1e30f, -1e30f, 1e-30f, -1e-6f, 3e38f), 8);
}

CASE(gelu__takes_the_same_arrays_again_with_other_contents)
{
    Rng rng = rng_from_seed(701);
    float *x = floats_normal(&rng, 17);
    assert_gelu(x, 17);
    floats_scale(x, 17, -2);
    assert_gelu(x, 17);
    assert_gelu(floats_normal(&rng, 17), 17);
    assert_gelu(x, 17);
}

static double gelu_slope(double x)
{
    double root = sqrt(2 / acos(-1)), u = root * (x + 0.044715 * x * x * x);
    double sech2 = 1 / (cosh(u) * cosh(u));
    return 0.5 * (1 + tanh(u)) + 0.5 * x * sech2 * root * (1 + 0.134145 * x * x);
}

static void assert_gelu_backward(const float *dy, const float *x, size_t n, float held)
{
    float *dx = floats_filled(n, held), *before = floats_copy(dx, n);
    float *dy_kept = floats_copy(dy, n), *x_kept = floats_copy(x, n);
    double *want = floats_wide(dx, n);
    for (size_t i = 0; i < n; i++) want[i] += (double)dy[i] * gelu_slope((double)x[i]);
    tf_gelu_backward(dx, dy, x, n);
    assert_near(dx, want, SHAPE((int)n), .name = "dx", .added_to = before, .atol = 1e-6,
                .rtol = 1e-6, .formula = gelu_backward_formula);
    assert_kept("dy", dy, dy_kept, n);
    assert_kept("x", x, x_kept, n);
}

CASE(gelu_backward__matches_pytorch)
{
    float *dx = floats_filled(7, 0);
    tf_gelu_backward(dx, floats_filled(7, 1), FLOATS(-3, -1, -0.5f, 0, 0.5f, 1, 3), 7);
    assert_near(dx,
                ((double[]){-0.0115841666, -0.0829640838, 0.132630096, 0.5, 0.867369904, 1.08296408,
                            1.01158417}),
                SHAPE(7), .name = "dx for dy = 1", .atol = 2e-7, .formula = gelu_backward_formula);
}

static double gelu_sum(const void *argument)
{
    const double *x = argument;
    double sum = 0;
    for (int i = 0; i < 17; i++) sum += (i - 8) * gelu_of(x[i]);
    return sum;
}

CASE(gelu_backward__matches_finite_differences)
{
    Rng rng = rng_from_seed(710);
    float *x = floats_normal(&rng, 17), *dx = floats_filled(17, 0), *dy = floats_filled(17, 0);
    for (int i = 0; i < 17; i++) dy[i] = (float)(i - 8);
    double *wide = floats_wide(x, 17);
    tf_gelu_backward(dx, dy, x, 17);
    assert_near(dx, slopes(gelu_sum, wide, wide, 17), SHAPE(17), .name = "dx",
                .formula = gelu_backward_formula);
}

CASE(gelu_backward__matches_the_formula_in_double_and_accumulates)
{
    Rng rng = rng_from_seed(711);
    for (int i = 0; i < COUNTS; i++)
        for (int held = 0; held < 8; held += 7)
            assert_gelu_backward(floats_normal(&rng, counts[i]), floats_normal(&rng, counts[i]),
                                 counts[i], (float)held);
}

CASE(gelu_backward__keeps_its_digits_for_negative_numbers)
{
    // about -0.00003 at -4.5, -3e-8 at -5.5; times what makes them about 1
    assert_gelu_backward(FLOATS(1e4f, 1e4f, 1e5f, 1e4f, 1e6f, 1e7f),
                         FLOATS(-4.25f, -4.5f, -5, -3.5f, -5.25f, -5.5f), 6, 0);
}

CASE(gelu_backward__propagates_nan_and_takes_large_and_small_numbers)
{
    assert_gelu_backward(FLOATS(1, NAN, 1e30f, 3, 2, 1), FLOATS(NAN, 1, 2, 20, -20, 1e-30f), 6, 0);
}

CASE(gelu_backward__takes_the_same_arrays_again_with_other_contents)
{
    Rng rng = rng_from_seed(712);
    float *x = floats_normal(&rng, 9), *dy = floats_normal(&rng, 9);
    assert_gelu_backward(dy, x, 9, 0);
    floats_scale(x, 9, -2);
    dy[3] = 5;
    assert_gelu_backward(dy, x, 9, 0);
    assert_gelu_backward(floats_normal(&rng, 9), floats_normal(&rng, 9), 9, 0);
    assert_gelu_backward(dy, x, 9, 0);
}

// ---- 16 and 17: SwiGLU ----

static const int gate_shapes[][2] = {{1, 1}, {2, 3}, {3, 2}, {1, 17}, {5, 1}, {67, 33}};
enum { GATE_SHAPES = sizeof gate_shapes / sizeof *gate_shapes };

static void assert_swiglu(const float *gate_up, int N, int F)
{
    size_t n = (size_t)(N * F);
    float *y = floats_filled(n, 7), *before = floats_copy(y, n);
    float *kept = floats_copy(gate_up, 2 * n);
    double *want = doubles_zero(n);
    for (int i = 0; i < N * F; i++) {
        const float *row = gate_up + i / F * 2 * F;
        want[i] = silu_of((double)row[i % F]) * (double)row[F + i % F];
    }
    tf_swiglu(y, gate_up, N, F);
    assert_near(y, want, SHAPE(N, F), .name = "y", .replaces = before, .rtol = 1e-6, .atol = 1e-12,
                .formula = swiglu_formula);
    assert_kept("gate_up", gate_up, kept, 2 * n);
}

CASE(swiglu__matches_pytorch)
{
    // silu(x[:, :2]) * x[:, 2:]
    float *y = floats_filled(4, NAN);
    tf_swiglu(y, waves(8, 0, 1, 0), 2, 2);
    assert_near(y, ((double[]){0, 0.0829783996, 0.067528572, -0.174569094}), SHAPE(2, 2),
                .name = "y", .atol = 1e-7, .formula = swiglu_formula);
}

CASE(swiglu__matches_the_formula_in_double)
{
    Rng rng = rng_from_seed(720);
    for (int i = 0; i < GATE_SHAPES; i++) {
        int N = gate_shapes[i][0], F = gate_shapes[i][1];
        assert_swiglu(floats_normal(&rng, (size_t)(N * 2 * F)), N, F);
    }
}

CASE(swiglu__is_finite_for_large_gates_and_keeps_the_digits_of_small_ones)
{
    assert_swiglu(FLOATS(1000, -1000, 90, -90, -30, 2, 3, 4, 1e30f, 1e12f), 1, 5);
    assert_swiglu(FLOATS(3e38f, -3e38f, 1e-30f, 0.5f, 1, 1), 1, 3);
}

CASE(swiglu__propagates_nan)
{
    assert_swiglu(FLOATS(NAN, 1, 2, 3, 0, 5, 6, NAN), 2, 2);
}

CASE(swiglu__takes_the_same_arrays_again_with_other_contents)
{
    Rng rng = rng_from_seed(721);
    float *x = floats_normal(&rng, 12);
    assert_swiglu(x, 2, 3);
    floats_scale(x, 12, -2);
    assert_swiglu(x, 2, 3);
    assert_swiglu(x, 3, 2);
    assert_swiglu(floats_normal(&rng, 12), 2, 3);
    assert_swiglu(x, 2, 3);
}

static void assert_swiglu_backward(const float *dy, const float *gate_up, int N, int F, float held)
{
    size_t n = (size_t)(N * F);
    float *d = floats_filled(2 * n, held), *before = floats_copy(d, 2 * n);
    float *dy_kept = floats_copy(dy, n), *kept = floats_copy(gate_up, 2 * n);
    double *want = floats_wide(d, 2 * n);
    for (int i = 0; i < N * F; i++) {
        int at = i / F * 2 * F + i % F;
        double gate = (double)gate_up[at], up = (double)gate_up[at + F], g = (double)dy[i];
        double s = 1 / (1 + exp(-gate));
        want[at] += g * up * (s + silu_of(gate) * (1 / (1 + exp(gate))));
        want[at + F] += g * silu_of(gate);
    }
    tf_swiglu_backward(d, dy, gate_up, N, F);
    assert_near(d, want, SHAPE(N, 2 * F), .name = "dgate_up", .added_to = before, .atol = 1e-6,
                .rtol = 1e-6, .formula = swiglu_backward_formula);
    assert_kept("dy", dy, dy_kept, n);
    assert_kept("gate_up", gate_up, kept, 2 * n);
}

CASE(swiglu_backward__matches_pytorch)
{
    float *d = floats_filled(8, 0);
    tf_swiglu_backward(d, waves(4, 30, 1, 0), waves(8, 0, 1, 0), 2, 2);
    assert_near(d,
                ((double[]){-0.449207307, -0.0499415976, 0, -0.237573663, -0.0238573944,
                            0.0558447646, -0.133267684, -0.265688383}),
                SHAPE(2, 4), .name = "dgate_up", .atol = 2e-7, .formula = swiglu_backward_formula);
}

typedef struct Gated {
    double gate_up[12], dy[6];    // N 2, F 3
} Gated;

static double gated_score(const void *argument)
{
    const Gated *g = argument;
    double score = 0;
    for (int n = 0; n < 2; n++)
        for (int f = 0; f < 3; f++)
            score += g->dy[n * 3 + f] * silu_of(g->gate_up[n * 6 + f]) * g->gate_up[n * 6 + 3 + f];
    return score;
}

CASE(swiglu_backward__matches_finite_differences)
{
    Rng rng = rng_from_seed(730);
    float *x = floats_normal(&rng, 12), *dy = floats_normal(&rng, 6), *d = floats_filled(12, 0);
    Gated wide;
    for (int i = 0; i < 12; i++) wide.gate_up[i] = (double)x[i];
    for (int i = 0; i < 6; i++) wide.dy[i] = (double)dy[i];
    tf_swiglu_backward(d, dy, x, 2, 3);
    assert_near(d, slopes(gated_score, &wide, wide.gate_up, 12), SHAPE(2, 6), .name = "dgate_up",
                .formula = "dgate_up = d sum(dy y) / dgate_up");
}

CASE(swiglu_backward__matches_the_formula_in_double_and_accumulates)
{
    Rng rng = rng_from_seed(731);
    for (int i = 0; i < GATE_SHAPES; i++)
        for (int held = 0; held < 8; held += 7) {
            int N = gate_shapes[i][0], F = gate_shapes[i][1];
            assert_swiglu_backward(floats_normal(&rng, (size_t)(N * F)),
                                   floats_normal(&rng, (size_t)(N * 2 * F)), N, F, (float)held);
        }
}

CASE(swiglu_backward__is_finite_for_large_gates_and_keeps_digits)
{
    assert_swiglu_backward(FLOATS(1, 2, 3, 4, 1e12f),
                           FLOATS(1000, -1000, 90, 0, -20, 1, 2, 3, 4, 1), 1, 5, 0);
    assert_swiglu_backward(FLOATS(1e10f, 1), FLOATS(-25, 3e38f, 1, 0.5f), 1, 2, 0);
}

CASE(swiglu_backward__propagates_nan)
{
    assert_swiglu_backward(FLOATS(1, NAN, 2), FLOATS(NAN, 1, 2, 3, 4, NAN), 1, 3, 0);
}

CASE(swiglu_backward__takes_the_same_arrays_again_with_other_contents)
{
    Rng rng = rng_from_seed(732);
    float *x = floats_normal(&rng, 12), *dy = floats_normal(&rng, 6);
    assert_swiglu_backward(dy, x, 2, 3, 0);
    floats_scale(x, 12, -2);
    dy[3] = 5;
    assert_swiglu_backward(dy, x, 2, 3, 0);
    assert_swiglu_backward(dy, x, 3, 2, 0);
    assert_swiglu_backward(dy, x, 2, 3, 0);
}

// ---- 18: the block ----

typedef struct Mlp {
    TfFeedForward w;
    int N;
    float *x, *up, *up_bias, *down, *down_bias;
} Mlp;

static Mlp mlp_new(int N, int C, int F, bool gated, bool biased, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    int hidden = gated ? 2 * F : F;
    Mlp m = {.N = N};
    m.x = floats_normal(&rng, (size_t)(N * C));
    m.up = floats_normal(&rng, (size_t)(hidden * C));
    m.down = floats_normal(&rng, (size_t)(C * F));
    m.up_bias = biased ? floats_normal(&rng, (size_t)hidden) : NULL;
    m.down_bias = biased ? floats_normal(&rng, (size_t)C) : NULL;
    m.w = (TfFeedForward){C, F, gated, m.up, m.up_bias, m.down, m.down_bias};
    return m;
}

static void assert_feed_forward(Mlp m)
{
    int N = m.N, C = m.w.C, F = m.w.F, hidden = m.w.gated ? 2 * F : F;
    size_t n = (size_t)(N * C);
    float *y = floats_filled(n, 7), *before = floats_copy(y, n), *x = floats_copy(m.x, n);
    float *up = floats_copy(m.up, (size_t)(hidden * C)),
          *down = floats_copy(m.down, (size_t)(C * F));
    double *want = doubles_zero(n), *h = doubles_zero((size_t)hidden);
    for (int row = 0; row < N; row++) {
        for (int f = 0; f < hidden; f++) {
            h[f] = m.up_bias != NULL ? (double)m.up_bias[f] : 0;
            for (int c = 0; c < C; c++) h[f] += (double)m.x[row * C + c] * (double)m.up[f * C + c];
        }
        for (int f = 0; f < F; f++) h[f] = m.w.gated ? silu_of(h[f]) * h[F + f] : gelu_of(h[f]);
        for (int c = 0; c < C; c++) {
            double *sum = want + row * C + c;
            *sum = m.down_bias != NULL ? (double)m.down_bias[c] : 0;
            for (int f = 0; f < F; f++) *sum += h[f] * (double)m.down[c * F + f];
        }
    }
    tf_feed_forward(y, m.x, floats_filled((size_t)(3 * N * F), 7), N, &m.w);
    assert_near(y, want, SHAPE(N, C), .name = "y", .replaces = before, .atol = 1e-4, .rtol = 1e-5,
                .formula = feed_forward_formula);
    assert_kept("x", m.x, x, n);
    assert_kept("up", m.up, up, (size_t)(hidden * C));
    assert_kept("down", m.down, down, (size_t)(C * F));
}

CASE(feed_forward__matches_pytorch)
{
    // linear(gelu(linear(x, up, up_bias), approximate='tanh'), down, down_bias), and the gated form
    float *y = floats_filled(4, NAN), *room = floats_filled(18, NAN), *x = waves(4, 0, 1, 0);
    float *down = waves(6, 30, 1, 0);
    tf_feed_forward(y, x, room, 2,
                    &(TfFeedForward){2, 3, false, waves(6, 10, 1, 0), waves(3, 20, 1, 0), down,
                                     waves(2, 40, 1, 0)});
    assert_near(y, ((double[]){0.492459687, 0.27263461, 0.923888496, -0.200303193}), SHAPE(2, 2),
                .name = "y", .atol = 1e-6, .formula = feed_forward_formula);
    tf_feed_forward(y, x, room, 2,
                    &(TfFeedForward){2, 3, true, waves(12, 10, 1, 0), NULL, down, NULL});
    assert_near(y, ((double[]){-0.0786128832, 0.114401522, 0.24698433, -0.147332559}), SHAPE(2, 2),
                .name = "y, gated", .atol = 1e-6, .formula = feed_forward_formula);
}

CASE(feed_forward__matches_the_formula_in_double)
{
    const int shapes[][3] = {{1, 1, 1}, {2, 3, 5}, {5, 4, 2}, {3, 1, 7}, {33, 17, 67}};
    for (int i = 0; i < 5; i++)
        for (int form = 0; form < 4; form++)
            assert_feed_forward(mlp_new(shapes[i][0], shapes[i][1], shapes[i][2], form / 2 > 0,
                                        form % 2 > 0, 740 + (uint64_t)(4 * i + form)));
}

CASE(feed_forward__takes_one_bias_without_the_other)
{
    for (int gated = 0; gated < 2; gated++) {
        Mlp m = mlp_new(2, 3, 4, gated, true, 770);
        m.w.up_bias = m.up_bias = NULL;
        assert_feed_forward(m);
        m = mlp_new(2, 3, 4, gated, true, 771);
        m.w.down_bias = m.down_bias = NULL;
        assert_feed_forward(m);
    }
}

CASE(feed_forward__propagates_nan_within_its_row_and_takes_large_numbers)
{
    Mlp m = mlp_new(3, 2, 5, false, true, 772);
    m.x[3] = NAN;
    assert_feed_forward(m);
    m = mlp_new(3, 2, 5, true, true, 773);
    m.x[3] = NAN;
    floats_scale(m.x, 2, 1e12f);
    assert_feed_forward(m);
}

CASE(feed_forward__takes_the_same_arrays_again_with_other_contents)
{
    Mlp m = mlp_new(2, 3, 4, true, true, 774), other = mlp_new(2, 3, 4, true, true, 775);
    assert_feed_forward(m);
    floats_scale(m.x, 6, -2);
    floats_scale(m.up, 24, 0.5f);
    floats_scale(m.down_bias, 3, 3);
    assert_feed_forward(m);
    assert_feed_forward(other);
    assert_feed_forward(m);
}

const struct CMUnitTest feed_forward_cases[] = {
    cmocka_unit_test(gelu__matches_pytorch),
    cmocka_unit_test(gelu__matches_the_formula_in_double),
    cmocka_unit_test(gelu__keeps_its_digits_for_negative_numbers),
    cmocka_unit_test(gelu__propagates_nan_and_takes_large_and_small_numbers),
    cmocka_unit_test(gelu__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(gelu_backward__matches_pytorch),
    cmocka_unit_test(gelu_backward__matches_finite_differences),
    cmocka_unit_test(gelu_backward__matches_the_formula_in_double_and_accumulates),
    cmocka_unit_test(gelu_backward__keeps_its_digits_for_negative_numbers),
    cmocka_unit_test(gelu_backward__propagates_nan_and_takes_large_and_small_numbers),
    cmocka_unit_test(gelu_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(swiglu__matches_pytorch),
    cmocka_unit_test(swiglu__matches_the_formula_in_double),
    cmocka_unit_test(swiglu__is_finite_for_large_gates_and_keeps_the_digits_of_small_ones),
    cmocka_unit_test(swiglu__propagates_nan),
    cmocka_unit_test(swiglu__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(swiglu_backward__matches_pytorch),
    cmocka_unit_test(swiglu_backward__matches_finite_differences),
    cmocka_unit_test(swiglu_backward__matches_the_formula_in_double_and_accumulates),
    cmocka_unit_test(swiglu_backward__is_finite_for_large_gates_and_keeps_digits),
    cmocka_unit_test(swiglu_backward__propagates_nan),
    cmocka_unit_test(swiglu_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(feed_forward__matches_pytorch),
    cmocka_unit_test(feed_forward__matches_the_formula_in_double),
    cmocka_unit_test(feed_forward__takes_one_bias_without_the_other),
    cmocka_unit_test(feed_forward__propagates_nan_within_its_row_and_takes_large_numbers),
    cmocka_unit_test(feed_forward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
