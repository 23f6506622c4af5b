/* check_spectral.c -- cases of the exercises 8 to 10: eigenvalues and eigenvectors. */
#include <lapacke.h>
#include <stdlib.h>
#include "labs/1_foundations/linear_algebra/check.h"

// ---- 8: power ----

enum { MOST = 2000 };

static double check_power(const double *matrix, int n, double want, double tolerance)
{
    double *a = doubles_copy(matrix, (size_t)(n * n)), *x = doubles_filled((size_t)n, 1),
           *y = doubles_filled((size_t)n, NAN);
    double *value = DOUBLES(NAN);
    for (int i = 0; i < n; i++) x[i] += 0.1 * i;    // orthogonal to no eigenvector below
    int iterations = la_power(value, x, y, a, n, MOST, tolerance);
    assert_that(iterations > 0, "returned 0: not converged after %d iterations", MOST);
    assert_within("| |x| - 1 |", fabs(norm(x, (size_t)n) - 1), 10);
    double *stretched = product(a, x, n, 1, n), *scaled = doubles_copy(x, (size_t)n);
    for (int i = 0; i < n; i++) scaled[i] *= *value;
    double residual = distance(stretched, scaled, (size_t)n);
    assert_that(residual <= 1.01 * tolerance * fabs(*value),
                "|A x - value x| is %g; expected at most %g |value|", residual, tolerance);
    assert_that(fabs(*value - want) <= 2 * tolerance * fabs(want), "value is %.15g, expected %.15g",
                *value, want);
    assert_kept("a", a, matrix, n * n);
    return iterations;
}

CASE(power__matches_an_eigenpair_by_hand)
{
    check_power((double[]){2, 1, 1, 2}, 2, 3, 1e-12);
    double *x = DOUBLES(1, 0), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    la_power(value, x, y, DOUBLES(2, 1, 1, 2), 2, MOST, 1e-13);
    assert_near(x, ((double[]){sqrt(0.5), sqrt(0.5)}), SHAPE(2), .name = "x",
                .formula = "the eigenvector of 3 is (1,1) / sqrt 2", .eps = 1e4);
}

CASE(power__finds_a_negative_dominant_eigenvalue)
{
    check_power((double[]){-5, 0, 0, 1}, 2, -5, 1e-12);
    check_power((double[]){-2, 1, 1, -2}, 2, -3, 1e-12);
}

CASE(power__matches_lapack)
{
    enum { N = 9 };
    double *a = product(transposed(random_matrix(1, N, N), N, N), random_matrix(1, N, N), N, N, N);
    double *copy = doubles_copy(a, N * N), values[N];
    LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', N, copy, N, values);
    check_power(a, N, values[N - 1], 1e-10);
}

CASE(power__handles_nonsymmetric_matrices)
{
    // A stochastic matrix: the dominant eigenvalue is 1, its eigenvector (2,1) up to scale.
    double *a = DOUBLES(0.75, 0.5, 0.25, 0.5);
    double *x = DOUBLES(1, 0), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    check_power(a, 2, 1, 1e-12);
    la_power(value, x, y, a, 2, MOST, 1e-14);
    double ratio = x[0] / x[1];
    assert_number(ratio, 2, .name = "x[0] / x[1]", .formula = "A x = x", .eps = 1e3);
}

CASE(power__counts_its_iterations)
{
    double *x = DOUBLES(0, 4), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power from an eigenvector",
                   la_power(value, x, y, DOUBLES(2, 0, 0, 3), 2, MOST, 1e-12), 1);
    assert_number(*value, 3, .name = "value", .formula = "3", .eps = 4);
    double few = check_power((double[]){10, 0, 0, 1}, 2, 10, 1e-10);
    double many = check_power((double[]){10, 0, 0, 9}, 2, 10, 1e-10);
    assert_that(few > 5 && few < 20 && many > 100 && many < 400,
                "an eigenvalue ratio of 10 took %g iterations, one of 10/9 took %g; expected about "
                "11 and 220",
                few, many);
}

