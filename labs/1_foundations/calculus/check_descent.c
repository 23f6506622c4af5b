/* Exercises 8 to 10: optimizers. check.c says how cases are made. */
#include <math.h>
#include "common/rng.h"
#include "labs/1_foundations/calculus/check.h"

static double *random_doubles(Rng *rng, int n)
{
    double *x = doubles_zero((size_t)n);
    for (int i = 0; i < n; i++) x[i] = (double)rng_normal(rng);
    return x;
}

// ---- 8: gradient descent with momentum ----

static const char descend_formula[] = "v = mu v + g,  then  x = x - rate v";

static void descend__without_momentum_is_gradient_descent(void **state)
{
    (void)state;
    double *x = DOUBLES(1, 2, -3), *v = DOUBLES(0, 0, 0), *g = DOUBLES(4, -8, 0.5);
    calc_descend(x, v, g, 3, 0.25, 0);
    assert_near(x, ((double[]){0, 4, -3.125}), SHAPE(3), .name = "x", .formula = "x = x - rate g");
    calc_descend(x, v, g, 3, 0.25, 0);
    assert_near(x, ((double[]){-1, 6, -3.25}), SHAPE(3), .name = "x after a second step",
                .formula = "x = x - rate g");
}

static void descend__accumulates_velocity(void **state)
{
    (void)state;
    double *x = DOUBLES(10, 0), *v = DOUBLES(2, -4), *g = DOUBLES(1, 6);
    calc_descend(x, v, g, 2, 0.5, 0.75);
    assert_near(v, ((double[]){2.5, 3}), SHAPE(2), .name = "v", .formula = descend_formula);
    assert_near(x, ((double[]){8.75, -1.5}), SHAPE(2), .name = "x", .formula = descend_formula);
}

static void descend__with_zero_gradient_decays_geometrically(void **state)
{
    (void)state;
    // v = 1, mu, mu^2, ...: with mu = 1/2 x converges to a distance of 1, halving the rest at each step.
    double *x = DOUBLES(0), *v = DOUBLES(-2), *g = DOUBLES(0);
    for (int i = 1; i <= 10; i++) {
        calc_descend(x, v, g, 1, 0.5, 0.5);
        assert_number(x[0], 1 - pow(0.5, i), .name = "x", .formula = descend_formula);
    }
}

static void descend__matches_the_formula_for_any_n(void **state)
{
    (void)state;
    for (int n = 0; n <= 33; n += 11) {
        Rng rng = rng_from_seed((uint64_t)n);
        double *x = random_doubles(&rng, n), *v = random_doubles(&rng, n),
               *g = random_doubles(&rng, n), *before = doubles_copy(g, n);
        double *x_want = doubles_copy(x, n), *v_want = doubles_copy(v, n);
        for (int i = 0; i < n; i++) {
            v_want[i] = 0.9 * v_want[i] + g[i];
            x_want[i] = x_want[i] - 0.03 * v_want[i];
        }
        calc_descend(x, v, g, n, 0.03, 0.9);
        assert_near(v, v_want, SHAPE(n), .name = "v", .formula = descend_formula);
        assert_near(x, x_want, SHAPE(n), .name = "x", .formula = descend_formula);
        assert_kept("g", g, before, n);
    }
}

CASE(descend__steps_two_optimizers_in_turns)
{
    double *x = DOUBLES(0, 0), *v = DOUBLES(0, 0), *y = DOUBLES(0), *u = DOUBLES(0);
    for (int step = 0; step < 2; step++) {
        calc_descend(x, v, DOUBLES(1, 2), 2, 1, 0.5);
        calc_descend(y, u, DOUBLES(-4), 1, 1, 0.5);
    }
    assert_near(v, ((double[]){1.5, 3}), SHAPE(2), .name = "v", .formula = descend_formula);
    assert_near(x, ((double[]){-2.5, -5}), SHAPE(2), .name = "x", .formula = descend_formula);
    assert_number(u[0], -6, .name = "v of the other", .formula = descend_formula);
    assert_number(y[0], 10, .name = "x of the other", .formula = descend_formula);
}

