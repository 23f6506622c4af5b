/* trace.h -- a look inside: what each kernel costs, and the first whose output is not finite.
 *
 *     trace_start(true, false);                        // before or after device_use
 *     ...
 *     TraceRow rows[KERNEL_COUNT];
 *     trace_rows(rows);                                // calls, seconds, flops, bytes of each
 *
 * Every entry of the table in use is then one that is made from the list, which calls the device's and
 * counts. Off, nothing is in between.
 */
#pragma once
#include "kernels/kernels.h"

enum {
#define X(name, prototype, arguments, work) KERNEL_##name,
    KERNEL_LIST(X)
#undef X
        KERNEL_COUNT
};

typedef struct TraceRow {
    const char *kernel;
    long calls;
    double seconds, flops, bytes;
} TraceRow;

// Counts and times each call, and looks at its output (check), from 0 on. On another device than the host's each
// call then waits for its end.
void trace_start(bool profile, bool check);
void trace_rows(TraceRow rows[KERNEL_COUNT]);

// "kernels.exp gave inf at [0,3], the first of 2 in [1,10]": of the first call since the last question
// whose output was not finite; NULL when all were.
const char *trace_not_finite(void);

// While checking, looks at n numbers that no kernel need have written, as at a kernel's output.
void trace_check(const char *who, const float *x, size_t n);

// For device.c: the table as the program is to see it.
Kernels trace_around(const Kernels *table);
