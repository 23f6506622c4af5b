/* write.h -- text at the end of Bytes.
 *
 *     write_format(&out, "{\"index\":%d}", index);
 */
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/text/bytes.h"

static inline void write_text(Bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text));
}

// At most 255 bytes.
static inline void __attribute__((format(printf, 2, 3)))
write_format(Bytes *out, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    const int bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (bytes > 0)
        bytes_add(out, text, (size_t)bytes < sizeof text ? (size_t)bytes : sizeof text - 1);
}
