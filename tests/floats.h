/* floats.h -- arrays to check a function with, each ending at a guard page (guarded.h).
 *
 *     float *x = floats_normal(&rng, 12), *y = floats_filled(12, NAN), *before = floats_copy(x, 12);
 *     double *w = DOUBLES(3, 4, 5);
 *     int *pivot = ints_filled(3, -1);
 *     thing_forward(y, x, 12);
 *     assert_kept("x", x, before, 12);
 *
 * They are never given back: a case is a few of them, and the end of its process frees them. Filled
 * with NAN they hold what guarded.h puts there, which is told from other NaNs.
 */
#pragma once
#include <stddef.h>
#include "common/rng.h"
#include "tests/near.h"

float *floats_filled(size_t n, float value);
float *floats_normal(Rng *rng, size_t n);    // each from N(0,1)
float *floats_copy(const float *x, size_t n);
double *doubles_filled(size_t n, double value);
double *doubles_zero(size_t n);
double *doubles_copy(const double *x, size_t n);
double *floats_wide(const float *x, size_t n);    // the same numbers as double
int *ints_filled(size_t n, int value);
int *ints_copy(const int *x, size_t n);

#define FLOATS(...)  COPY_OF(float, floats_copy, __VA_ARGS__)
#define DOUBLES(...) COPY_OF(double, doubles_copy, __VA_ARGS__)
#define INTS(...)    COPY_OF(int, ints_copy, __VA_ARGS__)
#define COPY_OF(type, copy, ...)                                                                   \
    copy((const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}) / sizeof(type))

// Fails the case unless x still holds exactly what it held before: an input, const by contract.
#define assert_kept(name, x, before, n)                                                            \
    kept_assert(name, NUMBERS(x), NUMBERS(before), n, __FILE__, __LINE__)
void kept_assert(const char *name, Numbers x, Numbers before, size_t n, const char *file, int line);

// How fast f(argument) grows along each of the n numbers at `at`, which are part of the argument: by
// central differences in double, with an error of about 1e-9 where f is of size 1.
double *slopes(double (*f)(const void *argument), const void *argument, double *at, size_t n);
