/* report.h -- a run's page: one HTML file that holds its text, tables, pictures and plots.
 *
 *     Report *report = report_new("out/som/report.html", "som", "seed 42, cpu", "./lab run som");
 *     report_heading(report, "Vector quantization");
 *     report_text(report, "64 codes for 500 images");           // a paragraph
 *     report_table(report, &table);
 *     report_file(report, "The codes", "out/som/codes.png");    // embedded: PNG and SVG
 *     while (...) report_progress(report, "codes", "images", done, total, METRICS({"loss", loss}));
 *     report_end(report, "Finished.", &err);
 *
 * A lab prints with run.h, which writes to the terminal and to the page; of these functions only
 * report_progress(run->report, ...) is a training loop's to call.
 *
 * The file appears with the first heading and is written again, whole or not at all, about once a
 * second while more is added: a run that fails before that leaves the page of the run before. Until report_end() the page reloads itself; one that was
 * not ended when the process exits says so. All text is escaped and nothing is loaded from elsewhere.
 * A page that cannot be written never stops a run: report_end() says why.
 */
#pragma once
#include "common/error.h"
#include "common/metrics.h"
#include "common/table.h"

typedef struct Report Report;

// Borrows all of them. There is one report at a time in a process.
Report *report_new(const char *path, const char *title, const char *facts, const char *command);
// No page is written: another process writes it.
void report_silence(Report *report);

void report_lesson(Report *report, const char *path);    // linked where the file exists

void report_heading(Report *report, const char *text);
void report_text(Report *report, const char *text);
void report_table(Report *report, const Table *table);
// What to look at in what was just shown.
void report_notice(Report *report, const char *subject, const char *text);
// Embeds a PNG or an SVG; links any other file, and one that is too large.
void report_file(Report *report, const char *title, const char *path);

// How far a loop is: shown while it runs, with a curve of the first value. Cheap enough for every
// step. Speed and time left follow from `done` since the first call with this label; what is shown
// goes with done == total, or the next heading. At most 8 values.
void report_progress(Report *report, const char *label, const char *unit, long done, long total,
                     const Metric *values);

// The last word: "Finished in 3 s." The page no longer reloads itself. Does nothing when nothing was
// added or the report was ended. False when the page could not be written.
bool report_end(Report *report, const char *outcome, Error *err);

// The same for the report of this process, where it did not get to its end: nothing is written before
// the first heading.
void report_stop(const char *outcome);

// For a signal handler: the page that is there stops reloading and says that the run was stopped.
void report_cut_short(void);
