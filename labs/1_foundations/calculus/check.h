/* check.h -- the cases of each part of the lab, in the order of the exercises; {0} ends a list. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/floats.h"
#include "labs/1_foundations/calculus/calculus.h"

extern const struct CMUnitTest derivative_cases[];    // difference .. dual
extern const struct CMUnitTest push_cases[];
extern const struct CMUnitTest order_cases[];
extern const struct CMUnitTest backward_cases[];
extern const struct CMUnitTest gradient_cases[];    // gradient_check
extern const struct CMUnitTest descent_cases[];     // descend .. newton
extern const struct CMUnitTest sum_cases[];         // taylor .. lagrange

// For graphs: the end of the case's process frees them.
Arena *nodes_new(void);
Value **empty_order(int n);    // all NULL, ends at a guard page
// An order of the graph, for cases of other exercises: by age, since an operand is older than its users.
Value **order_by_age(Value *result, int *count);
