/* Exercises 11 to 13: batch normalization. check.c says how cases are made. */
#include <math.h>
#include "labs/2_core/cnn/check.h"
#include "tests/floats.h"
#include "tests/near.h"

typedef struct Norm {
    CnnNorm s;
    int n;    // values of a channel
    size_t size, C;
    float *x, *gamma, *shift, *dy;
} Norm;

// clang-format off
enum { NORM_SHAPES = 8 };
static const CnnNorm shapes[NORM_SHAPES] = {
    // B  C   P   eps    momentum
    { 3,  4,  5, 1e-5f, 0.1f},
    { 3,  4,  5, 0.5f,  0.3f},     // an eps that is seen beside the variance
    { 1,  2,  7, 1e-5f, 0.1f},     // one image
    { 6,  3,  1, 1e-5f, 0.1f},     // after a linear layer
    { 4,  1,  9, 1e-5f, 1},        // one channel; the running statistics are replaced
    { 2,  5,  3, 1e-5f, 0},        // they stay
    { 2,  1,  1, 1e-5f, 0.1f},     // two values
    {17, 33, 49, 1e-5f, 0.1f},
};
// clang-format on

static Norm norm_new(CnnNorm s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Norm norm = {.s = s, .n = s.B * s.P, .C = (size_t)s.C, .size = (size_t)(s.B * s.C * s.P)};
    norm.x = floats_normal(&rng, norm.size);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 3 * norm.x[i] + 1;
    norm.gamma = floats_normal(&rng, norm.C);
    norm.shift = floats_normal(&rng, norm.C);
    norm.dy = floats_normal(&rng, norm.size);
    return norm;
}

static void norm_move(Norm norm, float factor, float offset)
{
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = factor * norm.x[i] + offset;
}

// Element i of a channel: its index in x.
static size_t at(const Norm *norm, size_t c, int i)
{
    return ((size_t)(i / norm->s.P) * norm->C + c) * (size_t)norm->s.P + (size_t)(i % norm->s.P);
}

// The mean over channel c of u v, in which a NULL is 1.
static double average(const Norm *norm, size_t c, const double *u, const double *v)
{
    double sum = 0;
    for (int i = 0; i < norm->n; i++)
        sum += (u != NULL ? u[at(norm, c, i)] : 1) * (v != NULL ? v[at(norm, c, i)] : 1);
    return sum / norm->n;
}

// x - its channel's mean; mean and the (biased) variance of every channel.
static void center(const Norm *norm, double *centered, double *mean, double *variance)
{
    for (size_t c = 0; c < norm->C; c++) {
        mean[c] = average(norm, c, centered, NULL);
        for (int i = 0; i < norm->n; i++) centered[at(norm, c, i)] -= mean[c];
        variance[c] = average(norm, c, centered, centered);
    }
}

// ---- 11: in training ----

