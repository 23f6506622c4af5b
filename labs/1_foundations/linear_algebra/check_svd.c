/* check_svd.c -- cases of the exercises 11 to 13: the SVD, and what it is good for. */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

// ---- 11: svd ----

typedef struct Svd {
    int k, sweeps;
    double *ut, *s, *vt;
} Svd;

static Svd solve_svd(const double *matrix, int m, int n)
{
    int k = least(m, n);
    double *a = doubles_copy(matrix, (size_t)(m * n));
    Svd svd = {k, 0, doubles_filled((size_t)(k * m), NAN), doubles_filled((size_t)k, NAN),
               doubles_filled((size_t)(k * n), NAN)};
    svd.sweeps = la_svd(svd.ut, svd.s, svd.vt, a, m, n);
    if (m * n > 0) assert_kept("a", a, matrix, m * n);
    return svd;
}

// sum_j s[j] ut[j]' vt[j] over the first `terms`
static double *sum_of_terms(const double *ut, const double *s, const double *vt, int m, int n,
                            int terms)
{
    double *scaled = doubles_copy(vt, (size_t)(terms * n));
    for (int i = 0; i < terms * n; i++) scaled[i] *= s[i / n];
    return product(transposed(ut, terms, m), scaled, m, n, terms);
}

static void check_svd(const double *a, int m, int n)
{
    Svd svd = solve_svd(a, m, n);
    size_t all = (size_t)(m * n);
    int l = m > n ? m : n, sound = 0;
    assert_that(svd.sweeps >= 1 && svd.sweeps <= 14, "returned %d sweeps; expected 1 to 14",
                svd.sweeps);
    for (int j = 0; j < svd.k; j++) {
        assert_that(svd.s[j] >= 0, "s[%d] is %g: a singular value is not negative", j, svd.s[j]);
        assert_that(j == 0 || svd.s[j - 1] >= svd.s[j], "s[%d] = %g is smaller than s[%d] = %g",
                    j - 1, svd.s[j - 1], j, svd.s[j]);
        sound += svd.s[j] > 0;
    }
    // Where s is 0 the longer vectors may be 0: only `sound` of them have to be of length 1.
    int rows_u = m >= n ? sound : svd.k, rows_v = m >= n ? svd.k : sound;
    assert_within("|U' U - I|", from_orthonormal(svd.ut, rows_u, m), 10 + 10 * l);
    assert_within("|V' V - I|", from_orthonormal(svd.vt, rows_v, n), 10 + 10 * l);
    double *back = sum_of_terms(svd.ut, svd.s, svd.vt, m, n, svd.k);
    assert_within("|A - U S V'| / |A|", distance(back, a, all) / fmax(length(a, all), DBL_MIN),
                  10 + 10 * l);
}

static double *lapack_singular_values(const double *a, int m, int n)
{
    double *copy = doubles_copy(a, (size_t)(m * n)), *s = doubles_filled((size_t)least(m, n), 0),
           unused[1];
    LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', m, n, copy, n, s, unused, m, unused, n);
    return s;
}

static void svd__finds_what_a_hand_finds(void **state)
{
    (void)state;
    // Columns (3,4) and (-8,6) are at right angles already, 5 and 10 long.
    const double a[] = {3, -8, 4, 6};
    Svd svd = solve_svd(a, 2, 2);
    assert_integer("sweeps", svd.sweeps, 1);
    assert_near(svd.s, ((double[]){10, 5}), SHAPE(2), .name = "s", .formula = "10 and 5", .eps = 4);
    check_svd(a, 2, 2);
}

static void svd__takes_the_matrix_apart_and_puts_it_together(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) check_svd(random_matrix(seed, 5, 5), 5, 5);
    check_svd(random_matrix(3, 23, 23), 23, 23);
}

static void svd__takes_a_tall_matrix(void **state)
{
    (void)state;
    check_svd(random_matrix(4, 17, 4), 17, 4);
    check_svd(random_matrix(5, 9, 1), 9, 1);
}

static void svd__takes_a_wide_matrix(void **state)
{
    (void)state;
    check_svd(random_matrix(6, 4, 17), 4, 17);
    check_svd(random_matrix(7, 1, 9), 1, 9);
}

