/* check_svd.c -- cases of the exercises 11 to 13: SVD, low-rank approximation, PCA. */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"

// ---- 11: svd ----

typedef struct Svd {
    int k, sweeps;
    double *ut, *s, *vt;
} Svd;

static Svd solve_svd(const double *matrix, int m, int n)
{
    int k = min(m, n);
    double *a = doubles_copy(matrix, (size_t)(m * n));
    Svd svd = {k, 0, doubles_filled((size_t)(k * m), NAN), doubles_filled((size_t)k, NAN),
               doubles_filled((size_t)(k * n), NAN)};
    svd.sweeps = la_svd(svd.ut, svd.s, svd.vt, a, m, n);
    if (m * n > 0) assert_kept("a", a, matrix, m * n);
    return svd;
}

// sum_j s[j] ut[j]^T vt[j] over the first `terms`
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
    int l = m > n ? m : n, rank = 0;
    assert_that(svd.sweeps >= 1 && svd.sweeps <= 14, "returned %d sweeps; expected 1 to 14",
                svd.sweeps);
    for (int j = 0; j < svd.k; j++) {
        assert_that(svd.s[j] >= 0, "s[%d] is %g: a singular value is not negative", j, svd.s[j]);
        assert_that(j == 0 || svd.s[j - 1] >= svd.s[j], "s[%d] = %g is smaller than s[%d] = %g",
                    j - 1, svd.s[j - 1], j, svd.s[j]);
        rank += svd.s[j] > 0;
    }
    // Where s is 0 the longer vector may be 0: only `rank` of them need to be unit vectors.
    int rows_u = m >= n ? rank : svd.k, rows_v = m >= n ? svd.k : rank;
    assert_within("|U^T U - I|", orthonormality_error(svd.ut, rows_u, m), 10 + 10 * l);
    assert_within("|V^T V - I|", orthonormality_error(svd.vt, rows_v, n), 10 + 10 * l);
    double *back = sum_of_terms(svd.ut, svd.s, svd.vt, m, n, svd.k);
    assert_within("|A - U S V^T| / |A|", distance(back, a, all) / fmax(norm(a, all), DBL_MIN),
                  10 + 10 * l);
}

static void check_against_lapack(const double *a, int m, int n, double most)
{
    size_t all = (size_t)(m * n), k = (size_t)min(m, n);
    double *copy = doubles_copy(a, all), *s = doubles_filled(k, 0), unused[1];
    LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', m, n, copy, n, s, unused, m, unused, n);
    assert_within("|s - LAPACK's| / |A|", distance(solve_svd(a, m, n).s, s, k) / norm(a, all),
                  most);
}

CASE(svd__matches_singular_values_by_hand)
{
    // Columns (3,4) and (-8,6) are orthogonal, with norms 5 and 10.
    const double a[] = {3, -8, 4, 6};
    Svd svd = solve_svd(a, 2, 2);
    assert_integer("sweeps", svd.sweeps, 1);
    assert_near(svd.s, ((double[]){10, 5}), SHAPE(2), .name = "s", .formula = "10 and 5", .eps = 4);
    check_svd(a, 2, 2);
}

CASE(svd__factors_reconstruct_the_matrix)
{
    for (uint64_t seed = 1; seed <= 2; seed++) check_svd(random_matrix(seed, 5, 5), 5, 5);
    check_svd(random_matrix(3, 23, 23), 23, 23);
}

CASE(svd__handles_tall_matrices)
{
    check_svd(random_matrix(4, 17, 4), 17, 4);
    check_svd(random_matrix(5, 9, 1), 9, 1);
}

CASE(svd__handles_wide_matrices)
{
    check_svd(random_matrix(6, 4, 17), 4, 17);
    check_svd(random_matrix(7, 1, 9), 1, 9);
}

CASE(svd__matches_lapack)
{
    check_against_lapack(random_matrix(8, 12, 7), 12, 7, 60);
}

CASE(svd__finds_small_singular_values_of_a_hilbert_matrix)
{
    // s[9] is 1e-13 of s[0]: A^T A, whose eigenvalues are the squares, would leave no digit of it.
    check_svd(hilbert_matrix(10), 10, 10);
    check_against_lapack(hilbert_matrix(10), 10, 10, 100);
}

