/* Exercises 12 and 13: attention. check.c says how cases are made. */
#include "labs/2_core/rnn/check.h"
#include "labs/2_core/rnn/check_values.h"

static const float not_a_number = (float)NAN;

static size_t total(int a, int b, int c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

// ---- 12: attention ----

typedef struct Look {
    int T, S, B, H;
    const int *length;
    double *q, *e, *dy;
} Look;

static Look look_random(int T, int S, int B, int H, const int *length, uint64_t seed)
{
    return (Look){T,
                  S,
                  B,
                  H,
                  length,
                  normal(seed, total(T, B, H)),
                  normal(seed + 1, total(S, B, H)),
                  normal(seed + 2, total(T, B, H))};
}

static void look_run(const Look *l, double *y, double *alpha)
{
    for (int t = 0; t < l->T; t++)
        for (int b = 0; b < l->B; b++) {
            const int end = l->length != NULL ? l->length[b] : l->S;
            const double *q = l->q + (size_t)(t * l->B + b) * (size_t)l->H;
            double *a = alpha + (size_t)(t * l->B + b) * (size_t)l->S, most = -1e300, sum = 0;
            for (int s = 0; s < l->S; s++) a[s] = 0;
            for (int s = 0; s < end; s++) {
                for (int j = 0; j < l->H; j++) a[s] += q[j] * l->e[(s * l->B + b) * l->H + j];
                most = fmax(most, a[s]);
            }
            for (int s = 0; s < end; s++) sum += a[s] = exp(a[s] - most);
            for (int j = 0; j < l->H; j++) y[(t * l->B + b) * l->H + j] = 0;
            for (int s = 0; s < end; s++) {
                a[s] /= sum;
                for (int j = 0; j < l->H; j++)
                    y[(t * l->B + b) * l->H + j] += a[s] * l->e[(s * l->B + b) * l->H + j];
            }
        }
}

static void check_attention(const Look *l)
{
    const size_t states = total(l->T, l->B, l->H), weights = total(l->T, l->B, l->S),
                 source = total(l->S, l->B, l->H);
    double *want = doubles_zero(states), *shares = doubles_zero(weights);
    look_run(l, want, shares);
    float *y = floats_filled(states, NAN), *alpha = floats_filled(weights, NAN),
          *q = narrow(l->q, states), *e = narrow(l->e, source);
    rn_attention(y, alpha, q, e, l->length, l->T, l->S, l->B, l->H);
    assert_near(alpha, shares, SHAPE(l->T, l->B, l->S), .name = "alpha",
                .formula = "softmax over s < length of q.e[s], 0 elsewhere");
    assert_near(y, want, SHAPE(l->T, l->B, l->H), .name = "y",
                .formula = "y = sum_s alpha[s] e[s]");
    assert_kept("q", q, narrow(l->q, states), states);
    assert_kept("e", e, narrow(l->e, source), source);
}

CASE(attention__averages_by_the_softmax_of_scores)
{
    static const int sizes[][4] = {
        {1, 1, 1, 1}, {3, 2, 4, 5}, {2, 7, 1, 3}, {5, 9, 3, 17}, {1, 33, 2, 8}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int *n = sizes[k];
        const Look l = look_random(n[0], n[1], n[2], n[3], NULL, 1200 + k);
        check_attention(&l);
    }
}

CASE(attention__sees_nothing_behind_a_length)
{
    Look l = look_random(3, 5, 5, 2, (int[]){1, 2, 3, 4, 5}, 1210);
    for (int b = 0; b < 5; b++)
        for (int s = l.length[b]; s < 5; s++)
            for (int j = 0; j < 2; j++) l.e[(s * 5 + b) * 2 + j] = (double)NAN;
    check_attention(&l);
}

CASE(attention__matches_an_example_computed_by_hand)
{
    // Scores log 3 and 0: weights 3/4 and 1/4.
    float *y = floats_filled(1, NAN), *alpha = floats_filled(2, NAN);
    rn_attention(y, alpha, FLOATS((float)log(3)), FLOATS(1, 0), NULL, 1, 2, 1, 1);
    assert_near(alpha, ((double[]){0.75, 0.25}), SHAPE(2), .name = "alpha");
    assert_near(y, ((double[]){0.75}), SHAPE(1), .name = "y");
}

CASE(attention__matches_pytorch)
{
    float *y = floats_filled(12, NAN), *alpha = floats_filled(24, NAN);
    rn_attention(y, alpha, narrow(waves(12, 0), 12), narrow(waves(16, 20), 16), (int[]){4, 2}, 3, 4,
                 2, 2);
    assert_near(y, attention_y, SHAPE(3, 2, 2), .name = "y");
}

CASE(attention__takes_large_scores)
{
    Look l = look_random(2, 3, 1, 2, NULL, 1220);
    for (int i = 0; i < 4; i++) l.q[i] = (double)(float)(l.q[i] * 1e4);
    check_attention(&l);
}

CASE(attention__propagates_nan)
{
    Look l = look_random(2, 3, 2, 2, NULL, 1230);
    l.q[0] = (double)NAN;    // step 0, sequence 0
    check_attention(&l);
}

CASE(attention__takes_the_same_arrays_again)
{
    float *q = FLOATS(0), *e = FLOATS(1, 3), *y = floats_filled(1, NAN),
          *alpha = floats_filled(2, NAN);
    int *length = INTS(2);
    rn_attention(y, alpha, q, e, length, 1, 2, 1, 1);
    e[0] = 5, length[0] = 1;
    rn_attention(y, alpha, q, e, length, 1, 2, 1, 1);
    assert_near(y, ((double[]){5}), SHAPE(1), .name = "y of the second call");
    assert_near(alpha, ((double[]){1, 0}), SHAPE(2), .name = "alpha of the second call");
}

// ---- 13: attention backward ----

static double look_loss(const void *look)
{
    const Look *l = look;
    static double y[2000], alpha[2000];
    look_run(l, y, alpha);
    double sum = 0;
    for (size_t i = 0; i < total(l->T, l->B, l->H); i++) sum += l->dy[i] * y[i];
    return sum;
}

static void check_look_backward(const Look *l, float held)
{
    const size_t states = total(l->T, l->B, l->H), weights = total(l->T, l->B, l->S),
                 source = total(l->S, l->B, l->H);
    double *y = doubles_zero(states), *shares = doubles_zero(weights),
           *wanted[] = {slopes(look_loss, l, l->q, states), slopes(look_loss, l, l->e, source)};
    look_run(l, y, shares);
    for (size_t i = 0; i < states; i++) wanted[0][i] += (double)held;
    for (size_t i = 0; i < source; i++) wanted[1][i] += (double)held;
    float *dq = floats_filled(states, held), *de = floats_filled(source, held),
          *q = narrow(l->q, states), *e = narrow(l->e, source), *dy = narrow(l->dy, states),
          *alpha = narrow(shares, weights);
    rn_attention_backward(dq, de, dy, alpha, q, e, l->length, l->T, l->S, l->B, l->H,
                          floats_filled(weights, NAN));
    static const char formula[] = "against finite differences of the forward pass";
    assert_near(dq, wanted[0], SHAPE(l->T, l->B, l->H), .name = "dq", .formula = formula,
                .atol = 2e-5, .rtol = 2e-5, .added_to = floats_filled(states, held));
    assert_near(de, wanted[1], SHAPE(l->S, l->B, l->H), .name = "de", .formula = formula,
                .atol = 2e-5, .rtol = 2e-5, .added_to = floats_filled(source, held));
    assert_kept("dy", dy, narrow(l->dy, states), states);
    assert_kept("alpha", alpha, narrow(shares, weights), weights);
    assert_kept("q", q, narrow(l->q, states), states);
    assert_kept("e", e, narrow(l->e, source), source);
}

CASE(attention_backward__is_the_derivative_of_the_loss)
{
    static const int sizes[][4] = {
        {1, 1, 1, 1}, {3, 2, 4, 5}, {2, 7, 1, 3}, {5, 9, 3, 4}, {1, 17, 2, 8}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int *n = sizes[k];
        const Look l = look_random(n[0], n[1], n[2], n[3], NULL, 1300 + k);
        check_look_backward(&l, 0);
    }
}

CASE(attention_backward__adds_to_the_gradients)
{
    const Look l = look_random(3, 4, 2, 3, NULL, 1310);
    check_look_backward(&l, 0.5f);
}

CASE(attention_backward__leaves_what_is_behind_a_length)
{
    const Look l = look_random(3, 5, 5, 2, (int[]){1, 2, 3, 4, 5}, 1320);
    check_look_backward(&l, 0.5f);
    float *dq = FLOATS(0), *de = FLOATS(0, 0), *e = FLOATS(1, not_a_number);
    rn_attention_backward(dq, de, FLOATS(2), FLOATS(1, 0), FLOATS(1), e, (int[]){1}, 1, 2, 1, 1,
                          floats_filled(2, NAN));
    assert_near(de, ((double[]){2, 0}), SHAPE(2), .name = "de",
                .formula = "e behind the length is not read");
    assert_near(dq, ((double[]){0}), SHAPE(1), .name = "dq");
}

CASE(attention_backward__matches_pytorch)
{
    Look l = {3, 4, 2, 2, (int[]){4, 2}, waves(12, 0), waves(16, 20), waves(12, 40)};
    double *y = doubles_zero(12), *shares = doubles_zero(24);
    look_run(&l, y, shares);
    float *dq = floats_filled(12, 0), *de = floats_filled(16, 0);
    rn_attention_backward(dq, de, narrow(l.dy, 12), narrow(shares, 24), narrow(l.q, 12),
                          narrow(l.e, 16), l.length, 3, 4, 2, 2, floats_filled(24, NAN));
    assert_near(dq, attention_dq, SHAPE(3, 2, 2), .name = "dq");
    assert_near(de, attention_de, SHAPE(4, 2, 2), .name = "de");
}

CASE(attention_backward__propagates_nan)
{
    float *dq = FLOATS(0), *de = FLOATS(0, 0);
    rn_attention_backward(dq, de, FLOATS(not_a_number), FLOATS(0.5f, 0.5f), FLOATS(1), FLOATS(1, 2),
                          NULL, 1, 2, 1, 1, floats_filled(2, NAN));
    assert_that(isnan(dq[0]) && isnan(de[0]) && isnan(de[1]), "dq is %g, de %g %g; expected nan",
                (double)dq[0], (double)de[0], (double)de[1]);
}

CASE(attention_backward__takes_the_same_arrays_again)
{
    float *dq = FLOATS(0), *de = FLOATS(0, 0), *dy = FLOATS(1), *e = FLOATS(1, 3);
    for (int call = 0; call < 2; call++) {
        dy[0] = (float)(call + 1), e[1] = (float)(3 - call);
        dq[0] = de[0] = de[1] = 0;
        rn_attention_backward(dq, de, dy, FLOATS(0.5f, 0.5f), FLOATS(1), e, NULL, 1, 2, 1, 1,
                              floats_filled(2, NAN));
    }
    // dalpha = 2 4, ds = -1/2 1/2.
    assert_near(dq, ((double[]){0.5}), SHAPE(1), .name = "dq of the second call");
    assert_near(de, ((double[]){0.5, 1.5}), SHAPE(2), .name = "de of the second call");
}

const struct CMUnitTest attention_cases[] = {
    cmocka_unit_test(attention__averages_by_the_softmax_of_scores),
    cmocka_unit_test(attention__sees_nothing_behind_a_length),
    cmocka_unit_test(attention__matches_an_example_computed_by_hand),
    cmocka_unit_test(attention__matches_pytorch),
    cmocka_unit_test(attention__takes_large_scores),
    cmocka_unit_test(attention__propagates_nan),
    cmocka_unit_test(attention__takes_the_same_arrays_again),
    cmocka_unit_test(attention_backward__is_the_derivative_of_the_loss),
    cmocka_unit_test(attention_backward__adds_to_the_gradients),
    cmocka_unit_test(attention_backward__leaves_what_is_behind_a_length),
    cmocka_unit_test(attention_backward__matches_pytorch),
    cmocka_unit_test(attention_backward__propagates_nan),
    cmocka_unit_test(attention_backward__takes_the_same_arrays_again),
    {0},
};
