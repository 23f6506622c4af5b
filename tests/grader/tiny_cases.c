/* tiny_cases.c -- cases that a correct submission passes; each test writes the submission it needs. */
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/grader/tiny.h"
#include "tests/near.h"

static void sum__adds_five_numbers(void **state)
{
    (void)state;
    float *x = floats_filled(5, 3), sum = tiny_sum(x, 5);
    assert_near(&sum, &(double){15}, SCALAR, .name = "sum", .formula = "sum_i x[i]");
    assert_kept("x", x, floats_filled(5, 3), 5);
}

static void sum__of_nothing_is_zero(void **state)
{
    (void)state;
    assert_close(tiny_sum(floats_filled(0, 0), 0), 0, 0);
}

static void sum__of_one_is_that_one(void **state)
{
    (void)state;
    assert_true(tiny_sum(floats_filled(1, 7), 1) == 7);
}

static void double__doubles(void **state)
{
    (void)state;
    float *y = floats_filled(4, NAN);
    tiny_double(y, floats_filled(4, 3), 4);
    assert_near(y, ((double[]){6, 6, 6, 6}), SHAPE(4), .name = "y", .formula = "y[i] = 2 x[i]");
}

static const struct CMUnitTest sum_cases[] = {
    cmocka_unit_test(sum__adds_five_numbers),
    cmocka_unit_test(sum__of_nothing_is_zero),
    cmocka_unit_test(sum__of_one_is_that_one),
    {0},
};

static const struct CMUnitTest double_cases[] = {cmocka_unit_test(double__doubles), {0}};

const CaseList lab_cases[] = {sum_cases, double_cases, NULL};
