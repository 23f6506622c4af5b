/* Exercises 9 and 10: the learned encoder LISTA and its gradient. check.c says how cases are made. */
#include <string.h>
#include "labs/2_core/sparse_coding/check.h"

static const double not_a_number = (double)NAN, infinite = (double)INFINITY;

static const int shapes[][3] = {{1, 1, 1}, {1, 1, 4}, {3, 7, 1}, {6, 1, 3}, {4, 9, 2}, {17, 6, 5}};
enum { SHAPES = 6 };    // K, P, layers

static Encoder encoder_of(int K, int P, int layers, uint64_t seed)
{
    size_t k = (size_t)K;
    double *W = normal(seed, k * (size_t)P), *S = normal(seed + 1, k * k),
           *threshold = normal(seed + 2, k);
    for (size_t i = 0; i < k * k; i++) S[i] /= 2 * sqrt(K);
    for (size_t i = 0; i < k; i++) threshold[i] = 0.1 + 0.2 * fabs(threshold[i]);
    return (Encoder){K, P, layers, W, S, threshold};
}

// What sc_lista promises, by plain loops: [layers,K].
static double *forward(const Encoder *e, const double *x)
{
    size_t K = (size_t)e->K;
    double *codes = doubles_zero((size_t)e->layers * K);
    for (int t = 0; t < e->layers; t++)
        for (int k = 0; k < e->K; k++) {
            double z = 0;
            for (int i = 0; i < e->P; i++) z += e->W[k * e->P + i] * x[i];
            for (int j = 0; t > 0 && j < e->K; j++)
                z += e->S[k * e->K + j] * codes[(t - 1) * e->K + j];
            codes[t * e->K + k] = soft(z, e->threshold[k]);
        }
    return codes;
}

// ---- 9: the learned encoder ----

static const char lista_formula[] = "codes[t] = soft(W x + S codes[t-1], threshold), codes[-1] = 0";

static double *encode(const Encoder *e, const double *x)
{
    double *codes = doubles_filled((size_t)e->layers * (size_t)e->K, not_a_number);
    sc_lista(codes, x, e, doubles_filled((size_t)e->K, not_a_number));
    return codes;
}

CASE(lista__matches_an_example_computed_by_hand)
{
    // W x = 3 -1 0.5; the second layer adds S times 2 0 0.25.
    Encoder e = {3,
                 2,
                 2,
                 DOUBLES(1, 1, -1, 0, 0.5, 0),
                 DOUBLES(0.5, 1, 2, -1, 0, 4, 0, 1, 1),
                 DOUBLES(1, 1, 0.25)};
    assert_near(encode(&e, DOUBLES(1, 2)), ((double[]){2, 0, 0.25, 3.5, -1, 0.5}), SHAPE(2, 3),
                .name = "codes", .formula = lista_formula);
}

CASE(lista__handles_any_sizes_and_layers)
{
    for (int s = 0; s < SHAPES; s++) {
        int K = shapes[s][0], P = shapes[s][1], layers = shapes[s][2];
        Encoder e = encoder_of(K, P, layers, 200 + (uint64_t)s);
        size_t k = (size_t)K, p = (size_t)P;
        double *x = normal(210, p), *kept = doubles_copy(x, p), *W = doubles_copy(e.W, k * p),
               *S = doubles_copy(e.S, k * k), *threshold = doubles_copy(e.threshold, k);
        assert_near(encode(&e, x), forward(&e, x), SHAPE(layers, K), .name = "codes",
                    .formula = lista_formula);
        assert_kept("x", x, kept, p);
        assert_kept("W", e.W, W, k * p);
        assert_kept("S", e.S, S, k * k);
        assert_kept("threshold", e.threshold, threshold, k);
    }
}

CASE(lista__is_ista_with_its_weights)
{
    enum { K = 9, P = 6, LAYERS = 20 };
    Dictionary dict = unit_atoms(220, K, P);
    double *x = normal(221, P), *W = doubles_zero(K * P), *S = doubles_zero(K * K),
           *a = doubles_zero(K), lambda = 0.2, L = K;
    for (int i = 0; i < K * P; i++) W[i] = dict.d[i] / L;
    for (int k = 0; k < K; k++)
        for (int j = 0; j < K; j++) {
            for (int i = 0; i < P; i++) S[k * K + j] -= dict.d[k * P + i] * dict.d[j * P + i] / L;
            S[k * K + j] += k == j;
        }
    Encoder e = {K, P, LAYERS, W, S, doubles_filled(K, lambda / L)};
    const double *codes = encode(&e, x);
    for (int t = 0; t < LAYERS; t++) {
        const double *c = correlate(residual_of(x, a, &dict), &dict);
        for (int k = 0; k < K; k++) a[k] = soft(a[k] + c[k] / L, lambda / L);
        assert_near(codes + (size_t)t * K, a, SHAPE(K), .name = "a layer's codes",
                    .formula = "with W = D/L, S = I - D D^T / L and threshold lambda / L: ISTA");
    }
}

