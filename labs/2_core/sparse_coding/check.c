/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check sparse_coding
 *
 * Expected values never come from sparse_coding.c: they are computed by hand, by plain loops, or are the
 * optimality conditions of the lasso. A case calls functions of its own exercise only. Every array ends at
 * a guard page.
 */
#include "labs/2_core/sparse_coding/check.h"

const CaseList lab_cases[] = {lasso_cases, solver_cases, descent_cases,
                              atom_cases,  lista_cases,  NULL};

double *normal(uint64_t seed, size_t n)
{
    Rng rng = rng_from_seed(seed);
    double *x = doubles_zero(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)rng_normal(&rng);
    return x;
}

Dictionary unit_atoms(uint64_t seed, int K, int P)
{
    double *d = normal(seed, (size_t)K * (size_t)P);
    for (int k = 0; k < K; k++) {
        double squares = 0;
        for (int i = 0; i < P; i++) squares += d[k * P + i] * d[k * P + i];
        for (int i = 0; i < P; i++) d[k * P + i] /= sqrt(squares);
    }
    return (Dictionary){K, P, d};
}

double *correlate(const double *r, const Dictionary *dict)
{
    double *c = doubles_zero((size_t)dict->K);
    for (int k = 0; k < dict->K; k++)
        for (int i = 0; i < dict->P; i++) c[k] += dict->d[k * dict->P + i] * r[i];
    return c;
}

double *residual_of(const double *x, const double *a, const Dictionary *dict)
{
    double *r = doubles_copy(x, (size_t)dict->P);
    for (int k = 0; k < dict->K; k++)
        for (int i = 0; i < dict->P; i++) r[i] -= a[k] * dict->d[k * dict->P + i];
    return r;
}

void assert_optimal(const double *a, const double *x, const Dictionary *dict, double lambda,
                    double tolerance)
{
    const double *c = correlate(residual_of(x, a, dict), dict);
    for (int k = 0; k < dict->K; k++) {
        double wrong =
            a[k] != 0 ? fabs(c[k] - (a[k] > 0 ? lambda : -lambda)) : fmax(fabs(c[k]) - lambda, 0);
        assert_that(wrong <= tolerance,
                    "not optimal: a[%d] is %g and d.r %g; expected %s lambda = %g within %g", k,
                    a[k], c[k], a[k] != 0 ? "sign(a[k]) times" : "at most", lambda, tolerance);
    }
}
