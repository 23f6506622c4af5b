/* Exercises 8 to 11: LayerNorm and RMSNorm. check.c says how cases are made. */
#include <math.h>
#include "labs/3_language/transformer/check.h"
#include "tests/floats.h"
#include "tests/near.h"

typedef enum Kind { LAYER, RMS } Kind;

static const char *const formulas[] = {
    "y = gamma (x - mean) rstd + shift, rstd = 1 / sqrt(variance + eps)",
    "y = gamma x rstd, rstd = 1 / sqrt(mean of x^2 + eps)"};
static const char *const backward_formulas[] = {
    "dx += rstd (g - mean(g) - x^ mean(g x^)), g = gamma dy",
    "dx += rstd (g - x^ mean(g x^)), g = gamma dy"};

typedef struct Rows {
    Kind kind;
    int N, C;
    float eps;
    size_t size, columns, rows;
    float *x, *gamma, *shift, *dy;    // shift: LayerNorm
} Rows;

// The same in double, with what the forward pass gives.
typedef struct WideRows {
    const Rows *rows;
    double *x, *gamma, *shift, *dy, *y, *mean, *rstd;
} WideRows;

static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 2}, {1, 8}, {5, 1}, {4, 7}, {67, 129}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static Rows rows_new(Kind kind, const int shape[2], uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Rows r = {.kind = kind, .N = shape[0], .C = shape[1], .eps = seed % 2 ? 1e-5f : 0.125f};
    r.size = (size_t)(r.N * r.C), r.columns = (size_t)r.C, r.rows = (size_t)r.N;
    r.x = floats_normal(&rng, r.size);
    r.gamma = floats_normal(&rng, r.columns);
    r.shift = floats_normal(&rng, r.columns);
    r.dy = floats_normal(&rng, r.size);
    return r;
}

static void wide_forward(const WideRows *w)
{
    int C = w->rows->C;
    for (int n = 0; n < w->rows->N; n++) {
        const double *x = w->x + n * C;
        double mean = 0, squares = 0;
        for (int c = 0; c < C && w->rows->kind == LAYER; c++) mean += x[c] / C;
        for (int c = 0; c < C; c++) squares += (x[c] - mean) * (x[c] - mean) / C;
        w->mean[n] = mean;
        w->rstd[n] = 1 / sqrt(squares + (double)w->rows->eps);
        for (int c = 0; c < C; c++)
            w->y[n * C + c] = w->gamma[c] * (x[c] - mean) * w->rstd[n] +
                              (w->rows->kind == LAYER ? w->shift[c] : 0);
    }
}

static WideRows rows_wide(const Rows *r)
{
    WideRows w = {r,
                  floats_wide(r->x, r->size),
                  floats_wide(r->gamma, r->columns),
                  floats_wide(r->shift, r->columns),
                  floats_wide(r->dy, r->size),
                  doubles_zero(r->size),
                  doubles_zero(r->rows),
                  doubles_zero(r->rows)};
    wide_forward(&w);
    return w;
}

// ---- 8 and 10: forward ----

static void call(Kind kind, float *y, float *mean, float *rstd, const Rows *r)
{
    if (kind == LAYER) tf_layer_norm(y, mean, rstd, r->x, r->gamma, r->shift, r->N, r->C, r->eps);
    else tf_rms_norm(y, rstd, r->x, r->gamma, r->N, r->C, r->eps);
}

