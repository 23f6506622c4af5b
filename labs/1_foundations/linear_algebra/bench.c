/* bench.c -- matrix products beside OpenBLAS, and factorizations beside LAPACK, all in double.
 *
 *     ./lab bench linear_algebra --mine
 *
 * Products by definition only up to 512. With several threads each makes some rows of C.
 */
#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <string.h>
#include "bench/exercises.h"
#include "common/rng.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"

enum { LARGEST = 2048, ALL = LARGEST * LARGEST };

// As a and b are made at the start, all calls see the same.
static double a[ALL], b[ALL], c[ALL], d[ALL], s[LARGEST];
static int pivot[LARGEST];

static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (int i = 0; i < ALL; i++) a[i] = (double)rng_normal(&rng), b[i] = (double)rng_normal(&rng);
}

static void copy_to(double *to, int n)
{
    memcpy(to, a, sizeof *a * (size_t)n * (size_t)n);
}

// ---- the exercises: each leaves a number to be compared ----

// Rows of C do not depend on each other: each thread makes some of them.
static void multiply(Solution *solution, float *const *found, int n)
{
    int threads = omp_get_max_threads(), tiles = (n + TILE_ROWS - 1) / TILE_ROWS;
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int first = tiles * t / threads * TILE_ROWS, end = tiles * (t + 1) / threads * TILE_ROWS;
        if (end > n) end = n;
        AS(la_matmul, solution)(c + (size_t)first * n, a + (size_t)first * n, b, end - first, n, n);
    }
    found[0][0] = (float)c[n * n - 1];
}

static void factor_lu(Solution *solution, float *const *found, int n)
{
    copy_to(c, n);
    AS(la_lu, solution)(c, pivot, n);
    found[0][0] = (float)c[0];
}

static void factor_qr(Solution *solution, float *const *found, int n)
{
    copy_to(c, n);
    AS(la_qr, solution)(c, s, n, n);
    found[0][0] = (float)c[0];
}

static void factor_eigen(Solution *solution, float *const *found, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) c[i * n + j] = a[i * n + j] + a[j * n + i];
    AS(la_eigen, solution)(s, d, c, n);
    found[0][0] = (float)s[0];
}

static void factor_svd(Solution *solution, float *const *found, int n)
{
    AS(la_svd, solution)(c, s, d, a, n, n);
    found[0][0] = (float)s[0];
}

// ---- OpenBLAS's and LAPACK's ----

static void blas_multiply(int n)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
}

static void lapack_lu(int n)
{
    copy_to(c, n);
    LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, n, n, c, n, pivot);
}

static void lapack_qr(int n)
{
    copy_to(c, n);
    LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n, n, c, n, s);
}

static void lapack_eigen(int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) c[i * n + j] = a[i * n + j] + a[j * n + i];
    LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', n, c, n, s);
}

static void lapack_svd(int n)
{
    static double u[ALL];
    copy_to(c, n);
    LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'A', n, n, c, n, s, u, n, d, n);
}

// ---- the table ----

#define CALLS(exercise, n, call, rival)                                                            \
    static void exercise##_##n(Solution *solution, float *const *found)                            \
    {                                                                                              \
        call(solution, found, n);                                                                  \
    }                                                                                              \
    static void exercise##_##n##_rival(float *const *found)                                        \
    {                                                                                              \
        (void)found;                                                                               \
        rival(n);                                                                                  \
    }

// clang-format off
#define ROW(exercise, n, rival, flops)                                                             \
    {#exercise, "la_" #exercise, #n " x " #n, exercise##_##n, .arrays = {WRITES(1)},               \
     .rivals = {{rival, exercise##_##n##_rival}}, .double_flops = flops},

#define PRODUCTS(X)                                                                                \
    X(matmul, 64) X(matmul, 128) X(matmul, 256) X(matmul, 512)                                     \
    X(matmul_blocked, 64) X(matmul_blocked, 128) X(matmul_blocked, 256)                            \
    X(matmul_blocked, 512) X(matmul_blocked, 1024) X(matmul_blocked, 2048)
#define PRODUCT_CALLS(exercise, n) CALLS(exercise, n, multiply, blas_multiply)
#define PRODUCT_ROW(exercise, n) ROW(exercise, n, "OpenBLAS", 2.0 * n * n * n)

#define FACTORS(X) X(lu, 512) X(qr, 512) X(eigen, 128) X(svd, 128)
#define FACTOR_CALLS(exercise, n) CALLS(exercise, n, factor_##exercise, lapack_##exercise)
#define FACTOR_ROW(exercise, n) ROW(exercise, n, "LAPACK", 0)

PRODUCTS(PRODUCT_CALLS)
FACTORS(FACTOR_CALLS)
static const Workload workloads[] = {PRODUCTS(PRODUCT_ROW) FACTORS(FACTOR_ROW) {0}};
// clang-format on

int main(int argc, char **argv)
{
    inputs_make();
    return exercises_main("linear_algebra", workloads, argc, argv);
}
