/* sparse_coding.h -- what you write in this lab: ten functions of a few lines each.
 *
 * A signal x [P] is written as a sum of few atoms: x = sum_k a[k] d[k,:], with most a[k] equal to 0. The
 * one objective of this lab is the lasso's, in this form and no other:
 *
 *     f(a) = 1/2 |x - sum_k a[k] d[k,:]|^2 + lambda sum_k |a[k]|
 *
 *     P            numbers of a signal: pixels of a patch
 *     K            atoms of the dictionary, more or fewer than P
 *     d [K,P]      the dictionary; an atom is a row
 *     a [K]        the code
 *
 * Everything is dense, row-major and in double. Any size may be 1. An output never overlaps an input.
 * Inputs are not modified. The same arrays may be passed again with other contents. A NaN in an input
 * propagates to every output that depends on it. Atoms have lengths from 1e-150 to 1e150, or are 0; signals, codes
 * and lambda may be as small as 1e-300 and as large as 1e300 where what they are multiplied to is, too.
 */
#pragma once
#include <stddef.h>

typedef struct Dictionary {
    int K, P;
    const double *d;    // [K,P]
} Dictionary;

// 1. The soft threshold, the minimum over z of 1/2 (z - x)^2 + t |z|: x moved towards 0 by t, and 0 where
//    |x| <= t.   t >= 0
double sc_soft(double x, double t);

// 2. f(a).
double sc_objective(const double *a, const double *x, const Dictionary *dict, double lambda);

// 3. The spectral norm of D D^T, its largest eigenvalue, by power iteration: beginning at u[k] = 2 + cos k, u [K] is
//    replaced by D (D^T u) and scaled to length 1, `iterations` times; returned is |D^T u|^2 of the last.
//    0 where D is 0. work: [K + P]   iterations >= 1
double sc_spectral_norm(const Dictionary *dict, int iterations, double *work);

// 4. ISTA, from the a that it is given: `iterations` times
//      a = soft(a + 1/L D (x - D^T a), lambda / L)      for each of the K numbers
//    where L is at least the spectral norm. work: [P]
void sc_ista(double *a, const double *x, const Dictionary *dict, double lambda, double L,
             int iterations, double *work);

// 5. FISTA (Beck & Teboulle 2009): with y = a and t = 1 at first, `iterations` times
//      new = soft(y + 1/L D (x - D^T y), lambda / L)
//      t'  = (1 + sqrt(1 + 4 t^2)) / 2
//      y   = new + (t - 1) / t' (new - a);  a = new;  t = t'
//    work: [P + 2 K]
void sc_fista(double *a, const double *x, const Dictionary *dict, double lambda, double L,
              int iterations, double *work);

// 6. Coordinate descent: sweeps over the atoms, 0 to K-1. Each a[k] becomes the minimum of f with all others
//    as they are now: soft(d_k.(x - sum_{j != k} a[j] d_j), lambda) / |d_k|^2, and stays where the atom is 0.
//    Ends after the first sweep in which no a[k] changed by more than the tolerance; returns the number of
//    sweeps, or 0 where even sweep number `most` changed more, or a NaN came up. work: [P]
int sc_coordinate_descent(double *a, const double *x, const Dictionary *dict, double lambda,
                          double tolerance, int most, double *work);

// 7. Orthogonal matching pursuit: up to `atoms` times, takes the atom that has the largest |d_k.r| with the
//    residual r (the first of several), and fits the coefficients of all taken atoms by least squares; the
//    others are 0. Ends early where the largest is not above 1e-12 |x|, all K are taken, or the best one is
//    a sum of those taken. Atoms have length 1. Returns how many were taken. Where a d_k.r is NaN, all of a
//    become NaN, and it returns 0.
//    work: [P + 2 K + K P + K K], for whatever you like
int sc_omp(double *a, const double *x, const Dictionary *dict, int atoms, double *work);

// 8. Moves the dictionary towards n signals' codes (Mairal et al. 2009, Algorithm 2), given
//    A [K,K] = sum_n a a^T and B [K,P] = sum_n a x^T: for each atom in turn, with those of now,
//      d_k = d_k + (B_k - sum_j A[k,j] d_j) / A[k,k],   then scaled to length 1.
//    An atom whose A[k,k] is 0, or that would become 0, stays as it was. d: [K,P]; work: [P]
void sc_update(double *d, const double *A, const double *B, int K, int P, double *work);

// A learned encoder, LISTA (Gregor & LeCun 2010): `layers` iterations of ISTA as a network, whose layers
// share one set of weights.
typedef struct Encoder {
    int K, P, layers;           // layers >= 1
    const double *W;            // [K,P]; ISTA's is D / L
    const double *S;            // [K,K]; ISTA's is I - D D^T / L
    const double *threshold;    // [K], none below 0; ISTA's are lambda / L
} Encoder;

// 9. The codes after each layer, from a code of 0:
//      codes[t] = soft(W x + S codes[t-1], threshold)      with codes[-1] = 0
//    The last row is the encoder's output. codes: [layers,K]; work: [K]
void sc_lista(double *codes, const double *x, const Encoder *encoder, double *work);

// 10. Adds to g, of the encoder's shapes, the gradient of a loss whose gradient with
//     respect to the last row of the codes is g_code [K]. `codes` are those that sc_lista made of x. Where a code is 0 the
//     slope of its soft threshold is 0. work: [2 K]
typedef struct EncoderGradient {
    double *W, *S, *threshold;
} EncoderGradient;
void sc_lista_backward(EncoderGradient g, const double *g_code, const double *codes,
                       const double *x, const Encoder *encoder, double *work);
