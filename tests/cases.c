#include "tests/cases.h"
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "kernels/kernels.h"

int cases_main(int argc, char **argv, const char *group, const struct CMUnitTest *cases,
               size_t count)
{
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
    size_t chosen = 0;
    for (size_t k = 0; k < count; k++) chosen += fnmatch(pattern, cases[k].name, 0) == 0;
    if (chosen == 0) {
        fprintf(stderr, "%s: no case is called '%s'; --list shows their names\n", argv[0], pattern);
        return 2;
    }
    if (!kernels_use(backend, &why)) {
        fprintf(stderr, "%s: %s\n", argv[0], why);
        return 2;
    }
    cmocka_set_test_filter(pattern);
    return _cmocka_run_group_tests(group, cases, count, NULL, NULL);
}
