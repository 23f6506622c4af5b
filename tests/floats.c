#include "tests/floats.h"
#include <math.h>
#include <string.h>
#include "tests/guarded.h"

static void *copy_of(const void *x, size_t n, size_t each)
{
    void *copy = guarded_new(n, each);
    if (n > 0) memcpy(copy, x, n * each);
    return copy;
}

float *floats_filled(size_t n, float value)
{
    float *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n && !isnan(value); i++) x[i] = value;
    return x;
}

float *floats_normal(Rng *rng, size_t n)
{
    float *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = rng_normal(rng);
    return x;
}

float *floats_copy(const float *x, size_t n)
{
    return copy_of(x, n, sizeof *x);
}

double *doubles_filled(size_t n, double value)
{
    double *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n && !isnan(value); i++) x[i] = value;
    return x;
}

double *doubles_zero(size_t n)
{
    return doubles_filled(n, 0);
}

double *doubles_copy(const double *x, size_t n)
{
    return copy_of(x, n, sizeof *x);
}

double *floats_wide(const float *x, size_t n)
{
    double *wide = guarded_new(n, sizeof *wide);
    for (size_t i = 0; i < n; i++) wide[i] = (double)x[i];
    return wide;
}

int *ints_filled(size_t n, int value)
{
    int *x = guarded_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value;
    return x;
}

int *ints_copy(const int *x, size_t n)
{
    return copy_of(x, n, sizeof *x);
}

void kept_assert(const char *name, Numbers x, Numbers before, size_t n, const char *file, int line)
{
    Near near = {.name = name, .exact = true, .formula = "an input is const: it must not change"};
    const double *want = x.floats != NULL ? floats_wide(before.floats, n) : before.doubles;
    near_assert(x, want, SHAPE((int)n), near, file, line);
}

static double slope(double (*f)(const void *), const void *argument, double *at)
{
    const double step = 1e-5, here = *at;
    *at = here + step;
    double above = f(argument);
    *at = here - step;
    double below = f(argument);
    *at = here;
    return (above - below) / (2 * step);
}

double *slopes(double (*f)(const void *argument), const void *argument, double *at, size_t n)
{
    double *all = doubles_zero(n);
    for (size_t i = 0; i < n; i++) all[i] = slope(f, argument, &at[i]);
    return all;
}
