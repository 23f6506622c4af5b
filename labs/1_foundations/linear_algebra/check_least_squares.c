/* check_least_squares.c -- cases of the exercises 6 and 7. LAPACK factors where 7 needs it. */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"
#include "tests/guarded.h"

// ---- 6: qr ----

// Q^T z for each column z of [m,width], by the reflections in order; backwards: Q z.
static void apply_reflections(double *z, int width, const double *qr, const double *tau, int m,
                              int n, bool backwards)
{
    int steps = min(m, n);
    for (int step = 0; step < steps; step++) {
        int k = backwards ? steps - 1 - step : step;
        for (int j = 0; j < width; j++) {
            long double sum = z[k * width + j];
            for (int i = k + 1; i < m; i++) sum += (long double)qr[i * n + k] * z[i * width + j];
            sum *= tau[k];
            z[k * width + j] -= (double)sum;
            for (int i = k + 1; i < m; i++) z[i * width + j] -= (double)(sum * qr[i * n + k]);
        }
    }
}

static void check_qr(const double *matrix, int m, int n)
{
    size_t all = (size_t)(m * n);
    double *a = doubles_copy(matrix, all), *tau = doubles_filled((size_t)min(m, n), NAN);
    la_qr(a, tau, m, n);
    double *r = doubles_copy(a, all), *q = doubles_filled((size_t)(m * m), 0);
    for (int i = 0; i < m; i++) {
        q[i * m + i] = 1;
        for (int j = 0; j < min(i, n); j++) r[i * n + j] = 0;
    }
    apply_reflections(q, m, a, tau, m, n, true);
    apply_reflections(r, n, a, tau, m, n, true);
    assert_within("|Q^T Q - I|", orthonormality_error(q, m, m), 10 + 4 * m);
    double size = norm(matrix, all);
    if (size > 0) assert_within("|A - Q R| / |A|", distance(r, matrix, all) / size, 10 + 4 * m);
    else assert_within("|R| for A = 0", norm(r, all), 0);
}

CASE(qr__matches_a_reflection_by_hand)
{
    // (3,4) has norm 5 and is reflected to (-5,0): v = (8,4) / 8, tau = (-5 - 3) / -5.
    double *a = DOUBLES(3, 4), *tau = doubles_filled(1, NAN);
    la_qr(a, tau, 2, 1);
    assert_near(a, ((double[]){-5, 0.5}), SHAPE(2, 1), .name = "a", .formula = "R above, v below",
                .eps = 2);
    assert_near(tau, ((double[]){1.6}), SHAPE(1), .name = "tau",
                .formula = "tau = (beta - x[0]) / beta", .eps = 2);
}

CASE(qr__factors_multiply_back_to_a)
{
    for (uint64_t seed = 31; seed <= 32; seed++) check_qr(random_matrix(seed, 5, 5), 5, 5);
    check_qr(random_matrix(33, 31, 31), 31, 31);
}

CASE(qr__handles_tall_and_wide_matrices)
{
    check_qr(random_matrix(34, 20, 3), 20, 3);
    check_qr(random_matrix(35, 3, 20), 3, 20);
    check_qr(random_matrix(36, 9, 1), 9, 1);
    check_qr(random_matrix(37, 1, 9), 1, 9);
}

CASE(qr__handles_extreme_magnitudes)
{
    const double sizes[] = {1e156, 1e-170, 1e300, 1e-300};
    for (int k = 0; k < 4; k++) {
        double *a = random_matrix(44, 7, 4);
        for (int i = 0; i < 28; i++) a[i] *= sizes[k];
        check_qr(a, 7, 4);
    }
}

CASE(qr__scales_each_column_by_itself)
{
    // R of columns of 1e200 and 1e-200, which LAPACK and (3,4) -> -5 agree on.
    double *a = DOUBLES(3e200, 3e-200, 4e200, 9e-200), *tau = DOUBLES(NAN, NAN);
    la_qr(a, tau, 2, 2);
    assert_near(a, ((double[]){-5e200, -9e-200, 0.5, 3e-200}), SHAPE(2, 2), .name = "a",
                .formula = "R above, v below", .eps = 8);
}

CASE(qr__matches_lapacks_r_up_to_signs)
{
    enum { M = 10, N = 6 };
    double *a = random_matrix(38, M, N), *want = doubles_copy(a, M * N),
           *tau = doubles_filled(N, NAN), lapack[N];
    LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, M, N, want, N, lapack);
    la_qr(a, tau, M, N);
    double *r = doubles_filled(N * N, 0), *wanted = doubles_filled(N * N, 0);
    for (int i = 0; i < N; i++)
        for (int j = i; j < N; j++) {
            r[i * N + j] = a[i * N + j] * (a[i * N + i] < 0 ? -1 : 1);
            wanted[i * N + j] = want[i * N + j] * (want[i * N + i] < 0 ? -1 : 1);
        }
    assert_near(r, wanted, SHAPE(N, N), .name = "R",
                .formula = "R, with row signs that make its diagonal positive", .eps = 200);
}

