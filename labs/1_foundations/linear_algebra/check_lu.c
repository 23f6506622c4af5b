/* check_lu.c -- cases of the exercises 4 and 5: LU factorization. LAPACK factors where 5 needs it. */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"
#include "tests/guarded.h"

// ---- 4: lu ----

static int *pivots_new(int n)
{
    return ints_filled((size_t)n, -1);
}

// P A: the row swaps in order.
static void swap_rows(double *a, const int *pivot, int n, int width)
{
    for (int k = 0; k < n; k++)
        for (int j = 0; j < width && pivot[k] != k; j++) {
            double held = a[k * width + j];
            a[k * width + j] = a[pivot[k] * width + j];
            a[pivot[k] * width + j] = held;
        }
}

// L U from the packed factors.
static double *multiply_lu(const double *lu, int n)
{
    double *l = doubles_filled((size_t)(n * n), 0), *u = doubles_filled((size_t)(n * n), 0);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            if (j < i) l[i * n + j] = lu[i * n + j];
            else u[i * n + j] = lu[i * n + j];
            if (i == j) l[i * n + j] = 1;
        }
    return product(l, u, n, n, n);
}

// Whether only U's part of each pair of rows was swapped.
static bool holds_with_l_swapped(const double *a, const int *pivot, const double *swapped, int n)
{
    size_t all = (size_t)(n * n);
    double *lu = doubles_copy(a, all);
    for (int k = 0; k < n; k++)
        for (int j = 0; j < k; j++) {
            double held = lu[k * n + j];
            lu[k * n + j] = lu[pivot[k] * n + j];
            lu[pivot[k] * n + j] = held;
        }
    return distance(multiply_lu(lu, n), swapped, all) <= 1e-12 * norm(swapped, all);
}

// The bound grows with n; element growth matters only for matrices constructed to show it.
static void check_lu(const double *matrix, int n, int want)
{
    size_t all = (size_t)(n * n);
    double *a = doubles_copy(matrix, all), *swapped = doubles_copy(matrix, all);
    int *pivot = pivots_new(n);
    assert_integer("la_lu: 0, or k + 1 for the first zero pivot", la_lu(a, pivot, n), want);
    for (int k = 0; k < n; k++) {
        assert_that(pivot[k] >= k && pivot[k] < n, "pivot[%d] is %d; expected a row from %d to %d",
                    k, pivot[k], k, n - 1);
        for (int i = k + 1; i < n; i++)
            assert_that(fabs(a[i * n + k]) <= 1 || (a[k * n + k] == 0 && a[i * n + k] == 0),
                        "l[%d,%d] is %g: above 1, so the pivot was not the largest of its column",
                        i, k, a[i * n + k]);
    }
    swap_rows(swapped, pivot, n, n);
    assert_that(!(distance(multiply_lu(a, n), swapped, all) > 1e-8 * norm(swapped, all) &&
                  holds_with_l_swapped(a, pivot, swapped, n)),
                "P A is not L U, and would be if the rows of L were swapped with those of U: swap "
                "whole rows of a");
    assert_within("|P A - L U| / |A|",
                  distance(multiply_lu(a, n), swapped, all) / norm(swapped, all), 4 + n);
}

CASE(lu__matches_factors_by_hand)
{
    double *a = DOUBLES(1, 2, 4, 6);
    int *pivot = pivots_new(2);
    assert_integer("la_lu", la_lu(a, pivot, 2), 0);
    assert_integer("pivot[0]: the row with 4", pivot[0], 1);
    assert_integer("pivot[1]", pivot[1], 1);
    assert_near(a, ((double[]){4, 6, 0.25, 0.5}), SHAPE(2, 2), .name = "a",
                .formula = "U on and above the diagonal, L below", .exact = true);
}

CASE(lu__factors_multiply_back_to_pa)
{
    for (uint64_t seed = 1; seed <= 2; seed++) check_lu(random_matrix(seed, 5, 5), 5, 0);
    check_lu(random_matrix(3, 33, 33), 33, 0);
}

