/* profile.h -- what each kernel cost in a run, beside the machine's limits: the end of --profile.
 *
 *     trace_start(true, false);                              // kernels/trace.h
 *     ...
 *     profile_report("out/NAME/profile.jsonl", seconds, threads, &err);
 *
 *     kernel                     calls   seconds  of run   GFLOP/s    GB/s  of peak
 *     matmul                       936     0.482    61 %     101.3       -     88 %
 *     adam_step                     78     0.021     3 %         -    61.0    174 %
 *     outside of kernels                   0.284    36 %
 *
 * The limits are measured on the spot (peak.h), which takes about a second.
 */
#pragma once
#include "common/error.h"

// Prints the table and writes a JSON line for each kernel. `seconds` is the whole run's.
bool profile_report(const char *path, double seconds, int threads, Error *err);