static void assert_forward(Rows r)
{
    float *y = floats_filled(r.size, 7), *mean = floats_filled(r.rows, 7),
          *rstd = floats_filled(r.rows, 7), *sevens = floats_filled(r.size, 7);
    float *x = floats_copy(r.x, r.size), *gamma = floats_copy(r.gamma, r.columns),
          *shift = floats_copy(r.shift, r.columns);
    WideRows wide = rows_wide(&r);
    call(r.kind, y, mean, rstd, &r);
    assert_near(y, wide.y, SHAPE(r.N, r.C), .name = "y", .replaces = sevens, .atol = 2e-6,
                .rtol = 2e-6, .formula = formulas[r.kind]);
    if (r.kind == LAYER)
        assert_near(mean, wide.mean, SHAPE(r.N), .name = "mean", .replaces = sevens, .rtol = 1e-6,
                    .atol = 1e-7, .formula = "mean = 1/C sum_c x[c]");
    assert_near(rstd, wide.rstd, SHAPE(r.N), .name = "rstd", .replaces = sevens, .rtol = 1e-6,
                .formula = formulas[r.kind]);
    assert_kept("x", r.x, x, r.size);
    assert_kept("gamma", r.gamma, gamma, r.columns);
    assert_kept("shift", r.shift, shift, r.columns);
    call(r.kind, r.x, mean, rstd, &r);
    assert_near(r.x, wide.y, SHAPE(r.N, r.C), .name = "y in place of x", .atol = 2e-6, .rtol = 2e-6,
                .formula = formulas[r.kind]);
    for (size_t i = 0; i < r.size; i++) r.x[i] = x[i];
}

static void check_forward(Kind kind, uint64_t seed)
{
    for (int i = 0; i < SHAPES; i++) assert_forward(rows_new(kind, shapes[i], seed + (uint64_t)i));
}

static void check_extremes(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){5, 4}, seed);
    r.eps = 1e-12f;
    floats_scale(r.x, 4, 1e30f);
    floats_scale(r.x + 4, 4, 1e-18f);
    floats_scale(r.x + 8, 4, 0);    // no variance at all
    assert_forward(r);
}

static void check_nan(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){4, 3}, seed);
    r.x[4] = NAN;
    r.x[9] = INFINITY;
    assert_forward(r);
}

static void check_again(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, shapes[1], seed);
    assert_forward(r);
    floats_scale(r.x, r.size, -2);
    r.x[1] += 3;
    floats_scale(r.gamma, r.columns, 3);
    assert_forward(r);
    assert_forward(rows_new(kind, shapes[1], seed + 1));
    assert_forward(r);
}

CASE(layer_norm__matches_an_example_computed_by_hand)
{
    // mean 4 and variance 4, with eps 5: 1/3; mean 0 and variance 4: 1/3
    float *y = floats_filled(4, NAN), *mean = floats_filled(2, NAN), *rstd = floats_filled(2, NAN);
    tf_layer_norm(y, mean, rstd, FLOATS(2, 6, 2, -2), FLOATS(3, 6), FLOATS(10, 20), 2, 2, 5);
    assert_near(y, ((double[]){8, 24, 12, 16}), SHAPE(2, 2), .name = "y", .rtol = 1e-6,
                .formula = formulas[LAYER]);
    assert_near(mean, ((double[]){4, 0}), SHAPE(2), .name = "mean", .exact = true,
                .formula = formulas[LAYER]);
    assert_near(rstd, ((double[]){1 / 3.0, 1 / 3.0}), SHAPE(2), .name = "rstd", .rtol = 1e-6,
                .formula = formulas[LAYER]);
}

CASE(layer_norm__matches_pytorch)
{
    // layer_norm(x, (4,), gamma, shift, 1e-5)
    float *y = floats_filled(8, NAN), *mean = floats_filled(2, NAN), *rstd = floats_filled(2, NAN);
    tf_layer_norm(y, mean, rstd, waves(8, 0, 1, 0), waves(4, 40, 0.5, 1), waves(4, 50, 1, 0), 2, 4,
                  1e-5f);
    assert_near(y,
                ((double[]){-1.86049995, 1.50543585, 1.56852402, -0.081259153, -1.19212737,
                            -0.251957815, 1.03453249, 1.325007}),
                SHAPE(2, 4), .name = "y", .atol = 1e-6, .formula = formulas[LAYER]);
}

CASE(layer_norm__matches_the_formula_in_double)
{
    check_forward(LAYER, 400);
    check_forward(LAYER, 411);
}

CASE(layer_norm__keeps_its_digits_far_from_zero)
{
    Rows r = rows_new(LAYER, (int[]){2, 1003}, 421);
    for (size_t i = 0; i < r.size; i++) r.x[i] = 4096 + r.x[i];
    assert_forward(r);
    // Floats at 1e8 lie 8 apart. Their squares are rounded even in double, their distances are not.
    for (size_t i = 0; i < r.size; i++) r.x[i] = 1e8f + 8 * (float)(i % 5);
    assert_forward(r);
}