CASE(qr__avoids_cancellation_for_columns_along_an_axis)
{
    check_qr((double[]){1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){-1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3);
}

CASE(qr__handles_rank_deficient_matrices)
{
    check_qr(ranked_matrix(39, 8, 6, 2), 8, 6);
    check_qr(doubles_filled(12, 1), 4, 3);
}

CASE(qr__uses_no_reflection_for_a_zero_column)
{
    check_qr((double[]){0, 1, 0, 2, 0, 3}, 3, 2);
    double *a = doubles_filled(6, 0), *tau = doubles_filled(2, NAN);
    la_qr(a, tau, 3, 2);
    assert_near(tau, doubles_filled(2, 0), SHAPE(2), .name = "tau",
                .formula = "tau = 0 stands for H = I", .exact = true);
    assert_near(a, doubles_filled(6, 0), SHAPE(3, 2), .name = "a", .formula = "R of zeros",
                .exact = true);
}

CASE(qr__is_backward_stable_on_a_hilbert_matrix)
{
    check_qr(hilbert_matrix(12), 12, 12);
}

CASE(qr__handles_sizes_one_and_zero)
{
    check_qr((double[]){-7}, 1, 1);
    check_qr((double[]){7}, 1, 1);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 0, 3);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 3, 0);
}

CASE(qr__propagates_nan)
{
    double *a = random_matrix(40, 4, 2), *tau = doubles_filled(2, 0);
    a[4] = NAN;
    la_qr(a, tau, 4, 2);
    assert_that(isnan(a[0]) && isnan(a[3]),
                "a NaN in column 0 must propagate to R: its diagonal is %g and %g", a[0], a[3]);
}

CASE(qr__takes_the_same_arrays_again)
{
    double *a = DOUBLES(3, 4), *tau = doubles_filled(1, NAN);
    la_qr(a, tau, 2, 1);
    a[0] = 12, a[1] = 5;
    la_qr(a, tau, 2, 1);
    assert_near(a, ((double[]){-13, 0.2}), SHAPE(2, 1), .name = "a of the second call",
                .formula = "R above, v below", .eps = 4);
}

CASE(qr__reflects_a_column_that_begins_with_zero)
{
    check_qr((double[]){0, 1, 1, 0}, 2, 2);
    check_qr((double[]){0, 2, -3, 1, 4, 1}, 3, 2);
}

// ---- 7: least_squares ----

typedef struct Fit {
    double *qr, *tau, *x, *y;
    bool done;
} Fit;

static Fit solve_fit(const double *a, const double *b, int m, int n)
{
    Fit f = {doubles_copy(a, (size_t)(m * n)), doubles_filled((size_t)n, 0),
             doubles_filled((size_t)n, NAN), doubles_filled((size_t)m, NAN), false};
    if (n > 0) LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, m, n, f.qr, n, f.tau);
    double *qr_before = doubles_copy(f.qr, (size_t)(m * n)),
           *tau_before = doubles_copy(f.tau, (size_t)n);
    double *own = doubles_copy(b, (size_t)m);
    f.done = la_least_squares(f.x, f.y, f.qr, f.tau, own, m, n);
    if (n > 0) assert_kept("qr", f.qr, qr_before, m * n);
    if (n > 0) assert_kept("tau", f.tau, tau_before, n);
    assert_kept("b", own, b, m);
    return f;
}

// The residual is orthogonal to every column of A: that is what makes its norm minimal.
static void check_fit(const double *a, int m, int n, uint64_t seed)
{
    double *b = random_matrix(seed, m, 1);
    Fit f = solve_fit(a, b, m, n);
    assert_boolean("la_least_squares of linearly independent columns", f.done, true);
    double *residual = product(a, f.x, m, 1, n), *zero = doubles_filled((size_t)n, 0);
    for (int i = 0; i < m; i++) residual[i] = b[i] - residual[i];
    double *projection = product(transposed(a, m, n), residual, n, 1, m);
    double size = norm(a, (size_t)(m * n)), left = norm(residual, (size_t)m);
    assert_within("|A^T (b - A x)| / (|A| (|A| |x| + |b|))",
                  distance(projection, zero, (size_t)n) /
                      (size * (size * norm(f.x, (size_t)n) + norm(b, (size_t)m))),
                  10 + 4 * m);
    assert_within("| |y[n..]| - |b - A x| | / |b|",
                  fabs(norm(f.y + n, (size_t)(m - n)) - left) / norm(b, (size_t)m), 10 + 4 * m);
}