CASE(svd__is_accurate_for_columns_of_very_different_norms)
{
    // Orthogonal columns times 1, 1e-8, 1e-16: each singular value is known to all digits.
    const double a[] = {1, 1e-8, 1e-16, 1, -1e-8, 1e-16, 1, 1e-8, -1e-16, 1, -1e-8, -1e-16};
    Svd svd = solve_svd(a, 4, 3);
    for (int j = 0; j < 3; j++) svd.s[j] *= pow(1e8, j);
    assert_near(svd.s, doubles_filled(3, 2), SHAPE(3), .name = "s, times 1, 1e8, 1e16",
                .formula = "2 in all three", .eps = 50);
}

CASE(svd__reveals_the_rank)
{
    double *a = ranked_matrix(9, 10, 6, 2);
    Svd svd = solve_svd(a, 10, 6);
    check_svd(a, 10, 6);
    assert_within("s[2] / s[0] of a matrix of rank 2", svd.s[2] / svd.s[0], 60);
    check_svd(ranked_matrix(11, 6, 10, 3), 6, 10);
}

CASE(svd__handles_zero_and_equal_columns)
{
    check_svd(doubles_filled(6, 0), 3, 2);
    check_svd(doubles_filled(6, 0), 2, 3);
    check_svd(doubles_filled(12, 1), 4, 3);
    check_svd((double[]){0, 1, 0, 2, 0, 3}, 3, 2);
}

CASE(svd__handles_repeated_singular_values)
{
    check_svd((double[]){0, 1, 0, 0, 0, 1, 1, 0, 0}, 3, 3);
    check_svd((double[]){-1, 0, 0, -1}, 2, 2);
}

CASE(svd__handles_extreme_magnitudes)
{
    const double sizes[] = {1e100, 1e-100, 1e156, 1e-170, 1e300, 1e-300};
    for (int k = 0; k < 6; k++) {
        double *a = random_matrix(12, 6, 4);
        for (int i = 0; i < 24; i++) a[i] *= sizes[k];
        check_svd(a, 6, 4);
        check_svd(a, 4, 6);
    }
}

CASE(svd__matches_singular_values_at_any_magnitude)
{
    // s^2 are the roots of t^2 - 91 t + 24.
    double want[2] = {sqrt((91 + sqrt(8185)) / 2), sqrt(24 / ((91 + sqrt(8185)) / 2))};
    const double sizes[] = {1, 1e156, 1e-170};
    for (int k = 0; k < 3; k++) {
        double a[6];
        for (int i = 0; i < 6; i++) a[i] = (i + 1) * sizes[k];
        double *s = solve_svd(a, 3, 2).s;
        for (int j = 0; j < 2; j++) s[j] /= sizes[k];
        assert_near(s, want, SHAPE(2), .name = "s", .formula = "of {1,2; 3,4; 5,6}, once unscaled",
                    .eps = 100);
    }
    double *s = solve_svd((double[]){1, 0, 0, 3e-140}, 2, 2).s;
    assert_number(s[1] * 1e140, 3, .name = "1e140 s[1] of {1,0; 0,3e-140}",
                  .formula = "only a row below 1e-150 of the largest element may count as 0");
}

CASE(svd__converges_where_a_column_is_negligible)
{
    double a[] = {1, 1e-170, 2, 3e-170, 3, -1e-170};
    Svd svd = solve_svd(a, 3, 2);
    assert_that(svd.sweeps > 0, "returned %d for columns of norm 4 and 1e-170", svd.sweeps);
    assert_number(svd.s[0], sqrt(14), .name = "s[0]", .formula = "|(1,2,3)|", .eps = 20);
    assert_that(svd.s[1] >= 0 && svd.s[1] < 1e-169, "s[1] is %g, expected about 1e-170 or 0",
                svd.s[1]);
    double *mixed = random_matrix(14, 9, 5);
    const double sizes[] = {1e-100, 1, 1e-170, 1e-120, 1e-160};
    for (int i = 0; i < 45; i++) mixed[i] *= sizes[i % 5];
    check_svd(mixed, 9, 5);
}

CASE(svd__handles_sizes_one_and_zero)
{
    check_svd((double[]){-7}, 1, 1);
    assert_that(la_svd(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                       doubles_filled(0, 0), 3, 0) >= 0,
                "refused 3 x 0");
    assert_that(la_svd(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                       doubles_filled(0, 0), 0, 3) >= 0,
                "refused 0 x 3");
}

CASE(svd__does_not_converge_on_nan)
{
    double *a = random_matrix(13, 5, 3);
    a[4] = NAN;
    assert_integer("la_svd with a NaN", solve_svd(a, 5, 3).sweeps, -1);
}

