/* Exercises 12 to 14: intervals and tests. check.c says how cases are made. */
#include "labs/1_foundations/probability/check.h"

// ---- 12: confidence intervals ----

static const char interval_formula[] = "mean -+ t s / sqrt(n),  t for df = n - 1";

// Extra hours of sleep of ten patients with two drugs ("Student" 1908), and the differences.
static const double sleep_first[10] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2};
static const double sleep_second[10] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
static const double sleep_difference[10] = {1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4};

static void check_interval(const double *x, size_t n, double level, double middle, double half,
                           double rtol)
{
    double *mine = doubles_copy(x, n), *got = DOUBLES(NAN, NAN);
    assert_boolean("pr_interval", pr_interval(&got[0], &got[1], mine, n, level), true);
    assert_number(got[0], middle - half, .name = "low", .rtol = rtol, .formula = interval_formula);
    assert_number(got[1], middle + half, .name = "high", .rtol = rtol, .formula = interval_formula);
    assert_kept("x", mine, x, n);
}

CASE(interval__matches_students_sleep_data)
{
    // [0.7001142, 2.4598858] as R's t.test gives it; t = 2.262157 for 9 degrees of freedom.
    check_interval(sleep_difference, 10, 0.95, (2.4598858 + 0.7001142) / 2,
                   (2.4598858 - 0.7001142) / 2, 1e-7);
}

CASE(interval__matches_the_closed_form_for_two_or_three_numbers)
{
    // t = tan(pi level / 2) for one degree of freedom, sqrt(2 level^2 / (1 - level^2)) for two.
    for (double level = 0.1; level < 0.999; level += 0.11) {
        check_interval((double[]){4, 10}, 2, level, 7, 3 * tan(acos(-1) / 2 * level), 1e-9);
        check_interval((double[]){1, 2, 3}, 3, level, 2,
                       sqrt(2 * level * level / (1 - level * level) / 3), 1e-9);
    }
}

// 1, 2, ... 40: s^2 = 40 41 / 12.
static double *one_to_forty(void)
{
    double *x = doubles_zero(40);
    for (int i = 0; i < 40; i++) x[i] = i + 1;
    return x;
}

CASE(interval__uses_students_t_for_forty_numbers)
{
    // mpmath 1.3: t = 2.0227 for 39 degrees of freedom, where the normal distribution has 1.96.
    check_interval(one_to_forty(), 40, 0.95, 20.5, 2.0226909200367611 * sqrt(41 / 12.0), 1e-9);
}

CASE(interval__has_its_nominal_coverage)
{
    // 2000 times 6 numbers, each the sum of twelve uniforms: nearly normal, with the mean 6.
    // 90 % are 1800 with a standard deviation of 13.4: the tolerance is five of those.
    Rng rng = rng_from_seed(121);
    double *x = doubles_zero(6), *ends = DOUBLES(NAN, NAN);
    int covered = 0;
    for (int e = 0; e < 2000; e++) {
        for (int i = 0; i < 6; i++) x[i] = 0;
        for (int i = 0; i < 72; i++) x[i % 6] += pr_uniform(&rng);
        assert_boolean("pr_interval of six numbers", pr_interval(&ends[0], &ends[1], x, 6, 0.9),
                       true);
        covered += ends[0] <= 6 && 6 <= ends[1];
    }
    assert_number(covered, 1800, .name = "intervals of 2000 that cover the mean", .atol = 67,
                  .formula = interval_formula);
}

CASE(interval__is_right_at_any_magnitude)
{
    // The t of 0.95 for two degrees of freedom.
    double half = sqrt(2 * 0.95 * 0.95 / (1 - 0.95 * 0.95) / 3);
    const double sizes[] = {0x1p300, 0x1p-300, 1e200, 1e-200};
    for (int k = 0; k < 4; k++) {
        double f = sizes[k];
        check_interval((double[]){f, 2 * f, 3 * f}, 3, 0.95, 2 * f, half * f, 1e-9);
    }
}

static void check_no_interval(const double *x, size_t n, double level, const char *why)
{
    double *ends = DOUBLES(NAN, NAN);
    assert_that(!pr_interval(&ends[0], &ends[1], doubles_copy(x, n), n, level),
                "pr_interval of %s: got true, expected false", why);
}

