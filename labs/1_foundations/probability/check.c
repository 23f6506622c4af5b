/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check probability
 *     ./lab check probability.moments
 *
 * Expected values never come from probability.c: they are plain sums, closed forms, textbook
 * examples, NIST's reference data, and integrals computed in quadruple precision. A case calls
 * functions of its own exercise only. Every array ends at a guard page. Samples are compared draw
 * by draw, since the order of draws is part of the contract.
 */
#include "labs/1_foundations/probability/check.h"

const CaseList lab_cases[] = {draw_cases, sample_cases, special_cases,
                              test_cases, chance_cases, NULL};

double *numbers_uniform(Rng *rng, size_t n)
{
    double *x = doubles_filled(n, 0);
    for (size_t i = 0; i < n; i++) x[i] = pr_uniform(rng);
    return x;
}