CASE(svd__takes_the_same_arrays_again)
{
    double *a = DOUBLES(3, -8, 4, 6), *ut = doubles_filled(4, NAN), *s = doubles_filled(2, NAN),
           *vt = doubles_filled(4, NAN);
    la_svd(ut, s, vt, a, 2, 2);
    for (int i = 0; i < 4; i++) a[i] = (double[]){0, 2, 1, 0}[i];
    la_svd(ut, s, vt, a, 2, 2);
    assert_near(s, ((double[]){2, 1}), SHAPE(2), .name = "s of the second call",
                .formula = "2 and 1", .eps = 4);
    assert_within("|A - U S V^T|", distance(sum_of_terms(ut, s, vt, 2, 2, 2), a, 4), 16);
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

CASE(low_rank__matches_a_sum_by_hand)
{
    double *out = doubles_filled(4, NAN);
    la_low_rank(out, DOUBLES(1, 2, 0, 1), DOUBLES(3, 10), DOUBLES(1, -1, 1, 1), 2, 2, 1);
    assert_near(out, ((double[]){3, -3, 6, -6}), SHAPE(2, 2), .name = "out",
                .formula = low_rank_formula, .exact = true);
    la_low_rank(out, DOUBLES(1, 2, 0, 1), DOUBLES(3, 10), DOUBLES(1, -1, 1, 1), 2, 2, 2);
    assert_near(out, ((double[]){3, -3, 16, 4}), SHAPE(2, 2), .name = "out",
                .formula = low_rank_formula, .exact = true);
}

CASE(low_rank__matches_long_double)
{
    for (uint64_t seed = 21; seed <= 24; seed += 3) check_low_rank(5, 4, 3, seed);
    check_low_rank(3, 11, 2, 27);
    check_low_rank(11, 3, 3, 30);
}

CASE(low_rank__handles_rank_one_one_row_and_one_column)
{
    check_low_rank(5, 4, 1, 33);
    check_low_rank(1, 4, 1, 36);
    check_low_rank(4, 1, 1, 39);
    check_low_rank(1, 1, 1, 42);
}

CASE(low_rank__of_rank_zero_is_zero)
{
    double *out = doubles_filled(6, NAN);
    la_low_rank(out, doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0), 2, 3, 0);
    assert_near(out, doubles_filled(6, 0), SHAPE(2, 3), .name = "out",
                .formula = "an empty sum is 0", .exact = true);
    la_low_rank(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0),
                doubles_filled(0, 0), 0, 3, 0);
}

CASE(low_rank__has_the_eckart_young_error)
{
    // Eckart & Young 1936: the smallest error of any matrix of rank k.
    enum { M = 9, N = 6, K = 3 };
    double *a = random_matrix(45, M, N), *copy = doubles_copy(a, M * N),
           *s = doubles_filled(N, NAN), *out = doubles_filled(M * N, NAN);
    double u[M * N], *vt = doubles_filled(N * N, NAN);
    LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', M, N, copy, N, s, u, N, vt, N);
    la_low_rank(out, transposed(u, M, N), s, vt, M, N, K);
    double error = distance(out, a, M * N), want = norm(s + K, N - K);
    assert_within("| |A - A_k| - root of the sum of s[j]^2, j >= k | / |A|",
                  fabs(error - want) / norm(a, M * N), 50);
}

CASE(low_rank__propagates_nan)
{
    double *out = doubles_filled(4, 0);
    la_low_rank(out, DOUBLES(0, 1), DOUBLES(1), DOUBLES(NAN, 1), 2, 2, 1);
    assert_near(out, ((double[]){NAN, 0, NAN, 1}), SHAPE(2, 2), .name = "out",
                .formula = "0 times NaN is NaN", .exact = true);
    la_low_rank(out, DOUBLES(1, 1), DOUBLES(0), DOUBLES(NAN, 1), 2, 2, 1);
    assert_near(out, ((double[]){NAN, 0, NAN, 0}), SHAPE(2, 2), .name = "out for s = 0",
                .formula = "0 times NaN is NaN", .exact = true);
}