CASE(layer_norm__takes_large_and_small_rows_and_rows_without_variance)
{
    check_extremes(LAYER, 422);
}

CASE(layer_norm__propagates_nan_within_its_row)
{
    check_nan(LAYER, 423);
}

CASE(layer_norm__takes_the_same_arrays_again_with_other_contents)
{
    check_again(LAYER, 424);
}

// ---- 9 and 11: backward ----

static double rows_score(const void *argument)
{
    const WideRows *w = argument;
    double score = 0;
    wide_forward(w);
    for (size_t i = 0; i < w->rows->size; i++) score += w->dy[i] * w->y[i];
    return score;
}

static float *narrow(const double *x, size_t n)
{
    float *y = floats_filled(n, 0);
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
    return y;
}

typedef struct Gradients {
    float *dx, *dgamma, *dshift;
} Gradients;

// Called with gradients that hold `held`.
static Gradients call_backward(const Rows *r, const WideRows *w, float held)
{
    Gradients g = {floats_filled(r->size, held), floats_filled(r->columns, held),
                   floats_filled(r->columns, held)};
    float *mean = narrow(w->mean, r->rows), *rstd = narrow(w->rstd, r->rows);
    float *x = floats_copy(r->x, r->size), *dy = floats_copy(r->dy, r->size),
          *gamma = floats_copy(r->gamma, r->columns), *mean_kept = floats_copy(mean, r->rows),
          *rstd_kept = floats_copy(rstd, r->rows);
    if (r->kind == LAYER)
        tf_layer_norm_backward(g.dx, g.dgamma, g.dshift, r->dy, r->x, mean, rstd, r->gamma, r->N,
                               r->C);
    else tf_rms_norm_backward(g.dx, g.dgamma, r->dy, r->x, rstd, r->gamma, r->N, r->C);
    assert_kept("x", r->x, x, r->size);
    assert_kept("dy", r->dy, dy, r->size);
    assert_kept("gamma", r->gamma, gamma, r->columns);
    assert_kept("mean", mean, mean_kept, r->rows);
    assert_kept("rstd", rstd, rstd_kept, r->rows);
    return g;
}

static void assert_backward(Rows r, float held)
{
    WideRows w = rows_wide(&r);
    double *dx = doubles_filled(r.size, (double)held),
           *dgamma = doubles_filled(r.columns, (double)held),
           *dshift = doubles_filled(r.columns, (double)held);
    for (int n = 0; n < r.N; n++) {
        // what the forward pass has written, as floats
        double rstd = (double)(float)w.rstd[n], mean = (double)(float)w.mean[n];
        double g_mean = 0, g_x_mean = 0;
        for (int c = 0; c < r.C; c++) {
            int i = n * r.C + c;
            double x_hat = (w.x[i] - mean) * rstd;
            if (r.kind == LAYER) g_mean += w.gamma[c] * w.dy[i] / r.C;
            g_x_mean += w.gamma[c] * w.dy[i] * x_hat / r.C;
            dgamma[c] += w.dy[i] * x_hat;
            dshift[c] += w.dy[i];
        }
        for (int c = 0; c < r.C; c++) {
            int i = n * r.C + c;
            double x_hat = (w.x[i] - mean) * rstd;
            dx[i] += rstd * (w.gamma[c] * w.dy[i] - g_mean - x_hat * g_x_mean);
        }
    }
    Gradients g = call_backward(&r, &w, held);
    float *before = floats_filled(r.size, held);
    assert_near(g.dx, dx, SHAPE(r.N, r.C), .name = "dx", .added_to = before, .atol = 3e-5,
                .rtol = 1e-5, .formula = backward_formulas[r.kind]);
    assert_near(g.dgamma, dgamma, SHAPE(r.C), .name = "dgamma", .added_to = before, .atol = 3e-5,
                .rtol = 1e-5, .formula = "dgamma[c] += sum_n dy[n,c] x^[n,c]");
    if (r.kind == LAYER)
        assert_near(g.dshift, dshift, SHAPE(r.C), .name = "dshift", .added_to = before,
                    .atol = 3e-5, .rtol = 1e-5, .formula = "dshift[c] += sum_n dy[n,c]");
}

