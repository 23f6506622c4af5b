/* Exercises 3 and 4: attention, one head. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char p_formula[] =
    "p[i,j] = softmax over j <= S - T + i of q[i] . k[j] / sqrt(D), 0 for the others";
static const char y_formula[] = "y[i] = sum_j p[i,j] v[j]";
static const char backward_formula[] =
    "dz = p (dy . v - sum_j p dy . v) / sqrt(D); dq += dz k, dk += dz q, dv += p dy";

typedef struct Head {
    TfAttention s;
    size_t q_size, k_size, p_size;
    float *q, *k, *v, *dy;
} Head;

// The same in double, for what a case wants.
typedef struct WideHead {
    TfAttention s;
    double *q, *k, *v, *dy, *p, *y;
} WideHead;

static const TfAttention head_shapes[] = {
    {1, 1, 1}, {4, 4, 3}, {3, 5, 2},     {1, 6, 4},   {2, 9, 1},
    {7, 7, 8}, {5, 8, 5}, {67, 129, 35}, {5, 6, 131}, {2, 2051, 3},
};
enum { HEAD_SHAPES = sizeof head_shapes / sizeof *head_shapes };

static Head head_new(TfAttention s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Head head = {.s = s};
    head.q_size = (size_t)(s.T * s.D), head.k_size = (size_t)(s.S * s.D);
    head.p_size = (size_t)(s.T * s.S);
    head.q = floats_normal(&rng, head.q_size);
    head.k = floats_normal(&rng, head.k_size);
    head.v = floats_normal(&rng, head.k_size);
    head.dy = floats_normal(&rng, head.q_size);
    return head;
}

static double dot_of(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static int seen_by(TfAttention s, int i)
{
    return s.S - s.T + i + 1;
}

static WideHead head_wide(const Head *head)
{
    return (WideHead){head->s,
                      floats_wide(head->q, head->q_size),
                      floats_wide(head->k, head->k_size),
                      floats_wide(head->v, head->k_size),
                      floats_wide(head->dy, head->q_size),
                      doubles_zero(head->p_size),
                      doubles_zero(head->q_size)};
}

static void wide_forward(WideHead w)
{
    TfAttention s = w.s;
    double *scores = doubles_zero((size_t)s.S);
    for (int i = 0; i < s.T; i++) {
        int seen = seen_by(s, i);
        for (int j = 0; j < seen; j++)
            scores[j] = dot_of(w.q + i * s.D, w.k + j * s.D, s.D) / sqrt(s.D);
        softmax_of(w.p + i * s.S, scores, seen, s.S);
        for (int d = 0; d < s.D; d++) {
            w.y[i * s.D + d] = 0;
            for (int j = 0; j < seen; j++) w.y[i * s.D + d] += w.p[i * s.S + j] * w.v[j * s.D + d];
        }
    }
}

static void assert_attention(Head head, double rtol)
{
    TfAttention s = head.s;
    float *y = floats_filled(head.q_size, 7), *p = floats_filled(head.p_size, 7);
    float *y_before = floats_copy(y, head.q_size), *p_before = floats_copy(p, head.p_size);
    float *q = floats_copy(head.q, head.q_size), *k = floats_copy(head.k, head.k_size),
          *v = floats_copy(head.v, head.k_size);
    WideHead wide = head_wide(&head);
    wide_forward(wide);
    tf_attention(y, p, head.q, head.k, head.v, s);
    assert_near(p, wide.p, SHAPE(s.T, s.S), .name = "p", .replaces = p_before, .atol = rtol / 10,
                .rtol = rtol, .formula = p_formula);
    assert_near(y, wide.y, SHAPE(s.T, s.D), .name = "y", .replaces = y_before, .atol = rtol,
                .rtol = rtol, .formula = y_formula);
    for (int i = 0; i < s.T; i++)
        for (int j = seen_by(s, i); j < s.S; j++)
            assert_that(p[i * s.S + j] == 0, "p[%d,%d] is %g; expected 0: the key is masked", i, j,
                        (double)p[i * s.S + j]);
    assert_kept("q", head.q, q, head.q_size);
    assert_kept("k", head.k, k, head.k_size);
    assert_kept("v", head.v, v, head.k_size);
}

CASE(attention__matches_pytorch)
{
    // scaled_dot_product_attention(q, k, v, is_causal=True), T 3, D 2
    float *y = floats_filled(6, NAN), *p = floats_filled(9, NAN);
    tf_attention(y, p, waves(6, 0, 1, 0), waves(6, 10, 1, 0), waves(6, 20, 1, 0),
                 (TfAttention){3, 3, 2});
    assert_near(
        y,
        ((double[]){0.912945251, 0.836655639, 0.418345948, -0.0663085871, 0.51149468, 0.325391935}),
        SHAPE(3, 2), .name = "y", .atol = 2e-7, .formula = y_formula);
}

CASE(attention__matches_an_example_computed_by_hand)
{
    // D 4: scores of 0 and log 3, once divided by 2
    float *y = floats_filled(8, NAN), *p = floats_filled(4, NAN), log9 = logf(9);
    tf_attention(y, p, FLOATS(1, 0, 0, 0, 0, 1, 0, 0), FLOATS(5, 0, 0, 0, 0, log9, 0, 0),
                 FLOATS(4, 8, 0, -4, 8, 4, 4, 0), (TfAttention){2, 2, 4});
    assert_near(p, ((double[]){1, 0, 0.25, 0.75}), SHAPE(2, 2), .name = "p", .atol = 2e-7,
                .formula = p_formula);
    assert_near(y, ((double[]){4, 8, 0, -4, 7, 5, 3, -1}), SHAPE(2, 4), .name = "y", .atol = 2e-6,
                .formula = y_formula);
}

CASE(attention__of_equal_scores_is_the_mean_of_what_is_seen)
{
    float *y = floats_filled(5, NAN), *p = floats_filled(30, NAN);
    tf_attention(y, p, floats_filled(5, 0), floats_filled(6, 3), FLOATS(6, 12, 18, 24, 30, 36),
                 (TfAttention){5, 6, 1});
    assert_near(y, ((double[]){9, 12, 15, 18, 21}), SHAPE(5, 1), .name = "y", .rtol = 1e-6,
                .formula = y_formula);
}

CASE(attention__matches_the_formula_in_double)
{
    for (int i = 0; i < HEAD_SHAPES; i++)
        assert_attention(head_new(head_shapes[i], 200 + (uint64_t)i), 1e-5);
}

CASE(attention__is_stable_for_large_scores)
{
    // D 4: scores of 10000, 9999 and so on, exact in float
    Head head = head_new((TfAttention){2, 4, 4}, 210);
    for (int i = 0; i < 8; i++) head.q[i] = i % 4 == 0 ? 100 : 0;
    for (int j = 0; j < 16; j++) head.k[j] = j % 4 == 0 ? 200 + 0.02f * (float)(j / 4) : 0;
    assert_attention(head, 1e-3);
    floats_scale(head.q, head.q_size, -1);
    assert_attention(head, 1e-3);
    for (int j = 0; j < 16; j++) head.k[j] = j % 4 == 0 ? (float)(j / 4 - 2) : 0;
    for (int i = 0; i < 8; i++) head.q[i] = i % 4 == 0 ? 1e30f : 0;
    assert_attention(head, 1e-5);
    head.q[0] = 1e-30f;    // each row has a maximum of its own
    assert_attention(head, 1e-5);
}

CASE(attention__keeps_the_digits_of_small_probabilities)
{
    // Scores of 0, -10, .. -80, exact in float; the smallest p is 2e-35, and its value is large.
    Head head = head_new((TfAttention){1, 9, 1}, 217);
    float *y = floats_filled(1, 7), *p = floats_filled(9, 7);
    head.q[0] = 1;
    for (int j = 0; j < 9; j++) head.k[j] = -10 * (float)j, head.v[j] = j < 8 ? 0 : 1e35f;
    WideHead wide = head_wide(&head);
    wide_forward(wide);
    tf_attention(y, p, head.q, head.k, head.v, head.s);
    assert_near(p, wide.p, SHAPE(1, 9), .name = "p", .rtol = 1e-5, .formula = p_formula);
    assert_near(y, wide.y, SHAPE(1, 1), .name = "y", .rtol = 1e-5, .formula = y_formula);
}

CASE(attention__keeps_the_digits_of_a_dot_product_that_cancels)
{
    Head head = head_new((TfAttention){1, 3, 4}, 211);
    for (int d = 0; d < 4; d++) head.q[d] = ((float[]){1e4f, 1, 1e4f, 0})[d];
    for (int d = 0; d < 12; d++)
        head.k[d] = ((float[]){1e4f, 1, -1e4f, 0, 0, 2, 0, 5, -1e4f, 3, 1e4f, 1})[d];
    assert_attention(head, 1e-5);
}

CASE(attention__sums_many_exponentials_in_double)
{
    Head head = head_new((TfAttention){1, 60011, 1}, 212);
    for (int j = 0; j < 60011; j++) head.k[j] = j == 0 ? 0 : -5.125f;
    head.q[0] = 1;
    for (int j = 0; j < 60011; j++) head.v[j] = 0.7f;
    assert_attention(head, 1e-6);
}

CASE(attention__keeps_what_is_masked_out_of_y)
{
    const float bad[] = {NAN, INFINITY};
    for (int b = 0; b < 2; b++) {
        Head head = head_new((TfAttention){3, 4, 2}, 213), clean = head_new(head.s, 213);
        for (int d = 0; d < 2; d++) head.k[6 + d] = head.v[6 + d] = bad[b];    // seen by query 2
        float *y = floats_filled(6, 7), *p = floats_filled(12, 7);
        WideHead wide = head_wide(&clean);
        wide_forward(wide);
        tf_attention(y, p, head.q, head.k, head.v, head.s);
        assert_near(y, wide.y, SHAPE(2, 2), .name = "the first 2 rows of y", .formula = y_formula);
        assert_near(p, wide.p, SHAPE(2, 4), .name = "the first 2 rows of p", .formula = p_formula);
        assert_that(isnan(y[4]) && isnan(y[5]), "y[2] is %g %g; expected NaN: it sees one",
                    (double)y[4], (double)y[5]);
    }
}

CASE(attention__propagates_a_nan_of_a_query_to_its_row)
{
    Head head = head_new((TfAttention){3, 3, 2}, 214);
    head.q[2] = NAN;
    assert_attention(head, 1e-5);
}

CASE(attention__takes_the_same_arrays_again_with_other_contents)
{
    Head head = head_new((TfAttention){4, 5, 3}, 215);
    assert_attention(head, 1e-5);
    floats_scale(head.q, head.q_size, -1);
    floats_scale(head.v, head.k_size, 2);
    assert_attention(head, 1e-5);
    floats_scale(head.k, head.k_size, 0.5f);
    assert_attention(head, 1e-5);
    assert_attention(head_new((TfAttention){4, 5, 3}, 216), 1e-5);
    assert_attention(head, 1e-5);
}

// ---- backward ----

// sum dy y
static double head_score(const void *argument)
{
    const WideHead *w = argument;
    wide_forward(*w);
    return dot_of(w->dy, w->y, w->s.T * w->s.D);
}

static float *narrow(const double *x, size_t n)
{
    float *y = floats_filled(n, 0);
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
    return y;
}

// By the formula; dq, dk and dv hold what was there before.
static void wide_backward(WideHead w, double *dq, double *dk, double *dv)
{
    TfAttention s = w.s;
    double *dp = doubles_zero((size_t)s.S);
    for (int i = 0; i < s.T; i++) {
        const double *p = w.p + i * s.S;
        int seen = seen_by(s, i);
        for (int j = 0; j < seen; j++) dp[j] = dot_of(w.dy + i * s.D, w.v + j * s.D, s.D);
        double mean = dot_of(p, dp, seen);
        for (int j = 0; j < seen; j++)
            for (int d = 0; d < s.D; d++) {
                double dz = p[j] * (dp[j] - mean) / sqrt(s.D);
                dq[i * s.D + d] += dz * w.k[j * s.D + d];
                dk[j * s.D + d] += dz * w.q[i * s.D + d];
                dv[j * s.D + d] += p[j] * w.dy[i * s.D + d];
            }
    }
}

// Starts from held, held + 1, held + 2 in dq, dk, dv.
static void assert_attention_backward(Head head, float held)
{
    TfAttention s = head.s;
    float *dq = floats_filled(head.q_size, held), *dk = floats_filled(head.k_size, held + 1),
          *dv = floats_filled(head.k_size, held + 2);
    float *dq_before = floats_copy(dq, head.q_size), *dk_before = floats_copy(dk, head.k_size),
          *dv_before = floats_copy(dv, head.k_size);
    double *dq_want = floats_wide(dq, head.q_size), *dk_want = floats_wide(dk, head.k_size),
           *dv_want = floats_wide(dv, head.k_size);
    WideHead wide = head_wide(&head);
    wide_forward(wide);
    float *p = narrow(wide.p, head.p_size), *p_kept = floats_copy(p, head.p_size);
    wide_backward(wide, dq_want, dk_want, dv_want);
    float *q = floats_copy(head.q, head.q_size), *k = floats_copy(head.k, head.k_size),
          *v = floats_copy(head.v, head.k_size), *dy = floats_copy(head.dy, head.q_size);
    tf_attention_backward(dq, dk, dv, head.dy, p, head.q, head.k, head.v, s);
    assert_near(dq, dq_want, SHAPE(s.T, s.D), .name = "dq", .added_to = dq_before,
                .formula = backward_formula);
    assert_near(dk, dk_want, SHAPE(s.S, s.D), .name = "dk", .added_to = dk_before,
                .formula = backward_formula);
    assert_near(dv, dv_want, SHAPE(s.S, s.D), .name = "dv", .added_to = dv_before,
                .formula = backward_formula);
    assert_kept("q", head.q, q, head.q_size);
    assert_kept("k", head.k, k, head.k_size);
    assert_kept("v", head.v, v, head.k_size);
    assert_kept("dy", head.dy, dy, head.q_size);
    assert_kept("p", p, p_kept, head.p_size);
}

CASE(attention_backward__matches_pytorch)
{
    // the gradients of the example above for dy = sin(30), sin(31), ..
    Head head = {.s = {3, 3, 2}, .q_size = 6, .k_size = 6, .p_size = 9};
    head.q = waves(6, 0, 1, 0), head.k = waves(6, 10, 1, 0), head.v = waves(6, 20, 1, 0);
    head.dy = waves(6, 30, 1, 0);
    WideHead wide = head_wide(&head);
    wide_forward(wide);
    float *dq = floats_filled(6, 0), *dk = floats_filled(6, 0), *dv = floats_filled(6, 0);
    tf_attention_backward(dq, dk, dv, head.dy, narrow(wide.p, 9), head.q, head.k, head.v, head.s);
    assert_near(dq, ((double[]){0, 0, -0.00286943384, -0.54711892, -0.0563538299, -0.00420269171}),
                SHAPE(3, 2), .name = "dq", .atol = 2e-7, .formula = backward_formula);
    assert_near(dk,
                ((double[]){0.352596337, 0.0572650727, -0.38053394, -0.0926640647, 0.0279376028,
                            0.035398992}),
                SHAPE(3, 2), .name = "dk", .atol = 2e-7, .formula = backward_formula);
    assert_near(dv,
                ((double[]){-0.385292119, -0.221614014, 0.427889375, 0.429673465, 0.0498804872,
                            -0.040367906}),
                SHAPE(3, 2), .name = "dv", .atol = 2e-7, .formula = backward_formula);
}

CASE(attention_backward__matches_the_formula_in_double)
{
    for (int i = 0; i < HEAD_SHAPES; i++)
        assert_attention_backward(head_new(head_shapes[i], 220 + (uint64_t)i), 0);
}

CASE(attention_backward__matches_finite_differences)
{
    for (int i = 1; i < 5; i++) {
        Head head = head_new(head_shapes[i], 230 + (uint64_t)i);
        TfAttention s = head.s;
        WideHead wide = head_wide(&head);
        wide_forward(wide);
        float *p = narrow(wide.p, head.p_size), *dq = floats_filled(head.q_size, 0),
              *dk = floats_filled(head.k_size, 0), *dv = floats_filled(head.k_size, 0);
        tf_attention_backward(dq, dk, dv, head.dy, p, head.q, head.k, head.v, s);
        assert_near(dq, slopes(head_score, &wide, wide.q, head.q_size), SHAPE(s.T, s.D),
                    .name = "dq", .formula = "dq = d sum(dy y) / dq");
        assert_near(dk, slopes(head_score, &wide, wide.k, head.k_size), SHAPE(s.S, s.D),
                    .name = "dk", .formula = "dk = d sum(dy y) / dk");
        assert_near(dv, slopes(head_score, &wide, wide.v, head.k_size), SHAPE(s.S, s.D),
                    .name = "dv", .formula = "dv = d sum(dy y) / dv");
    }
}

CASE(attention_backward__accumulates_into_dq_dk_and_dv)
{
    assert_attention_backward(head_new((TfAttention){3, 5, 2}, 240), 7);
}

CASE(attention_backward__keeps_its_digits_where_dy_v_cancels)
{
    Head head = head_new((TfAttention){2, 3, 3}, 241);
    for (int d = 0; d < 6; d++) head.dy[d] = ((float[]){1e4f, 1, 1e4f, 1e4f, -1, 1e4f})[d];
    for (int d = 0; d < 9; d++)
        head.v[d] = ((float[]){1e4f, 1, -1e4f, 3, 2, -3, -1e4f, 4, 1e4f})[d];
    assert_attention_backward(head, 0);
}

CASE(attention_backward__keeps_what_is_masked_out_of_the_gradients)
{
    Head head = head_new((TfAttention){3, 4, 2}, 242);
    WideHead wide = head_wide(&head);
    double *dq_want = doubles_zero(6), *dk_want = doubles_zero(8), *dv_want = doubles_zero(8);
    for (int d = 4; d < 6; d++) wide.dy[d] = head.dy[d] = 0;    // query 2, which sees key 3
    wide_forward(wide);
    wide_backward(wide, dq_want, dk_want, dv_want);
    for (int d = 6; d < 8; d++) head.k[d] = head.v[d] = NAN;
    float *dq = floats_filled(6, 0), *dk = floats_filled(8, 0), *dv = floats_filled(8, 0);
    tf_attention_backward(dq, dk, dv, head.dy, narrow(wide.p, 12), head.q, head.k, head.v, head.s);
    assert_near(dq, dq_want, SHAPE(2, 2), .name = "the first 2 rows of dq",
                .formula = backward_formula);
    assert_that(isnan(dq[4]) && isnan(dq[5]), "dq[2] is %g %g; expected NaN: it sees one",
                (double)dq[4], (double)dq[5]);
    assert_near(dv, dv_want, SHAPE(4, 2), .name = "dv", .formula = backward_formula);
}

CASE(attention_backward__takes_large_and_small_gradients)
{
    Head head = head_new((TfAttention){3, 3, 2}, 243);
    floats_scale(head.dy + 2, 2, 1e30f);
    assert_attention_backward(head, 0);
    Head tiny = head_new((TfAttention){3, 3, 2}, 244);
    floats_scale(tiny.v, tiny.k_size, 1e-30f);
    floats_scale(tiny.k, tiny.k_size, 1e30f);
    floats_scale(tiny.q, tiny.q_size, 1e-30f);
    assert_attention_backward(tiny, 0);
}

CASE(attention_backward__uses_small_probabilities)
{
    // p of about 1, 5e-5, 2e-9, 1e-13, 4e-18; what they are multiplied by is as large as they are small
    Head head = head_new((TfAttention){1, 5, 1}, 247);
    head.q[0] = 1, head.dy[0] = 1;
    for (int j = 0; j < 5; j++) head.k[j] = -10 * (float)j, head.v[j] = expf(10 * (float)j);
    assert_attention_backward(head, 0);
    head.dy[0] = 1e20f;
    floats_scale(head.v, 5, 1e-20f);
    assert_attention_backward(head, 0);
}

CASE(attention_backward__takes_the_same_arrays_again_with_other_contents)
{
    Head head = head_new((TfAttention){4, 5, 3}, 245);
    assert_attention_backward(head, 0);
    floats_scale(head.dy, head.q_size, -2);
    floats_scale(head.v, head.k_size, 3);
    assert_attention_backward(head, 0);
    assert_attention_backward(head_new((TfAttention){4, 5, 3}, 246), 0);
    assert_attention_backward(head, 0);
}

const struct CMUnitTest attention_cases[] = {
    cmocka_unit_test(attention__matches_pytorch),
    cmocka_unit_test(attention__matches_an_example_computed_by_hand),
    cmocka_unit_test(attention__of_equal_scores_is_the_mean_of_what_is_seen),
    cmocka_unit_test(attention__matches_the_formula_in_double),
    cmocka_unit_test(attention__is_stable_for_large_scores),
    cmocka_unit_test(attention__keeps_the_digits_of_a_dot_product_that_cancels),
    cmocka_unit_test(attention__keeps_the_digits_of_small_probabilities),
    cmocka_unit_test(attention__sums_many_exponentials_in_double),
    cmocka_unit_test(attention__keeps_what_is_masked_out_of_y),
    cmocka_unit_test(attention__propagates_a_nan_of_a_query_to_its_row),
    cmocka_unit_test(attention__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(attention_backward__matches_pytorch),
    cmocka_unit_test(attention_backward__matches_the_formula_in_double),
    cmocka_unit_test(attention_backward__matches_finite_differences),
    cmocka_unit_test(attention_backward__accumulates_into_dq_dk_and_dv),
    cmocka_unit_test(attention_backward__keeps_its_digits_where_dy_v_cancels),
    cmocka_unit_test(attention_backward__keeps_what_is_masked_out_of_the_gradients),
    cmocka_unit_test(attention_backward__takes_large_and_small_gradients),
    cmocka_unit_test(attention_backward__uses_small_probabilities),
    cmocka_unit_test(attention_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
