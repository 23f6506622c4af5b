/* error.h -- two kinds of failure. A bug of ours stops the program; an I/O or input error is a value.
 *
 *     bool thing_load(Thing *thing, const char *path, Error *err)
 *     {
 *         REQUIRE(path != NULL, "no path was given");                    // our bug: abort()
 *         if (size != expected)                                          // bad input
 *             return error_set(err, "%s: has %zu bytes, expected %zu", path, size, expected);
 *         ...
 *     int main(void) { ... if (!thing_load(&thing, path, &err)) return error_report(&err); }
 *
 * A message says where, what, expected and got, in one sentence. Only a main() prints it.
 */
#pragma once
#include <stdbool.h>

typedef struct Error {
    char message[512];
} Error;

// Writes the message (cut at 511 bytes) and returns false, so that a function can return it.
// err may be NULL when the caller does not care why.
bool error_set(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts "context: " before the message that is there; returns false.
bool error_wrap(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// For a main(): "program: message" to stderr; returns the exit status 1. error_print() has the message
// in hand. What a terminal would obey is shown as '?' (text.h).
int error_report(const Error *err);
int error_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Stops the program with file:line: function: message when the condition does not hold.
#define REQUIRE(condition, ...)                                                                    \
    ((condition) ? (void)0 : require_failed(__FILE__, __LINE__, __func__, __VA_ARGS__))

_Noreturn void require_failed(const char *file, int line, const char *function, const char *format,
                              ...) __attribute__((format(printf, 4, 5)));
