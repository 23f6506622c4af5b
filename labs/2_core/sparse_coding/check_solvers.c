/* Exercises 4 to 6: ISTA, FISTA, coordinate descent. check.c says how cases are made. */
#include "labs/2_core/sparse_coding/check.h"
#include "labs/2_core/sparse_coding/tests/sklearn.inc"

static const double not_a_number = (double)NAN;

static double soft(double x, double t)
{
    return fabs(x) <= t ? 0 : x > 0 ? x - t : x + t;
}

// The same start for all: dense, so that the first steps matter.
typedef struct Problem {
    Dictionary dict;
    double *x, *a, *work, lambda, L;
} Problem;

static Problem problem(int K, int P, uint64_t seed)
{
    size_t k = (size_t)K, p = (size_t)P;
    return (Problem){.dict = unit_atoms(seed, K, P),
                     .x = normal(seed + 1, p),
                     .a = normal(seed + 2, k),
                     .work = doubles_filled(p + 2 * k, not_a_number),
                     .lambda = 0.3,
                     .L = K};    // the trace is a bound
}

static double objective(const Problem *p, const double *a)
{
    double f = 0, *r = residual_of(p->x, a, &p->dict);
    for (int i = 0; i < p->dict.P; i++) f += r[i] * r[i] / 2;
    for (int k = 0; k < p->dict.K; k++) f += p->lambda * fabs(a[k]);
    return f;
}

// FISTA by the contract, and ISTA where it has no momentum.
static double *iterate(const Problem *p, int iterations, bool momentum)
{
    int K = p->dict.K;
    double *a = doubles_copy(p->a, (size_t)K), *y = doubles_copy(a, (size_t)K), t = 1;
    for (int i = 0; i < iterations; i++) {
        double *c = correlate(residual_of(p->x, y, &p->dict), &p->dict),
               after = (1 + sqrt(1 + 4 * t * t)) / 2;
        for (int k = 0; k < K; k++) {
            double next = soft(y[k] + c[k] / p->L, p->lambda / p->L);
            y[k] = next + (momentum ? (t - 1) / after * (next - a[k]) : 0);
            a[k] = next;
        }
        t = after;
    }
    return a;
}

static const int sizes[][2] = {{1, 1}, {1, 6}, {7, 1}, {4, 5}, {20, 9}, {33, 40}};
enum { SIZES = 6 };

static void check_steps(void (*solve)(Problem *p, int iterations), bool momentum,
                        const char *formula)
{
    for (int s = 0; s < SIZES; s++)
        for (int iterations = 0; iterations <= 40; iterations += iterations < 7 ? 1 : 33) {
            Problem p = problem(sizes[s][0], sizes[s][1], 30 + (uint64_t)s);
            size_t K = (size_t)p.dict.K, P = (size_t)p.dict.P;
            double *want = iterate(&p, iterations, momentum), *x = doubles_copy(p.x, P),
                   *d = doubles_copy(p.dict.d, K * P);
            solve(&p, iterations);
            assert_near(p.a, want, SHAPE(p.dict.K), .name = "a", .formula = formula, .rtol = 1e-11,
                        .atol = 1e-11);
            assert_kept("x", p.x, x, P);
            assert_kept("d", p.dict.d, d, K * P);
        }
}

static void check_lengths(void (*solve)(Problem *p, int iterations), bool momentum,
                          const char *formula)
{
    Problem p = problem(4, 5, 39);
    double *d = doubles_copy(p.dict.d, 20), *want;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 5; i++) d[k * 5 + i] /= 1 + k;
    p.dict.d = d;
    want = iterate(&p, 5, momentum);
    solve(&p, 5);
    assert_near(p.a, want, SHAPE(4), .name = "a", .formula = formula);
}

