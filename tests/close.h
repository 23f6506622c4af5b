/* close.h -- two numbers that agree within a tolerance; unlike cmocka's, NaN does not pass.
 *
 *     assert_close(tensor_item(loss), 0.693147, 1e-6);    // |got - want| <= tolerance
 *
 * For tensors there is near.h.
 */
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define assert_close(got, want, tolerance)                                                         \
    close_assert(#got, got, want, tolerance, __FILE__, __LINE__)

static inline void close_assert(const char *what, double got, double want, double tolerance,
                                const char *file, int line)
{
    if (fabs(got - want) <= tolerance) return;
    print_error("%s is %.9g, expected %.9g within %.3g\n", what, got, want, tolerance);
    _fail(file, line);
}
