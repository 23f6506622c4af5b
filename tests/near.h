/* near.h -- holds computed numbers against the wanted ones, and says what a difference looks like.
 *
 *     assert_near(dw, want, SHAPE(O, I), .name = "dw", .formula = "dw[o,i] += sum_b dy[b,o] x[b,i]",
 *                 .batch = B, .added_to = dw_before);
 *     assert_near(x, ((double[]){3, 1}), SHAPE(2), .name = "x", .formula = "L U x = P b", .eps = 4);
 *     assert_number(pr_variance(&m), 2.5, .name = "variance", .rtol = 1e-12);
 *
 * A failure ends the running cmocka case with a report for a learner to read:
 *
 *     dw[o,i] += sum_b dy[b,o] x[b,i]
 *     dw [2,3]: 6 of 6 outside 1e-05 + 1e-05 |want|, first at [0,0]: got 4, want 1
 *       row 0  XXX
 *       row 1  XXX
 *       got  [0,:]  4 8 12
 *       want [0,:]  1 2 3
 *     looks like: got = 4 x want: is a factor 1/B missing? (B = 4)
 *
 * `got` is an array of floats or of doubles; `want` is double, so that an oracle need not round. An
 * element is right when |got - want| <= atol + rtol |want|, or within so many eps: a NaN is right
 * where a NaN is wanted and nowhere else, and so is an infinity. Nothing is owned or kept.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/tensor.h"

// An array of either type; made by NUMBERS(x).
typedef struct Numbers {
    const float *floats;    // NULL: they are doubles
    const double *doubles;
} Numbers;

static inline Numbers numbers_of_floats(const float *x)
{
    return (Numbers){.floats = x};
}

static inline Numbers numbers_of_doubles(const double *x)
{
    return (Numbers){.doubles = x};
}

#define NUMBERS(x)                                                                                 \
    _Generic((x), float *: numbers_of_floats, const float *: numbers_of_floats,                    \
             double *: numbers_of_doubles, const double *: numbers_of_doubles)(x)

// Only the name is needed. What is known besides is used to recognise the mistake.
typedef struct Near {
    const char *name;       // of the tensor: "dw"
    const char *formula;    // what the exercise says: "dw[o,i] += sum_b dy[b,o] x[b,i]"
    double atol, rtol;      // neither given: 1e-5 and 1e-5 for floats, 1e-12 and 1e-12 for doubles
    double eps;    // in their place: so many DBL_EPSILON of |want|, of 1 where that is less
    bool exact;    // no tolerance at all
    int batch;     // B, when the result is averaged over a batch
    const void *added_to;    // what got held before the call, when the function must add to it
    const void *replaces;    // the same, when it must overwrite; both of got's type
} Near;

// Writes the report (empty when all is near) and returns whether all is near.
bool near_report(char *text, size_t size, Numbers got, const double *want, Shape shape, Near near);

#define assert_near(got, want, shape, ...)                                                         \
    near_assert(NUMBERS(got), want, shape, (Near){__VA_ARGS__}, __FILE__, __LINE__)
void near_assert(Numbers got, const double *want, Shape shape, Near near, const char *file,
                 int line);

// One number, a double.
#define assert_number(got, want, ...)                                                              \
    near_assert(numbers_of_doubles(&(double){got}), &(double){want}, SCALAR, (Near){__VA_ARGS__},  \
                __FILE__, __LINE__)

// An error that was divided by the size of what it is an error of: at most `most` DBL_EPSILON.
#define assert_within(formula, error, most) within_assert(formula, error, most, __FILE__, __LINE__)
void within_assert(const char *formula, double error, double most, const char *file, int line);

// As assert_near for a function that returns a tensor: its shape is compared first, and a NULL is said.
#define assert_tensor_near(got, want, shape, ...)                                                  \
    near_tensor_assert(got, want, shape, (Near){__VA_ARGS__}, __FILE__, __LINE__)

bool near_tensor_report(char *text, size_t size, const Tensor *got, const double *want, Shape shape,
                        Near near);
void near_tensor_assert(const Tensor *got, const double *want, Shape shape, Near near,
                        const char *file, int line);
