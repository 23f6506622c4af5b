/* crash_handler.h -- says of a test process that came to a bad end what happened, and at which line.
 *
 *     crash_handler_init(&process);    // before the submission is loaded
 *     crash_handler_install();         // whenever somebody else has put up signal handlers
 *     crash_handler_check_leaks();         // the case has passed
 *
 * crash_handler.c knows signals, exit() and the end of its time. What sanitizers report is sanitized.c's,
 * in the grader that has them; unsanitized.c takes its place in the other.
 */
#pragma once
#include <stdbool.h>
#include "labs/grader/test_process.h"

enum { SANITIZER_STATUS = 86 };    // of a process that a sanitizer ended without a word to us

void crash_handler_init(const TestProcess *given);
void crash_handler_install(void);
void crash_handler_track_leaks(
    bool on);    // what is allocated while it is on is the submission's, to be freed
void crash_handler_check_leaks(
    void);    // ends the test process when the submission has lost memory

// Ends the test process. "needs too much: a large array?" becomes "needs too much, at line 12: a large
// array?" when the line is known.
_Noreturn void crash_handler_end(Verdict verdict, int line, const char *sentence);

// The same with the line, and the calls, that led to `pc`, where a call returns to; to here where it is
// NULL.
_Noreturn void crash_handler_report(Verdict verdict, const void *pc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sanitizer_init(const TestProcess *given);
