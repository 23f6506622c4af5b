/* Exercises 10 to 14: how sure that is. check.c says how cases are made. */
#include "labs/1_foundations/probability/check.h"

// The relative error of both parts, however small they are. The logarithm of gamma(a) is about a ln a,
// and has 16 digits: what is left of them behind the point is the error of its exponential.
static double parts_rtol(double a)
{
    return 1e-13 * fmax(a, 1000);
}

// ---- 10: the gamma function's parts ----

static const char gamma_formula[] =
    "lower = int_0^x t^(a-1) e^-t dt / gamma(a),  upper = 1 - lower";

static void check_gamma(double a, double x, double lower, double upper)
{
    static double *got;    // one for all calls, which are many
    if (got == NULL) got = DOUBLES(-7, -7);
    got[0] = got[1] = -7;
    pr_gamma(&got[0], &got[1], a, x);
    assert_number(got[0], lower, .name = "lower", .rtol = parts_rtol(a), .formula = gamma_formula);
    assert_number(got[1], upper, .name = "upper", .rtol = parts_rtol(a), .formula = gamma_formula);
}

static void gamma__of_one_is_a_waiting_time(void **state)
{
    (void)state;
    for (double x = 1e-6; x < 600; x *= 3) check_gamma(1, x, -expm1(-x), exp(-x));
}

static void gamma__of_a_half_is_the_error_function(void **state)
{
    (void)state;
    for (double x = 1e-6; x < 600; x *= 3) check_gamma(0.5, x, erf(sqrt(x)), erfc(sqrt(x)));
}

static void gamma__of_whole_numbers_is_a_poisson_sum(void **state)
{
    (void)state;
    // P(fewer than a events when x are expected); the other part summed for itself, from a upwards.
    for (int a = 1; a <= 30; a += 7)
        for (double x = 0.5; x < 90; x *= 1.7) {
            double upper = 0, lower = 0, term = exp(-x);
            for (int k = 0; k < 400; k++) {
                *(k < a ? &upper : &lower) += term;
                term *= x / (k + 1);
            }
            check_gamma(a, x, lower, upper);
        }
}

// From the power series (DLMF 8.7.1) and the continued fraction (8.9.2) in quadruple precision.
static void gamma__agrees_with_quadruple_precision(void **state)
{
    (void)state;
    static const double want[][4] = {
        {0.5, 0.1, 0.345279153981423, 0.65472084601857705},
        {0.5, 2, 0.95449973610364158, 0.045500263896358417},
        {0.5, 30, 0.99999999999999056, 9.4857375710738478e-15},
        {0.02, 0.5, 0.98868971472640621, 0.011310285273593811},
        {3.7, 0.01, 2.5596233842917162e-09, 0.9999999974403766},
        {3.7, 3.5, 0.52755533305477365, 0.47244466694522641},
        {3.7, 25, 0.99999997790164086, 2.2098359124906786e-08},
        {100, 80, 0.017108313035133115, 0.98289168696486684},
        {100, 130, 0.99724959163269344, 0.0027504083673065261},
        {1234.5, 1200, 0.16312290592537934, 0.83687709407462063},
        {10000, 9700, 0.0012341755844684919, 0.99876582441553152},
        {10000, 10100, 0.84134875044717961, 0.15865124955282037},
    };
    for (int k = 0; k < 12; k++) check_gamma(want[k][0], want[k][1], want[k][2], want[k][3]);
}

static void gamma__begins_at_nothing_and_ends_at_all(void **state)
{
    (void)state;
    for (double a = 0.25; a < 50; a *= 4) {
        check_gamma(a, 0, 0, 1);
        check_gamma(a, INFINITY, 1, 0);
    }
}

static void gamma__has_no_answer_where_there_is_no_integral(void **state)
{
    (void)state;
    check_gamma(0, 1, NAN, NAN);
    check_gamma(-2, 1, NAN, NAN);
    check_gamma(2, -1, NAN, NAN);
    check_gamma(NAN, 1, NAN, NAN);
    check_gamma(2, NAN, NAN, NAN);
}

