#include "common/error.h"
#include "common/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool error_set(Error *err, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return false;
}

bool error_wrap(Error *err, const char *format, ...)
{
    if (err == NULL) return false;
    Error context, inner = *err;
    va_list args;
    va_start(args, format);
    vsnprintf(context.message, sizeof context.message, format, args);
    va_end(args);
    return error_set(err, "%s: %s", context.message, inner.message);
}

int error_report(const Error *err)
{
    Error shown = *err;    // file names and what stood in files
    text_clean(shown.message);
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, shown.message);
    return EXIT_FAILURE;
}

int error_print(const char *format, ...)
{
    Error err;
    va_list args;
    va_start(args, format);
    vsnprintf(err.message, sizeof err.message, format, args);
    va_end(args);
    return error_report(&err);
}

_Noreturn void require_failed(const char *file, int line, const char *function, const char *format,
                              ...)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s: ", file, line, function);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