CASE(least_squares__matches_a_line_fitted_by_hand)
{
    // (0,1), (1,3), (2,4): y = 7/6 + 3/2 x, residuals -1/6, 1/3, -1/6, whose squares sum to 1/6.
    const double a[] = {1, 0, 1, 1, 1, 2}, b[] = {1, 3, 4};
    Fit f = solve_fit(a, b, 3, 2);
    assert_boolean("la_least_squares of two linearly independent columns", f.done, true);
    assert_near(f.x, ((double[]){7.0 / 6, 1.5}), SHAPE(2), .name = "x",
                .formula = "y = 7/6 + 3/2 x", .eps = 20);
    double left = f.y[2] * f.y[2];
    assert_number(left, 1.0 / 6, .name = "y[2]^2", .formula = "squared residual norm", .eps = 20);
}

CASE(least_squares__residual_is_orthogonal_to_the_columns)
{
    for (uint64_t seed = 51; seed <= 52; seed++)
        check_fit(random_matrix(seed, 12, 4), 12, 4, seed + 9);
    check_fit(random_matrix(53, 60, 9), 60, 9, 65);
}

CASE(least_squares__solves_a_square_system)
{
    check_fit(random_matrix(54, 6, 6), 6, 6, 66);
}

CASE(least_squares__handles_one_column_and_one_row)
{
    check_fit(random_matrix(55, 7, 1), 7, 1, 67);
    check_fit((double[]){-2}, 1, 1, 68);
}

CASE(least_squares__with_no_columns_leaves_b_as_residual)
{
    double *b = random_matrix(56, 3, 1);
    Fit f = solve_fit(doubles_filled(0, 0), b, 3, 0);
    assert_boolean("la_least_squares of no columns", f.done, true);
    assert_near(f.y, b, SHAPE(3), .name = "y", .formula = "y = b", .exact = true);
}

CASE(least_squares__matches_nist_certified_coefficients)
{
    // NIST StRD, Wampler1: y = 1 + x + ... + x^5 at x = 0..20; all six certified values are 1.
    enum { M = 21, N = 6 };
    double *a = doubles_filled(M * N, 1), *b = doubles_filled(M, 0);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) b[i] += a[i * N + j] = pow(i, j);
    Fit f = solve_fit(a, b, M, N);
    assert_boolean("la_least_squares of Wampler1, whose columns are linearly independent", f.done,
                   true);
    assert_near(f.x, doubles_filled(N, 1), SHAPE(N), .name = "x",
                .formula = "all coefficients are 1", .eps = 1e8);
}

CASE(least_squares__does_not_square_the_condition_number)
{
    // Columns 1 and 1 + 1e-7: A^T A is singular in double, A is not.
    const double a[] = {1, 1 + 1e-7, 1, 1, 1, 1 - 1e-7};
    Fit f = solve_fit(a, (double[]){3, 2, 1}, 3, 2);
    assert_boolean("la_least_squares of a condition number of 1e7", f.done, true);
    assert_near(f.x, ((double[]){2 - 1e7, 1e7}), SHAPE(2), .name = "x",
                .formula = "b = -1e7 + 2 of ones, and 1e7 of the other", .eps = 1e9);
}

CASE(least_squares__refuses_rank_deficient_matrices)
{
    double *b = random_matrix(57, 8, 1);
    assert_boolean("la_least_squares of rank 2 of 4 columns",
                   solve_fit(ranked_matrix(58, 8, 4, 2), b, 8, 4).done, false);
    assert_boolean("la_least_squares of a column of zeros",
                   solve_fit(doubles_filled(8, 0), b, 8, 1).done, false);
    assert_boolean("la_least_squares of rank 2 of 3 columns",
                   solve_fit(ranked_matrix(59, 8, 3, 2), b, 8, 3).done, false);
}

CASE(least_squares__refuses_a_negligible_first_column)
{
    double *a = random_matrix(62, 6, 2);
    for (int i = 0; i < 6; i++) a[2 * i] *= 1e-20;
    assert_boolean("la_least_squares of an R with the diagonal 1e-20, 1",
                   solve_fit(a, random_matrix(63, 6, 1), 6, 2).done, false);
}

CASE(least_squares__measures_rank_relative_to_the_largest_diagonal)
{
    // All of A is tiny, and it has full rank.
    double *a = random_matrix(60, 9, 3);
    for (int i = 0; i < 27; i++) a[i] *= 1e-200;
    assert_boolean("la_least_squares of tiny but linearly independent columns",
                   solve_fit(a, random_matrix(61, 9, 1), 9, 3).done, true);
}

