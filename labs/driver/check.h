/* check.h -- grades a learner's file once: for `lab check`, and at each save under `lab watch`.
 *
 *     Grade grade;
 *     if (!check_once(arena, lab, NULL, &progress, &grade, &err)) return error_report(&err);
 *     verdicts_show(&console, arena, lab, &grade, (VerdictsShown){0});
 *     return grade_passes(lab, &grade) ? 0 : 1;
 */
#pragma once
#include "labs/driver/grade.h"
#include "labs/driver/progress.h"

// Reads mine/LAB/LAB.c, grades the exercises whose entry in `asked` is true (NULL: all), also what those
// that are not right call, and records the results; grade->unrecorded says why it could not. An exercise
// that does not compile is not graded: if it was done, it stays done.
bool check_once(Arena *arena, const Lab *lab, const bool *asked, Progress *progress, Grade *grade,
                Error *err);
