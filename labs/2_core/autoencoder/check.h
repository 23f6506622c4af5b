/* check.h -- the cases of each part of the lab, in the order of the exercises; {0} ends a list. */
#pragma once
#include "tests/cases.h"

extern const struct CMUnitTest layer_cases[];    // linear_forward, linear_backward
extern const struct CMUnitTest loss_cases[];     // relu_backward, loss
extern const struct CMUnitTest tied_cases[];     // tied_forward, tied_backward
extern const struct CMUnitTest noise_cases[];    // corrupt .. kl

// Sums of a few hundred products of size 1, in float and in any order.
#define SUM_TOLERANCE .atol = 1e-4, .rtol = 1e-5
