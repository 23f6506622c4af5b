// Which of the cpu backend's tables is picked, and what LAB_CPU says to that.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"

static const Kernels *first_that_can_run(int i)
{
    while (!cpu_variants[i].can_run()) i++;
    return cpu_variants[i].table;
}

static void the_widest_that_the_processor_has_is_picked(void **state)
{
    (void)state;
    unsetenv("LAB_CPU");
    assert_ptr_equal(kernels_cpu(), first_that_can_run(0));
    setenv("LAB_CPU", "", 1);
    assert_ptr_equal(kernels_cpu(), first_that_can_run(0));
    assert_null(cpu_variant_refused());
    assert_true(cpu_variants[CPU_VARIANTS - 1].can_run());
}

static void lab_cpu_names_the_widest_that_may_be_picked(void **state)
{
    (void)state;
    for (int v = 0; v < CPU_VARIANTS; v++) {
        setenv("LAB_CPU", cpu_variants[v].table->variant, 1);
        assert_ptr_equal(kernels_cpu(), first_that_can_run(v));
        const char *why = cpu_variant_refused();
        if (cpu_variants[v].can_run()) assert_null(why);
        else assert_non_null(strstr(why, "this processor does not have"));
    }
}

static void an_unknown_name_is_refused_with_those_that_are_known(void **state)
{
    (void)state;
    setenv("LAB_CPU", "avx", 1);
    assert_ptr_equal(kernels_cpu(), first_that_can_run(0));
    for (int v = 0; v < CPU_VARIANTS; v++)
        assert_non_null(strstr(cpu_variant_refused(), cpu_variants[v].table->variant));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_that_the_processor_has_is_picked),
        cmocka_unit_test(lab_cpu_names_the_widest_that_may_be_picked),
        cmocka_unit_test(an_unknown_name_is_refused_with_those_that_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
