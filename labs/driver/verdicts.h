/* verdicts.h -- prints a Grade: a line for each exercise, then the first failing case.
 *
 *     verdicts_show(&console, arena, lab, &grade, (VerdictsShown){0});
 *     verdicts_next(&console, arena, lab, &grade, &progress);    // next  ./lab check autoencoder.loss
 *
 * Only the first failing case of the first exercise that does not pass is shown in full: what was
 * expected, where, and the result. One problem at a time is easier to fix.
 */
#pragma once
#include "labs/driver/grade.h"
#include "common/console.h"
#include "labs/driver/progress.h"

typedef struct VerdictsShown {
    bool all;        // every failing case in full
    bool verbose;    // also the output of the compiler or sanitizer
} VerdictsShown;

void verdicts_show(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   VerdictsShown shown);

// What to type next.
void verdicts_next(const Console *console, Arena *arena, const Lab *lab, const Grade *grade,
                   const Progress *progress);

// The first asked exercise that does not pass; -1 when all do.
int verdicts_first(const Lab *lab, const Grade *grade);
