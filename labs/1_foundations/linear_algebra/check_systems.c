/* check_systems.c -- cases of the exercises 4 to 7: LU, QR, and what they solve.
 *
 * Where an exercise starts from factors, LAPACK makes them.
 */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"
#include "tests/guarded.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

// ---- 4: lu ----

static int *pivots_new(int n)
{
    return ints_filled((size_t)n, -1);
}

// P A, from the exchanges in their order.
static void exchange_rows(double *a, const int *pivot, int n, int width)
{
    for (int k = 0; k < n; k++)
        for (int j = 0; j < width && pivot[k] != k; j++) {
            double was = a[k * width + j];
            a[k * width + j] = a[pivot[k] * width + j];
            a[pivot[k] * width + j] = was;
        }
}

// L U from where they lie.
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

// The bound grows with n; that elements may grow on the way matters for matrices that are made for it.
static void check_lu(const double *matrix, int n, int want)
{
    size_t all = (size_t)(n * n);
    double *a = doubles_copy(matrix, all), *moved = doubles_copy(matrix, all);
    int *pivot = pivots_new(n);
    assert_integer("la_lu returns 0, or k + 1 for the first pivot that is 0", la_lu(a, pivot, n),
                   want);
    for (int k = 0; k < n; k++) {
        assert_that(pivot[k] >= k && pivot[k] < n, "pivot[%d] is %d; expected a row from %d to %d",
                    k, pivot[k], k, n - 1);
        for (int i = k + 1; i < n; i++)
            assert_that(
                fabs(a[i * n + k]) <= 1 || (a[k * n + k] == 0 && a[i * n + k] == 0),
                "l[%d,%d] is %g: larger than 1, so the pivot was not the largest of its column", i,
                k, a[i * n + k]);
    }
    exchange_rows(moved, pivot, n, n);
    assert_within("|P A - L U| / |A|", distance(multiply_lu(a, n), moved, all) / length(moved, all),
                  4 + n);
}

static void lu__gives_what_a_hand_computes(void **state)
{
    (void)state;
    double *a = DOUBLES(1, 2, 4, 6);
    int *pivot = pivots_new(2);
    assert_integer("la_lu", la_lu(a, pivot, 2), 0);
    assert_integer("pivot[0]: the row with 4 comes up", pivot[0], 1);
    assert_integer("pivot[1]", pivot[1], 1);
    assert_near(a, ((double[]){4, 6, 0.25, 0.5}), SHAPE(2, 2), .name = "a",
                .formula = "U on and above the diagonal, L below", .exact = true);
}

static void lu__makes_factors_whose_product_is_the_matrix(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) check_lu(random_matrix(seed, 5, 5), 5, 0);
    check_lu(random_matrix(3, 33, 33), 33, 0);
}

static void lu__takes_a_pivot_of_zero_from_below(void **state)
{
    (void)state;
    check_lu((double[]){0, 1, 1, 0}, 2, 0);
    check_lu((double[]){0, 2, 1, 1, 1, 1, 2, 1, 0}, 3, 0);
}

static void lu__takes_the_largest_pivot_by_its_size_not_its_sign(void **state)
{
    (void)state;
    double *a = DOUBLES(1, 2, 3, -8, 1, 1, 4, 0, 5);
    int *pivot = pivots_new(3);
    la_lu(a, pivot, 3);
    assert_integer("pivot[0]: -8 is the largest in size", pivot[0], 1);
    check_lu((double[]){1e-20, 1, 1, 1}, 2, 0);
}

static void lu__exchanges_and_eliminates_as_lapack_does(void **state)
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

static void lu__judges_hilbert_by_its_backward_error(void **state)
{
    (void)state;
    for (int n = 2; n <= 14; n += 4) check_lu(hilbert_matrix(n), n, 0);
}

static void lu__says_where_the_first_zero_pivot_is_and_goes_on(void **state)
{
    (void)state;
    check_lu((double[]){1, 2, 3, 2, 4, 7, 3, 6, 11}, 3, 2);
    check_lu((double[]){0, 1, 2, 0, 3, 4, 0, 5, 7}, 3, 1);
    check_lu((double[]){1, 1, 1, 1}, 2, 2);
}