CASE(low_rank__takes_the_same_arrays_again)
{
    double *out = doubles_filled(4, NAN), *ut = DOUBLES(1, 2), *s = DOUBLES(3),
           *vt = DOUBLES(1, -1);
    la_low_rank(out, ut, s, vt, 2, 2, 1);
    s[0] = 5, ut[0] = 0, vt[1] = 1;
    la_low_rank(out, ut, s, vt, 2, 2, 1);
    assert_near(out, ((double[]){0, 0, 10, 10}), SHAPE(2, 2), .name = "out of the second call",
                .formula = low_rank_formula, .exact = true);
}

// ---- 13: pca ----

typedef struct Pca {
    int r;
    bool done;
    double *mean, *components, *variances;
} Pca;

static Pca solve_pca(const double *points, int n, int d)
{
    int r = min(n, d);
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
    assert_boolean("la_pca of finite points", pca.done, true);
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
    double size = norm(covariance, (size_t)(d * d));
    assert_near(pca.mean, mean, SHAPE(d), .name = "mean", .formula = "mean[j] = 1/n sum_i x[i,j]",
                .eps = 2 * n);
    assert_within("|variances - LAPACK's eigenvalues of the covariance| / |covariance|",
                  distance(pca.variances, want, (size_t)pca.r) / size, 100 + 10 * d);
    // C v = variance v, for each component whose variance is above rounding.
    for (int k = 0; k < pca.r && pca.variances[k] > 1e-8 * pca.variances[0]; k++) {
        double *v = doubles_copy(pca.components + (size_t)k * (size_t)d, (size_t)d);
        double *stretched = product(covariance, v, d, 1, d);
        assert_within("| |component| - 1 |", fabs(norm(v, (size_t)d) - 1), 50 + 10 * d);
        for (int i = 0; i < d; i++) v[i] *= pca.variances[k];
        assert_within("|C v - variance v| / |C|", distance(stretched, v, (size_t)d) / size,
                      100 + 10 * d);
    }
}

