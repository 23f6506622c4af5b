/* Exercises 1 to 3: finite differences and dual numbers. check.c says how cases are made. */
#include <math.h>
#include "labs/1_foundations/calculus/check.h"

// ---- 1: the central difference ----

static const char difference_formula[] = "(f(x + h) - f(x - h)) / distance of the two points";

static double parabola(double x, const void *context)
{
    const double *c = context;
    return c[0] + c[1] * x + c[2] * x * x;
}

static double exponential(double x, const void *context)
{
    (void)context;
    return exp(x);
}

static double itself(double x, const void *context)
{
    (void)context;
    return x;
}

static void difference__is_exact_for_a_parabola_at_any_step_size(void **state)
{
    (void)state;
    const double *c = DOUBLES(1, -2, 3);
    for (double h = 1; h > 0.001; h /= 2)
        assert_number(calc_difference(parabola, c, 1.5, h), -2 + 6 * 1.5, .name = "derivative",
                      .formula = difference_formula);
}

static void difference__passes_the_context_to_f(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++)
        assert_number(calc_difference(parabola, DOUBLES(0, k, 0), 2, 0.5), k, .name = "derivative",
                      .formula = difference_formula);
}

static void difference__has_the_predicted_truncation_error_on_exp(void **state)
{
    (void)state;
    // (e^(x+h) - e^(x-h)) / 2h = e^x sinh(h) / h: a little more than e^x, on both sides of 0.
    for (double h = 0.5; h > 0.01; h /= 2)
        for (double x = -2; x <= 2; x += 0.5)
            assert_number(calc_difference(exponential, NULL, x, h), exp(x) * sinh(h) / h,
                          .name = "derivative of e^x", .formula = difference_formula);
}

typedef struct Evaluations {
    double *points;    // two of them
    int *count;
} Evaluations;

static double watched(double x, const void *context)
{
    const Evaluations *evaluations = context;
    if (*evaluations->count < 2) evaluations->points[*evaluations->count] = x;
    (*evaluations->count)++;
    return x * x;
}

static void difference__evaluates_f_once_on_each_side(void **state)
{
    (void)state;
    int count = 0;
    double *points = DOUBLES(NAN, NAN);
    Evaluations evaluations = {points, &count};
    calc_difference(watched, &evaluations, 4, 0.25);
    if (count != 2) fail_msg("f was called %d times, expected 2", count);
    const double both[] = {fmin(points[0], points[1]), fmax(points[0], points[1])};
    assert_near(both, ((double[]){3.75, 4.25}), SHAPE(2), .exact = true, .name = "point",
                .formula = "f is evaluated at x - h and at x + h");
}

static void difference__divides_by_the_rounded_distance(void **state)
{
    (void)state;
    // Near 1000000.1 doubles are 1.2e-10 apart, so x + h is rounded. A straight line of slope 1 shows
    // it: its rise and the distance are the same number.
    for (double h = 1e-4; h > 1e-9; h /= 10)
        assert_number(calc_difference(itself, NULL, 1000000.1, h), 1, .exact = true,
                      .name = "derivative of f(x) = x at 1000000.1",
                      .formula = "divide by (x + h) - (x - h) as they were rounded, not by 2h");
}

static void difference__propagates_nan(void **state)
{
    (void)state;
    assert_number(calc_difference(exponential, NULL, NAN, 0.1), NAN, .name = "derivative at NaN",
                  .formula = difference_formula);
}

static double third_power(double x, const void *context)
{
    (void)context;
    return x * x * x;
}

CASE(difference__uses_a_step_of_any_size)
{
    // ((x+h)^3 - (x-h)^3) / 2h = 3 x^2 + h^2
    for (double h = 1e-90; h < 1e90; h *= 1e30)
        assert_number(calc_difference(third_power, NULL, 0, h) / h / h, 1,
                      .name = "derivative of x^3 at 0, over h^2", .formula = difference_formula);
}

CASE(difference__evaluates_the_function_it_is_given_at_every_call)
{
    double *c = DOUBLES(1, -2, 3);
    assert_number(calc_difference(parabola, c, 1, 0.5), 4, .name = "derivative of 1 - 2 x + 3 x^2",
                  .formula = difference_formula);
    c[1] = 5;
    assert_number(calc_difference(parabola, c, 1, 0.5), 11, .name = "derivative of 1 + 5 x + 3 x^2",
                  .formula = difference_formula);
    assert_number(calc_difference(itself, c, 1, 0.5), 1, .name = "derivative of x",
                  .formula = difference_formula);
}

// ---- 2: the optimal step size ----

static const char step_formula[] = "h that minimizes noise / h + third h^2 / 6";

