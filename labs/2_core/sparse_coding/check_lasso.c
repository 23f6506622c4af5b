/* Exercises 1 to 3: soft threshold, objective, spectral norm. check.c says how cases are made. */
#include "labs/2_core/sparse_coding/check.h"

static const double not_a_number = (double)NAN, infinite = (double)INFINITY;

// ---- 1: the soft threshold ----

static void expect_soft(double x, double t, double want)
{
    assert_number(sc_soft(x, t), want, .name = "soft(x, t)",
                  .formula = "x moved towards 0 by t, 0 where |x| <= t", .rtol = 1e-15);
}

CASE(soft__moves_towards_zero_and_stops_there)
{
    expect_soft(3, 1, 2);
    expect_soft(-3, 1, -2);
    expect_soft(0.5, 1, 0);
    expect_soft(-0.5, 1, 0);
    expect_soft(0, 0, 0);
}

CASE(soft__is_zero_at_the_threshold_and_the_identity_without_one)
{
    expect_soft(1, 1, 0);
    expect_soft(-1, 1, 0);
    expect_soft(-7.25, 0, -7.25);
    expect_soft(1e-300, 0, 1e-300);
    expect_soft(-1e-300, 0, -1e-300);
    expect_soft(nextafter(1, 2), 1, nextafter(1, 2) - 1);
    expect_soft(nextafter(-1, -2), 1, nextafter(-1, -2) + 1);
}

CASE(soft__minimizes_its_objective)
{
    for (int i = 0; i < 13; i++)
        for (int j = 0; j < 7; j++) {
            double x = -2 + 0.31 * i, t = 0.25 * j, z = sc_soft(x, t),
                   f = (z - x) * (z - x) / 2 + t * fabs(z);
            for (int k = -300; k <= 300; k++) {
                double other = 0.01 * k;
                assert_that((other - x) * (other - x) / 2 + t * fabs(other) >= f - 1e-12,
                            "soft(%g, %g) is %g; %g is better", x, t, z, other);
            }
        }
}

CASE(soft__takes_large_numbers_infinity_and_nan)
{
    expect_soft(1e300, 1, 1e300);
    expect_soft(1, 1e300, 0);
    expect_soft(infinite, 1, infinite);
    expect_soft(-infinite, 5, -infinite);
    expect_soft(5, infinite, 0);
    expect_soft(infinite, infinite, 0);
    expect_soft(-infinite, infinite, 0);
    expect_soft(not_a_number, 1, not_a_number);
    expect_soft(1, not_a_number, not_a_number);
    expect_soft(0, not_a_number, not_a_number);
}

// ---- 2: the objective ----

static const char objective_formula[] = "f = 1/2 |x - D^T a|^2 + lambda |a|_1";

CASE(objective__matches_an_example_computed_by_hand)
{
    Dictionary dict = DICT(2, 3, 1, 0, 2, 0, 1, 1);
    double *a = DOUBLES(2, -1), *x = DOUBLES(1, 1, 1);    // D^T a = 2 -1 3
    assert_number(sc_objective(a, x, &dict, 0), (1 + 4 + 4) / 2.0, .name = "f",
                  .formula = objective_formula);
    assert_number(sc_objective(a, x, &dict, 0.5), 4.5 + 1.5, .name = "f",
                  .formula = objective_formula);
}

CASE(objective__handles_any_sizes)
{
    static const int sizes[][2] = {{1, 1}, {1, 7}, {9, 1}, {5, 3}, {13, 40}, {3, 70}};
    for (int s = 0; s < 6; s++) {
        int K = sizes[s][0], P = sizes[s][1];
        Dictionary dict = unit_atoms(10, K, P);
        double *a = normal(11, (size_t)K), *x = normal(12, (size_t)P), want = 0;
        double *kept = doubles_copy(a, (size_t)K), *r = residual_of(x, a, &dict);
        for (int i = 0; i < P; i++) want += r[i] * r[i] / 2;
        for (int k = 0; k < K; k++) want += 0.3 * fabs(a[k]);
        assert_number(sc_objective(a, x, &dict, 0.3), want, .name = "f",
                      .formula = objective_formula);
        assert_kept("a", a, kept, (size_t)K);
    }
}

