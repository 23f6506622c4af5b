/* roofline.h -- from what the emulator counted, how long a GPU would take at least, and with no cache at all.
 *
 *     const GpuPeaks h200 = {.name = "H200", .bytes_per_second = 4.8e12, .flops_per_second = 67e12};
 *     Roofline r = roofline_of(emulator_report(), 2.0 * m * n * k, h200);
 *     printf("between %g and %g s, by %s\n", r.least, r.most, r.limit);
 *
 * An estimate (Williams, Waterman & Patterson 2009). It leaves out what is between the two: the caches,
 * which serve a part of the repeated sectors. And it leaves out what makes a kernel slower than both: too
 * few warps to hide latency, divergence, the last wave of blocks, the launch itself (some microseconds).
 */
#pragma once
#include "kernels/cuda/emulator/report.h"

typedef struct GpuPeaks {
    const char *name;
    double bytes_per_second, flops_per_second;
    double wavefronts_per_second;    // of shared memory: multiprocessors x clock; 0: not known
} GpuPeaks;

typedef struct Roofline {
    double arithmetic, shared;           // seconds each would take alone
    double memory_least, memory_most;    // each sector moved once; each access of a warp moved anew
    double least, most;                  // of the launch
    const char *limit;                   // of `least`: "arithmetic", "memory", "shared memory"
} Roofline;

Roofline roofline_of(const EmulatorReport *report, double flops, GpuPeaks peaks);