// ---- 11: the beta function's parts ----

static const char beta_formula[] =
    "lower = int_0^x t^(a-1) (1-t)^(b-1) dt / B(a,b),  upper = 1 - lower";

static void check_beta(double a, double b, double x, double lower, double upper)
{
    static double *got;    // one for all calls, which are many
    if (got == NULL) got = DOUBLES(-7, -7);
    got[0] = got[1] = -7;
    pr_beta(&got[0], &got[1], a, b, x);
    assert_number(got[0], lower, .name = "lower", .rtol = parts_rtol(a + b),
                  .formula = beta_formula);
    assert_number(got[1], upper, .name = "upper", .rtol = parts_rtol(a + b),
                  .formula = beta_formula);
}

static void beta__is_a_power_where_one_number_is_one(void **state)
{
    (void)state;
    for (double x = 0.03; x < 1; x += 0.06)
        for (double a = 0.25; a < 40; a *= 2) {
            check_beta(a, 1, x, pow(x, a), -expm1(a * log(x)));
            check_beta(1, a, x, -expm1(a * log1p(-x)), pow(1 - x, a));
        }
}

static void beta__of_two_halves_is_an_arc(void **state)
{
    (void)state;
    for (double x = 0.03; x < 1; x += 0.06)
        check_beta(0.5, 0.5, x, 2 / acos(-1) * asin(sqrt(x)), 2 / acos(-1) * acos(sqrt(x)));
}

static void beta__of_whole_numbers_is_a_binomial_sum(void **state)
{
    (void)state;
    // P(at least a heads in a + b - 1 tosses), and P(fewer).
    for (int a = 1; a <= 13; a += 4)
        for (int b = 1; b <= 16; b += 5)
            for (double x = 0.1; x < 1; x += 0.2) {
                int n = a + b - 1;
                double lower = 0, upper = 0, ways = 1;
                for (int k = 0; k <= n; k++) {
                    *(k < a ? &upper : &lower) += ways * pow(x, k) * pow(1 - x, n - k);
                    ways *= (double)(n - k) / (k + 1);
                }
                check_beta(a, b, x, lower, upper);
            }
}

// From the power series (DLMF 8.17.8) in quadruple precision.
static void beta__agrees_with_quadruple_precision(void **state)
{
    (void)state;
    static const double want[][5] = {
        {0.5, 0.5, 0.3, 0.36901011956554536, 0.63098988043445459},
        {2.5, 7.1, 0.001, 1.6211851251436665e-06, 0.99999837881487486},
        {2.5, 7.1, 0.3, 0.64902257902101301, 0.35097742097898704},
        {2.5, 7.1, 0.95, 0.99999999018469388, 9.815306079681169e-09},
        {0.3, 8, 0.02, 0.61473624548399131, 0.38526375451600864},
        {40, 0.5, 0.2, 1.0898791995378354e-29, 1},
        {40, 0.5, 0.9, 0.0038004325937711246, 0.99619956740622884},
        {40, 0.5, 0.9999, 0.92895007663472629, 0.071049923365273715},
        {1000, 1500, 0.4, 0.5010858488742157, 0.4989141511257843},
        {1000, 1500, 0.45, 0.99999977769819492, 2.223018050896806e-07},
        {5000, 0.5, 0.999, 0.0015615791602892834, 0.99843842083971068},
        {3, 2000, 0.01, 0.99999958792341503, 4.1207658492159002e-07},
    };
    for (int k = 0; k < 12; k++)
        check_beta(want[k][0], want[k][1], want[k][2], want[k][3], want[k][4]);
}

static void beta__begins_at_nothing_and_ends_at_all(void **state)
{
    (void)state;
    for (double a = 0.25; a < 50; a *= 4)
        for (double b = 0.25; b < 50; b *= 4) {
            check_beta(a, b, 0, 0, 1);
            check_beta(a, b, 1, 1, 0);
        }
}