static void assert_batch_norm(Norm norm)
{
    CnnNorm s = norm.s;
    size_t C = norm.C;
    float *y = floats_filled(norm.size, 7), *mean = floats_filled(C, 7),
          *rstd = floats_filled(C, 7), *running_mean = floats_filled(C, 0.25f),
          *running_var = floats_filled(C, 2);
    float *y_before = floats_copy(y, norm.size), *held = floats_copy(mean, C);
    float *kept[] = {floats_copy(norm.x, norm.size), floats_copy(norm.gamma, C),
                     floats_copy(norm.shift, C)};
    double *want = floats_wide(norm.x, norm.size), *mean_want = doubles_zero(C),
           *variance = doubles_zero(C), *rstd_want = doubles_zero(C),
           *running_mean_want = doubles_zero(C), *running_var_want = doubles_zero(C);
    center(&norm, want, mean_want, variance);
    double momentum = (double)s.momentum, unbiased = norm.n > 1 ? norm.n / (norm.n - 1.0) : 0;
    for (size_t c = 0; c < C; c++) {
        rstd_want[c] = 1 / sqrt(variance[c] + (double)s.eps);
        for (int i = 0; i < norm.n; i++)
            want[at(&norm, c, i)] = want[at(&norm, c, i)] * rstd_want[c] * (double)norm.gamma[c] +
                                    (double)norm.shift[c];
        running_mean_want[c] = (1 - momentum) * 0.25 + momentum * mean_want[c];
        running_var_want[c] =
            norm.n == 1 ? 2 : (1 - momentum) * 2 + momentum * unbiased * variance[c];
    }
    cnn_batch_norm(y, mean, rstd, running_mean, running_var, norm.x, norm.gamma, norm.shift, s);
    assert_near(y, want, SHAPE(s.B, s.C, s.P), .name = "y", .replaces = y_before, .batch = s.B,
                .formula = "y = gamma (x - mean) rstd + shift");
    assert_near(mean, mean_want, SHAPE(s.C), .name = "mean", .replaces = held, .rtol = 1e-5,
                .atol = 1e-6, .formula = "mean = 1/n sum x");
    assert_near(rstd, rstd_want, SHAPE(s.C), .name = "rstd", .replaces = held, .rtol = 1e-5,
                .formula = "rstd = 1 / sqrt(1/n sum (x - mean)^2 + eps)");
    assert_near(running_mean, running_mean_want, SHAPE(s.C), .name = "running_mean",
                .formula = "running_mean += momentum (mean - running_mean)");
    assert_near(running_var, running_var_want, SHAPE(s.C), .name = "running_var",
                .formula = "running_var += momentum (sum (x - mean)^2 / (n - 1) - running_var)");
    assert_kept("x", norm.x, kept[0], norm.size);
    assert_kept("gamma", norm.gamma, kept[1], C);
    assert_kept("shift", norm.shift, kept[2], C);
}

CASE(batch_norm__matches_an_example_computed_by_hand)
{
    // mean 2.5, variance 1.25, unbiased 5/3; as one image of 2 x 2 and as four of one pixel
    for (int B = 1; B <= 4; B += 3) {
        CnnNorm s = {.B = B, .C = 1, .P = 4 / B, .eps = 1e-5f, .momentum = 0.1f};
        float *y = floats_filled(4, NAN), mean, rstd, running_mean = 0, running_var = 1;
        cnn_batch_norm(y, &mean, &rstd, &running_mean, &running_var, FLOATS(1, 2, 3, 4), FLOATS(1),
                       FLOATS(0), s);
        assert_near(y, ((double[]){-1.34163542, -0.44721181, 0.44721181, 1.34163542}),
                    SHAPE(B, 1, 4 / B), .name = "y",
                    .formula = "y = gamma (x - mean) rstd + shift");
        assert_number((double)running_mean, 0.25, .name = "running_mean", .rtol = 1e-6,
                      .formula = "0 + 0.1 (2.5 - 0)");
        assert_number((double)running_var, 1.06666667, .name = "running_var", .rtol = 1e-6,
                      .formula = "1 + 0.1 (5/3 - 1): n - 1 = 3");
    }
}

CASE(batch_norm__matches_plain_loops_in_double)
{
    for (int i = 0; i < NORM_SHAPES; i++) assert_batch_norm(norm_new(shapes[i], 240 + (uint64_t)i));
}

CASE(batch_norm__of_one_value_is_the_shift_and_keeps_the_running_variance)
{
    assert_batch_norm(norm_new((CnnNorm){1, 3, 1, 1e-5f, 0.1f}, 250));
    assert_batch_norm(norm_new((CnnNorm){1, 1, 1, 1e-5f, 1}, 251));
}

CASE(batch_norm__of_equal_values_is_the_shift)
{
    Norm norm = norm_new(shapes[0], 252);
    norm_move(norm, 0, 0.1f);
    assert_batch_norm(norm);
}

