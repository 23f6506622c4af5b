/* peak.h -- what this machine can do at most, measured on it: the roof that results are held to.
 *
 *     Peak peak = peak_measure(2);
 *     printf("%.0f GFLOP/s by %s, %.0f GB/s read\n", peak.gflops, peak.variant, peak.read_gbs);
 *
 * GFLOP/s: twelve independent chains of fused multiply-adds that stay in registers, on every
 * thread at once, best of several runs; once for each instruction set that was compiled, that this
 * processor runs and that LAB_CPU allows, and the highest counts. GB/s: streams over arrays that are
 * far larger than a cache a core of its own can hold; triad counts 12 bytes an element, as STREAM does.
 */
#pragma once
#include <stdbool.h>

enum {
    PEAK_CHAINS = 12,
    PEAK_UNROLL = 4,
    PEAK_START = (PEAK_CHAINS + 1) * 16,    // floats for the chains and the factor, any width
    PEAK_MAX_PROBES = 3,
    PEAK_STREAM_MIB = 128,    // each of the three arrays
};

typedef struct PeakProbe {
    const char *variant;                                         // "plain", "avx2", "avx512"
    int lanes;                                                   // floats in a register
    float (*run)(long rounds, const float start[PEAK_START]);    // a multiple of PEAK_UNROLL
} PeakProbe;

typedef struct Peak {
    int threads;
    const char *variant;    // of the fastest probe
    double gflops;
    double triad_gbs;    // a[i] = b[i] + s c[i]
    double read_gbs;     // sum of a[i]
} Peak;

int peak_probes(PeakProbe probes[PEAK_MAX_PROBES]);    // those that can run here; their number
double peak_gflops(PeakProbe probe, int threads);
Peak peak_measure(int threads);
