/* crash_handler.h -- reports why a test process crashed, called exit() or timed out, and at which line.
 *
 *     crash_handler_init(&process);     // before the submission is loaded
 *     crash_handler_install();          // again where cmocka could install its own signal handlers
 *     crash_handler_check_leaks();      // after the case has passed
 *
 * crash_handler.c handles signals, exit() and timeouts. Sanitizer reports are handled by sanitized.c;
 * the grader without sanitizers links unsanitized.c instead.
 */
#pragma once
#include <stdbool.h>
#include "labs/grader/test_process.h"

enum {
    SANITIZER_STATUS = 86
};    // exit status when a sanitizer ended the process without a report

void crash_handler_init(const TestProcess *given);
void crash_handler_install(void);
void crash_handler_track_leaks(bool on);    // while on, allocations belong to the submission
void crash_handler_check_leaks(void);       // ends the test process if the submission leaked memory

// Ends the test process. "needs too much: a large array?" becomes "needs too much, at line 12: a large
// array?" when the line is known.
_Noreturn void crash_handler_end(Verdict verdict, int line, const char *sentence);

// The same, with the line and the calls that led to `pc`, a return address; NULL for here.
_Noreturn void crash_handler_report(Verdict verdict, const void *pc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sanitizer_init(const TestProcess *given);