CASE(descend__takes_gradients_of_any_size_and_nan)
{
    double *x = DOUBLES(0, 0, 0, 1), *v = DOUBLES(1, 1, 1, NAN);
    calc_descend(x, v, DOUBLES(1e200, -1e-200, NAN, 1), 4, 0.5, 0);
    assert_near(v, ((double[]){1e200, -1e-200, NAN, NAN}), SHAPE(4), .name = "v", .rtol = 1e-12,
                .atol = 1e-300, .formula = descend_formula);
    assert_near(x, ((double[]){-5e199, 5e-201, NAN, NAN}), SHAPE(4), .name = "x", .rtol = 1e-12,
                .atol = 1e-300, .formula = descend_formula);
}

// ---- 9: Adam ----

static const char adam_formula[] =
    "m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,\n"
    "x = x - rate (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + eps)";

static void adam__first_step_is_the_learning_rate_whatever_the_gradient(void **state)
{
    (void)state;
    double *x = DOUBLES(0, 0, 0), *m = DOUBLES(0, 0, 0), *v = DOUBLES(0, 0, 0);
    calc_adam(x, m, v, DOUBLES(1e-3, -5, 1e6), 3, 1, 0.1);
    assert_near(x, ((double[]){-0.1, 0.1, -0.1}), SHAPE(3), .atol = 1e-5, .rtol = 1e-5, .name = "x",
                .formula = adam_formula);
}

static void adam__does_not_move_where_the_gradient_is_zero(void **state)
{
    (void)state;
    double *x = DOUBLES(3), *m = DOUBLES(0), *v = DOUBLES(0);
    calc_adam(x, m, v, DOUBLES(0), 1, 1, 0.1);
    assert_number(x[0], 3, .exact = true, .name = "x", .formula = adam_formula);
}

static void adam__adds_eps_outside_the_square_root(void **state)
{
    (void)state;
    // |g| = eps: the first step is rate eps / (eps + eps), half the rate.
    double *x = DOUBLES(0), *m = DOUBLES(0), *v = DOUBLES(0);
    calc_adam(x, m, v, DOUBLES(1e-8), 1, 1, 0.1);
    assert_number(x[0], -0.05, .atol = 1e-9, .rtol = 1e-9, .name = "x", .formula = adam_formula);
}

static void adam__stores_its_moments_without_bias_correction(void **state)
{
    (void)state;
    double *x = DOUBLES(0), *m = DOUBLES(0), *v = DOUBLES(0);
    calc_adam(x, m, v, DOUBLES(2), 1, 1, 0.1);
    calc_adam(x, m, v, DOUBLES(-4), 1, 2, 0.1);
    assert_number(m[0], 0.9 * 0.2 - 0.4, .name = "m", .formula = "m = 0.9 m + 0.1 g");
    assert_number(v[0], 0.999 * 0.004 + 0.016, .name = "v", .formula = "v = 0.999 v + 0.001 g^2");
}

static void adam__matches_the_formula_over_many_steps(void **state)
{
    (void)state;
    enum { N = 5 };
    Rng rng = rng_from_seed(91);
    double *x = random_doubles(&rng, N), *m = doubles_zero(N), *v = doubles_zero(N);
    double want[N], mean[N] = {0}, square[N] = {0}, left1 = 1, left2 = 1;
    for (int i = 0; i < N; i++) want[i] = x[i];
    for (int step = 1; step <= 40; step++) {
        double *g = random_doubles(&rng, N), *before = doubles_copy(g, N);
        left1 *= 0.9, left2 *= 0.999;
        for (int i = 0; i < N; i++) {
            mean[i] = 0.9 * mean[i] + 0.1 * g[i];
            square[i] = 0.999 * square[i] + 0.001 * g[i] * g[i];
            want[i] -= 0.02 * mean[i] / (1 - left1) / (sqrt(square[i] / (1 - left2)) + 1e-8);
        }
        calc_adam(x, m, v, g, N, step, 0.02);
        assert_near(x, want, SHAPE(N), .atol = 1e-9, .rtol = 1e-9, .name = "x",
                    .formula = adam_formula);
        assert_kept("g", g, before, N);
    }
}