CASE(interval__refuses_degenerate_samples)
{
    check_no_interval((double[]){1}, 0, 0.95, "an empty sample");
    check_no_interval((double[]){1}, 1, 0.95, "one number");
    check_no_interval((double[]){2, 2, 2}, 3, 0.95, "zero variance");
    check_no_interval((double[]){1, NAN, 2}, 3, 0.95, "a NaN");
    check_no_interval((double[]){1, INFINITY, 2}, 3, 0.95, "an infinity");
    check_no_interval((double[]){1, 2, 3}, 3, 0, "level 0");
    check_no_interval((double[]){1, 2, 3}, 3, 1, "level 1");
    check_no_interval((double[]){1, 2, 3}, 3, -0.5, "level below 0");
    check_no_interval((double[]){1, 2, 3}, 3, NAN, "level NaN");
}

CASE(interval__keeps_its_digits_far_from_zero)
{
    // As 1, 2, 3: t sqrt(1/3) with the closed form of t for two degrees of freedom.
    check_interval((double[]){1e9, 1e9 + 1, 1e9 + 2}, 3, 0.5, 1e9 + 1, sqrt(2 * 0.25 / 0.75 / 3),
                   1e-13);
    check_interval((double[]){1e15, 1e15 + 1, 1e15 + 2}, 3, 0.5, 1e15 + 1,
                   sqrt(2 * 0.25 / 0.75 / 3), 1e-15);
}

CASE(interval__refuses_equal_numbers_that_binary_cannot_hold)
{
    check_no_interval((double[]){0.1, 0.1, 0.1}, 3, 0.95, "three times 0.1");
    check_no_interval(doubles_filled(10, 0.7), 10, 0.95, "ten times 0.7");
}

// ---- 13: Student's and Welch's test ----

static const char t_formula[] =
    "t = (mean_x - mean_y - difference) / sqrt(v_x + v_y),  v = s^2 / n";
static const char df_formula[] = "df = (v_x + v_y)^2 / (v_x^2 / (n - 1) + v_y^2 / (m - 1))";
static const char p_formula[] = "p = P(|T| > t)";

static void check_t(const double *x, size_t n, const double *y, size_t m, double difference,
                    PrTest want, double rtol)
{
    double *mine = doubles_copy(x, n), *theirs = y == NULL ? NULL : doubles_copy(y, m);
    PrTest test = {NAN, NAN, NAN};
    assert_boolean("pr_t_test", pr_t_test(&test, mine, n, theirs, m, difference), true);
    assert_number(test.statistic, want.statistic, .name = "statistic", .rtol = rtol, .atol = 1e-12,
                  .formula = t_formula);
    assert_number(test.df, want.df, .name = "df", .rtol = rtol, .formula = df_formula);
    assert_number(test.p, want.p, .name = "p", .rtol = rtol, .formula = p_formula);
    assert_kept("x", mine, x, n);
    if (y != NULL) assert_kept("y", theirs, y, m);
}

CASE(t_test__matches_students_sleep_data)
{
    // As R's t.test gives them.
    check_t(sleep_first, 10, sleep_second, 10, 0, (PrTest){-1.860813, 17.77647, 0.07939414}, 3e-7);
    check_t(sleep_difference, 10, NULL, 0, 0, (PrTest){4.062128, 9, 0.00283289}, 3e-7);
}

CASE(t_test__matches_the_closed_form_for_two_or_three_numbers)
{
    for (double claim = -3; claim <= 8; claim += 0.7) {
        double one = (3 - claim) / 2, two = (2 - claim) * sqrt(3);
        check_t((double[]){1, 5}, 2, NULL, 0, claim,
                (PrTest){one, 1, 1 - 2 / acos(-1) * atan(fabs(one))}, 1e-9);
        check_t((double[]){1, 2, 3}, 3, NULL, 0, claim,
                (PrTest){two, 2, 1 - fabs(two) / sqrt(2 + two * two)}, 1e-9);
    }
}

CASE(t_test__of_equal_samples_of_two_has_two_degrees_of_freedom)
{
    // Both with s^2 = 2 and v = 1: t = (2 - 7 - difference) / sqrt 2.
    for (double difference = -9; difference <= 9; difference += 3) {
        double t = (-5 - difference) / sqrt(2);
        check_t((double[]){1, 3}, 2, (double[]){6, 8}, 2, difference,
                (PrTest){t, 2, 1 - fabs(t) / sqrt(2 + t * t)}, 1e-9);
    }
}

