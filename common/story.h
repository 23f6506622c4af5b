/* story.h -- a lab's program as a table of parts, run in their order or as --part asks.
 *
 *     static const Part parts[] = {
 *         {"fit", "Least squares", run_fit, {{"fit.svg", "which degree is nearest to the truth?"}}},
 *         ...
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         Arena *keep = arena_new("keep", 1u << 30), *step = arena_new("step", 1u << 30);
 *         Lab lab = {.points = 25, .step = step};
 *         Options *options = options_new(keep, "linear_algebra", "Solves, fits ...");
 *         options_group(options, "This lab");
 *         options_int(options, "points", 0, &lab.points, 2, 10000, "points to fit");
 *         Story story = {parts, PARTS, .lesson = "labs/1_foundations/linear_algebra/README.md",
 *                        .step = step};
 *         int status;
 *         lab.run = story_begin(&story, keep, options, argc, argv, &status);
 *         if (lab.run == NULL) return status;
 *         if (lab.run->smoke && !options_given(options, "points")) lab.points = 10;
 *         // What all parts share is made here; run_fail() when that does not work.
 *         return story_run(&story, &lab);
 *     }
 *
 * What a part shows with run_print(), run_table(), run_plot() and run_picture() stands on the run's
 * page too.
 */
#pragma once
#include "common/run.h"

enum { PART_NOTICES = 6 };

// What to look at: "fit.svg", "which degree is nearest to the truth?"
typedef struct Notice {
    const char *subject, *text;
} Notice;

typedef struct Part {
    const char *name;     // of --part; parts may share one. NULL: runs whatever was asked for
    const char *title;    // the heading, in the field's term; NULL for none
    bool (*run)(void *lab, Error *err);    // false with a message on an error
    Notice notices[PART_NOTICES];          // those with a subject, printed at the end
    bool unlisted;                         // runs by story_only() alone
} Part;

typedef struct Story {
    const Part *parts;
    int count;
    const char *lesson;        // from the root
    const char *checkpoint;    // that run_end() says how to resume from; NULL for none
    Arena *step;               // reset after each part; NULL for none
    // What story_begin() fills in.
    const char *chosen;
    const Options *options;
    Run *run;
} Story;

// Adds --part, and begins the run. NULL when main() is to return *status.
Run *story_begin(Story *story, Arena *keep, Options *options, int argc, char **argv, int *status);

// Whether a part of this name will run: for what the parts share.
bool story_has(const Story *story, const char *name);

// Runs the parts of this name in place of those asked for: a user's own file.
void story_only(Story *story, const char *name);

// Runs the parts until one fails or Ctrl-C, then prints what to notice and where the lesson is, and
// ends the run. Returns what main() returns.
int story_run(const Story *story, void *lab);
