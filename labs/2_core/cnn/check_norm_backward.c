/* Exercise 13: batch normalization, backward. check.c says how cases are made. */
#include <math.h>
#include "kernels/kernels.h"
#include "labs/2_core/cnn/check.h"
#include "tests/floats.h"
#include "tests/near.h"

// mean and rstd as the forward pass writes them.
static void write_statistics(const Norm *norm, float *mean, float *rstd)
{
    double *centered = floats_wide(norm->x, norm->size), *wide = doubles_zero(norm->C),
           *variance = doubles_zero(norm->C);
    norm_center(norm, centered, wide, variance);
    for (size_t c = 0; c < norm->C; c++)
        mean[c] = (float)wide[c], rstd[c] = (float)(1 / sqrt(variance[c] + (double)norm->s.eps));
}

static void assert_norm_backward(Norm norm)
{
    CnnNorm s = norm.s;
    size_t C = norm.C;
    double *x_hat = floats_wide(norm.x, norm.size), *dy = floats_wide(norm.dy, norm.size);
    float *mean = floats_filled(C, 0), *rstd = floats_filled(C, 0);
    float *dx = floats_filled(norm.size, norm.held), *dgamma = floats_filled(C, norm.held),
          *dshift = floats_filled(C, norm.held);
    float *dx_before = floats_copy(dx, norm.size), *held = floats_copy(dgamma, C);
    double *dx_want = floats_wide(dx, norm.size), *dgamma_want = floats_wide(dgamma, C),
           *dshift_want = floats_wide(dshift, C), most = 0;
    write_statistics(&norm, mean, rstd);
    for (size_t c = 0; c < C; c++) {
        for (int i = 0; i < norm.n; i++) {
            size_t k = norm_at(&norm, c, i);
            x_hat[k] = (x_hat[k] - (double)mean[c]) * (double)rstd[c];
            most = fmax(most, fabs(dy[k]));
        }
        double dy_mean = norm_average(&norm, c, dy, NULL),
               dy_x_mean = norm_average(&norm, c, dy, x_hat);
        for (int i = 0; i < norm.n; i++) {
            size_t k = norm_at(&norm, c, i);
            dx_want[k] +=
                (double)norm.gamma[c] * (double)rstd[c] * (dy[k] - dy_mean - x_hat[k] * dy_x_mean);
        }
        dgamma_want[c] += norm.n * dy_x_mean, dshift_want[c] += norm.n * dy_mean;
    }
    Norm before = norm_copy(norm);
    float *mean_kept = floats_copy(mean, C), *rstd_kept = floats_copy(rstd, C);
    cnn_batch_norm_backward(dx, dgamma, dshift, norm.dy, norm.x, mean, rstd, norm.gamma, s);
    assert_near(dshift, dshift_want, SHAPE(s.C), .name = "dshift", .added_to = held, .batch = s.B,
                .formula = "dshift += sum dy");
    assert_near(dgamma, dgamma_want, SHAPE(s.C), .name = "dgamma", .added_to = held, .batch = s.B,
                .atol = 1e-4 * most, .rtol = 1e-5, .formula = "dgamma += sum dy (x - mean) rstd");
    assert_near(dx, dx_want, SHAPE(s.B, s.C, s.P), .name = "dx", .added_to = dx_before,
                .batch = s.B, .formula = "dx += gamma rstd (dy - 1/n sum dy - x^ 1/n sum dy x^)");
    norm_assert_kept(norm, before);
    assert_kept("mean", mean, mean_kept, C);
    assert_kept("rstd", rstd, rstd_kept, C);
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
        assert_norm_backward(norm_new(norm_shapes[i], 280 + (uint64_t)i));
    assert_norm_backward(norm_new((CnnNorm){1, 2, 1, 1e-5f, 0.1f}, 289));
    Norm norm = norm_new(norm_shapes[0], 290);    // without variance: rstd is 316
    norm_move(norm, 0, 2);
    assert_norm_backward(norm);
}

