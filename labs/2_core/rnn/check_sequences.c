/* Exercises 9 to 11: whole sequences, and the loss. check.c says how cases are made. */
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
    check_reverse(70, 2, 1, NULL);
    check_reverse(2, 3, 70, NULL);
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
    check_bidirectional(40, 1, 1, 2, NULL);
}

CASE(bidirectional__is_not_moved_by_padding)
{
    check_bidirectional(6, 1, 2, 3, (int[]){3});
    check_bidirectional(3, 9, 2, 1, (int[]){3, 2, 1, 0, 1, 2, 3, 2, 1});
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
    static const int sizes[][3] = {{1, 1, 2},  {4, 1, 3},  {1, 5, 7},
                                   {6, 3, 12}, {9, 4, 65}, {2, 1, 300}};
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

CASE(loss__does_not_read_nan_from_padding)
{
    float *dz = floats_filled(4, NAN);
    const float value =
        rn_loss(dz, FLOATS(1, not_a_number, 0, 0), tokens_of(3, (int32_t[]){0, -1, 0}), 2, 1, 2);
    assert_number((double)value, log(2), .name = "loss", .formula = loss_formula, .rtol = 1e-6);
    assert_near(dz, ((double[]){0, 0, -0.5, 0.5}), SHAPE(2, 1, 2), .name = "dz",
                .formula = loss_formula);
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
    cmocka_unit_test(loss__does_not_read_nan_from_padding),
    cmocka_unit_test(loss__takes_the_same_arrays_again),
    {0},
};
