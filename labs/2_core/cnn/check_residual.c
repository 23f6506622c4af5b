/* Exercises 17 and 18: the end of a residual block. check.c says how cases are made. */
#include <math.h>
#include "labs/2_core/cnn/check.h"
#include "tests/floats.h"
#include "tests/near.h"

static const char residual_formula[] = "y[i] = max(f[i] + x[i], 0)";
static const char fork_formula[] = "df[i] += dy[i] and dx[i] += dy[i] where y[i] > 0";

static void assert_residual(const float *f, const float *x, size_t n)
{
    float *y = floats_filled(n, 7), *before = floats_copy(y, n);
    float *f_kept = floats_copy(f, n), *x_kept = floats_copy(x, n), *in_place = floats_copy(f, n);
    double *want = doubles_zero(n);
    for (size_t i = 0; i < n; i++) {
        want[i] = (double)(f[i] + x[i]);
        if (want[i] < 0) want[i] = 0;
    }
    cnn_residual(y, f, x, n);
    assert_near(y, want, SHAPE((int)n), .name = "y", .replaces = before, .exact = true,
                .formula = residual_formula);
    assert_kept("f", f, f_kept, n);
    assert_kept("x", x, x_kept, n);
    cnn_residual(in_place, in_place, x, n);
    assert_near(in_place, want, SHAPE((int)n), .name = "y in place of f", .exact = true,
                .formula = residual_formula);
}

CASE(residual__adds_the_shortcut_before_the_relu)
{
    assert_residual(FLOATS(1, -3, -1, 2, 0.5f), FLOATS(2, 1, 4, -2, 0), 5);
}

CASE(residual__handles_none_one_and_many)
{
    Rng rng = rng_from_seed(360);
    const size_t counts[] = {0, 1, 1003, 5000};
    for (int i = 0; i < 4; i++)
        assert_residual(floats_normal(&rng, counts[i]), floats_normal(&rng, counts[i]), counts[i]);
}

CASE(residual__propagates_nan_and_takes_large_and_small_numbers)
{
    assert_residual(
        FLOATS(NAN, 1, INFINITY, INFINITY, 1e30f, 1e-30f, 3e38f, -1e38f, -INFINITY, 2e38f),
        FLOATS(-1, NAN, -INFINITY, 1, -1e29f, 1e-40f, 3e38f, 1e30f, 1, 1e38f), 10);
}

CASE(residual__takes_the_same_arrays_again_with_other_contents)
{
    float *f = FLOATS(1, 2, 3), *x = FLOATS(1, -5, 3);
    assert_residual(f, x, 3);
    f[1] = 7, x[0] = -9;
    assert_residual(f, x, 3);
}

static void assert_fork(const float *y, const float *dy, size_t n, float held)
{
    float *df = floats_filled(n, held), *dx = floats_filled(n, held + 1),
          *df_before = floats_copy(df, n), *dx_before = floats_copy(dx, n),
          *y_kept = floats_copy(y, n), *dy_kept = floats_copy(dy, n);
    double *df_want = floats_wide(df, n), *dx_want = floats_wide(dx, n);
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0) df_want[i] += (double)dy[i], dx_want[i] += (double)dy[i];
    cnn_residual_backward(df, dx, dy, y, n);
    assert_near(df, df_want, SHAPE((int)n), .name = "df", .added_to = df_before,
                .formula = fork_formula);
    assert_near(dx, dx_want, SHAPE((int)n), .name = "dx", .added_to = dx_before,
                .formula = fork_formula);
    assert_kept("y", y, y_kept, n);
    assert_kept("dy", dy, dy_kept, n);
}

CASE(residual_backward__gives_both_branches_the_whole_gradient)
{
    assert_fork(FLOATS(3, 0, 3, 0, 0.5f), FLOATS(1, 2, -3, -4, 5), 5, 0);
    assert_fork(FLOATS(0, -0.0f, 1e-40f, 1e-7f), FLOATS(1, 2, 3, 4), 4, 0);
}

CASE(residual_backward__accumulates_into_df_and_dx)
{
    assert_fork(FLOATS(3, 0, 3, 0, 0.5f), FLOATS(1, 2, -3, -4, 5), 5, 7);
}

CASE(residual_backward__handles_none_one_and_many)
{
    Rng rng = rng_from_seed(361);
    const size_t counts[] = {0, 1, 1003, 5000};
    for (int i = 0; i < 4; i++)
        assert_fork(floats_normal(&rng, counts[i]), floats_normal(&rng, counts[i]), counts[i],
                    0.5f);
}

CASE(residual_backward__passes_nan_and_large_gradients_where_y_is_positive)
{
    assert_fork(FLOATS(0, NAN, 2, 0, 1, INFINITY), FLOATS(NAN, 1, NAN, INFINITY, 1e30f, -INFINITY),
                6, 0);
}

CASE(residual_backward__takes_the_same_arrays_again_with_other_contents)
{
    float *y = FLOATS(3, 0, 3), *dy = FLOATS(1, 2, 3);
    assert_fork(y, dy, 3, 0);
    y[0] = 0, y[1] = 1, dy[2] = -8;
    assert_fork(y, dy, 3, 0);
}

const struct CMUnitTest residual_cases[] = {
    cmocka_unit_test(residual__adds_the_shortcut_before_the_relu),
    cmocka_unit_test(residual__handles_none_one_and_many),
    cmocka_unit_test(residual__propagates_nan_and_takes_large_and_small_numbers),
    cmocka_unit_test(residual__takes_the_same_arrays_again_with_other_contents),
    cmocka_unit_test(residual_backward__gives_both_branches_the_whole_gradient),
    cmocka_unit_test(residual_backward__accumulates_into_df_and_dx),
    cmocka_unit_test(residual_backward__handles_none_one_and_many),
    cmocka_unit_test(residual_backward__passes_nan_and_large_gradients_where_y_is_positive),
    cmocka_unit_test(residual_backward__takes_the_same_arrays_again_with_other_contents),
    {0},
};
