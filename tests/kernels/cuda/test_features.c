// The emulator's headers, compiled as usual: optimised and unchecked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/kernels/cuda/planted.h"

static void headers_compute_what_cuda_does(__attribute__((unused)) void **state)
{
    emulator_clear();
    assert_int_equal(features_that_fail(), 0);
    assert_int_equal(kernels_that_fail(), 0);
    if (emulator_report()->faults > 0) fail_msg("%s", emulator_report()->fault[0].message);
}

int main(void)
{
    const struct CMUnitTest cases[] = {cmocka_unit_test(headers_compute_what_cuda_does)};
    return cmocka_run_group_tests(cases, NULL, NULL);
}