CASE(batch_norm_backward__accumulates_into_dx_dgamma_and_dshift)
{
    Norm norm = norm_new(norm_shapes[0], 290);
    norm.held = 7;
    assert_norm_backward(norm);
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
        double mean = norm_average(norm, c, wide->x, NULL),
               variance = norm_average(norm, c, wide->x, wide->x) - mean * mean;
        for (int i = 0; i < norm->n; i++) {
            size_t k = norm_at(norm, c, i);
            double x_hat = (wide->x[k] - mean) / sqrt(variance + (double)norm->s.eps);
            sum += (double)norm->dy[k] * (wide->gamma[c] * x_hat + wide->shift[c]);
        }
    }
    return sum;
}

CASE(batch_norm_backward__matches_finite_differences)
{
    for (int i = 0; i < 4; i++) {
        Norm norm = norm_new(norm_shapes[i], 300 + (uint64_t)i);
        CnnNorm s = norm.s;
        WideNorm wide = {&norm, floats_wide(norm.x, norm.size), floats_wide(norm.gamma, norm.C),
                         floats_wide(norm.shift, norm.C)};
        float *mean = floats_filled(norm.C, 0), *rstd = floats_filled(norm.C, 0);
        write_statistics(&norm, mean, rstd);
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

// The kernels' gradients are held against PyTorch's in tests/kernels.
CASE(batch_norm_backward__agrees_with_the_kernel_table)
{
    for (int i = 0; i < NORM_SHAPES; i++) {
        Norm norm = norm_new(norm_shapes[i], 330 + (uint64_t)i);
        CnnNorm s = norm.s;
        size_t C = norm.C;
        float *mean = floats_filled(C, 0), *rstd = floats_filled(C, 0), *var = floats_filled(C, 0);
        float *dx = floats_filled(norm.size, 0), *want = floats_filled(norm.size, 0),
              *dgamma = floats_filled(C, 0), *dshift = floats_filled(C, 0);
        write_statistics(&norm, mean, rstd);
        for (size_t c = 0; c < C; c++) var[c] = 1 / (rstd[c] * rstd[c]) - s.eps;
        kernels.batch_norm_backward(want, floats_filled(C, 0), floats_filled(C, 0), norm.dy, norm.x,
                                    norm.gamma, mean, var, s.eps, 0, (NormShape){s.B, s.C, s.P});
        cnn_batch_norm_backward(dx, dgamma, dshift, norm.dy, norm.x, mean, rstd, norm.gamma, s);
        assert_near(dx, floats_wide(want, norm.size), SHAPE(s.B, s.C, s.P), .name = "dx",
                    .formula = "dx as by the kernel table");
    }
}

CASE(batch_norm_backward__keeps_its_digits_where_dy_is_far_from_zero)
{
    Norm norm = norm_new(norm_shapes[7], 310);
    for (size_t i = 0; i < norm.size; i++) norm.dy[i] += 300;
    for (size_t c = 0; c < norm.C; c++) norm.gamma[c] = 1;
    assert_norm_backward(norm);
}

CASE(batch_norm_backward__propagates_nan_and_takes_large_gradients)
{
    Norm norm = norm_new(norm_shapes[0], 311);
    norm.dy[norm_at(&norm, 1, 4)] = NAN;
    for (int i = 0; i < norm.n; i++) norm.dy[norm_at(&norm, 2, i)] *= 1e30f;
    assert_norm_backward(norm);
}

CASE(batch_norm_backward__takes_the_same_arrays_again_with_other_contents)
{
    norm_check_again(assert_norm_backward, 312);
}

const struct CMUnitTest norm_backward_cases[] = {
    cmocka_unit_test(batch_norm_backward__matches_an_example_computed_by_hand),
    cmocka_unit_test(batch_norm_backward__matches_the_formula_in_double),
    cmocka_unit_test(batch_norm_backward__accumulates_into_dx_dgamma_and_dshift),
    cmocka_unit_test(batch_norm_backward__matches_finite_differences),
    cmocka_unit_test(batch_norm_backward__agrees_with_the_kernel_table),
    cmocka_unit_test(batch_norm_backward__keeps_its_digits_where_dy_is_far_from_zero),
    cmocka_unit_test(batch_norm_backward__propagates_nan_and_takes_large_gradients),
    cmocka_unit_test(batch_norm_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
