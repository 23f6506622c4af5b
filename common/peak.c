#include "common/peak.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include "kernels/seconds.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

float peak_run_plain(long rounds, const float start[PEAK_START]);
float peak_run_avx2(long rounds, const float start[PEAK_START]);
float peak_run_avx512(long rounds, const float start[PEAK_START]);

int peak_probes(PeakProbe probes[PEAK_MAX_PROBES])
{
    int count = 0;
    probes[count++] = (PeakProbe){"plain", 4, peak_run_plain};
#ifdef PEAK_X86
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        probes[count++] = (PeakProbe){"avx2", 8, peak_run_avx2};
    if (__builtin_cpu_supports("avx512f"))
        probes[count++] = (PeakProbe){"avx512", 16, peak_run_avx512};
#endif
    return count;
}

// Receives what the probes return and is never read, so that the compiler cannot remove the work.
static volatile double sink;

// Seconds from the moment all threads are there until the last has finished.
static double fma_seconds(PeakProbe probe, int threads, long rounds)
{
    // Factors f from 1/4 to 1/2 keep the chains near f / (1 - f): no overflow, no denormals.
    float numbers[PEAK_START];
    for (int i = 0; i < PEAK_START; i++) numbers[i] = 0.25f + 0.25f * (float)i / PEAK_START;
    double start = 0, total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
#pragma omp barrier
#pragma omp master
        start = seconds_now();
        total += (double)probe.run(rounds, numbers);
    }
    double seconds = seconds_now() - start;
    sink = total;
    return seconds;
}

double peak_gflops(PeakProbe probe, int threads)
{
    long rounds = 1000;
    while (fma_seconds(probe, threads, rounds) < 5e-3) rounds *= 2;
    double best = 1e9;
    for (int i = 0; i < 30; i++) {
        double seconds = fma_seconds(probe, threads, rounds);
        if (seconds < best) best = seconds;
    }
    return 2e-9 * PEAK_CHAINS * probe.lanes * (double)rounds * threads / best;
}

static void measure_streams(Peak *peak)
{
    size_t n = ((size_t)PEAK_STREAM_MIB << 20) / sizeof(float);
    float *a = aligned_alloc(64, n * sizeof *a), *b = aligned_alloc(64, n * sizeof *b);
    float *c = aligned_alloc(64, n * sizeof *c);
    REQUIRE(a != NULL && b != NULL && c != NULL, "no memory for three arrays of %d MiB",
            PEAK_STREAM_MIB);
#pragma omp parallel for num_threads(peak->threads)
    for (size_t i = 0; i < n; i++) a[i] = 0, b[i] = 1, c[i] = 2;    // pages near their thread
    const uint64_t *word = (const uint64_t *)(const void *)b;
    size_t part = n / 2 / 4;
    double triad = 1e9, read = 1e9;
    for (int round = 0; round < 5; round++) {
        double start = seconds_now();
#pragma omp parallel for num_threads(peak->threads)
        for (size_t i = 0; i < n; i++) a[i] = b[i] + 3.0f * c[i];
        double middle = seconds_now();
        uint64_t sum = 0;    // of the bits: the order of float additions may not be changed
#pragma omp parallel for num_threads(peak->threads) reduction(+ : sum)
        for (size_t i = 0; i < part; i++)    // four streams: one alone does not fill the memory bus
            sum += word[i] + word[i + part] + word[i + 2 * part] + word[i + 3 * part];
        double end = seconds_now();
        sink = (double)sum + (double)a[n / 2];
        if (middle - start < triad) triad = middle - start;
        if (end - middle < read) read = end - middle;
    }
    peak->triad_gbs = 12e-9 * (double)n / triad;
    peak->read_gbs = 4e-9 * (double)n / read;
    free(a);
    free(b);
    free(c);
}

Peak peak_measure(int threads)
{
    PeakProbe probes[PEAK_MAX_PROBES];
    Peak peak = {.threads = threads};
    int count = peak_probes(probes);
    for (int i = 0; i < count; i++) {
        double gflops = peak_gflops(probes[i], threads);
        if (gflops > peak.gflops) peak.gflops = gflops, peak.variant = probes[i].variant;
        if (strncmp(probes[i].variant, kernels_cpu()->variant, strlen(probes[i].variant)) == 0)
            break;    // LAB_CPU's limit is the peak's; avx2vnni is avx2 to floats
    }
    measure_streams(&peak);
    return peak;
}
