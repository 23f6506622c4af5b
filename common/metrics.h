/* metrics.h -- a run's numbers as JSON lines: one object a line, readable while the run goes on.
 *
 *     Metrics *metrics = metrics_open(keep, "out/autoencoder/metrics.jsonl", &err);
 *     metrics_restart(metrics);                              // a new run; else rewind to the step
 *     metrics_write(metrics, step, METRICS({"train_loss", loss}, {"rate", rate}));
 *     if (!metrics_close(metrics, &err)) return error_report(&err);
 *     // {"step":100,"train_loss":0.5,"rate":0.001}
 *
 * A line is in the file as soon as metrics_write() returns: `tail -f` follows it and a crash loses
 * nothing. Numbers have nine digits, so that a float32 comes back exact; NaN and infinity, which
 * JSON lacks, are the strings "nan", "inf" and "-inf". Steps do not decrease.
 */
#pragma once
#include <stdbool.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct Metrics Metrics;

typedef struct Metric {
    const char *name;    // printed as it is: no quotes, no backslashes
    double value;
} Metric;

#define METRICS(...) ((const Metric[]){__VA_ARGS__, {NULL, 0.0}})

// Opens for appending; makes the file when there is none. NULL and a message upon failure. What follows
// takes a NULL, too, and writes nothing.
Metrics *metrics_open(Arena *keep, const char *path, Error *err);

// The first line that is written takes the place of all that the file holds: a run that writes none
// leaves those of the run before.
void metrics_restart(Metrics *metrics);

// Keeps the lines up to and including `step` and drops the rest, a line cut by a crash included: a
// run resumed there writes the same file as one that was never stopped. Step -1 drops all. Lines that
// a resumed run writes again, up to the last that was kept, are left out.
bool metrics_rewind(Metrics *metrics, long step, Error *err);

// A failed write (a full disk) does not stop the run; metrics_close() reports it.
void metrics_write(Metrics *metrics, long step, const Metric *values);

bool metrics_close(Metrics *metrics, Error *err);    // NULL is fine
