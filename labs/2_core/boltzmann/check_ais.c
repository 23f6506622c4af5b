/* Exercises 18 to 20: annealed importance sampling, and stacked layers. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

static const double infinite = (double)INFINITY, not_a_number = (double)NAN;

// ---- 18: AIS ----

static AisPath path_of(const Rbm *rbm, const float *a, const double *beta, int steps, int runs)
{
    size_t v = (size_t)runs * (size_t)rbm->V, h = (size_t)runs * (size_t)rbm->H;
    return (AisPath){.a = a,
                     .beta = beta,
                     .steps = steps,
                     .runs = runs,
                     .v = floats_filled(v, 9),
                     .y = floats_filled(v, 9),
                     .h = floats_filled(h, 9),
                     .x = floats_filled(h, 9)};
}

// beta from 0 to 1, unevenly.
static double *betas(int steps)
{
    double *beta = doubles_zero((size_t)steps + 1);
    for (int k = 0; k <= steps; k++) beta[k] = pow((double)k / steps, 1.3);
    return beta;
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double log_f(const Rbm *rbm, const float *a, double beta, const double *v)
{
    double sum = 0;
    for (int i = 0; i < rbm->V; i++)
        sum += ((1 - beta) * (double)a[i] + beta * (double)rbm->b[i]) * v[i];
    for (int j = 0; j < rbm->H; j++) sum += softplus(beta * input_of(rbm, v, j));
    return sum;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// By the contract, in double.
static double *anneal(const Rbm *rbm, const AisPath *path, Draw draw)
{
    int V = rbm->V, H = rbm->H, runs = path->runs;
    size_t visible = (size_t)runs * (size_t)V, hidden = (size_t)runs * (size_t)H;
    double *p = doubles_zero(visible), *q = doubles_zero(hidden),
           *log_z = doubles_zero((size_t)runs);
    for (int r = 0; r < runs; r++) {
        log_z[r] = H * log(2);
        for (int i = 0; i < V; i++) {
            log_z[r] += softplus((double)path->a[i]);
            p[r * V + i] = sigmoid((double)path->a[i]);
        }
    }
    double *v = sample_of(p, visible, draw);
    for (int k = 1; k <= path->steps; k++) {
        double beta = path->beta[k];
        for (int r = 0; r < runs; r++) {
            const double *row = v + (size_t)r * (size_t)V;
            log_z[r] +=
                log_f(rbm, path->a, beta, row) - log_f(rbm, path->a, path->beta[k - 1], row);
            for (int j = 0; j < H; j++) q[r * H + j] = sigmoid(beta * input_of(rbm, row, j));
        }
        if (k == path->steps) break;
        double *h = sample_of(q, hidden, stream_of(draw, 2 * (uint64_t)k - 1));
        for (int r = 0; r < runs; r++)
            for (int i = 0; i < V; i++) {
                double x = (double)rbm->b[i];
                for (int j = 0; j < H; j++) x += h[r * H + j] * (double)rbm->w[j * V + i];
                p[r * V + i] = sigmoid((1 - beta) * (double)path->a[i] + beta * x);
            }
        v = sample_of(p, visible, stream_of(draw, 2 * (uint64_t)k));
    }
    return log_z;
}

static const char ais_formula[] =
    "log_z = log Z_0 + sum_k log f_beta[k](v) - log f_beta[k-1](v), v moved in between";

static void check_ais(int V, int H, int steps, int runs, uint64_t seed)
{
    Rbm rbm = rbm_random(seed, V, H, 0.7), before = rbm_copy(&rbm);
    Rng rng = rng_from_seed(seed);
    float *a = floats_normal(&rng, (size_t)V), *kept = floats_copy(a, (size_t)V);
    double *beta = betas(steps), *kept_beta = doubles_copy(beta, (size_t)steps + 1);
    AisPath path = path_of(&rbm, a, beta, steps, runs);
    double *log_z = doubles_filled((size_t)runs, 5);
    const Draw draw = {seed, 100 * seed};
    bm_ais(log_z, &rbm, &path, draw);
    assert_near(log_z, anneal(&rbm, &path, draw), SHAPE(runs), .name = "log_z",
                .formula = ais_formula, .atol = 2e-5, .rtol = 2e-6);
    assert_kept("a", a, kept, (size_t)V);
    assert_kept("beta", beta, kept_beta, (size_t)steps + 1);
    assert_rbm_kept(&rbm, &before);
}

CASE(ais__in_one_step_is_importance_sampling)
{
    check_ais(4, 3, 1, 5, 900);
    check_ais(1, 1, 1, 1, 901);
}

CASE(ais__moves_its_chains_between_the_distributions)
{
    check_ais(4, 3, 2, 5, 902);
    check_ais(7, 2, 5, 4, 903);
    check_ais(2, 9, 5, 3, 904);
    check_ais(12, 17, 8, 1, 905);
}

CASE(ais__is_exact_for_independent_units)
{
    // Without weights and with a = b, hidden biases of 0, every distribution is the same.
    float *b = FLOATS(1, -2, 0.5f);
    Rbm rbm = {3, 2, floats_filled(6, 0), b, floats_filled(2, 0)};
    AisPath path = path_of(&rbm, b, betas(4), 4, 3);
    double *log_z = doubles_filled(3, 5);
    bm_ais(log_z, &rbm, &path, (Draw){906, 1});
    double want = 2 * log(2) + softplus(1) + softplus(-2) + softplus(0.5);
    assert_near(log_z, ((double[]){want, want, want}), SHAPE(3), .name = "log_z",
                .formula = "log Z_0 = H log 2 + sum_i softplus(a[i])", .atol = 1e-6);
}

CASE(ais__is_right_within_its_error_bars)
{
    enum { RUNS = 500, STEPS = 60 };
    for (uint64_t seed = 910; seed < 913; seed++) {
        Rbm rbm = rbm_random(seed, 6, 5, 0.8);
        AisPath path = path_of(&rbm, floats_filled(6, 0), betas(STEPS), STEPS, RUNS);
        double *log_z = doubles_filled(RUNS, 5), exact = exact_log_z(&rbm), mean = 0, squares = 0;
        bm_ais(log_z, &rbm, &path, (Draw){seed, 1});
        for (int r = 0; r < RUNS; r++) mean += exp(log_z[r] - exact) / RUNS;
        for (int r = 0; r < RUNS; r++)
            squares += (exp(log_z[r] - exact) - mean) * (exp(log_z[r] - exact) - mean) / RUNS;
        double error = sqrt(squares / RUNS);
        assert_that(fabs(mean - 1) < 4 * error + 1e-6,
                    "the mean of Z's estimates is %.4f of the exact Z, with a standard error of "
                    "%.4f; expected 1 within 4 of them",
                    mean, error);
        assert_that(error < 0.05,
                    "the standard error is %.4f; expected below 0.05: do the chains "
                    "move between the steps?",
                    error);
    }
}

CASE(ais__handles_large_inputs)
{
    Rbm rbm = rbm_of(1, 1, (float[]){0}, (float[]){2000}, (float[]){3000});
    AisPath path = path_of(&rbm, FLOATS(100), betas(1), 1, 2);
    double *log_z = doubles_filled(2, 5);
    bm_ais(log_z, &rbm, &path, (Draw){914, 1});
    double want = log(2) + 100 + (2000 - 100) + (3000 - log(2));
    assert_near(log_z, ((double[]){want, want}), SHAPE(2), .name = "log_z", .formula = ais_formula,
                .rtol = 1e-6);
}

CASE(ais__propagates_nan)
{
    Rbm rbm = rbm_of(1, 1, (float[]){NAN}, (float[]){0}, (float[]){0});
    for (int steps = 1; steps <= 3; steps += 2) {
        AisPath path = path_of(&rbm, FLOATS(100), betas(steps), steps, 1);
        double *log_z = doubles_filled(1, 5);
        bm_ais(log_z, &rbm, &path, (Draw){915, 1});
        assert_near(log_z, &not_a_number, SHAPE(1), .name = "log_z", .formula = ais_formula);
    }
}

CASE(ais__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *a = FLOATS(0);
    AisPath path = path_of(&rbm, a, betas(2), 2, 1);
    double *log_z = doubles_filled(1, 5);
    bm_ais(log_z, &rbm, &path, (Draw){916, 1});
    a[0] = b[0] = 2;
    bm_ais(log_z, &rbm, &path, (Draw){916, 1});
    assert_near(log_z, &(double){log(2) + softplus(2)}, SHAPE(1),
                .name = "log_z of the second call", .formula = ais_formula, .atol = 1e-6);
}

// ---- 19: the estimate ----

static void expect_estimate(const double *log_z, int runs, double want, double want_error)
{
    double error = not_a_number, *before = doubles_copy(log_z, (size_t)runs);
    double got = bm_ais_estimate(&error, log_z, runs);
    assert_number(got, want, .name = "estimate", .formula = "log(1/runs sum_r exp(log_z[r]))",
                  .rtol = 1e-12, .atol = 1e-12);
    assert_number(error, want_error, .name = "error",
                  .formula = "sqrt(sum (z - mean)^2 / (runs - 1) / runs) / mean", .rtol = 1e-9,
                  .atol = 1e-12);
    assert_kept("log_z", log_z, before, (size_t)runs);
}

CASE(ais_estimate__matches_an_example_computed_by_hand)
{
    // z = 1, 2, 6: mean 3, squares 4 + 1 + 9 = 14.
    expect_estimate(DOUBLES(log(1), log(2), log(6)), 3, log(3), sqrt(14 / 2.0 / 3) / 3);
    expect_estimate(DOUBLES(log(1), log(3)), 2, log(2), 1 / 2.0);
}

CASE(ais_estimate__is_the_mean_of_z_not_of_log_z)
{
    double error, *log_z = DOUBLES(0, 10);
    double got = bm_ais_estimate(&error, log_z, 2);
    assert_number(got, log((1 + exp(10)) / 2), .name = "estimate",
                  .formula = "log(1/runs sum_r exp(log_z[r]))", .rtol = 1e-12);
}

CASE(ais_estimate__handles_one_and_many_runs)
{
    expect_estimate(DOUBLES(5), 1, 5, infinite);
    double *many = doubles_filled(1001, log(2));
    for (int r = 0; r < 1001; r += 2) many[r] = log(4);
    double mean = (501 * 4 + 500 * 2) / 1001.0,
           squares = 501 * (4 - mean) * (4 - mean) + 500 * (2 - mean) * (2 - mean);
    expect_estimate(many, 1001, log(mean), sqrt(squares / 1000 / 1001) / mean);
}

CASE(ais_estimate__does_not_overflow)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double shift = 5000.0 * sign;
        expect_estimate(DOUBLES(shift, shift + log(2), shift + log(6)), 3, shift + log(3),
                        sqrt(14 / 2.0 / 3) / 3);
    }
}

CASE(ais_estimate__of_equal_runs_has_no_error)
{
    expect_estimate(DOUBLES(0, 0, 0, 0), 4, 0, 0);
    double error = not_a_number;
    double got = bm_ais_estimate(&error, DOUBLES(1e3, 1e3, 1e3), 3);
    assert_number(got, 1000, .name = "estimate", .rtol = 1e-12);
    assert_number(error, 0, .name = "error", .atol = 1e-11);
}

CASE(ais_estimate__keeps_the_digits_of_a_small_error)
{
    // z = 1 + d and 1 - d.
    double d = 1e-7;
    expect_estimate(DOUBLES(log1p(d), log1p(-d)), 2, 0, d);
    double error = not_a_number;
    bm_ais_estimate(&error, DOUBLES(log1p(d), log1p(-d)), 2);
    assert_number(error, d, .name = "error", .rtol = 1e-6, .formula = "z / mean - 1 in double");
}

CASE(ais_estimate__propagates_nan)
{
    double error = 1, got = bm_ais_estimate(&error, DOUBLES(1, not_a_number), 2);
    assert_number(got, not_a_number, .name = "estimate");
    assert_number(error, not_a_number, .name = "error");
}

CASE(ais_estimate__takes_the_same_array_again)
{
    double *log_z = DOUBLES(0, 0), error;
    bm_ais_estimate(&error, log_z, 2);
    log_z[1] = log(3);
    expect_estimate(log_z, 2, log(2), 0.5);
}

// ---- 20: stacked layers ----

static const char dbn_formula[] = "y = P(h | v) of each layer, which is the v of the next";

static void check_dbn(const int *sizes, int depth, int B, uint64_t seed)
{
    Rbm layers[4], before[4];
    int widest = 0;
    for (int l = 0; l < depth; l++) {
        layers[l] = rbm_random(seed + (uint64_t)l, sizes[l], sizes[l + 1], 1);
        before[l] = rbm_copy(&layers[l]);
        widest = sizes[l + 1] > widest ? sizes[l + 1] : widest;
    }
    size_t in = (size_t)B * (size_t)sizes[0], out = (size_t)B * (size_t)sizes[depth];
    float *v = rows_random(seed + 9, B, sizes[0]), *kept = floats_copy(v, in),
          *y = floats_filled(out, 0.25f), *held = floats_filled(out, 0.25f);
    double *want = floats_wide(v, in);
    for (int l = 0; l < depth; l++) want = hidden_of(&layers[l], want, B);
    bm_dbn(y, layers, depth, v, B, floats_filled(2 * (size_t)B * (size_t)widest, NAN));
    assert_near(y, want, SHAPE(B, sizes[depth]), .name = "y", .formula = dbn_formula,
                .replaces = held, SUM_TOLERANCE);
    assert_kept("v", v, kept, in);
    for (int l = 0; l < depth; l++) assert_rbm_kept(&layers[l], &before[l]);
}

CASE(dbn__of_one_layer_is_its_hidden_units)
{
    check_dbn((int[]){5, 3}, 1, 4, 920);
    check_dbn((int[]){1, 1}, 1, 1, 925);
}

CASE(dbn__passes_probabilities_from_layer_to_layer)
{
    check_dbn((int[]){5, 3, 4}, 2, 6, 930);
    check_dbn((int[]){4, 9, 2}, 2, 3, 935);
    check_dbn((int[]){2, 3, 9, 4}, 3, 2, 940);
    check_dbn((int[]){6, 1, 7, 2, 5}, 4, 3, 950);
    check_dbn((int[]){40, 33, 20}, 2, 9, 960);
    check_dbn((int[]){5, 3, 40, 40, 3}, 4, 1000, 970);
    check_dbn((int[]){5, 40, 40, 40, 3}, 4, 1000, 980);
}

CASE(dbn__takes_large_inputs)
{
    Rbm layers[2] = {rbm_of(1, 1, (float[]){1000}, (float[]){0}, (float[]){0}),
                     rbm_of(1, 1, (float[]){-1000}, (float[]){0}, (float[]){500})};
    float *y = floats_filled(2, NAN);
    bm_dbn(y, layers, 2, FLOATS(1, 0), 2, floats_filled(4, NAN));
    assert_near(y, ((double[]){0, 0.5}), SHAPE(2, 1), .name = "y", .formula = dbn_formula);
}

CASE(dbn__propagates_nan)
{
    Rbm layers[2] = {rbm_of(1, 1, (float[]){1}, (float[]){0}, (float[]){0}),
                     rbm_of(1, 1, (float[]){1}, (float[]){0}, (float[]){0})};
    float *y = floats_filled(1, 7);
    bm_dbn(y, layers, 2, FLOATS(NAN), 1, floats_filled(2, 0));
    assert_near(y, &not_a_number, SHAPE(1, 1), .name = "y", .formula = dbn_formula);
}

CASE(dbn__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *y = floats_filled(1, NAN), *v = FLOATS(1), *work = floats_filled(2, NAN);
    bm_dbn(y, &rbm, 1, v, 1, work);
    c[0] = 1;
    bm_dbn(y, &rbm, 1, v, 1, work);
    assert_near(y, &(double){1 / (1 + exp(-1))}, SHAPE(1, 1), .name = "y of the second call");
}

const struct CMUnitTest ais_cases[] = {
    cmocka_unit_test(ais__in_one_step_is_importance_sampling),
    cmocka_unit_test(ais__moves_its_chains_between_the_distributions),
    cmocka_unit_test(ais__is_exact_for_independent_units),
    cmocka_unit_test(ais__is_right_within_its_error_bars),
    cmocka_unit_test(ais__handles_large_inputs),
    cmocka_unit_test(ais__propagates_nan),
    cmocka_unit_test(ais__takes_the_same_arrays_again),
    cmocka_unit_test(ais_estimate__matches_an_example_computed_by_hand),
    cmocka_unit_test(ais_estimate__is_the_mean_of_z_not_of_log_z),
    cmocka_unit_test(ais_estimate__handles_one_and_many_runs),
    cmocka_unit_test(ais_estimate__does_not_overflow),
    cmocka_unit_test(ais_estimate__of_equal_runs_has_no_error),
    cmocka_unit_test(ais_estimate__keeps_the_digits_of_a_small_error),
    cmocka_unit_test(ais_estimate__propagates_nan),
    cmocka_unit_test(ais_estimate__takes_the_same_array_again),
    cmocka_unit_test(dbn__of_one_layer_is_its_hidden_units),
    cmocka_unit_test(dbn__passes_probabilities_from_layer_to_layer),
    cmocka_unit_test(dbn__takes_large_inputs),
    cmocka_unit_test(dbn__propagates_nan),
    cmocka_unit_test(dbn__takes_the_same_arrays_again),
    {0},
};
