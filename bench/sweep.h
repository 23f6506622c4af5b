/* sweep.h -- subjects timed on several devices, size by size: the rows of the report, of the table and of the
 * pictures.
 *
 *     Sweep sweep = {.keep = keep, .plan = BENCH_SWEEP, .most_seconds = 1, .report = report};
 *     if (!sweep_add_device(&sweep, "cpu", threads, &err) || !sweep_add_device(&sweep, "cuda", threads, &err)) ...
 *     if (!sweep_subject(&sweep, &subject, &err)) ...
 *     printf("%d rows, cuda %.1f times as fast as the cpu\n", sweep.count, sweep.rows[0].faster[1]);
 *
 * Ratios are against the first device, the median of the rounds' own.
 */
#pragma once
#include "bench/limits.h"
#include "bench/report.h"
#include "bench/subject.h"

enum { SWEEP_DEVICES = 3, SWEEP_ROWS = 1024 };

// Short samples: many sizes of many kernels.
#define BENCH_SWEEP ((Plan){.rounds = 5, .seconds = 0, .sample_seconds = 1e-3})

typedef struct SweepDevice {
    const Device *device;
    const char *name, *what;
    bool emulated;    // its times mean nothing
    Limits limits;
} SweepDevice;

typedef struct SweepRow {
    const Subject *subject;
    int n;
    double flops, bytes;                            // of a call
    double seconds[SWEEP_DEVICES];                  // of a call, the median
    double faster[SWEEP_DEVICES];                   // than the first device: how many times
    double faster_with_transfers[SWEEP_DEVICES];    // 0: there are none to time
} SweepRow;

typedef struct Sweep {
    Arena *keep;
    Plan plan;
    double most_seconds;    // a size whose call would take longer on one of the devices is left out
    double until;           // by bench_now(): nothing is begun afterwards; 0: no limit
    double subject_until;    // by when this subject's larger sizes are done: others have time too
    int sizes;               // that are timed, at most; 0: all
    BenchReport *report;
    SweepDevice devices[SWEEP_DEVICES];
    int device_count;
    SweepRow rows[SWEEP_ROWS];
    int count;
    int too_long, out_of_time;    // sizes that were left out
} Sweep;

// Chooses it and measures its limits. False with a message that names it.
bool sweep_add_device(Sweep *sweep, const char *name, int threads, Error *err);
void sweep_report_devices(Sweep *sweep);    // prints their limits, and adds them to the report

// Times and prints it at each size.
bool sweep_subject(Sweep *sweep, const Subject *subject, Error *err);

// Of a device's time for a row, what its limits allow: 1 at the roofline.
double sweep_share(const Sweep *sweep, const SweepRow *row, int d);

// "matmul", or "row_product q8_0".
const char *subject_title(Arena *keep, const Subject *subject);