static void lu__says_the_first_zero_pivot_of_several(void **state)
{
    (void)state;
    double *a = doubles_filled(9, 0);
    assert_integer("la_lu of zeros", la_lu(a, pivots_new(3), 3), 1);
    assert_near(a, doubles_filled(9, 0), SHAPE(3, 3), .name = "a",
                .formula = "zeros need no elimination", .exact = true);
}

static void lu__takes_one_row_and_none(void **state)
{
    (void)state;
    check_lu((double[]){-3}, 1, 0);
    assert_integer("la_lu of an empty matrix", la_lu(doubles_filled(0, 0), pivots_new(0), 0), 0);
    assert_integer("la_lu of [0]", la_lu(doubles_filled(1, 0), pivots_new(1), 1), 1);
}

static void lu__passes_a_nan_on(void **state)
{
    (void)state;
    double *a = random_matrix(5, 3, 3);
    a[8] = NAN;
    la_lu(a, pivots_new(3), 3);
    double sum = 0;
    for (int i = 0; i < 3; i++) sum += a[i * 3 + 2];
    assert_that(isnan(sum), "a NaN went into the last column, and none came out of it");
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
    double miss = distance(product(a, x, n, 1, n), b, (size_t)n);
    assert_within("|b - A x| / (|A| |x|)",
                  miss / (length(a, (size_t)(n * n)) * length(x, (size_t)n)), 4 + n);
    assert_kept("lu", f.lu, lu_before, n * n);
    assert_kept("b", b, b_before, n);
}

static void lu_solve__gives_what_a_hand_computes(void **state)
{
    (void)state;
    // P A = L U of [[1,2],[4,6]]: 1 x + 2 y = 5 and 4 x + 6 y = 18 meet at x = 3, y = 1.
    double *x = doubles_filled(2, NAN);
    la_lu_solve(x, DOUBLES(4, 6, 0.25, 0.5), INTS(1, 1), DOUBLES(5, 18), 2);
    assert_near(x, ((double[]){3, 1}), SHAPE(2), .name = "x", .formula = "L U x = P b", .eps = 4);
}

static void lu_solve__leaves_a_residual_of_a_few_eps(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 12; seed++)
        check_lu_solve(random_matrix(seed, 6, 6), 6, seed + 50);
    check_lu_solve(random_matrix(13, 40, 40), 40, 63);
}

static void lu_solve__exchanges_in_the_order_of_the_steps(void **state)
{
    (void)state;
    // Two exchanges that do not commute: rows 0 and 2, then 1 and 2.
    double *lu = DOUBLES(1, 0, 0, 0, 1, 0, 0, 0, 1);
    double *x = doubles_filled(3, NAN);
    la_lu_solve(x, lu, INTS(2, 2, 2), DOUBLES(1, 2, 3), 3);
    assert_near(x, ((double[]){3, 1, 2}), SHAPE(3), .name = "x", .formula = "P b", .exact = true);
}

static void lu_solve__keeps_the_residual_small_where_the_matrix_is_bad(void **state)
{
    (void)state;
    for (int n = 4; n <= 12; n += 4) check_lu_solve(hilbert_matrix(n), n, 21);
}

static void lu_solve__may_write_over_b(void **state)
{
    (void)state;
    double *a = random_matrix(14, 7, 7), *b = random_matrix(15, 7, 1), *x = doubles_copy(b, 7),
           *apart = doubles_filled(7, NAN);
    Factors f = lapack_lu(a, 7);
    la_lu_solve(apart, f.lu, f.pivot, b, 7);
    la_lu_solve(x, f.lu, f.pivot, x, 7);
    assert_near(x, apart, SHAPE(7), .name = "x", .formula = "x may be b", .exact = true);
}

static void lu_solve__takes_one_row_and_none(void **state)
{
    (void)state;
    double *x = doubles_filled(1, NAN);
    la_lu_solve(x, DOUBLES(4), INTS(0), DOUBLES(2), 1);
    assert_near(x, ((double[]){0.5}), SHAPE(1), .name = "x", .formula = "4 x = 2", .exact = true);
    la_lu_solve(doubles_filled(0, 0), doubles_filled(0, 0), pivots_new(0), doubles_filled(0, 0), 0);
}

