/* test_process.h -- one case on one submission, in a process of its own that is not trusted.
 *
 *     if (fork() == 0) test_process_run(&process);    // does not return
 *
 * It shuts the result, fences the process in, loads the submission, runs the case under cmocka, and notes
 * the verdict. Whatever else ends the process is told by its handlers (crash_handler.h) or, when they
 * were silenced too, by the missing verdict.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "labs/grader/shared_result.h"

typedef struct TestProcess {
    const struct CMUnitTest *test;
    const char *submission;    // the library
    const char *source;        // what it was made of
    double seconds;            // of processor time
    SharedResult *result;
} TestProcess;

_Noreturn void test_process_run(const TestProcess *given);
