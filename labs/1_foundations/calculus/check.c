/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check calculus
 *     ./lab check calculus.dual
 *
 * The wanted values never come from calculus.c: they are closed forms, values computed by hand, and
 * the course's own tensors. A case calls functions of its own exercise only. Every array ends where
 * a page begins that nobody may touch.
 */
#include "labs/1_foundations/calculus/check.h"

const CaseList lab_cases[] = {slope_cases,   engine_cases, gradient_cases,
                              descent_cases, sum_cases,    NULL};
