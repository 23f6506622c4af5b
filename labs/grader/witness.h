/* witness.h -- says of a trial that came to a bad end what happened, in a sentence, and at which line.
 *
 *     witness_call(&trial);    // before the answer is loaded
 *     witness_stand();         // whenever somebody else has put up signal handlers
 *     witness_leaks();         // the case has passed
 *
 * Signals, exit(), the end of its time, and the reports of the sanitizers.
 */
#pragma once
#include "labs/grader/trial.h"

void witness_call(const Trial *trial);
void witness_stand(void);
void witness_leaks(void);