static void svd__finds_lapacks_singular_values(void **state)
{
    (void)state;
    double *a = random_matrix(8, 12, 7);
    assert_within(
        "|s - LAPACK's| / |A|",
        distance(solve_svd(a, 12, 7).s, lapack_singular_values(a, 12, 7), 7) / length(a, 84), 60);
}

static void svd__finds_the_small_values_of_hilbert_too(void **state)
{
    (void)state;
    // s[9] is 1e-13 of s[0]: through A'A, whose eigenvalues are the squares, nothing would be left of it.
    double *a = hilbert_matrix(10);
    check_svd(a, 10, 10);
    assert_within("|s - LAPACK's| / |A|",
                  distance(solve_svd(a, 10, 10).s, lapack_singular_values(a, 10, 10), 10) /
                      length(a, 100),
                  100);
}

static void svd__keeps_the_digits_of_columns_of_very_different_size(void **state)
{
    (void)state;
    // Orthogonal columns times 1, 1e-8, 1e-16: each singular value is known to all digits.
    const double a[] = {1, 1e-8, 1e-16, 1, -1e-8, 1e-16, 1, 1e-8, -1e-16, 1, -1e-8, -1e-16};
    Svd svd = solve_svd(a, 4, 3);
    for (int j = 0; j < 3; j++) svd.s[j] *= pow(1e8, j);
    assert_near(svd.s, doubles_filled(3, 2), SHAPE(3), .name = "s, times 1, 1e8, 1e16",
                .formula = "2 in all three", .eps = 50);
}

static void svd__shows_the_rank(void **state)
{
    (void)state;
    double *a = ranked_matrix(9, 10, 6, 2);
    Svd svd = solve_svd(a, 10, 6);
    check_svd(a, 10, 6);
    assert_within("s[2] / s[0] of a matrix of rank 2", svd.s[2] / svd.s[0], 60);
    check_svd(ranked_matrix(11, 6, 10, 3), 6, 10);
}

static void svd__takes_zeros_and_equal_columns(void **state)
{
    (void)state;
    check_svd(doubles_filled(6, 0), 3, 2);
    check_svd(doubles_filled(6, 0), 2, 3);
    check_svd(doubles_filled(12, 1), 4, 3);
    check_svd((double[]){0, 1, 0, 2, 0, 3}, 3, 2);
}

static void svd__takes_values_that_are_equal(void **state)
{
    (void)state;
    check_svd((double[]){0, 1, 0, 0, 0, 1, 1, 0, 0}, 3, 3);
    check_svd((double[]){-1, 0, 0, -1}, 2, 2);
}

static void svd__works_at_every_scale(void **state)
{
    (void)state;
    double *large = random_matrix(12, 6, 4), *small = doubles_copy(large, 24);
    for (int i = 0; i < 24; i++) large[i] *= 1e100, small[i] *= 1e-100;
    check_svd(large, 6, 4);
    check_svd(small, 6, 4);
}

static void svd__takes_one_element_and_none(void **state)
{
    (void)state;
    check_svd((double[]){-7}, 1, 1);
    assert_that(la_svd(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                       doubles_filled(0, 0), 3, 0) >= 0,
                "refused 3 x 0");
    assert_that(la_svd(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                       doubles_filled(0, 0), 0, 3) >= 0,
                "refused 0 x 3");
}

static void svd__says_that_a_nan_does_not_come_to_an_end(void **state)
{
    (void)state;
    double *a = random_matrix(13, 5, 3);
    a[4] = NAN;
    assert_integer("la_svd with a NaN", solve_svd(a, 5, 3).sweeps, -1);
}

// ---- 12: low_rank ----

static const char low_rank_formula[] = "out[i,c] = sum_{j < k} s[j] ut[j,i] vt[j,c]";

