/* check.c -- what your functions are held against. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check probability
 *     ./lab check probability.moments
 *
 * The wanted values never come from probability.c: they are plain sums, closed forms, textbooks'
 * examples, NIST's reference data, and integrals computed in quadruple precision. A case calls
 * functions of its own exercise only. Every array ends where a page begins that nobody may touch.
 * What is drawn is compared draw by draw, since the order of draws is part of the promise.
 */
#include "labs/1_foundations/probability/check.h"
#include <stdio.h>
#include <string.h>
#include "tests/guarded.h"

const CaseList lab_cases[] = {draw_cases, sample_cases, test_cases, chance_cases, NULL};

static bool is_close(double got, double want, const Close *close)
{
    if (isnan(want)) return isnan(got);
    if (close->exact || isinf(want)) return got == want;
    bool given = close->rtol > 0 || close->atol > 0;
    double rtol = given ? close->rtol : 1e-12, atol = given ? close->atol : 1e-300;
    return fabs(got - want) <= atol + rtol * fabs(want);
}

void numbers_assert(const double *got, const double *want, size_t n, Close close, const char *file,
                    int line)
{
    size_t wrong = 0, first = 0;
    for (size_t i = n; i-- > 0;)
        if (!is_close(got[i], want[i], &close)) {
            wrong++;
            first = i;
        }
    if (wrong == 0) return;
    char where[96];
    snprintf(where, sizeof where, n == 1 ? "%s" : "%s[%zu]", close.name, first);
    print_error("%s\n%s: got %.12g, want %.12g\n", close.formula, where, got[first], want[first]);
    if (n > 1) print_error("%zu of %zu are wrong, this is the first\n", wrong, n);
    double off = fabs(got[first] / want[first] - 1);
    if (want[first] != 0 && off < 1e-6)
        print_error("they agree to %.0f digits; %.0f are asked for\n", floor(-log10(off)),
                    -log10(close.exact      ? 1e-16
                           : close.rtol > 0 ? close.rtol
                                            : 1e-12));
    _fail(file, line);
}

double *numbers_filled(size_t n, double value)
{
    double *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value;
    return x;
}

double *numbers_copy(const double *x, size_t n)
{
    double *copy = guarded_new(n, sizeof *copy);
    if (n > 0) memcpy(copy, x, n * sizeof *copy);
    return copy;
}

double *numbers_uniform(Rng *rng, size_t n)
{
    double *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = pr_uniform(rng);
    return x;
}

int *whole_numbers(size_t n, int value)
{
    int *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value;
    return x;
}
