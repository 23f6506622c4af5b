/* Exercises 9 to 11 and 14: whole sequences, the loss, sampling. check.c says how cases are made. */
#include "labs/2_core/rnn/check.h"
#include "labs/2_core/rnn/check_values.h"

static const float not_a_number = (float)NAN;

static size_t total(int a, int b, int c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

// ---- 9: reverse ----

static void check_reverse(int T, int B, int D, const int *length)
{
    const size_t n = total(T, B, D);
    Rng rng = rng_from_seed(900);
    float *x = floats_normal(&rng, n), *before = floats_copy(x, n), *y = floats_filled(n, NAN);
    double *want = doubles_zero(n);
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++) {
            const int end = length != NULL ? length[b] : T, from = t < end ? end - 1 - t : t;
            for (int d = 0; d < D; d++)
                want[(t * B + b) * D + d] = (double)x[(from * B + b) * D + d];
        }
    rn_reverse(y, x, length, T, B, D);
    assert_near(y, want, SHAPE(T, B, D), .name = "y",
                .formula = "y[t] = x[length-1-t], and x[t] from the length on", .exact = true);
    assert_kept("x", x, before, n);
}

CASE(reverse__turns_each_sequence_within_its_length)
{
    check_reverse(4, 2, 1, (int[]){4, 2});
    check_reverse(5, 6, 3, (int[]){0, 1, 2, 3, 4, 5});
    check_reverse(7, 1, 17, (int[]){6});
}

CASE(reverse__takes_full_length_without_lengths)
{
    check_reverse(1, 1, 1, NULL);
    check_reverse(2, 5, 3, NULL);
    check_reverse(9, 1, 4, NULL);
}

CASE(reverse__is_undone_by_itself)
{
    float *x = FLOATS(1, 2, 3, 4, 5, 6), *y = floats_filled(6, NAN), *z = floats_filled(6, NAN);
    const int length[] = {2, 3};
    rn_reverse(y, x, length, 3, 2, 1);
    rn_reverse(z, y, length, 3, 2, 1);
    assert_near(z, floats_wide(x, 6), SHAPE(3, 2), .name = "x, turned twice", .exact = true);
}

CASE(reverse__keeps_nan_and_infinity)
{
    float *y = floats_filled(3, 0);
    rn_reverse(y, FLOATS(not_a_number, 1, INFINITY), NULL, 3, 1, 1);
    assert_near(y, ((double[]){(double)INFINITY, 1, (double)NAN}), SHAPE(3), .name = "y");
}

CASE(reverse__takes_the_same_arrays_again)
{
    float *x = FLOATS(1, 2), *y = floats_filled(2, NAN);
    int *length = INTS(2);
    rn_reverse(y, x, length, 2, 1, 1);
    x[0] = 7, length[0] = 1;
    rn_reverse(y, x, length, 2, 1, 1);
    assert_near(y, ((double[]){7, 2}), SHAPE(2), .name = "y of the second call");
}

// ---- 10: bidirectional ----

static float *bidirectional(const Problem p[2], const double *x, const int *length, int T)
{
    Cell cells[2];
    for (int k = 0; k < 2; k++)
        cells[k] = (Cell){p[k].I,
                          p[k].H,
                          narrow(p[k].w, total(1, p[k].H, p[k].I)),
                          narrow(p[k].u, total(1, p[k].H, p[k].H)),
                          narrow(p[k].b, (size_t)p[k].H),
                          NULL};
    const int B = p->B, I = p->I, H = p->H;
    float *y = floats_filled(total(T, B, 2 * H), NAN), *in = narrow(x, total(T, B, I)),
          *before = floats_copy(in, total(T, B, I));
    rn_bidirectional(y, in, length, cells, T, B, floats_filled(total(T, B, I + 3 * H), NAN));
    assert_kept("x", in, before, total(T, B, I));
    for (int k = 0; k < 2; k++)
        assert_kept("w", cells[k].w, narrow(p[k].w, total(1, H, I)), total(1, H, I));
    return y;
}