static void adam_by_hand(double *x, double *m, double *v, double g, int step, double rate)
{
    *m = 0.9 * *m + 0.1 * g;
    *v = 0.999 * *v + 0.001 * g * g;
    *x -= rate * *m / (1 - pow(0.9, step)) / (sqrt(*v / (1 - pow(0.999, step))) + 1e-8);
}

CASE(adam__corrects_by_the_step_that_is_given)
{
    // Two optimizers in turns, at different steps; one goes back to step 1, as a new run does.
    static const int steps[][2] = {{1, 7}, {2, 8}, {3, 2000}, {1, 2001}, {50, 1}};
    double *x = DOUBLES(0), *m = DOUBLES(0), *v = DOUBLES(0);
    double *y = DOUBLES(1), *p = DOUBLES(0.5), *q = DOUBLES(0.25);
    double want[2][3] = {{0, 0, 0}, {1, 0.5, 0.25}};
    for (int k = 0; k < 5; k++) {
        calc_adam(x, m, v, DOUBLES(k - 1.5), 1, steps[k][0], 0.1);
        adam_by_hand(&want[0][0], &want[0][1], &want[0][2], k - 1.5, steps[k][0], 0.1);
        calc_adam(y, p, q, DOUBLES(3), 1, steps[k][1], 0.01);
        adam_by_hand(&want[1][0], &want[1][1], &want[1][2], 3, steps[k][1], 0.01);
        assert_number(x[0], want[0][0], .name = "x", .formula = adam_formula, .rtol = 1e-9);
        assert_number(y[0], want[1][0], .name = "x of the other", .formula = adam_formula,
                      .rtol = 1e-9);
    }
}

CASE(adam__moves_on_where_the_gradient_becomes_zero)
{
    double *x = DOUBLES(0), *m = DOUBLES(0), *v = DOUBLES(0), want[3] = {0, 0, 0};
    for (int step = 1; step <= 5; step++) {
        calc_adam(x, m, v, DOUBLES(step == 1), 1, step, 0.1);
        adam_by_hand(&want[0], &want[1], &want[2], step == 1, step, 0.1);
        assert_number(m[0], want[1], .name = "m", .formula = "m = 0.9 m + 0.1 g");
        assert_number(v[0], want[2], .name = "v", .formula = "v = 0.999 v + 0.001 g^2");
        assert_number(x[0], want[0], .name = "x", .formula = adam_formula, .rtol = 1e-9);
    }
}

CASE(adam__takes_any_number_of_coordinates)
{
    calc_adam(DOUBLES(1), DOUBLES(1), DOUBLES(1), DOUBLES(1), 0, 1, 0.1);
    enum { N = 1001 };
    double *x = doubles_zero(N), *m = doubles_zero(N), *v = doubles_zero(N),
           *g = doubles_filled(N, -2);
    calc_adam(x, m, v, g, N, 1, 0.5);
    assert_near(x, doubles_filled(N, 0.5), SHAPE(N), .name = "x", .rtol = 1e-7,
                .formula = adam_formula);
}

CASE(adam__takes_large_gradients_and_nan)
{
    double *x = DOUBLES(0, 0), *m = DOUBLES(0, 0), *v = DOUBLES(0, 0);
    calc_adam(x, m, v, DOUBLES(1e100, NAN), 2, 1, 0.1);
    assert_near(x, ((double[]){-0.1, NAN}), SHAPE(2), .name = "x", .formula = adam_formula);
    assert_near(m, ((double[]){1e99, NAN}), SHAPE(2), .name = "m", .formula = "m = 0.9 m + 0.1 g");
    assert_near(v, ((double[]){1e197, NAN}), SHAPE(2), .name = "v",
                .formula = "v = 0.999 v + 0.001 g^2");
}

// ---- 10: Newton ----

static const char newton_formula[] = "x = x - H^-1 g";