CASE(objective__propagates_nan_and_handles_large_numbers)
{
    Dictionary dict = DICT(1, 2, 1, 0);
    assert_number(sc_objective(DOUBLES(not_a_number), DOUBLES(1, 1), &dict, 0), not_a_number,
                  .name = "f");
    assert_number(sc_objective(DOUBLES(1), DOUBLES(1, not_a_number), &dict, 0), not_a_number,
                  .name = "f");
    assert_number(sc_objective(DOUBLES(0), DOUBLES(1, 1), &dict, not_a_number), not_a_number,
                  .name = "f");
    assert_number(sc_objective(DOUBLES(1e9), DOUBLES(1e9 + 1, 0), &dict, 0), 0.5, .name = "f",
                  .formula = objective_formula);
}

CASE(objective__takes_the_same_arrays_again)
{
    Dictionary dict = DICT(1, 1, 1);
    double *a = DOUBLES(0), *x = DOUBLES(2);
    sc_objective(a, x, &dict, 1);
    a[0] = 1, x[0] = 3;
    assert_number(sc_objective(a, x, &dict, 1), 3, .name = "f of the second call");
}

// ---- 3: the spectral norm ----

static void expect_norm(const Dictionary *dict, int iterations, double want, double rtol)
{
    double *work = doubles_filled((size_t)dict->K + (size_t)dict->P, not_a_number);
    assert_number(sc_spectral_norm(dict, iterations, work), want, .name = "largest eigenvalue",
                  .formula = "power iteration on D D^T", .rtol = rtol, .atol = 1e-300);
}

CASE(spectral_norm__of_known_matrices)
{
    Dictionary one = DICT(1, 3, 1, 2, 2);
    expect_norm(&one, 1, 9, 1e-14);
    Dictionary diagonal = DICT(2, 2, 3, 0, 0, 1);
    expect_norm(&diagonal, 60, 9, 1e-12);
    Dictionary same = DICT(3, 2, 0.6, 0.8, 0.6, 0.8, 0.6, 0.8);
    expect_norm(&same, 1, 3, 1e-14);
    Dictionary mixed = DICT(2, 2, 2, 1, 1, 2);    // eigenvalues of D D^T: 9 and 1
    expect_norm(&mixed, 40, 9, 1e-12);
}

CASE(spectral_norm__stops_after_its_iterations)
{
    // u = 3 v with v = 2 + cos 1: D^T u = 9 v; D of it 27 v; of length 1: D^T u = 81 v / sqrt(27^2 + v^2).
    Dictionary dict = DICT(2, 2, 3, 0, 0, 1);
    double v = 2 + cos(1);
    expect_norm(&dict, 1, (81 * 81 + v * v) / (27 * 27 + v * v), 1e-14);
    expect_norm(&dict, 2, (729.0 * 729 + v * v) / (243.0 * 243 + v * v), 1e-14);
}

CASE(spectral_norm__does_not_begin_orthogonal_to_the_eigenvector)
{
    Dictionary opposite = DICT(2, 1, 1, -1);
    expect_norm(&opposite, 1, 2, 1e-14);
    Dictionary weighted = DICT(2, 1, 2, -1);
    expect_norm(&weighted, 1, 5, 1e-14);
    Dictionary pairs = DICT(4, 2, 1, 0, -1, 0, 0, 1, 0, -1);    // two eigenvalues of 2
    expect_norm(&pairs, 1, 2, 1e-14);
    Dictionary beside =
        DICT(3, 2, 1.2, 0, 0, 1, 0, 1);    // the longest atom is an eigenvector, of 1.44
    expect_norm(&beside, 60, 2, 1e-12);
    enum { K = 30 };    // 1 and -1 in turns
    double *d = doubles_zero(K);
    for (int k = 0; k < K; k++) d[k] = k % 2 ? -1 : 1;
    Dictionary many = {K, 1, d};
    expect_norm(&many, 1, K, 1e-13);
}

