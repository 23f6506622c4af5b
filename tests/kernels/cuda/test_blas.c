// Matrix products by cuBLAS: that its calls say what was meant, on a plain model of it (model_cublas.c), with the
// kernels around it emulated.
#include <dlfcn.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/rng.h"
#include "kernels/cuda/blas.h"
#include "kernels/cuda/cuda.h"
#include "kernels/device.h"
#include "tests/kernels/checks.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"

#define CASE(name) static void name(__attribute__((unused)) void **state)

static void *reserve(size_t bytes)
{
    return cuda_new(bytes);
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

static const Kernels products = {
    .variant = "blas", .matmul = cuda_blas_matmul, .row_product = cuda_blas_row_product};
static const Device blas = {.name = "blas",
                            .kernels = &products,
                            .reserve = reserve,
                            .commit = commit,
                            .release = release,
                            .put = cuda_put,
                            .get = cuda_get};

static void open_model(const char *choice)
{
    const char *why = cuda_blas_open_library(MODEL_CUBLAS, choice);
    if (why != NULL) fail_msg("%s", why);
}

CASE(products_agree_with_ref)
{
    open_model("fp32");
    const Kernels mirrored = mirror_of(&blas);
    check_matmul(&mirrored);
    assert_true(cuda_blas_count() > 100);    // and not ours alone
    check_row_product(&mirrored);
}

// c = a b in the forms of a training step, on m x n x k: what of them cuBLAS has computed.
static size_t computed(float *c, const float *a, const float *b, int m, int n, int k)
{
    const size_t before = cuda_blas_count(), M = (size_t)m, N = (size_t)n, K = (size_t)k;
    cuda_blas_matmul(c, N, 0, (Mat){a, K, 1, 0}, (Mat){b, N, 1, 0}, 1, m, n, k, 0);
    cuda_blas_matmul(c, N, 0, (Mat){a, K, 1, 0}, (Mat){b, 1, K, 0}, 1, m, n, k, 1);
    cuda_blas_matmul(c, N, 0, (Mat){a, 1, M, 0}, (Mat){b, N, 1, 0}, 1, m, n, k, 0);
    return cuda_blas_count() - before;
}

CASE(each_form_of_a_training_step_is_computed_by_cublas)
{
    float numbers[3 * 64] = {0};
    float *const a = numbers, *const b = numbers + 64, *const c = numbers + 128;
    open_model(NULL);
    assert_string_equal(cuda_blas_name(), "cuBLAS fp32");
    static const int sizes[][3] = {{5, 7, 3}, {1, 7, 3}, {5, 1, 3}, {5, 7, 1}, {1, 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(computed(c, a, b, sizes[i][0], sizes[i][1], sizes[i][2]), 3);
    assert_int_equal(computed(c, a, b, 5, 7, 0), 0);    // beta c
    assert_int_equal(computed(c, a, b, 0, 7, 3), 0);
    // Rows that overlap, as the windows of a signal do, are ours.
    const size_t before = cuda_blas_count();
    cuda_blas_matmul(c, 7, 0, (Mat){a, 1, 1, 0}, (Mat){b, 7, 1, 0}, 1, 5, 7, 3, 0);
    assert_int_equal(cuda_blas_count(), before);
}

// The largest error of an 8 x 8 product of 64 numbers each, relative to the products' sizes.
static double error_of(const char *choice)
{
    enum { SIDE = 8, DEPTH = 64 };
    float a[SIDE * DEPTH], b[DEPTH * SIDE], c[SIDE * SIDE];
    Rng rng = rng_from_seed(3);
    for (int i = 0; i < SIDE * DEPTH; i++) a[i] = rng_normal(&rng), b[i] = rng_normal(&rng);
    open_model(choice);
    cuda_blas_matmul(c, SIDE, 0, (Mat){a, DEPTH, 1, 0}, (Mat){b, SIDE, 1, 0}, 1, SIDE, SIDE, DEPTH,
                     0);
    double worst = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            double sum = 0, size = 0;
            for (int p = 0; p < DEPTH; p++) {
                const double product = (double)a[i * DEPTH + p] * (double)b[p * SIDE + j];
                sum += product;
                size += fabs(product);
            }
            worst = fmax(worst, fabs(sum - (double)c[i * SIDE + j]) / size);
        }
    return worst;
}

// Two inputs that are each off by half a unit of their last place at most.
CASE(inputs_are_rounded_where_that_was_asked_for)
{
    const double fp32 = error_of("fp32"), tf32 = error_of("tf32"), bf16 = error_of("bf16"),
                 wgmma = error_of("wgmma");
    assert_true(fp32 < 64 * ldexp(1, -24) && error_of("own") < 64 * ldexp(1, -24));
    assert_true(tf32 > ldexp(1, -16) && tf32 < 1.01 * ldexp(1, -10));
    assert_true(bf16 > ldexp(1, -13) && bf16 < 1.01 * ldexp(1, -7));
    assert_true(wgmma > ldexp(1, -13) && wgmma < 1.01 * ldexp(1, -7));
}

// `by_cublas`: the products that cuBLAS has computed, of one.
static void check_halves(const char *choice, DType type, int mantissa, int by_cublas)
{
    enum { M = 7, ROWS = 9, COLS = 40, Y_ROW = ROWS + 2 };
    float x[M * COLS], numbers[ROWS * COLS], got[M * Y_ROW], want[M * Y_ROW];
    uint16_t *const weights = cuda_new(ROWS * COLS * sizeof *weights);    // of which TMA copies
    Rng rng = rng_from_seed(type);
    for (int i = 0; i < M * COLS; i++) x[i] = rng_normal(&rng);
    for (int i = 0; i < ROWS * COLS; i++) numbers[i] = rng_normal(&rng);
    assert_true(dtype_from_floats(type, weights, numbers, ROWS * COLS));
    const WeightRows w = {weights, type, ROWS, COLS};
    kernels_ref.row_product(want, Y_ROW, x, COLS, M, w, ACTIVATIONS_F32);

    open_model("fp32");
    cuda_blas_row_product(got, Y_ROW, x, COLS, M, w, ACTIVATIONS_F32);
    assert_int_equal(cuda_blas_count(), 0);    // the same bits whatever m is: ours
    open_model(choice);
    for (int i = 0; i < M * Y_ROW; i++) got[i] = 77;
    cuda_blas_row_product(got, Y_ROW, x, COLS, 4, w, ACTIVATIONS_F32);
    assert_int_equal(cuda_blas_count(), 0);    // our kernel reads the weights once
    for (int i = 0; i < M * Y_ROW; i++) got[i] = 77;
    cuda_blas_row_product(got, Y_ROW, x, COLS, M, w, ACTIVATIONS_F32);
    assert_int_equal(cuda_blas_count(), by_cublas);
    double worst = 0;
    for (int i = 0; i < M; i++) {
        for (int r = 0; r < ROWS; r++)
            worst = fmax(worst, fabs((double)got[i * Y_ROW + r] - (double)want[i * Y_ROW + r]));
        for (int r = ROWS; r < Y_ROW; r++) assert_true(got[i * Y_ROW + r] == 77);
    }
    // Of 40 products of |x w| < 12 each, with x off by half a unit.
    assert_true(worst > 0 && worst < 40 * 12 * ldexp(1, -mantissa - 1));
    cuda_free(weights);
}

CASE(weights_of_16_bits_are_multiplied_as_they_are)
{
    check_halves("bf16", DTYPE_BF16, 7, 1);
    check_halves("bf16", DTYPE_F16, 10, 1);
    check_halves("wgmma", DTYPE_BF16, 7, 0);
    check_halves("wgmma", DTYPE_F16, 10, 1);
}

// Operands by rows and by columns, and longer rows; sizes beyond a tile.
CASE(single_products_are_computed_by_wgmma_where_that_was_asked_for)
{
    enum { MOST = 140, ROOM = MOST * (MOST + 8) };
    static const int sizes[][3] = {{1, 1, 1}, {5, 131, 9}, {131, 5, 70}, {67, 140, 33}};
    float *const a = cuda_new(ROOM * sizeof *a), *const b = cuda_new(ROOM * sizeof *b),
                 *const got = cuda_new(ROOM * sizeof *got);
    static float want[ROOM];
    Rng rng = rng_from_seed(5);
    // Halves of small numbers are bfloat16, and their products' sums are exact.
    for (int i = 0; i < ROOM; i++) {
        a[i] = (float)(int)(8 * rng_uniform(&rng)) / 2;
        b[i] = (float)(int)(8 * rng_uniform(&rng)) - 4;
    }
    open_model("wgmma");
    assert_string_equal(cuda_blas_name(), "wgmma bf16");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int down = 0; down < 4; down++) {
            const int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
            const size_t gap = 3, c_row = (size_t)n + gap;
            const Mat a_of =
                down & 1 ? (Mat){a, 1, (size_t)m + gap, 0} : (Mat){a, (size_t)k + gap, 1, 0};
            const Mat b_of =
                down & 2 ? (Mat){b, 1, (size_t)k + gap, 0} : (Mat){b, (size_t)n + gap, 1, 0};
            for (int i = 0; i < ROOM; i++) got[i] = want[i] = 1;
            kernels_ref.matmul(want, c_row, 0, a_of, b_of, 1, m, n, k, 0.5f);
            cuda_blas_matmul(got, c_row, 0, a_of, b_of, 1, m, n, k, 0.5f);
            for (int i = 0; i < ROOM; i++)
                if (got[i] != want[i])
                    fail_msg("[%d,%d,%d], form %d: number %d is %g; expected %g", m, n, k, down, i,
                             (double)got[i], (double)want[i]);
        }
    assert_int_equal(cuda_blas_count(), 0);
    // Batches are cuBLAS'.
    cuda_blas_matmul(got, 8, 64, (Mat){a, 8, 1, 64}, (Mat){b, 8, 1, 64}, 2, 8, 8, 8, 0);
    assert_int_equal(cuda_blas_count(), 1);
    cuda_free(a), cuda_free(b), cuda_free(got);
}

CASE(without_cublas_ours_computes_unless_another_rounding_was_asked_for)
{
    float c[4] = {0};
    const float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
    assert_null(cuda_blas_open_library("libcublas_that_is_not_there.so", NULL));
    assert_string_equal(cuda_blas_name(), "own products");
    cuda_blas_matmul(c, 2, 0, (Mat){a, 2, 1, 0}, (Mat){b, 2, 1, 0}, 1, 2, 2, 2, 0);
    assert_true(c[0] == 19 && c[1] == 22 && c[2] == 43 && c[3] == 50);
    assert_string_equal(
        cuda_blas_open_library("libcublas_that_is_not_there.so", "tf32"),
        "LAB_CUDA_PRODUCTS=tf32 needs cuBLAS, and libcublas_that_is_not_there.so was "
        "not found");
    assert_null(cuda_blas_open_library("libcublas_that_is_not_there.so", "wgmma"));
    assert_string_equal(cuda_blas_name(), "wgmma bf16");
    cuda_blas_matmul(c, 2, 0, (Mat){a, 2, 1, 0}, (Mat){b, 2, 1, 0}, 1, 2, 2, 2, 0);
    assert_true(c[0] == 19 && c[1] == 22 && c[2] == 43 && c[3] == 50);
    // A library without cuBLAS' functions.
    assert_null(cuda_blas_open_library("libm.so.6", "fp32"));
    assert_string_equal(cuda_blas_open_library("libm.so.6", "bf16"),
                        "LAB_CUDA_PRODUCTS=bf16 needs cuBLAS, and libm.so.6 could not be started");
    assert_non_null(
        strstr(cuda_blas_open_library(MODEL_CUBLAS, "fp16"), "expected " CUDA_PRODUCTS));
}

CASE(a_handle_is_closed_before_another_is_opened)
{
    void *library = dlopen(MODEL_CUBLAS, RTLD_NOW);
    assert_non_null(library);
    const int *handles = dlsym(library, "model_cublas_handles");
    open_model("fp32");
    open_model("tf32");
    assert_int_equal(*handles, 1);
    open_model("own");
    assert_int_equal(*handles, 0);
    assert_string_equal(cuda_blas_name(), "own products");
    dlclose(library);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(products_agree_with_ref),
        cmocka_unit_test(each_form_of_a_training_step_is_computed_by_cublas),
        cmocka_unit_test(inputs_are_rounded_where_that_was_asked_for),
        cmocka_unit_test(weights_of_16_bits_are_multiplied_as_they_are),
        cmocka_unit_test(single_products_are_computed_by_wgmma_where_that_was_asked_for),
        cmocka_unit_test(without_cublas_ours_computes_unless_another_rounding_was_asked_for),
        cmocka_unit_test(a_handle_is_closed_before_another_is_opened),
    };
    numbers_most = 20000;
    omp_set_num_threads(2);    // cases that compare numbers of threads are left out
    return cmocka_run_group_tests(cases, NULL, NULL);
}