CASE(power__reports_when_it_has_not_converged)
{
    double *x = DOUBLES(1, 0), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power with the eigenvalues +1 and -1",
                   la_power(value, x, y, DOUBLES(0, 1, 1, 0), 2, 50, 1e-6), 0);
    double *z = DOUBLES(1, 1);
    assert_integer("la_power with max_iterations = 1",
                   la_power(value, z, y, DOUBLES(2, 0, 0, 3), 2, 1, 1e-12), 0);
}

CASE(power__may_converge_in_the_last_iteration)
{
    // Converged in the last iteration allowed.
    double *x = DOUBLES(0, 4), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power", la_power(value, x, y, DOUBLES(2, 0, 0, 3), 2, 1, 1e-12), 1);
    assert_near(x, ((double[]){0, 1}), SHAPE(2), .name = "x", .formula = "a unit vector", .eps = 2);
    assert_near(y, ((double[]){0, 3}), SHAPE(2), .name = "y", .formula = "y = A x", .eps = 2);
}

CASE(power__handles_extreme_magnitudes)
{
    check_power((double[]){3e100, 1e100, 1e100, 3e100}, 2, 4e100, 1e-12);
    check_power((double[]){3e-100, 1e-100, 1e-100, 3e-100}, 2, 4e-100, 1e-12);
    // The squares are out of range.
    check_power((double[]){2e156, 1e156, 1e156, 2e156}, 2, 3e156, 1e-12);
    check_power((double[]){2e-170, 1e-170, 1e-170, 2e-170}, 2, 3e-170, 1e-12);
    check_power((double[]){2e300, 1e300, 1e300, 2e300}, 2, 3e300, 1e-12);
    check_power((double[]){2e-300, 1e-300, 1e-300, 2e-300}, 2, 3e-300, 1e-12);
}

CASE(power__accepts_a_starting_vector_of_any_length)
{
    const double lengths[] = {1e200, 1e-200, 1.7e308, 1e-308};
    for (int k = 0; k < 4; k++) {
        double *x = DOUBLES(lengths[k], lengths[k] / 2), *y = DOUBLES(NAN, NAN);
        double *value = DOUBLES(NAN);
        int iterations = la_power(value, x, y, DOUBLES(2, 1, 1, 2), 2, MOST, 1e-12);
        assert_that(iterations > 1, "returned %d from a start of length %g", iterations,
                    lengths[k]);
        assert_number(*value, 3, .name = "value", .formula = "3", .rtol = 1e-11);
    }
}

CASE(power__handles_size_one_and_the_zero_matrix)
{
    check_power((double[]){-7}, 1, -7, 1e-12);
    double *x = DOUBLES(3, 4), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power of zeros: every vector is an eigenvector",
                   la_power(value, x, y, DOUBLES(0, 0, 0, 0), 2, MOST, 1e-12), 1);
    assert_number(*value, 0, .name = "value", .formula = "of zeros", .exact = true);
}

CASE(power__does_not_converge_on_nan)
{
    double *x = DOUBLES(1, 1), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power with a NaN", la_power(value, x, y, DOUBLES(1, NAN, 0, 1), 2, 20, 1e-6),
                   0);
}

CASE(power__makes_no_iteration_when_none_is_allowed)
{
    double *x = DOUBLES(0, 4), *y = DOUBLES(NAN, NAN), *value = DOUBLES(NAN);
    assert_integer("la_power with max_iterations = 0",
                   la_power(value, x, y, DOUBLES(2, 0, 0, 3), 2, 0, 1e-12), 0);
    assert_near(x, ((double[]){0, 4}), SHAPE(2), .name = "x", .exact = true,
                .formula = "x is normalized in an iteration: there was none");
}

