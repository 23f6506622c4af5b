/* Exercises 10 and 11: incomplete gamma and beta functions. check.c says how cases are made. */
#include <stdio.h>
#include "labs/1_foundations/probability/check.h"

// The relative error allowed for either part. ln gamma(a) is about a ln a and has 16 digits: those
// behind the decimal point decide the error of its exponential.
static double parts_rtol(double a)
{
    return 1e-13 * fmax(a, 1000);
}

// ---- 10: the incomplete gamma function ----

static const char gamma_formula[] = "P = int_0^x t^(a-1) e^-t dt / gamma(a),  Q = 1 - P";

static void check_gamma(double a, double x, double lower, double upper)
{
    static double *got;    // one for all calls, which are many
    if (got == NULL) got = DOUBLES(-7, -7);
    got[0] = got[1] = -7;
    pr_gamma(&got[0], &got[1], a, x);
    char at[200];
    snprintf(at, sizeof at, "%s, at a = %g and x = %g", gamma_formula, a, x);
    assert_number(got[0], lower, .name = "lower", .rtol = parts_rtol(a), .formula = at);
    assert_number(got[1], upper, .name = "upper", .rtol = parts_rtol(a), .formula = at);
}

CASE(gamma__of_a_one_is_the_exponential_cdf)
{
    for (double x = 1e-6; x < 600; x *= 3) check_gamma(1, x, -expm1(-x), exp(-x));
}

CASE(gamma__of_a_one_half_is_the_error_function)
{
    for (double x = 1e-6; x < 600; x *= 3) check_gamma(0.5, x, erf(sqrt(x)), erfc(sqrt(x)));
}

