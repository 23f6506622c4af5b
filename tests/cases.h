/* cases.h -- a lab's cases, and how its check.c hands them to the grader.
 *
 *     CASE(relu__keeps_what_is_positive)
 *     {
 *         ...
 *     }
 *     const struct CMUnitTest layer_cases[] = {cmocka_unit_test(relu__keeps_what_is_positive), {0}};
 *
 *     const CaseList lab_cases[] = {layer_cases, loss_cases, NULL};
 *
 * A case's name is EXERCISE__PROMISE. It calls functions of its own exercise only,
 * and takes the address of none: a call is looked up when it is made, an address when the cases are
 * loaded, and one function that is gone would take all cases with it.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

// The head of a case; cmocka's state is not used.
#define CASE(name) static void name(__attribute__((unused)) void **state)

typedef const struct CMUnitTest *CaseList;    // {0} ends it

extern const CaseList lab_cases[];    // NULL ends them; found by the grader by this name
