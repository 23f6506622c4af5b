/* choose.h -- resolves the lab and exercise named on the command line: `autoencoder.loss`, `auto`, or none.
 *
 *     Choice choice;
 *     if (!choose(&course, &progress, argc > 1 ? argv[1] : NULL, &choice)) return 2;    // the reason is printed
 *     choice.lab->id, choice.exercise            // -1: the whole lab
 *
 * LAB or LAB.EXERCISE, each by its name or an unambiguous prefix. Without an argument: the lab
 * that was worked on last, else the first that was started.
 */
#pragma once
#include "labs/driver/course.h"
#include "labs/driver/progress.h"

typedef struct Choice {
    const Lab *lab;
    int exercise;
} Choice;

// False after a message on standard error.
bool choose(const Course *course, const Progress *progress, const char *word, Choice *choice);

// The default lab, when none is named; NULL when none is started.
const Lab *choose_current(const Course *course, const Progress *progress);

// The first exercise of the lab that is not done; -1 when all are.
int choose_next(const Lab *lab, const Progress *progress);