CASE(gamma__of_integer_a_is_a_poisson_sum)
{
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
CASE(gamma__matches_quadruple_precision)
{
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

// mpmath 1.3, 300 digits: P is almost 1 and 1 - P has lost what Q has.
CASE(gamma__keeps_both_parts_for_a_tiny_a)
{
    static const double want[][4] = {
        {1e-6, 0.5, 0.99999944022611184, 5.5977388815563453e-7},
        {1e-10, 0.9, 0.99999999997398161, 2.6018393935058367e-11},
        {1e-4, 1e-3, 0.99936703825416551, 0.0006329617458344914},
        {1e-12, 1e-100, 0.99999999977031871, 2.2968129360812711e-10},
        {1e-3, 1, 0.99978039164241444, 0.0002196083575855564},
        {1e-8, 3, 0.99999999986951619, 1.3048381341654404e-10},
        {0.9, 1.8, 0.85968304433269019, 0.14031695566730981},
        {1e-300, 0.5, 1, 5.5977359477616083e-301},
    };
    for (int k = 0; k < 8; k++) check_gamma(want[k][0], want[k][1], want[k][2], want[k][3]);
}

// mpmath 1.3, 40 digits: either series takes about sqrt(a) terms.
CASE(gamma__converges_for_a_large_a)
{
    check_gamma(1e6, 1e6, 0.50013298076087259, 0.49986701923912741);
    check_gamma(1e6, 1000010, 0.50412231679690957, 0.49587768320309043);
    check_gamma(1e6, 1002000, 0.97719590410123014, 0.022804095898769863);
}

CASE(gamma__runs_from_zero_to_one)
{
    for (double a = 0.25; a < 50; a *= 4) {
        check_gamma(a, 0, 0, 1);
        check_gamma(a, INFINITY, 1, 0);
    }
}

CASE(gamma__returns_nan_outside_its_domain)
{
    check_gamma(0, 1, NAN, NAN);
    check_gamma(-2, 1, NAN, NAN);
    check_gamma(2, -1, NAN, NAN);
    check_gamma(NAN, 1, NAN, NAN);
    check_gamma(2, NAN, NAN, NAN);
}

// ---- 11: the incomplete beta function ----

static const char beta_formula[] =
    "I_x(a,b) = int_0^x t^(a-1) (1-t)^(b-1) dt / B(a,b),  upper = 1 - I_x(a,b)";

static void check_beta(double a, double b, double x, double lower, double upper)
{
    static double *got;    // one for all calls, which are many
    if (got == NULL) got = DOUBLES(-7, -7);
    got[0] = got[1] = -7;
    pr_beta(&got[0], &got[1], a, b, x);
    char at[200];
    snprintf(at, sizeof at, "%s, at a = %g, b = %g and x = %g", beta_formula, a, b, x);
    assert_number(got[0], lower, .name = "lower", .rtol = parts_rtol(a + b), .formula = at);
    assert_number(got[1], upper, .name = "upper", .rtol = parts_rtol(a + b), .formula = at);
}

CASE(beta__is_a_power_when_a_or_b_is_one)
{
    for (double x = 0.03; x < 1; x += 0.06)
        for (double a = 0.25; a < 40; a *= 2) {
            check_beta(a, 1, x, pow(x, a), -expm1(a * log(x)));
            check_beta(1, a, x, -expm1(a * log1p(-x)), pow(1 - x, a));
        }
}

CASE(beta__of_two_halves_is_the_arcsine_distribution)
{
    for (double x = 0.03; x < 1; x += 0.06)
        check_beta(0.5, 0.5, x, 2 / acos(-1) * asin(sqrt(x)), 2 / acos(-1) * acos(sqrt(x)));
}

CASE(beta__of_integers_is_a_binomial_sum)
{
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
CASE(beta__matches_quadruple_precision)
{
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

// mpmath 1.3, 300 digits.
CASE(beta__keeps_both_parts_for_a_tiny_a_or_b)
{
    static const double want[][5] = {
        {1e-8, 2, 0.2, 0.99999999190562088, 8.0943791235815164e-9},
        {1e-4, 2, 0.2, 0.99991905628504653, 8.0943714953469672e-5},
        {1e-10, 1e-10, 0.3, 0.49999999995763511, 0.50000000004236489},
        {1e-6, 700, 1e-3, 0.99999962612450196, 3.7387549804201556e-7},
        {1e-6, 1e-3, 0.4, 0.99900059500344579, 0.00099940499655421419},
        {3, 1e-8, 0.9, 9.9758509248329075e-9, 0.99999999002414908},
        {1e-12, 5, 1e-50, 0.99999999988695408, 1.1304592130997997e-10},
        {0.9, 0.01, 0.6, 0.010421078127061947, 0.98957892187293805},
        {900, 1e-7, 0.9999, 1.9192068009421538e-7, 0.99999980807931991},
        {1e-300, 2, 0.2, 1, 8.0943791243410035e-301},
    };
    for (int k = 0; k < 10; k++)
        check_beta(want[k][0], want[k][1], want[k][2], want[k][3], want[k][4]);
}

// The second one is by flintlib/arb (issue 359).
CASE(beta__converges_for_a_large_a_and_b)
{
    check_beta(1e6, 1e6, 0.5, 0.5, 0.5);
    check_beta(1e5, 1e5, 0.4999, 0.46436508135202052, 0.53563491864797948);
}

CASE(beta__runs_from_zero_to_one)
{
    for (double a = 0.25; a < 50; a *= 4)
        for (double b = 0.25; b < 50; b *= 4) {
            check_beta(a, b, 0, 0, 1);
            check_beta(a, b, 1, 1, 0);
        }
}

CASE(beta__returns_nan_outside_its_domain)
{
    check_beta(0, 1, 0.5, NAN, NAN);
    check_beta(1, -1, 0.5, NAN, NAN);
    check_beta(2, 2, -0.1, NAN, NAN);
    check_beta(2, 2, 1.1, NAN, NAN);
    check_beta(NAN, 2, 0.5, NAN, NAN);
    check_beta(2, 2, NAN, NAN, NAN);
}

const struct CMUnitTest special_cases[] = {
    cmocka_unit_test(gamma__of_a_one_is_the_exponential_cdf),
    cmocka_unit_test(gamma__of_a_one_half_is_the_error_function),
    cmocka_unit_test(gamma__of_integer_a_is_a_poisson_sum),
    cmocka_unit_test(gamma__matches_quadruple_precision),
    cmocka_unit_test(gamma__keeps_both_parts_for_a_tiny_a),
    cmocka_unit_test(gamma__converges_for_a_large_a),
    cmocka_unit_test(gamma__runs_from_zero_to_one),
    cmocka_unit_test(gamma__returns_nan_outside_its_domain),
    cmocka_unit_test(beta__is_a_power_when_a_or_b_is_one),
    cmocka_unit_test(beta__of_two_halves_is_the_arcsine_distribution),
    cmocka_unit_test(beta__of_integers_is_a_binomial_sum),
    cmocka_unit_test(beta__matches_quadruple_precision),
    cmocka_unit_test(beta__keeps_both_parts_for_a_tiny_a_or_b),
    cmocka_unit_test(beta__converges_for_a_large_a_and_b),
    cmocka_unit_test(beta__runs_from_zero_to_one),
    cmocka_unit_test(beta__returns_nan_outside_its_domain),
    {0},
};
