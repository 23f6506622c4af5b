#include "kernels/trace.h"
#include <math.h>
#include <stdio.h>
#include "kernels/device.h"
#include "kernels/seconds.h"

static bool profiling, checking;
static Kernels under;    // the device's own entries
static TraceRow counts[KERNEL_COUNT];
static char finding[160];
static bool asked = true;    // whether there is room for a new finding

// One row of an output, in the host's memory: in place, or through `buffer`, piece by piece.
static size_t count_not_finite(const float *row, size_t cols, size_t *first, float *value)
{
    enum { PIECE = 1024 };
    float buffer[PIECE];
    size_t count = 0;
    for (size_t from = 0; from < cols; from += PIECE) {
        size_t n = cols - from < PIECE ? cols - from : PIECE;
        const float *x = row + from;
        if (!device_is_host()) device->get(buffer, x, n * sizeof *x), x = buffer;
        for (size_t i = 0; i < n; i++)
            if (!isfinite(x[i]) && count++ == 0) *first = from + i, *value = x[i];
    }
    return count;
}

static void check(const char *prefix, const char *name, KernelCost work)
{
    size_t count = 0, row = 0, col = 0;
    float value = 0;
    for (size_t r = 0; r < work.batch * work.rows; r++) {
        size_t at;
        float first;
        size_t here =
            count_not_finite(work.out + r / work.rows * work.stride + r % work.rows * work.row,
                             work.cols, &at, &first);
        if (here > 0 && count == 0) row = r, col = at, value = first;
        count += here;
    }
    if (count == 0) return;
    asked = false;
    snprintf(finding, sizeof finding, "%s%s gave %s at [%zu,%zu], the first of %zu in [%zu,%zu]",
             prefix, name,
             isnan(value) ? "NaN"
             : value > 0  ? "inf"
                          : "-inf",
             row, col, count, work.batch * work.rows, work.cols);
}

static void record(int kernel, double start, KernelCost work)
{
    if (!device_is_host()) device->get(NULL, NULL, 0);
    TraceRow *row = &counts[kernel];
    row->calls++;
    row->seconds += seconds_now() - start;
    row->flops += work.flops;
    row->bytes += work.bytes;
    if (checking && asked) check("kernels.", row->kernel, work);
}

void trace_check(const char *who, const float *x, size_t n)
{
    if (checking && asked) check("", who, OUT(x, n, 0));
}

#define X(name, prototype, arguments, work)                                                        \
    static void trace_##name prototype                                                             \
    {                                                                                              \
        double start = seconds_now();                                                              \
        under.name arguments;                                                                      \
        record(KERNEL_##name, start, work);                                                        \
    }
KERNEL_LIST(X)
#undef X

Kernels trace_around(const Kernels *table)
{
    if (!profiling && !checking) return *table;
    under = *table;
    return (Kernels){.variant = table->variant,
#define X(name, prototype, arguments, work) .name = trace_##name,
                     KERNEL_LIST(X)
#undef X
    };
}

void trace_start(bool profile, bool check_numbers)
{
    bool on = profiling || checking;
#define X(name, prototype, arguments, work) counts[KERNEL_##name] = (TraceRow){.kernel = #name};
    KERNEL_LIST(X)
#undef X
    asked = true;
    profiling = profile;
    checking = check_numbers;
    if (!on) kernels = trace_around(&kernels);
    else if (!profiling && !checking) kernels = under;
}

void trace_rows(TraceRow rows[KERNEL_COUNT])
{
    for (int i = 0; i < KERNEL_COUNT; i++) rows[i] = counts[i];
}

const char *trace_not_finite(void)
{
    if (asked) return NULL;
    asked = true;
    return finding;
}