static void check_backward(Kind kind, uint64_t seed)
{
    for (int i = 0; i < SHAPES; i++)
        assert_backward(rows_new(kind, shapes[i], 2 * (seed + (uint64_t)i)), 0);
    assert_backward(rows_new(kind, (int[]){4, 7}, 2 * seed + 1), 0);
}

static void check_slopes(Kind kind, uint64_t seed)
{
    for (int i = 0; i < SHAPES - 1; i++) {
        Rows r = rows_new(kind, shapes[i], 2 * (seed + (uint64_t)i));
        WideRows w = rows_wide(&r);
        Gradients g = call_backward(&r, &w, 0);
        assert_near(g.dx, slopes(rows_score, &w, w.x, r.size), SHAPE(r.N, r.C), .name = "dx",
                    .formula = "dx = d sum(dy y) / dx");
        assert_near(g.dgamma, slopes(rows_score, &w, w.gamma, r.columns), SHAPE(r.C),
                    .name = "dgamma", .formula = "dgamma = d sum(dy y) / dgamma");
        if (kind == LAYER)
            assert_near(g.dshift, slopes(rows_score, &w, w.shift, r.columns), SHAPE(r.C),
                        .name = "dshift", .formula = "dshift = d sum(dy y) / dshift");
    }
}

// The mean of g is large beside what is left of it; or the mean of g x^ is (eps is small: an odd seed).
static void check_cancellation(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){2, 1003}, seed);
    for (int c = 0; c < r.C; c++) r.gamma[c] = 1;
    for (size_t i = 0; i < r.size; i++) r.dy[i] += kind == LAYER ? 300 : 3000 * r.x[i];
    assert_backward(r, 0);
}

// rstd is 1e6 in row 0, about 1e4 in row 1 and 1e-4 in row 2.
static void check_backward_extremes(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){3, 16}, seed);
    r.eps = 1e-12f;
    floats_scale(r.x, 16, 0);
    floats_scale(r.x + 16, 16, 0x1p-13f);
    floats_scale(r.x + 32, 16, 0x1p13f);
    floats_scale(r.dy + 32, 16, 0x1p13f);
    assert_backward(r, 0);
}

static void check_backward_nan(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){3, 4}, seed);
    r.dy[5] = NAN;
    floats_scale(r.dy + 8, 4, 1e30f);
    assert_backward(r, 0);
}

static void check_backward_again(Kind kind, uint64_t seed)
{
    Rows r = rows_new(kind, (int[]){3, 4}, seed);
    assert_backward(r, 0);
    floats_scale(r.dy, r.size, -2);
    floats_scale(r.x, r.size, 3);
    floats_scale(r.gamma, r.columns, 2);
    assert_backward(r, 0);
    assert_backward(rows_new(kind, (int[]){3, 4}, seed + 1), 0);
    assert_backward(r, 0);
}

CASE(layer_norm_backward__matches_pytorch)
{
    // the gradients of the example above for dy = sin(30), sin(31), ..
    Rows r = {.kind = LAYER, .N = 2, .C = 4, .eps = 1e-5f, .size = 8, .columns = 4, .rows = 2};
    r.x = waves(8, 0, 1, 0), r.gamma = waves(4, 40, 0.5, 1), r.shift = waves(4, 50, 1, 0);
    r.dy = waves(8, 30, 1, 0);
    WideRows w = rows_wide(&r);
    Gradients g = call_backward(&r, &w, 0);
    assert_near(g.dx,
                ((double[]){-2.04052208, -1.00141218, 0.538218471, 2.50371579, 1.19634255,
                            -0.697558594, -0.602480957, 0.103696997}),
                SHAPE(2, 4), .name = "dx", .atol = 2e-6, .formula = backward_formulas[LAYER]);
    assert_near(g.dgamma, ((double[]){0.792012648, 0.0623550088, 0.504600989, -1.84047013}),
                SHAPE(4), .name = "dgamma", .atol = 1e-6, .formula = "dgamma += sum_n dy x^");
    assert_near(g.dshift, ((double[]){-0.458948938, -0.832220315, -0.440352172, 0.356373727}),
                SHAPE(4), .name = "dshift", .atol = 1e-6, .formula = "dshift += sum_n dy");
}

