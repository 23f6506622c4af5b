/* submission.h -- turns a NAME.c, whoever wrote it, into a library that the grader or the lab can load.
 *
 *     Submission submission;
 *     if (!submission_build(arena, lab, &source, SUBMISSION_SANITIZED, folder, &submission, &err))
 *         return error_report(&err);             // no compiler, no room on the disk
 *     if (submission.library == NULL) puts(submission.stray->message);
 *
 * An exercise that does not compile is left out (source_blank), and the others are built without it.
 * Only when an error lies outside of all exercises is there no library at all.
 */
#pragma once
#include "labs/driver/source.h"

typedef enum SubmissionKind {
    SUBMISSION_SANITIZED,    // for the grader: quick to build, with AddressSanitizer and UBSan
    SUBMISSION_FAST,         // for `--mine` and benchmarks: as the lab's own are built
} SubmissionKind;

typedef struct Complaint {    // of the compiler, about the learner's own file
    int line;                 // 0 when it named none
    int column;               // from 1; 0 when it named none
    const char *message;      // "expected ';' before 'return'", the first in this file
    const char *rest;         // all that the compiler printed
} Complaint;

typedef struct Submission {
    const char *library;    // libexercises_NAME.so in `folder`; NULL when nothing could be built
    Complaint **broken;     // an exercise that does not compile, else NULL; in lab.json's order
    Complaint **warned;     // a warning inside an exercise's function, else NULL
    Complaint *stray;       // an error outside of all exercises, else NULL
} Submission;

// `folder` is made; the library in it is replaced by renaming, so that a program that runs on the
// old one is not disturbed. Nothing is built when it was made of the same text before.
bool submission_build(Arena *arena, const Lab *lab, const Source *source, SubmissionKind kind,
                      const char *folder, Submission *submission, Error *err);

// build/mine/NAME, of which each kind has a folder.
const char *submission_folder(Arena *arena, const Lab *lab, SubmissionKind kind);