CASE(t_test__uses_each_sample_variance)
{
    // s^2 is 8/3 of four numbers and 1/2 of two: v_x = 2/3, v_y = 1/4.
    double vx = 2.0 / 3, vy = 0.25;
    PrTest test;
    assert_boolean("pr_t_test of unequal samples",
                   pr_t_test(&test, DOUBLES(-1, 1, 1, 3), 4, DOUBLES(10, 11), 2, 0), true);
    assert_number(test.statistic, -9.5 / sqrt(vx + vy), .name = "statistic", .rtol = 1e-9,
                  .formula = t_formula);
    assert_number(test.df, (vx + vy) * (vx + vy) / (vx * vx / 3 + vy * vy), .name = "df",
                  .rtol = 1e-9, .formula = df_formula);
}

CASE(t_test__keeps_the_digits_of_a_tiny_p_value)
{
    // One degree of freedom far out: 1 - 2/pi atan t = 2/pi atan(1/t).
    check_t((double[]){0.999999, 1.000001}, 2, NULL, 0, 0,
            (PrTest){1e6, 1, 2 / acos(-1) * atan(1e-6)}, 1e-9);
    check_t((double[]){1e12 - 1, 1e12 + 1}, 2, NULL, 0, 0,
            (PrTest){1e12, 1, 2 / acos(-1) * atan(1e-12)}, 1e-9);
}

CASE(t_test__uses_students_t_for_forty_numbers)
{
    // mpmath 1.3; the normal distribution has 0.0149.
    check_t(one_to_forty(), 40, NULL, 0, 16,
            (PrTest){4.5 / sqrt(41 / 12.0), 39, 0.01959049041177467}, 1e-9);
}

CASE(t_test__refuses_degenerate_samples)
{
    PrTest test;
    assert_boolean("pr_t_test of one number", pr_t_test(&test, DOUBLES(1), 1, NULL, 0, 0), false);
    assert_boolean("pr_t_test of one number in y",
                   pr_t_test(&test, DOUBLES(1, 2), 2, DOUBLES(1), 1, 0), false);
    assert_boolean("pr_t_test of one number in x",
                   pr_t_test(&test, DOUBLES(1), 1, DOUBLES(1, 2), 2, 0), false);
    assert_boolean("pr_t_test of zero variance", pr_t_test(&test, DOUBLES(3, 3), 2, NULL, 0, 0),
                   false);
    assert_boolean("pr_t_test of zero variance",
                   pr_t_test(&test, DOUBLES(3, 3), 2, DOUBLES(4, 4), 2, 0), false);
    assert_boolean("pr_t_test of a NaN", pr_t_test(&test, DOUBLES(3, NAN), 2, NULL, 0, 0), false);
    assert_boolean("pr_t_test of an infinity",
                   pr_t_test(&test, DOUBLES(3, 4), 2, DOUBLES(1, INFINITY), 2, 0), false);
}

CASE(t_test__accepts_one_sample_with_zero_variance)
{
    check_t((double[]){3, 3, 3}, 3, (double[]){1, 5}, 2, 1,
            (PrTest){-0.5, 1, 1 - 2 / acos(-1) * atan(0.5)}, 1e-9);
}

CASE(t_test__keeps_its_digits_far_from_zero)
{
    // As {1, 2, 3} against a mean of 1: t = sqrt 3.
    check_t((double[]){1e9, 1e9 + 1, 1e9 + 2}, 3, NULL, 0, 1e9,
            (PrTest){sqrt(3), 2, 1 - sqrt(3) / sqrt(5)}, 1e-9);
}

CASE(t_test__refuses_equal_numbers_that_binary_cannot_hold)
{
    PrTest test;
    assert_boolean("pr_t_test of three times 0.1",
                   pr_t_test(&test, DOUBLES(0.1, 0.1, 0.1), 3, NULL, 0, 0), false);
    assert_boolean("pr_t_test of three times 0.1 and three times 0.7",
                   pr_t_test(&test, DOUBLES(0.1, 0.1, 0.1), 3, DOUBLES(0.7, 0.7, 0.7), 3, 0),
                   false);
}

CASE(t_test__is_right_at_any_magnitude)
{
    const double sizes[] = {1, 0x1p300, 0x1p-300, 1e200, 1e-200};
    for (int k = 0; k < 5; k++) {
        double f = sizes[k];
        check_t((double[]){-f, 0, f}, 3, (double[]){f, 2 * f, 3 * f}, 3, 0,
                (PrTest){-sqrt(6), 4, 0.0704840}, 1e-6);
        check_t((double[]){f, 2 * f, 3 * f}, 3, NULL, 0, f, (PrTest){sqrt(3), 2, 1 - sqrt(3.0 / 5)},
                1e-9);
    }
    // v_y is negligible beside v_x.
    check_t((double[]){1e100, 5e100}, 2, (double[]){1e-100, 2e-100}, 2, 0,
            (PrTest){1.5, 1, 1 - 2 / acos(-1) * atan(1.5)}, 1e-9);
}