CASE(power__takes_the_same_arrays_again)
{
    double *a = DOUBLES(2, 0, 0, 3), *x = DOUBLES(0, 4), *y = DOUBLES(NAN, NAN),
           *value = DOUBLES(NAN);
    la_power(value, x, y, a, 2, MOST, 1e-12);
    a[3] = -7, x[1] = 2;
    assert_integer("la_power from an eigenvector", la_power(value, x, y, a, 2, MOST, 1e-12), 1);
    assert_number(*value, -7, .name = "value of the second call", .formula = "-7", .eps = 4);
    check_power((double[]){10, 0, 0, 1}, 2, 10, 1e-10);
}

// ---- 9: rotation ----

static void check_rotation(double xx, double xy, double yy)
{
    double *got = DOUBLES(NAN, NAN);
    la_rotation(&got[0], &got[1], xx, xy, yy);
    double c = got[0], s = got[1];
    // Relative to the size of the terms, which cancel.
    long double left = ((long double)c * c - (long double)s * s) * xy +
                       (long double)c * s * ((long double)xx - yy);
    double size = fabs(xy) + fabs(c * s) * (fabs(xx) + fabs(yy));
    assert_within("|(c^2 - s^2) xy + c s (xx - yy)|, of its terms", fabs((double)left) / size, 8);
    assert_within("|c^2 + s^2 - 1|", fabs(c * c + s * s - 1), 6);
    assert_that(c > 0 && fabs(s) <= c * (1 + 4 * DBL_EPSILON),
                "c = %g, s = %g is not the smaller rotation angle", c, s);
}

CASE(rotation__is_45_degrees_for_equal_norms)
{
    // Both rotation angles are 45 degrees: the sign of s is free.
    for (double xy = -1; xy <= 1; xy += 2) {
        double *got = DOUBLES(NAN, NAN);
        la_rotation(&got[0], &got[1], 2, xy, 2);
        got[1] = fabs(got[1]);
        assert_near(got, ((double[]){sqrt(0.5), sqrt(0.5)}), SHAPE(2), .name = "c, |s|",
                    .formula = "xx = yy: c = |s| = 1 / sqrt 2", .eps = 4);
        check_rotation(2, xy, 2);
    }
}

CASE(rotation__matches_an_angle_by_hand)
{
    // xx = 1, xy = 2, yy = 4: z = 3/4, t = 1 / (3/4 + 5/4) = 1/2.
    double *got = DOUBLES(NAN, NAN);
    la_rotation(&got[0], &got[1], 1, 2, 4);
    assert_near(got, ((double[]){2 / sqrt(5), 1 / sqrt(5)}), SHAPE(2), .name = "c, s",
                .formula = "t = 1/2", .eps = 4);
    la_rotation(&got[0], &got[1], 4, 2, 1);
    assert_near(got, ((double[]){2 / sqrt(5), -1 / sqrt(5)}), SHAPE(2), .name = "c, s",
                .formula = "t = -1/2", .eps = 4);
}

CASE(rotation__orthogonalizes_at_every_scale)
{
    const double sizes[] = {1, 1e-12, 1e12, 3.7};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            for (double share = -0.99; share < 1; share += 0.33)
                check_rotation(sizes[i], share * sqrt(sizes[i] * sizes[j]), sizes[j]);
}

CASE(rotation__rotates_tiny_products)
{
    check_rotation(3e-290, 1e-290, 5e-290);
    check_rotation(1, 1e-290, 1 + 1e-3);
}

CASE(rotation__handles_diagonals_of_both_signs)
{
    // A symmetric matrix has any numbers on its diagonal.
    check_rotation(-3, 2, 5);
    check_rotation(0, 1, 0);
    check_rotation(0, -1, -4);
}

