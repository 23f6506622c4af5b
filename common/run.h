/* run.h -- one run of a lab: the options every lab has, where its results go, and Ctrl-C.
 *
 *     int main(int argc, char **argv)
 *     {
 *         Settings set     = {.epochs = 10};
 *         Arena   *keep    = arena_new("keep", 1u << 30);
 *         Options *options = options_new(keep, "autoencoder", "Compresses digits into a few numbers.");
 *         options_int(options, "epochs", 'e', &set.epochs, 1, 10000, "passes over the images");
 *         int  status;
 *         Run *run = run_begin(keep, options, argc, argv, &status);
 *         if (run == NULL) return status;
 *         // autoencoder: seed 42, cpu (avx2), 2 threads, results in out/autoencoder
 *         ...
 *         while (step < steps && !run_interrupted(run)) {...}
 *         if (run_interrupted(run)) checkpoint_save(...run_path(run, "checkpoint.safetensors")...);
 *         return run_end(run, "checkpoint.safetensors");    // says how to resume; 130
 *     }
 *
 * The run and its strings live in `keep`. There is one run in a process, since signals are the
 * process's: the first Ctrl-C, SIGTERM or SIGHUP asks the loop to stop, a second ends the program at
 * once. A loop of common/training.h sees to all of this.
 */
#pragma once
#include <stdint.h>
#include <time.h>
#include "common/metrics.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/plot.h"
#include "common/report.h"

typedef struct Run {
    // From the command line.
    bool smoke;    // seconds, not minutes: a lab shrinks what was not given
    uint64_t seed;
    const char *device;    // the device in use: "cpu", "ref", "far"
    int threads;           // of this process
    bool profile;          // print what each kernel cost (profile.h)
    bool check_numbers;    // stop at the first kernel whose output is not finite
    const char *out;       // the folder of results, which exists: $LAB_OUT/NAME, else out/NAME
    const char *data;      // of real data: $LAB_DATA; NULL: what the lab generates
    const char *plot;      // one of PLOT_FORMATS
    const char *resume;    // a checkpoint to go on from; NULL to start afresh
    // Derived from it.
    const char *name;    // the lab's
    int rank;            // 0: this process prints and writes files; the others do neither (ranks.h)
    const char *command;    // as it was typed, and a space
    const Options *options;
    Report *report;    // out/report.html: report_progress() shows there how far a loop is
    Metrics *
        metrics;    // out/metrics.jsonl: begun anew, or waiting for run_resumed(); NULL on other ranks
    time_t began;
    double clock;    // seconds, of the monotonic clock, when it began
    Arena *keep;
} Run;

// Adds the options every lab has, reads the command line, chooses the kernels and the threads, makes
// the folder of results, opens the metrics and prints a line. NULL when main() is to return *status.
// Where LAB_CHECK names a command (`lab run --mine` does), a crash prints that command.
Run *run_begin(Arena *keep, Options *options, int argc, char **argv, int *status);

// Whether Ctrl-C was pressed, or SIGTERM or SIGHUP came.
bool run_interrupted(const Run *run);

// What the ranks have agreed on, since a signal may have reached another one: as if SIGTERM had come.
void run_interrupt(const Run *run);

// After the checkpoint of `--resume` was loaded: drops the metrics of later steps.
bool run_resumed(Run *run, long step, Error *err);

// "out/autoencoder/digits.png", in the run's arena.
const char *run_path(const Run *run, const char *file);

// ---- what a run shows: on stdout, and on its page ----

void run_heading(const Run *run, const char *title);    // after an empty line
// One or more sentences, without a newline at the end: a line on stdout, a paragraph on the page.
void run_print(const Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_table(const Run *run, const Table *table);

// Draws out/NAME.svg or what --plot asks for, and prints a line saying where, or why not.
void run_plot(const Run *run, const Plot *plot, const char *name);

// Saves out/NAME.png and prints a line saying where, or why not.
void run_picture(const Run *run, const Picture *picture, const char *title, const char *name);

// ---- the end ----

// Closes the metrics and the page. Returns what main() returns: 0, 1 when metrics are missing, and 130
// after Ctrl-C (128 and the signal's number), with the command that resumes from out/CHECKPOINT where
// this run has saved it; NULL when the lab cannot resume.
int run_end(Run *run, const char *checkpoint);

// When an error ends the run: prints it, and says so on the page. Returns 1.
int run_fail(Run *run, const Error *err);
