/* grade.h -- a submission's verdicts: each case by itself, each exercise by its cases.
 *
 *     Grade grade;
 *     if (!grade_submission(arena, lab, &mine, chosen, &grade, &err)) return error_report(&err);
 *     for (int e = 0; e < lab->exercise_count; e++)
 *         printf("%s: %s\n", lab->exercises[e].id, verdict_words(grade.exercises[e].verdict));
 *
 * The cases run in the grader, a program of its own (labs/grader/), each in a process of its own.
 * Whatever a submission does there, grade_submission() returns: each exercise has its seconds of processor
 * time. Should the grader itself be ended by a submission, its exercises are graded one by one, and the
 * one that does it has no pass.
 */
#pragma once
#include "labs/driver/submission.h"
#include "labs/grader/verdict.h"

typedef struct CaseGrade {
    const char *name;    // "loss__averages_over_the_batch"
    Verdict verdict;
    const char *message;    // one sentence, or near.h's report; "" for a pass
    const char *detail;     // the sanitizer's or compiler's own words, for who wants them; ""
    const char *output;     // what the submission printed, cut
    int line;               // in the submission's file, 0 when not known
    double seconds;
} CaseGrade;

typedef struct ExerciseGrade {
    bool asked;          // whether its cases were to be run
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
} Grade;

// Builds the source (sanitized) and runs the cases of the exercises whose entry in `asked` is true;
// NULL asks for all. False only when the course itself is at fault: no compiler, no grader.
bool grade_submission(Arena *arena, const Lab *lab, const Source *source, const bool *asked,
                      Grade *grade, Error *err);

// The same for a library that is there already; `plain` takes the grader without sanitizers. No
// exercise is COMPILE or MISSING then.
bool grade_library(Arena *arena, const Lab *lab, const char *library, bool plain, const bool *asked,
                   Grade *grade, Error *err);

// The grade of a submission that could not be looked at, such as a file that is not there: one case an
// exercise, which says why.
void grade_nothing(Arena *arena, const Lab *lab, const bool *asked, const char *problem,
                   Grade *grade);

// Whether all that was asked for passes; nothing asked for is no pass.
bool grade_passes(const Lab *lab, const Grade *grade);
int grade_points(const Lab *lab, const Grade *grade);    // of the exercises that pass
