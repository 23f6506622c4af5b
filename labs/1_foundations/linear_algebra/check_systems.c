/* check_systems.c -- cases of the exercises 4 to 7: LU, QR, and what they solve.
 *
 * Where an exercise starts from a factorization, LAPACK computes it.
 */
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
    assert_within("|P A - L U| / |A|",
                  distance(multiply_lu(a, n), swapped, all) / norm(swapped, all), 4 + n);
}

static void lu__matches_factors_by_hand(void **state)
{
    (void)state;
    double *a = DOUBLES(1, 2, 4, 6);
    int *pivot = pivots_new(2);
    assert_integer("la_lu", la_lu(a, pivot, 2), 0);
    assert_integer("pivot[0]: the row with 4", pivot[0], 1);
    assert_integer("pivot[1]", pivot[1], 1);
    assert_near(a, ((double[]){4, 6, 0.25, 0.5}), SHAPE(2, 2), .name = "a",
                .formula = "U on and above the diagonal, L below", .exact = true);
}

static void lu__factors_multiply_back_to_pa(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) check_lu(random_matrix(seed, 5, 5), 5, 0);
    check_lu(random_matrix(3, 33, 33), 33, 0);
}

static void lu__swaps_rows_for_a_zero_pivot(void **state)
{
    (void)state;
    check_lu((double[]){0, 1, 1, 0}, 2, 0);
    check_lu((double[]){0, 2, 1, 1, 1, 1, 2, 1, 0}, 3, 0);
}

static void lu__pivots_on_the_largest_absolute_value(void **state)
{
    (void)state;
    double *a = DOUBLES(1, 2, 3, -8, 1, 1, 4, 0, 5);
    int *pivot = pivots_new(3);
    la_lu(a, pivot, 3);
    assert_integer("pivot[0]: -8 has the largest absolute value", pivot[0], 1);
    check_lu((double[]){1e-20, 1, 1, 1}, 2, 0);
}

