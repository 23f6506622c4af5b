/* limits.h -- what a device can do at most, measured on it, and the roofline that follows (Williams, Waterman &
 * Patterson 2009).
 *
 *     Limits limits = limits_measure(device, 2, false);
 *     double least = limits_seconds(limits, flops, bytes);    // no kernel of this work takes less
 *     printf("%.0f%% of the limit, which is %s\n", 100 * least / seconds, limits_bound(limits, flops, bytes));
 *
 * The peak: multiply-adds in registers, on all cores at once. The bandwidth: 256 MiB copied within the device's
 * memory, by its copy or by its kernel axpby, whichever is faster; read and written bytes both count. On a CPU,
 * work that fits the caches exceeds it.
 */
#pragma once
#include <stdbool.h>
#include "common/error.h"
#include "kernels/device.h"

typedef struct Limits {
    double gflops;
    double copy_gbs;
    const char *copied_by;      // "copy" or "axpby"
    double put_gbs, get_gbs;    // from the host's ordinary memory, and back; 0: it is the host
} Limits;

// Small: for a device whose times mean nothing. The device is in use afterwards.
bool limits_measure(Limits *limits, const Device *on, int threads, bool small, Error *err);

double limits_seconds(Limits limits, double flops, double bytes);
const char *limits_bound(Limits limits, double flops, double bytes);    // "arithmetic" or "memory"
double limits_ridge(Limits limits);    // FLOPs a byte from which on arithmetic is the bound