CASE(lista__is_zero_at_the_threshold)
{
    Encoder e = {3, 1, 2, DOUBLES(1, -2, 2), doubles_filled(9, 1), DOUBLES(1, 2, infinite)};
    assert_near(encode(&e, DOUBLES(1)), doubles_zero(6), SHAPE(2, 3), .name = "codes",
                .formula = lista_formula);
    e.threshold = DOUBLES(0, 0, 0);
    assert_near(encode(&e, DOUBLES(1)), ((double[]){1, -2, 2, 2, -1, 3}), SHAPE(2, 3),
                .name = "codes of thresholds 0", .formula = lista_formula);
}

CASE(lista__handles_large_and_small_numbers)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double scale = sign < 0 ? 1e-200 : 1e200;
        Encoder e = {1, 1, 3, DOUBLES(2), DOUBLES(0.5), doubles_filled(1, scale)};
        assert_near(encode(&e, doubles_filled(1, 3 * scale)),
                    ((double[]){5 * scale, 7.5 * scale, 8.75 * scale}), SHAPE(3, 1),
                    .name = "codes", .formula = lista_formula, .rtol = 1e-14, .atol = 1e-250);
    }
}

CASE(lista__propagates_nan)
{
    Encoder e = {2, 2, 2, DOUBLES(1, 0, 1, 1), DOUBLES(1, 0, 0, 1), DOUBLES(0.1, 0.1)};
    const double *codes = encode(&e, DOUBLES(1, not_a_number));
    for (int i = 0; i < 4; i++)
        assert_that(isnan(codes[i]), "codes[%d] is %g, expected nan", i, codes[i]);
    e.threshold = DOUBLES(5, not_a_number);
    codes = encode(&e, DOUBLES(1, 1));
    assert_near(codes, ((double[]){0, not_a_number, not_a_number, not_a_number}), SHAPE(2, 2),
                .name = "codes of a threshold that is NaN");
}

CASE(lista__takes_the_same_arrays_again)
{
    double *x = DOUBLES(2), *W = DOUBLES(1), *S = DOUBLES(1), *codes = doubles_filled(2, 7),
           *work = doubles_filled(1, 7);
    Encoder e = {1, 1, 2, W, S, DOUBLES(1)};
    sc_lista(codes, x, &e, work);
    x[0] = 9, W[0] = 2, S[0] = 0;
    sc_lista(codes, x, &e, work);
    assert_near(codes, ((double[]){17, 17}), SHAPE(2, 1), .name = "codes of the second call");
}

// ---- 10: its gradient ----

static const char backward_formula[] =
    "dL/dz = dL/dcodes where the code is not 0; W: dL/dz x^T; S: dL/dz codes[t-1]^T; threshold: "
    "-dL/dz sign(code); dL/dcodes[t-1] = S^T dL/dz";

static EncoderGradient gradient_zero(const Encoder *e)
{
    size_t K = (size_t)e->K;
    return (EncoderGradient){doubles_zero(K * (size_t)e->P), doubles_zero(K * K), doubles_zero(K)};
}

static void backward(EncoderGradient g, const Encoder *e, const double *g_code, const double *x)
{
    sc_lista_backward(g, g_code, forward(e, x), x, e,
                      doubles_filled(2 * (size_t)e->K, not_a_number));
}

static void expect_gradient(EncoderGradient g, const Encoder *e, const double *W, const double *S,
                            const double *threshold)
{
    assert_near(g.W, W, SHAPE(e->K, e->P), .name = "g.W", .formula = backward_formula);
    assert_near(g.S, S, SHAPE(e->K, e->K), .name = "g.S", .formula = backward_formula);
    assert_near(g.threshold, threshold, SHAPE(e->K), .name = "g.threshold",
                .formula = backward_formula);
}