static void lu_solve__shows_a_zero_pivot_and_a_nan(void **state)
{
    (void)state;
    double *x = doubles_filled(2, 0);
    la_lu_solve(x, DOUBLES(1, 1, 0, 0), INTS(0, 1), DOUBLES(1, 2), 2);
    assert_that(!isfinite(x[1]), "x[1] = 2 / 0 came out as %g", x[1]);
    la_lu_solve(x, DOUBLES(1, 1, 0, 1), INTS(0, 1), DOUBLES(1, NAN), 2);
    assert_that(isnan(x[0]) && isnan(x[1]), "b held a NaN that both elements need; got %g and %g",
                x[0], x[1]);
}

// ---- 6: qr ----

// Q' z for each column z of [m,width], by the mirrors in their order; back = Q z.
static void apply_mirrors(double *z, int width, const double *qr, const double *tau, int m, int n,
                          bool back)
{
    int steps = least(m, n);
    for (int step = 0; step < steps; step++) {
        int k = back ? steps - 1 - step : step;
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
    double *a = doubles_copy(matrix, all), *tau = doubles_filled((size_t)least(m, n), NAN);
    la_qr(a, tau, m, n);
    double *r = doubles_copy(a, all), *q = doubles_filled((size_t)(m * m), 0);
    for (int i = 0; i < m; i++) {
        q[i * m + i] = 1;
        for (int j = 0; j < least(i, n); j++) r[i * n + j] = 0;
    }
    apply_mirrors(q, m, a, tau, m, n, true);
    apply_mirrors(r, n, a, tau, m, n, true);
    assert_within("|Q' Q - I|", from_orthonormal(q, m, m), 10 + 4 * m);
    double size = length(matrix, all);
    if (size > 0) assert_within("|A - Q R| / |A|", distance(r, matrix, all) / size, 10 + 4 * m);
    else assert_within("|R| for A = 0", length(r, all), 0);
}

static void qr__gives_what_a_hand_computes(void **state)
{
    (void)state;
    // (3,4) has length 5 and is mirrored to (-5,0): v = (8,4) / 8, tau = (-5 - 3) / -5.
    double *a = DOUBLES(3, 4), *tau = doubles_filled(1, NAN);
    la_qr(a, tau, 2, 1);
    assert_near(a, ((double[]){-5, 0.5}), SHAPE(2, 1), .name = "a", .formula = "R above, v below",
                .eps = 2);
    assert_near(tau, ((double[]){1.6}), SHAPE(1), .name = "tau",
                .formula = "tau = (beta - x[0]) / beta", .eps = 2);
}

static void qr__makes_factors_whose_product_is_the_matrix(void **state)
{
    (void)state;
    for (uint64_t seed = 31; seed <= 32; seed++) check_qr(random_matrix(seed, 5, 5), 5, 5);
    check_qr(random_matrix(33, 31, 31), 31, 31);
}

static void qr__takes_tall_and_wide(void **state)
{
    (void)state;
    check_qr(random_matrix(34, 20, 3), 20, 3);
    check_qr(random_matrix(35, 3, 20), 3, 20);
    check_qr(random_matrix(36, 9, 1), 9, 1);
    check_qr(random_matrix(37, 1, 9), 1, 9);
}

static void qr__makes_lapacks_r_up_to_signs(void **state)
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
                .formula = "R, its rows turned to a positive diagonal", .eps = 200);
}

static void qr__does_not_cancel_where_a_column_lies_along_its_axis(void **state)
{
    (void)state;
    check_qr((double[]){1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){-1, 1, 1e-9, 2, 0, 3}, 3, 2);
    check_qr((double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3);
}

static void qr__takes_columns_that_depend_on_each_other(void **state)
{
    (void)state;
    check_qr(ranked_matrix(39, 8, 6, 2), 8, 6);
    check_qr(doubles_filled(12, 1), 4, 3);
}

static void qr__leaves_a_zero_column_without_a_mirror(void **state)
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

static void qr__judges_hilbert_by_its_backward_error(void **state)
{
    (void)state;
    check_qr(hilbert_matrix(12), 12, 12);
}

static void qr__takes_one_element_and_none(void **state)
{
    (void)state;
    check_qr((double[]){-7}, 1, 1);
    check_qr((double[]){7}, 1, 1);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 0, 3);
    la_qr(doubles_filled(0, 0), doubles_filled(0, 0), 3, 0);
}