CASE(rotation__is_the_identity_for_orthogonal_vectors)
{
    double *got = DOUBLES(NAN, NAN);
    la_rotation(&got[0], &got[1], 3, 0, 5);
    assert_near(got, ((double[]){1, 0}), SHAPE(2), .name = "c, s",
                .formula = "xy = 0: c = 1, s = 0", .exact = true);
    la_rotation(&got[0], &got[1], 0, 0, 0);
    assert_near(got, ((double[]){1, 0}), SHAPE(2), .name = "c, s",
                .formula = "xy = 0: c = 1, s = 0", .exact = true);
}

CASE(rotation__is_accurate_for_tiny_angles)
{
    double *got = DOUBLES(NAN, NAN);
    la_rotation(&got[0], &got[1], 1, 1e-9, 2);
    double scaled = got[1] * 1e9;    // t = xy / (yy - xx) for a small angle
    assert_number(scaled, 1, .name = "1e9 s", .formula = "s = xy / (yy - xx)", .eps = 8);
    la_rotation(&got[0], &got[1], 1, 1e-200, 2);
    assert_that(got[0] == 1 && fabs(got[1]) < 1e-199, "c = %g, s = %g for an angle of 1e-200",
                got[0], got[1]);
}

CASE(rotation__avoids_overflow_of_the_difference)
{
    check_rotation(-1.5e308, 1.2e308, 1.5e308);
    check_rotation(1e308, 1.7e308, 1e307);
}

CASE(rotation__propagates_nan)
{
    double *got = DOUBLES(7, 7);
    la_rotation(&got[0], &got[1], 1, NAN, 2);
    assert_near(got, ((double[]){NAN, NAN}), SHAPE(2), .name = "c, s", .formula = "xy is NaN");
}

CASE(rotation__propagates_nan_of_either_norm)
{
    double *got = DOUBLES(7, 7);
    la_rotation(&got[0], &got[1], NAN, 1, 2);
    assert_near(got, ((double[]){NAN, NAN}), SHAPE(2), .name = "c, s", .formula = "xx is NaN");
    la_rotation(&got[0], &got[1], 2, 1, NAN);
    assert_near(got, ((double[]){NAN, NAN}), SHAPE(2), .name = "c, s", .formula = "yy is NaN");
}

// ---- 10: eigen ----

// The residual of the eigendecomposition, and the orthonormality of the eigenvectors.
static void check_eigen(const double *matrix, int n)
{
    size_t all = (size_t)(n * n);
    double *a = doubles_copy(matrix, all), *values = doubles_filled((size_t)n, NAN),
           *vectors = doubles_filled(all, NAN);
    int sweeps = la_eigen(values, vectors, a, n);
    double *scaled = doubles_copy(vectors, all), size = fmax(norm(matrix, all), DBL_MIN);
    assert_that(sweeps >= 1 && sweeps <= 12, "returned %d sweeps; expected 1 to 12", sweeps);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) scaled[j * n + i] *= values[j];
    assert_within("|V V^T - I|", orthonormality_error(vectors, n, n), 10 + 10 * n);
    double *back = product(transposed(vectors, n, n), scaled, n, n, n);
    assert_within("|A - sum_j value vector^T vector| / |A|", distance(back, matrix, all) / size,
                  10 + 10 * n);
    for (int j = 1; j < n; j++)
        assert_that(values[j - 1] >= values[j], "values[%d] = %g is smaller than values[%d] = %g",
                    j - 1, values[j - 1], j, values[j]);
}

CASE(eigen__matches_eigenpairs_by_hand)
{
    double *a = DOUBLES(2, 1, 1, 2), *values = doubles_filled(2, NAN),
           *vectors = doubles_filled(4, NAN);
    la_eigen(values, vectors, a, 2);
    assert_near(values, ((double[]){3, 1}), SHAPE(2), .name = "values", .formula = "3 and 1",
                .eps = 4);
    double same = vectors[0] * vectors[1], other = vectors[2] * vectors[3];
    assert_number(same, 0.5, .name = "vectors[0]", .formula = "(1,1) / sqrt 2", .eps = 8);
    assert_number(other, -0.5, .name = "vectors[1]", .formula = "(1,-1) / sqrt 2", .eps = 8);
    check_eigen((double[]){2, 1, 1, 2}, 2);
}

