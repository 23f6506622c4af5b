/* verdicts.h -- a Grade as a learner reads it: a line an exercise, and the one thing to look at first.
 *
 *     verdicts_show(&console, arena, lab, &grade, (VerdictsShown){0});
 *     verdicts_next(&console, arena, lab, &grade, &progress);    // next  ./lab check autoencoder.loss
 *
 * What is shown below the lines is the first case that fails of the first exercise that is not right:
 * what it should have done, where, and what came out. One thing at a time is what a reader can mend.
 */
#pragma once
#include "labs/driver/grade.h"
#include "common/console.h"
#include "labs/driver/progress.h"

typedef struct VerdictsShown {
    bool all;        // every failing case in full
    bool verbose;    // also the compiler's or sanitizer's own words
} VerdictsShown;

void verdicts_show(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   VerdictsShown shown);

// What to type next.
void verdicts_next(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   const Progress *progress);

// The first asked exercise that does not pass; -1 when all do.
int verdicts_first(const Lab *lab, const Grade *grade);
