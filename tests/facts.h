/* facts.h -- one fact at a time: a failure says what was asked, what came and what was expected.
 *
 *     assert_close(tensor_item(loss), 0.693147, 1e-6);            // |got - want| <= tolerance
 *     assert_integer("la_lu of zeros", la_lu(a, pivot, 3), 1);    // la_lu of zeros: got 0, expected 1
 *     assert_boolean("pr_fit of a NaN", pr_fit(&fit, x, 3), false);
 *     assert_pointer("order[0]", order[0], NULL);
 *     assert_that(x[i] >= 0, "x[%d] is %g; expected a time from 0 on", i, x[i]);
 *
 * cmocka's own assertions say "expected true", or print a count as 0x5, and let a NaN pass. For
 * tensors and arrays there is near.h.
 */
#pragma once
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_that(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error(__VA_ARGS__);                                                              \
            print_error("\n");                                                                     \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)

#define assert_close(got, want, tolerance)                                                         \
    close_assert(#got, got, want, tolerance, __FILE__, __LINE__)
#define assert_boolean(what, got, want) boolean_assert(what, got, want, __FILE__, __LINE__)
#define assert_integer(what, got, want) integer_assert(what, got, want, __FILE__, __LINE__)
#define assert_pointer(what, got, want) pointer_assert(what, got, want, __FILE__, __LINE__)

static inline void close_assert(const char *what, double got, double want, double tolerance,
                                const char *file, int line)
{
    if (got == want || fabs(got - want) <= tolerance) return;
    print_error("%s is %.9g, expected %.9g within %.3g\n", what, got, want, tolerance);
    _fail(file, line);
}

static inline void boolean_assert(const char *what, bool got, bool want, const char *file, int line)
{
    if (got == want) return;
    print_error("%s: got %s, expected %s\n", what, got ? "true" : "false", want ? "true" : "false");
    _fail(file, line);
}

static inline void integer_assert(const char *what, int64_t got, int64_t want, const char *file,
                                  int line)
{
    if (got == want) return;
    print_error("%s: got %" PRId64 ", expected %" PRId64 "\n", what, got, want);
    _fail(file, line);
}

static inline void pointer_assert(const char *what, const void *got, const void *want,
                                  const char *file, int line)
{
    if (got == want) return;
    if (got == NULL) print_error("%s: got NULL, expected %p\n", what, want);
    else if (want == NULL) print_error("%s: got %p, expected NULL\n", what, got);
    else print_error("%s: got %p, expected %p\n", what, got, want);
    _fail(file, line);
}
