/* check.h -- the cases of each part of the lab, and how results are compared: in units of eps.
 *
 *     double *a = random_matrix(7, 5, 3), *before = doubles_copy(a, 15);
 *     la_qr(a, tau, 5, 3);
 *     assert_within("|A - QR| / |A|", distance(qr, before, 15) / norm(before, 15), 20);
 *     assert_kept("a", a, before, 15);
 *
 * Arrays end at a guard page and are never freed. Sums are kept in long double.
 */
#pragma once
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "tests/near.h"

extern const struct CMUnitTest product_cases[];          // matmul, tile, matmul_blocked
extern const struct CMUnitTest lu_cases[];               // lu, lu_solve
extern const struct CMUnitTest least_squares_cases[];    // qr, least_squares
extern const struct CMUnitTest spectral_cases[];         // power, rotation, eigen
extern const struct CMUnitTest svd_cases[];              // svd, low_rank, pca

static inline int min(int a, int b)
{
    return a < b ? a : b;
}

double *random_matrix(uint64_t seed, int m, int n);              // each element from N(0,1)
double *ranked_matrix(uint64_t seed, int m, int n, int rank);    // of that rank, up to rounding
double *symmetric_matrix(uint64_t seed, int n);
double *hilbert_matrix(int n);

double *product(const double *a, const double *b, int m, int n, int k);
double *transposed(const double *a, int m, int n);    // [n,m]
double norm(const double *x, size_t n);               // Euclidean; of a matrix: Frobenius
double distance(const double *x, const double *y, size_t n);
double orthonormality_error(const double *rows, int k, int n);    // |X X^T - I|; X: [k,n]
