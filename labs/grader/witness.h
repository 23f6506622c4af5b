/* witness.h -- says of a trial that came to a bad end what happened, in a sentence, and at which line.
 *
 *     witness_call(&trial);    // before the answer is loaded
 *     witness_stand();         // whenever somebody else has put up signal handlers
 *     witness_leaks();         // the case has passed
 *
 * witness.c knows signals, exit() and the end of its time. What sanitizers report is sanitized.c's,
 * in the grader that has them; unsanitized.c takes its place in the other.
 */
#pragma once
#include "labs/grader/trial.h"

void witness_call(const Trial *trial);
void witness_stand(void);
void witness_leaks(void);    // ends the trial when the answer has lost memory

// Ends the trial with "SENTENCE, at line 12", when the line is known, and the calls that led there.
_Noreturn void witness_tell(Verdict verdict, const void *pc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sanitizer_call(const Trial *trial);