static void beta__has_no_answer_where_there_is_no_integral(void **state)
{
    (void)state;
    check_beta(0, 1, 0.5, NAN, NAN);
    check_beta(1, -1, 0.5, NAN, NAN);
    check_beta(2, 2, -0.1, NAN, NAN);
    check_beta(2, 2, 1.1, NAN, NAN);
    check_beta(NAN, 2, 0.5, NAN, NAN);
    check_beta(2, 2, NAN, NAN, NAN);
}

// ---- 12: intervals ----

static const char interval_formula[] = "mean -+ t s / sqrt(n),  t for n - 1 degrees of freedom";

// Ten sleepers' hours with a first and a second drug ("Student" 1908), and the differences.
static const double sleep_first[10] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2};
static const double sleep_second[10] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
static const double sleep_more[10] = {1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4};

static void check_interval(const double *x, size_t n, double level, double middle, double half,
                           double rtol)
{
    double *mine = doubles_copy(x, n), *got = DOUBLES(NAN, NAN);
    assert_boolean("pr_interval", pr_interval(&got[0], &got[1], mine, n, level), true);
    assert_number(got[0], middle - half, .name = "low", .rtol = rtol, .formula = interval_formula);
    assert_number(got[1], middle + half, .name = "high", .rtol = rtol, .formula = interval_formula);
    assert_kept("x", mine, x, n);
}

static void interval__of_students_sleepers_is_the_published_one(void **state)
{
    (void)state;
    // [0.7001142, 2.4598858] as R's t.test gives it; t = 2.262157 for 9 degrees of freedom.
    check_interval(sleep_more, 10, 0.95, (2.4598858 + 0.7001142) / 2, (2.4598858 - 0.7001142) / 2,
                   1e-7);
}

static void interval__of_two_or_three_numbers_has_a_closed_form(void **state)
{
    (void)state;
    // t = tan(pi level / 2) for one degree of freedom, sqrt(2 level^2 / (1 - level^2)) for two.
    for (double level = 0.1; level < 0.999; level += 0.11) {
        check_interval((double[]){4, 10}, 2, level, 7, 3 * tan(acos(-1) / 2 * level), 1e-9);
        check_interval((double[]){1, 2, 3}, 3, level, 2,
                       sqrt(2 * level * level / (1 - level * level) / 3), 1e-9);
    }
}

static void interval__covers_in_as_many_experiments_as_it_says(void **state)
{
    (void)state;
    // 2000 times 6 numbers, each the sum of twelve uniforms: nearly normal, with the mean 6.
    // 90 % are 1800, give or take 13.4: five times that is far.
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
    assert_number(covered, 1800, .name = "covered of 2000", .atol = 67,
                  .formula = interval_formula);
}

static void check_no_interval(const double *x, size_t n, double level, const char *why)
{
    double *ends = DOUBLES(NAN, NAN);
    assert_that(!pr_interval(&ends[0], &ends[1], doubles_copy(x, n), n, level),
                "pr_interval of %s: got true, expected false", why);
}

static void interval__refuses_what_says_nothing(void **state)
{
    (void)state;
    check_no_interval((double[]){1}, 0, 0.95, "no number");
    check_no_interval((double[]){1}, 1, 0.95, "one number");
    check_no_interval((double[]){2, 2, 2}, 3, 0.95, "no spread");
    check_no_interval((double[]){1, NAN, 2}, 3, 0.95, "a NaN");
    check_no_interval((double[]){1, INFINITY, 2}, 3, 0.95, "an infinity");
    check_no_interval((double[]){1, 2, 3}, 3, 0, "level 0");
    check_no_interval((double[]){1, 2, 3}, 3, 1, "level 1");
    check_no_interval((double[]){1, 2, 3}, 3, -0.5, "level below 0");
    check_no_interval((double[]){1, 2, 3}, 3, NAN, "level NaN");
}

// ---- 13: Student's and Welch's test ----

static const char t_formula[] =
    "t = (mean_x - mean_y - difference) / sqrt(v_x + v_y),  v = s^2 / n";
static const char freedom_formula[] =
    "freedom = (v_x + v_y)^2 / (v_x^2 / (n - 1) + v_y^2 / (m - 1))";
