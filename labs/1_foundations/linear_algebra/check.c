/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check linear_algebra
 *     ./lab check linear_algebra.lu
 *
 * Expected values never come from linear_algebra.c: they are loops in long double, LAPACK, closed
 * forms, and values computed by hand. A factorization is judged by its backward error, the residual
 * of the product of its factors in units of eps: a backward stable method keeps it small for every
 * matrix, however ill-conditioned. Every array ends at a guard page.
 */
#include "labs/1_foundations/linear_algebra/check.h"
#include "common/rng.h"

const CaseList lab_cases[] = {product_cases,  lu_cases,  least_squares_cases,
                              spectral_cases, svd_cases, NULL};

// ---- arrays ----

double *random_matrix(uint64_t seed, int m, int n)
{
    Rng rng = rng_from_seed(seed);
    double *a = doubles_filled((size_t)m * (size_t)n, 0);
    // Two draws, so that more than a float's digits are used.
    for (int i = 0; i < m * n; i++)
        a[i] = (double)rng_normal(&rng) + 1e-8 * (double)rng_normal(&rng);
    return a;
}

double *ranked_matrix(uint64_t seed, int m, int n, int rank)
{
    return product(random_matrix(seed, m, rank), random_matrix(seed + 1, rank, n), m, n, rank);
}

double *symmetric_matrix(uint64_t seed, int n)
{
    double *a = random_matrix(seed, n, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) a[i * n + j] = a[j * n + i];
    return a;
}

double *hilbert_matrix(int n)
{
    double *a = doubles_filled((size_t)(n * n), 0);
    for (int i = 0; i < n * n; i++) a[i] = 1.0 / (i / n + i % n + 1);
    return a;
}

// ---- norms and products ----

double *product(const double *a, const double *b, int m, int n, int k)
{
    double *c = doubles_filled((size_t)m * (size_t)n, 0);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            long double sum = 0;
            for (int p = 0; p < k; p++) sum += (long double)a[i * k + p] * b[p * n + j];
            c[i * n + j] = (double)sum;
        }
    return c;
}

double *transposed(const double *a, int m, int n)
{
    double *turned = doubles_filled((size_t)m * (size_t)n, 0);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) turned[j * m + i] = a[i * n + j];
    return turned;
}

double distance(const double *x, const double *y, size_t n)
{
    long double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += ((long double)x[i] - y[i]) * ((long double)x[i] - y[i]);
    return (double)sqrtl(squares);
}

double norm(const double *x, size_t n)
{
    return distance(x, doubles_filled(n, 0), n);
}

double orthonormality_error(const double *rows, int k, int n)
{
    double *square = product(rows, transposed(rows, k, n), k, k, n);
    for (int i = 0; i < k; i++) square[i * k + i] -= 1;
    return norm(square, (size_t)(k * k));
}
