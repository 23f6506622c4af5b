/* check.c -- the test cases of the exercises. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check calculus
 *     ./lab check calculus.dual
 *
 * Expected values never come from calculus.c: they are closed forms, values computed by hand, and the
 * course's own tensors. A case calls functions of its own exercise only. Every array ends at a guard
 * page.
 */
#include "labs/1_foundations/calculus/check.h"

const CaseList lab_cases[] = {derivative_cases, engine_cases, gradient_cases,
                              descent_cases,    sum_cases,    NULL};
