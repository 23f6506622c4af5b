/* check.h -- the cases of each part of the lab, in the exercises' order, and what compares. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/1_foundations/probability/probability.h"

extern const struct CMUnitTest draw_cases[];       // uniformity .. alias
extern const struct CMUnitTest sample_cases[];     // moments .. update
extern const struct CMUnitTest special_cases[];    // gamma, beta
extern const struct CMUnitTest test_cases[];       // interval .. chi_square
extern const struct CMUnitTest chance_cases[];     // bootstrap .. information

double *numbers_uniform(Rng *rng, size_t n);    // in [0,1)

// Both generators must have made the same number of draws.
#define assert_drawn(rng, same, times)                                                             \
    assert_that((rng)->state == (same)->state,                                                     \
                "expected exactly %s; another number "                                             \
                "was drawn",                                                                       \
                times)