CASE(batch_norm__keeps_its_digits_far_from_zero)
{
    Norm norm = norm_new(shapes[7], 253);
    norm_move(norm, 10, 1e6f);    // a square has 13 digits before the deviation begins
    assert_batch_norm(norm);
    norm = norm_new(shapes[0], 254);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 1e8f + 64 * roundf(norm.x[i]);
    assert_batch_norm(norm);
}

CASE(batch_norm__handles_large_and_small_numbers)
{
    Norm norm = norm_new(shapes[7], 255);    // 833 values to a channel
    norm_move(norm, 1e18f, 0);               // a sum of squares is above the largest float
    assert_batch_norm(norm);
    norm_move(norm, 1e-37f, 0);    // 1e-19: a square is below the smallest
    norm.s.eps = 1e-45f;
    assert_batch_norm(norm);
}

CASE(batch_norm__propagates_nan_within_its_channel)
{
    Norm norm = norm_new(shapes[0], 256);
    norm.x[at(&norm, 2, 7)] = NAN;
    norm.x[at(&norm, 0, 3)] = INFINITY;
    assert_batch_norm(norm);
}

CASE(batch_norm__takes_the_same_arrays_again_with_other_contents)
{
    Norm one = norm_new(shapes[0], 257), other = norm_new(shapes[3], 258);
    assert_batch_norm(one);
    norm_move(one, -2, 5);
    one.gamma[0] = 9;
    assert_batch_norm(one);
    assert_batch_norm(other);
    assert_batch_norm(one);
}

// ---- 12: in inference ----

static const char inference_formula[] =
    "y = gamma (x - running_mean) / sqrt(running_var + eps) + shift";

static void assert_inference(Norm norm, float *running_mean, float *running_var)
{
    CnnNorm s = norm.s;
    float *y = floats_filled(norm.size, 7), *before = floats_copy(y, norm.size);
    float *kept[] = {floats_copy(norm.x, norm.size), floats_copy(running_mean, norm.C),
                     floats_copy(running_var, norm.C)};
    double *want = doubles_zero(norm.size);
    for (size_t c = 0; c < norm.C; c++)
        for (int i = 0; i < norm.n; i++)
            want[at(&norm, c, i)] =
                (double)norm.gamma[c] *
                    ((double)norm.x[at(&norm, c, i)] - (double)running_mean[c]) /
                    sqrt((double)running_var[c] + (double)s.eps) +
                (double)norm.shift[c];
    cnn_batch_norm_inference(y, norm.x, running_mean, running_var, norm.gamma, norm.shift, s);
    assert_near(y, want, SHAPE(s.B, s.C, s.P), .name = "y", .replaces = before,
                .formula = inference_formula);
    assert_kept("x", norm.x, kept[0], norm.size);
    assert_kept("running_mean", running_mean, kept[1], norm.C);
    assert_kept("running_var", running_var, kept[2], norm.C);
}

static void check_inference(CnnNorm s, uint64_t seed)
{
    Rng rng = rng_from_seed(seed);
    Norm norm = norm_new(s, seed);
    float *running_mean = floats_normal(&rng, norm.C), *running_var = floats_normal(&rng, norm.C);
    for (size_t c = 0; c < norm.C; c++) running_var[c] = fabsf(running_var[c]) + 0.1f;
    assert_inference(norm, running_mean, running_var);
}

CASE(batch_norm_inference__matches_an_example_computed_by_hand)
{
    float *y = floats_filled(1, NAN);    // the statistics of 1 2 3 4 after one step
    cnn_batch_norm_inference(y, FLOATS(2.5f), FLOATS(0.25f), FLOATS(1.06666667f), FLOATS(1),
                             FLOATS(0), (CnnNorm){.B = 1, .C = 1, .P = 1, .eps = 1e-5f});
    assert_near(y, &(double){2.17854292}, SCALAR, .name = "y", .formula = inference_formula);
}

CASE(batch_norm_inference__matches_plain_loops_in_double)
{
    for (int i = 0; i < NORM_SHAPES; i++) check_inference(shapes[i], 260 + (uint64_t)i);
    check_inference((CnnNorm){1, 1, 1, 1e-5f, 0.1f}, 270);
}