CASE(lista_backward__matches_an_example_computed_by_hand)
{
    // codes 5, then soft(6 - 2 * 5, 1) = -3. Of the last code: 10; of the first: -2 * 10.
    Encoder e = {1, 1, 2, DOUBLES(2), DOUBLES(-2), DOUBLES(1)};
    EncoderGradient g = gradient_zero(&e);
    backward(g, &e, DOUBLES(10), DOUBLES(3));
    expect_gradient(g, &e, DOUBLES(3 * 10 - 3 * 20), DOUBLES(5 * 10), DOUBLES(10 + 20));
}

// The loss g_code . last row of the codes.
static double loss(const Encoder *e, const double *g_code, const double *x)
{
    const double *code = forward(e, x) + (size_t)(e->layers - 1) * (size_t)e->K;
    double sum = 0;
    for (int k = 0; k < e->K; k++) sum += g_code[k] * code[k];
    return sum;
}

// Central differences by the `count` parameters at p, which `e` reads.
static double *differences(const Encoder *e, const double *p, size_t count, const double *g_code,
                           const double *x)
{
    double *g = doubles_zero(count), *moved = (double *)p;
    for (size_t i = 0; i < count; i++) {
        double held = p[i], up;
        moved[i] = held + 1e-5;
        up = loss(e, g_code, x);
        moved[i] = held - 1e-5;
        g[i] = (up - loss(e, g_code, x)) / 2e-5;
        moved[i] = held;
    }
    return g;
}

CASE(lista_backward__matches_finite_differences)
{
    for (int s = 0; s < SHAPES; s++) {
        Encoder e = encoder_of(shapes[s][0], shapes[s][1], shapes[s][2], 230 + 3 * (uint64_t)s);
        size_t K = (size_t)e.K, P = (size_t)e.P, rows = (size_t)e.layers;
        double *x = normal(250, P), *g_code = normal(251, K), *codes = forward(&e, x),
               *W = differences(&e, e.W, K * P, g_code, x),
               *S = differences(&e, e.S, K * K, g_code, x),
               *threshold = differences(&e, e.threshold, K, g_code, x),
               *kept[] = {doubles_copy(x, P), doubles_copy(g_code, K),
                          doubles_copy(codes, rows * K)};
        EncoderGradient g = gradient_zero(&e);
        sc_lista_backward(g, g_code, codes, x, &e, doubles_filled(2 * K, not_a_number));
        assert_near(g.W, W, SHAPE(e.K, e.P), .name = "g.W", .formula = backward_formula,
                    .rtol = 1e-6, .atol = 1e-7);
        assert_near(g.S, S, SHAPE(e.K, e.K), .name = "g.S", .formula = backward_formula,
                    .rtol = 1e-6, .atol = 1e-7);
        assert_near(g.threshold, threshold, SHAPE(e.K), .name = "g.threshold",
                    .formula = backward_formula, .rtol = 1e-6, .atol = 1e-7);
        assert_kept("x", x, kept[0], P);
        assert_kept("g_code", g_code, kept[1], K);
        assert_kept("codes", codes, kept[2], rows * K);
    }
}

CASE(lista_backward__adds_to_the_gradient)
{
    Encoder e = encoder_of(5, 3, 3, 260);
    double *g_code = normal(261, 5), *x = normal(262, 3);
    EncoderGradient once = gradient_zero(&e), twice = gradient_zero(&e);
    backward(once, &e, g_code, x);
    for (int i = 0; i < 2; i++) backward(twice, &e, g_code, x);
    for (int i = 0; i < 15; i++) once.W[i] *= 2;
    for (int i = 0; i < 25; i++) once.S[i] *= 2;
    for (int i = 0; i < 5; i++) once.threshold[i] *= 2;
    expect_gradient(twice, &e, once.W, once.S, once.threshold);
}

CASE(lista_backward__gives_a_code_of_zero_no_gradient)
{
    // The first code is 0 in both layers, at its threshold in the first; the second one is not.
    Encoder e = {2, 1, 2, DOUBLES(1, 3), DOUBLES(1, 0, 5, 1), DOUBLES(1, 1)};
    EncoderGradient g = gradient_zero(&e);
    backward(g, &e, DOUBLES(100, 1), DOUBLES(1));
    expect_gradient(g, &e, DOUBLES(0, 2), DOUBLES(0, 0, 0, 2), DOUBLES(0, -2));
}

CASE(lista_backward__of_one_layer_has_no_gradient_for_s)
{
    Encoder e = {2, 2, 1, DOUBLES(1, 1, 0, -2), DOUBLES(9, 9, 9, 9), DOUBLES(1, 1)};
    EncoderGradient g = gradient_zero(&e);
    backward(g, &e, DOUBLES(3, 4), DOUBLES(1, 2));
    expect_gradient(g, &e, DOUBLES(3, 6, 4, 8), DOUBLES(0, 0, 0, 0), DOUBLES(-3, 4));
}

