/* check.h -- the cases of each part of the lab, and how results are compared: in units of eps.
 *
 *     double *a = random_matrix(7, 5, 3), *before = copy_of(a, 15);
 *     la_qr(a, tau, 5, 3);
 *     assert_within("|A - QR| / |A|", distance(qr, before, 15) / norm(before, 15), 20);
 *     assert_unchanged("a", a, before, 15);
 *
 * Arrays end at a guard page and are never freed. Sums are kept in long double.
 */
#pragma once
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "tests/cases.h"
#include "tests/near.h"

extern const struct CMUnitTest product_cases[];     // matmul, tile, matmul_blocked
extern const struct CMUnitTest system_cases[];      // lu, lu_solve, qr, least_squares
extern const struct CMUnitTest spectral_cases[];    // power, rotation, eigen
extern const struct CMUnitTest svd_cases[];         // svd, low_rank, pca

static inline int min(int a, int b)
{
    return a < b ? a : b;
}

double *filled(size_t n, double value);
double *copy_of(const double *x, size_t n);
double *random_matrix(uint64_t seed, int m, int n);              // each element from N(0,1)
double *ranked_matrix(uint64_t seed, int m, int n, int rank);    // of that rank, up to rounding
double *symmetric_matrix(uint64_t seed, int n);
double *hilbert_matrix(int n);

double *product(const double *a, const double *b, int m, int n, int k);
double *transposed(const double *a, int m, int n);    // [n,m]
double norm(const double *x, size_t n);               // Euclidean; of a matrix: Frobenius
double distance(const double *x, const double *y, size_t n);
double orthonormality_error(const double *rows, int k,
                            int n);    // |X X^T - I|, over rows of length n

// Element by element, within `eps_units` eps of |want|, or of 1 where that is smaller; 0: exactly.
#define assert_equals(name, formula, got, want, shape, eps_units)                                  \
    equals_assert(name, formula, got, want, shape, eps_units, __FILE__, __LINE__)
void equals_assert(const char *name, const char *formula, const double *got, const double *want,
                   Shape shape, double eps_units, const char *file, int line);

// A relative error of at most `most` eps; NaN fails.
#define assert_within(formula, error, most) within_assert(formula, error, most, __FILE__, __LINE__)
void within_assert(const char *formula, double error, double most, const char *file, int line);

#define assert_says(formula, got, want) says_assert(formula, got, want, __FILE__, __LINE__)
void says_assert(const char *formula, int got, int want, const char *file, int line);

#define assert_holds(condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error(__VA_ARGS__);                                                              \
            print_error("\n");                                                                     \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)

#define assert_unchanged(name, x, before, n)                                                       \
    assert_equals(name, "an input is const: it must not change", x, before, SHAPE((int)(n)), 0)