CASE(t_test__refuses_a_statistic_that_overflows)
{
    PrTest test;
    assert_boolean(
        "pr_t_test of means that differ by 3e308",
        pr_t_test(&test, DOUBLES(1.5e308, 1.6e308), 2, DOUBLES(-1.5e308, -1.6e308), 2, 0), false);
}

// ---- 14: the chi-square test ----

static const char chi_formula[] = "X = sum (observed - expected)^2 / expected";

static void check_chi(const double *observed, const double *expected, size_t n, int estimated,
                      PrTest want, double rtol)
{
    double *o = doubles_copy(observed, n), *e = doubles_copy(expected, n);
    PrTest test = {NAN, NAN, NAN};
    assert_boolean("pr_chi_square", pr_chi_square(&test, o, e, n, estimated), true);
    assert_number(test.statistic, want.statistic, .name = "statistic", .rtol = rtol,
                  .formula = chi_formula);
    assert_number(test.df, want.df, .name = "df", .formula = "df = n - 1 - estimated");
    assert_number(test.p, want.p, .name = "p", .rtol = rtol, .formula = "p = P(chi-square > X)");
    assert_kept("observed", o, observed, n);
    assert_kept("expected", e, expected, n);
}

CASE(chi_square__matches_mendels_peas)
{
    // 9:3:3:1 of 556 peas (Mendel 1866); as R's chisq.test gives it.
    check_chi((double[]){315, 101, 108, 32}, (double[]){312.75, 104.25, 104.25, 34.75}, 4, 0,
              (PrTest){0.470024, 3, 0.9254259}, 1e-6);
}

CASE(chi_square__matches_the_closed_form_for_one_or_two_df)
{
    for (double off = 1; off < 40; off += 4) {
        double one = 2 * off * off / 50, two = off * off / 50 + off * off / 40;
        check_chi((double[]){50 + off, 50 - off}, (double[]){50, 50}, 2, 0,
                  (PrTest){one, 1, erfc(sqrt(one / 2))}, 1e-9);
        check_chi((double[]){50 + off, 20 - off / 2, 20 - off / 2}, (double[]){50, 20, 20}, 3, 0,
                  (PrTest){two, 2, exp(-two / 2)}, 1e-9);
    }
}

CASE(chi_square__loses_one_df_per_estimated_parameter)
{
    const double observed[] = {12, 8, 9, 11}, expected[] = {10, 10, 10, 10};
    check_chi(observed, expected, 4, 1, (PrTest){1, 2, exp(-0.5)}, 1e-9);
    check_chi(observed, expected, 4, 2, (PrTest){1, 1, erfc(sqrt(0.5))}, 1e-9);
}

CASE(chi_square__keeps_the_digits_of_a_tiny_p_value)
{
    check_chi((double[]){500, 0, 0}, (double[]){100, 200, 200}, 3, 0, (PrTest){2000, 2, 0}, 1e-9);
    check_chi((double[]){200, 0, 0}, (double[]){100, 50, 50}, 3, 0, (PrTest){200, 2, exp(-100)},
              1e-9);
}

CASE(chi_square__is_right_at_any_magnitude)
{
    // X = 2 (f/2)^2 / 5f = f / 10.
    PrTest test;
    assert_boolean("pr_chi_square",
                   pr_chi_square(&test, DOUBLES(5.5e200, 4.5e200), DOUBLES(5e200, 5e200), 2, 0),
                   true);
    assert_number(test.statistic, 1e199, .name = "statistic", .rtol = 1e-12,
                  .formula = chi_formula);
    check_chi((double[]){5.5e-200, 4.5e-200}, (double[]){5e-200, 5e-200}, 2, 0,
              (PrTest){1e-201, 1, 1}, 1e-12);
}

CASE(chi_square__of_a_perfect_fit_is_zero)
{
    check_chi((double[]){3, 4, 5}, (double[]){3, 4, 5}, 3, 0, (PrTest){0, 2, 1}, 1e-12);
}

static void check_no_chi(const double *observed, const double *expected, size_t n, int estimated,
                         const char *why)
{
    PrTest test;
    assert_that(
        !pr_chi_square(&test, doubles_copy(observed, n), doubles_copy(expected, n), n, estimated),
        "pr_chi_square of %s: got true, expected false", why);
}

