// The emulator in a library that is loaded at run time, as a learner's submission is.
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/kernels/cuda/planted.h"

#define CASE(name) static void name(__attribute__((unused)) void **state)

static void *library;

// A function or a variable of the library.
static void *find(const char *name)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL) fail_msg("%s", dlerror());
    return symbol;
}

CASE(each_fault_is_found)
{
    void (*clear)(void);
    const EmulatorReport *(*report)(void);
    *(void **)&clear = find("emulator_clear");
    *(void **)&report = find("emulator_report");
    const Planted *faults = find("planted");
    const size_t count = *(const size_t *)find("planted_count");
    for (size_t i = 0; i < count; i++) {
        clear();
        faults[i].launch();
        if (report()->faults == 0 || report()->fault[0].kind != faults[i].kind)
            fail_msg("%s: %s", faults[i].name,
                     report()->faults > 0 ? report()->fault[0].message : "nothing was found");
    }
}

CASE(correct_kernels_are_without_fault)
{
    void (*clear)(void);
    int (*features)(void);
    const EmulatorReport *(*report)(void);
    *(void **)&clear = find("emulator_clear");
    *(void **)&features = find("features_that_fail");
    *(void **)&report = find("emulator_report");
    clear();
    assert_int_equal(features(), 0);
    if (report()->faults > 0) fail_msg("%s", report()->fault[0].message);
}

int main(void)
{
    library = dlopen(PLANTED_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        print_error("%s\n", dlerror());
        return 1;
    }
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(correct_kernels_are_without_fault),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
