/* progress.h -- one line on stderr that says how far a loop is, how fast, and how long it still takes.
 *
 *     Progress progress = progress_begin("training", "images", 0, total);
 *     for (long done = 0; done < total; done += batch) {
 *         ...
 *         progress_step(&progress, done + batch, "loss %.4f", loss);
 *     }
 *     progress_end(&progress);
 *     // training  61% [##########------]  28.4k images/s  0:12 left  loss 0.0312
 *
 * Silent when stderr is not a terminal. Drawn at most ten times a second with a carriage return and
 * spaces, no escape codes, so that it is right on every terminal; it never fills the last column.
 * progress_step() allocates nothing. The label and the unit are borrowed.
 */
#pragma once
#include <stdbool.h>

typedef struct Progress {
    const char *label, *unit;
    long first, total;      // where this run of the loop began, and where it ends
    double began, drawn;    // seconds of the monotonic clock
    bool shown;             // stderr is a terminal
    int columns;            // what is on the line now
} Progress;

// `done` is where the loop starts: 0, or the step at which it was resumed.
Progress progress_begin(const char *label, const char *unit, long done, long total);
void progress_step(Progress *progress, long done, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void progress_clear(Progress *progress);    // wipes the line, so that something can be printed
void progress_end(Progress *progress);      // leaves the last line standing, and a newline
