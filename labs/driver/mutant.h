/* mutant.h -- plausible wrong answers, as small edits of the reference: LAB/mutants/EXERCISE.mutants.
 *
 *     # not applicable: repeat, aliasing
 *     bias_by_row [formula]: The bias belongs to an output, not to a row.
 *     - text that stands once in the exercise's region, blanks at a line's start left out
 *     + what replaces it; several lines of each make one hunk, and there may be several hunks
 *
 *     Mutant *mutants;
 *     unsigned absent[lab->exercise_count];    // the kinds that do not apply, as bits
 *     int count = mutants_read(arena, lab, &reference, &mutants, absent);
 *     for (int m = 0; m < count; m++)
 *         if (mutants[m].fault != NULL) puts(mutants[m].fault);
 *         else source_parse(arena, lab, mutants[m].where, mutants[m].text, &source);
 *
 * The cases of its exercise have to reject it: that is how cases are checked. Hunks are applied one
 * after the other. Lines that begin with '#' are for authors, but for the first of a file: each kind of
 * wrong answer has a mutant there or is listed as not applicable.
 */
#pragma once
#include "labs/driver/source.h"

// clang-format off
#define KIND_LIST(X)                                                                                 \
    X(formula,    "a wrong term, factor, sign, index or order of steps")                              \
    X(contract,   "a sentence of the contract is broken: unchanged, at most, refused, NULL")          \
    X(size,       "wrong for none, one, odd, cut tiles, or many")                                     \
    X(shape,      "only square, only a batch of one, or rows and columns exchanged")                  \
    X(repeat,     "keeps state between calls: a static variable, a cache by address")                 \
    X(accumulate, "adds where it has to overwrite, or overwrites where it has to add")                \
    X(aliasing,   "wrong where two arguments are the same memory, as the contract allows")            \
    X(extreme,    "overflow, underflow, or cancellation")                                             \
    X(nonfinite,  "NaN or infinity lost or made")                                                     \
    X(integer,    "counts above 2^31 or 2^53, or a division of integers")                             \
    X(boundary,   "wrong exactly at the limit: equal to the tolerance, the last try")                 \
    X(precision,  "float where double is promised, or a tolerance that is too loose")                 \
    X(substitute, "another exercise, or another method, in place of this one")
// clang-format on

typedef enum MutantKind {
#define X(name, meaning) KIND_##name,
    KIND_LIST(X)
#undef X
        KIND_COUNT
} MutantKind;

extern const char *const mutant_kinds[KIND_COUNT];    // their names

typedef struct Mutant {
    const char *where;    // FILE:LINE of its name
    const char *name;
    MutantKind kind;
    const char *why;       // one sentence: what is wrong with it
    int exercise;          // whose cases must reject it
    const char *region;    // what then stands between the marks; NULL where there is a fault
    const char *text;      // the whole NAME.c with it; NULL where there is a fault
    const char *fault;     // FILE:LINE: why it can't be applied; NULL otherwise
} Mutant;

// The lab's mutants, by exercise and in the order of their files; returns their number. Of a file
// that can't be read on, the last is a fault, and so is each file that is no exercise's.
// absent[e] has bit k when kind k is listed as not applicable to exercise e.   [exercise_count]
int mutants_read(Arena *arena, const Lab *lab, const Source *reference, Mutant **mutants,
                 unsigned *absent);
