/* Exercises 7 and 8: orthogonal matching pursuit, and the dictionary's update. check.c says how cases are made. */
#include "labs/2_core/sparse_coding/check.h"
#include "labs/2_core/sparse_coding/tests/sklearn.inc"

static const double not_a_number = (double)NAN;

// ---- 7: orthogonal matching pursuit ----

static double *omp_work(int K, int P)
{
    return doubles_filled((size_t)P + (size_t)K * (size_t)(2 + P + K), not_a_number);
}

static int omp(double *a, const double *x, const Dictionary *dict, int atoms)
{
    return sc_omp(a, x, dict, atoms, omp_work(dict->K, dict->P));
}

CASE(omp__matches_an_example_computed_by_hand)
{
    // The second atom is the best for 3 4; then what is left of it, by least squares with both.
    Dictionary dict = DICT(2, 2, 1, 0, 0.6, 0.8);
    double *a = doubles_filled(2, 7);
    assert_integer("atoms taken", omp(a, DOUBLES(3, 4), &dict, 1), 1);
    assert_near(a, ((double[]){0, 5}), SHAPE(2), .name = "a", .formula = "x = 5 d_1");
    assert_integer("atoms taken", omp(a, DOUBLES(1, 4), &dict, 2), 2);
    assert_near(a, ((double[]){-2, 5}), SHAPE(2), .name = "a",
                .formula = "least squares with both atoms: -2 d_0 + 5 d_1");
}

CASE(omp__recovers_a_planted_code)
{
    enum { K = 40, P = 30 };
    for (uint64_t seed = 80; seed < 86; seed++) {
        Dictionary dict = unit_atoms(seed, K, P);
        double *want = doubles_zero(K), *a = doubles_filled(K, 7);
        want[3] = 2, want[17] = -1.5, want[31] = 1;
        double *x = residual_of(doubles_zero(P), want, &dict);
        for (int i = 0; i < P; i++) x[i] = -x[i];
        assert_integer("atoms taken", omp(a, x, &dict, 3), 3);
        assert_near(a, want, SHAPE(K), .name = "a", .formula = "the code that x was made of",
                    .atol = 1e-9);
        assert_integer("atoms taken when 6 are asked for and 3 leave nothing", omp(a, x, &dict, 6),
                       3);
    }
}

CASE(omp__matches_scikit_learn)
{
    Dictionary dict = {LASSO_K, LASSO_P, doubles_copy(lasso_d, LASSO_K * LASSO_P)};
    double *a = doubles_filled(LASSO_K, 7);
    assert_integer("atoms taken", omp(a, doubles_copy(lasso_x, LASSO_P), &dict, OMP_ATOMS),
                   OMP_ATOMS);
    assert_near(a, omp_codes, SHAPE(LASSO_K), .name = "a", .formula = "orthogonal_mp",
                .atol = 1e-9);
}

CASE(omp__leaves_a_residual_orthogonal_to_the_atoms_taken)
{
    static const int sizes[][2] = {{1, 1}, {5, 3}, {3, 9}, {20, 12}, {50, 33}};
    for (int s = 0; s < 5; s++) {
        int K = sizes[s][0], P = sizes[s][1], atoms = K <= P ? K : P - 1;
        Dictionary dict = unit_atoms(90 + (uint64_t)s, K, P);
        double *x = normal(95, (size_t)P), *a = doubles_filled((size_t)K, 7),
               *kept = doubles_copy(x, (size_t)P);
        int count = omp(a, x, &dict, atoms), used = 0;
        double *c = correlate(residual_of(x, a, &dict), &dict);
        assert_integer("atoms taken", count, atoms);
        for (int k = 0; k < K; k++) {
            used += a[k] != 0;
            assert_that(a[k] == 0 || fabs(c[k]) < 1e-10,
                        "d_%d.r is %g for an atom that was taken; expected 0: least squares over "
                        "all taken atoms",
                        k, c[k]);
        }
        assert_integer("coefficients that are not 0", used, atoms);
        assert_kept("x", x, kept, (size_t)P);
    }
}

CASE(omp__takes_no_more_atoms_than_there_are)
{
    Dictionary dict = unit_atoms(100, 5, 9);
    double *a = doubles_filled(5, 7);
    assert_integer("atoms taken of 5, when 8 are asked for", omp(a, normal(101, 9), &dict, 8), 5);
    double *c = correlate(residual_of(normal(101, 9), a, &dict), &dict);
    for (int k = 0; k < 5; k++) assert_close(c[k], 0, 1e-10);
}