CASE(lu__swaps_rows_for_a_zero_pivot)
{
    check_lu((double[]){0, 1, 1, 0}, 2, 0);
    check_lu((double[]){0, 2, 1, 1, 1, 1, 2, 1, 0}, 3, 0);
}

CASE(lu__pivots_on_the_largest_absolute_value)
{
    double *a = DOUBLES(1, 2, 3, -8, 1, 1, 4, 0, 5);
    int *pivot = pivots_new(3);
    la_lu(a, pivot, 3);
    assert_integer("pivot[0]: -8 has the largest absolute value", pivot[0], 1);
    check_lu((double[]){1e-20, 1, 1, 1}, 2, 0);
}

CASE(lu__matches_lapack)
{
    enum { N = 12 };
    double *a = random_matrix(4, N, N), *want = doubles_copy(a, N * N);
    int *pivot = pivots_new(N);
    int lapack[N];
    LAPACKE_dgetrf(LAPACK_ROW_MAJOR, N, N, want, N, lapack);
    assert_integer("la_lu", la_lu(a, pivot, N), 0);
    for (int k = 0; k < N; k++) assert_integer("pivot", pivot[k], lapack[k] - 1);
    assert_near(a, want, SHAPE(N, N), .name = "a",
                .formula = "U on and above the diagonal, L below", .eps = 2000);
}

CASE(lu__is_backward_stable_on_hilbert_matrices)
{
    for (int n = 2; n <= 14; n += 4) check_lu(hilbert_matrix(n), n, 0);
}

CASE(lu__reports_the_first_zero_pivot_and_continues)
{
    check_lu((double[]){1, 2, 3, 2, 4, 7, 3, 6, 11}, 3, 2);
    check_lu((double[]){0, 1, 2, 0, 3, 4, 0, 5, 7}, 3, 1);
    check_lu((double[]){1, 1, 1, 1}, 2, 2);
}

CASE(lu__reports_the_first_of_several_zero_pivots)
{
    double *a = doubles_filled(9, 0);
    assert_integer("la_lu of zeros", la_lu(a, pivots_new(3), 3), 1);
    assert_near(a, doubles_filled(9, 0), SHAPE(3, 3), .name = "a",
                .formula = "zero columns need no elimination", .exact = true);
}

CASE(lu__takes_any_pivot_but_zero)
{
    const double sizes[] = {1e200, 1e-200, 1e-300};
    for (int k = 0; k < 3; k++) {
        double f = sizes[k], *a = DOUBLES(f, 3 * f, -2 * f, 4 * f);
        int *pivot = pivots_new(2);
        assert_integer("la_lu of {1, 3; -2, 4}, scaled", la_lu(a, pivot, 2), 0);
        assert_integer("pivot[0]", pivot[0], 1);
        assert_near(a, ((double[]){-2 * f, 4 * f, -0.5, 5 * f}), SHAPE(2, 2), .name = "a",
                    .rtol = 1e-14, .formula = "U on and above the diagonal, L below it");
    }
}

CASE(lu__handles_sizes_one_and_zero)
{
    check_lu((double[]){-3}, 1, 0);
    assert_integer("la_lu of an empty matrix", la_lu(doubles_filled(0, 0), pivots_new(0), 0), 0);
    assert_integer("la_lu of [0]", la_lu(doubles_filled(1, 0), pivots_new(1), 1), 1);
}

CASE(lu__propagates_nan)
{
    double *a = random_matrix(5, 3, 3);
    a[8] = NAN;
    la_lu(a, pivots_new(3), 3);
    double sum = 0;
    for (int i = 0; i < 3; i++) sum += a[i * 3 + 2];
    assert_that(isnan(sum), "the NaN in the last column was lost");
}

