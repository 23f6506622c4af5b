/* mutant.h -- a plausible wrong answer, as a small edit of the reference: LAB/mutants/NAME.mutant.
 *
 *     exercise linear_forward
 *     why The bias belongs to an output, not to a row.
 *     - text that stands once in the exercise's region, blanks at a line's start left out
 *     + what replaces it; several lines of each make one hunk, and there may be several hunks
 *
 *     Mutant mutant;
 *     if (!mutant_read(arena, lab, &reference, path, &mutant, &err)) return error_report(&err);
 *     source_parse(arena, lab, mutant.path, mutant.text, &source);    // and on to answer_build()
 *
 * The cases of its exercise have to reject it: that is how cases are checked. Hunks are applied one
 * after the other; a message names the file and the line.
 */
#pragma once
#include "labs/driver/source.h"

typedef struct Mutant {
    const char *path;
    const char *name;        // the file's, without its ending and without the exercise
    const char *why;         // one sentence: what is wrong with it
    int         exercise;    // whose cases must reject it
    const char *text;        // the whole NAME.c with the edits in it
} Mutant;

// The lab's mutants by name; returns their number. A folder that is not there holds none.
int mutant_paths(Arena *arena, const Lab *lab, const char ***paths);

bool mutant_read(Arena *arena, const Lab *lab, const Source *reference, const char *path,
                 Mutant *mutant, Error *err);
