/* lapack.h -- LAPACK's linear solver, as mdp_closed_form() takes one.
 *
 *     if (!mdp_closed_form(v, &mdp, policy, mdp_lapack, work)) ...    // the policy never ends
 */
#pragma once
#include <lapacke.h>
#include <stdlib.h>
#include "common/error.h"

static inline bool mdp_lapack(double *x, double *a, int n)
{
    lapack_int *pivot = malloc((size_t)n * sizeof *pivot);
    REQUIRE(pivot != NULL, "no memory for %d pivots", n);
    bool solved = LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, a, n, pivot, x, 1) == 0;
    free(pivot);
    return solved;
}