// The solution and the optimality conditions of each lambda; `solve` makes a code of a code of zeros.
static void check_minimum(void (*solve)(double *a, const double *x, const Dictionary *dict,
                                        double lambda, double *work))
{
    Dictionary dict = {LASSO_K, LASSO_P, doubles_copy(lasso_d, LASSO_K * LASSO_P)};
    for (int i = 0; i < LASSO_COUNT; i++) {
        double *a = doubles_zero(LASSO_K), *x = doubles_copy(lasso_x, LASSO_P);
        solve(a, x, &dict, lasso_lambda[i], doubles_filled(LASSO_P + 2 * LASSO_K, (double)NAN));
        assert_near(a, lasso_codes + (size_t)i * LASSO_K, SHAPE(LASSO_K), .name = "a",
                    .formula = "the minimum of 1/2 |x - D^T a|^2 + lambda |a|_1, by scikit-learn",
                    .atol = 1e-6);
        assert_optimal(a, x, &dict, lasso_lambda[i], 1e-6);
    }
}

// ---- 4: ISTA ----

static const char ista_formula[] = "a = soft(a + 1/L D (x - D^T a), lambda / L)";

static void ista(Problem *p, int iterations)
{
    sc_ista(p->a, p->x, &p->dict, p->lambda, p->L, iterations, p->work);
}

CASE(ista__takes_its_steps_from_the_a_it_is_given)
{
    check_steps(ista, false, ista_formula);
}

CASE(ista__lowers_the_objective_in_every_step)
{
    Problem p = problem(12, 8, 40);
    double before = objective(&p, p.a);
    for (int t = 0; t < 50; t++) {
        ista(&p, 1);
        double now = objective(&p, p.a);
        assert_that(now <= before + 1e-12, "step %d: the objective rose from %.12g to %.12g", t + 1,
                    before, now);
        before = now;
    }
}

CASE(ista__reaches_the_optimality_conditions)
{
    Problem p = problem(10, 12, 41);
    ista(&p, 20000);
    assert_optimal(p.a, p.x, &p.dict, p.lambda, 1e-6);
}

static void by_ista(double *a, const double *x, const Dictionary *dict, double lambda, double *work)
{
    sc_ista(a, x, dict, lambda, 4, 3000, work);
}

CASE(ista__matches_the_lasso_of_scikit_learn)
{
    check_minimum(by_ista);
}

CASE(ista__of_a_large_lambda_is_zero)
{
    Problem p = problem(6, 4, 42);
    p.lambda = 1e6;
    ista(&p, 1);
    assert_near(p.a, doubles_zero(6), SHAPE(6), .name = "a", .formula = ista_formula);
}

CASE(ista__takes_atoms_of_any_length)
{
    check_lengths(ista, false, ista_formula);
}

CASE(ista__propagates_nan)
{
    Problem p = problem(3, 2, 43);
    p.x[0] = not_a_number;
    ista(&p, 1);
    for (int k = 0; k < 3; k++) assert_that(isnan(p.a[k]), "a[%d] is %g, expected nan", k, p.a[k]);
    Problem start = problem(3, 2, 43);
    start.a[0] = not_a_number;
    ista(&start, 1);
    assert_that(isnan(start.a[0]), "a[0] was nan and is %g", start.a[0]);
}

CASE(ista__takes_the_same_arrays_again)
{
    Problem p = problem(1, 1, 44);
    ista(&p, 500);
    p.x[0] = 9;
    ista(&p, 500);
    assert_optimal(p.a, p.x, &p.dict, p.lambda, 1e-9);
}

// ---- 5: FISTA ----

static const char fista_formula[] =
    "new = soft(y + 1/L D (x - D^T y), lambda / L), y = new + (t - 1) / t' (new - a)";

static void fista(Problem *p, int iterations)
{
    sc_fista(p->a, p->x, &p->dict, p->lambda, p->L, iterations, p->work);
}

CASE(fista__takes_its_steps_with_momentum)
{
    check_steps(fista, true, fista_formula);
}

CASE(fista__reaches_the_optimality_conditions)
{
    Problem p = problem(20, 12, 50);
    fista(&p, 4000);
    assert_optimal(p.a, p.x, &p.dict, p.lambda, 1e-6);
}