static void best_step__matches_an_example_computed_by_hand(void **state)
{
    (void)state;
    assert_number(calc_best_step(9, 1), 3, .name = "h for noise 9, third 1",
                  .formula = step_formula);
    assert_number(calc_best_step(1, 24), 0.5, .name = "h for noise 1, third 24",
                  .formula = step_formula);
    assert_number(1e5 * calc_best_step(8e-15 / 3, 1), 2, .name = "1e5 h for noise 8e-15/3, third 1",
                  .formula = step_formula);
}

static double total(double noise, double third, double h)
{
    return noise / h + third * h * h / 6;
}

static void best_step__has_a_smaller_error_than_neighbouring_step_sizes(void **state)
{
    (void)state;
    for (double noise = 1e-16; noise < 1; noise *= 37)
        for (double third = 1e-3; third < 1e4; third *= 11) {
            double h = calc_best_step(noise, third), here = total(noise, third, h);
            if (!(here < total(noise, third, 0.99 * h) && here < total(noise, third, 1.01 * h)))
                fail_msg("%s\nnoise %g, third %g: a step size near h = %g has a smaller error",
                         step_formula, noise, third, h);
        }
}

static void best_step__scales_with_the_cube_root_of_the_noise(void **state)
{
    (void)state;
    assert_number(calc_best_step(1e-13, 2) / calc_best_step(1e-16, 2), 10, .atol = 1e-9,
                  .rtol = 1e-9, .name = "ratio of the step sizes", .formula = step_formula);
    assert_number(calc_best_step(1e-16, 2) / calc_best_step(1e-16, 2000), 10, .atol = 1e-9,
                  .rtol = 1e-9, .name = "ratio of the step sizes", .formula = step_formula);
}

// ---- 3: dual numbers ----

static void check_dual(Op op, Dual a, Dual b, Dual want, const char *formula)
{
    Dual got = calc_dual(op, a, b);
    assert_number(got.value, want.value, .name = "value", .formula = formula);
    assert_number(got.derivative, want.derivative, .name = "derivative", .formula = formula);
}

static const Dual unused = {NAN, NAN};    // ops of one operand do not look at b

static void dual__differentiates_add_and_sub(void **state)
{
    (void)state;
    check_dual(OP_ADD, (Dual){3, 5}, (Dual){-7, 11}, (Dual){-4, 16}, "(u + v)' = u' + v'");
    check_dual(OP_SUB, (Dual){3, 5}, (Dual){-7, 11}, (Dual){10, -6}, "(u - v)' = u' - v'");
}

static void dual__applies_the_product_rule(void **state)
{
    (void)state;
    check_dual(OP_MUL, (Dual){3, 5}, (Dual){-7, 11}, (Dual){-21, -35 + 33}, "(u v)' = u' v + u v'");
    check_dual(OP_MUL, (Dual){3, 1}, (Dual){3, 1}, (Dual){9, 6}, "(x x)' = 2 x");
}

static void dual__applies_the_quotient_rule(void **state)
{
    (void)state;
    check_dual(OP_DIV, (Dual){3, 5}, (Dual){-2, 11}, (Dual){-1.5, (5 * -2 - 3 * 11) / 4.0},
               "(u / v)' = (u' v - u v') / v^2");
    check_dual(OP_DIV, (Dual){1, 0}, (Dual){4, 1}, (Dual){0.25, -1.0 / 16}, "(1 / x)' = -1 / x^2");
}

static void dual__applies_the_chain_rule(void **state)
{
    (void)state;
    for (double u = 0.25; u < 3; u += 0.5) {
        Dual a = {u, -1.75}, minus = {-u, 2.5};
        check_dual(OP_EXP, a, unused, (Dual){exp(u), -1.75 * exp(u)}, "(e^u)' = e^u u'");
        check_dual(OP_LOG, a, unused, (Dual){log(u), -1.75 / u}, "(ln u)' = u' / u");
        check_dual(OP_SIN, a, unused, (Dual){sin(u), -1.75 * cos(u)}, "(sin u)' = cos(u) u'");
        check_dual(OP_TANH, a, unused, (Dual){tanh(u), -1.75 / (cosh(u) * cosh(u))},
                   "(tanh u)' = (1 - tanh(u)^2) u'");
        check_dual(OP_EXP, minus, unused, (Dual){exp(-u), 2.5 * exp(-u)}, "(e^u)' = e^u u'");
        check_dual(OP_SIN, minus, unused, (Dual){-sin(u), 2.5 * cos(u)}, "(sin u)' = cos(u) u'");
        check_dual(OP_TANH, minus, unused, (Dual){-tanh(u), 2.5 / (cosh(u) * cosh(u))},
                   "(tanh u)' = (1 - tanh(u)^2) u'");
    }
}

static void dual__returns_an_input_unchanged(void **state)
{
    (void)state;
    check_dual(OP_INPUT, (Dual){3, 5}, unused, (Dual){3, 5}, "an input is returned unchanged");
}

static void dual__of_constants_has_derivative_zero(void **state)
{
    (void)state;
    for (Op op = OP_ADD; op < OP_COUNT; op++)
        assert_number(calc_dual(op, (Dual){2, 0}, (Dual){5, 0}).derivative, 0, .exact = true,
                      .name = op_name(op), .formula = "the derivative of a constant is 0");
}

