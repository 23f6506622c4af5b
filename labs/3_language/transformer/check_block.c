/* Exercise 19: a layer of the model. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char block_formula[] =
    "h = x + out(multi_head(rope(qkv(norm1(x))))), y = h + feed_forward(norm2(h))";

typedef struct Layer {
    TfBlock w;
    int T, C;
    size_t size;
    float *x;
} Layer;

enum { LAYER_NORMS = 1, BIASES = 2, GATED = 4, ROPE = 8, HALVES = 16 };    // in `style`
enum { GPT2 = LAYER_NORMS | BIASES, LLAMA = GATED | ROPE | HALVES };

static float *weights(Rng *rng, int rows, int cols)
{
    float *w = floats_normal(rng, (size_t)(rows * cols));
    floats_scale(w, (size_t)(rows * cols), 1 / sqrtf((float)cols));
    return w;
}

static float *if_style(int style, int bit, float *x)
{
    return (style & bit) != 0 ? x : NULL;
}

static Layer layer_new(TfHeads s, int C, int F, int style, uint64_t seed)
{
    Rng rng = rng_from_seed(seed), *r = &rng;
    int row = (s.H + 2 * s.KV) * s.D, hidden = (style & GATED) != 0 ? 2 * F : F;
    Layer l = {.T = s.T, .C = C, .size = (size_t)(s.T * C), .x = weights(r, s.T * C, 1)};
    l.w = (TfBlock){
        .heads = s,
        .eps = 0.0625f,
        .theta = (style & ROPE) != 0 ? 50 : 0,
        .layout = (style & HALVES) != 0 ? TF_HALVES : TF_INTERLEAVED,
        .gamma1 = weights(r, C, 1),
        .shift1 = if_style(style, LAYER_NORMS, weights(r, C, 1)),
        .qkv = weights(r, row, C),
        .qkv_bias = if_style(style, BIASES, weights(r, row, 1)),
        .out = weights(r, C, s.H * s.D),
        .out_bias = if_style(style, BIASES, weights(r, C, 1)),
        .gamma2 = weights(r, C, 1),
        .shift2 = if_style(style, LAYER_NORMS, weights(r, C, 1)),
        .feed_forward = {.C = C,
                         .F = F,
                         .gated = (style & GATED) != 0,
                         .up = weights(r, hidden, C),
                         .up_bias = if_style(style, BIASES, weights(r, hidden, 1)),
                         .down = weights(r, C, F),
                         .down_bias = if_style(style, BIASES, weights(r, C, 1))},
    };
    return l;
}

// ---- the same in double, token by token ----

static void norm_of(double *y, const double *x, const float *gamma, const float *shift, int C,
                    double eps)
{
    double mean = 0, squares = 0;
    for (int c = 0; c < C && shift != NULL; c++) mean += x[c] / C;
    for (int c = 0; c < C; c++) squares += (x[c] - mean) * (x[c] - mean) / C;
    for (int c = 0; c < C; c++)
        y[c] = (double)gamma[c] * (x[c] - mean) / sqrt(squares + eps) +
               (shift != NULL ? (double)shift[c] : 0);
}

static void linear_of(double *y, const double *x, const float *w, const float *bias, int out,
                      int in)
{
    for (int o = 0; o < out; o++) {
        y[o] = bias != NULL ? (double)bias[o] : 0;
        for (int i = 0; i < in; i++) y[o] += x[i] * (double)w[o * in + i];
    }
}

static void rope_of(double *head, int position, const TfBlock *w)
{
    int D = w->heads.D;
    bool halves = w->layout == TF_HALVES;
    for (int i = 0; i < D / 2; i++) {
        double angle = position * pow((double)w->theta, -2.0 * i / D);
        double *a = head + (halves ? i : 2 * i), *b = halves ? a + D / 2 : a + 1, x = *a, z = *b;
        *a = x * cos(angle) - z * sin(angle);
        *b = x * sin(angle) + z * cos(angle);
    }
}

static void activate(double *h, bool gated, int F)
{
    for (int f = 0; f < F; f++)
        h[f] = gated ? h[f] / (1 + exp(-h[f])) * h[F + f]
                     : h[f] / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (h[f] + 0.044715 * pow(h[f], 3))));
}

static void want_block(double *y, const Layer *l)
{
    const TfBlock *w = &l->w;
    TfHeads s = w->heads;
    int C = l->C, F = w->feed_forward.F, row = (s.H + 2 * s.KV) * s.D;
    double *x = floats_wide(l->x, l->size), *normed = doubles_zero((size_t)C);
    double *qkv = doubles_zero((size_t)(s.T * row)), *heads = doubles_zero((size_t)(s.H * s.D));
    double *branch = doubles_zero((size_t)C), *hidden = doubles_zero((size_t)(2 * F));
    double *scores = doubles_zero((size_t)s.T), *p = doubles_zero((size_t)s.T);
    for (int t = 0; t < s.T; t++) {
        double *h = y + t * C;
        norm_of(normed, x + t * C, w->gamma1, w->shift1, C, (double)w->eps);
        linear_of(qkv + t * row, normed, w->qkv, w->qkv_bias, row, C);
        for (int head = 0; head < s.H + s.KV && w->theta > 0; head++)
            rope_of(qkv + t * row + head * s.D, t, w);
        for (int i = 0; i < s.H * s.D; i++) {
            int head = i / s.D, shared = head * s.KV / s.H;
            const double *k = qkv + (s.H + shared) * s.D, *v = k + s.KV * s.D;
            for (int j = 0; j <= t; j++) {
                scores[j] = 0;
                for (int d = 0; d < s.D; d++)
                    scores[j] += qkv[t * row + head * s.D + d] * k[j * row + d] / sqrt(s.D);
            }
            softmax_of(p, scores, t + 1, s.T);
            heads[i] = 0;
            for (int j = 0; j <= t; j++) heads[i] += p[j] * v[j * row + i % s.D];
        }
        linear_of(branch, heads, w->out, w->out_bias, C, s.H * s.D);
        for (int c = 0; c < C; c++) h[c] = x[t * C + c] + branch[c];
        norm_of(normed, h, w->gamma2, w->shift2, C, (double)w->eps);
        linear_of(hidden, normed, w->feed_forward.up, w->feed_forward.up_bias,
                  w->feed_forward.gated ? 2 * F : F, C);
        activate(hidden, w->feed_forward.gated, F);
        linear_of(branch, hidden, w->feed_forward.down, w->feed_forward.down_bias, C, F);
        for (int c = 0; c < C; c++) h[c] += branch[c];
    }
}

static void assert_block(Layer l)
{
    float *y = floats_filled(l.size, 7), *before = floats_copy(y, l.size);
    float *x = floats_copy(l.x, l.size);
    float *gamma = floats_copy(l.w.gamma1, (size_t)l.C);
    double *want = doubles_zero(l.size);
    want_block(want, &l);
    tf_block(y, l.x, floats_filled(tf_block_room(&l.w), 7), &l.w);
    assert_near(y, want, SHAPE(l.T, l.C), .name = "y", .replaces = before, .atol = 5e-5,
                .rtol = 1e-5, .formula = block_formula);
    assert_kept("x", l.x, x, l.size);
    assert_kept("gamma1", l.w.gamma1, gamma, (size_t)l.C);
}

// ---- the cases ----

static float *half_waves(int n, double first)
{
    return waves((size_t)n, first, 0.5, 0);
}

CASE(block__matches_the_decoder_layer_of_llama)
{
    // LlamaDecoderLayer: width 8, 2 heads, 1 of keys and values, 6 hidden, eps 1e-5
    TfBlock w = {.heads = {3, 2, 1, 4},
                 .eps = 1e-5f,
                 .theta = 10000,
                 .layout = TF_HALVES,
                 .gamma1 = waves(8, 50, 0.5, 1),
                 .qkv = half_waves(128, 10),
                 .out = half_waves(64, 20),
                 .gamma2 = waves(8, 60, 0.5, 1),
                 .feed_forward = {8, 6, true, half_waves(96, 30), NULL, half_waves(48, 40), NULL}};
    float *y = floats_filled(24, NAN);
    tf_block(y, waves(24, 0, 1, 0), floats_filled(tf_block_room(&w), NAN), &w);
    assert_near(y, ((double[]){-0.195026068, 2.90425765,   0.498129712,  -1.80759074,  0.216659083,
                               0.702901674,  -1.73861491,  -0.580726568, 2.24060925,   0.759385733,
                               -1.77054129,  -0.85537257,  0.781261333,  0.013261347,  -0.109466385,
                               1.44690088,   -0.485169097, -3.05091538,  0.0248193513, 1.98354839,
                               -0.42472791,  -0.63195006,  1.7379869,    0.103303881}),
                SHAPE(3, 8), .name = "y", .atol = 1e-5, .formula = block_formula);
}

CASE(block__matches_the_block_of_gpt2)
{
    // GPT2Block: width 8, 2 heads, 6 hidden, eps 1e-5
    TfBlock w = {.heads = {3, 2, 2, 4},
                 .eps = 1e-5f,
                 .gamma1 = waves(8, 50, 0.5, 1),
                 .shift1 = half_waves(8, 55),
                 .qkv = half_waves(192, 10),
                 .qkv_bias = half_waves(24, 15),
                 .out = half_waves(64, 20),
                 .out_bias = half_waves(8, 25),
                 .gamma2 = waves(8, 60, 0.5, 1),
                 .shift2 = half_waves(8, 65),
                 .feed_forward = {8, 6, false, half_waves(48, 30), half_waves(6, 35),
                                  half_waves(48, 40), half_waves(8, 45)}};
    float *y = floats_filled(24, NAN);
    tf_block(y, waves(24, 0, 1, 0), floats_filled(tf_block_room(&w), NAN), &w);
    assert_near(y, ((double[]){1.38436637,  1.79301097,   2.00518002,  0.735932908,   -1.82293336,
                               -2.4328018,  -0.33966499,  1.07114069,  1.54719951,    1.43713473,
                               0.5780939,   -0.745910625, -1.24943709, -0.0177951609, 1.52769248,
                               1.46108723,  -0.734222613, -2.16904534, 1.53769363,    1.55650469,
                               -2.23686771, -1.09955869,  2.31048177,  -0.0954473658}),
                SHAPE(3, 8), .name = "y", .atol = 1e-5, .formula = block_formula);
}

CASE(block__matches_the_formula_in_double_in_every_style)
{
    for (int style = 0; style < 32; style++) {
        uint64_t seed = 800 + (uint64_t)style;
        assert_block(layer_new((TfHeads){4, 4, 2, 4}, 6, 5, style, seed));
    }
}

CASE(block__takes_any_shape)
{
    const TfHeads heads[] = {
        {1, 1, 1, 2}, {7, 3, 3, 2}, {2, 6, 2, 4}, {5, 4, 1, 6}, {33, 2, 1, 16}};
    const int C[] = {1, 6, 9, 24, 35}, F[] = {1, 3, 20, 7, 67};
    for (int i = 0; i < 5; i++) {
        assert_block(layer_new(heads[i], C[i], F[i], GPT2, 840 + (uint64_t)i));
        assert_block(layer_new(heads[i], C[i], F[i], LLAMA, 850 + (uint64_t)i));
    }
}

CASE(block__without_weights_is_the_identity)
{
    // whatever the norms do: nothing is added to x
    Layer l = layer_new((TfHeads){3, 2, 1, 2}, 4, 5, LLAMA, 860);
    float *y = floats_filled(12, NAN);
    l.w.out = floats_filled(16, 0), l.w.feed_forward.down = floats_filled(20, 0);
    tf_block(y, l.x, floats_filled(tf_block_room(&l.w), NAN), &l.w);
    assert_near(y, floats_wide(l.x, 12), SHAPE(3, 4), .name = "y", .exact = true,
                .formula = block_formula);
}

CASE(block__is_causal_and_propagates_nan)
{
    for (int style = GPT2; style <= LLAMA; style += LLAMA - GPT2) {
        Layer l = layer_new((TfHeads){4, 2, 2, 2}, 4, 3, style, 861);
        l.x[2 * 4 + 1] = NAN;    // of token 2
        float *y = floats_filled(16, 7);
        double *want = doubles_zero(16);
        want_block(want, &l);
        tf_block(y, l.x, floats_filled(tf_block_room(&l.w), 7), &l.w);
        assert_near(y, want, SHAPE(4, 4), .name = "y", .formula = block_formula, .atol = 1e-5);
    }
}

CASE(block__takes_a_stream_of_large_numbers)
{
    // The norms take the scale away; 1e-6 of what the branches add is lost beside x.
    Layer l = layer_new((TfHeads){3, 2, 1, 4}, 6, 5, LLAMA, 862);
    floats_scale(l.x, l.size, 1e12f);
    assert_block(l);
}

CASE(block__takes_the_same_arrays_again_with_other_contents)
{
    for (int style = GPT2; style <= LLAMA; style += LLAMA - GPT2) {
        Layer l = layer_new((TfHeads){3, 2, 1, 4}, 6, 5, style, 863);
        assert_block(l);
        floats_scale(l.x, l.size, -0.5f);
        floats_scale((float *)l.w.qkv, 16 * 6, 2);
        assert_block(l);
        assert_block(layer_new((TfHeads){3, 2, 1, 4}, 6, 5, style, 864));
        assert_block(l);
    }
}

const struct CMUnitTest block_cases[] = {
    cmocka_unit_test(block__matches_the_decoder_layer_of_llama),
    cmocka_unit_test(block__matches_the_block_of_gpt2),
    cmocka_unit_test(block__matches_the_formula_in_double_in_every_style),
    cmocka_unit_test(block__takes_any_shape),
    cmocka_unit_test(block__without_weights_is_the_identity),
    cmocka_unit_test(block__is_causal_and_propagates_nan),
    cmocka_unit_test(block__takes_a_stream_of_large_numbers),
    cmocka_unit_test(block__takes_the_same_arrays_again_with_other_contents),
    {0},
};