CASE(lista_backward__handles_large_and_small_numbers)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double scale = sign < 0 ? 1e-200 : 1e200;
        Encoder e = {1, 1, 2, DOUBLES(1), DOUBLES(0.5), doubles_filled(1, scale)};
        EncoderGradient g = gradient_zero(&e);
        backward(g, &e, DOUBLES(0.1),
                 doubles_filled(1, 3 * scale));    // codes 2, 3 times the scale
        assert_number(g.W[0] / scale, 0.45, .name = "g.W", .formula = backward_formula);
        assert_number(g.S[0] / scale, 0.2, .name = "g.S", .formula = backward_formula);
        assert_number(g.threshold[0], -0.15, .name = "g.threshold", .formula = backward_formula);
    }
}

CASE(lista_backward__propagates_nan)
{
    Encoder e = {2, 1, 1, DOUBLES(2, 2), doubles_zero(4), DOUBLES(1, 5)};
    EncoderGradient g = gradient_zero(&e);
    backward(g, &e, DOUBLES(not_a_number, 1), DOUBLES(1));
    expect_gradient(g, &e, DOUBLES(not_a_number, 0), doubles_zero(4), DOUBLES(not_a_number, 0));
    g = gradient_zero(&e);
    sc_lista_backward(g, DOUBLES(1, 1), DOUBLES(not_a_number, 0), DOUBLES(1), &e,
                      doubles_filled(4, 7));
    assert_number(g.threshold[0], not_a_number, .name = "g.threshold of a code that is NaN");
    g = gradient_zero(&e);
    sc_lista_backward(g, DOUBLES(1, 1), DOUBLES(1, 0), DOUBLES(not_a_number), &e,
                      doubles_filled(4, 7));
    assert_number(g.W[0], not_a_number, .name = "g.W of an x that is NaN");
    Encoder two = {1, 1, 2, DOUBLES(2), DOUBLES(not_a_number), DOUBLES(1)};
    g = gradient_zero(&two);
    sc_lista_backward(g, DOUBLES(1), DOUBLES(1, 1), DOUBLES(1), &two, doubles_filled(2, 7));
    assert_number(g.W[0], not_a_number, .name = "g.W through an S that is NaN");
}

CASE(lista_backward__takes_the_same_arrays_again)
{
    double *x = DOUBLES(2), *S = DOUBLES(1), *g_code = DOUBLES(1), *codes = DOUBLES(1, 2),
           *work = doubles_filled(2, 7);
    Encoder e = {1, 1, 2, DOUBLES(1), S, DOUBLES(1)};
    EncoderGradient g = gradient_zero(&e);
    sc_lista_backward(g, g_code, codes, x, &e, work);
    memset(g.W, 0, sizeof *g.W), memset(g.S, 0, sizeof *g.S);
    memset(g.threshold, 0, sizeof *g.threshold);
    x[0] = 3, S[0] = 5, g_code[0] = 2, codes[0] = 4;
    sc_lista_backward(g, g_code, codes, x, &e, work);
    expect_gradient(g, &e, DOUBLES(3 * 2 + 3 * 10), DOUBLES(8), DOUBLES(-12));
}

const struct CMUnitTest lista_cases[] = {
    cmocka_unit_test(lista__matches_an_example_computed_by_hand),
    cmocka_unit_test(lista__handles_any_sizes_and_layers),
    cmocka_unit_test(lista__is_ista_with_its_weights),
    cmocka_unit_test(lista__is_zero_at_the_threshold),
    cmocka_unit_test(lista__handles_large_and_small_numbers),
    cmocka_unit_test(lista__propagates_nan),
    cmocka_unit_test(lista__takes_the_same_arrays_again),
    cmocka_unit_test(lista_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(lista_backward__matches_finite_differences),
    cmocka_unit_test(lista_backward__adds_to_the_gradient),
    cmocka_unit_test(lista_backward__gives_a_code_of_zero_no_gradient),
    cmocka_unit_test(lista_backward__of_one_layer_has_no_gradient_for_s),
    cmocka_unit_test(lista_backward__handles_large_and_small_numbers),
    cmocka_unit_test(lista_backward__propagates_nan),
    cmocka_unit_test(lista_backward__takes_the_same_arrays_again),
    {0},
};