static void qr__passes_a_nan_on(void **state)
{
    (void)state;
    double *a = random_matrix(40, 4, 2), *tau = doubles_filled(2, 0);
    a[4] = NAN;
    la_qr(a, tau, 4, 2);
    assert_that(isnan(a[0]) && isnan(a[3]),
                "a NaN in column 0 must reach R: its diagonal is %g and %g", a[0], a[3]);
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

// What is left is at right angles to every column of A: that makes it the least.
static void check_fit(const double *a, int m, int n, uint64_t seed)
{
    double *b = random_matrix(seed, m, 1);
    Fit f = solve_fit(a, b, m, n);
    assert_boolean("la_least_squares of columns that are independent", f.done, true);
    double *rest = product(a, f.x, m, 1, n), *zero = doubles_filled((size_t)n, 0);
    for (int i = 0; i < m; i++) rest[i] = b[i] - rest[i];
    double *pull = product(transposed(a, m, n), rest, n, 1, m);
    double size = length(a, (size_t)(m * n)), left = length(rest, (size_t)m);
    assert_within("|A' (b - A x)| / (|A| (|A| |x| + |b|))",
                  distance(pull, zero, (size_t)n) /
                      (size * (size * length(f.x, (size_t)n) + length(b, (size_t)m))),
                  10 + 4 * m);
    assert_within("| |y[n..]| - |b - A x| | / |b|",
                  fabs(length(f.y + n, (size_t)(m - n)) - left) / length(b, (size_t)m), 10 + 4 * m);
}

static void least_squares__fits_the_line_that_a_hand_fits(void **state)
{
    (void)state;
    // (0,1), (1,3), (2,4): y = 7/6 + 3/2 x misses by -1/6, 1/3, -1/6: in all 1/6.
    const double a[] = {1, 0, 1, 1, 1, 2}, b[] = {1, 3, 4};
    Fit f = solve_fit(a, b, 3, 2);
    assert_boolean("la_least_squares of two different columns", f.done, true);
    assert_near(f.x, ((double[]){7.0 / 6, 1.5}), SHAPE(2), .name = "x",
                .formula = "y = 7/6 + 3/2 x", .eps = 20);
    double left = f.y[2] * f.y[2];
    assert_number(left, 1.0 / 6, .name = "y[2]^2", .formula = "what is left, squared", .eps = 20);
}

static void least_squares__leaves_a_rest_at_right_angles_to_the_columns(void **state)
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

static void least_squares__takes_one_column_and_one_row(void **state)
{
    (void)state;
    check_fit(random_matrix(55, 7, 1), 7, 1, 67);
    check_fit((double[]){-2}, 1, 1, 68);
}

static void least_squares__of_no_columns_leaves_b(void **state)
{
    (void)state;
    double *b = random_matrix(56, 3, 1);
    Fit f = solve_fit(doubles_filled(0, 0), b, 3, 0);
    assert_boolean("la_least_squares of no columns", f.done, true);
    assert_near(f.y, b, SHAPE(3), .name = "y", .formula = "y = b", .exact = true);
}

static void least_squares__finds_nists_certified_polynomial(void **state)
{
    (void)state;
    // NIST StRD, Wampler1: y = 1 + x + ... + x^5 at x = 0..20; all six certified values are 1.
    enum { M = 21, N = 6 };
    double *a = doubles_filled(M * N, 1), *b = doubles_filled(M, 0);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) b[i] += a[i * N + j] = pow(i, j);
    Fit f = solve_fit(a, b, M, N);
    assert_boolean("la_least_squares of Wampler1, whose columns are independent", f.done, true);
    assert_near(f.x, doubles_filled(N, 1), SHAPE(N), .name = "x",
                .formula = "all coefficients are 1", .eps = 1e8);
}

static void least_squares__stays_stable_where_squaring_the_matrix_would_not(void **state)
{
    (void)state;
    // Columns 1 and 1 + 1e-7: A'A is singular in double, A is not.
    const double a[] = {1, 1 + 1e-7, 1, 1, 1, 1 - 1e-7};
    Fit f = solve_fit(a, (double[]){3, 2, 1}, 3, 2);
    assert_boolean("la_least_squares of a condition of 1e7", f.done, true);
    assert_near(f.x, ((double[]){2 - 1e7, 1e7}), SHAPE(2), .name = "x",
                .formula = "b = -1e7 + 2 of ones, and 1e7 of the other", .eps = 1e9);
}

static void least_squares__refuses_columns_that_depend_on_each_other(void **state)
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

