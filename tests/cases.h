/* cases.h -- the main of a lab's check program, so that every lab's is asked in the same way.
 *
 *     const struct CMUnitTest layer_cases[] = {cmocka_unit_test(relu__keeps_what_is_positive), {0}};
 *
 *     int main(int argc, char **argv)
 *     {
 *         return cases_main(argc, argv, "autoencoder", (CaseList[]){layer_cases, loss_cases, NULL});
 *     }
 *
 *     check               runs all           check --list        names, one a line, in order
 *     check 'relu__*'     runs some          check --ref         with the plain kernels
 *
 * The exit status is the number of cases that failed; 255 when a pattern fits none, since a check
 * that ran nothing has shown nothing.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef const struct CMUnitTest *CaseList;    // {0} ends it

int cases_main(int argc, char **argv, const char *group,
               const CaseList lists[]);    // NULL ends them
