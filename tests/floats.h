/* floats.h -- arrays to check a function with, each ending at a guard page (guarded.h).
 *
 *     float *x = floats_normal(&rng, 12), *y = floats_filled(12, NAN), *before = floats_copy(x, 12);
 *     float *w = FLOATS(3, 4, 5);
 *     thing_forward(y, x, 12);
 *     assert_kept("x", x, before, 12);
 *
 * They are never given back: a case is a few of them, and the end of its process frees them.
 */
#pragma once
#include <stddef.h>
#include "common/rng.h"

float *floats_filled(size_t n, float value);    // NAN: as guarded.h gives it, told from other NaNs
float *floats_normal(Rng *rng, size_t n);       // each from N(0,1)
float *floats_copy(const float *x, size_t n);
#define FLOATS(...)                                                                                \
    floats_copy((const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / sizeof(float))
double *floats_wide(const float *x, size_t n);    // the same numbers as double
double *doubles_zero(size_t n);

// Fails the case unless x still holds exactly what it held before: an input, const by contract.
#define assert_kept(name, x, before, n) kept_assert(name, x, before, n, __FILE__, __LINE__)
void kept_assert(const char *name, const float *x, const float *before, size_t n, const char *file,
                 int line);

// How fast f(argument) grows along each of the n numbers at `at`, which are part of the argument: by
// central differences in double, with an error of about 1e-9 where f is of size 1.
double *slopes(double (*f)(const void *argument), const void *argument, double *at, size_t n);
