/* compile.h -- asks the compiler that built the course about a C text, and reads what it says.
 *
 *     Compile  job = {.path = path, .text = text, .folder = folder, .library = "libexercises_cnn.so"};
 *     Compiled compiled;
 *     if (!compile(arena, &job, &compiled, &err)) return error_report(&err);    // no compiler
 *     if (!compiled.good) printf("%d: %s\n", compiled.first.line, compiled.first.message);
 *
 * The text is handed over as if it stood in `path`, whatever stands there now. A path that ends in ".cu" is
 * C++ for the CUDA emulator, whose checker sees each access; both kinds are the same then. The compiler is
 * bounded in time, memory and disk: a learner's file may include /dev/zero.
 */
#pragma once
#include "labs/driver/submission.h"

typedef struct Compile {
    const char *path, *text;
    SubmissionKind kind;
    const char *folder;     // its working folder, for what it leaves there
    const char *beside;     // a folder whose headers are found as well: the lab's; may be NULL
    const char *library;    // what is made in `folder`; NULL: only whether the text is C
    double seconds;
    double spent;    // on earlier tries, for what is said of the time
} Compile;

typedef struct Compiled {
    bool good;
    bool bounded;       // not good since the compiler took too much
    Complaint first;    // the first error; its line is 0 when it is not in this file
    Complaint *warnings;
    int warning_count;
    const char *output;    // all of it
} Compiled;

// False when there is no compiler, or when it lacks a part or room to work.
bool compile(Arena *arena, const Compile *job, Compiled *compiled, Error *err);

// What compile() makes of the compiler's words, of which some may be about other files.
void compile_read(Arena *arena, const char *path, const char *output, Compiled *compiled);

// The compiler and its options, one a line: what a library depends on besides its text.
const char *compile_options(Arena *arena, const char *path, SubmissionKind kind);
