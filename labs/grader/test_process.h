/* test_process.h -- runs one case on one submission, in a process of its own that is not trusted.
 *
 *     if (fork() == 0) test_process_run(&process);    // does not return
 *
 * It locks the shared result, enters the sandbox, loads the submission, runs the case under cmocka and
 * stores the verdict. Any other end of the process is reported by the crash handler or, if that was
 * disabled too, shows as a missing verdict.
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
