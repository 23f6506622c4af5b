/* progress.h -- the learner's progress: mine/progress, one line of text for each event.
 *
 *     2026-11-24T09:12:40Z autoencoder start
 *     2026-11-24T09:30:05Z autoencoder.loss hint 1
 *     2026-11-24T09:41:12Z autoencoder.loss wrong
 *     2026-11-24T09:44:51Z autoencoder.loss done
 *
 *     Progress progress;
 *     if (!progress_load(arena, &progress, &err)) return error_report(&err);
 *     if (progress_state(&progress, "autoencoder", "loss") == EXERCISE_DONE) ...
 *     if (!progress_record(arena, &progress, "autoencoder", "loss", "done", &err)) ...
 *
 * Lines may be in any order and repeated, so that the files of two machines are merged by concatenation
 * (git's merge=union); the latest verdict counts. Each line of an exercise is later than the ones before
 * it, whatever the clock says. Unknown lines are kept. A line is appended with one write, under a lock:
 * two labs checked at the same time lose nothing.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum ExerciseState { EXERCISE_NOT_STARTED, EXERCISE_WRONG, EXERCISE_DONE } ExerciseState;

typedef struct ProgressLine {
    const char *time, *lab, *exercise, *event;    // exercise: "" for the lab's own; event: below
} ProgressLine;

typedef struct Progress {
    ProgressLine *lines;    // those that were understood, by time
    int count;
} Progress;

bool progress_load(Arena *arena, Progress *progress, Error *err);    // no file: no lines

ExerciseState progress_state(const Progress *progress, const char *lab, const char *exercise);
int progress_hints(const Progress *progress, const char *lab, const char *exercise);    // 0..3 seen
bool progress_gave_up(const Progress *progress, const char *lab, const char *exercise);

// Adds a line to the file, and reads `progress` anew. Events are "start" (of a lab), "wrong", "done",
// "reset" (as if not started), "hint 1" to "hint 3" and "gave up". A line that adds nothing is not
// written, so that the file does not grow with every save.
bool progress_record(Arena *arena, Progress *progress, const char *lab, const char *exercise,
                     const char *event, Error *err);
