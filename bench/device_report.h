/* device_report.h -- a report that `lab bench --device` wrote, read back and checked.
 *
 *     DeviceReport report;
 *     if (!device_report_load(keep, "bench/results/nvidia-h200.json", &report, &err)) ...
 *     // FILE: is a report of 'sgemm', expected one of 'device' (./lab bench --device cpu --json FILE)
 *
 * Texts from the file are without control characters.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

enum { REPORT_DEVICES = 3, REPORT_FORMAT = 1 };

typedef struct ReportedDevice {
    const char *name, *what;    // "cuda:0", "NVIDIA H200, driver 570.86.15, CUDA 12.8"
    bool emulated;
    double gflops, copy_gbs;
} ReportedDevice;

typedef struct ReportedRow {
    const char *kind, *name, *form, *unit;
    int n;
    double flops, bytes;
    double seconds[REPORT_DEVICES];
} ReportedRow;

typedef struct DeviceReport {
    const char *path, *date, *commit, *processor;
    ReportedDevice devices[REPORT_DEVICES];
    int device_count;
    ReportedRow *rows;
    int count;
} DeviceReport;

bool device_report_load(Arena *keep, const char *path, DeviceReport *report, Error *err);

// Whether a GPU was timed.
bool device_report_has_gpu(const DeviceReport *report);

extern const char *const device_reports_kept;    // the folder bench/results

// Prints the reports of a GPU in a folder, with device, date and the command that compares `with`; says so where
// there is none.
void device_report_offer(Arena *keep, const char *folder, const char *with);