static void by_fista(double *a, const double *x, const Dictionary *dict, double lambda,
                     double *work)
{
    sc_fista(a, x, dict, lambda, 4, 3000, work);
}

CASE(fista__matches_the_lasso_of_scikit_learn)
{
    check_minimum(by_fista);
}

CASE(fista__keeps_the_bound_of_its_theorem)
{
    // f - f* <= 2 L |a0 - a*|^2 / (k + 1)^2
    Problem p = problem(30, 20, 51);
    double *start = doubles_copy(p.a, 30);
    fista(&p, 20000);
    double best = objective(&p, p.a), distance = 0;
    for (int k = 0; k < 30; k++) distance += (start[k] - p.a[k]) * (start[k] - p.a[k]);
    for (int k = 1; k <= 60; k++) {
        Problem again = p;
        again.a = doubles_copy(start, 30);
        fista(&again, k);
        double gap = objective(&again, again.a) - best;
        assert_that(gap <= 2 * p.L * distance / ((k + 1.0) * (k + 1)) + 1e-9,
                    "after %d iterations f - f* is %g, above the bound %g", k, gap,
                    2 * p.L * distance / ((k + 1.0) * (k + 1)));
    }
}

CASE(fista__of_a_large_lambda_is_zero)
{
    Problem p = problem(6, 4, 52);
    p.lambda = 1e6;
    fista(&p, 1);
    assert_near(p.a, doubles_zero(6), SHAPE(6), .name = "a", .formula = fista_formula);
}

CASE(fista__takes_atoms_of_any_length)
{
    check_lengths(fista, true, fista_formula);
}

CASE(fista__propagates_nan)
{
    Problem p = problem(3, 2, 53);
    p.x[0] = not_a_number;
    fista(&p, 2);
    for (int k = 0; k < 3; k++) assert_that(isnan(p.a[k]), "a[%d] is %g, expected nan", k, p.a[k]);
    Problem start = problem(3, 2, 53);
    start.a[0] = not_a_number;
    fista(&start, 1);
    assert_that(isnan(start.a[0]), "a[0] was nan and is %g", start.a[0]);
}

CASE(fista__takes_the_same_arrays_again)
{
    Problem p = problem(2, 3, 54);
    fista(&p, 500);
    p.x[0] = 9;
    double *want;
    Problem copy = p;
    copy.a = doubles_copy(p.a, 2);
    want = iterate(&copy, 3, true);
    fista(&p, 3);
    assert_near(p.a, want, SHAPE(2), .name = "a of the second call", .formula = fista_formula);
}

// ---- 6: coordinate descent ----

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
    for (int s = 0; s < SIZES; s++)
        for (int most = 0; most <= 3; most++) {
            Problem p = problem(sizes[s][0], sizes[s][1], 60 + (uint64_t)s);
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

const struct CMUnitTest solver_cases[] = {
    cmocka_unit_test(ista__takes_its_steps_from_the_a_it_is_given),
    cmocka_unit_test(ista__lowers_the_objective_in_every_step),
    cmocka_unit_test(ista__reaches_the_optimality_conditions),
    cmocka_unit_test(ista__matches_the_lasso_of_scikit_learn),
    cmocka_unit_test(ista__of_a_large_lambda_is_zero),
    cmocka_unit_test(ista__takes_atoms_of_any_length),
    cmocka_unit_test(ista__propagates_nan),
    cmocka_unit_test(ista__takes_the_same_arrays_again),
    cmocka_unit_test(fista__takes_its_steps_with_momentum),
    cmocka_unit_test(fista__reaches_the_optimality_conditions),
    cmocka_unit_test(fista__matches_the_lasso_of_scikit_learn),
    cmocka_unit_test(fista__keeps_the_bound_of_its_theorem),
    cmocka_unit_test(fista__of_a_large_lambda_is_zero),
    cmocka_unit_test(fista__takes_atoms_of_any_length),
    cmocka_unit_test(fista__propagates_nan),
    cmocka_unit_test(fista__takes_the_same_arrays_again),
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
