/* Exercise 7: the gradient check. check.c says how cases are made. */
#include <math.h>
#include "labs/1_foundations/calculus/check.h"

static const char check_formula[] = "largest |g - d| / max(1, |g|, |d|), d by central differences";

// sum_i c[i] x[i]^2: a central difference of it is exact, 2 c[i] x[i].
static double squares(const double *x, int n, const void *context)
{
    const double *c = context;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += c[i] * x[i] * x[i];
    return sum;
}

static void gradient_check__of_the_correct_gradient_is_near_zero(void **state)
{
    (void)state;
    double *x = DOUBLES(1, -2, 0.5), *c = DOUBLES(3, 4, -5), *g = DOUBLES(6, -16, -5);
    double got = calc_gradient_check(squares, c, x, g, 3, 0.125);
    assert_number(got, 0, .name = "error", .formula = check_formula);
}

static void gradient_check__returns_the_largest_error_wherever_it_is(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 3; wrong++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double *x = DOUBLES(1, -2, 0.5), *c = DOUBLES(3, 4, -5), *g = DOUBLES(6, -16, -5);
            double d = g[wrong];
            g[(wrong + 1) % 3] *= 1.01;
            g[wrong] += sign;
            double got = calc_gradient_check(squares, c, x, g, 3, 0.125);
            assert_number(got, 1 / fmax(fabs(d), fabs(g[wrong])), .name = "error",
                          .formula = check_formula);
        }
    double *x = DOUBLES(1, -2, 0.5), *c = DOUBLES(3, 4, -5), *g = DOUBLES(24, -16, 5);
    assert_number(calc_gradient_check(squares, c, x, g, 3, 0.125), 2,
                  .name = "error of 24 for 6, then of 5 for -5", .formula = check_formula);
}

static void gradient_check__uses_the_absolute_error_where_derivatives_are_small(void **state)
{
    (void)state;
    double *x = DOUBLES(1), *c = DOUBLES(0.01), *g = DOUBLES(0.03);
    assert_number(calc_gradient_check(squares, c, x, g, 1, 0.125), 0.01,
                  .name = "error of 0.03 for 0.02", .formula = check_formula);
}

static double cube(const double *x, int n, const void *context)
{
    (void)n, (void)context;
    return x[0] * x[0] * x[0];
}

static void gradient_check__uses_central_differences_of_step_h(void **state)
{
    (void)state;
    // ((x+h)^3 - (x-h)^3) / 2h = 3 x^2 + h^2: at x = 0.5 with h = 0.25 it is 0.8125.
    double *x = DOUBLES(0.5), *g = DOUBLES(0.75);
    assert_number(calc_gradient_check(cube, NULL, x, g, 1, 0.25), 0.0625, .name = "error",
                  .formula = check_formula);
    // The step is h wherever x is: at x = 4 it is 48.0625.
    x[0] = 4, g[0] = 48;
    assert_number(calc_gradient_check(cube, NULL, x, g, 1, 0.25), 0.0625 / 48.0625,
                  .name = "error at x = 4", .formula = check_formula);
}

static double one_at_a_time(const double *x, int n, const void *context)
{
    const double *before = context;
    int moved = 0;
    for (int i = 0; i < n; i++) moved += x[i] != before[i];
    if (moved > 1) fail_msg("%d coordinates of x were perturbed at once; expected one", moved);
    return 0;
}

static void gradient_check__perturbs_one_coordinate_at_a_time_and_restores_it(void **state)
{
    (void)state;
    double *x = DOUBLES(0.1, 1e10, -0.3, 1e-20), *before = doubles_copy(x, 4);
    double *g = DOUBLES(0, 0, 0, 0);
    calc_gradient_check(one_at_a_time, before, x, g, 4, 1e-3);
    assert_near(x, before, SHAPE(4), .exact = true, .name = "x",
                .formula = "x is restored exactly: x - h + h is not always x");
}

static void gradient_check__of_zero_coordinates_is_zero(void **state)
{
    (void)state;
    double *none = doubles_copy(NULL, 0);
    assert_number(calc_gradient_check(squares, NULL, none, none, 0, 0.1), 0, .name = "error",
                  .formula = check_formula);
}