static void newton__minimizes_any_quadratic_in_one_step(void **state)
{
    (void)state;
    // f = fxx/2 (x-1)^2 + fxy (x-1)(y+2) + fyy/2 (y+2)^2 has its stationary point at (1, -2), even where it is a saddle.
    static const double hessians[][3] = {
        {1, 0, 50}, {2, 1, 3}, {5, -4, 4}, {1, 3, 2}, {-2, 0.5, -1}};
    for (int k = 0; k < 5; k++) {
        const double *H = doubles_copy(hessians[k], 3);
        double *x = DOUBLES(4, 3), *g = DOUBLES(H[0] * 3 + H[1] * 5, H[1] * 3 + H[2] * 5);
        if (!calc_newton(x, g, H))
            fail_msg("H = {%g, %g, %g} is invertible: got false, expected true", H[0], H[1], H[2]);
        assert_near(x, ((double[]){1, -2}), SHAPE(2), .name = "x", .formula = newton_formula);
        assert_kept("H", H, hessians[k], 3);
    }
}

static void newton__solves_the_linear_system(void **state)
{
    (void)state;
    // H = (2 1; 1 3), g = (1, 8): p = -(-1, 3), since 2 (-1) + 3 = 1 and -1 + 9 = 8.
    double *x = DOUBLES(10, 20), *g = DOUBLES(1, 8), *before = doubles_copy(g, 2);
    assert_boolean("calc_newton of two equations", calc_newton(x, g, DOUBLES(2, 1, 3)), true);
    assert_near(x, ((double[]){11, 17}), SHAPE(2), .name = "x", .formula = newton_formula);
    assert_kept("g", g, before, 2);
}

static void newton__refuses_a_singular_hessian(void **state)
{
    (void)state;
    static const double singular[][3] = {{0, 0, 0}, {1, 2, 4}, {4, 0, 0}, {0, 0, 3}, {1, -3, 9}};
    for (int k = 0; k < 5; k++) {
        double *x = DOUBLES(4, 3);
        if (calc_newton(x, DOUBLES(1, 1), doubles_copy(singular[k], 3)))
            fail_msg("H = {%g, %g, %g} is singular: got true, expected false", singular[k][0],
                     singular[k][1], singular[k][2]);
        assert_near(x, ((double[]){4, 3}), SHAPE(2), .exact = true, .name = "x",
                    .formula = "x is unchanged when there is no step");
    }
}

static void newton__refuses_a_determinant_that_is_not_finite(void **state)
{
    (void)state;
    static const double wild[][3] = {{NAN, 0, 1}, {1, 0, INFINITY}, {1, NAN, 1}};
    for (int k = 0; k < 3; k++) {
        double *x = DOUBLES(4, 3);
        if (calc_newton(x, DOUBLES(1, 1), doubles_copy(wild[k], 3)))
            fail_msg("the determinant of {%g, %g, %g} is not finite: got true, expected false",
                     wild[k][0], wild[k][1], wild[k][2]);
        assert_near(x, ((double[]){4, 3}), SHAPE(2), .exact = true, .name = "x",
                    .formula = "x is unchanged when there is no step");
    }
}

static void newton__is_right_at_any_magnitude(void **state)
{
    (void)state;
    const double sizes[] = {1e200, 1e-200, 1e300, 1e-300};
    for (int k = 0; k < 4; k++) {
        double f = sizes[k], *x = DOUBLES(10, 20);
        assert_boolean("calc_newton", calc_newton(x, DOUBLES(f, 8 * f), DOUBLES(2 * f, f, 3 * f)),
                       true);
        assert_near(x, ((double[]){11, 17}), SHAPE(2), .name = "x", .formula = newton_formula);
    }
}

CASE(newton__takes_rows_of_different_magnitudes)
{
    double *x = DOUBLES(10, 20);
    assert_boolean("calc_newton, fxx = 1e200, fyy = 1e-200",
                   calc_newton(x, DOUBLES(2e200, 3e-200), DOUBLES(1e200, 0, 1e-200)), true);
    assert_near(x, ((double[]){8, 17}), SHAPE(2), .name = "x", .formula = newton_formula);
    x = DOUBLES(10, 0);    // H (1, 1e200) = (5e200, 2)
    assert_boolean("calc_newton, fxx = 4e200, fxy = 1, fyy = 1e-200",
                   calc_newton(x, DOUBLES(5e200, 2), DOUBLES(4e200, 1, 1e-200)), true);
    assert_near(x, ((double[]){9, -1e200}), SHAPE(2), .name = "x", .formula = newton_formula);
}

