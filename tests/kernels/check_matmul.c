// The three products, on shapes that end inside a tile, a panel, a strip, a pass and a block.
#include <math.h>
#include <stdio.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

typedef void Matmul(float *c, const float *a, const float *b, int m, int n, int k, float beta);

// A dense form of the product, by a given table.
static void run(const Kernels *table, Matmul *form, float *c, const float *a, const float *b, int m, int n, int k,
                float beta)
{
    const Kernels before = kernels;
    kernels              = *table;
    form(c, a, b, m, n, k, beta);
    kernels = before;
}

static const int shapes[][3] = {
    {0, 5, 3},       {5, 0, 3},      {5, 3, 0},     {1, 1, 1},       {2, 3, 5},
    {1, 17, 31},     {17, 1, 31},    {7, 13, 1},    {8, 48, 16},     {9, 49, 17},
    {13, 16, 15},    {31, 33, 97},   {33, 10, 64},  {64, 64, 64},    {47, 97, 259},
    {128, 64, 256},  {3, 1031, 257}, {32, 500, 70}, {33, 1100, 270},    // columns in several blocks
    {67, 71, 541},                                                      // k in several passes
    {1009, 19, 290},    // rows of a transposed A far apart
    {129, 257, 130},    // shared among threads
};

// The sum of k products has an error of at most about k roundings of the sum of their sizes
// (Higham 2002, section 3.1), in whatever order it is made; beta c is one product more.
static void bounds(double *bound, Matmul *form, const float *a, const float *b, const float *c,
                   const int *shape, float beta)
{
    const size_t m = (size_t)shape[0], n = (size_t)shape[1], k = (size_t)shape[2];
    float *size_a = numbers_copy(a, m * k), *size_b = numbers_copy(b, k * n);
    float *sizes = numbers_new(m * n, ZEROS);
    for (size_t i = 0; i < m * k; i++) size_a[i] = fabsf(a[i]);
    for (size_t i = 0; i < k * n; i++) size_b[i] = fabsf(b[i]);
    run(&kernels_ref, form, sizes, size_a, size_b, shape[0], shape[1], shape[2], 0);
    for (size_t i = 0; i < m * n; i++) {
        double start = beta == 0 ? 0 : fabs((double)beta * (double)c[i]);
        bound[i]     = (double)(k + 3) * ROUNDING * ((double)sizes[i] + start);
    }
}

static void check_shape(const char *name, const Kernels *table, Matmul *form, const int *shape, float beta)
{
    const int m = shape[0], n = shape[1], k = shape[2];
    const size_t size = (size_t)m * (size_t)n;
    const float *a    = numbers_new((size_t)m * (size_t)k, NORMAL);
    const float *b    = numbers_new((size_t)k * (size_t)n, NORMAL);
    Pair c            = pair_new(size, beta == 0 ? NANS : NORMAL);
    double *bound     = (double *)(void *)numbers_new(2 * size, ZEROS);

    bounds(bound, form, a, b, c.want, shape, beta);
    run(&kernels_ref, form, c.want, a, b, m, n, k, beta);
    run(table, form, c.got, a, b, m, n, k, beta);

    char what[80];
    snprintf(what, sizeof what, "%s [%d,%d,%d] beta %g", name, m, n, k, (double)beta);
    pair_check_within(what, c, bound);
    numbers_free();
}

// A NaN in row 1 of A and one in column 2 of B reach row 1 and column 2 of C, and nothing else.
static void check_nan(const char *name, const Kernels *table, Matmul *form, size_t a_nan, size_t b_nan)
{
    const int m = 11, n = 37, k = 19;
    float *a = numbers_new((size_t)(m * k), NORMAL), *b = numbers_new((size_t)(k * n), NORMAL);
    Pair c   = pair_new((size_t)(m * n), NORMAL);
    a[a_nan] = b[b_nan] = NAN;
    run(&kernels_ref, form, c.want, a, b, m, n, k, 1);
    run(table, form, c.got, a, b, m, n, k, 1);
    pair_check(name, c, k * 1e-6);
    numbers_free();
}

static void check_product(const char *name, const Kernels *table, Matmul *form)
{
    static const float betas[] = {0, 0.5f, 1};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t j = 0; j < sizeof betas / sizeof *betas; j++)
            check_shape(name, table, form, shapes[i], betas[j]);
    check_nan(name, table, form, 30, 60);
}

void check_matmul(const Kernels *table)
{
    check_product("matmul", table, matmul);
    check_product("matmul_nt", table, matmul_nt);
    check_product("matmul_tn", table, matmul_tn);
}