static void check_low_rank(int m, int n, int k, uint64_t seed)
{
    double *ut = random_matrix(seed, k, m), *s = random_matrix(seed + 1, k, 1),
           *vt = random_matrix(seed + 2, k, n);
    double *ut_before = doubles_copy(ut, (size_t)(k * m)), *s_before = doubles_copy(s, (size_t)k);
    double *vt_before = doubles_copy(vt, (size_t)(k * n)),
           *out = doubles_filled((size_t)(m * n), NAN);
    la_low_rank(out, ut, s, vt, m, n, k);
    assert_near(out, sum_of_terms(ut, s, vt, m, n, k), SHAPE(m, n), .name = "out",
                .formula = low_rank_formula, .eps = 20 * k);
    assert_kept("ut", ut, ut_before, k * m);
    assert_kept("s", s, s_before, k);
    assert_kept("vt", vt, vt_before, k * n);
}

static void low_rank__gives_what_a_hand_computes(void **state)
{
    (void)state;
    double *out = doubles_filled(4, NAN);
    la_low_rank(out, DOUBLES(1, 2, 0, 1), DOUBLES(3, 10), DOUBLES(1, -1, 1, 1), 2, 2, 1);
    assert_near(out, ((double[]){3, -3, 6, -6}), SHAPE(2, 2), .name = "out",
                .formula = low_rank_formula, .exact = true);
    la_low_rank(out, DOUBLES(1, 2, 0, 1), DOUBLES(3, 10), DOUBLES(1, -1, 1, 1), 2, 2, 2);
    assert_near(out, ((double[]){3, -3, 16, 4}), SHAPE(2, 2), .name = "out",
                .formula = low_rank_formula, .exact = true);
}

static void low_rank__agrees_with_long_double(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 24; seed += 3) check_low_rank(5, 4, 3, seed);
    check_low_rank(3, 11, 2, 27);
    check_low_rank(11, 3, 3, 30);
}

static void low_rank__takes_one_term_one_row_or_one_column(void **state)
{
    (void)state;
    check_low_rank(5, 4, 1, 33);
    check_low_rank(1, 4, 1, 36);
    check_low_rank(4, 1, 1, 39);
    check_low_rank(1, 1, 1, 42);
}

static void low_rank__of_no_terms_is_zero(void **state)
{
    (void)state;
    double *out = doubles_filled(6, NAN);
    la_low_rank(out, doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0), 2, 3, 0);
    assert_near(out, doubles_filled(6, 0), SHAPE(2, 3), .name = "out",
                .formula = "a sum of nothing is 0", .exact = true);
    la_low_rank(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                doubles_filled(0, 0), 0, 3, 0);
}

static void low_rank__misses_by_the_singular_values_it_leaves_out(void **state)
{
    (void)state;
    // Eckart & Young 1936: the best that any matrix of rank k can do.
    enum { M = 9, N = 6, K = 3 };
    double *a = random_matrix(45, M, N), *copy = doubles_copy(a, M * N),
           *s = doubles_filled(N, NAN), *out = doubles_filled(M * N, NAN);
    double u[M * N], *vt = doubles_filled(N * N, NAN);
    LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', M, N, copy, N, s, u, N, vt, N);
    la_low_rank(out, transposed(u, M, N), s, vt, M, N, K);
    double miss = distance(out, a, M * N), want = length(s + K, N - K);
    assert_within("| |A - A_k| - root of the sum of s[j]^2, j >= k | / |A|",
                  fabs(miss - want) / length(a, M * N), 50);
}

static void low_rank__passes_a_nan_on(void **state)
{
    (void)state;
    double *out = doubles_filled(4, 0);
    la_low_rank(out, DOUBLES(0, 1), DOUBLES(1), DOUBLES(NAN, 1), 2, 2, 1);
    assert_near(out, ((double[]){NAN, 0, NAN, 1}), SHAPE(2, 2), .name = "out",
                .formula = "0 times NaN is NaN", .exact = true);
}

// ---- 13: pca ----

typedef struct Pca {
    int r;
    bool done;
    double *mean, *components, *variances;
} Pca;

static Pca solve_pca(const double *points, int n, int d)
{
    int r = least(n, d);
    double *x = doubles_copy(points, (size_t)(n * d));
    Arena *arena = arena_new("pca", (size_t)16 << 20);
    Pca pca = {r, false, doubles_filled((size_t)d, NAN), doubles_filled((size_t)(r * d), NAN),
               doubles_filled((size_t)r, NAN)};
    pca.done = la_pca(pca.mean, pca.components, pca.variances, x, n, d, arena);
    assert_kept("x", x, points, n * d);
    arena_free(arena);
    return pca;
}