CASE(least_squares__refuses_nan_in_the_matrix)
{
    double *qr = DOUBLES(NAN, 1, 0, 1, 0, 0);
    assert_boolean("la_least_squares of a diagonal of NaN",
                   la_least_squares(doubles_filled(2, 0), doubles_filled(3, 0), qr, DOUBLES(0, 0),
                                    DOUBLES(1, 2, 3), 3, 2),
                   false);
}

CASE(least_squares__takes_the_same_arrays_again)
{
    double *qr = DOUBLES(2, 1, 0, 4), *tau = DOUBLES(0, 0), *b = DOUBLES(4, 8),
           *x = doubles_filled(2, NAN), *y = doubles_filled(2, NAN);
    assert_boolean("la_least_squares", la_least_squares(x, y, qr, tau, b, 2, 2), true);
    qr[0] = 1, qr[3] = 2, b[0] = 5;    // x + y = 5, 2 y = 8
    assert_boolean("la_least_squares", la_least_squares(x, y, qr, tau, b, 2, 2), true);
    assert_near(x, ((double[]){1, 4}), SHAPE(2), .name = "x of the second call",
                .formula = "R x = Q^T b", .eps = 4);
    qr[3] = 0;
    assert_boolean("la_least_squares, now rank deficient", la_least_squares(x, y, qr, tau, b, 2, 2),
                   false);
}

CASE(least_squares__refuses_a_diagonal_equal_to_the_tolerance)
{
    // m eps times the largest, 8: 2 eps 8.
    double *x = doubles_filled(2, NAN), *y = doubles_filled(2, NAN), *tau = DOUBLES(0, 0);
    double limit = 2 * DBL_EPSILON * 8;
    assert_boolean("la_least_squares, a diagonal element of R equal to m eps times the largest",
                   la_least_squares(x, y, DOUBLES(8, 0, 0, limit), tau, DOUBLES(1, 1), 2, 2),
                   false);
    assert_boolean("la_least_squares, a diagonal element of R twice that",
                   la_least_squares(x, y, DOUBLES(8, 0, 0, 2 * limit), tau, DOUBLES(1, 1), 2, 2),
                   true);
    // m counts rows: 20 of them and 2 columns.
    double *r = doubles_filled(40, 0);
    r[0] = 8, r[3] = 2 * limit;
    assert_boolean("la_least_squares, 20 rows, a diagonal element of R below 20 eps",
                   la_least_squares(x, doubles_filled(20, 0), r, tau, doubles_filled(20, 1), 20, 2),
                   false);
}

const struct CMUnitTest least_squares_cases[] = {
    cmocka_unit_test(qr__matches_a_reflection_by_hand),
    cmocka_unit_test(qr__factors_multiply_back_to_a),
    cmocka_unit_test(qr__handles_tall_and_wide_matrices),
    cmocka_unit_test(qr__scales_each_column_by_itself),
    cmocka_unit_test(qr__handles_extreme_magnitudes),
    cmocka_unit_test(qr__matches_lapacks_r_up_to_signs),
    cmocka_unit_test(qr__avoids_cancellation_for_columns_along_an_axis),
    cmocka_unit_test(qr__handles_rank_deficient_matrices),
    cmocka_unit_test(qr__uses_no_reflection_for_a_zero_column),
    cmocka_unit_test(qr__is_backward_stable_on_a_hilbert_matrix),
    cmocka_unit_test(qr__handles_sizes_one_and_zero),
    cmocka_unit_test(qr__propagates_nan),
    cmocka_unit_test(qr__takes_the_same_arrays_again),
    cmocka_unit_test(qr__reflects_a_column_that_begins_with_zero),
    cmocka_unit_test(least_squares__matches_a_line_fitted_by_hand),
    cmocka_unit_test(least_squares__residual_is_orthogonal_to_the_columns),
    cmocka_unit_test(least_squares__solves_a_square_system),
    cmocka_unit_test(least_squares__handles_one_column_and_one_row),
    cmocka_unit_test(least_squares__with_no_columns_leaves_b_as_residual),
    cmocka_unit_test(least_squares__matches_nist_certified_coefficients),
    cmocka_unit_test(least_squares__does_not_square_the_condition_number),
    cmocka_unit_test(least_squares__refuses_rank_deficient_matrices),
    cmocka_unit_test(least_squares__refuses_a_negligible_first_column),
    cmocka_unit_test(least_squares__measures_rank_relative_to_the_largest_diagonal),
    cmocka_unit_test(least_squares__refuses_nan_in_the_matrix),
    cmocka_unit_test(least_squares__takes_the_same_arrays_again),
    cmocka_unit_test(least_squares__refuses_a_diagonal_equal_to_the_tolerance),
    {0},
};