CASE(batch_norm_inference__is_finite_without_variance)
{
    Norm norm = norm_new(shapes[0], 271);
    assert_inference(norm, floats_filled(4, 1), floats_filled(4, 0));
}

CASE(batch_norm_inference__keeps_its_digits_far_from_zero)
{
    Norm norm = norm_new(shapes[0], 272);
    for (size_t i = 0; i < norm.size; i++) norm.x[i] = 1e8f + 64 * roundf(norm.x[i]);
    assert_inference(norm, floats_filled(4, 1e8f), floats_filled(4, 1e4f));
    norm_move(norm, 1e22f, 0);
    assert_inference(norm, floats_filled(4, 1e30f), floats_filled(4, 1e38f));
}

CASE(batch_norm_inference__propagates_nan)
{
    Norm norm = norm_new(shapes[0], 273);
    float *running_mean = FLOATS(0, NAN, 1, 2), *running_var = FLOATS(1, 1, NAN, 2);
    norm.x[at(&norm, 0, 3)] = NAN;
    norm.x[at(&norm, 3, 3)] = -INFINITY;
    norm.gamma[3] = 0;
    assert_inference(norm, running_mean, running_var);
}

CASE(batch_norm_inference__takes_the_same_arrays_again_with_other_contents)
{
    Norm one = norm_new(shapes[0], 274);
    float *running_mean = floats_filled(4, 1), *running_var = floats_filled(4, 2);
    assert_inference(one, running_mean, running_var);
    norm_move(one, -2, 5);
    running_mean[0] = -3, running_var[1] = 9, one.gamma[2] = 9;
    assert_inference(one, running_mean, running_var);
    check_inference(shapes[3], 275);
    assert_inference(one, running_mean, running_var);
}

// ---- 13: the gradients ----

// Starts from `held`. The statistics are given, rounded to floats as the forward pass writes them.
static void assert_norm_backward(Norm norm, float held)
{
    CnnNorm s = norm.s;
    size_t C = norm.C;
    double *x_hat = floats_wide(norm.x, norm.size), *dy = floats_wide(norm.dy, norm.size),
           *mean_wide = doubles_zero(C), *variance = doubles_zero(C);
    center(&norm, x_hat, mean_wide, variance);
    float *mean = floats_filled(C, 0), *rstd = floats_filled(C, 0);
    float *dx = floats_filled(norm.size, held), *dgamma = floats_filled(C, held),
          *dshift = floats_filled(C, held);
    float *dx_before = floats_copy(dx, norm.size), *before = floats_copy(dgamma, C);
    double *dx_want = floats_wide(dx, norm.size), *dgamma_want = floats_wide(dgamma, C),
           *dshift_want = floats_wide(dshift, C);
    for (size_t c = 0; c < C; c++) {
        mean[c] = (float)mean_wide[c], rstd[c] = (float)(1 / sqrt(variance[c] + (double)s.eps));
        for (int i = 0; i < norm.n; i++) x_hat[at(&norm, c, i)] *= (double)rstd[c];
        double dy_mean = average(&norm, c, dy, NULL), dy_x_mean = average(&norm, c, dy, x_hat);
        for (int i = 0; i < norm.n; i++) {
            size_t k = at(&norm, c, i);
            dx_want[k] +=
                (double)norm.gamma[c] * (double)rstd[c] * (dy[k] - dy_mean - x_hat[k] * dy_x_mean);
        }
        dgamma_want[c] += norm.n * dy_x_mean, dshift_want[c] += norm.n * dy_mean;
    }
    float *kept[] = {floats_copy(norm.x, norm.size), floats_copy(norm.dy, norm.size),
                     floats_copy(mean, C), floats_copy(rstd, C)};
    cnn_batch_norm_backward(dx, dgamma, dshift, norm.dy, norm.x, mean, rstd, norm.gamma, s);
    assert_near(dshift, dshift_want, SHAPE(s.C), .name = "dshift", .added_to = before, .batch = s.B,
                .formula = "dshift += sum dy");
    assert_near(dgamma, dgamma_want, SHAPE(s.C), .name = "dgamma", .added_to = before, .batch = s.B,
                SUM_TOLERANCE, .formula = "dgamma += sum dy (x - mean) rstd");
    assert_near(dx, dx_want, SHAPE(s.B, s.C, s.P), .name = "dx", .added_to = dx_before,
                .batch = s.B, .formula = "dx += gamma rstd (dy - 1/n sum dy - x^ 1/n sum dy x^)");
    assert_kept("x", norm.x, kept[0], norm.size);
    assert_kept("dy", norm.dy, kept[1], norm.size);
    assert_kept("mean", mean, kept[2], C);
    assert_kept("rstd", rstd, kept[3], C);
}

