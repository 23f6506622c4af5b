/* Exercise 27: the key-value cache. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char cache_formula[] =
    "row `past` of the caches = k, v;  y = softmax(q k_cache^T / sqrt(D)) v_cache, rows 0 .. past";

enum { UNUSED = 3 };    // rows above the last token's

typedef struct Sequence {
    TfHeads s;    // T tokens
    size_t cache_size;
    float *qkv, *k_cache, *v_cache;    // [T,(H + 2 KV) D], [T + UNUSED,KV D]
} Sequence;

static const TfHeads shapes[] = {
    {1, 1, 1, 1}, {4, 2, 2, 3},   {5, 4, 2, 2},   {6, 4, 1, 3},
    {3, 6, 3, 5}, {40, 2, 1, 17}, {131, 2, 1, 3},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static int row_of(TfHeads s)
{
    return (s.H + 2 * s.KV) * s.D;
}

static Sequence sequence_new(TfHeads s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    size_t size = (size_t)((s.T + UNUSED) * s.KV * s.D);
    return (Sequence){s, size, floats_normal(&rng, (size_t)(s.T * row_of(s))),
                      floats_filled(size, NAN), floats_filled(size, NAN)};
}

// The token `past` by the whole of the sequence, in double; y [H D]
static void want_token(double *y, const Sequence *q, int past)
{
    TfHeads s = q->s;
    int row = row_of(s);
    double *scores = doubles_zero((size_t)past + 1), *p = doubles_zero((size_t)past + 1);
    for (int h = 0; h < s.H; h++) {
        int shared = h * s.KV / s.H;
        const float *query = q->qkv + past * row + h * s.D;
        const float *k = q->qkv + (s.H + shared) * s.D, *v = k + s.KV * s.D;
        for (int j = 0; j <= past; j++) {
            scores[j] = 0;
            for (int d = 0; d < s.D; d++)
                scores[j] += (double)query[d] * (double)k[j * row + d] / sqrt(s.D);
        }
        softmax_of(p, scores, past + 1, past + 1);
        for (int d = 0; d < s.D; d++) {
            y[h * s.D + d] = 0;
            for (int j = 0; j <= past; j++) y[h * s.D + d] += p[j] * (double)v[j * row + d];
        }
    }
}

// What the caches hold after `tokens` tokens.
static void assert_caches(const Sequence *q, int tokens, const float *k_before,
                          const float *v_before)
{
    TfHeads s = q->s;
    int width = s.KV * s.D;
    double *k = floats_wide(k_before, q->cache_size), *v = floats_wide(v_before, q->cache_size);
    for (int t = 0; t < tokens; t++)
        for (int i = 0; i < width; i++) {
            const float *keys = q->qkv + t * row_of(s) + s.H * s.D;
            k[t * width + i] = (double)keys[i];
            v[t * width + i] = (double)keys[width + i];
        }
    assert_near(q->k_cache, k, SHAPE(s.T + UNUSED, width), .name = "k_cache", .exact = true,
                .formula = cache_formula);
    assert_near(q->v_cache, v, SHAPE(s.T + UNUSED, width), .name = "v_cache", .exact = true,
                .formula = cache_formula);
}

// Token by token from `first` on.
static void assert_steps(Sequence q, int first)
{
    TfHeads s = q.s;
    size_t n = (size_t)(s.H * s.D), row = (size_t)row_of(s);
    for (int past = first; past < s.T; past++) {
        float *y = floats_filled(n, 7), *before = floats_copy(y, n);
        float *token = floats_copy(q.qkv + (size_t)past * row, row);
        float *kept = floats_copy(token, row), *k_before = floats_copy(q.k_cache, q.cache_size),
              *v_before = floats_copy(q.v_cache, q.cache_size);
        double *want = doubles_zero(n);
        want_token(want, &q, past);
        s.T = 0;    // is not used
        tf_cache_step(y, q.k_cache, q.v_cache, token, floats_filled((size_t)past + 1, 7), past, s);
        s.T = q.s.T;
        assert_near(y, want, SHAPE(s.H, s.D), .name = "y", .replaces = before,
                    .formula = cache_formula);
        assert_caches(&q, past + 1, k_before, v_before);
        assert_kept("qkv", token, kept, row);
    }
}

CASE(cache_step__matches_an_example_computed_by_hand)
{
    // D 4: scores 0 and log 3, once divided by 2
    float log9 = logf(9), *k = FLOATS(5, 0, 0, 0, NAN, NAN, NAN, NAN);
    float *v = FLOATS(4, 8, 0, -4, NAN, NAN, NAN, NAN), *y = floats_filled(4, NAN);
    tf_cache_step(y, k, v, FLOATS(0, 1, 0, 0, 0, log9, 0, 0, 8, 4, 4, 0), floats_filled(2, NAN), 1,
                  (TfHeads){0, 1, 1, 4});
    assert_near(y, ((double[]){7, 5, 3, -1}), SHAPE(1, 4), .name = "y", .atol = 2e-6,
                .formula = cache_formula);
}

CASE(cache_step__matches_pytorch_on_the_whole_sequence)
{
    // the last two rows of multi_head's example: enable_gqa=True, H 4, KV 2, D 2
    Sequence q = sequence_new((TfHeads){3, 4, 2, 2}, 0);
    const double want[3][8] = {{-0.536572918, 0.420167037, -0.536572918, 0.420167037, 0.990607356,
                                0.65028784, 0.990607356, 0.65028784},
                               {0.0128872458, -0.317320437, 0.045478676, -0.361064776, -0.75235024,
                                -0.278453902, 0.52509861, 0.402239692},
                               {-0.226553261, 0.37323135, -0.135127147, 0.359483753, 0.808199899,
                                0.309487091, -0.427380822, -0.176069858}};
    for (int t = 0; t < 3; t++) {
        float *y = floats_filled(8, NAN), *token = waves(16, 16 * t, 1, 0);
        tf_cache_step(y, q.k_cache, q.v_cache, token, floats_filled((size_t)t + 1, NAN), t, q.s);
        assert_near(y, want[t], SHAPE(4, 2), .name = "y", .atol = 1e-6, .formula = cache_formula);
    }
}

CASE(cache_step__equals_attention_over_all_tokens_so_far)
{
    for (int i = 0; i < SHAPES; i++) assert_steps(sequence_new(shapes[i], 1100 + (uint64_t)i), 0);
}

CASE(cache_step__takes_any_number_of_tokens_in_the_caches)
{
    const int tokens[] = {256, 257, 258, 512, 1025, 2049, 5003};
    for (int i = 0; i < 7; i++) {
        Sequence q = sequence_new((TfHeads){tokens[i], 2, 1, 2}, 1120 + (uint64_t)i);
        for (int t = 0; t < tokens[i] - 1; t++)
            for (int c = 0; c < 2; c++) {
                q.k_cache[2 * t + c] = q.qkv[8 * t + 4 + c];
                q.v_cache[2 * t + c] = q.qkv[8 * t + 6 + c];
            }
        assert_steps(q, tokens[i] - 1);
    }
}

CASE(cache_step__keeps_the_digits_of_small_probabilities)
{
    // Scores of -80 and 0: the first token has the probability 2e-35, and a large value.
    Sequence q = sequence_new((TfHeads){2, 1, 1, 1}, 1130);
    for (int i = 0; i < 6; i++) q.qkv[i] = ((float[]){1, -80, 1e36f, 1, 0, 0})[i];
    assert_steps(q, 0);
}

CASE(cache_step__uses_what_is_in_the_caches_and_changes_nothing_but_its_row)
{
    // another row 0 than the sequence's: it must be used and kept
    Sequence q = sequence_new((TfHeads){3, 4, 2, 2}, 1110), other = sequence_new(q.s, 1111);
    assert_steps(q, 0);
    for (int i = 0; i < 8; i++) q.qkv[8 + i] = other.qkv[8 + i];
    for (int i = 0; i < 4; i++) q.k_cache[i] = q.qkv[8 + i], q.v_cache[i] = q.qkv[12 + i];
    assert_steps(q, 2);
}

CASE(cache_step__is_stable_for_large_scores)
{
    Sequence q = sequence_new((TfHeads){3, 2, 1, 4}, 1112);
    for (int t = 0; t < 3; t++)
        for (int c = 0; c < 12; c++) q.qkv[t * 16 + c] = c % 4 == 0 ? 512 * (float)(c + t + 1) : 0;
    assert_steps(q, 0);
}

CASE(cache_step__keeps_the_digits_of_a_dot_product_that_cancels)
{
    Sequence q = sequence_new((TfHeads){2, 1, 1, 4}, 1113);
    for (int i = 0; i < 4; i++) q.qkv[12 + i] = ((float[]){1e4f, 1, 1e4f, 0})[i];
    for (int i = 0; i < 4; i++) q.qkv[16 + i] = ((float[]){1e4f, 3, -1e4f, 2})[i];
    for (int i = 0; i < 4; i++) q.qkv[4 + i] = ((float[]){-1e4f, 1, 1e4f, 0})[i];
    assert_steps(q, 0);
}

CASE(cache_step__propagates_nan)
{
    const int at[] = {2, 8 + 1, 12 + 3};    // of a query, a key, a value of token 1
    for (int i = 0; i < 3; i++) {
        Sequence q = sequence_new((TfHeads){3, 4, 2, 2}, 1114);
        q.qkv[16 + at[i]] = NAN;
        assert_steps(q, 0);
    }
}

CASE(cache_step__takes_the_same_caches_for_another_sequence)
{
    Sequence q = sequence_new((TfHeads){4, 4, 2, 2}, 1115), other = sequence_new(q.s, 1116);
    assert_steps(q, 0);
    floats_scale(q.qkv, 64, -0.5f);
    assert_steps(q, 0);
    for (int i = 0; i < 2; i++) {    // two sequences in turns
        assert_steps(other, 3 * i);
        assert_steps(q, 3 * i);
    }
    assert_steps(q, 1);    // the last tokens again
}

const struct CMUnitTest cache_cases[] = {
    cmocka_unit_test(cache_step__matches_an_example_computed_by_hand),
    cmocka_unit_test(cache_step__matches_pytorch_on_the_whole_sequence),
    cmocka_unit_test(cache_step__equals_attention_over_all_tokens_so_far),
    cmocka_unit_test(cache_step__takes_any_number_of_tokens_in_the_caches),
    cmocka_unit_test(cache_step__keeps_the_digits_of_small_probabilities),
    cmocka_unit_test(cache_step__uses_what_is_in_the_caches_and_changes_nothing_but_its_row),
    cmocka_unit_test(cache_step__is_stable_for_large_scores),
    cmocka_unit_test(cache_step__keeps_the_digits_of_a_dot_product_that_cancels),
    cmocka_unit_test(cache_step__propagates_nan),
    cmocka_unit_test(cache_step__takes_the_same_caches_for_another_sequence),
    {0},
};