static void newton__accepts_a_tiny_determinant(void **state)
{
    (void)state;
    double *x = DOUBLES(4, 3);
    assert_boolean("calc_newton of a determinant of 1e-18",
                   calc_newton(x, DOUBLES(1e-9, 2e-9), DOUBLES(1e-9, 0, 1e-9)), true);
    assert_near(x, ((double[]){3, 1}), SHAPE(2), .name = "x", .formula = newton_formula);
}

CASE(newton__uses_the_hessian_of_this_call)
{
    double *H = DOUBLES(2, 0, 4), *x = DOUBLES(0, 0), *g = DOUBLES(2, 4);
    assert_boolean("calc_newton", calc_newton(x, g, H), true);
    H[0] = 1, g[0] = 3;
    assert_boolean("calc_newton of another H in the same array", calc_newton(x, g, H), true);
    assert_near(x, ((double[]){-4, -2}), SHAPE(2), .name = "x", .formula = newton_formula);
    H[2] = 0;
    assert_boolean("calc_newton, now singular", calc_newton(x, g, H), false);
}

CASE(newton__propagates_nan_of_the_gradient)
{
    double *x = DOUBLES(1, 1);
    assert_boolean("calc_newton", calc_newton(x, DOUBLES(NAN, 1), DOUBLES(2, 1, 3)), true);
    assert_near(x, ((double[]){NAN, NAN}), SHAPE(2), .name = "x", .formula = newton_formula);
}

CASE(newton__computes_in_double)
{
    // det = (1 + d)(1 - d) - 1 = -d^2 with d = 2^-20: a float holds none of it.
    double d = 0x1p-20, *x = DOUBLES(0, 0);
    assert_boolean("calc_newton", calc_newton(x, DOUBLES(d * d, 0), DOUBLES(1 + d, 1, 1 - d)),
                   true);
    assert_near(x, ((double[]){1 - d, -1}), SHAPE(2), .name = "x", .formula = newton_formula);
}

const struct CMUnitTest descent_cases[] = {
    cmocka_unit_test(descend__without_momentum_is_gradient_descent),
    cmocka_unit_test(descend__accumulates_velocity),
    cmocka_unit_test(descend__with_zero_gradient_decays_geometrically),
    cmocka_unit_test(descend__matches_the_formula_for_any_n),
    cmocka_unit_test(descend__steps_two_optimizers_in_turns),
    cmocka_unit_test(descend__takes_gradients_of_any_size_and_nan),
    cmocka_unit_test(adam__first_step_is_the_learning_rate_whatever_the_gradient),
    cmocka_unit_test(adam__does_not_move_where_the_gradient_is_zero),
    cmocka_unit_test(adam__adds_eps_outside_the_square_root),
    cmocka_unit_test(adam__stores_its_moments_without_bias_correction),
    cmocka_unit_test(adam__matches_the_formula_over_many_steps),
    cmocka_unit_test(adam__corrects_by_the_step_that_is_given),
    cmocka_unit_test(adam__moves_on_where_the_gradient_becomes_zero),
    cmocka_unit_test(adam__takes_any_number_of_coordinates),
    cmocka_unit_test(adam__takes_large_gradients_and_nan),
    cmocka_unit_test(newton__minimizes_any_quadratic_in_one_step),
    cmocka_unit_test(newton__solves_the_linear_system),
    cmocka_unit_test(newton__refuses_a_singular_hessian),
    cmocka_unit_test(newton__refuses_a_determinant_that_is_not_finite),
    cmocka_unit_test(newton__accepts_a_tiny_determinant),
    cmocka_unit_test(newton__uses_the_hessian_of_this_call),
    cmocka_unit_test(newton__propagates_nan_of_the_gradient),
    cmocka_unit_test(newton__computes_in_double),
    cmocka_unit_test(newton__is_right_at_any_magnitude),
    cmocka_unit_test(newton__takes_rows_of_different_magnitudes),
    {0},
};
