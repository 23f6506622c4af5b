// Every kernel of every variant of `cpu` that this processor can run, against ref, with one thread
// and with more.
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"
#include "tests/kernels/checks.h"

typedef struct Check {
    const char *kernel;
    void (*check)(const Kernels *table);
} Check;

static const Check checks[] = {
#define X(name, args) {#name, check_##name},
    KERNEL_LIST(X)
#undef X
};

enum { KERNELS = sizeof checks / sizeof *checks, TEAMS = 3 };

static const int teams[TEAMS] = {1, 2, 5};    // also more threads than there are processors

typedef struct Case {
    const Check *check;
    const Kernels *table;
    int threads;
    char name[80];
} Case;

static void agrees_with_ref(void **state)
{
    const Case *c = *state;
    omp_set_num_threads(c->threads);
    c->check->check(c->table);
}

int main(void)
{
    static Case cases[KERNELS * TEAMS * CPU_VARIANTS];
    static struct CMUnitTest tests[KERNELS * TEAMS * CPU_VARIANTS];
    static Kernels tables[CPU_VARIANTS];
    size_t count = 0;

    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        tables[v] = kernels_complete(cpu_variants[v].table);
        for (int t = 0; t < TEAMS; t++)
            for (int k = 0; k < KERNELS; k++, count++) {
                Case *c = &cases[count];
                *c      = (Case){.check = &checks[k], .table = &tables[v], .threads = teams[t]};
                snprintf(c->name, sizeof c->name, "%s_of_%s_with_%d_threads_agrees_with_ref",
                         checks[k].kernel, tables[v].variant, teams[t]);
                tests[count] = (struct CMUnitTest){c->name, agrees_with_ref, NULL, NULL, c};
            }
    }
    return _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
}
