/* linear_algebra.h -- what you write in this lab: thirteen functions, from a product to PCA.
 *
 * Matrices are dense, row-major doubles: a [m,n] has its element (i,j) at a[i * n + j]. Basis
 * vectors (eigenvectors, singular vectors, components) lie in ROWS, so that each is contiguous:
 * ut + j * m is the j-th left singular vector, and "ut" is U^T.
 *
 * Any size may be 1, and 0 unless a minimum is given: then there is nothing to do. Outputs are
 * wholly overwritten and overlap no input, unless stated otherwise. A NaN in the input propagates:
 * to the output, or to the return value that stands for failure. Magnitudes of 1e200 and 1e-200 are
 * as good as 1: what squares numbers scales them first, as LAPACK does (scale_of() and rescale() in
 * linear_algebra.c are provided). Nothing is kept between calls.
 * eps is DBL_EPSILON, 2.2e-16; |x| is the Euclidean norm of a vector, |A| the Frobenius norm.
 */
#pragma once
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include "common/arena.h"

// 1. Matrix product by definition:  c[i,j] = sum_p a[i,p] b[p,j].   a: [m,k], b: [k,n], c: [m,n]
void la_matmul(double *c, const double *a, const double *b, int m, int n, int k);

// A SIMD vector of VECTOR doubles: with vectors x and y and a double s,  y += s * x  does
// y[i] += s * x[i] for all of them. `*(const Vector *)p` loads p[0] .. p[VECTOR - 1].
#ifdef __x86_64__
enum { VECTOR = 4 };
#else
enum { VECTOR = 2 };
#endif
typedef double Vector __attribute__((vector_size(VECTOR * sizeof(double)), aligned(8), may_alias));

enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_COLUMNS = TILE_VECTORS * VECTOR };

// 2. The micro-kernel: adds a product to a tile of C that is kept in registers:
//        c[i * row + j] += sum_p a[p * TILE_ROWS + i] b[p * TILE_COLUMNS + j]
//    for i < TILE_ROWS, j < TILE_COLUMNS, p < k.  `row` is the length of a row of C.
void la_tile(double *c, size_t row, const double *a, const double *b, int k);

enum {
    BLOCK_DEPTH = 256,              // k of a block: a strip of A and a panel of B fit in L1
    BLOCK_ROWS = 20 * TILE_ROWS,    // rows of a block of A: 240 KiB, fits in L2
    BLOCK_COLUMNS = 512,            // columns of a block of B: 1 MiB
};

// 3. c = a b as in 1, blocked for the caches. pack_rows(), pack_columns() and multiply_blocks() are
//    provided in linear_algebra.c; the last one calls la_tile and accumulates into c.
//    Every element is computed by it.
void la_matmul_blocked(double *c, const double *a, const double *b, int m, int n, int k);

// 4. LU factorization with partial pivoting, P A = L U, in place: U on and above the diagonal, the
//    unit lower triangular L below it. Step k swaps all of rows k and pivot[k], the row i >= k
//    with the largest |a[i,k]|. Returns 0, or k + 1 for the first pivot that is exactly 0: column k
//    then needs no elimination, and the factorization continues.   a: [n,n], pivot: [n]
int la_lu(double *a, int *pivot, int n);

// 5. Solves A x = b from the LU factorization of A: swap the rows of b, then forward substitution
//    with L, back substitution with U.   b: [n], x: [n]; x may be b.
void la_lu_solve(double *x, const double *lu, const int *pivot, const double *b, int n);

// 6. QR factorization by Householder reflections, in place: R on and above the diagonal. Below it,
//    in column k, the vector v of H_k = I - tau[k] v v^T without its first element, which is 1 (at
//    row k).  Q = H_0 H_1 ...;  tau[k] = 0 stands for H_k = I.   a: [m,n], tau: [min(m,n)]
void la_qr(double *a, double *tau, int m, int n);

// 7. Least squares: the x that minimizes |A x - b|, from the QR factorization of A: y = Q^T b, then
//    R x = y[0..n-1]. The residual norm |A x - b| is |y[n..m-1]|. False when A is rank deficient: a
//    diagonal element of R is not above m eps times the largest; x is then unspecified.
//    n <= m, b: [m], y: [m], x: [n]
bool la_least_squares(double *x, double *y, const double *qr, const double *tau, const double *b,
                      int m, int n);

// 8. Power iteration: the dominant eigenvalue of a (the largest in absolute value) and its
//    eigenvector. x holds a starting vector (not 0, of any length); each iteration normalizes x, then computes
//    y = a x and the Rayleigh quotient *value = x^T y. Converged when |y - value x| <= tolerance
//    |value|; otherwise the next x is y. Returns the number of iterations, or 0 when it has not
//    converged after max_iterations; 0 of these leave x unchanged.   a: [n,n], n >= 1; x, y: [n]
int la_power(double *value, double *x, double *y, const double *a, int n, int max_iterations,
             double tolerance);

// 9. Jacobi rotation: c = cos, s = sin of the smaller angle (|s| <= c) that makes two vectors
//    orthogonal. With u = c x - s y and w = s x + c y:  u^T w = 0, given xx = x^T x, xy = x^T y,
//    yy = y^T y. For xy = 0 it is the identity: 1, 0. For xx = yy the sign of s is free.
void la_rotation(double *c, double *s, double xx, double xy, double yy);

// 10. Eigendecomposition of a symmetric matrix by Jacobi's method: eigenvalues in descending order
//     and unit eigenvectors,  a = sum_j values[j] vectors[j]^T vectors[j].  A sweep visits all
//     p < q; where |a[p,q]| is above eps |a| / n (|a| at the start), it rotates rows and columns p
//     and q, and rows p and q of `vectors`. Returns the number of sweeps, the last of which rotated
//     nothing; -1 when it has not converged after SWEEPS.
//     a is destroyed.   a: [n,n], values: [n], vectors: [n,n]
enum { SWEEPS = 40 };
int la_eigen(double *values, double *vectors, double *a, int n);

// 11. Singular value decomposition by one-sided Jacobi, k = min(m,n):
//     a = sum_j s[j] ut[j]^T vt[j],  s[0] >= s[1] >= ... >= 0.  Rows of ut and of vt are
//     orthonormal; where s[j] is 0, the longer one of the two may be 0 instead. Rotate rows p and q
//     until |x^T y| <= l eps |x| |y| for all pairs, l = max(m,n). A row whose norm is below 1e-150 of
//     the largest element may count as 0. Returns as la_eigen.
//     a: [m,n], ut: [k,m], s: [k], vt: [k,n]
int la_svd(double *ut, double *s, double *vt, const double *a, int m, int n);

// 12. Low-rank approximation: the sum of the first k of these terms, the matrix of rank k closest
//     to a.   out: [m,n]
void la_low_rank(double *out, const double *ut, const double *s, const double *vt, int m, int n,
                 int k);

// 13. Principal component analysis of the n rows of x, r = min(n,d): the mean row; the components,
//     in descending order of variance; the variance along each, with divisor n - 1 (0 for n = 1).
//     x is unchanged; the centered copy is in the arena. False when the SVD does not converge.
//     x: [n,d], n >= 1; mean: [d], components: [r,d], variances: [r]
bool la_pca(double *mean, double *components, double *variances, const double *x, int n, int d,
            Arena *scratch);