static void least_squares__refuses_a_first_column_that_is_next_to_nothing(void **state)
{
    (void)state;
    double *a = random_matrix(62, 6, 2);
    for (int i = 0; i < 6; i++) a[2 * i] *= 1e-20;
    assert_boolean("la_least_squares of a diagonal of 1e-20 beside one of 1",
                   solve_fit(a, random_matrix(63, 6, 1), 6, 2).done, false);
}

static void least_squares__measures_deficiency_by_the_largest_element(void **state)
{
    (void)state;
    // All of A is small, and nothing is wrong with it.
    double *a = random_matrix(60, 9, 3);
    for (int i = 0; i < 27; i++) a[i] *= 1e-200;
    assert_boolean("la_least_squares of small numbers in independent columns",
                   solve_fit(a, random_matrix(61, 9, 1), 9, 3).done, true);
}

static void least_squares__refuses_a_nan_in_the_matrix(void **state)
{
    (void)state;
    double *qr = DOUBLES(NAN, 1, 0, 1, 0, 0);
    assert_boolean("la_least_squares of a diagonal of NaN",
                   la_least_squares(doubles_filled(2, 0), doubles_filled(3, 0), qr, DOUBLES(0, 0),
                                    DOUBLES(1, 2, 3), 3, 2),
                   false);
}

const struct CMUnitTest system_cases[] = {
    cmocka_unit_test(lu__gives_what_a_hand_computes),
    cmocka_unit_test(lu__makes_factors_whose_product_is_the_matrix),
    cmocka_unit_test(lu__takes_a_pivot_of_zero_from_below),
    cmocka_unit_test(lu__takes_the_largest_pivot_by_its_size_not_its_sign),
    cmocka_unit_test(lu__exchanges_and_eliminates_as_lapack_does),
    cmocka_unit_test(lu__judges_hilbert_by_its_backward_error),
    cmocka_unit_test(lu__says_where_the_first_zero_pivot_is_and_goes_on),
    cmocka_unit_test(lu__says_the_first_zero_pivot_of_several),
    cmocka_unit_test(lu__takes_one_row_and_none),
    cmocka_unit_test(lu__passes_a_nan_on),
    cmocka_unit_test(lu_solve__gives_what_a_hand_computes),
    cmocka_unit_test(lu_solve__leaves_a_residual_of_a_few_eps),
    cmocka_unit_test(lu_solve__exchanges_in_the_order_of_the_steps),
    cmocka_unit_test(lu_solve__keeps_the_residual_small_where_the_matrix_is_bad),
    cmocka_unit_test(lu_solve__may_write_over_b),
    cmocka_unit_test(lu_solve__takes_one_row_and_none),
    cmocka_unit_test(lu_solve__shows_a_zero_pivot_and_a_nan),
    cmocka_unit_test(qr__gives_what_a_hand_computes),
    cmocka_unit_test(qr__makes_factors_whose_product_is_the_matrix),
    cmocka_unit_test(qr__takes_tall_and_wide),
    cmocka_unit_test(qr__makes_lapacks_r_up_to_signs),
    cmocka_unit_test(qr__does_not_cancel_where_a_column_lies_along_its_axis),
    cmocka_unit_test(qr__takes_columns_that_depend_on_each_other),
    cmocka_unit_test(qr__leaves_a_zero_column_without_a_mirror),
    cmocka_unit_test(qr__judges_hilbert_by_its_backward_error),
    cmocka_unit_test(qr__takes_one_element_and_none),
    cmocka_unit_test(qr__passes_a_nan_on),
    cmocka_unit_test(least_squares__fits_the_line_that_a_hand_fits),
    cmocka_unit_test(least_squares__leaves_a_rest_at_right_angles_to_the_columns),
    cmocka_unit_test(least_squares__solves_a_square_system),
    cmocka_unit_test(least_squares__takes_one_column_and_one_row),
    cmocka_unit_test(least_squares__of_no_columns_leaves_b),
    cmocka_unit_test(least_squares__finds_nists_certified_polynomial),
    cmocka_unit_test(least_squares__stays_stable_where_squaring_the_matrix_would_not),
    cmocka_unit_test(least_squares__refuses_columns_that_depend_on_each_other),
    cmocka_unit_test(least_squares__refuses_a_first_column_that_is_next_to_nothing),
    cmocka_unit_test(least_squares__measures_deficiency_by_the_largest_element),
    cmocka_unit_test(least_squares__refuses_a_nan_in_the_matrix),
    {0},
};