CASE(batch_norm_backward__matches_an_example_computed_by_hand)
{
    // x = -1 0 1 has the variance 2/3, and x^ = -r 0 r with r = sqrt(3/2).
    const float r = sqrtf(1.5f);
    float *dx = floats_filled(3, 0), dgamma = 0, dshift = 0;
    cnn_batch_norm_backward(dx, &dgamma, &dshift, FLOATS(1, 0, 0), FLOATS(-1, 0, 1), FLOATS(0),
                            FLOATS(r), FLOATS(2), (CnnNorm){.B = 1, .C = 1, .P = 3, .eps = 1e-9f});
    assert_near(dx, ((double[]){(double)r / 3, -2 * (double)r / 3, (double)r / 3}), SHAPE(1, 1, 3),
                .name = "dx", .formula = "2 r (dy - 1/3 + x^ r/3)");
    assert_near(&dgamma, &(double){-(double)r}, SCALAR, .name = "dgamma", .formula = "sum dy x^");
    assert_near(&dshift, &(double){1}, SCALAR, .name = "dshift", .formula = "sum dy");
}

CASE(batch_norm_backward__matches_the_formula_in_double)
{
    for (int i = 0; i < NORM_SHAPES; i++)
        assert_norm_backward(norm_new(shapes[i], 280 + (uint64_t)i), 0);
    assert_norm_backward(norm_new((CnnNorm){1, 2, 1, 1e-5f, 0.1f}, 289), 0);
}

CASE(batch_norm_backward__accumulates_into_dx_dgamma_and_dshift)
{
    assert_norm_backward(norm_new(shapes[0], 290), 7);
}

typedef struct WideNorm {
    const Norm *norm;
    double *x, *gamma, *shift;
} WideNorm;

// sum dy y, by the definition of y.
static double norm_score(const void *argument)
{
    const WideNorm *wide = argument;
    const Norm *norm = wide->norm;
    double sum = 0;
    for (size_t c = 0; c < norm->C; c++) {
        double mean = average(norm, c, wide->x, NULL),
               variance = average(norm, c, wide->x, wide->x) - mean * mean;
        for (int i = 0; i < norm->n; i++) {
            size_t k = at(norm, c, i);
            double x_hat = (wide->x[k] - mean) / sqrt(variance + (double)norm->s.eps);
            sum += (double)norm->dy[k] * (wide->gamma[c] * x_hat + wide->shift[c]);
        }
    }
    return sum;
}