static void lu__matches_lapack(void **state)
{
    (void)state;
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

static void lu__is_backward_stable_on_hilbert_matrices(void **state)
{
    (void)state;
    for (int n = 2; n <= 14; n += 4) check_lu(hilbert_matrix(n), n, 0);
}

static void lu__reports_the_first_zero_pivot_and_continues(void **state)
{
    (void)state;
    check_lu((double[]){1, 2, 3, 2, 4, 7, 3, 6, 11}, 3, 2);
    check_lu((double[]){0, 1, 2, 0, 3, 4, 0, 5, 7}, 3, 1);
    check_lu((double[]){1, 1, 1, 1}, 2, 2);
}

static void lu__reports_the_first_of_several_zero_pivots(void **state)
{
    (void)state;
    double *a = doubles_filled(9, 0);
    assert_integer("la_lu of zeros", la_lu(a, pivots_new(3), 3), 1);
    assert_near(a, doubles_filled(9, 0), SHAPE(3, 3), .name = "a",
                .formula = "zero columns need no elimination", .exact = true);
}

static void lu__handles_sizes_one_and_zero(void **state)
{
    (void)state;
    check_lu((double[]){-3}, 1, 0);
    assert_integer("la_lu of an empty matrix", la_lu(doubles_filled(0, 0), pivots_new(0), 0), 0);
    assert_integer("la_lu of [0]", la_lu(doubles_filled(1, 0), pivots_new(1), 1), 1);
}

static void lu__propagates_nan(void **state)
{
    (void)state;
    double *a = random_matrix(5, 3, 3);
    a[8] = NAN;
    la_lu(a, pivots_new(3), 3);
    double sum = 0;
    for (int i = 0; i < 3; i++) sum += a[i * 3 + 2];
    assert_that(isnan(sum), "the NaN in the last column was lost");
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

static void lu_solve__matches_a_solution_by_hand(void **state)
{
    (void)state;
    // P A = L U of [[1,2],[4,6]]: 1 x + 2 y = 5 and 4 x + 6 y = 18 meet at x = 3, y = 1.
    double *x = doubles_filled(2, NAN);
    la_lu_solve(x, DOUBLES(4, 6, 0.25, 0.5), INTS(1, 1), DOUBLES(5, 18), 2);
    assert_near(x, ((double[]){3, 1}), SHAPE(2), .name = "x", .formula = "L U x = P b", .eps = 4);
}

static void lu_solve__has_a_small_residual(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 12; seed++)
        check_lu_solve(random_matrix(seed, 6, 6), 6, seed + 50);
    check_lu_solve(random_matrix(13, 40, 40), 40, 63);
}

static void lu_solve__applies_the_row_swaps_in_order(void **state)
{
    (void)state;
    // Two row swaps that do not commute: rows 0 and 2, then 1 and 2.
    double *lu = DOUBLES(1, 0, 0, 0, 1, 0, 0, 0, 1);
    double *x = doubles_filled(3, NAN);
    la_lu_solve(x, lu, INTS(2, 2, 2), DOUBLES(1, 2, 3), 3);
    assert_near(x, ((double[]){3, 1, 2}), SHAPE(3), .name = "x", .formula = "P b", .exact = true);
}

static void lu_solve__has_a_small_residual_for_ill_conditioned_matrices(void **state)
{
    (void)state;
    for (int n = 4; n <= 12; n += 4) check_lu_solve(hilbert_matrix(n), n, 21);
}

static void lu_solve__allows_x_to_be_b(void **state)
{
    (void)state;
    double *a = random_matrix(14, 7, 7), *b = random_matrix(15, 7, 1), *x = doubles_copy(b, 7),
           *apart = doubles_filled(7, NAN);
    Factors f = lapack_lu(a, 7);
    la_lu_solve(apart, f.lu, f.pivot, b, 7);
    la_lu_solve(x, f.lu, f.pivot, x, 7);
    assert_near(x, apart, SHAPE(7), .name = "x", .formula = "x may be b", .exact = true);
}

static void lu_solve__handles_sizes_one_and_zero(void **state)
{
    (void)state;
    double *x = doubles_filled(1, NAN);
    la_lu_solve(x, DOUBLES(4), INTS(0), DOUBLES(2), 1);
    assert_near(x, ((double[]){0.5}), SHAPE(1), .name = "x", .formula = "4 x = 2", .exact = true);
    la_lu_solve(doubles_filled(0, 0), doubles_filled(0, 0), pivots_new(0), doubles_filled(0, 0), 0);
}

static void lu_solve__propagates_zero_pivots_and_nan(void **state)
{
    (void)state;
    double *x = doubles_filled(2, 0);
    la_lu_solve(x, DOUBLES(1, 1, 0, 0), INTS(0, 1), DOUBLES(1, 2), 2);
    assert_that(!isfinite(x[1]), "x[1] = 2 / 0 is %g, expected no finite number", x[1]);
    la_lu_solve(x, DOUBLES(1, 1, 0, 1), INTS(0, 1), DOUBLES(1, NAN), 2);
    assert_that(isnan(x[0]) && isnan(x[1]),
                "b has a NaN on which both elements depend; got %g and %g", x[0], x[1]);
}

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

static void qr__matches_a_reflection_by_hand(void **state)
{
    (void)state;
    // (3,4) has norm 5 and is reflected to (-5,0): v = (8,4) / 8, tau = (-5 - 3) / -5.
    double *a = DOUBLES(3, 4), *tau = doubles_filled(1, NAN);
    la_qr(a, tau, 2, 1);
    assert_near(a, ((double[]){-5, 0.5}), SHAPE(2, 1), .name = "a", .formula = "R above, v below",
                .eps = 2);
    assert_near(tau, ((double[]){1.6}), SHAPE(1), .name = "tau",
                .formula = "tau = (beta - x[0]) / beta", .eps = 2);
}

static void qr__factors_multiply_back_to_a(void **state)
{
    (void)state;
    for (uint64_t seed = 31; seed <= 32; seed++) check_qr(random_matrix(seed, 5, 5), 5, 5);
    check_qr(random_matrix(33, 31, 31), 31, 31);
}

static void qr__handles_tall_and_wide_matrices(void **state)
{
    (void)state;
    check_qr(random_matrix(34, 20, 3), 20, 3);
    check_qr(random_matrix(35, 3, 20), 3, 20);
    check_qr(random_matrix(36, 9, 1), 9, 1);
    check_qr(random_matrix(37, 1, 9), 1, 9);
}

static void qr__matches_lapacks_r_up_to_signs(void **state)
{
    (void)state;
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

static void qr__avoids_cancellation_for_columns_along_an_axis(void **state)
{
    (void)state;
    check_qr((double[]){1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){-1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3);
}

static void qr__handles_rank_deficient_matrices(void **state)
{
    (void)state;
    check_qr(ranked_matrix(39, 8, 6, 2), 8, 6);
    check_qr(doubles_filled(12, 1), 4, 3);
}

static void qr__uses_no_reflection_for_a_zero_column(void **state)
{
    (void)state;
    check_qr((double[]){0, 1, 0, 2, 0, 3}, 3, 2);
    double *a = doubles_filled(6, 0), *tau = doubles_filled(2, NAN);
    la_qr(a, tau, 3, 2);
    assert_near(tau, doubles_filled(2, 0), SHAPE(2), .name = "tau",
                .formula = "tau = 0 stands for H = I", .exact = true);
    assert_near(a, doubles_filled(6, 0), SHAPE(3, 2), .name = "a", .formula = "R of zeros",
                .exact = true);
}

static void qr__is_backward_stable_on_a_hilbert_matrix(void **state)
{
    (void)state;
    check_qr(hilbert_matrix(12), 12, 12);
}

static void qr__handles_sizes_one_and_zero(void **state)
{
    (void)state;
    check_qr((double[]){-7}, 1, 1);
    check_qr((double[]){7}, 1, 1);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 0, 3);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 3, 0);
}

static void qr__propagates_nan(void **state)
{
    (void)state;
    double *a = random_matrix(40, 4, 2), *tau = doubles_filled(2, 0);
    a[4] = NAN;
    la_qr(a, tau, 4, 2);
    assert_that(isnan(a[0]) && isnan(a[3]),
                "a NaN in column 0 must propagate to R: its diagonal is %g and %g", a[0], a[3]);
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

static void least_squares__matches_a_line_fitted_by_hand(void **state)
{
    (void)state;
    // (0,1), (1,3), (2,4): y = 7/6 + 3/2 x, residuals -1/6, 1/3, -1/6, whose squares sum to 1/6.
    const double a[] = {1, 0, 1, 1, 1, 2}, b[] = {1, 3, 4};
    Fit f = solve_fit(a, b, 3, 2);
    assert_boolean("la_least_squares of two linearly independent columns", f.done, true);
    assert_near(f.x, ((double[]){7.0 / 6, 1.5}), SHAPE(2), .name = "x",
                .formula = "y = 7/6 + 3/2 x", .eps = 20);
    double left = f.y[2] * f.y[2];
    assert_number(left, 1.0 / 6, .name = "y[2]^2", .formula = "squared residual norm", .eps = 20);
}

static void least_squares__residual_is_orthogonal_to_the_columns(void **state)
{
    (void)state;
    for (uint64_t seed = 51; seed <= 52; seed++)
        check_fit(random_matrix(seed, 12, 4), 12, 4, seed + 9);
    check_fit(random_matrix(53, 60, 9), 60, 9, 65);
}

static void least_squares__solves_a_square_system(void **state)
{
    (void)state;
    check_fit(random_matrix(54, 6, 6), 6, 6, 66);
}

static void least_squares__handles_one_column_and_one_row(void **state)
{
    (void)state;
    check_fit(random_matrix(55, 7, 1), 7, 1, 67);
    check_fit((double[]){-2}, 1, 1, 68);
}

static void least_squares__with_no_columns_leaves_b_as_residual(void **state)
{
    (void)state;
    double *b = random_matrix(56, 3, 1);
    Fit f = solve_fit(doubles_filled(0, 0), b, 3, 0);
    assert_boolean("la_least_squares of no columns", f.done, true);
    assert_near(f.y, b, SHAPE(3), .name = "y", .formula = "y = b", .exact = true);
}

static void least_squares__matches_nist_certified_coefficients(void **state)
{
    (void)state;
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

static void least_squares__does_not_square_the_condition_number(void **state)
{
    (void)state;
    // Columns 1 and 1 + 1e-7: A^T A is singular in double, A is not.
    const double a[] = {1, 1 + 1e-7, 1, 1, 1, 1 - 1e-7};
    Fit f = solve_fit(a, (double[]){3, 2, 1}, 3, 2);
    assert_boolean("la_least_squares of a condition number of 1e7", f.done, true);
    assert_near(f.x, ((double[]){2 - 1e7, 1e7}), SHAPE(2), .name = "x",
                .formula = "b = -1e7 + 2 of ones, and 1e7 of the other", .eps = 1e9);
}

static void least_squares__refuses_rank_deficient_matrices(void **state)
{
    (void)state;
    double *b = random_matrix(57, 8, 1);
    assert_boolean("la_least_squares of rank 2 of 4 columns",
                   solve_fit(ranked_matrix(58, 8, 4, 2), b, 8, 4).done, false);
    assert_boolean("la_least_squares of a column of zeros",
                   solve_fit(doubles_filled(8, 0), b, 8, 1).done, false);
    assert_boolean("la_least_squares of rank 2 of 3 columns",
                   solve_fit(ranked_matrix(59, 8, 3, 2), b, 8, 3).done, false);
}

static void least_squares__refuses_a_negligible_first_column(void **state)
{
    (void)state;
    double *a = random_matrix(62, 6, 2);
    for (int i = 0; i < 6; i++) a[2 * i] *= 1e-20;
    assert_boolean("la_least_squares of an R with the diagonal 1e-20, 1",
                   solve_fit(a, random_matrix(63, 6, 1), 6, 2).done, false);
}

static void least_squares__measures_rank_relative_to_the_largest_diagonal(void **state)
{
    (void)state;
    // All of A is tiny, and it has full rank.
    double *a = random_matrix(60, 9, 3);
    for (int i = 0; i < 27; i++) a[i] *= 1e-200;
    assert_boolean("la_least_squares of tiny but linearly independent columns",
                   solve_fit(a, random_matrix(61, 9, 1), 9, 3).done, true);
}

static void least_squares__refuses_nan_in_the_matrix(void **state)
{
    (void)state;
    double *qr = DOUBLES(NAN, 1, 0, 1, 0, 0);
    assert_boolean("la_least_squares of a diagonal of NaN",
                   la_least_squares(doubles_filled(2, 0), doubles_filled(3, 0), qr, DOUBLES(0, 0),
                                    DOUBLES(1, 2, 3), 3, 2),
                   false);
}

const struct CMUnitTest system_cases[] = {
    cmocka_unit_test(lu__matches_factors_by_hand),
    cmocka_unit_test(lu__factors_multiply_back_to_pa),
    cmocka_unit_test(lu__swaps_rows_for_a_zero_pivot),
    cmocka_unit_test(lu__pivots_on_the_largest_absolute_value),
    cmocka_unit_test(lu__matches_lapack),
    cmocka_unit_test(lu__is_backward_stable_on_hilbert_matrices),
    cmocka_unit_test(lu__reports_the_first_zero_pivot_and_continues),
    cmocka_unit_test(lu__reports_the_first_of_several_zero_pivots),
    cmocka_unit_test(lu__handles_sizes_one_and_zero),
    cmocka_unit_test(lu__propagates_nan),
    cmocka_unit_test(lu_solve__matches_a_solution_by_hand),
    cmocka_unit_test(lu_solve__has_a_small_residual),
    cmocka_unit_test(lu_solve__applies_the_row_swaps_in_order),
    cmocka_unit_test(lu_solve__has_a_small_residual_for_ill_conditioned_matrices),
    cmocka_unit_test(lu_solve__allows_x_to_be_b),
    cmocka_unit_test(lu_solve__handles_sizes_one_and_zero),
    cmocka_unit_test(lu_solve__propagates_zero_pivots_and_nan),
    cmocka_unit_test(qr__matches_a_reflection_by_hand),
    cmocka_unit_test(qr__factors_multiply_back_to_a),
    cmocka_unit_test(qr__handles_tall_and_wide_matrices),
    cmocka_unit_test(qr__matches_lapacks_r_up_to_signs),
    cmocka_unit_test(qr__avoids_cancellation_for_columns_along_an_axis),
    cmocka_unit_test(qr__handles_rank_deficient_matrices),
    cmocka_unit_test(qr__uses_no_reflection_for_a_zero_column),
    cmocka_unit_test(qr__is_backward_stable_on_a_hilbert_matrix),
    cmocka_unit_test(qr__handles_sizes_one_and_zero),
    cmocka_unit_test(qr__propagates_nan),
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
    {0},
};