static void dual__differentiates_a_composite_expression(void **state)
{
    (void)state;
    // e^(sin(x) / x) ln x, and its derivative by hand.
    for (double at = 0.5; at < 6; at += 0.7) {
        Dual x = {at, 1}, ratio = calc_dual(OP_DIV, calc_dual(OP_SIN, x, unused), x);
        Dual got =
            calc_dual(OP_MUL, calc_dual(OP_EXP, ratio, unused), calc_dual(OP_LOG, x, unused));
        double e = exp(sin(at) / at);
        double want = e * (cos(at) / at - sin(at) / (at * at)) * log(at) + e / at;
        assert_number(got.derivative, want, .name = "derivative of e^(sin(x) / x) ln x",
                      .formula = "the chain rule, op by op");
    }
}

CASE(dual__of_tanh_saturates)
{
    for (double u = 20; u < 1e5; u *= 20)
        for (double sign = -1; sign <= 1; sign += 2)
            check_dual(OP_TANH, (Dual){sign * u, 1}, unused, (Dual){sign * tanh(u), 0}, "tanh u");
}

CASE(dual__depends_on_all_of_its_operands)
{
    // The same values with other derivatives, and the same derivatives with other values.
    for (double da = -1; da <= 1; da++) {
        check_dual(OP_MUL, (Dual){3, da}, (Dual){5, 2}, (Dual){15, 5 * da + 6}, "(u v)'");
        check_dual(OP_EXP, (Dual){1, da}, unused, (Dual){exp(1), exp(1) * da}, "(e^u)'");
        check_dual(OP_TANH, (Dual){0, da}, unused, (Dual){0, da}, "(tanh u)'");
        check_dual(OP_LOG, (Dual){da + 3, 1}, unused, (Dual){log(da + 3), 1 / (da + 3)}, "(ln u)'");
    }
}

CASE(dual__divides_at_any_magnitude)
{
    // v^2 is no double, (u / v)' is.
    for (double size = 1e-200; size < 1e201; size *= 1e200) {
        check_dual(OP_DIV, (Dual){size, size}, (Dual){size, 0}, (Dual){1, 1}, "(u / v)' = u' / v");
        check_dual(OP_DIV, (Dual){size, 0}, (Dual){size, size}, (Dual){1, -1},
                   "(u / v)' = -(u / v) v' / v");
    }
}

CASE(dual__propagates_nan)
{
    for (Op op = OP_INPUT; op < OP_COUNT; op++) {
        Dual value = calc_dual(op, (Dual){NAN, 1}, (Dual){2, 1}),
             derivative = calc_dual(op, (Dual){0.5, NAN}, (Dual){2, 1});
        assert_number(value.value, NAN, .name = op_name(op), .formula = "the value of a NaN");
        assert_number(derivative.derivative, NAN, .name = op_name(op),
                      .formula = "the derivative where u' is NaN");
    }
    assert_number(calc_dual(OP_LOG, (Dual){-2, 1}, unused).value, NAN, .name = "ln(-2)",
                  .formula = "a negative number has no logarithm");
}

const struct CMUnitTest derivative_cases[] = {
    cmocka_unit_test(difference__is_exact_for_a_parabola_at_any_step_size),
    cmocka_unit_test(difference__passes_the_context_to_f),
    cmocka_unit_test(difference__has_the_predicted_truncation_error_on_exp),
    cmocka_unit_test(difference__evaluates_f_once_on_each_side),
    cmocka_unit_test(difference__divides_by_the_rounded_distance),
    cmocka_unit_test(difference__propagates_nan),
    cmocka_unit_test(difference__uses_a_step_of_any_size),
    cmocka_unit_test(difference__evaluates_the_function_it_is_given_at_every_call),
    cmocka_unit_test(best_step__matches_an_example_computed_by_hand),
    cmocka_unit_test(best_step__has_a_smaller_error_than_neighbouring_step_sizes),
    cmocka_unit_test(best_step__scales_with_the_cube_root_of_the_noise),
    cmocka_unit_test(dual__differentiates_add_and_sub),
    cmocka_unit_test(dual__applies_the_product_rule),
    cmocka_unit_test(dual__applies_the_quotient_rule),
    cmocka_unit_test(dual__applies_the_chain_rule),
    cmocka_unit_test(dual__returns_an_input_unchanged),
    cmocka_unit_test(dual__of_constants_has_derivative_zero),
    cmocka_unit_test(dual__differentiates_a_composite_expression),
    cmocka_unit_test(dual__of_tanh_saturates),
    cmocka_unit_test(dual__depends_on_all_of_its_operands),
    cmocka_unit_test(dual__divides_at_any_magnitude),
    cmocka_unit_test(dual__propagates_nan),
    {0},
};
