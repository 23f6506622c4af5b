/* Exercise 6: coordinate descent. check.c says how cases are made. */
#include "labs/2_core/sparse_coding/check.h"

static const double not_a_number = (double)NAN;

static const char cd_formula[] =
    "a[k] = soft(d_k.(x - sum_{j != k} a[j] d_j), lambda) / |d_k|^2, one after the other";

static int descend(const Problem *p, double *a, double tolerance, int most)
{
    int K = p->dict.K, P = p->dict.P;
    for (int sweep = 1; sweep <= most; sweep++) {
        double largest = 0;
        for (int k = 0; k < K; k++) {
            double held = a[k], norm = 0, *r, along = 0;
            for (int i = 0; i < P; i++) norm += p->dict.d[k * P + i] * p->dict.d[k * P + i];
            if (norm == 0) continue;
            a[k] = 0;
            r = residual_of(p->x, a, &p->dict);
            for (int i = 0; i < P; i++) along += p->dict.d[k * P + i] * r[i];
            a[k] = soft(along, p->lambda) / norm;
            largest = fmax(largest, fabs(a[k] - held));
        }
        if (largest <= tolerance) return sweep;
    }
    return 0;
}

static void check_descent(Problem *p, double tolerance, int most)
{
    size_t K = (size_t)p->dict.K, P = (size_t)p->dict.P;
    double *want = doubles_copy(p->a, K), *x = doubles_copy(p->x, P);
    int sweeps = descend(p, want, tolerance, most);
    int got = sc_coordinate_descent(p->a, p->x, &p->dict, p->lambda, tolerance, most, p->work);
    assert_near(p->a, want, SHAPE(p->dict.K), .name = "a", .formula = cd_formula, .rtol = 1e-10,
                .atol = 1e-10);
    assert_integer("sweeps", got, sweeps);
    assert_kept("x", p->x, x, P);
}

CASE(coordinate_descent__updates_one_coefficient_after_the_other)
{
    for (int s = 0; s < PROBLEM_SIZES; s++)
        for (int most = 0; most <= 3; most++) {
            Problem p = problem(problem_sizes[s][0], problem_sizes[s][1], 60 + (uint64_t)s);
            check_descent(&p, 1e-12, most);
        }
}

CASE(coordinate_descent__reaches_the_optimality_conditions)
{
    Problem p = problem(25, 15, 70);
    int sweeps = sc_coordinate_descent(p.a, p.x, &p.dict, p.lambda, 1e-10, 10000, p.work);
    assert_that(sweeps > 1, "got %d sweeps; expected that it converges", sweeps);
    assert_optimal(p.a, p.x, &p.dict, p.lambda, 1e-6);
}

static void by_descent(double *a, const double *x, const Dictionary *dict, double lambda,
                       double *work)
{
    sc_coordinate_descent(a, x, dict, lambda, 1e-12, 100000, work);
}

CASE(coordinate_descent__matches_the_lasso_of_scikit_learn)
{
    check_minimum(by_descent);
}

CASE(coordinate_descent__divides_by_the_squared_length_of_an_atom)
{
    Problem p = problem(4, 6, 71);
    double *d = doubles_copy(p.dict.d, 24);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 6; i++) d[k * 6 + i] *= 1 + k;
    p.dict.d = d;
    check_descent(&p, 1e-9, 500);
    assert_optimal(p.a, p.x, &p.dict, p.lambda, 1e-6);
}

CASE(coordinate_descent__leaves_the_coefficient_of_a_zero_atom)
{
    Problem p = problem(3, 4, 72);
    double *d = doubles_copy(p.dict.d, 12);
    for (int i = 4; i < 8; i++) d[i] = 0;
    p.dict.d = d;
    p.a[1] = 5;
    check_descent(&p, 1e-9, 500);
}

CASE(coordinate_descent__ends_when_a_sweep_changes_at_most_the_tolerance)
{
    Problem p = problem(1, 1, 73);    // the second sweep changes nothing
    check_descent(&p, 1e-12, 1);
    p.a[0] = 50;
    check_descent(&p, 1e-12, 2);
    Problem q = problem(1, 1, 74);
    q.dict = DICT(1, 1, 1);
    q.x[0] = 2, q.lambda = 0.5, q.a[0] = 1;    // to 1.5: a change equal to the tolerance
    assert_integer("sweeps", sc_coordinate_descent(q.a, q.x, &q.dict, 0.5, 0.5, 9, q.work), 1);
    assert_integer("sweeps from the minimum, with a tolerance of 0",
                   sc_coordinate_descent(q.a, q.x, &q.dict, 0.5, 0, 9, q.work), 1);
    for (int most = 1; most <= 12; most++) {
        Problem r = problem(8, 6, 75);
        check_descent(&r, 1e-3, most);
    }
}

CASE(coordinate_descent__returns_0_for_nan)
{
    Problem p = problem(2, 2, 76);
    p.x[1] = not_a_number;
    assert_integer("sweeps", sc_coordinate_descent(p.a, p.x, &p.dict, p.lambda, 1e-3, 50, p.work),
                   0);
    Problem start = problem(2, 2, 76);
    start.a[0] = not_a_number;
    assert_integer(
        "sweeps from a NaN",
        sc_coordinate_descent(start.a, start.x, &start.dict, start.lambda, 1e-3, 50, start.work),
        0);
    for (int k = 0; k < 2; k++) assert_that(isnan(p.a[k]), "a[%d] is %g, expected nan", k, p.a[k]);
}

CASE(coordinate_descent__handles_large_and_small_numbers)
{
    Problem p = problem(3, 4, 77);
    for (int i = 0; i < 4; i++) p.x[i] *= 1e100;
    sc_coordinate_descent(p.a, p.x, &p.dict, 1e99, 1e80, 5000, p.work);
    assert_optimal(p.a, p.x, &p.dict, 1e99, 1e88);
    Dictionary brief = DICT(1, 1, 1e-6);    // an atom of length 1e-6
    double *a = DOUBLES(0);
    sc_coordinate_descent(a, DOUBLES(1e6), &brief, 0.5, 1, 9, doubles_filled(1, not_a_number));
    assert_near(a, ((double[]){5e11}), SHAPE(1), .name = "a", .formula = cd_formula, .rtol = 1e-9);
}

CASE(coordinate_descent__takes_the_same_arrays_again)
{
    Problem p = problem(2, 3, 78);
    check_descent(&p, 1e-9, 100);
    p.x[0] = 9;
    check_descent(&p, 1e-9, 100);
}

const struct CMUnitTest descent_cases[] = {
    cmocka_unit_test(coordinate_descent__updates_one_coefficient_after_the_other),
    cmocka_unit_test(coordinate_descent__reaches_the_optimality_conditions),
    cmocka_unit_test(coordinate_descent__matches_the_lasso_of_scikit_learn),
    cmocka_unit_test(coordinate_descent__divides_by_the_squared_length_of_an_atom),
    cmocka_unit_test(coordinate_descent__leaves_the_coefficient_of_a_zero_atom),
    cmocka_unit_test(coordinate_descent__ends_when_a_sweep_changes_at_most_the_tolerance),
    cmocka_unit_test(coordinate_descent__returns_0_for_nan),
    cmocka_unit_test(coordinate_descent__handles_large_and_small_numbers),
    cmocka_unit_test(coordinate_descent__takes_the_same_arrays_again),
    {0},
};