static const char p_formula[] = "p = P(|T| > t)";

static void check_t(const double *x, size_t n, const double *y, size_t m, double difference,
                    PrTest want, double rtol)
{
    double *mine = doubles_copy(x, n), *theirs = y == NULL ? NULL : doubles_copy(y, m);
    PrTest test = {NAN, NAN, NAN};
    assert_boolean("pr_t_test", pr_t_test(&test, mine, n, theirs, m, difference), true);
    assert_number(test.statistic, want.statistic, .name = "statistic", .rtol = rtol, .atol = 1e-12,
                  .formula = t_formula);
    assert_number(test.freedom, want.freedom, .name = "freedom", .rtol = rtol,
                  .formula = freedom_formula);
    assert_number(test.p, want.p, .name = "p", .rtol = rtol, .formula = p_formula);
    assert_kept("x", mine, x, n);
    if (y != NULL) assert_kept("y", theirs, y, m);
}

static void t_test__of_students_sleepers_is_the_published_one(void **state)
{
    (void)state;
    // As R's t.test gives them.
    check_t(sleep_first, 10, sleep_second, 10, 0, (PrTest){-1.860813, 17.77647, 0.07939414}, 3e-7);
    check_t(sleep_more, 10, NULL, 0, 0, (PrTest){4.062128, 9, 0.00283289}, 3e-7);
}

static void t_test__of_two_or_three_numbers_has_a_closed_form(void **state)
{
    (void)state;
    for (double claim = -3; claim <= 8; claim += 0.7) {
        double one = (3 - claim) / 2, two = (2 - claim) * sqrt(3);
        check_t((double[]){1, 5}, 2, NULL, 0, claim,
                (PrTest){one, 1, 1 - 2 / acos(-1) * atan(fabs(one))}, 1e-9);
        check_t((double[]){1, 2, 3}, 3, NULL, 0, claim,
                (PrTest){two, 2, 1 - fabs(two) / sqrt(2 + two * two)}, 1e-9);
    }
}

static void t_test__of_equal_samples_of_two_has_two_degrees_of_freedom(void **state)
{
    (void)state;
    // Both with s^2 = 2 and v = 1: t = (2 - 7 - difference) / sqrt 2.
    for (double difference = -9; difference <= 9; difference += 3) {
        double t = (-5 - difference) / sqrt(2);
        check_t((double[]){1, 3}, 2, (double[]){6, 8}, 2, difference,
                (PrTest){t, 2, 1 - fabs(t) / sqrt(2 + t * t)}, 1e-9);
    }
}

static void t_test__weighs_unequal_samples_each_by_its_own_spread(void **state)
{
    (void)state;
    // s^2 is 8/3 of four numbers and 1/2 of two: v_x = 2/3, v_y = 1/4.
    double vx = 2.0 / 3, vy = 0.25;
    PrTest test;
    assert_boolean("pr_t_test of unequal samples",
                   pr_t_test(&test, DOUBLES(-1, 1, 1, 3), 4, DOUBLES(10, 11), 2, 0), true);
    assert_number(test.statistic, -9.5 / sqrt(vx + vy), .name = "statistic", .rtol = 1e-9,
                  .formula = t_formula);
    assert_number(test.freedom, (vx + vy) * (vx + vy) / (vx * vx / 3 + vy * vy), .name = "freedom",
                  .rtol = 1e-9, .formula = freedom_formula);
}

static void t_test__keeps_the_digits_of_a_tiny_p(void **state)
{
    (void)state;
    // One degree of freedom far out: 1 - 2/pi atan t = 2/pi atan(1/t).
    check_t((double[]){0.999999, 1.000001}, 2, NULL, 0, 0,
            (PrTest){1e6, 1, 2 / acos(-1) * atan(1e-6)}, 1e-9);
}