CASE(eigen__eigenpairs_reconstruct_the_matrix)
{
    for (uint64_t seed = 21; seed <= 22; seed++) check_eigen(symmetric_matrix(seed, 5), 5);
    check_eigen(symmetric_matrix(23, 24), 24);
}

CASE(eigen__matches_lapack)
{
    enum { N = 11 };
    double *a = symmetric_matrix(24, N), *copy = doubles_copy(a, N * N),
           *values = doubles_filled(N, NAN), *vectors = doubles_filled(N * N, NAN);
    double lapack[N], want[N], size = norm(a, N * N);
    LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', N, copy, N, lapack);
    for (int i = 0; i < N; i++) want[i] = lapack[N - 1 - i];
    la_eigen(values, vectors, a, N);
    assert_within("|values - LAPACK's| / |A|", distance(values, want, N) / size, 100);
}

CASE(eigen__matches_the_frequencies_of_a_string)
{
    enum { N = 15 };
    double *a = doubles_filled(N * N, 0), *values = doubles_filled(N, NAN),
           *vectors = doubles_filled(N * N, NAN), *want = doubles_filled(N, 0);
    for (int i = 0; i < N * N; i++) a[i] = i / N == i % N ? 2 : abs(i / N - i % N) == 1 ? -1 : 0;
    for (int k = 1; k <= N; k++) want[N - k] = 4 * pow(sin(k * M_PI / (2 * (N + 1))), 2);
    la_eigen(values, vectors, a, N);
    assert_near(values, want, SHAPE(N), .name = "values", .formula = "4 sin^2(k pi / 2(n+1))",
                .eps = 100);
}

CASE(eigen__handles_eigenvalues_of_both_signs_and_zero)
{
    check_eigen((double[]){0, 1, 1, 0}, 2);
    check_eigen((double[]){-4, 0, 0, 0, 0, 0, 0, 0, 3}, 3);
    check_eigen(doubles_filled(9, 0), 3);
}

CASE(eigen__handles_repeated_eigenvalues)
{
    check_eigen(doubles_filled(36, 1), 6);    // 6, and five times 0
    check_eigen((double[]){2, 0, 0, 0, 2, 0, 0, 0, 2}, 3);
}

CASE(eigen__needs_one_sweep_for_a_diagonal_matrix)
{
    double *a = DOUBLES(1, 0, 0, 0, 3, 0, 0, 0, 2), *values = doubles_filled(3, NAN),
           *vectors = doubles_filled(9, NAN);
    assert_integer("sweeps", la_eigen(values, vectors, a, 3), 1);
    assert_near(values, ((double[]){3, 2, 1}), SHAPE(3), .name = "values",
                .formula = "in descending order", .exact = true);
    assert_near(vectors, ((double[]){0, 1, 0, 0, 0, 1, 1, 0, 0}), SHAPE(3, 3), .name = "vectors",
                .formula = "in the order of the eigenvalues", .exact = true);
}

CASE(eigen__handles_extreme_magnitudes)
{
    const double sizes[] = {1e100, 1e-100, 1e156, 1e-170, 1e300, 1e-300};
    for (int k = 0; k < 6; k++) {
        double *a = symmetric_matrix(25, 6);
        for (int i = 0; i < 36; i++) a[i] *= sizes[k];
        check_eigen(a, 6);
    }
}

CASE(eigen__is_backward_stable_on_a_hilbert_matrix)
{
    check_eigen(hilbert_matrix(12), 12);
}

CASE(eigen__handles_sizes_one_and_zero)
{
    check_eigen((double[]){-3}, 1);
    assert_that(la_eigen(doubles_filled(0, 0), doubles_filled(0, 0), doubles_filled(0, 0), 0) >= 0,
                "refused an empty matrix");
}