CASE(lu__takes_the_same_arrays_again)
{
    double *a = DOUBLES(1, 2, 2, 4);
    int *pivot = pivots_new(2);
    assert_integer("la_lu of a singular matrix", la_lu(a, pivot, 2), 2);
    for (int i = 0; i < 4; i++) a[i] = (double[]){4, 6, 1, 2}[i];
    assert_integer("la_lu of a regular matrix in the same array", la_lu(a, pivot, 2), 0);
    assert_integer("pivot[0]", pivot[0], 0);
    assert_near(a, ((double[]){4, 6, 0.25, 0.5}), SHAPE(2, 2), .name = "a",
                .formula = "U on and above the diagonal, L below", .exact = true);
}

// ---- 5: lu_solve ----

typedef struct Factors {
    double *lu;
    int *pivot;
} Factors;

static Factors lapack_lu(const double *a, int n)
{
    Factors f = {doubles_copy(a, (size_t)(n * n)), pivots_new(n)};
    LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, f.lu, n, f.pivot);
    for (int i = 0; i < n; i++) f.pivot[i]--;
    return f;
}

static void check_lu_solve(const double *a, int n, uint64_t seed)
{
    Factors f = lapack_lu(a, n);
    double *b = random_matrix(seed, n, 1), *x = doubles_filled((size_t)n, NAN);
    double *lu_before = doubles_copy(f.lu, (size_t)(n * n)), *b_before = doubles_copy(b, (size_t)n);
    la_lu_solve(x, f.lu, f.pivot, b, n);
    double residual = distance(product(a, x, n, 1, n), b, (size_t)n);
    assert_within("|b - A x| / (|A| |x|)",
                  residual / (norm(a, (size_t)(n * n)) * norm(x, (size_t)n)), 4 + n);
    assert_kept("lu", f.lu, lu_before, n * n);
    assert_kept("b", b, b_before, n);
}

CASE(lu_solve__matches_a_solution_by_hand)
{
    // P A = L U of [[1,2],[4,6]]: 1 x + 2 y = 5 and 4 x + 6 y = 18 meet at x = 3, y = 1.
    double *x = doubles_filled(2, NAN);
    la_lu_solve(x, DOUBLES(4, 6, 0.25, 0.5), INTS(1, 1), DOUBLES(5, 18), 2);
    assert_near(x, ((double[]){3, 1}), SHAPE(2), .name = "x", .formula = "L U x = P b", .eps = 4);
}

CASE(lu_solve__has_a_small_residual)
{
    for (uint64_t seed = 11; seed <= 12; seed++)
        check_lu_solve(random_matrix(seed, 6, 6), 6, seed + 50);
    check_lu_solve(random_matrix(13, 40, 40), 40, 63);
}

CASE(lu_solve__applies_the_row_swaps_in_order)
{
    // Two row swaps that do not commute: rows 0 and 2, then 1 and 2.
    double *lu = DOUBLES(1, 0, 0, 0, 1, 0, 0, 0, 1);
    double *x = doubles_filled(3, NAN);
    la_lu_solve(x, lu, INTS(2, 2, 2), DOUBLES(1, 2, 3), 3);
    assert_near(x, ((double[]){3, 1, 2}), SHAPE(3), .name = "x", .formula = "P b", .exact = true);
}

CASE(lu_solve__has_a_small_residual_for_ill_conditioned_matrices)
{
    for (int n = 4; n <= 12; n += 4) check_lu_solve(hilbert_matrix(n), n, 21);
}

CASE(lu_solve__allows_x_to_be_b)
{
    double *a = random_matrix(14, 7, 7), *b = random_matrix(15, 7, 1), *x = doubles_copy(b, 7),
           *apart = doubles_filled(7, NAN);
    Factors f = lapack_lu(a, 7);
    la_lu_solve(apart, f.lu, f.pivot, b, 7);
    la_lu_solve(x, f.lu, f.pivot, x, 7);
    assert_near(x, apart, SHAPE(7), .name = "x", .formula = "x may be b", .exact = true);
}

