#include "bench/stats.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"

static void median_of_an_odd_count_is_the_middle_value(void **state)
{
    (void)state;
    double values[] = {9, 1, 5};
    Stats stats = stats_of(values, 3);
    assert_int_equal(stats.count, 3);
    assert_close(stats.min, 1, 0);
    assert_close(stats.median, 5, 0);
    assert_close(stats.max, 9, 0);
}

static void median_of_an_even_count_lies_between_the_two_middle_values(void **state)
{
    (void)state;
    double values[] = {4, 1, 3, 2};
    assert_close(stats_of(values, 4).median, 2.5, 0);
}

// numpy.quantile([1, 2, 4, 8, 16, 32], [0.25, 0.5, 0.75]) is [2.5, 6, 14].
static void quartiles_are_those_of_numpy(void **state)
{
    (void)state;
    double values[] = {32, 1, 16, 2, 8, 4};
    Stats stats = stats_of(values, 6);
    assert_close(stats.quartile1, 2.5, 0);
    assert_close(stats.median, 6, 0);
    assert_close(stats.quartile3, 14, 0);
    assert_close(stats_spread(stats), (14 - 2.5) / 6, 1e-15);
}

static void one_value_is_its_own_median_and_spreads_over_nothing(void **state)
{
    (void)state;
    double values[] = {7};
    Stats stats = stats_of(values, 1);
    assert_close(stats.quartile1, 7, 0);
    assert_close(stats.quartile3, 7, 0);
    assert_close(stats_spread(stats), 0, 0);
}

static void no_values_give_zeros(void **state)
{
    (void)state;
    Stats stats = stats_of(NULL, 0);
    assert_int_equal(stats.count, 0);
    assert_close(stats_spread(stats), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_an_odd_count_is_the_middle_value),
        cmocka_unit_test(median_of_an_even_count_lies_between_the_two_middle_values),
        cmocka_unit_test(quartiles_are_those_of_numpy),
        cmocka_unit_test(one_value_is_its_own_median_and_spreads_over_nothing),
        cmocka_unit_test(no_values_give_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
