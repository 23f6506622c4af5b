/* witness.h -- says of a trial that came to a bad end what happened, and at which line.
 *
 *     witness_call(&trial);    // before the answer is loaded
 *     witness_stand();         // whenever somebody else has put up signal handlers
 *     witness_leaks();         // the case has passed
 *
 * witness.c knows signals, exit() and the end of its time. What sanitizers report is sanitized.c's,
 * in the grader that has them; unsanitized.c takes its place in the other.
 */
#pragma once
#include <stdbool.h>
#include "labs/grader/trial.h"

enum { SANITIZER_STATUS = 86 };    // of a process that a sanitizer ended without a word to us

void witness_call(const Trial *given);
void witness_stand(void);
void witness_watch(bool on);    // what is allocated while it is on is the answer's, to be freed
void witness_leaks(void);       // ends the trial when the answer has lost memory

// Ends the trial. "needs too much: a large array?" becomes "needs too much, at line 12: a large
// array?" when the line is known.
_Noreturn void witness_end(Verdict verdict, int line, const char *sentence);

// The same with the line, and the calls, that led to `pc`, where a call returns to; to here where it is
// NULL.
_Noreturn void witness_tell(Verdict verdict, const void *pc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sanitizer_call(const Trial *given);