static void check_bidirectional(int T, int B, int I, int H, const int *length)
{
    const Problem p[2] = {problem_random(ELMAN, T, B, I, H, 1000, false),
                          problem_random(ELMAN, T, B, I, H, 1010, false)};
    const double *x = p[0].x;
    double *want = doubles_zero(total(T, B, 2 * H));
    // Each sequence alone, without its padding.
    for (int b = 0; b < B; b++)
        for (int k = 0; k < 2; k++) {
            const int end = length != NULL ? length[b] : T;
            Problem one = p[k];
            one.T = end, one.B = 1;
            one.x = doubles_zero(total(T, 1, I));
            for (int t = 0; t < end; t++)
                for (int i = 0; i < I; i++)
                    one.x[t * I + i] = x[((k == 0 ? t : end - 1 - t) * B + b) * I + i];
            double *h = doubles_zero(total(T, 1, H));
            problem_run(&one, h, NULL, doubles_zero(total(T, 4, H)));
            for (int t = 0; t < end; t++)
                for (int j = 0; j < H; j++)
                    want[((t * B + b) * 2 + k) * H + j] = h[(k == 0 ? t : end - 1 - t) * H + j];
        }
    assert_near(bidirectional(p, x, length, T), want, SHAPE(T, B, 2, H), .name = "y",
                .formula =
                    "y[t] = (left after x[0..t], right after x[length-1]..x[t]); 0 at padding");
}

CASE(bidirectional__reads_from_both_ends)
{
    check_bidirectional(1, 1, 1, 1, NULL);
    check_bidirectional(5, 3, 2, 4, NULL);
    check_bidirectional(3, 1, 7, 2, NULL);
    check_bidirectional(4, 9, 3, 17, NULL);
}

CASE(bidirectional__is_not_moved_by_padding)
{
    check_bidirectional(6, 1, 2, 3, (int[]){3});
    check_bidirectional(5, 6, 3, 2, (int[]){0, 1, 2, 3, 4, 5});
}

CASE(bidirectional__matches_pytorch)
{
    Problem p[2] = {problem_waves(ELMAN), problem_waves(ELMAN)};
    p[1].w = waves(4, 14), p[1].u = waves(4, 44), p[1].b = waves(2, 74);
    assert_near(bidirectional(p, waves(12, 0), (int[]){3, 2}, 3), bidirectional_y,
                SHAPE(3, 2, 2, 2), .name = "y");
}

CASE(bidirectional__does_not_read_nan_from_padding)
{
    const Problem p[2] = {problem_random(ELMAN, 3, 1, 1, 2, 1020, false),
                          problem_random(ELMAN, 3, 1, 1, 2, 1030, false)};
    double *x = normal(1040, 3), *padded = doubles_copy(x, 3);
    padded[2] = (double)NAN;
    const float *want = bidirectional(p, x, (int[]){2}, 3),
                *got = bidirectional(p, padded, (int[]){2}, 3);
    assert_near(got, floats_wide(want, 12), SHAPE(3, 1, 2, 2), .name = "y", .exact = true);
}

CASE(bidirectional__propagates_nan_in_both_directions)
{
    const Problem p[2] = {problem_random(ELMAN, 3, 1, 1, 1, 1050, false),
                          problem_random(ELMAN, 3, 1, 1, 1, 1060, false)};
    double *x = normal(1070, 3);
    x[1] = (double)NAN;
    const float *y = bidirectional(p, x, NULL, 3);
    for (int t = 0; t < 3; t++)
        assert_that(isnan(y[2 * t]) == (t >= 1) && isnan(y[2 * t + 1]) == (t <= 1),
                    "y[%d] is %g %g", t, (double)y[2 * t], (double)y[2 * t + 1]);
}

