// The CUDA kernels against ref: by the checks that all backends pass, on allocations that end where the arrays do.
// Emulated and checked, the emulator has to find no fault; on a GPU, where there is one, compute-sanitizer
// (tests/gpu.sh).
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "kernels/cuda/cuda.h"
#include "kernels/device.h"
#include "tests/kernels/checks.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#ifdef CUDA_CHECKED
#include "kernels/cuda/emulator/report.h"
#endif

// ---- the device

// The mirror asks for a guard page behind its copies. An allocation ends where that would begin.
static void *reserve(size_t bytes)
{
    const size_t open = bytes - (size_t)sysconf(_SC_PAGESIZE);
    return cuda_new(open > 0 ? open : 1);
}

static void commit(void *base, size_t from, size_t to)
{
    (void)base, (void)from, (void)to;
}

static void release(void *base, size_t bytes)
{
    (void)bytes;
    cuda_free(base);
}

static const Kernels naive = {.variant = "cuda", .matmul = cuda_matmul_naive};

static Device device_of(const Kernels *kernels_of)
{
    return (Device){.name = "cuda",
                    .kernels = kernels_of,
                    .reserve = reserve,
                    .commit = commit,
                    .release = release,
                    .put = cuda_put,
                    .get = cuda_get};
}

static void clear(void)
{
    cuda_finish();    // and forgets what a case before left
#ifdef CUDA_CHECKED
    emulator_clear();
#endif
}

static void ends_well(void)
{
    const char *failed = cuda_finish();
#ifdef CUDA_CHECKED
    if (emulator_report()->faults > 0) {
        emulator_print(stderr);
        fail_msg("%zu faults", emulator_report()->faults);
    }
#endif
    if (failed != NULL) fail_msg("the launch failed: %s", failed);
}

static void check(void (*against_ref)(const Kernels *), const Kernels *kernels_of)
{
    const Device cuda = device_of(kernels_of);
    const Kernels mirrored = mirror_of(&cuda);
    clear();
    against_ref(&mirrored);
    ends_well();
}

#define CASE(name) static void name(__attribute__((unused)) void **state)

// Fewer shapes where each access is looked at, by the emulator's checker or by compute-sanitizer.
#ifdef CUDA_CHECKED
enum { MOST = 20000 };
#else
enum { MOST = 100000 };
#endif

#define X(name, prototype, arguments, work)                                                        \
    CASE(name##_agrees_with_ref)                                                                   \
    {                                                                                              \
        check(check_##name, &kernels_cuda);                                                        \
    }
KERNEL_LIST(X)
#undef X

CASE(matmul_naive_agrees_with_ref)
{
    check(check_matmul, &naive);
}

// ---- the naive transpose

static const Kernels naive_transpose = {.transpose = cuda_transpose_naive};

CASE(transpose_naive_agrees_with_ref)
{
    check(check_transpose, &naive_transpose);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
#define X(name, prototype, arguments, work) cmocka_unit_test(name##_agrees_with_ref),
        KERNEL_LIST(X)
#undef X
            cmocka_unit_test(matmul_naive_agrees_with_ref),
        cmocka_unit_test(transpose_naive_agrees_with_ref),
    };
#ifdef CUDA_GPU
    void *probe = cuda_new(1);
    if (probe == NULL) {
        print_message("skipped: no CUDA device: run this test on a machine with an NVIDIA GPU\n");
        return 0;
    }
    cuda_free(probe);
#endif
    numbers_most = MOST;
    omp_set_num_threads(2);    // cases that compare numbers of threads are left out
    return cmocka_run_group_tests(cases, NULL, NULL);
}
