/* check.h -- the cases of each part of the lab, in the order of the exercises; {0} ends a list. */
#pragma once
#include "tests/cases.h"
#include "labs/1_foundations/calculus/calculus.h"

extern const struct CMUnitTest derivative_cases[];    // difference .. dual
extern const struct CMUnitTest engine_cases[];        // push .. backward
extern const struct CMUnitTest gradient_cases[];      // gradient_check
extern const struct CMUnitTest descent_cases[];       // descend .. newton
extern const struct CMUnitTest sum_cases[];           // taylor .. lagrange

// Compares n numbers with the expected ones: right is  |got - want| <= within max(1, |want|),  so that
// a NaN is wrong where none is wanted. `formula` says what the exercise asks for.
typedef struct Close {
    const char *name, *formula;
    double within;    // 0: 1e-12
    bool exact;       // no tolerance at all
} Close;

#define assert_close(got, want, n, ...)                                                            \
    close_assert(got, want, n, (Close){__VA_ARGS__}, __FILE__, __LINE__)
#define assert_number(got, want, ...) assert_close(&(double){got}, &(double){want}, 1, __VA_ARGS__)

void close_assert(const double *got, const double *want, int n, Close close, const char *file,
                  int line);

// Copies that end at a guard page; as floats.h says, they are never freed.
double *doubles_from(const double *values, int n);
#define DOUBLES(...)                                                                               \
    doubles_from((const double[]){__VA_ARGS__},                                                    \
                 (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))
