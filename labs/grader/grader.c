/* grader -- runs a lab's cases on an answer, each in a process of its own. */
#include "labs/grader/verdict.h"
#include "kernels/kernels.h"
#include "tests/cases.h"
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *why;
    if (argc < 3 || !kernels_use(NULL, &why)) return 2;
    void *answer = dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL);
    void *cases  = answer != NULL ? dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (cases == NULL) return fprintf(stderr, "grader: %s\n", dlerror()), 2;
    const CaseList *lists = dlsym(cases, "lab_cases");
    return lists == NULL ? 2 : cases_run("lab", lists, argc > 3 ? argv[3] : "*");
}
