/* check.h -- the cases of each part of the lab, in the exercises' order, and what compares. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/1_foundations/probability/probability.h"

extern const struct CMUnitTest draw_cases[];      // uniformity .. alias
extern const struct CMUnitTest sample_cases[];    // moments .. update
extern const struct CMUnitTest test_cases[];      // gamma .. chi_square
extern const struct CMUnitTest chance_cases[];    // bootstrap .. information

double *numbers_uniform(Rng *rng, size_t n);    // in [0,1)

// Both generators must have drawn as often.
#define assert_drawn(rng, same, times)                                                             \
    assert_that((rng)->state == (same)->state,                                                     \
                "expected %s, no more and no less; another number "                                \
                "was drawn",                                                                       \
                times)