// Against the eigenvalues of the covariance, by LAPACK.
static void check_pca(const double *x, int n, int d)
{
    Pca pca = solve_pca(x, n, d);
    double *mean = doubles_filled((size_t)d, 0), *centred = doubles_copy(x, (size_t)(n * d)),
           *want = doubles_filled((size_t)pca.r, 0);
    double *lapack = doubles_filled((size_t)d, 0);
    assert_boolean("la_pca of points that are numbers", pca.done, true);
    for (int j = 0; j < d; j++) {
        long double sum = 0;
        for (int i = 0; i < n; i++) sum += x[i * d + j];
        mean[j] = (double)(sum / n);
        for (int i = 0; i < n; i++) centred[i * d + j] -= mean[j];
    }
    double *covariance = product(transposed(centred, n, d), centred, d, d, n), *copy;
    for (int i = 0; i < d * d; i++) covariance[i] /= n - 1;
    copy = doubles_copy(covariance, (size_t)(d * d));
    LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', d, copy, d, lapack);
    for (int k = 0; k < pca.r; k++) want[k] = fmax(lapack[d - 1 - k], 0);
    double size = length(covariance, (size_t)(d * d));
    assert_near(pca.mean, mean, SHAPE(d), .name = "mean", .formula = "mean[j] = 1/n sum_i x[i,j]",
                .eps = 2 * n);
    assert_within("|variances - LAPACK's eigenvalues of the covariance| / |covariance|",
                  distance(pca.variances, want, (size_t)pca.r) / size, 100 + 10 * d);
    // C v = variance v, for each component whose variance is more than rounding.
    for (int k = 0; k < pca.r && pca.variances[k] > 1e-8 * pca.variances[0]; k++) {
        double *v = doubles_copy(pca.components + (size_t)k * (size_t)d, (size_t)d);
        double *stretched = product(covariance, v, d, 1, d);
        assert_within("| |component| - 1 |", fabs(length(v, (size_t)d) - 1), 50 + 10 * d);
        for (int i = 0; i < d; i++) v[i] *= pca.variances[k];
        assert_within("|C v - variance v| / |C|", distance(stretched, v, (size_t)d) / size,
                      100 + 10 * d);
    }
}

static void pca__finds_the_line_that_points_lie_on(void **state)
{
    (void)state;
    // Along (3,4) / 5, at -5, 0 and 5 from (10,20): variance 25.
    Pca pca = solve_pca((double[]){7, 16, 10, 20, 13, 24}, 3, 2);
    double slope = pca.components[1] / pca.components[0];
    assert_boolean("la_pca of three points", pca.done, true);
    assert_near(pca.mean, ((double[]){10, 20}), SHAPE(2), .name = "mean", .formula = "(10,20)",
                .eps = 4);
    assert_number(slope, 4.0 / 3, .name = "component", .formula = "(3,4) / 5 or its negative",
                  .eps = 20);
    assert_near(pca.variances, ((double[]){25, 0}), SHAPE(2), .name = "variances",
                .formula = "25 along the line, 0 across", .eps = 20);
}

static void pca__agrees_with_the_eigenvectors_of_the_covariance(void **state)
{
    (void)state;
    for (uint64_t seed = 51; seed <= 52; seed++) check_pca(random_matrix(seed, 20, 4), 20, 4);
    double *x = random_matrix(53, 30, 5);
    for (int i = 0; i < 150; i++) x[i] = x[i] * (i % 5 + 1) + 3;
    check_pca(x, 30, 5);
}

static void pca__takes_fewer_points_than_dimensions(void **state)
{
    (void)state;
    check_pca(random_matrix(54, 4, 9), 4, 9);
}

