/* cases.h -- the main of a lab's check program, so that every lab's is asked in the same way.
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct CMUnitTest cases[] = {cmocka_unit_test(relu__keeps_what_is_positive)};
 *         return cases_main(argc, argv, "autoencoder", cases, sizeof cases / sizeof *cases);
 *     }
 *
 *     check               runs all           check --list        names, one a line, in order
 *     check 'relu__*'     runs some          check --ref         with the plain kernels
 *
 * The exit status is the number of cases that failed; 2 when a pattern fits none, since a check
 * that ran nothing has shown nothing.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

int cases_main(int argc, char **argv, const char *group, const struct CMUnitTest *cases,
               size_t count);
