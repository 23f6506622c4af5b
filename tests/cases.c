#include "tests/cases.h"
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "common/error.h"
#include "kernels/kernels.h"

enum { CASES_MAX = 1000, NOTHING_RUN = 255 };

int cases_main(int argc, char **argv, const char *group, const CaseList lists[])
{
    static struct CMUnitTest cases[CASES_MAX];
    size_t count = 0, chosen = 0;
    for (; *lists != NULL; lists++)
        for (CaseList one = *lists; one->name != NULL; one++) {
            REQUIRE(count < CASES_MAX, "more than %d cases", CASES_MAX);
            cases[count++] = *one;
        }

    const char *backend = NULL, *pattern = "*", *why;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            for (size_t k = 0; k < count; k++) puts(cases[k].name);
            return 0;
        }
        if (strcmp(argv[i], "--ref") == 0)
            backend = "ref";
        else
            pattern = argv[i];
    }
    for (size_t k = 0; k < count; k++) chosen += fnmatch(pattern, cases[k].name, 0) == 0;
    if (chosen == 0) {
        fprintf(stderr, "%s: no case is called '%s'; --list shows their names\n", argv[0], pattern);
        return NOTHING_RUN;
    }
    if (!kernels_use(backend, &why)) {
        fprintf(stderr, "%s: %s\n", argv[0], why);
        return NOTHING_RUN;
    }
    cmocka_set_test_filter(pattern);
    return _cmocka_run_group_tests(group, cases, count, NULL, NULL);
}