static double root(const double *x, int n, const void *context)
{
    (void)context;
    return sqrt(x[0]) + (n > 1 ? x[1] : 0);
}

static void gradient_check__returns_nan_when_anything_is_nan(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        double *x = DOUBLES(1, -2, 0.5), *c = DOUBLES(3, 4, -5), *g = DOUBLES(6, -16, -5);
        double *before = doubles_copy(x, 3);
        g[i] = NAN;
        assert_number(calc_gradient_check(squares, c, x, g, 3, 0.125), NAN,
                      .name = "error of a gradient with a NaN", .formula = check_formula);
        assert_near(x, before, SHAPE(3), .exact = true, .name = "x",
                    .formula = "x is restored then too");
    }
    double *x = DOUBLES(0, 1), *g = DOUBLES(INFINITY, 2);
    assert_number(calc_gradient_check(squares, DOUBLES(1, 1), x, g, 2, 0.125), NAN,
                  .name = "error of infinity, which is infinity / infinity",
                  .formula = check_formula);
    g[0] = 0, g[1] = 1;
    assert_number(calc_gradient_check(root, NULL, x, g, 2, 0.1), NAN,
                  .name = "error where f is NaN on one side", .formula = check_formula);
}

CASE(gradient_check__forgets_earlier_calls)
{
    double *x = DOUBLES(1, -2, 0.5), *c = DOUBLES(3, 4, -5), *g = DOUBLES(6, -16, 0);
    calc_gradient_check(squares, c, x, g, 3, 0.125);
    g[2] = -5;
    assert_number(calc_gradient_check(squares, c, x, g, 3, 0.125), 0,
                  .name = "error of a correct gradient after a wrong one",
                  .formula = check_formula);
    c[0] = 5;
    assert_number(calc_gradient_check(squares, c, x, g, 3, 0.125), 0.4,
                  .name = "error of 6 for 10, another f", .formula = check_formula);
}

CASE(gradient_check__checks_every_one_of_many_coordinates)
{
    enum { N = 200 };
    double *x = doubles_filled(N, 1), *c = doubles_filled(N, 1), *g = doubles_filled(N, 2);
    g[N - 1] = 4;
    assert_number(calc_gradient_check(squares, c, x, g, N, 0.125), 0.5,
                  .name = "error of the last of 200", .formula = check_formula);
}

CASE(gradient_check__compares_large_derivatives)
{
    double *x = DOUBLES(1), *c = DOUBLES(1e200), *g = DOUBLES(4e200);
    assert_number(calc_gradient_check(squares, c, x, g, 1, 0.125), 0.5,
                  .name = "error of 4e200 for 2e200", .formula = check_formula);
}

static double always_nan(const double *x, int n, const void *context)
{
    (void)x, (void)n, (void)context;
    return NAN;
}

CASE(gradient_check__restores_x_when_f_is_nan)
{
    double *x = DOUBLES(0.1, -2, 0.5), *before = doubles_copy(x, 3), *g = DOUBLES(6, -16, -5);
    assert_number(calc_gradient_check(always_nan, NULL, x, g, 3, 0.125), NAN,
                  .name = "error where f is NaN", .formula = check_formula);
    assert_near(x, before, SHAPE(3), .exact = true, .name = "x", .formula = "x is restored");
}

const struct CMUnitTest gradient_cases[] = {
    cmocka_unit_test(gradient_check__of_the_correct_gradient_is_near_zero),
    cmocka_unit_test(gradient_check__returns_the_largest_error_wherever_it_is),
    cmocka_unit_test(gradient_check__uses_the_absolute_error_where_derivatives_are_small),
    cmocka_unit_test(gradient_check__uses_central_differences_of_step_h),
    cmocka_unit_test(gradient_check__perturbs_one_coordinate_at_a_time_and_restores_it),
    cmocka_unit_test(gradient_check__of_zero_coordinates_is_zero),
    cmocka_unit_test(gradient_check__returns_nan_when_anything_is_nan),
    cmocka_unit_test(gradient_check__forgets_earlier_calls),
    cmocka_unit_test(gradient_check__checks_every_one_of_many_coordinates),
    cmocka_unit_test(gradient_check__compares_large_derivatives),
    cmocka_unit_test(gradient_check__restores_x_when_f_is_nan),
    {0},
};
