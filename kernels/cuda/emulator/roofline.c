// roofline.c -- the slowest of arithmetic, global and shared memory.
#include "kernels/cuda/emulator/roofline.h"

enum { SECTOR = 32 };

static double larger(double a, double b)
{
    return a > b ? a : b;
}

Roofline roofline_of(const EmulatorReport *report, double flops, GpuPeaks peaks)
{
    const double wavefronts = (double)report->wavefronts, rate = peaks.wavefronts_per_second;
    Roofline r = {.arithmetic = flops / peaks.flops_per_second,
                  .shared = rate > 0 ? wavefronts / rate : 0,
                  .memory_least = SECTOR * (double)report->distinct / peaks.bytes_per_second,
                  .memory_most = SECTOR * (double)report->sectors / peaks.bytes_per_second};
    const double compute = larger(r.arithmetic, r.shared);
    r.least = larger(compute, r.memory_least);
    r.most = larger(compute, r.memory_most);
    r.limit = r.least == r.memory_least ? "memory"
              : r.least == r.shared     ? "shared memory"
                                        : "arithmetic";
    return r;
}
