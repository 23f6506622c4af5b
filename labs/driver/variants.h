/* variants.h -- one C text that is the reference, each of its mutants and each of its states.
 *
 *     const char *text = variants_text(arena, lab, &reference, mutants, count);
 *     setenv(VARIANTS_MUTANT, "3", 1);      // mutants[2]; without it the reference
 *     setenv(VARIANTS_BLANK, "0011", 1);    // the third and fourth exercise are not written yet
 *
 * A program that loads the compiled text reads both then. So a hundred mutants are compiled in the
 * time of one or two: the headers, the other functions and the linking are theirs together.
 */
#pragma once
#include "labs/driver/mutant.h"

#define VARIANTS_MUTANT "LAB_MUTANT"
#define VARIANTS_BLANK  "LAB_BLANK"

// Whether a mutant changes nothing behind its own function: it has no line of the preprocessor, and does
// not end the function. One that may is compiled by itself.
bool variants_can_hold(Arena *arena, const Mutant *mutant);

// Mutants with a fault, and those that it can't hold, are left out.
const char *variants_text(Arena *arena, const Lab *lab, const Source *reference,
                          const Mutant *mutants, int count);