CASE(lu_solve__handles_sizes_one_and_zero)
{
    double *x = doubles_filled(1, NAN);
    la_lu_solve(x, DOUBLES(4), INTS(0), DOUBLES(2), 1);
    assert_near(x, ((double[]){0.5}), SHAPE(1), .name = "x", .formula = "4 x = 2", .exact = true);
    la_lu_solve(doubles_filled(0, 0), doubles_filled(0, 0), pivots_new(0), doubles_filled(0, 0), 0);
}

CASE(lu_solve__propagates_zero_pivots_and_nan)
{
    double *x = doubles_filled(2, 0);
    la_lu_solve(x, DOUBLES(1, 1, 0, 0), INTS(0, 1), DOUBLES(1, 2), 2);
    assert_that(!isfinite(x[1]), "x[1] = 2 / 0 is %g, expected no finite number", x[1]);
    la_lu_solve(x, DOUBLES(1, 1, 0, 1), INTS(0, 1), DOUBLES(1, NAN), 2);
    assert_that(isnan(x[0]) && isnan(x[1]),
                "b has a NaN on which both elements depend; got %g and %g", x[0], x[1]);
    la_lu_solve(x, DOUBLES(1, 0, NAN, 1), INTS(0, 1), DOUBLES(0, 1), 2);
    assert_that(isnan(x[1]), "L has a NaN, and 0 times NaN is NaN; got x[1] = %g", x[1]);
    la_lu_solve(x, DOUBLES(1, NAN, 0, 1), INTS(0, 1), DOUBLES(1, 0), 2);
    assert_that(isnan(x[0]), "U has a NaN, and 0 times NaN is NaN; got x[0] = %g", x[0]);
}

CASE(lu_solve__takes_the_same_arrays_again)
{
    double *lu = DOUBLES(4, 6, 0.25, 0.5), *b = DOUBLES(5, 18), *x = doubles_filled(2, NAN);
    int *pivot = INTS(1, 1);
    la_lu_solve(x, lu, pivot, b, 2);
    lu[1] = 2, lu[2] = 0.5, lu[3] = 2, b[0] = 9, pivot[0] = 0;    // 4 x + 2 y = 9, 2 x + 3 y = 18
    la_lu_solve(x, lu, pivot, b, 2);
    assert_near(x, ((double[]){-1.125, 6.75}), SHAPE(2), .name = "x of the second call",
                .formula = "L U x = P b", .exact = true);
}

const struct CMUnitTest lu_cases[] = {
    cmocka_unit_test(lu__matches_factors_by_hand),
    cmocka_unit_test(lu__factors_multiply_back_to_pa),
    cmocka_unit_test(lu__swaps_rows_for_a_zero_pivot),
    cmocka_unit_test(lu__pivots_on_the_largest_absolute_value),
    cmocka_unit_test(lu__matches_lapack),
    cmocka_unit_test(lu__is_backward_stable_on_hilbert_matrices),
    cmocka_unit_test(lu__reports_the_first_zero_pivot_and_continues),
    cmocka_unit_test(lu__reports_the_first_of_several_zero_pivots),
    cmocka_unit_test(lu__takes_any_pivot_but_zero),
    cmocka_unit_test(lu__handles_sizes_one_and_zero),
    cmocka_unit_test(lu__propagates_nan),
    cmocka_unit_test(lu__takes_the_same_arrays_again),
    cmocka_unit_test(lu_solve__matches_a_solution_by_hand),
    cmocka_unit_test(lu_solve__has_a_small_residual),
    cmocka_unit_test(lu_solve__applies_the_row_swaps_in_order),
    cmocka_unit_test(lu_solve__has_a_small_residual_for_ill_conditioned_matrices),
    cmocka_unit_test(lu_solve__allows_x_to_be_b),
    cmocka_unit_test(lu_solve__handles_sizes_one_and_zero),
    cmocka_unit_test(lu_solve__propagates_zero_pivots_and_nan),
    cmocka_unit_test(lu_solve__takes_the_same_arrays_again),
    {0},
};