static void t_test__refuses_what_says_nothing(void **state)
{
    (void)state;
    PrTest test;
    assert_boolean("pr_t_test of one number", pr_t_test(&test, DOUBLES(1), 1, NULL, 0, 0), false);
    assert_boolean("pr_t_test of one number in y",
                   pr_t_test(&test, DOUBLES(1, 2), 2, DOUBLES(1), 1, 0), false);
    assert_boolean("pr_t_test of one number in x",
                   pr_t_test(&test, DOUBLES(1), 1, DOUBLES(1, 2), 2, 0), false);
    assert_boolean("pr_t_test of no spread", pr_t_test(&test, DOUBLES(3, 3), 2, NULL, 0, 0), false);
    assert_boolean("pr_t_test of no spread",
                   pr_t_test(&test, DOUBLES(3, 3), 2, DOUBLES(4, 4), 2, 0), false);
    assert_boolean("pr_t_test of a NaN", pr_t_test(&test, DOUBLES(3, NAN), 2, NULL, 0, 0), false);
    assert_boolean("pr_t_test of an infinity",
                   pr_t_test(&test, DOUBLES(3, 4), 2, DOUBLES(1, INFINITY), 2, 0), false);
}

static void t_test__takes_one_sample_without_spread_beside_another(void **state)
{
    (void)state;
    check_t((double[]){3, 3, 3}, 3, (double[]){1, 5}, 2, 1,
            (PrTest){-0.5, 1, 1 - 2 / acos(-1) * atan(0.5)}, 1e-9);
}

// ---- 14: chi-square ----

static const char chi_formula[] = "X = sum (observed - expected)^2 / expected";

static void check_chi(const double *observed, const double *expected, size_t n, int estimated,
                      PrTest want, double rtol)
{
    double *seen = doubles_copy(observed, n), *hoped = doubles_copy(expected, n);
    PrTest test = {NAN, NAN, NAN};
    assert_boolean("pr_chi_square", pr_chi_square(&test, seen, hoped, n, estimated), true);
    assert_number(test.statistic, want.statistic, .name = "statistic", .rtol = rtol,
                  .formula = chi_formula);
    assert_number(test.freedom, want.freedom, .name = "freedom", .formula = "n - 1 - estimated");
    assert_number(test.p, want.p, .name = "p", .rtol = rtol, .formula = "P(chi-square > X)");
    assert_kept("observed", seen, observed, n);
    assert_kept("expected", hoped, expected, n);
}

static void chi_square__of_mendels_peas_is_the_published_one(void **state)
{
    (void)state;
    // 9:3:3:1 of 556 peas (Mendel 1866); as R's chisq.test gives it.
    check_chi((double[]){315, 101, 108, 32}, (double[]){312.75, 104.25, 104.25, 34.75}, 4, 0,
              (PrTest){0.470024, 3, 0.9254259}, 1e-6);
}

static void chi_square__of_one_or_two_degrees_has_a_closed_form(void **state)
{
    (void)state;
    for (double off = 1; off < 40; off += 4) {
        double one = 2 * off * off / 50, two = off * off / 50 + off * off / 40;
        check_chi((double[]){50 + off, 50 - off}, (double[]){50, 50}, 2, 0,
                  (PrTest){one, 1, erfc(sqrt(one / 2))}, 1e-9);
        check_chi((double[]){50 + off, 20 - off / 2, 20 - off / 2}, (double[]){50, 20, 20}, 3, 0,
                  (PrTest){two, 2, exp(-two / 2)}, 1e-9);
    }
}

static void chi_square__loses_a_degree_for_each_estimated_parameter(void **state)
{
    (void)state;
    const double observed[] = {12, 8, 9, 11}, expected[] = {10, 10, 10, 10};
    check_chi(observed, expected, 4, 1, (PrTest){1, 2, exp(-0.5)}, 1e-9);
    check_chi(observed, expected, 4, 2, (PrTest){1, 1, erfc(sqrt(0.5))}, 1e-9);
}

static void chi_square__keeps_the_digits_of_a_tiny_p(void **state)
{
    (void)state;
    check_chi((double[]){500, 0, 0}, (double[]){100, 200, 200}, 3, 0, (PrTest){2000, 2, 0}, 1e-9);
    check_chi((double[]){200, 0, 0}, (double[]){100, 50, 50}, 3, 0, (PrTest){200, 2, exp(-100)},
              1e-9);
}