CASE(layer_norm_backward__matches_the_formula_in_double)
{
    check_backward(LAYER, 430);
}

CASE(layer_norm_backward__matches_finite_differences)
{
    check_slopes(LAYER, 440);
}

CASE(layer_norm_backward__accumulates_into_dx_dgamma_and_dshift)
{
    assert_backward(rows_new(LAYER, (int[]){3, 4}, 450), 7);
}

CASE(layer_norm_backward__keeps_its_digits_where_the_mean_of_dy_is_large)
{
    check_cancellation(LAYER, 453);
}

CASE(layer_norm_backward__takes_large_and_small_rows_and_rows_without_variance)
{
    check_backward_extremes(LAYER, 458);
}

CASE(layer_norm_backward__propagates_nan_and_takes_large_gradients)
{
    check_backward_nan(LAYER, 454);
}

CASE(layer_norm_backward__takes_the_same_arrays_again_with_other_contents)
{
    check_backward_again(LAYER, 456);
}

CASE(rms_norm__matches_an_example_computed_by_hand)
{
    // the mean of 9 and 25 is 17, with eps 8: rstd 1/5; 1 and 1: 1/3
    float *y = floats_filled(4, NAN), *rstd = floats_filled(2, NAN);
    tf_rms_norm(y, rstd, FLOATS(3, -5, 1, 1), FLOATS(10, 30), 2, 2, 8);
    assert_near(y, ((double[]){6, -30, 10 / 3.0, 10}), SHAPE(2, 2), .name = "y", .rtol = 1e-6,
                .formula = formulas[RMS]);
    assert_near(rstd, ((double[]){0.2, 1 / 3.0}), SHAPE(2), .name = "rstd", .rtol = 1e-6,
                .formula = formulas[RMS]);
}

CASE(rms_norm__matches_pytorch)
{
    // rms_norm(x, (4,), gamma, 1e-5)
    float *y = floats_filled(8, NAN), *rstd = floats_filled(2, NAN);
    tf_rms_norm(y, rstd, waves(8, 0, 1, 0), waves(4, 40, 0.5, 1), 2, 4, 1e-5f);
    assert_near(y,
                ((double[]){0, 1.2426181, 0.790099851, 0.132212015, -1.46827531, -1.24793451,
                            -0.213961414, 0.542435109}),
                SHAPE(2, 4), .name = "y", .atol = 1e-6, .formula = formulas[RMS]);
}

CASE(rms_norm__matches_the_formula_in_double)
{
    check_forward(RMS, 460);
    check_forward(RMS, 471);
}

CASE(rms_norm__sums_many_squares_in_double)
{
    Rows r = rows_new(RMS, (int[]){2, 60011}, 481);
    for (size_t i = 0; i < r.size; i++) r.x[i] = 0.7f;
    assert_forward(r);
}

CASE(rms_norm__takes_large_and_small_rows_and_rows_of_zeros)
{
    check_extremes(RMS, 482);
}

CASE(rms_norm__propagates_nan_within_its_row)
{
    check_nan(RMS, 483);
}

CASE(rms_norm__takes_the_same_arrays_again_with_other_contents)
{
    check_again(RMS, 484);
}

