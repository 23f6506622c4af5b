/* Exercises 4 and 5: ISTA and FISTA. check.c says how cases are made. */
#include "labs/2_core/sparse_coding/check.h"

static const double not_a_number = (double)NAN;

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

static void check_steps(void (*solve)(Problem *p, int iterations), bool momentum,
                        const char *formula)
{
    for (int s = 0; s < PROBLEM_SIZES; s++)
        for (int iterations = 0; iterations <= 40; iterations += iterations < 7 ? 1 : 33) {
            Problem p = problem(problem_sizes[s][0], problem_sizes[s][1], 30 + (uint64_t)s);
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

static void check_large_lambda(void (*solve)(Problem *p, int iterations), const char *formula)
{
    Problem p = problem(6, 4, 42);
    p.lambda = 1e6;
    solve(&p, 1);
    assert_near(p.a, doubles_zero(6), SHAPE(6), .name = "a", .formula = formula);
}

// In the signal it reaches all of a, in the start what depends on it.
static void check_nan(void (*solve)(Problem *p, int iterations))
{
    Problem p = problem(3, 2, 43), start = problem(3, 2, 43);
    p.x[0] = not_a_number, start.a[0] = not_a_number;
    solve(&p, 2);
    solve(&start, 1);
    for (int k = 0; k < 3; k++) assert_that(isnan(p.a[k]), "a[%d] is %g, expected nan", k, p.a[k]);
    assert_that(isnan(start.a[0]), "a[0] was nan and is %g", start.a[0]);
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
    check_large_lambda(ista, ista_formula);
}

CASE(ista__takes_atoms_of_any_length)
{
    check_lengths(ista, false, ista_formula);
}

CASE(ista__propagates_nan)
{
    check_nan(ista);
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
    check_large_lambda(fista, fista_formula);
}

CASE(fista__takes_atoms_of_any_length)
{
    check_lengths(fista, true, fista_formula);
}

CASE(fista__propagates_nan)
{
    check_nan(fista);
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
    {0},
};
