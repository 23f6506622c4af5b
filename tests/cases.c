#include "tests/cases.h"
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "common/error.h"

enum { CASES_MAX = 1000, NOTHING_RUN = 255 };

int cases_run(const char *group, const CaseList lists[], const char *pattern)
{
    static struct CMUnitTest cases[CASES_MAX];
    size_t count = 0, chosen = 0;
    for (; *lists != NULL; lists++)
        for (CaseList one = *lists; one->name != NULL; one++) {
            REQUIRE(count < CASES_MAX, "more than %d cases", CASES_MAX);
            cases[count++] = *one;
        }
    for (size_t k = 0; k < count; k++) chosen += fnmatch(pattern, cases[k].name, 0) == 0;
    if (chosen == 0) return NOTHING_RUN;
    cmocka_set_test_filter(pattern);
    return _cmocka_run_group_tests(group, cases, count, NULL, NULL);
}
