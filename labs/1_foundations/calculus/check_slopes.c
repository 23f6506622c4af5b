/* Exercises 1 to 3: slopes by small steps, and by the rules. check.c says how cases are made. */
#include <math.h>
#include "labs/1_foundations/calculus/check.h"

// ---- 1: the central difference ----

static const char difference_formula[] = "(f(x + h) - f(x - h)) / distance of the two places";

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

static void difference__of_a_parabola_is_its_slope_whatever_the_step(void **state)
{
    (void)state;
    const double *c = DOUBLES(1, -2, 3);
    for (double h = 1; h > 0.001; h /= 2)
        assert_number(calc_difference(parabola, c, 1.5, h), -2 + 6 * 1.5, .name = "slope",
                      .formula = difference_formula);
}

static void difference__hands_the_context_on(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++)
        assert_number(calc_difference(parabola, DOUBLES(0, k, 0), 2, 0.5), k, .name = "slope",
                      .formula = difference_formula);
}

static void difference__of_the_exponential_is_off_as_much_as_theory_says(void **state)
{
    (void)state;
    // (e^(x+h) - e^(x-h)) / 2h = e^x sinh(h) / h: a little more than e^x, on both sides of 0.
    for (double h = 0.5; h > 0.01; h /= 2)
        for (double x = -2; x <= 2; x += 0.5)
            assert_number(calc_difference(exponential, NULL, x, h), exp(x) * sinh(h) / h,
                          .name = "slope of e^x", .formula = difference_formula);
}

typedef struct Looks {
    double *places;    // two of them
    int *count;
} Looks;

static double watched(double x, const void *context)
{
    const Looks *looks = context;
    if (*looks->count < 2) looks->places[*looks->count] = x;
    (*looks->count)++;
    return x * x;
}

static void difference__looks_once_on_each_side(void **state)
{
    (void)state;
    int count = 0;
    double *places = DOUBLES(NAN, NAN);
    Looks looks = {places, &count};
    calc_difference(watched, &looks, 4, 0.25);
    if (count != 2) fail_msg("f was called %d times, expected 2", count);
    const double both[] = {fmin(places[0], places[1]), fmax(places[0], places[1])};
    assert_near(both, ((double[]){3.75, 4.25}), SHAPE(2), .exact = true, .name = "place",
                .formula = "f is looked at in x - h and in x + h");
}

static void difference__divides_by_the_distance_that_rounding_left(void **state)
{
    (void)state;
    // At 1000000.1 numbers are 1.2e-10 apart, so x + h is not quite where it should be. A straight
    // line of slope 1 shows it: its rise and the distance are the same number.
    for (double h = 1e-4; h > 1e-9; h /= 10)
        assert_number(calc_difference(itself, NULL, 1000000.1, h), 1, .exact = true,
                      .name = "slope of f(x) = x at 1000000.1",
                      .formula = "divide by (x + h) - (x - h) as they were rounded, not by 2h");
}

static void difference__of_what_is_nan_is_nan(void **state)
{
    (void)state;
    assert_number(calc_difference(exponential, NULL, NAN, 0.1), NAN, .name = "slope at NaN",
                  .formula = difference_formula);
}

// ---- 2: the best step ----

static const char step_formula[] = "h that makes noise / h + third h^2 / 6 least";

static void best_step__gives_what_a_hand_computes(void **state)
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

static void best_step__is_better_than_steps_beside_it(void **state)
{
    (void)state;
    for (double noise = 1e-16; noise < 1; noise *= 37)
        for (double third = 1e-3; third < 1e4; third *= 11) {
            double h = calc_best_step(noise, third), here = total(noise, third, h);
            if (!(here < total(noise, third, 0.99 * h) && here < total(noise, third, 1.01 * h)))
                fail_msg("%s\nnoise %g, third %g: a step beside h = %g makes it less", step_formula,
                         noise, third, h);
        }
}

static void best_step__is_ten_times_as_long_for_a_thousand_times_the_noise(void **state)
{
    (void)state;
    assert_number(calc_best_step(1e-13, 2) / calc_best_step(1e-16, 2), 10, .atol = 1e-9,
                  .rtol = 1e-9, .name = "ratio of the steps", .formula = step_formula);
    assert_number(calc_best_step(1e-16, 2) / calc_best_step(1e-16, 2000), 10, .atol = 1e-9,
                  .rtol = 1e-9, .name = "ratio of the steps", .formula = step_formula);
}

// ---- 3: dual numbers ----

static void check_dual(Op op, Dual a, Dual b, Dual want, const char *formula)
{
    Dual got = calc_dual(op, a, b);
    assert_number(got.value, want.value, .name = "value", .formula = formula);
    assert_number(got.slope, want.slope, .name = "slope", .formula = formula);
}

static const Dual nobody = {NAN, NAN};    // ops of one operand do not look at b

static void dual__of_a_sum_and_a_difference(void **state)
{
    (void)state;
    check_dual(OP_ADD, (Dual){3, 5}, (Dual){-7, 11}, (Dual){-4, 16}, "(u + v)' = u' + v'");
    check_dual(OP_SUB, (Dual){3, 5}, (Dual){-7, 11}, (Dual){10, -6}, "(u - v)' = u' - v'");
}

