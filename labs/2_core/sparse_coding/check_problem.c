/* check_problem.c -- the lasso problems that the solvers of exercises 4 to 6 are tried on. */
#include "labs/2_core/sparse_coding/check.h"
#include "labs/2_core/sparse_coding/tests/sklearn.inc"

const int problem_sizes[PROBLEM_SIZES][2] = {{1, 1}, {1, 6}, {7, 1}, {4, 5}, {20, 9}, {33, 40}};

double soft(double x, double t)
{
    return fabs(x) <= t ? 0 : x > 0 ? x - t : x + t;
}

Problem problem(int K, int P, uint64_t seed)
{
    size_t k = (size_t)K, p = (size_t)P;
    return (Problem){.dict = unit_atoms(seed, K, P),
                     .x = normal(seed + 1, p),
                     .a = normal(seed + 2, k),
                     .work = doubles_filled(p + 2 * k, (double)NAN),
                     .lambda = 0.3,
                     .L = K};    // the trace is a bound
}

void check_minimum(void (*solve)(double *a, const double *x, const Dictionary *dict, double lambda,
                                 double *work))
{
    Dictionary dict = {LASSO_K, LASSO_P, doubles_copy(lasso_d, LASSO_K * LASSO_P)};
    for (int i = 0; i < LASSO_COUNT; i++) {
        double *a = doubles_zero(LASSO_K), *x = doubles_copy(lasso_x, LASSO_P);
        solve(a, x, &dict, lasso_lambda[i], doubles_filled(LASSO_P + 2 * LASSO_K, (double)NAN));
        assert_near(a, lasso_codes + (size_t)i * LASSO_K, SHAPE(LASSO_K), .name = "a",
                    .formula = "the minimum of 1/2 |x - D^T a|^2 + lambda |a|_1, by scikit-learn",
                    .atol = 1e-6);
        assert_optimal(a, x, &dict, lasso_lambda[i], 1e-6);
    }
}
