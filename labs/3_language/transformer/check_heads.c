/* Exercises 5 to 7: many heads. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char split_formula[] = "heads[h,t,i] = x[t row + h D + i]";
static const char merge_formula[] = "x[t row + h D + i] = heads[h,t,i]";
static const char multi_head_formula[] =
    "head h of y = attention(query head h, key and value head h / (H / KV))";

// ---- 5 and 6: split and merge ----

// T, H, D, and by how much a row is longer than H D
static const int split_shapes[][4] = {
    {1, 1, 1, 0}, {2, 3, 4, 0}, {3, 2, 5, 7},   {1, 4, 2, 3},
    {5, 1, 3, 1}, {7, 3, 1, 0}, {67, 5, 33, 9},
};
enum { SPLIT_SHAPES = sizeof split_shapes / sizeof *split_shapes };

// The last row of x ends after its heads: what would come after them is not there.
static size_t split_size(const int s[4])
{
    return (size_t)((s[0] - 1) * (s[1] * s[2] + s[3]) + s[1] * s[2]);
}

static void assert_split(const float *x, const int s[4])
{
    int T = s[0], H = s[1], D = s[2], row = H * D + s[3];
    size_t n = (size_t)(T * H * D);
    float *heads = floats_filled(n, 7), *before = floats_copy(heads, n);
    float *kept = floats_copy(x, split_size(s));
    double *want = doubles_zero(n);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < H * D; c++) want[(c / D * T + t) * D + c % D] = (double)x[t * row + c];
    tf_split_heads(heads, x, T, H, D, row);
    assert_near(heads, want, SHAPE(H, T, D), .name = "heads", .replaces = before, .exact = true,
                .formula = split_formula);
    assert_kept("x", x, kept, split_size(s));
}

static float *rows_new(const int s[4], uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    return floats_normal(&rng, split_size(s));
}

CASE(split_heads__matches_an_example_computed_by_hand)
{
    float *heads = floats_filled(8, NAN);
    tf_split_heads(heads, FLOATS(1, 2, 3, 4, 9, 5, 6, 7, 8, 9), 2, 2, 2, 5);
    assert_near(heads, ((double[]){1, 2, 5, 6, 3, 4, 7, 8}), SHAPE(2, 2, 2), .name = "heads",
                .exact = true, .formula = split_formula);
}

CASE(split_heads__copies_every_number_to_its_head)
{
    for (int i = 0; i < SPLIT_SHAPES; i++)
        assert_split(rows_new(split_shapes[i], 300 + (uint64_t)i), split_shapes[i]);
}

CASE(split_heads__copies_nan_and_large_numbers)
{
    assert_split(FLOATS(NAN, INFINITY, 1e38f, -1e-38f, 3, NAN), (int[]){1, 3, 2, 0});
}

CASE(split_heads__takes_the_same_arrays_again_with_other_contents)
{
    const int *s = split_shapes[2];
    float *x = rows_new(s, 310);
    assert_split(x, s);
    floats_scale(x, split_size(s), -2);
    assert_split(x, s);
    assert_split(rows_new(s, 311), s);
    assert_split(x, s);
}

static void assert_merge(const float *heads, const int s[4])
{
    int T = s[0], H = s[1], D = s[2], row = H * D + s[3];
    size_t n = (size_t)(T * H * D), size = split_size(s);
    float *x = floats_filled(size, 7), *before = floats_copy(x, size);
    float *kept = floats_copy(heads, n);
    double *want = floats_wide(x, size);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < H * D; c++)
            want[t * row + c] = (double)heads[(c / D * T + t) * D + c % D];
    tf_merge_heads(x, heads, T, H, D, row);
    assert_near(x, want, SHAPE((int)size), .name = "x", .replaces = s[3] > 0 ? NULL : before,
                .exact = true, .formula = merge_formula);
    assert_kept("heads", heads, kept, n);
}

static float *heads_new(const int s[4], uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    return floats_normal(&rng, (size_t)(s[0] * s[1] * s[2]));
}

CASE(merge_heads__matches_an_example_computed_by_hand)
{
    float *x = floats_filled(8, NAN);
    tf_merge_heads(x, FLOATS(1, 2, 5, 6, 3, 4, 7, 8), 2, 2, 2, 4);
    assert_near(x, ((double[]){1, 2, 3, 4, 5, 6, 7, 8}), SHAPE(2, 4), .name = "x", .exact = true,
                .formula = merge_formula);
}

CASE(merge_heads__copies_every_number_to_its_row_and_leaves_the_rest)
{
    for (int i = 0; i < SPLIT_SHAPES; i++)
        assert_merge(heads_new(split_shapes[i], 320 + (uint64_t)i), split_shapes[i]);
}

CASE(merge_heads__copies_nan_and_large_numbers)
{
    assert_merge(FLOATS(NAN, INFINITY, 1e38f, -1e-38f, 3, NAN), (int[]){1, 3, 2, 0});
}

CASE(merge_heads__takes_the_same_arrays_again_with_other_contents)
{
    const int *s = split_shapes[2];
    float *heads = heads_new(s, 330);
    assert_merge(heads, s);
    floats_scale(heads, (size_t)(s[0] * s[1] * s[2]), -2);
    assert_merge(heads, s);
    assert_merge(heads_new(s, 331), s);
    assert_merge(heads, s);
}

// ---- 7: multi-head attention ----

static const TfHeads head_shapes[] = {
    // T, H, KV, D
    {1, 1, 1, 1}, {4, 2, 2, 3}, {3, 4, 2, 2},   {5, 4, 1, 3},
    {7, 6, 3, 5}, {2, 9, 3, 1}, {33, 4, 2, 17}, {300, 2, 1, 1},
};
enum { HEAD_SHAPES = sizeof head_shapes / sizeof *head_shapes };

static int row_of(TfHeads s)
{
    return (s.H + 2 * s.KV) * s.D;
}

static float *qkv_new(TfHeads s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    return floats_normal(&rng, (size_t)(s.T * row_of(s)));
}

static void want_multi_head(double *y, double *p, const float *qkv, TfHeads s)
{
    int row = row_of(s);
    double *scores = doubles_zero((size_t)s.T);
    for (int h = 0; h < s.H; h++)
        for (int i = 0; i < s.T; i++) {
            int shared = 0;    // each key and value head serves as many query heads as every other
            while ((shared + 1) * (s.H / s.KV) <= h) shared++;
            const float *k = qkv + (s.H + shared) * s.D, *v = k + s.KV * s.D;
            double *weights = p + (h * s.T + i) * s.T, *out = y + (i * s.H + h) * s.D;
            for (int j = 0; j <= i; j++) {
                scores[j] = 0;
                for (int d = 0; d < s.D; d++)
                    scores[j] += (double)qkv[i * row + h * s.D + d] * (double)k[j * row + d];
                scores[j] /= sqrt(s.D);
            }
            softmax_of(weights, scores, i + 1, s.T);
            for (int d = 0; d < s.D; d++) out[d] = 0;
            for (int j = 0; j <= i; j++)
                for (int d = 0; d < s.D; d++) out[d] += weights[j] * (double)v[j * row + d];
        }
}

static void assert_multi_head(const float *qkv, TfHeads s)
{
    size_t y_size = (size_t)(s.T * s.H * s.D), p_size = (size_t)(s.H * s.T * s.T);
    size_t qkv_size = (size_t)(s.T * row_of(s));
    float *y = floats_filled(y_size, 7), *p = floats_filled(p_size, 7);
    float *y_before = floats_copy(y, y_size), *p_before = floats_copy(p, p_size);
    float *kept = floats_copy(qkv, qkv_size);
    double *y_want = doubles_zero(y_size), *p_want = doubles_zero(p_size);
    want_multi_head(y_want, p_want, qkv, s);
    tf_multi_head(y, p, qkv, floats_filled((size_t)((2 * s.H + 2 * s.KV) * s.T * s.D), 7), s);
    assert_near(p, p_want, SHAPE(s.H, s.T, s.T), .name = "p", .replaces = p_before,
                .formula = multi_head_formula);
    assert_near(y, y_want, SHAPE(s.T, s.H * s.D), .name = "y", .replaces = y_before,
                .formula = multi_head_formula);
    assert_kept("qkv", qkv, kept, qkv_size);
}

CASE(multi_head__matches_pytorch)
{
    // scaled_dot_product_attention(is_causal=True, enable_gqa=True): H 4, KV 2, D 2, T 3
    float *y = floats_filled(24, NAN), *p = floats_filled(36, NAN);
    tf_multi_head(y, p, waves(48, 0, 1, 0), floats_filled(72, NAN), (TfHeads){3, 4, 2, 2});
    assert_near(y, ((double[]){-0.536572918, 0.420167037,  -0.536572918, 0.420167037,  0.990607356,
                               0.65028784,   0.990607356,  0.65028784,   0.0128872458, -0.317320437,
                               0.045478676,  -0.361064776, -0.75235024,  -0.278453902, 0.52509861,
                               0.402239692,  -0.226553261, 0.37323135,   -0.135127147, 0.359483753,
                               0.808199899,  0.309487091,  -0.427380822, -0.176069858}),
                SHAPE(3, 8), .name = "y", .atol = 1e-6, .formula = multi_head_formula);
}

CASE(multi_head__matches_the_formula_in_double)
{
    for (int i = 0; i < HEAD_SHAPES; i++)
        assert_multi_head(qkv_new(head_shapes[i], 340 + (uint64_t)i), head_shapes[i]);
}

CASE(multi_head__is_stable_for_large_scores)
{
    TfHeads s = {3, 2, 1, 4};
    float *qkv = qkv_new(s, 350);
    for (int t = 0; t < s.T; t++)
        for (int c = 0; c < 12; c++) qkv[t * 16 + c] = c % 4 == 0 ? 512 * (float)(c + t + 1) : 0;
    assert_multi_head(qkv, s);
}

CASE(multi_head__propagates_nan_within_its_heads_and_forward_in_time)
{
    TfHeads s = {4, 4, 2, 2};
    const int at[] = {1 * 16 + 2, 2 * 16 + 9,
                      1 * 16 + 15};    // query head 1, key head 0, value head 1
    for (int i = 0; i < 3; i++) {
        float *qkv = qkv_new(s, 351);
        qkv[at[i]] = NAN;
        size_t y_size = 32, p_size = 64;
        float *y = floats_filled(y_size, 7), *p = floats_filled(p_size, 7);
        double *y_want = doubles_zero(y_size), *p_want = doubles_zero(p_size);
        want_multi_head(y_want, p_want, qkv, s);
        tf_multi_head(y, p, qkv, floats_filled(96, 7), s);
        assert_near(y, y_want, SHAPE(4, 8), .name = "y", .formula = multi_head_formula);
    }
}

CASE(multi_head__takes_the_same_arrays_again_with_other_contents)
{
    TfHeads s = {3, 4, 2, 2};
    float *qkv = qkv_new(s, 352);
    assert_multi_head(qkv, s);
    floats_scale(qkv, 48, -0.5f);
    assert_multi_head(qkv, s);
    assert_multi_head(qkv_new(s, 353), s);
    assert_multi_head(qkv, s);
}

const struct CMUnitTest head_cases[] = {
    cmocka_unit_test(split_heads__matches_an_example_computed_by_hand),
    cmocka_unit_test(split_heads__copies_every_number_to_its_head),
    cmocka_unit_test(split_heads__copies_nan_and_large_numbers),
    cmocka_unit_test(split_heads__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(merge_heads__matches_an_example_computed_by_hand),
    cmocka_unit_test(merge_heads__copies_every_number_to_its_row_and_leaves_the_rest),
    cmocka_unit_test(merge_heads__copies_nan_and_large_numbers),
    cmocka_unit_test(merge_heads__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(multi_head__matches_pytorch),
    cmocka_unit_test(multi_head__matches_the_formula_in_double),
    cmocka_unit_test(multi_head__is_stable_for_large_scores),
    cmocka_unit_test(multi_head__propagates_nan_within_its_heads_and_forward_in_time),
    cmocka_unit_test(multi_head__takes_the_same_arrays_again_with_other_contents),
    {0},
};
