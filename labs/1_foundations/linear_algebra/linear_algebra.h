/* linear_algebra.h -- what you write in this lab: thirteen functions, from a product to PCA.
 *
 * Matrices are dense, row-major doubles: a [m,n] has its element (i,j) at a[i * n + j]. Vectors of
 * a basis (eigenvectors, singular vectors, components) lie in ROWS, so that each is contiguous:
 * ut + j * m is the j-th left singular vector, and "ut" is U transposed.
 *
 * Any size may be 1, and 0 where nothing else is said: then there is nothing to do. An output is
 * wholly overwritten, what it held does not matter, and it overlaps no input unless it is said.
 * A NaN that goes in must come out: as NaN, or as the function's word for failure.
 * eps is DBL_EPSILON, 2.2e-16; |x| is the length of a vector, the root of the sum of its squares.
 */
#pragma once
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include "common/arena.h"

// 1. The product by its definition:  c[i,j] = sum_p a[i,p] b[p,j].   a: [m,k], b: [k,n], c: [m,n]
void la_matmul(double *c, const double *a, const double *b, int m, int n, int k);

// VECTOR doubles that are added and multiplied as one: with vectors x and y, and a double s,
// y += s * x  does y[i] += s * x[i] for all of them. `*(const Vector *)p` reads them from p[0] on.
#ifdef __x86_64__
enum { VECTOR = 4 };
#else
enum { VECTOR = 2 };
#endif
typedef double Vector __attribute__((vector_size(VECTOR * sizeof(double)), aligned(8), may_alias));

enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_COLUMNS = TILE_VECTORS * VECTOR };

// 2. A tile of C that stays in registers while rows of b and columns of a pass by:
//        c[i * row + j] += sum_p a[p * TILE_ROWS + i] b[p * TILE_COLUMNS + j]
//    for i < TILE_ROWS, j < TILE_COLUMNS, p < k.  `row` is the length of a row of C.
void la_tile(double *c, size_t row, const double *a, const double *b, int k);

enum {
    BLOCK_DEPTH = 256,              // p's in a block: a strip of A and a panel of B fit L1
    BLOCK_ROWS = 20 * TILE_ROWS,    // rows of A in a block: 240 KiB, they stay in L2
    BLOCK_COLUMNS = 512,            // columns of B in a block: 1 MiB
};

// 3. c = a b as in 1, block by block. pack_rows(), pack_columns() and multiply_blocks() are there
//    (linear_algebra.c); the last one calls la_tile and adds to c.
void la_matmul_blocked(double *c, const double *a, const double *b, int m, int n, int k);

// 4. P A = L U, in place: U on and above the diagonal, L (whose diagonal is 1) below it. At step k
//    row k is exchanged with row pivot[k], the one from k on with the largest |a[i,k]|; all of the
//    row, so that L is ordered at the end. Returns 0, or k + 1 for the first pivot that is exactly
//    0: then column k needs no elimination, and the rest goes on.   a: [n,n], pivot: [n]
int la_lu(double *a, int *pivot, int n);

// 5. x = the solution of A x = b, from the LU of A: exchange, forwards through L, backwards through U.
//    b: [n], x: [n]; x may be b.
void la_lu_solve(double *x, const double *lu, const int *pivot, const double *b, int n);

// 6. A = Q R by Householder reflections, in place: R on and above the diagonal. Below it, in column
//    k, the vector v of H_k = I - tau[k] v v', without its first element, which is 1 (at row k).
//    Q = H_0 H_1 ...; tau[k] = 0 stands for H_k = I.   a: [m,n], tau: [min(m,n)]
void la_qr(double *a, double *tau, int m, int n);

// 7. x that makes |A x - b| least, from the QR of A: y = Q' b, then R x = y's first n. What is left,
//    |y[n..m-1]|, is |A x - b|. False when A is deficient: a diagonal element of R is not larger
//    than m eps times the largest; then x holds nothing of use.   n <= m, b: [m], y: [m], x: [n]
bool la_least_squares(double *x, double *y, const double *qr, const double *tau, const double *b,
                      int m, int n);

// 8. The eigenvalue of a that is largest in size, with its vector. x holds a start (not 0); each
//    turn makes it a unit vector, then takes y = a x and *value = x'y. Ends when
//    |y - value x| <= tolerance |value|, and otherwise goes on from y. Returns the number of
//    products, or 0 when `most` were not enough.   a: [n,n], n >= 1; x, y: [n]
int la_power(double *value, double *x, double *y, const double *a, int n, int most,
             double tolerance);

// 9. c = cos, s = sin of the smaller rotation (|s| <= c) after which x and y are at right angles:
//    x' = c x - s y, y' = s x + c y, x'y' = 0, given xx = x'x, xy = x'y, yy = y'y. For xy = 0 it is
//    none: 1, 0. For xx = yy the sign of s is free.
void la_rotation(double *c, double *s, double xx, double xy, double yy);

// 10. All eigenvalues of a symmetric matrix, largest first, and their unit vectors, by Jacobi:
//     a = sum_j values[j] vectors[j]' vectors[j].  Sweep over all p < q; where |a[p,q]| is above
//     eps |a| / n (|a| over all elements, at the start), rotate rows and columns p and q, and rows p
//     and q of `vectors`. Returns the sweeps, the last of which rotated nothing; -1 after SWEEPS.
//     a is destroyed.   a: [n,n], values: [n], vectors: [n,n]
enum { SWEEPS = 40 };
int la_eigen(double *values, double *vectors, double *a, int n);

// 11. The singular value decomposition by one-sided Jacobi, k = min(m,n):
//     a = sum_j s[j] ut[j]' vt[j],  s[0] >= s[1] >= ... >= 0.  Rows of ut and of vt are at right
//     angles and of length 1; where s[j] is 0, the longer one of the two may be 0 instead. Rotate
//     rows p and q until |x'y| <= l eps |x| |y| for all, l = max(m,n). Returns as la_eigen.
//     a: [m,n], ut: [k,m], s: [k], vt: [k,n]
int la_svd(double *ut, double *s, double *vt, const double *a, int m, int n);

// 12. The sum of the first k of these terms: the matrix of rank k that is next to a.   out: [m,n]
void la_low_rank(double *out, const double *ut, const double *s, const double *vt, int m, int n,
                 int k);

// 13. Principal components of the n rows of x, r = min(n,d): the mean row; the directions, largest
//     variance first; the variance along each, with the divisor n - 1 (for n = 1 it is 0). x is not
//     changed: the centred copy comes from the arena. False when the SVD fails.
//     x: [n,d], n >= 1; mean: [d], components: [r,d], variances: [r]
bool la_pca(double *mean, double *components, double *variances, const double *x, int n, int d,
            Arena *scratch);
