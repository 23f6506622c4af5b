/* mutant.h -- plausible wrong answers, as small edits of the reference: LAB/mutants/EXERCISE.mutants.
 *
 *     bias_by_row: The bias belongs to an output, not to a row.
 *     - text that stands once in the exercise's region, blanks at a line's start left out
 *     + what replaces it; several lines of each make one hunk, and there may be several hunks
 *
 *     Mutant *mutants;
 *     int count = mutants_read(arena, lab, &reference, &mutants);
 *     for (int m = 0; m < count; m++)
 *         if (mutants[m].fault != NULL) puts(mutants[m].fault);
 *         else source_parse(arena, lab, mutants[m].where, mutants[m].text, &source);
 *
 * The cases of its exercise have to reject it: that is how cases are checked. Hunks are applied one
 * after the other. Lines that begin with '#' are for authors.
 */
#pragma once
#include "labs/driver/source.h"

typedef struct Mutant {
    const char *where;    // FILE:LINE of its name
    const char *name;
    const char *why;       // one sentence: what is wrong with it
    int exercise;          // whose cases must reject it
    const char *region;    // what then stands between the marks; NULL where there is a fault
    const char *text;      // the whole NAME.c with it; NULL where there is a fault
    const char *fault;     // FILE:LINE: why it can't be applied; NULL otherwise
} Mutant;

// The lab's mutants, by exercise and in the order of their files; returns their number. Of a file
// that can't be read on, the last is a fault, and so is each file that is no exercise's.
int mutants_read(Arena *arena, const Lab *lab, const Source *reference, Mutant **mutants);