static void dual__of_a_product(void **state)
{
    (void)state;
    check_dual(OP_MUL, (Dual){3, 5}, (Dual){-7, 11}, (Dual){-21, -35 + 33}, "(u v)' = u' v + u v'");
    check_dual(OP_MUL, (Dual){3, 1}, (Dual){3, 1}, (Dual){9, 6}, "(x x)' = 2 x");
}

static void dual__of_a_quotient(void **state)
{
    (void)state;
    check_dual(OP_DIV, (Dual){3, 5}, (Dual){-2, 11}, (Dual){-1.5, (5 * -2 - 3 * 11) / 4.0},
               "(u / v)' = (u' v - u v') / v^2");
    check_dual(OP_DIV, (Dual){1, 0}, (Dual){4, 1}, (Dual){0.25, -1.0 / 16}, "(1 / x)' = -1 / x^2");
}

static void dual__of_functions_follows_the_chain_rule(void **state)
{
    (void)state;
    for (double u = 0.25; u < 3; u += 0.5) {
        Dual a = {u, -1.75}, minus = {-u, 2.5};
        check_dual(OP_EXP, a, nobody, (Dual){exp(u), -1.75 * exp(u)}, "(e^u)' = e^u u'");
        check_dual(OP_LOG, a, nobody, (Dual){log(u), -1.75 / u}, "(ln u)' = u' / u");
        check_dual(OP_SIN, a, nobody, (Dual){sin(u), -1.75 * cos(u)}, "(sin u)' = cos(u) u'");
        check_dual(OP_TANH, a, nobody, (Dual){tanh(u), -1.75 / (cosh(u) * cosh(u))},
                   "(tanh u)' = (1 - tanh(u)^2) u'");
        check_dual(OP_EXP, minus, nobody, (Dual){exp(-u), 2.5 * exp(-u)}, "(e^u)' = e^u u'");
        check_dual(OP_SIN, minus, nobody, (Dual){-sin(u), 2.5 * cos(u)}, "(sin u)' = cos(u) u'");
        check_dual(OP_TANH, minus, nobody, (Dual){-tanh(u), 2.5 / (cosh(u) * cosh(u))},
                   "(tanh u)' = (1 - tanh(u)^2) u'");
    }
}

static void dual__of_an_input_is_the_input(void **state)
{
    (void)state;
    check_dual(OP_INPUT, (Dual){3, 5}, nobody, (Dual){3, 5}, "an input is given back");
}

static void dual__of_constants_is_flat(void **state)
{
    (void)state;
    for (Op op = OP_ADD; op < OP_COUNT; op++)
        assert_number(calc_dual(op, (Dual){2, 0}, (Dual){5, 0}).slope, 0, .exact = true,
                      .name = op_name(op), .formula = "what does not move has slope 0");
}

static void dual__of_a_whole_formula_has_its_slope(void **state)
{
    (void)state;
    // e^(sin(x) / x) ln x, and its slope by hand.
    for (double at = 0.5; at < 6; at += 0.7) {
        Dual x = {at, 1}, ratio = calc_dual(OP_DIV, calc_dual(OP_SIN, x, nobody), x);
        Dual got =
            calc_dual(OP_MUL, calc_dual(OP_EXP, ratio, nobody), calc_dual(OP_LOG, x, nobody));
        double e = exp(sin(at) / at);
        double want = e * (cos(at) / at - sin(at) / (at * at)) * log(at) + e / at;
        assert_number(got.slope, want, .name = "slope of e^(sin(x) / x) ln x",
                      .formula = "every op hands its slope on to the next");
    }
}

const struct CMUnitTest slope_cases[] = {
    cmocka_unit_test(difference__of_a_parabola_is_its_slope_whatever_the_step),
    cmocka_unit_test(difference__hands_the_context_on),
    cmocka_unit_test(difference__of_the_exponential_is_off_as_much_as_theory_says),
    cmocka_unit_test(difference__looks_once_on_each_side),
    cmocka_unit_test(difference__divides_by_the_distance_that_rounding_left),
    cmocka_unit_test(difference__of_what_is_nan_is_nan),
    cmocka_unit_test(best_step__gives_what_a_hand_computes),
    cmocka_unit_test(best_step__is_better_than_steps_beside_it),
    cmocka_unit_test(best_step__is_ten_times_as_long_for_a_thousand_times_the_noise),
    cmocka_unit_test(dual__of_a_sum_and_a_difference),
    cmocka_unit_test(dual__of_a_product),
    cmocka_unit_test(dual__of_a_quotient),
    cmocka_unit_test(dual__of_functions_follows_the_chain_rule),
    cmocka_unit_test(dual__of_an_input_is_the_input),
    cmocka_unit_test(dual__of_constants_is_flat),
    cmocka_unit_test(dual__of_a_whole_formula_has_its_slope),
    {0},
};
