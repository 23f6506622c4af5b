/* report.h -- where a figure comes from: the machine, the commit, the limits, and every result.
 *
 *     Report *report = report_new(keep, "sgemm", libraries);    // prints the heading as well
 *     report_peak(report, peak_measure(2));
 *     cJSON *row = report_row(report);            // {}: fill in the work's own fields
 *     report_timing(row, &timing);
 *     if (!report_end(report, "sgemm.json", &err)) return error_report(&err);
 *
 * The document is {"bench", "date", "commit", "machine", "peer" (if any), "busy_before" and
 * "busy_after" (the share of the machine that others used), "peaks": [one for each number of
 * threads], "results": [rows]}. A row is the report's; report_end() frees them all.
 */
#pragma once
#include <cjson/cJSON.h>
#include "bench/harness.h"
#include "common/peak.h"
#include "bench/peer.h"
#include "common/arena.h"

typedef struct Report {
    cJSON *document, *peaks, *results;
} Report;

// `libraries` says which versions the work is held against, as "OpenBLAS 0.3.21 SkylakeX".
Report *report_new(Arena *keep, const char *bench, const char *libraries);
void report_peak(Report *report, Peak peak);           // prints it as well
void report_peer(Report *report, const Peer *peer);    // likewise
cJSON *report_row(Report *report);

// Adds {NAME: {"seconds": median, "min", "quartile1", "quartile3", "max", "rounds", "calls",
// "slower_than_first"}} to the row.
void report_timing(cJSON *row, const Timing *timing);

// Looks again whether the machine is busy, writes the document unless path is NULL, and frees it.
bool report_end(Report *report, const char *path, Error *err);