CASE(pca__finds_the_line_through_collinear_points)
{
    // Along (3,4) / 5, at -5, 0 and 5 from the mean (10,20): variance 25.
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

CASE(pca__matches_the_eigenvectors_of_the_covariance)
{
    for (uint64_t seed = 51; seed <= 52; seed++) check_pca(random_matrix(seed, 20, 4), 20, 4);
    double *x = random_matrix(53, 30, 5);
    for (int i = 0; i < 150; i++) x[i] = x[i] * (i % 5 + 1) + 3;
    check_pca(x, 30, 5);
}

CASE(pca__handles_fewer_points_than_dimensions)
{
    check_pca(random_matrix(54, 4, 9), 4, 9);
}

CASE(pca__handles_one_dimension)
{
    Pca pca = solve_pca((double[]){1, 2, 6}, 3, 1);
    assert_near(pca.mean, ((double[]){3}), SHAPE(1), .name = "mean", .formula = "3", .eps = 4);
    assert_near(pca.variances, ((double[]){7}), SHAPE(1), .name = "variances",
                .formula = "(4 + 1 + 9) / 2", .eps = 8);
    double size = fabs(pca.components[0]);
    assert_number(size, 1, .name = "|component|", .formula = "1", .eps = 2);
}

CASE(pca__of_one_point_has_zero_variance)
{
    Pca pca = solve_pca((double[]){4, 5, 6}, 1, 3);
    assert_boolean("la_pca of one point", pca.done, true);
    assert_near(pca.mean, ((double[]){4, 5, 6}), SHAPE(3), .name = "mean", .formula = "the point",
                .eps = 2);
    assert_near(pca.variances, ((double[]){0}), SHAPE(1), .name = "variances", .formula = "0",
                .exact = true);
}

CASE(pca__of_equal_points_has_zero_variance)
{
    Pca pca = solve_pca(doubles_filled(8, 3), 4, 2);
    assert_near(pca.variances, doubles_filled(2, 0), SHAPE(2), .name = "variances", .formula = "0",
                .eps = 10);
}

CASE(pca__avoids_cancellation_far_from_the_origin)
{
    // Center, then square: E[x^2] - mean^2 would have no digit left.
    double *x = DOUBLES(1, 0, -1, 0, 0, 2, 0, -2);
    for (int i = 0; i < 8; i++) x[i] += 1073741824;    // 2^30: the sums are exact
    Pca pca = solve_pca(x, 4, 2);
    assert_near(pca.variances, ((double[]){8.0 / 3, 2.0 / 3}), SHAPE(2), .name = "variances",
                .formula = "8/3 and 2/3", .eps = 20);
}

CASE(pca__finds_the_line_at_any_magnitude)
{
    const double sizes[] = {1e150, 1e-150, 1e200, 1e-200};
    for (int k = 0; k < 4; k++) {
        double x[] = {7, 16, 10, 20, 13, 24};
        for (int i = 0; i < 6; i++) x[i] *= sizes[k];
        Pca pca = solve_pca(x, 3, 2);
        assert_boolean("la_pca of three points", pca.done, true);
        double slope = pca.components[1] / pca.components[0];
        assert_number(slope, 4.0 / 3, .name = "component", .formula = "(3,4) / 5 or its negative",
                      .eps = 50);
        if (k < 2)    // 1e400 and 1e-400 cannot be represented
            assert_number(pca.variances[0], 25 * sizes[k] * sizes[k], .name = "variance",
                          .formula = "25, once unscaled", .eps = 50);
    }
}

CASE(pca__refuses_nan)
{
    double *x = random_matrix(55, 6, 3);
    x[4] = NAN;
    assert_boolean("la_pca of points with a NaN", solve_pca(x, 6, 3).done, false);
}

CASE(pca__takes_the_same_arrays_again)
{
    double *x = DOUBLES(7, 16, 10, 20, 13, 24), *mean = doubles_filled(2, NAN),
           *components = doubles_filled(4, NAN), *variances = doubles_filled(2, NAN);
    Arena *arena = arena_new("pca", (size_t)16 << 20);
    la_pca(mean, components, variances, x, 3, 2, arena);
    for (int i = 0; i < 6; i++) x[i] = (double[]){0, 1, 0, 3, 0, 5}[i];
    assert_boolean("la_pca", la_pca(mean, components, variances, x, 3, 2, arena), true);
    assert_near(mean, ((double[]){0, 3}), SHAPE(2), .name = "mean of the second call",
                .formula = "(0,3)", .eps = 4);
    assert_near(variances, ((double[]){4, 0}), SHAPE(2), .name = "variances of the second call",
                .formula = "4 along the line, 0 across", .eps = 20);
    arena_free(arena);
}

const struct CMUnitTest svd_cases[] = {
    cmocka_unit_test(svd__matches_singular_values_by_hand),
    cmocka_unit_test(svd__factors_reconstruct_the_matrix),
    cmocka_unit_test(svd__handles_tall_matrices),
    cmocka_unit_test(svd__handles_wide_matrices),
    cmocka_unit_test(svd__matches_lapack),
    cmocka_unit_test(svd__finds_small_singular_values_of_a_hilbert_matrix),
    cmocka_unit_test(svd__is_accurate_for_columns_of_very_different_norms),
    cmocka_unit_test(svd__reveals_the_rank),
    cmocka_unit_test(svd__handles_zero_and_equal_columns),
    cmocka_unit_test(svd__handles_repeated_singular_values),
    cmocka_unit_test(svd__handles_extreme_magnitudes),
    cmocka_unit_test(svd__converges_where_a_column_is_negligible),
    cmocka_unit_test(svd__matches_singular_values_at_any_magnitude),
    cmocka_unit_test(svd__handles_sizes_one_and_zero),
    cmocka_unit_test(svd__does_not_converge_on_nan),
    cmocka_unit_test(svd__takes_the_same_arrays_again),
    cmocka_unit_test(low_rank__matches_a_sum_by_hand),
    cmocka_unit_test(low_rank__matches_long_double),
    cmocka_unit_test(low_rank__handles_rank_one_one_row_and_one_column),
    cmocka_unit_test(low_rank__of_rank_zero_is_zero),
    cmocka_unit_test(low_rank__has_the_eckart_young_error),
    cmocka_unit_test(low_rank__propagates_nan),
    cmocka_unit_test(low_rank__takes_the_same_arrays_again),
    cmocka_unit_test(pca__finds_the_line_through_collinear_points),
    cmocka_unit_test(pca__matches_the_eigenvectors_of_the_covariance),
    cmocka_unit_test(pca__handles_fewer_points_than_dimensions),
    cmocka_unit_test(pca__handles_one_dimension),
    cmocka_unit_test(pca__of_one_point_has_zero_variance),
    cmocka_unit_test(pca__of_equal_points_has_zero_variance),
    cmocka_unit_test(pca__avoids_cancellation_far_from_the_origin),
    cmocka_unit_test(pca__finds_the_line_at_any_magnitude),
    cmocka_unit_test(pca__refuses_nan),
    cmocka_unit_test(pca__takes_the_same_arrays_again),
    {0},
};