CASE(eigen__does_not_converge_on_nan)
{
    double *a = symmetric_matrix(26, 4);
    a[1] = a[4] = NAN;
    assert_integer("la_eigen with a NaN",
                   la_eigen(doubles_filled(4, 0), doubles_filled(16, 0), a, 4), -1);
}

CASE(eigen__takes_the_same_arrays_again)
{
    double *a = DOUBLES(2, 1, 1, 2), *values = doubles_filled(2, NAN),
           *vectors = doubles_filled(4, NAN);
    la_eigen(values, vectors, a, 2);
    for (int i = 0; i < 4; i++) a[i] = (double[]){5, 2, 2, 2}[i];
    la_eigen(values, vectors, a, 2);
    assert_near(values, ((double[]){6, 1}), SHAPE(2), .name = "values of the second call",
                .formula = "6 and 1", .eps = 40);
    assert_number(vectors[0] * vectors[1], 0.4, .name = "vectors[0]", .formula = "(2,1) / sqrt 5",
                  .eps = 40);
}

const struct CMUnitTest spectral_cases[] = {
    cmocka_unit_test(power__matches_an_eigenpair_by_hand),
    cmocka_unit_test(power__finds_a_negative_dominant_eigenvalue),
    cmocka_unit_test(power__matches_lapack),
    cmocka_unit_test(power__handles_nonsymmetric_matrices),
    cmocka_unit_test(power__counts_its_iterations),
    cmocka_unit_test(power__reports_when_it_has_not_converged),
    cmocka_unit_test(power__may_converge_in_the_last_iteration),
    cmocka_unit_test(power__handles_extreme_magnitudes),
    cmocka_unit_test(power__accepts_a_starting_vector_of_any_length),
    cmocka_unit_test(power__handles_size_one_and_the_zero_matrix),
    cmocka_unit_test(power__does_not_converge_on_nan),
    cmocka_unit_test(power__makes_no_iteration_when_none_is_allowed),
    cmocka_unit_test(power__takes_the_same_arrays_again),
    cmocka_unit_test(rotation__is_45_degrees_for_equal_norms),
    cmocka_unit_test(rotation__matches_an_angle_by_hand),
    cmocka_unit_test(rotation__orthogonalizes_at_every_scale),
    cmocka_unit_test(rotation__rotates_tiny_products),
    cmocka_unit_test(rotation__handles_diagonals_of_both_signs),
    cmocka_unit_test(rotation__is_the_identity_for_orthogonal_vectors),
    cmocka_unit_test(rotation__is_accurate_for_tiny_angles),
    cmocka_unit_test(rotation__avoids_overflow_of_the_difference),
    cmocka_unit_test(rotation__propagates_nan),
    cmocka_unit_test(rotation__propagates_nan_of_either_norm),
    cmocka_unit_test(eigen__matches_eigenpairs_by_hand),
    cmocka_unit_test(eigen__eigenpairs_reconstruct_the_matrix),
    cmocka_unit_test(eigen__matches_lapack),
    cmocka_unit_test(eigen__matches_the_frequencies_of_a_string),
    cmocka_unit_test(eigen__handles_eigenvalues_of_both_signs_and_zero),
    cmocka_unit_test(eigen__handles_repeated_eigenvalues),
    cmocka_unit_test(eigen__needs_one_sweep_for_a_diagonal_matrix),
    cmocka_unit_test(eigen__handles_extreme_magnitudes),
    cmocka_unit_test(eigen__is_backward_stable_on_a_hilbert_matrix),
    cmocka_unit_test(eigen__handles_sizes_one_and_zero),
    cmocka_unit_test(eigen__does_not_converge_on_nan),
    cmocka_unit_test(eigen__takes_the_same_arrays_again),
    {0},
};