CASE(chi_square__refuses_invalid_counts_and_df)
{
    check_no_chi((double[]){5}, (double[]){5}, 1, 0, "df = 0");
    check_no_chi((double[]){5, 5}, (double[]){5, 5}, 2, 1, "df = 0 after one estimated parameter");
    check_no_chi((double[]){5, 5}, (double[]){5, 5}, 0, 0, "no counts");
    check_no_chi((double[]){5, 5, 0}, (double[]){5, 5, 0}, 3, 0, "an expected count of 0");
    check_no_chi((double[]){5, 6, 4}, (double[]){10, 10, -5}, 3, 0, "a negative expected count");
    check_no_chi((double[]){-5, 10, 10}, (double[]){5, 5, 5}, 3, 0, "a negative observed count");
    check_no_chi((double[]){5, 6, 4}, (double[]){5, 5, 6}, 3, 0, "sums that differ");
    check_no_chi((double[]){5, NAN, 5}, (double[]){5, 5, 5}, 3, 0, "a NaN");
    check_no_chi((double[]){5, 5, 5}, (double[]){5, NAN, 5}, 3, 0, "a NaN");
    check_no_chi((double[]){5, INFINITY, 5}, (double[]){5, INFINITY, 5}, 3, 0, "infinities");
}

CASE(chi_square__accepts_sums_within_1e_9)
{
    PrTest test;
    assert_boolean("pr_chi_square, sums 0.5e-9 of the sum apart",
                   pr_chi_square(&test, DOUBLES(5, 5 + 5e-9), DOUBLES(5, 5), 2, 0), true);
    assert_boolean("pr_chi_square, sums 2e-9 of the sum apart",
                   pr_chi_square(&test, DOUBLES(5, 5 + 20e-9), DOUBLES(5, 5), 2, 0), false);
}

CASE(chi_square__forgets_earlier_calls)
{
    double *observed = DOUBLES(60, 40), *expected = DOUBLES(50, 50);
    PrTest test;
    pr_chi_square(&test, observed, expected, 2, 0);
    observed[0] = 55, observed[1] = 45;
    assert_boolean("pr_chi_square", pr_chi_square(&test, observed, expected, 2, 0), true);
    assert_number(test.statistic, 1, .name = "statistic of the second call",
                  .formula = chi_formula);
}

const struct CMUnitTest test_cases[] = {
    cmocka_unit_test(interval__matches_students_sleep_data),
    cmocka_unit_test(interval__matches_the_closed_form_for_two_or_three_numbers),
    cmocka_unit_test(interval__uses_students_t_for_forty_numbers),
    cmocka_unit_test(interval__has_its_nominal_coverage),
    cmocka_unit_test(interval__is_right_at_any_magnitude),
    cmocka_unit_test(interval__refuses_degenerate_samples),
    cmocka_unit_test(interval__keeps_its_digits_far_from_zero),
    cmocka_unit_test(interval__refuses_equal_numbers_that_binary_cannot_hold),
    cmocka_unit_test(t_test__matches_students_sleep_data),
    cmocka_unit_test(t_test__matches_the_closed_form_for_two_or_three_numbers),
    cmocka_unit_test(t_test__of_equal_samples_of_two_has_two_degrees_of_freedom),
    cmocka_unit_test(t_test__uses_each_sample_variance),
    cmocka_unit_test(t_test__keeps_the_digits_of_a_tiny_p_value),
    cmocka_unit_test(t_test__uses_students_t_for_forty_numbers),
    cmocka_unit_test(t_test__refuses_degenerate_samples),
    cmocka_unit_test(t_test__accepts_one_sample_with_zero_variance),
    cmocka_unit_test(t_test__keeps_its_digits_far_from_zero),
    cmocka_unit_test(t_test__refuses_equal_numbers_that_binary_cannot_hold),
    cmocka_unit_test(t_test__refuses_a_statistic_that_overflows),
    cmocka_unit_test(t_test__is_right_at_any_magnitude),
    cmocka_unit_test(chi_square__matches_mendels_peas),
    cmocka_unit_test(chi_square__matches_the_closed_form_for_one_or_two_df),
    cmocka_unit_test(chi_square__loses_one_df_per_estimated_parameter),
    cmocka_unit_test(chi_square__keeps_the_digits_of_a_tiny_p_value),
    cmocka_unit_test(chi_square__is_right_at_any_magnitude),
    cmocka_unit_test(chi_square__of_a_perfect_fit_is_zero),
    cmocka_unit_test(chi_square__refuses_invalid_counts_and_df),
    cmocka_unit_test(chi_square__accepts_sums_within_1e_9),
    cmocka_unit_test(chi_square__forgets_earlier_calls),
    {0},
};
