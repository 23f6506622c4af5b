#include "bench/limits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "bench/harness.h"
#include "common/peak.h"

enum { TRIES = 7, GPU_BLOCKS = 1 << 14 };

static double peak_of_host(int threads)
{
    PeakProbe probes[PEAK_MAX_PROBES];
    const int count = peak_probes(probes);
    double best = 0;
    for (int i = 0; i < count; i++) {
        best = fmax(best, peak_gflops(probes[i], threads));
        if (strncmp(probes[i].variant, kernels.variant, strlen(probes[i].variant)) == 0)
            break;    // what LAB_CPU allows
    }
    return best;
}

static double peak_of_device(const Device *on, bool small)
{
    const int blocks = small ? 4 : GPU_BLOCKS;
    double best = 0;
    int rounds = small ? 4 : 64;
    for (int i = 0; i < TRIES;) {
        on->get(NULL, NULL, 0);
        const double start = bench_now(), flops = on->multiply_adds(blocks, rounds);
        on->get(NULL, NULL, 0);
        const double seconds = bench_now() - start;
        if (!small && seconds < 5e-3 && rounds < 1 << 20) rounds *= 2;
        else best = fmax(best, 1e-9 * flops / seconds), i++;
    }
    return best;
}

typedef struct Arrays {
    const Device *on;
    float *to, *from;
    void *host;
    size_t count;
} Arrays;

static void copy_arrays(const Arrays *a)
{
    a->on->copy(a->to, a->from, a->count * sizeof(float));
}

static void scale_arrays(const Arrays *a)
{
    kernels.axpby(a->to, a->from, 1, 0, a->count);
}

static void put_array(const Arrays *a)
{
    a->on->put(a->to, a->host, a->count * sizeof(float));
}

static void get_array(const Arrays *a)
{
    a->on->get(a->host, a->to, a->count * sizeof(float));
}

// Arrays a second, of the fastest try.
static double rate_of(const Arrays *arrays, void (*move)(const Arrays *))
{
    double best = INFINITY;
    move(arrays);
    for (int i = 0; i < TRIES; i++) {
        arrays->on->get(NULL, NULL, 0);
        const double start = bench_now();
        move(arrays);
        arrays->on->get(NULL, NULL, 0);
        best = fmin(best, bench_now() - start);
    }
    return 1 / best;
}

bool limits_measure(Limits *limits, const Device *on, int threads, bool small, Error *err)
{
    device_put_in_use(on);
    const size_t bytes = small ? 1 << 20 : 256u << 20;
    Arrays arrays = {on, on->reserve(bytes), on->reserve(bytes), calloc(1, bytes),
                     bytes / sizeof(float)};
    const bool room = arrays.to != NULL && arrays.from != NULL && arrays.host != NULL;
    if (room) {
        on->commit(arrays.to, 0, bytes);
        on->commit(arrays.from, 0, bytes);
        kernels.fill(arrays.from, 1, arrays.count);
        kernels.fill(arrays.to, 0, arrays.count);
        const double copied = 2e-9 * (double)bytes * rate_of(&arrays, copy_arrays),
                     scaled = 2e-9 * (double)bytes * rate_of(&arrays, scale_arrays);
        *limits = (Limits){.gflops = on->multiply_adds != NULL ? peak_of_device(on, small)
                                                               : peak_of_host(threads),
                           .copy_gbs = fmax(copied, scaled),
                           .copied_by = copied > scaled ? "copy" : "axpby"};
        if (!on->on_host) {
            limits->put_gbs = 1e-9 * (double)bytes * rate_of(&arrays, put_array);
            limits->get_gbs = 1e-9 * (double)bytes * rate_of(&arrays, get_array);
        }
    }
    on->release(arrays.to, bytes);
    on->release(arrays.from, bytes);
    free(arrays.host);
    return room ||
           error_set(err, "device %s has no room for two arrays of %zu bytes", on->name, bytes);
}

double limits_seconds(Limits limits, double flops, double bytes)
{
    return fmax(1e-9 * flops / limits.gflops, 1e-9 * bytes / limits.copy_gbs);
}

double limits_ridge(Limits limits)
{
    return limits.gflops / limits.copy_gbs;
}

const char *limits_bound(Limits limits, double flops, double bytes)
{
    return flops > bytes * limits_ridge(limits) ? "arithmetic" : "memory";
}
