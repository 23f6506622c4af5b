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
#include <math.h>
#include <stdio.h>
#include "tests/guarded.h"

const CaseList lab_cases[] = {derivative_cases, engine_cases, gradient_cases,
                              descent_cases,    sum_cases,    NULL};

static bool is_close(double got, double want, const Close *close)
{
    if (isnan(want)) return isnan(got);
    if (close->exact || isinf(want)) return got == want;
    double within = close->within > 0 ? close->within : 1e-12;
    return fabs(got - want) <= within * fmax(1.0, fabs(want));
}

void close_assert(const double *got, const double *want, int n, Close close, const char *file,
                  int line)
{
    int wrong = 0, first = 0;
    for (int i = n - 1; i >= 0; i--)
        if (!is_close(got[i], want[i], &close)) {
            wrong++;
            first = i;
        }
    if (wrong == 0) return;
    char where[96];
    snprintf(where, sizeof where, n == 1 ? "%s" : "%s[%d]", close.name, first);
    print_error("%s\n%s: got %.12g, want %.12g\n", close.formula, where, got[first], want[first]);
    if (n > 1) print_error("%d of %d are wrong, this is the first\n", wrong, n);
    if (fabs(got[first] - want[first]) < 1e-6 * fabs(want[first]))
        print_error("they differ by %.3g\n", got[first] - want[first]);
    _fail(file, line);
}

double *doubles_from(const double *values, int n)
{
    double *copy = guarded_new((size_t)n, sizeof *copy);
    for (int i = 0; i < n; i++) copy[i] = values[i];
    return copy;
}
