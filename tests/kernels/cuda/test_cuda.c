// The CUDA kernels against ref: by the checks that all backends pass, on the device's memory. Emulated they
// run anywhere; checked, the emulator also has to find no fault; on a GPU where there is one.
#include <math.h>
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

static const Kernels table = {.variant = "cuda",
                              .add = cuda_add,
                              .sum = cuda_sum,
                              .softmax_rows = cuda_softmax_rows,
                              .layer_norm = cuda_layer_norm,
                              .matmul = cuda_matmul};
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

CASE(add_agrees_with_ref)
{
    check(check_add, &table);
}

CASE(sum_agrees_with_ref)
{
    check(check_sum, &table);
}

CASE(softmax_rows_agrees_with_ref)
{
    check(check_softmax_rows, &table);
}

CASE(layer_norm_agrees_with_ref)
{
    check(check_layer_norm, &table);
}

// A GPU takes all of the product's checks, the emulator a part: shapes of which one alone is a multiple of a
// tile, operands that lie both ways, one matrix and three.
#ifdef CUDA_GPU
static void check_product(const Kernels *kernels_of)
{
    check_matmul(kernels_of);
}
#else
static Mat operand(int rows, int cols, int batch, bool transposed)
{
    const size_t n = (size_t)rows * (size_t)cols;
    return (Mat){.data = numbers_new((size_t)batch * n, NORMAL),
                 .row = transposed ? 1 : (size_t)cols,
                 .col = transposed ? (size_t)rows : 1,
                 .batch = n};
}

static void check_product(const Kernels *kernels_of)
{
    static const int shapes[][3] = {{0, 3, 2},   {3, 0, 2},    {2, 3, 0},    {1, 1, 1},
                                    {5, 7, 3},   {33, 31, 65}, {64, 32, 96}, {1, 67, 13},
                                    {71, 1, 37}, {40, 50, 1}};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    for (int i = 0; i < 4 * SHAPES; i++) {
        const int m = shapes[i / 4][0], n = shapes[i / 4][1], k = shapes[i / 4][2];
        const int batch = i % 3 == 0 ? 3 : 1;
        const float beta = numbers_betas[i % NUMBERS_BETAS];
        const size_t cols = (size_t)n, of_c = (size_t)m * cols;
        const Mat a = operand(m, k, batch, i % 2), b = operand(k, n, batch, i / 2 % 2);
        const Pair c = pair_before((size_t)batch * of_c, beta);
        kernels_ref.matmul(c.want, cols, of_c, a, b, batch, m, n, k, beta);
        kernels_of->matmul(c.got, cols, of_c, a, b, batch, m, n, k, beta);
        pair_check("matmul", c, 1e-5);
        numbers_free();
    }
}
#endif

CASE(matmul_agrees_with_ref)
{
    check(check_product, &table);
}

CASE(matmul_naive_agrees_with_ref)
{
    check(check_product, &naive);
}

// ---- transpose, which is no kernel of the table

static void check_transpose(void (*transpose)(float *, const float *, int, int))
{
    static const int shapes[][2] = {{0, 5},   {5, 0},   {1, 1},   {1, 97},  {97, 1},
                                    {31, 33}, {32, 32}, {64, 31}, {101, 67}};
    clear();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int rows = shapes[i][0], cols = shapes[i][1];
        const size_t n = (size_t)rows * (size_t)cols;
        const float *x = numbers_new(n, NORMAL);
        const Pair y = pair_new(n, NANS);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < cols; c++) y.want[c * rows + r] = x[r * cols + c];
        float *dx = cuda_new(n * sizeof *dx), *dy = cuda_new(n * sizeof *dy);
        cuda_put(dx, x, n * sizeof *dx);
        transpose(dy, dx, rows, cols);
        cuda_get(y.got, dy, n * sizeof *dy);
        pair_check("transpose", y, 0);
        cuda_free(dx);
        cuda_free(dy);
        numbers_free();
    }
    ends_well();
}

CASE(transpose_moves_each_element)
{
    check_transpose(cuda_transpose);
}

CASE(transpose_naive_moves_each_element)
{
    check_transpose(cuda_transpose_naive);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(add_agrees_with_ref),
        cmocka_unit_test(sum_agrees_with_ref),
        cmocka_unit_test(softmax_rows_agrees_with_ref),
        cmocka_unit_test(layer_norm_agrees_with_ref),
        cmocka_unit_test(matmul_agrees_with_ref),
        cmocka_unit_test(matmul_naive_agrees_with_ref),
        cmocka_unit_test(transpose_moves_each_element),
        cmocka_unit_test(transpose_naive_moves_each_element),
    };
#ifdef CUDA_GPU
    void *probe = cuda_new(1);
    if (probe == NULL) {
        print_message("skipped: no CUDA device: run this test on a machine with an NVIDIA GPU\n");
        return 0;
    }
    cuda_free(probe);
#endif
    return cmocka_run_group_tests(cases, NULL, NULL);
}