CASE(bidirectional__takes_the_same_arrays_again)
{
    const Cell cells[2] = {{1, 1, FLOATS(1), FLOATS(0), FLOATS(0), NULL},
                           {1, 1, FLOATS(2), FLOATS(0), FLOATS(0), NULL}};
    float *x = FLOATS(1, 2), *y = floats_filled(4, NAN), *work = floats_filled(8, NAN);
    int *length = INTS(2);
    rn_bidirectional(y, x, length, cells, 2, 1, work);
    x[0] = -1, length[0] = 1;
    rn_bidirectional(y, x, length, cells, 2, 1, work);
    assert_near(y, ((double[]){tanh(-1), tanh(-2), 0, 0}), SHAPE(2, 2),
                .name = "y of the second call");
}

// ---- 11: teacher forcing ----

static const char loss_formula[] = "mean of -log softmax(z[t,b])[tokens[t+1,b]], and its gradient";

static int32_t *tokens_of(int n, const int32_t *from)
{
    int *copy = ints_filled((size_t)n, 0);
    for (int i = 0; i < n; i++) copy[i] = from[i];
    return (int32_t *)copy;
}

static void check_loss(int T, int B, int V, const float *z, const int32_t *given, double tolerance)
{
    const int32_t *tokens = tokens_of((T + 1) * B, given);
    const size_t n = total(T, B, V);
    double *want = doubles_zero(n), mean = 0;
    int count = 0;
    for (int i = 0; i < T * B; i++) count += tokens[B + i] >= 0;
    for (int i = 0; i < T * B; i++) {
        const float *row = z + (size_t)i * (size_t)V;
        double most = -1e300, sum = 0;
        for (int k = 0; k < V; k++) most = fmax(most, (double)row[k]);
        for (int k = 0; k < V; k++) sum += exp((double)row[k] - most);
        if (tokens[B + i] < 0) continue;
        mean += (most + log(sum) - (double)row[tokens[B + i]]) / count;
        for (int k = 0; k < V; k++)
            want[i * V + k] = (exp((double)row[k] - most) / sum - (k == tokens[B + i])) / count;
    }
    float *logits = floats_copy(z, n), *dz = floats_filled(n, NAN);
    const float got = rn_loss(dz, logits, tokens, T, B, V);
    assert_number((double)got, mean, .name = "loss", .formula = loss_formula, .rtol = 1e-5,
                  .atol = 1e-6);
    assert_near(dz, want, SHAPE(T, B, V), .name = "dz", .formula = loss_formula, .rtol = tolerance,
                .atol = tolerance);
    assert_kept("z", logits, z, n);
}

CASE(loss__holds_each_step_against_the_next_token)
{
    static const int sizes[][3] = {{1, 1, 2}, {4, 1, 3}, {1, 5, 7}, {6, 3, 12}, {9, 4, 65}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int *n = sizes[k], count = (n[0] + 1) * n[1];
        Rng rng = rng_from_seed(1100 + k);
        float *z = floats_normal(&rng, total(n[0], n[1], n[2]));
        int32_t tokens[64];
        for (int i = 0; i < count; i++) tokens[i] = (int32_t)rng_below(&rng, (uint32_t)n[2]);
        check_loss(n[0], n[1], n[2], z, tokens, 1e-6);
    }
}

CASE(loss__leaves_padding_out)
{
    Rng rng = rng_from_seed(1110);
    float *z = floats_normal(&rng, 24);
    check_loss(3, 2, 4, z, (int32_t[]){0, 1, 2, 3, -1, 0, -1, -1}, 1e-6);
    check_loss(3, 2, 4, z, (int32_t[]){-1, -1, 2, 3, 1, 0, 3, 2}, 1e-6);
    check_loss(3, 2, 4, z, (int32_t[]){0, 1, 2, -100, -2, 0, INT32_MIN, 1}, 1e-6);
}

CASE(loss__of_padding_alone_is_zero)
{
    Rng rng = rng_from_seed(1111);
    float *z = floats_normal(&rng, 6);
    check_loss(2, 1, 3, z, (int32_t[]){0, -1, -1}, 1e-6);
}