static void pca__takes_one_dimension(void **state)
{
    (void)state;
    Pca pca = solve_pca((double[]){1, 2, 6}, 3, 1);
    assert_near(pca.mean, ((double[]){3}), SHAPE(1), .name = "mean", .formula = "3", .eps = 4);
    assert_near(pca.variances, ((double[]){7}), SHAPE(1), .name = "variances",
                .formula = "(4 + 1 + 9) / 2", .eps = 8);
    double size = fabs(pca.components[0]);
    assert_number(size, 1, .name = "|component|", .formula = "1", .eps = 2);
}

static void pca__of_one_point_has_no_variance(void **state)
{
    (void)state;
    Pca pca = solve_pca((double[]){4, 5, 6}, 1, 3);
    assert_boolean("la_pca of one point", pca.done, true);
    assert_near(pca.mean, ((double[]){4, 5, 6}), SHAPE(3), .name = "mean", .formula = "the point",
                .eps = 2);
    assert_near(pca.variances, ((double[]){0}), SHAPE(1), .name = "variances", .formula = "0",
                .exact = true);
}

static void pca__of_equal_points_has_no_variance(void **state)
{
    (void)state;
    Pca pca = solve_pca(doubles_filled(8, 3), 4, 2);
    assert_near(pca.variances, doubles_filled(2, 0), SHAPE(2), .name = "variances", .formula = "0",
                .eps = 10);
}

static void pca__is_not_moved_by_a_far_origin(void **state)
{
    (void)state;
    // Subtract first, square then: E[x^2] - mean^2 would have no digit left.
    double *x = DOUBLES(1, 0, -1, 0, 0, 2, 0, -2);
    for (int i = 0; i < 8; i++) x[i] += 1073741824;    // 2^30: the sums are exact
    Pca pca = solve_pca(x, 4, 2);
    assert_near(pca.variances, ((double[]){8.0 / 3, 2.0 / 3}), SHAPE(2), .name = "variances",
                .formula = "8/3 and 2/3", .eps = 20);
}

static void pca__refuses_a_nan(void **state)
{
    (void)state;
    double *x = random_matrix(55, 6, 3);
    x[4] = NAN;
    assert_boolean("la_pca of points with a NaN", solve_pca(x, 6, 3).done, false);
}

const struct CMUnitTest svd_cases[] = {
    cmocka_unit_test(svd__finds_what_a_hand_finds),
    cmocka_unit_test(svd__takes_the_matrix_apart_and_puts_it_together),
    cmocka_unit_test(svd__takes_a_tall_matrix),
    cmocka_unit_test(svd__takes_a_wide_matrix),
    cmocka_unit_test(svd__finds_lapacks_singular_values),
    cmocka_unit_test(svd__finds_the_small_values_of_hilbert_too),
    cmocka_unit_test(svd__keeps_the_digits_of_columns_of_very_different_size),
    cmocka_unit_test(svd__shows_the_rank),
    cmocka_unit_test(svd__takes_zeros_and_equal_columns),
    cmocka_unit_test(svd__takes_values_that_are_equal),
    cmocka_unit_test(svd__works_at_every_scale),
    cmocka_unit_test(svd__takes_one_element_and_none),
    cmocka_unit_test(svd__says_that_a_nan_does_not_come_to_an_end),
    cmocka_unit_test(low_rank__gives_what_a_hand_computes),
    cmocka_unit_test(low_rank__agrees_with_long_double),
    cmocka_unit_test(low_rank__takes_one_term_one_row_or_one_column),
    cmocka_unit_test(low_rank__of_no_terms_is_zero),
    cmocka_unit_test(low_rank__misses_by_the_singular_values_it_leaves_out),
    cmocka_unit_test(low_rank__passes_a_nan_on),
    cmocka_unit_test(pca__finds_the_line_that_points_lie_on),
    cmocka_unit_test(pca__agrees_with_the_eigenvectors_of_the_covariance),
    cmocka_unit_test(pca__takes_fewer_points_than_dimensions),
    cmocka_unit_test(pca__takes_one_dimension),
    cmocka_unit_test(pca__of_one_point_has_no_variance),
    cmocka_unit_test(pca__of_equal_points_has_no_variance),
    cmocka_unit_test(pca__is_not_moved_by_a_far_origin),
    cmocka_unit_test(pca__refuses_a_nan),
    {0},
};
