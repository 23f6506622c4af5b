/* Exercises 1 and 2: sums of exponentials. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

static const double infinite = (double)INFINITY, not_a_number = (double)NAN;

// ---- 1: softplus ----

CASE(softplus__is_log_2_at_zero_and_x_for_large_x)
{
    assert_number(bm_softplus(0), 0.6931471805599453, .name = "softplus(0)", .eps = 2);
    assert_number(bm_softplus(1), 1.3132616875182228, .name = "softplus(1)", .eps = 2);
    assert_number(bm_softplus(-1), 0.3132616875182228, .name = "softplus(-1)", .eps = 2);
    assert_number(bm_softplus(36.5), 36.5, .name = "softplus(36.5)", .rtol = 1e-15);
}

CASE(softplus__does_not_overflow)
{
    static const double large[] = {100, 709, 710, 800, 1e10, 1e300};
    for (int i = 0; i < 6; i++) {
        assert_number(bm_softplus(large[i]), large[i], .name = "softplus of a large x",
                      .rtol = 1e-15);
        assert_that(bm_softplus(-large[i]) >= 0, "softplus(%g) is %g; expected 0 or more",
                    -large[i], bm_softplus(-large[i]));
    }
    assert_number(bm_softplus(-1e300), 0, .name = "softplus(-1e300)", .exact = true);
}

CASE(softplus__keeps_its_digits_where_it_is_small)
{
    static const double x[] = {-10, -20, -40, -100, -700};
    for (int i = 0; i < 5; i++) {
        double e = exp(x[i]);    // log(1 + e) = e - e^2/2 + e^3/3 - ...
        assert_that(fabs(bm_softplus(x[i]) / (e - e * e / 2 + e * e * e / 3) - 1) < 1e-13,
                    "softplus(%g) is %.17g; expected %.17g, with all digits: 1 + e^x rounds them "
                    "away",
                    x[i], bm_softplus(x[i]), e - e * e / 2);
    }
}

CASE(softplus__differs_from_its_mirror_image_by_x)
{
    for (int i = -80; i <= 80; i++) {
        double x = 0.37 * i;
        assert_number(bm_softplus(x) - bm_softplus(-x), x, .name = "softplus(x) - softplus(-x)",
                      .atol = 1e-13, .rtol = 1e-14);
    }
}

CASE(softplus__takes_infinity_and_nan)
{
    assert_number(bm_softplus(infinite), infinite, .name = "softplus(infinity)");
    assert_number(bm_softplus(-infinite), 0, .name = "softplus(-infinity)", .exact = true);
    assert_number(bm_softplus(not_a_number), not_a_number, .name = "softplus(NaN)");
}

// ---- 2: log of a sum of exponentials ----

static const char lse[] = "log sum_i exp(x[i])";

static void expect_lse(const double *x, size_t n, double want)
{
    assert_number(bm_log_sum_exp(x, n), want, .name = "result", .formula = lse, .rtol = 1e-14,
                  .atol = 1e-14);
}

CASE(log_sum_exp__adds_what_the_logarithms_stand_for)
{
    expect_lse(DOUBLES(log(1), log(2), log(4)), 3, log(7));
    expect_lse(DOUBLES(log(4), log(2), log(1), log(3)), 4, log(10));
    expect_lse(DOUBLES(0, 0), 2, log(2));
}

CASE(log_sum_exp__handles_one_and_many)
{
    expect_lse(DOUBLES(-3.5), 1, -3.5);
    for (size_t n = 2; n <= 1025; n += 341) expect_lse(doubles_filled(n, 1), n, 1 + log((double)n));
}

CASE(log_sum_exp__does_not_overflow_or_underflow)
{
    expect_lse(DOUBLES(1000, 1000), 2, 1000 + log(2));
    expect_lse(DOUBLES(-1000, -1000, -1000), 3, -1000 + log(3));
    expect_lse(DOUBLES(-1e5, 1e5), 2, 1e5);
    expect_lse(DOUBLES(1e300, -1e300), 2, 1e300);
    expect_lse(DOUBLES(700, 710, 720), 3, 720 + log(1 + exp(-10) + exp(-20)));
}

CASE(log_sum_exp__keeps_small_terms)
{
    double *x = doubles_filled(10001, -20);
    x[0] = 0;
    assert_number(bm_log_sum_exp(x, 10001), log1p(10000 * exp(-20)), .name = "result",
                  .formula = lse, .atol = 2e-12);
}

CASE(log_sum_exp__of_nothing_is_minus_infinity)
{
    expect_lse(DOUBLES(1), 0, -infinite);
    expect_lse(DOUBLES(-infinite), 1, -infinite);
    expect_lse(DOUBLES(-infinite, -infinite), 2, -infinite);
    expect_lse(DOUBLES(-infinite, 2, -infinite), 3, 2);
}

CASE(log_sum_exp__propagates_infinity_and_nan)
{
    expect_lse(DOUBLES(1, infinite), 2, infinite);
    expect_lse(DOUBLES(infinite, infinite, -infinite), 3, infinite);
    expect_lse(DOUBLES(1, not_a_number, 3), 3, not_a_number);
    expect_lse(DOUBLES(not_a_number, 1), 2, not_a_number);
    expect_lse(DOUBLES(not_a_number), 1, not_a_number);
    expect_lse(DOUBLES(-infinite, not_a_number), 2, not_a_number);
}

CASE(log_sum_exp__does_not_modify_x_and_takes_it_again)
{
    double *x = DOUBLES(1, 2, 3), *before = doubles_copy(x, 3);
    bm_log_sum_exp(x, 3);
    assert_kept("x", x, before, 3);
    x[0] = x[1] = x[2] = log(5);
    expect_lse(x, 3, log(15));
}

const struct CMUnitTest sum_cases[] = {
    cmocka_unit_test(softplus__is_log_2_at_zero_and_x_for_large_x),
    cmocka_unit_test(softplus__does_not_overflow),
    cmocka_unit_test(softplus__keeps_its_digits_where_it_is_small),
    cmocka_unit_test(softplus__differs_from_its_mirror_image_by_x),
    cmocka_unit_test(softplus__takes_infinity_and_nan),
    cmocka_unit_test(log_sum_exp__adds_what_the_logarithms_stand_for),
    cmocka_unit_test(log_sum_exp__handles_one_and_many),
    cmocka_unit_test(log_sum_exp__does_not_overflow_or_underflow),
    cmocka_unit_test(log_sum_exp__keeps_small_terms),
    cmocka_unit_test(log_sum_exp__of_nothing_is_minus_infinity),
    cmocka_unit_test(log_sum_exp__propagates_infinity_and_nan),
    cmocka_unit_test(log_sum_exp__does_not_modify_x_and_takes_it_again),
    {0},
};
