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
#include <stdio.h>
#include <string.h>
#include "common/rng.h"
#include "tests/guarded.h"

const CaseList lab_cases[] = {product_cases, system_cases, spectral_cases, svd_cases, NULL};

// ---- arrays ----

double *filled(size_t n, double value)
{
    double *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value;
    return x;
}

double *copy_of(const double *x, size_t n)
{
    double *copy = guarded_new(n, sizeof *copy);
    if (n > 0) memcpy(copy, x, n * sizeof *copy);
    return copy;
}

double *random_matrix(uint64_t seed, int m, int n)
{
    Rng rng = rng_from_seed(seed);
    double *a = filled((size_t)m * (size_t)n, 0);
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
    double *a = filled((size_t)(n * n), 0);
    for (int i = 0; i < n * n; i++) a[i] = 1.0 / (i / n + i % n + 1);
    return a;
}

// ---- norms and products ----

double *product(const double *a, const double *b, int m, int n, int k)
{
    double *c = filled((size_t)m * (size_t)n, 0);
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
    double *turned = filled((size_t)m * (size_t)n, 0);
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
    return distance(x, filled(n, 0), n);
}

double orthonormality_error(const double *rows, int k, int n)
{
    double *square = product(rows, transposed(rows, k, n), k, k, n);
    for (int i = 0; i < k; i++) square[i * k + i] -= 1;
    return norm(square, (size_t)(k * k));
}

// ---- assertions ----

void equals_assert(const char *name, const char *formula, const double *got, const double *want,
                   Shape shape, double eps_units, const char *file, int line)
{
    size_t count = shape_count(shape), wrong = 0, first = 0;
    for (size_t i = 0; i < count; i++) {
        double tolerance = eps_units * DBL_EPSILON * fmax(fabs(want[i]), 1);
        bool same = got[i] == want[i] || fabs(got[i] - want[i]) <= tolerance;
        if (same || (isnan(want[i]) && isnan(got[i]))) continue;
        if (wrong++ == 0) first = i;
    }
    if (wrong == 0) return;
    // near.h compares floats: enough to recognize a pattern, too little to see a lost digit.
    float *narrow = guarded_new(count, sizeof *narrow);
    char text[4096];
    for (size_t i = 0; i < count; i++) narrow[i] = (float)got[i];
    Near near = {.name = name, .formula = formula};
    if (near_report(text, sizeof text, narrow, want, shape, near))
        snprintf(text, sizeof text,
                 "%s\n%s: %zu of %zu not within %g eps, first element %zu: got %.17g, want %.17g\n",
                 formula, name, wrong, count, eps_units, first, got[first], want[first]);
    print_error("%s", text);
    _fail(file, line);
}

void within_assert(const char *formula, double error, double most, const char *file, int line)
{
    if (error <= most * DBL_EPSILON) return;
    print_error("%s is %.3g, that is %.3g eps; expected at most %g eps\n", formula, error,
                error / DBL_EPSILON, most);
    _fail(file, line);
}

void says_assert(const char *formula, int got, int want, const char *file, int line)
{
    if (got == want) return;
    print_error("%s: got %d, want %d\n", formula, got, want);
    _fail(file, line);
}