CASE(loss__matches_pytorch)
{
    float *dz = floats_filled(24, NAN);
    const float value = rn_loss(dz, narrow(waves(24, 0), 24),
                                tokens_of(8, (int32_t[]){2, 2, 1, 3, 0, -1, 2, -1}), 3, 2, 4);
    assert_number((double)value, loss_value[0], .name = "loss", .rtol = 1e-6);
    assert_near(dz, loss_dz, SHAPE(3, 2, 4), .name = "dz");
}

CASE(loss__takes_large_logits)
{
    check_loss(1, 1, 3, FLOATS(1000, 0, -1000), (int32_t[]){0, 2}, 1e-6);
    check_loss(1, 1, 3, FLOATS(-1000, -1001, -1002), (int32_t[]){0, 1}, 1e-6);
    check_loss(1, 1, 2, FLOATS(1e30f, -1e30f), (int32_t[]){0, 0}, 1e-6);
}

CASE(loss__of_one_symbol_is_zero)
{
    check_loss(2, 1, 1, FLOATS(5, -3), (int32_t[]){0, 0, 0}, 1e-6);
}

CASE(loss__propagates_nan)
{
    float *dz = floats_filled(4, 0);
    const float value =
        rn_loss(dz, FLOATS(1, not_a_number, 0, 0), tokens_of(3, (int32_t[]){0, 1, 0}), 2, 1, 2);
    assert_that(isnan(value), "the loss is %g; expected nan", (double)value);
    assert_that(isnan(dz[0]) && isnan(dz[1]), "dz[0] is %g %g; expected nan", (double)dz[0],
                (double)dz[1]);
}

CASE(loss__takes_the_same_arrays_again)
{
    float *z = FLOATS(0, 0), *dz = floats_filled(2, NAN);
    int *tokens = INTS(0, 0);
    rn_loss(dz, z, tokens, 1, 1, 2);
    z[0] = (float)log(3), tokens[1] = 1;
    const float value = rn_loss(dz, z, tokens, 1, 1, 2);
    assert_number((double)value, log(4), .name = "loss of the second call", .rtol = 1e-6);
    assert_near(dz, ((double[]){0.75, -0.75}), SHAPE(2), .name = "dz of the second call");
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

const struct CMUnitTest sequence_cases[] = {
    cmocka_unit_test(reverse__turns_each_sequence_within_its_length),
    cmocka_unit_test(reverse__takes_full_length_without_lengths),
    cmocka_unit_test(reverse__is_undone_by_itself),
    cmocka_unit_test(reverse__keeps_nan_and_infinity),
    cmocka_unit_test(reverse__takes_the_same_arrays_again),
    cmocka_unit_test(bidirectional__reads_from_both_ends),
    cmocka_unit_test(bidirectional__is_not_moved_by_padding),
    cmocka_unit_test(bidirectional__matches_pytorch),
    cmocka_unit_test(bidirectional__does_not_read_nan_from_padding),
    cmocka_unit_test(bidirectional__propagates_nan_in_both_directions),
    cmocka_unit_test(bidirectional__takes_the_same_arrays_again),
    cmocka_unit_test(loss__holds_each_step_against_the_next_token),
    cmocka_unit_test(loss__leaves_padding_out),
    cmocka_unit_test(loss__of_padding_alone_is_zero),
    cmocka_unit_test(loss__matches_pytorch),
    cmocka_unit_test(loss__takes_large_logits),
    cmocka_unit_test(loss__of_one_symbol_is_zero),
    cmocka_unit_test(loss__propagates_nan),
    cmocka_unit_test(loss__takes_the_same_arrays_again),
    cmocka_unit_test(sample__takes_the_first_whose_running_sum_is_above_u),
    cmocka_unit_test(sample__divides_the_logits_by_the_temperature),
    cmocka_unit_test(sample__takes_the_first_of_the_largest_at_temperature_0),
    cmocka_unit_test(sample__takes_large_logits),
    cmocka_unit_test(sample__never_takes_what_has_no_probability),
    cmocka_unit_test(sample__refuses_nan),
    cmocka_unit_test(sample__draws_by_the_probabilities),
    cmocka_unit_test(sample__sums_in_double),
    cmocka_unit_test(sample__takes_the_same_array_again),
    {0},
};