CASE(omp__ends_when_nothing_is_left)
{
    Dictionary dict = DICT(3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    double *a = doubles_filled(3, 7);
    assert_integer("atoms taken for a signal of one", omp(a, DOUBLES(0, 5, 0), &dict, 3), 1);
    assert_near(a, ((double[]){0, 5, 0}), SHAPE(3), .name = "a");
    assert_integer("atoms taken for 0", omp(a, DOUBLES(0, 0, 0), &dict, 3), 0);
    assert_near(a, ((double[]){0, 0, 0}), SHAPE(3), .name = "a");
    assert_integer("atoms taken when 0 are asked for", omp(a, DOUBLES(1, 2, 3), &dict, 0), 0);
    assert_near(a, ((double[]){0, 0, 0}), SHAPE(3), .name = "a");
    assert_integer("atoms taken for 1e-200", omp(a, DOUBLES(1e-200, 0, 2e-200), &dict, 3), 0 + 2);
    assert_integer("atoms taken for 1 and 1e-9", omp(a, DOUBLES(1, 1e-9, 0), &dict, 3), 2);
}

CASE(omp__ends_where_what_is_left_is_orthogonal_to_all_atoms)
{
    Dictionary dict = DICT(3, 4, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0);
    double *a = doubles_filled(3, 7);
    assert_integer("atoms taken", omp(a, DOUBLES(2, 0, 0, 5), &dict, 3), 1);
    assert_near(a, ((double[]){2, 0, 0}), SHAPE(3), .name = "a");
    assert_integer("atoms taken of none that matches", omp(a, DOUBLES(0, 0, 0, 5), &dict, 3), 0);
    assert_near(a, ((double[]){0, 0, 0}), SHAPE(3), .name = "a");
}

CASE(omp__takes_signals_of_any_size)
{
    Dictionary dict = DICT(3, 2, 1, 0, 0, 1, 0.6, 0.8);
    for (int e = -300; e <= 300; e += 100) {
        double scale = pow(10, e), *a = doubles_filled(3, 7),
               want[] = {0.75 * scale, 0, 3.75 * scale};
        assert_integer("atoms taken", omp(a, DOUBLES(3 * scale, 3 * scale), &dict, 2), 2);
        assert_near(a, want, SHAPE(3), .name = "a", .rtol = 1e-12);
    }
}

CASE(omp__takes_atoms_that_are_nearly_equal)
{
    const double s = 1e-4, c = sqrt(1 - s * s);    // x = -2 d_0 + 3 d_1
    Dictionary dict = DICT(2, 2, 1, 0, c, s);
    double *a = doubles_filled(2, 7);
    assert_integer("atoms taken", omp(a, DOUBLES(3 * c - 2, 3 * s), &dict, 2), 2);
    assert_near(a, ((double[]){-2, 3}), SHAPE(2), .name = "a", .rtol = 1e-7);
}

CASE(omp__takes_the_first_of_equal_matches_and_negative_ones)
{
    Dictionary dict = DICT(3, 2, 0, 1, 1, 0, 0, 1);
    double *a = doubles_filled(3, 7);
    omp(a, DOUBLES(0, 1), &dict, 1);
    assert_near(a, ((double[]){1, 0, 0}), SHAPE(3), .name = "a");
    omp(a, DOUBLES(-3, 1), &dict, 1);
    assert_near(a, ((double[]){0, -3, 0}), SHAPE(3), .name = "a", .formula = "the largest |d_k.r|");
}

CASE(omp__makes_nan_of_nan)
{
    Dictionary dict = unit_atoms(102, 3, 2);
    double *a = doubles_filled(3, 7);
    assert_integer("atoms taken", omp(a, DOUBLES(1, not_a_number), &dict, 2), 0);
    for (int k = 0; k < 3; k++) assert_that(isnan(a[k]), "a[%d] is %g, expected nan", k, a[k]);
    Dictionary bad = DICT(3, 2, 1, 0, not_a_number, 0, 0, 1);
    assert_integer("atoms taken", omp(a, DOUBLES(1, 2), &bad, 2), 0);
    for (int k = 0; k < 3; k++) assert_that(isnan(a[k]), "a[%d] is %g, expected nan", k, a[k]);
}

CASE(omp__takes_the_same_arrays_again)
{
    Dictionary dict = DICT(2, 2, 1, 0, 0, 1);
    double *a = doubles_filled(2, 7), *x = DOUBLES(2, 1), *work = omp_work(2, 2);
    sc_omp(a, x, &dict, 1, work);
    x[1] = 9;
    sc_omp(a, x, &dict, 1, work);
    assert_near(a, ((double[]){0, 9}), SHAPE(2), .name = "a of the second call");
}

// ---- 8: the dictionary's update ----

static const char update_formula[] =
    "d_k += (B_k - sum_j A[k,j] d_j) / A[k,k], then scaled to length 1";

static void check_update(int K, int P, int n, uint64_t seed)
{
    size_t k2 = (size_t)K * (size_t)K, kp = (size_t)K * (size_t)P;
    double *A = doubles_zero(k2), *B = doubles_zero(kp),
           *codes = normal(seed, (size_t)n * (size_t)K),
           *x = normal(seed + 1, (size_t)n * (size_t)P), *want,
           *work = doubles_filled((size_t)P, 7);
    for (int s = 0; s < n; s++)
        for (int k = 0; k < K; k++) {
            for (int j = 0; j < K; j++) A[k * K + j] += codes[s * K + k] * codes[s * K + j];
            for (int i = 0; i < P; i++) B[k * P + i] += codes[s * K + k] * x[s * P + i];
        }
    double *d = doubles_copy(unit_atoms(seed + 2, K, P).d, kp), *keptA = doubles_copy(A, k2),
           *keptB = doubles_copy(B, kp);
    want = doubles_copy(d, kp);
    for (int k = 0; k < K; k++) {
        double *new = doubles_zero((size_t)P), squares = 0;
        for (int i = 0; i < P; i++) {
            double sum = B[k * P + i];
            for (int j = 0; j < K; j++) sum -= A[k * K + j] * want[j * P + i];
            new[i] = want[k * P + i] + sum / A[k * K + k];
            squares += new[i] * new[i];
        }
        for (int i = 0; i < P; i++) want[k * P + i] = new[i] / sqrt(squares);
    }
    sc_update(d, A, B, K, P, work);
    assert_near(d, want, SHAPE(K, P), .name = "d", .formula = update_formula, .rtol = 1e-9,
                .atol = 1e-9);
    assert_kept("A", A, keptA, k2);
    assert_kept("B", B, keptB, kp);
}

CASE(update__moves_one_atom_after_the_other)
{
    check_update(1, 1, 1, 110);
    check_update(1, 5, 4, 120);
    check_update(4, 1, 9, 130);
    check_update(3, 7, 10, 140);
    check_update(20, 12, 60, 150);
}

CASE(update__matches_an_example_computed_by_hand)
{
    // One atom used with codes 1 and 2 for the signals 3 0 and 0 2: B = 3 4, A = 5; d = B / 5.
    double *d = DOUBLES(1, 0);
    sc_update(d, DOUBLES(5), DOUBLES(3, 4), 1, 2, doubles_filled(2, 7));
    assert_near(d, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d", .formula = update_formula);
}

CASE(update__leaves_an_atom_that_no_code_uses)
{
    double *d = DOUBLES(0.6, 0.8, 1, 0);
    sc_update(d, DOUBLES(0, 0, 0, 2), DOUBLES(0, 0, 0, 4), 2, 2, doubles_filled(2, 7));
    assert_near(d, ((double[]){0.6, 0.8, 0, 1}), SHAPE(2, 2), .name = "d",
                .formula = update_formula);
    double *zero = DOUBLES(0.6, 0.8);
    sc_update(zero, DOUBLES(1), DOUBLES(0, 0), 1, 2, doubles_filled(2, 7));
    assert_near(zero, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d of B = 0");
    double *long_one = DOUBLES(3, 4);
    sc_update(long_one, DOUBLES(0), DOUBLES(0, 0), 1, 2, doubles_filled(2, 7));
    assert_near(long_one, ((double[]){3, 4}), SHAPE(1, 2), .name = "d of length 5, unused");
}

CASE(update__recovers_the_atoms_of_given_codes)
{
    enum { K = 4, P = 6, N = 200 };
    Dictionary truth = unit_atoms(160, K, P);
    double *codes = normal(161, (size_t)N * K), *A = doubles_zero((size_t)K * K),
           *B = doubles_zero((size_t)K * P),
           *d = doubles_copy(unit_atoms(162, K, P).d, (size_t)K * P), *work = doubles_filled(P, 7);
    for (int s = 0; s < N; s++) {
        double *a = codes + (size_t)s * K, *x = residual_of(doubles_zero(P), a, &truth);
        for (int k = 0; k < K; k++) {
            for (int j = 0; j < K; j++) A[k * K + j] += a[k] * a[j];
            for (int i = 0; i < P; i++) B[k * P + i] -= a[k] * x[i];
        }
    }
    for (int t = 0; t < 200; t++) sc_update(d, A, B, K, P, work);
    assert_near(d, truth.d, SHAPE(K, P), .name = "d", .formula = "the atoms that made the signals",
                .atol = 1e-8);
}

CASE(update__handles_large_and_small_codes)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double scale = sign < 0 ? 1e-80 : 1e80, *d = DOUBLES(1, 0), *far = DOUBLES(1, 0);
        sc_update(d, DOUBLES(5 * scale), DOUBLES(3 * scale, 4 * scale), 1, 2, doubles_filled(2, 7));
        assert_near(d, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d", .formula = update_formula);
        sc_update(far, DOUBLES(1), DOUBLES(3e130, 4e130), 1, 2, doubles_filled(2, 7));
        assert_near(far, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d of a long step");
    }
    for (int e = -300; e <= 300; e += 100) {
        double scale = pow(10, e), *d = DOUBLES(0, 0), *rare = DOUBLES(1, 0);
        sc_update(d, DOUBLES(1), DOUBLES(3 * scale, 4 * scale), 1, 2, doubles_filled(2, 7));
        assert_near(d, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d of long and short signals");
        sc_update(rare, DOUBLES(scale), DOUBLES(3 * scale, 4 * scale), 1, 2, doubles_filled(2, 7));
        assert_near(rare, ((double[]){0.6, 0.8}), SHAPE(1, 2),
                    .name = "d of large and small codes");
    }
    double *rarest = DOUBLES(1, 0);
    sc_update(rarest, DOUBLES(5e-310), DOUBLES(3e-310, 4e-310), 1, 2, doubles_filled(2, 7));
    assert_near(rarest, ((double[]){0.6, 0.8}), SHAPE(1, 2), .name = "d of codes of 1e-155");
}

CASE(update__propagates_nan)
{
    double *d = DOUBLES(1, 0);
    sc_update(d, DOUBLES(5), DOUBLES(not_a_number, 4), 1, 2, doubles_filled(2, 7));
    assert_that(isnan(d[0]) && isnan(d[1]), "d is %g %g, expected nan", d[0], d[1]);
}

CASE(update__takes_the_same_arrays_again)
{
    double *d = DOUBLES(1, 0), *A = DOUBLES(1), *B = DOUBLES(1, 0), *work = doubles_filled(2, 7);
    sc_update(d, A, B, 1, 2, work);
    B[0] = 0, B[1] = 3;
    sc_update(d, A, B, 1, 2, work);
    assert_near(d, ((double[]){0, 1}), SHAPE(1, 2), .name = "d of the second call");
}

const struct CMUnitTest atom_cases[] = {
    cmocka_unit_test(omp__matches_an_example_computed_by_hand),
    cmocka_unit_test(omp__recovers_a_planted_code),
    cmocka_unit_test(omp__matches_scikit_learn),
    cmocka_unit_test(omp__leaves_a_residual_orthogonal_to_the_atoms_taken),
    cmocka_unit_test(omp__takes_no_more_atoms_than_there_are),
    cmocka_unit_test(omp__ends_when_nothing_is_left),
    cmocka_unit_test(omp__ends_where_what_is_left_is_orthogonal_to_all_atoms),
    cmocka_unit_test(omp__takes_signals_of_any_size),
    cmocka_unit_test(omp__takes_atoms_that_are_nearly_equal),
    cmocka_unit_test(omp__takes_the_first_of_equal_matches_and_negative_ones),
    cmocka_unit_test(omp__makes_nan_of_nan),
    cmocka_unit_test(omp__takes_the_same_arrays_again),
    cmocka_unit_test(update__moves_one_atom_after_the_other),
    cmocka_unit_test(update__matches_an_example_computed_by_hand),
    cmocka_unit_test(update__leaves_an_atom_that_no_code_uses),
    cmocka_unit_test(update__recovers_the_atoms_of_given_codes),
    cmocka_unit_test(update__handles_large_and_small_codes),
    cmocka_unit_test(update__propagates_nan),
    cmocka_unit_test(update__takes_the_same_arrays_again),
    {0},
};