static void chi_square__of_a_perfect_fit_is_zero(void **state)
{
    (void)state;
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

static void chi_square__refuses_what_cannot_be_tested(void **state)
{
    (void)state;
    check_no_chi((double[]){5}, (double[]){5}, 1, 0, "no degree of freedom");
    check_no_chi((double[]){5, 5}, (double[]){5, 5}, 2, 1, "all degrees of freedom used up");
    check_no_chi((double[]){5, 5}, (double[]){5, 5}, 0, 0, "no counts");
    check_no_chi((double[]){5, 5, 0}, (double[]){5, 5, 0}, 3, 0, "an expected count of 0");
    check_no_chi((double[]){5, 6, 4}, (double[]){10, 10, -5}, 3, 0, "a negative expected count");
    check_no_chi((double[]){-5, 10, 10}, (double[]){5, 5, 5}, 3, 0, "a negative observed count");
    check_no_chi((double[]){5, 6, 4}, (double[]){5, 5, 6}, 3, 0, "sums that differ");
    check_no_chi((double[]){5, NAN, 5}, (double[]){5, 5, 5}, 3, 0, "a NaN");
    check_no_chi((double[]){5, 5, 5}, (double[]){5, NAN, 5}, 3, 0, "a NaN");
    check_no_chi((double[]){5, INFINITY, 5}, (double[]){5, INFINITY, 5}, 3, 0, "infinities");
}

const struct CMUnitTest test_cases[] = {
    cmocka_unit_test(gamma__of_one_is_a_waiting_time),
    cmocka_unit_test(gamma__of_a_half_is_the_error_function),
    cmocka_unit_test(gamma__of_whole_numbers_is_a_poisson_sum),
    cmocka_unit_test(gamma__agrees_with_quadruple_precision),
    cmocka_unit_test(gamma__begins_at_nothing_and_ends_at_all),
    cmocka_unit_test(gamma__has_no_answer_where_there_is_no_integral),
    cmocka_unit_test(beta__is_a_power_where_one_number_is_one),
    cmocka_unit_test(beta__of_two_halves_is_an_arc),
    cmocka_unit_test(beta__of_whole_numbers_is_a_binomial_sum),
    cmocka_unit_test(beta__agrees_with_quadruple_precision),
    cmocka_unit_test(beta__begins_at_nothing_and_ends_at_all),
    cmocka_unit_test(beta__has_no_answer_where_there_is_no_integral),
    cmocka_unit_test(interval__of_students_sleepers_is_the_published_one),
    cmocka_unit_test(interval__of_two_or_three_numbers_has_a_closed_form),
    cmocka_unit_test(interval__covers_in_as_many_experiments_as_it_says),
    cmocka_unit_test(interval__refuses_what_says_nothing),
    cmocka_unit_test(t_test__of_students_sleepers_is_the_published_one),
    cmocka_unit_test(t_test__of_two_or_three_numbers_has_a_closed_form),
    cmocka_unit_test(t_test__of_equal_samples_of_two_has_two_degrees_of_freedom),
    cmocka_unit_test(t_test__weighs_unequal_samples_each_by_its_own_spread),
    cmocka_unit_test(t_test__keeps_the_digits_of_a_tiny_p),
    cmocka_unit_test(t_test__refuses_what_says_nothing),
    cmocka_unit_test(t_test__takes_one_sample_without_spread_beside_another),
    cmocka_unit_test(chi_square__of_mendels_peas_is_the_published_one),
    cmocka_unit_test(chi_square__of_one_or_two_degrees_has_a_closed_form),
    cmocka_unit_test(chi_square__loses_a_degree_for_each_estimated_parameter),
    cmocka_unit_test(chi_square__keeps_the_digits_of_a_tiny_p),
    cmocka_unit_test(chi_square__of_a_perfect_fit_is_zero),
    cmocka_unit_test(chi_square__refuses_what_cannot_be_tested),
    {0},
};
