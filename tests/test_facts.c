/* What the failures say: each case fails, and CMakeLists.txt looks for the words, in this order. */
#include "tests/facts.h"

static void a_truth(void **state)
{
    (void)state;
    assert_boolean("right", true, true);
    assert_boolean("pr_fit of a NaN", true, false);
}

static void a_count(void **state)
{
    (void)state;
    assert_integer("right", INT64_MIN, INT64_MIN);
    assert_integer("sweeps", -1, 12);
}

static void a_pointer(void **state)
{
    (void)state;
    int here;
    assert_pointer("right", NULL, NULL);
    assert_pointer("order[2]", NULL, &here);
}

static void a_pointer_that_should_be_null(void **state)
{
    (void)state;
    assert_pointer("order[3]", &(int){0}, NULL);
}

static void a_number(void **state)
{
    (void)state;
    assert_close(INFINITY, INFINITY, 0);
    assert_close(1.5, 1.25, 0.25);
    assert_close(0.5 + 1, 1.25, 0.125);
}

static void not_a_number(void **state)
{
    (void)state;
    assert_close(NAN, 1, 10);
}

static void a_sentence(void **state)
{
    (void)state;
    assert_that(true, "right");
    assert_that(1 > 2, "x[%d] is %g; expected a time from 0 on", 7, -0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truth),    cmocka_unit_test(a_count),
        cmocka_unit_test(a_pointer),  cmocka_unit_test(a_pointer_that_should_be_null),
        cmocka_unit_test(a_number),   cmocka_unit_test(not_a_number),
        cmocka_unit_test(a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
