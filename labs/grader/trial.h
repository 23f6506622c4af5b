/* trial.h -- one case on one answer, in a process of its own that is not trusted.
 *
 *     if (fork() == 0) trial_run(&trial);    // does not return
 *
 * It shuts the slate, fences the process in, loads the answer, runs the case under cmocka, and notes
 * the verdict. Whatever else ends the process is told by its witnesses (witness.h) or, when they
 * were silenced too, by the missing verdict.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "labs/grader/slate.h"

typedef struct Trial {
    const struct CMUnitTest *test;
    const char *answer;    // the library
    const char *source;    // what it was made of
    double seconds;        // of processor time
    Slate *slate;
} Trial;

_Noreturn void trial_run(const Trial *given);