CASE(rms_norm_backward__matches_pytorch)
{
    // the gradients of the example above for dy = sin(30), sin(31), ..
    Rows r = {.kind = RMS, .N = 2, .C = 4, .eps = 1e-5f, .size = 8, .columns = 4, .rows = 2};
    r.x = waves(8, 0, 1, 0), r.gamma = waves(4, 40, 0.5, 1), r.shift = floats_filled(4, 0);
    r.dy = waves(8, 30, 1, 0);
    WideRows w = rows_wide(&r);
    Gradients g = call_backward(&r, &w, 0);
    assert_near(g.dx,
                ((double[]){-2.1751381, -0.632271104, 0.440650242, 0.930820173, 0.883066614,
                            -0.738941949, -0.812398329, -0.406837247}),
                SHAPE(2, 4), .name = "dx", .atol = 1e-6, .formula = backward_formulas[RMS]);
    assert_near(g.dgamma, ((double[]){-0.565979615, 0.0350600987, 1.19593434, -0.37129366}),
                SHAPE(4), .name = "dgamma", .atol = 1e-6, .formula = "dgamma += sum_n dy x^");
}

CASE(rms_norm_backward__matches_the_formula_in_double)
{
    check_backward(RMS, 490);
}

CASE(rms_norm_backward__matches_finite_differences)
{
    check_slopes(RMS, 500);
}

CASE(rms_norm_backward__accumulates_into_dx_and_dgamma)
{
    assert_backward(rows_new(RMS, (int[]){3, 4}, 510), 7);
}

CASE(rms_norm_backward__keeps_its_digits_where_dy_lies_along_x)
{
    check_cancellation(RMS, 513);
}

CASE(rms_norm_backward__takes_large_and_small_rows_and_rows_of_zeros)
{
    check_backward_extremes(RMS, 518);
}

CASE(rms_norm_backward__propagates_nan_and_takes_large_gradients)
{
    check_backward_nan(RMS, 514);
}

CASE(rms_norm_backward__takes_the_same_arrays_again_with_other_contents)
{
    check_backward_again(RMS, 516);
}

const struct CMUnitTest norm_cases[] = {
    cmocka_unit_test(layer_norm__matches_an_example_computed_by_hand),
    cmocka_unit_test(layer_norm__matches_pytorch),
    cmocka_unit_test(layer_norm__matches_the_formula_in_double),
    cmocka_unit_test(layer_norm__keeps_its_digits_far_from_zero),
    cmocka_unit_test(layer_norm__takes_large_and_small_rows_and_rows_without_variance),
    cmocka_unit_test(layer_norm__propagates_nan_within_its_row),
    cmocka_unit_test(layer_norm__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(layer_norm_backward__matches_pytorch),
    cmocka_unit_test(layer_norm_backward__matches_the_formula_in_double),
    cmocka_unit_test(layer_norm_backward__matches_finite_differences),
    cmocka_unit_test(layer_norm_backward__accumulates_into_dx_dgamma_and_dshift),
    cmocka_unit_test(layer_norm_backward__keeps_its_digits_where_the_mean_of_dy_is_large),
    cmocka_unit_test(layer_norm_backward__takes_large_and_small_rows_and_rows_without_variance),
    cmocka_unit_test(layer_norm_backward__propagates_nan_and_takes_large_gradients),
    cmocka_unit_test(layer_norm_backward__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(rms_norm__matches_an_example_computed_by_hand),
    cmocka_unit_test(rms_norm__matches_pytorch),
    cmocka_unit_test(rms_norm__matches_the_formula_in_double),
    cmocka_unit_test(rms_norm__sums_many_squares_in_double),
    cmocka_unit_test(rms_norm__takes_large_and_small_rows_and_rows_of_zeros),
    cmocka_unit_test(rms_norm__propagates_nan_within_its_row),
    cmocka_unit_test(rms_norm__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(rms_norm_backward__matches_pytorch),
    cmocka_unit_test(rms_norm_backward__matches_the_formula_in_double),
    cmocka_unit_test(rms_norm_backward__matches_finite_differences),
    cmocka_unit_test(rms_norm_backward__accumulates_into_dx_and_dgamma),
    cmocka_unit_test(rms_norm_backward__keeps_its_digits_where_dy_lies_along_x),
    cmocka_unit_test(rms_norm_backward__takes_large_and_small_rows_and_rows_of_zeros),
    cmocka_unit_test(rms_norm_backward__propagates_nan_and_takes_large_gradients),
    cmocka_unit_test(rms_norm_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
