/* check.h -- the cases of each part of the lab, and the oracles they share. */
#pragma once
#include <math.h>
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/2_core/sparse_coding/sparse_coding.h"

extern const struct CMUnitTest lasso_cases[];      // soft .. spectral_norm
extern const struct CMUnitTest solver_cases[];     // ista, fista
extern const struct CMUnitTest descent_cases[];    // coordinate_descent
extern const struct CMUnitTest atom_cases[];       // omp, update
extern const struct CMUnitTest lista_cases[];      // lista, lista_backward

#define DICT(K, P, ...) ((Dictionary){K, P, DOUBLES(__VA_ARGS__)})

double *normal(uint64_t seed, size_t n);                       // guarded, from N(0,1)
Dictionary unit_atoms(uint64_t seed, int K, int P);            // guarded
double *correlate(const double *r, const Dictionary *dict);    // D r, [K]
double *residual_of(const double *x, const double *a, const Dictionary *dict);

// The optimality conditions of the lasso, to the tolerance: d_k.r = lambda sign(a[k]) where a[k] is not 0, and
// |d_k.r| <= lambda elsewhere.
void assert_optimal(const double *a, const double *x, const Dictionary *dict, double lambda,
                    double tolerance);

// check_problem.c: problems of these sizes, {K, P}.
enum { PROBLEM_SIZES = 6 };
extern const int problem_sizes[PROBLEM_SIZES][2];
// The same start for all: dense, so that the first steps matter.
typedef struct Problem {
    Dictionary dict;
    double *x, *a, *work, lambda, L;
} Problem;

Problem problem(int K, int P, uint64_t seed);
double soft(double x, double t);

// The solution and the optimality conditions of each lambda; `solve` makes a code of a code of zeros.
void check_minimum(void (*solve)(double *a, const double *x, const Dictionary *dict, double lambda,
                                 double *work));