CASE(batch_norm_backward__matches_finite_differences)
{
    for (int i = 0; i < 4; i++) {
        Norm norm = norm_new(shapes[i], 300 + (uint64_t)i);
        CnnNorm s = norm.s;
        WideNorm wide = {&norm, floats_wide(norm.x, norm.size), floats_wide(norm.gamma, norm.C),
                         floats_wide(norm.shift, norm.C)};
        double *centered = floats_wide(norm.x, norm.size), mean_wide[4], variance[4];
        center(&norm, centered, mean_wide, variance);
        float *mean = floats_filled(norm.C, 0), *rstd = floats_filled(norm.C, 0);
        for (size_t c = 0; c < norm.C; c++)
            mean[c] = (float)mean_wide[c], rstd[c] = (float)(1 / sqrt(variance[c] + (double)s.eps));
        float *dx = floats_filled(norm.size, 0), *dgamma = floats_filled(norm.C, 0),
              *dshift = floats_filled(norm.C, 0);
        cnn_batch_norm_backward(dx, dgamma, dshift, norm.dy, norm.x, mean, rstd, norm.gamma, s);
        assert_near(dx, slopes(norm_score, &wide, wide.x, norm.size), SHAPE(s.B, s.C, s.P),
                    .name = "dx", .formula = "dx = d sum(dy y) / dx");
        assert_near(dgamma, slopes(norm_score, &wide, wide.gamma, norm.C), SHAPE(s.C),
                    .name = "dgamma", .formula = "dgamma = d sum(dy y) / dgamma");
        assert_near(dshift, slopes(norm_score, &wide, wide.shift, norm.C), SHAPE(s.C),
                    .name = "dshift", .formula = "dshift = d sum(dy y) / dshift");
    }
}

CASE(batch_norm_backward__keeps_its_digits_where_dy_is_far_from_zero)
{
    Norm norm = norm_new(shapes[7], 310);
    for (size_t i = 0; i < norm.size; i++) norm.dy[i] += 1e4f;
    for (size_t c = 0; c < norm.C; c++) norm.gamma[c] = 1;
    assert_norm_backward(norm, 0);
}

CASE(batch_norm_backward__propagates_nan_and_takes_large_gradients)
{
    Norm norm = norm_new(shapes[0], 311);
    norm.dy[at(&norm, 1, 4)] = NAN;
    for (int i = 0; i < norm.n; i++) norm.dy[at(&norm, 2, i)] *= 1e30f;
    assert_norm_backward(norm, 0);
}

CASE(batch_norm_backward__takes_the_same_arrays_again_with_other_contents)
{
    Norm one = norm_new(shapes[0], 312), other = norm_new(shapes[3], 313);
    assert_norm_backward(one, 0);
    norm_move(one, -2, 5);
    for (size_t i = 0; i < one.size; i++) one.dy[i] *= -3;
    one.gamma[0] = 9;
    assert_norm_backward(one, 0);
    assert_norm_backward(other, 0);
    assert_norm_backward(one, 0);
}

const struct CMUnitTest norm_cases[] = {
    cmocka_unit_test(batch_norm__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm__matches_plain_loops_in_double),
    cmocka_unit_test(batch_norm__of_one_value_is_the_shift_and_keeps_the_running_variance),
    cmocka_unit_test(batch_norm__of_equal_values_is_the_shift),
    cmocka_unit_test(batch_norm__keeps_its_digits_far_from_zero),
    cmocka_unit_test(batch_norm__handles_large_and_small_numbers),
    cmocka_unit_test(batch_norm__propagates_nan_within_its_channel),
    cmocka_unit_test(batch_norm__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(batch_norm_inference__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm_inference__matches_plain_loops_in_double),
    cmocka_unit_test(batch_norm_inference__is_finite_without_variance),
    cmocka_unit_test(batch_norm_inference__keeps_its_digits_far_from_zero),
    cmocka_unit_test(batch_norm_inference__propagates_nan),
    cmocka_unit_test(batch_norm_inference__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(batch_norm_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm_backward__matches_the_formula_in_double),
    cmocka_unit_test(batch_norm_backward__accumulates_into_dx_dgamma_and_dshift),
    cmocka_unit_test(batch_norm_backward__matches_finite_differences),
    cmocka_unit_test(batch_norm_backward__keeps_its_digits_where_dy_is_far_from_zero),
    cmocka_unit_test(batch_norm_backward__propagates_nan_and_takes_large_gradients),
    cmocka_unit_test(batch_norm_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
