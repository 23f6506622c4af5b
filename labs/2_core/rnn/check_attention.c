/* Exercises 12 to 14: attention, and sampling. check.c says how cases are made. */
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
    static const int sizes[][4] = {{1, 1, 1, 1},  {3, 2, 4, 5},  {2, 7, 1, 3},
                                   {5, 9, 3, 17}, {1, 33, 2, 8}, {2, 70, 1, 3}};
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
    Look below = {1, 2, 1, 1, NULL, DOUBLES(-1000), DOUBLES(1, 1.0009765625), DOUBLES(1)};
    check_attention(&below);
    below.q[0] = -1e6, below.e[0] = below.e[1] = 1e6;    // scores of -1e12
    float *alpha = floats_filled(2, NAN);
    rn_attention(floats_filled(1, NAN), alpha, narrow(below.q, 1), narrow(below.e, 2), NULL, 1, 2,
                 1, 1);
    assert_near(alpha, ((double[]){0.5, 0.5}), SHAPE(2), .name = "alpha of equal scores");
}

CASE(attention__propagates_nan)
{
    Look l = look_random(2, 3, 2, 2, NULL, 1230);
    l.q[0] = (double)NAN;    // step 0, sequence 0
    check_attention(&l);
    Look source = look_random(2, 3, 2, 2, NULL, 1231);
    source.e[0] = (double)NAN;    // all that look at sequence 0
    check_attention(&source);
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
    static const int sizes[][4] = {{1, 1, 1, 1}, {3, 2, 4, 5},  {2, 7, 1, 3},
                                   {5, 9, 3, 4}, {1, 17, 2, 8}, {2, 70, 1, 3}};
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
    rn_attention_backward(dq, de, FLOATS(not_a_number), FLOATS(1, 0), FLOATS(1), e, (int[]){1}, 1,
                          2, 1, 1, floats_filled(2, NAN));
    assert_near(de, ((double[]){(double)NAN, 0}), SHAPE(2), .name = "de of a dy that is NaN",
                .formula = "behind the length nothing is added");
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

// ---- 14: sampling ----

static void expect_sample(const float *z, int V, float temperature, float u, int want)
{
    const int got = rn_sample(floats_copy(z, (size_t)V), V, temperature, u);
    assert_that(got == want, "temperature %g, u %.9g: got token %d, expected %d",
                (double)temperature, (double)u, got, want);
}

CASE(sample__takes_the_first_whose_running_sum_is_above_u)
{
    // p = 1/8 5/8 1/4.
    const float z[] = {0, (float)log(5), (float)log(2)};
    expect_sample(z, 3, 1, 0, 0);
    expect_sample(z, 3, 1, 0.12f, 0);
    expect_sample(z, 3, 1, 0.13f, 1);
    expect_sample(z, 3, 1, 0.74f, 1);
    expect_sample(z, 3, 1, 0.76f, 2);
    expect_sample(z, 3, 1, 0.99999994f, 2);
    const float even[] = {0, 0};
    expect_sample(even, 2, 1, 0.5f, 1);    // a sum equal to u is not above it
    expect_sample(even, 2, 1, 0.49999997f, 0);
}

CASE(sample__divides_the_logits_by_the_temperature)
{
    // At temperature 1/2: p = 1 9 over 10; at 2: 1 sqrt(3).
    const float z[] = {0, (float)log(3)};
    expect_sample(z, 2, 0.5f, 0.099f, 0);
    expect_sample(z, 2, 0.5f, 0.101f, 1);
    expect_sample(z, 2, 2, 0.365f, 0);
    expect_sample(z, 2, 2, 0.367f, 1);
    // A low temperature still draws: 1 81 over 82, 1 e^10 over 1 + e^10.
    expect_sample(z, 2, 0.25f, 0.012f, 0);
    expect_sample((float[]){0, 0.001f}, 2, 1e-4f, 0, 0);
    // And a high one: 1 e^0.06.
    expect_sample((float[]){0, 3}, 2, 50, 0.484f, 0);
    expect_sample((float[]){0, 3}, 2, 50, 0.486f, 1);
}

CASE(sample__takes_the_first_of_the_largest_at_temperature_0)
{
    expect_sample((float[]){1, 3, 3, 2}, 4, 0, 0.99f, 1);
    expect_sample((float[]){-5, -1000, -5}, 3, 0, 0, 0);
    expect_sample((float[]){-INFINITY, -1000}, 2, 0, 0, 1);
    expect_sample((float[]){7}, 1, 0, 0.5f, 0);
}

CASE(sample__takes_large_logits)
{
    expect_sample((float[]){1000, 1000}, 2, 1, 0.6f, 1);
    expect_sample((float[]){1000, 990}, 2, 1, 0.9f, 0);
    expect_sample((float[]){-1000, -990}, 2, 1, 0.1f, 1);
    expect_sample((float[]){-1000, -1000, -1000}, 3, 1, 0.5f, 1);
    expect_sample((float[]){1e30f, -1e30f}, 2, 1, 0.99f, 0);
    expect_sample((float[]){0, 1}, 2, 1e-6f, 0, 1);
    expect_sample((float[]){1000, 1000}, 2, 1e-38f, 0.75f, 1);    // 1e41 is no float
}

CASE(sample__takes_what_has_a_small_probability)
{
    expect_sample((float[]){-25, 0}, 2, 1, 0, 0);
    expect_sample((float[]){-25, 0}, 2, 1, 1e-9f, 1);
}

CASE(sample__never_takes_what_has_no_probability)
{
    expect_sample((float[]){-INFINITY, 0, -INFINITY}, 3, 1, 0, 1);
    expect_sample((float[]){-INFINITY, 0, -INFINITY}, 3, 1, 0.99999994f, 1);
    expect_sample((float[]){0, -2000}, 2, 1, 0.99999994f, 0);
}

CASE(sample__refuses_nan)
{
    expect_sample((float[]){0, not_a_number, 9}, 3, 1, 0.5f, -1);
    expect_sample((float[]){not_a_number}, 1, 0, 0.5f, -1);
    expect_sample((float[]){1, 0, not_a_number}, 3, 0, 0, -1);
}

CASE(sample__draws_by_the_probabilities)
{
    enum { N = 4000, V = 5 };
    const float z[] = {0, 1, -1, 2, 0.5f};
    double total_p = 0, count[V] = {0};
    for (int k = 0; k < V; k++) total_p += exp((double)z[k]);
    for (int i = 0; i < N; i++) count[rn_sample(z, V, 1, ((float)i + 0.5f) / N)]++;
    for (int k = 0; k < V; k++) assert_close(count[k] / N, exp((double)z[k]) / total_p, 1.5 / N);
}

CASE(sample__sums_in_double)
{
    // 2^20 equal tokens: a float sum of 2^-20 would do; of 3 10^5, not.
    enum { V = 300000 };
    float *z = floats_filled(V, 0);
    expect_sample(z, V, 1, 0.999f, 299699 + 1);
}

CASE(sample__takes_the_same_array_again)
{
    float *z = FLOATS(0, 5);
    assert_integer("token of the first call", rn_sample(z, 2, 0, 0), 1);
    z[0] = 9;
    assert_integer("token of the second call", rn_sample(z, 2, 0, 0), 0);
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
    cmocka_unit_test(sample__takes_the_first_whose_running_sum_is_above_u),
    cmocka_unit_test(sample__divides_the_logits_by_the_temperature),
    cmocka_unit_test(sample__takes_the_first_of_the_largest_at_temperature_0),
    cmocka_unit_test(sample__takes_large_logits),
    cmocka_unit_test(sample__takes_what_has_a_small_probability),
    cmocka_unit_test(sample__never_takes_what_has_no_probability),
    cmocka_unit_test(sample__refuses_nan),
    cmocka_unit_test(sample__draws_by_the_probabilities),
    cmocka_unit_test(sample__sums_in_double),
    cmocka_unit_test(sample__takes_the_same_array_again),
    {0},
};
