/* check.h -- the cases of each part of the lab, in the exercises' order, and what compares. */
#pragma once
#include "tests/cases.h"
#include "labs/1_foundations/probability/probability.h"

extern const struct CMUnitTest draw_cases[];      // uniformity .. alias
extern const struct CMUnitTest sample_cases[];    // moments .. update
extern const struct CMUnitTest test_cases[];      // gamma .. chi_square
extern const struct CMUnitTest chance_cases[];    // bootstrap .. information

// A number is right when  |got - want| <= atol + rtol |want|,  so that a NaN is wrong where none is
// wanted. `formula` says what the exercise asks for.
typedef struct Close {
    const char *name, *formula;
    double rtol, atol;    // both 0: 1e-12 and 1e-300
    bool exact;           // no tolerance at all
} Close;

#define assert_numbers(got, want, n, ...)                                                          \
    numbers_assert(got, want, n, (Close){__VA_ARGS__}, __FILE__, __LINE__)
#define assert_number(got, want, ...)                                                              \
    numbers_assert(&(double){got}, &(double){want}, 1, (Close){__VA_ARGS__}, __FILE__, __LINE__)
void numbers_assert(const double *got, const double *want, size_t n, Close close, const char *file,
                    int line);

// Fails the case with the sentence unless the condition holds.
#define assert_says(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) fail_msg(__VA_ARGS__);                                                   \
    } while (0)

// Arrays that end at a guard page; they are never freed.
double *numbers_filled(size_t n, double value);
double *numbers_copy(const double *x, size_t n);
double *numbers_uniform(Rng *rng, size_t n);    // in [0,1)
int *whole_numbers(size_t n, int value);
#define NUMBERS(...)                                                                               \
    numbers_copy((const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

#define assert_unchanged(name_, x, before, n)                                                      \
    assert_numbers(x, before, n, .name = name_, .exact = true,                                     \
                   .formula = "an input is const: it must not change")

// Both generators must have made the same number of draws.
#define assert_drawn(rng, same, times)                                                             \
    assert_says((rng)->state == (same)->state,                                                     \
                "expected exactly %s; another number "                                             \
                "was drawn",                                                                       \
                times)
