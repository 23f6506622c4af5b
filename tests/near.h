/* near.h -- holds a computed tensor against the wanted one, and says what a difference looks like.
 *
 *     assert_near(dw, want, SHAPE(O, I), .name = "dw", .formula = "dw[o,i] += sum_b dy[b,o] x[b,i]",
 *                 .batch = B, .added_to = dw_before);
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
 * An element is right when |got - want| <= atol + rtol |want|, written so that a NaN is wrong.
 * `want` is double, so that an oracle need not round. Nothing is owned or kept.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/tensor.h"

// Only the name is needed. What is known besides is used to recognise the mistake.
typedef struct Near {
    const char *name;         // of the tensor: "dw"
    const char *formula;      // what the exercise says: "dw[o,i] += sum_b dy[b,o] x[b,i]"
    double atol, rtol;        // both 0: 1e-5 and 1e-5
    bool exact;               // no tolerance at all
    int batch;                // B, when the result is averaged over a batch
    const float *added_to;    // what got held before the call, when the function must add to it
    const float *replaces;    // the same, when the function must overwrite it
} Near;

// Writes the report (empty when all is near) and returns whether all is near.
bool near_report(char *text, size_t size, const float *got, const double *want, Shape shape,
                 Near near);

#define assert_near(got, want, shape, ...)                                                         \
    near_assert(got, want, shape, (Near){__VA_ARGS__}, __FILE__, __LINE__)

void near_assert(const float *got, const double *want, Shape shape, Near near, const char *file,
                 int line);

// The same for a function that returns a tensor: its shape is compared first, and a NULL is said.
#define assert_tensor_near(got, want, shape, ...)                                                  \
    near_tensor_assert(got, want, shape, (Near){__VA_ARGS__}, __FILE__, __LINE__)

bool near_tensor_report(char *text, size_t size, const Tensor *got, const double *want, Shape shape,
                        Near near);
void near_tensor_assert(const Tensor *got, const double *want, Shape shape, Near near,
                        const char *file, int line);
