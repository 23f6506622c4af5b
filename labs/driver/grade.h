/* grade.h -- grades a submission: a verdict for each case, and for each exercise.
 *
 *     Grade grade;
 *     if (!grade_submission(arena, lab, &mine, chosen, &grade, &err)) return error_report(&err);
 *     for (int e = 0; e < lab->exercise_count; e++)
 *         printf("%s: %s\n", lab->exercises[e].id, verdict_words(grade.exercises[e].verdict));
 *
 * The cases run in the grader, a program of its own (labs/grader/), each in a process of its own.
 * grade_submission() returns whatever the submission does: each exercise has a limit on CPU time. If a
 * submission ends the grader itself, its exercises are graded one by one, and the one that ends the
 * grader does not pass.
 */
#pragma once
#include "labs/driver/submission.h"
#include "labs/grader/verdict.h"

typedef struct CaseGrade {
    const char *name;    // "loss__averages_over_the_batch"
    Verdict verdict;
    const char *message;    // one sentence, or near.h's report; "" for a pass
    const char *detail;     // the output of the sanitizer or compiler; ""
    const char *output;     // what the submission printed, truncated
    int line;               // in the submission's file, 0 when not known
    double seconds;
} CaseGrade;

typedef struct ExerciseGrade {
    bool asked;          // whether it was requested; one that such a one calls may be graded too
    Verdict verdict;     // PASS when there are cases and all pass; else the first other one
    CaseGrade *cases;    // in the order of check.c
    int count, passed;
    int column;                  // of what does not compile, on its line; 0 when not known
    const Complaint *warning;    // of the compiler, inside the function; NULL
} ExerciseGrade;

typedef struct Grade {
    ExerciseGrade *exercises;    // in lab.json's order
    const char *problem;         // outside of all exercises: the file does not compile; else NULL
    int line;                    // where
    double seconds;              // from the source to the last verdict
    const Source *source;        // what was graded; NULL for a library
    const char *unrecorded;      // why the learner's progress could not be written; else NULL
} Grade;

// Builds the source (sanitized) and runs the cases of the exercises whose entry in `asked` is true;
// NULL means all. False only for an error in the installation: no compiler, no grader.
bool grade_submission(Arena *arena, const Lab *lab, const Source *source, const bool *asked,
                      Grade *grade, Error *err);

// The same for a library that is already built; `plain` takes the grader without sanitizers, `first` skips an
// exercise's cases behind its first wrong result. No exercise is COMPILE or MISSING then.
bool grade_library(Arena *arena, const Lab *lab, const char *library, bool plain, bool first,
                   const bool *asked, Grade *grade, Error *err);

// The grade of a file that cannot be read: one case for each exercise, which says why.
void grade_unreadable(Arena *arena, const Lab *lab, const bool *asked, const char *problem,
                      Grade *grade);

// The exercise to look at first when `exercise` is not right: the lowest one that it calls, itself or
// through others, and that is not right either. Where none is known, `exercise`.
int grade_lowest(Arena *arena, const Lab *lab, const Grade *grade, int exercise);

// Whether all requested exercises pass; false when none was requested.
bool grade_passes(const Lab *lab, const Grade *grade);
int grade_points(const Lab *lab, const Grade *grade);    // of the exercises that pass