CASE(spectral_norm__bounds_every_product)
{
    for (int K = 1; K <= 20; K += 6) {
        Dictionary dict = unit_atoms(20 + (uint64_t)K, K, 8);
        double *work = doubles_filled((size_t)K + 8, not_a_number);
        double norm = sc_spectral_norm(&dict, 3000, work);
        for (uint64_t seed = 0; seed < 20; seed++) {
            double *u = normal(seed, (size_t)K), length = 0, squares = 0;
            double *v = residual_of(doubles_zero(8), u, &dict);
            for (int k = 0; k < K; k++) length += u[k] * u[k];
            for (int i = 0; i < 8; i++) squares += v[i] * v[i];
            assert_that(squares <= norm * length * (1 + 1e-6),
                        "|D^T u|^2 / |u|^2 is %g, above the %g that was returned", squares / length,
                        norm);
        }
        assert_that(norm <= K * (1 + 1e-12), "%g is above the trace %d", norm, K);
    }
}

CASE(spectral_norm__of_zero_and_of_extreme_matrices)
{
    Dictionary zero = DICT(2, 2, 0, 0, 0, 0);
    expect_norm(&zero, 5, 0, 0);
    Dictionary large = DICT(1, 1, 1e60);
    expect_norm(&large, 5, 1e120, 1e-12);
    Dictionary larger = DICT(1, 1, 1e70);
    expect_norm(&larger, 5, 1e140, 1e-12);
    Dictionary largest = DICT(2, 1, 1e150, 1e150);
    expect_norm(&largest, 5, 2e300, 1e-12);
    Dictionary small = DICT(1, 1, 1e-60);
    expect_norm(&small, 5, 1e-120, 1e-12);
    Dictionary smallest = DICT(2, 1, 1e-150, 1e-150);
    expect_norm(&smallest, 5, 2e-300, 1e-12);
    Dictionary bad = DICT(2, 1, 1, not_a_number);
    expect_norm(&bad, 3, not_a_number, 0);
}

CASE(spectral_norm__takes_the_same_arrays_again)
{
    double *d = DOUBLES(2);
    Dictionary dict = {1, 1, d};
    double *work = doubles_filled(2, 0);
    sc_spectral_norm(&dict, 3, work);
    d[0] = 5;
    assert_number(sc_spectral_norm(&dict, 3, work), 25, .name = "norm of the second call");
    assert_number(d[0], 5, .name = "d, an input", .exact = true);
}

const struct CMUnitTest lasso_cases[] = {
    cmocka_unit_test(soft__moves_towards_zero_and_stops_there),
    cmocka_unit_test(soft__is_zero_at_the_threshold_and_the_identity_without_one),
    cmocka_unit_test(soft__minimizes_its_objective),
    cmocka_unit_test(soft__takes_large_numbers_infinity_and_nan),
    cmocka_unit_test(objective__matches_an_example_computed_by_hand),
    cmocka_unit_test(objective__handles_any_sizes),
    cmocka_unit_test(objective__propagates_nan_and_handles_large_numbers),
    cmocka_unit_test(objective__takes_the_same_arrays_again),
    cmocka_unit_test(spectral_norm__of_known_matrices),
    cmocka_unit_test(spectral_norm__stops_after_its_iterations),
    cmocka_unit_test(spectral_norm__does_not_begin_orthogonal_to_the_eigenvector),
    cmocka_unit_test(spectral_norm__bounds_every_product),
    cmocka_unit_test(spectral_norm__of_zero_and_of_extreme_matrices),
    cmocka_unit_test(spectral_norm__takes_the_same_arrays_again),
    {0},
};
