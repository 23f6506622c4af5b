// Every kernel of every variant of `cpu` that this processor can run, with one thread and with more,
// of the devices `far`, `emulated` and `cuda`, and what the device `onednn` has of its own, against ref. Arguments: a kernel or
// `all`, and whose (`avx2`, `emulated`, ...).
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/team.h"
#include "kernels/trace.h"
#include "tests/kernels/checks.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"

typedef struct Check {
    const char *kernel;
    void (*check)(const Kernels *table);
} Check;

static const Check checks[] = {
#define X(name, prototype, arguments, work) {#name, check_##name},
    KERNEL_LIST(X)
#undef X
};

enum {
    KERNELS = sizeof checks / sizeof *checks,
    TEAMS = 3,
    CASES = KERNELS * (TEAMS * CPU_VARIANTS + 3) + TEAMS * KERNELS
};

#ifdef LAB_SANITIZE
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static const int teams[TEAMS] = {1, 2, 5};    // also more threads than there are processors

typedef struct Case {
    const Check *check;
    const Kernels *table;
    const Device *mirrored;    // whose table it is, or NULL
    double most;               // numbers_most
    int threads;
    char name[80];
} Case;

static Case cases[CASES];
static struct CMUnitTest tests[CASES];
static size_t count;
static const char *only, *only_of;    // this kernel, of this table; NULL: all

static void agrees_with_ref(void **state)
{
    const Case *c = *state;
    if (c->mirrored != NULL) mirror_of(c->mirrored);    // one device at a time
    numbers_most = c->most;
    omp_set_num_threads(c->threads);
    team_scale(0);    // all of them, whatever the work and whoever else is busy
    c->check->check(c->table);
}

static Case *add_case(const Check *check, const Kernels *table, int threads)
{
    Case *c = &cases[count];
    if ((only != NULL && strcmp(only, check->kernel) != 0) ||
        (only_of != NULL && strcmp(only_of, table->variant) != 0))
        return c;    // of the next one
    *c = (Case){.check = check, .table = table, .most = INFINITY, .threads = threads};
    snprintf(c->name, sizeof c->name, "%s_of_%s_with_%d_threads_agrees_with_ref", check->kernel,
             table->variant, threads);
    tests[count++] = (struct CMUnitTest){c->name, agrees_with_ref, NULL, NULL, c};
    return c;
}

// Without those that `base`, which is checked as well, has too.
static void add_cases(const Kernels *table, int threads, const Kernels *base)
{
#define X(name, prototype, arguments, work)                                                        \
    if (base == NULL || table->name != base->name) add_case(&checks[KERNEL_##name], table, threads);
    KERNEL_LIST(X)
#undef X
}

// A kernel that is cpu's has been checked. oneDNN's sums depend on the number of threads, which the checks with
// one thread would find.
static void add_onednn_cases(void)
{
    const char *why;
    if (!device_use("onednn", &why)) {
        print_message("skipped: %s: ./lab setup --peers\n", why);
        return;
    }
    const Kernels *cpu = kernels_cpu(), *onednn = device->kernels;
#define X(name, prototype, arguments, work)                                                        \
    if (onednn->name != cpu->name && onednn->name != kernels_ref.name)                             \
        for (int t = 1; t < TEAMS; t++) add_case(&checks[KERNEL_##name], onednn, teams[t]);
    KERNEL_LIST(X)
#undef X
}

// A device whose memory the host cannot touch.
static void add_mirrored_cases(const Device *mirrored, Kernels *table, int threads, double most)
{
    *table = mirror_of(mirrored);
#define X(name, prototype, arguments, work)                                                        \
    if (mirrored->kernels->name) {                                                                 \
        Case *c = add_case(&checks[KERNEL_##name], table, threads);                                \
        c->mirrored = mirrored, c->most = most;                                                    \
    }
    KERNEL_LIST(X)
#undef X
}

int main(int argc, char **argv)
{
    only = argc > 1 && strcmp(argv[1], "all") != 0 ? argv[1] : NULL;
    only_of = argc > 2 ? argv[2] : NULL;
    static Kernels cpu[CPU_VARIANTS], far, emulated, cuda;
    for (int v = 0; v < CPU_VARIANTS; v++) {
        if (!cpu_variants[v].can_run()) continue;
        cpu[v] = kernels_complete(cpu_variants[v].table);
        const bool last =
            v + 1 == CPU_VARIANTS;    // the next one is what a variant may be based on
        const Kernels next = last ? (Kernels){0} : kernels_complete(cpu_variants[v + 1].table);
        // How work is shared out is the same in all variants: two threads are tried in one of them. Under
        // sanitizers, one thread in each, and five in one.
        for (int t = 0; t < TEAMS; t++)
            if (t == 0 || (SANITIZED ? last && teams[t] == 5 : last || teams[t] != 2))
                add_cases(&cpu[v], teams[t], last ? NULL : &next);
    }
    add_mirrored_cases(&device_far, &far, 1, 1e5);    // the arithmetic is ref's
    const char *why;
    if (!SANITIZED) {    // test_cuda_checked finds more there
        if (!device_use("emulated", &why)) {
            print_error("emulated: %s\n", why);
            return 1;
        }
        // More than one thread: cases that compare the bits of 1 thread's results are left out.
        add_mirrored_cases(device, &emulated, 2, 1e5);
    }
    if (device_use("cuda", &why)) add_mirrored_cases(device, &cuda, 2, INFINITY);
    else print_message("skipped: cuda: %s: run this test on a machine with an NVIDIA GPU\n", why);
    add_onednn_cases();
    return _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
}
