/* report.h -- where a figure comes from: the machine, the commit, the limits, and every result.
 *
 *     BenchReport *report = bench_report_new(keep, "sgemm", libraries);    // prints the heading as well
 *     bench_report_peak(report, peak_measure(2));
 *     cJSON *row = bench_report_row(report);            // {}: fill in the work's own fields
 *     bench_report_timing(row, &timing);
 *     if (!bench_report_end(report, "sgemm.json", &err)) return error_report(&err);
 *
 * The document is {"bench", "date", "commit", "machine", "peer" to "fourth_peer" (if any), "busy_before" and
 * "busy_after" (the share of the machine that others used), "peaks": [one for each number of
 * threads], "results": [rows]}. A row is the report's; bench_report_end() frees them all.
 */
#pragma once
#include <cjson/cJSON.h>
#include "bench/harness.h"
#include "common/peak.h"
#include "bench/peer.h"
#include "common/arena.h"

typedef struct BenchReport {
    cJSON *document, *peaks, *results;
} BenchReport;

// `libraries` says which versions the work is held against, as "OpenBLAS 0.3.21 SkylakeX".
BenchReport *bench_report_new(Arena *keep, const char *bench, const char *libraries);
void bench_report_peak(BenchReport *report, Peak peak);           // prints it as well
void bench_report_peer(BenchReport *report, const Peer *peer);    // likewise
cJSON *bench_report_row(BenchReport *report);

// Adds {NAME: {"seconds": median, "min", "quartile1", "quartile3", "max", "rounds", "calls",
// "slower_than_first"}} to the row.
void bench_report_timing(cJSON *row, const Timing *timing);

// Looks again whether the machine is busy, writes the document unless path is NULL, and frees it.
bool bench_report_end(BenchReport *report, const char *path, Error *err);
