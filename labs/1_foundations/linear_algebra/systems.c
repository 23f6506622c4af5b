#include "common/rng.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// ---- the Hilbert matrix ----

typedef struct Solution {
    double backward, forward, condition;    // relative errors, and the condition number
} Solution;

// Solves H x = b where x is all ones.
static Solution solve_hilbert(Arena *arena, int n)
{
    double *h = matrix_hilbert(arena, n), *lu = matrix_copy(arena, h, n, n);
    double *ones = matrix_new(arena, n, 1), *b = matrix_new(arena, n, 1),
           *x = matrix_new(arena, n, 1);
    double *ut = matrix_new(arena, n, n), *vt = matrix_new(arena, n, n),
           *s = matrix_new(arena, n, 1);
    int *pivot = arena_alloc(arena, sizeof *pivot * (size_t)n);
    for (int i = 0; i < n; i++) ones[i] = 1;
    la_matmul(b, h, ones, n, 1, n);
    la_lu(lu, pivot, n);
    la_lu_solve(x, lu, pivot, b, n);
    la_svd(ut, s, vt, h, n, n);
    Solution solution = {.backward = backward_error(arena, h, x, b, n),
                         .condition = s[0] / s[n - 1]};
    for (int i = 0; i < n; i++) ones[i] -= x[i];
    solution.forward = vector_length(ones, (size_t)n) / sqrt(n);    // |x| is the root of n
    return solution;
}

bool part_hilbert(void *lab, Error *err)
{
    (void)err;
    const Experiment *experiment = lab;
    int most = experiment->hilbert, count = 0;
    Arena *step = experiment->step;
    float *size = arena_alloc(step, sizeof *size * (size_t)most);
    float *backward = arena_alloc(step, sizeof *size * (size_t)most);
    float *forward = arena_alloc(step, sizeof *size * (size_t)most);
    float *bound = arena_alloc(step, sizeof *size * (size_t)most);
    run_print(experiment->run,
              "H x = b with the Hilbert matrix, whose exact solution is 1, 1, ..., 1");
    Table table =
        table_new(step, "n|condition number|backward error|forward error|condition number x eps");
    for (int n = 2; n <= most; n++, count++) {
        Solution solution = solve_hilbert(step, n);
        size[count] = (float)n;
        backward[count] = (float)fmax(solution.backward, 1e-18);
        forward[count] = (float)solution.forward;
        bound[count] = (float)(solution.condition * DBL_EPSILON);
        metrics_write(experiment->run->metrics, METRICS_HILBERT + n,
                      METRICS({"hilbert_residual", solution.backward},
                              {"hilbert_error", solution.forward},
                              {"hilbert_condition", solution.condition}));
        if (n % 2 == 0)
            table_row(&table, "%d|%.1e|%.1e|%.1e|%.1e", n, solution.condition, solution.backward,
                      solution.forward, solution.condition * DBL_EPSILON);
    }
    run_table(experiment->run, &table);
    Plot plot = {.title = "H x = b, solved by LU",
                 .x_label = "size of the Hilbert matrix",
                 .y_label = "relative error",
                 .log_y = true};
    plot_series(&plot, "backward error", size, backward, (size_t)count);
    plot_series(&plot, "forward error", size, forward, (size_t)count);
    plot_series(&plot, "condition number x eps", size, bound, (size_t)count);
    run_plot(experiment->run, &plot, "hilbert");
    return true;
}

// ---- polynomials ----

enum { FINE = 601, DEGREES = 4 };
static const int degrees[DEGREES] = {1, 3, 7, 15};

static double truth(double x)
{
    return sin(3 * x) + 0.5 * x;
}

// Columns 1, x, x^2, ...   [count, degree + 1]
static double *powers(Arena *arena, const double *x, int count, int degree)
{
    double *a = matrix_new(arena, count, degree + 1);
    for (int i = 0; i < count; i++)
        for (int j = 0; j <= degree; j++)
            a[i * (degree + 1) + j] = j == 0 ? 1 : a[i * (degree + 1) + j - 1] * x[i];
    return a;
}

// Coefficients of the least-squares polynomial; *rmse is the root of the mean squared residual.
static const double *fit(Arena *arena, const double *x, const double *y, int count, int degree,
                         double *rmse)
{
    int terms = degree + 1;
    double *qr = powers(arena, x, count, degree), *tau = matrix_new(arena, terms, 1);
    double *coefficients = matrix_new(arena, terms, 1), *rotated = matrix_new(arena, count, 1);
    la_qr(qr, tau, count, terms);
    if (!la_least_squares(coefficients, rotated, qr, tau, y, count, terms)) return NULL;
    *rmse = vector_length(rotated + terms, (size_t)(count - terms)) / sqrt(count);
    return coefficients;
}

bool part_fit(void *lab, Error *err)
{
    const Experiment *experiment = lab;
    int count = experiment->points;
    Arena *step = experiment->step;
    Rng rng = rng_stream(experiment->run->seed, 2);
    double *x = matrix_new(step, count, 1), *y = matrix_new(step, count, 1);
    double *fine = matrix_new(step, FINE, 1), *curve = matrix_new(step, FINE, 1);
    for (int i = 0; i < count; i++) {
        x[i] = -1 + 2.0 * i / (count - 1);
        y[i] = truth(x[i]) + 0.2 * (double)rng_normal(&rng);
    }
    for (int i = 0; i < FINE; i++) fine[i] = -1 + 2.0 * i / (FINE - 1);
    run_print(experiment->run, "%d noisy points of sin(3x) + x/2", count);
    Table table = table_new(step, "degree|training RMSE|RMSE against the true function");
    Plot plot = {.title = "Polynomials fitted to noisy points",
                 .x_label = "x",
                 .y_label = "y",
                 .points = true};
    plot_series(&plot, "points", vector_floats(step, x, (size_t)count),
                vector_floats(step, y, (size_t)count), (size_t)count);
    for (int d = 0; d < DEGREES && degrees[d] < count; d++) {
        double training, square = 0;
        const double *coefficients = fit(step, x, y, count, degrees[d], &training);
        if (coefficients == NULL)
            return error_set(err, "a polynomial of degree %d: the points do not determine it",
                             degrees[d]);
        la_matmul(curve, powers(step, fine, FINE, degrees[d]), coefficients, FINE, 1,
                  degrees[d] + 1);
        for (int i = 0; i < FINE; i++) square += pow(curve[i] - truth(fine[i]), 2) / FINE;
        table_row(&table, "%d|%.3f|%.3f", degrees[d], training, sqrt(square));
        metrics_write(
            experiment->run->metrics, METRICS_FIT + degrees[d],
            METRICS({"degree", degrees[d]}, {"fit_points", training}, {"fit_truth", sqrt(square)}));
        plot_shape(&plot, PLOT_LINE, arena_print(step, "degree %d", degrees[d]),
                   vector_floats(step, fine, FINE), vector_floats(step, curve, FINE), FINE);
    }
    run_table(experiment->run, &table);
    run_plot(experiment->run, &plot, "fit");
    return true;
}
