/* check.h -- the cases of each part of the lab, in the order of the exercises; {0} ends a list. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/1_foundations/calculus/calculus.h"

extern const struct CMUnitTest slope_cases[];       // difference .. dual
extern const struct CMUnitTest engine_cases[];      // push .. backward
extern const struct CMUnitTest gradient_cases[];    // gradient_check
extern const struct CMUnitTest descent_cases[];     // descend .. newton
extern const struct CMUnitTest sum_cases[];         // taylor .. lagrange
