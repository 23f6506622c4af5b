#include <stdio.h>
#include "common/rng.h"
#include "labs/1_foundations/linear_algebra/linear_algebra.h"
#include "labs/1_foundations/linear_algebra/matrix.h"
#include "labs/1_foundations/linear_algebra/story.h"

// ---- the Hilbert matrix ----

typedef struct Trial {
    double backward, error, condition;
} Trial;

// Solves H x = b where x is all ones, and looks at what comes out.
static Trial try_hilbert(Arena *arena, int n)
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
    Trial trial = {.backward = backward_error(arena, h, x, b, n), .condition = s[0] / s[n - 1]};
    for (int i = 0; i < n; i++) ones[i] -= x[i];
    trial.error = vector_length(ones, (size_t)n) / sqrt(n);
    return trial;
}

bool tell_hilbert(const Story *story, Error *err)
{
    (void)err;
    int most = story->set.hilbert, count = 0;
    Arena *arena = arena_new("hilbert", (size_t)64 << 20);
    float *size = arena_alloc(arena, sizeof *size * (size_t)most);
    float *backward = arena_alloc(arena, sizeof *size * (size_t)most);
    float *error = arena_alloc(arena, sizeof *size * (size_t)most);
    float *promise = arena_alloc(arena, sizeof *size * (size_t)most);
    printf("\nSystems: H x = b with Hilbert's matrix, whose true solution is 1, 1, ..., 1\n");
    printf("   n    condition   residual   error of x   condition times eps\n");
    for (int n = 2; n <= most; n++, count++) {
        Trial trial = try_hilbert(arena, n);
        size[count] = (float)n;
        backward[count] = (float)fmax(trial.backward, 1e-18);
        error[count] = (float)trial.error;
        promise[count] = (float)(trial.condition * DBL_EPSILON);
        metrics_write(story->run->metrics, METRICS_HILBERT + n,
                      METRICS({"hilbert_residual", trial.backward}, {"hilbert_error", trial.error},
                              {"hilbert_condition", trial.condition}));
        if (n % 2 == 0)
            printf("  %2d     %8.1e   %8.1e     %8.1e              %8.1e\n", n, trial.condition,
                   trial.backward, trial.error, trial.condition * DBL_EPSILON);
    }
    Plot plot = {.title = "H x = b, solved by LU",
                 .x_label = "size of the Hilbert matrix",
                 .y_label = "relative",
                 .log_y = true};
    plot_series(&plot, "residual", size, backward, (size_t)count);
    plot_series(&plot, "error of x", size, error, (size_t)count);
    plot_series(&plot, "condition times eps", size, promise, (size_t)count);
    run_plot(story->run, &plot, "hilbert");
    arena_free(arena);
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

// Coefficients of the polynomial that misses the points least; *miss is the root of the mean square.
static const double *fit(Arena *arena, const double *x, const double *y, int count, int degree,
                         double *miss)
{
    int terms = degree + 1;
    double *qr = powers(arena, x, count, degree), *tau = matrix_new(arena, terms, 1);
    double *coefficients = matrix_new(arena, terms, 1), *turned = matrix_new(arena, count, 1);
    la_qr(qr, tau, count, terms);
    if (!la_least_squares(coefficients, turned, qr, tau, y, count, terms)) return NULL;
    *miss = vector_length(turned + terms, (size_t)(count - terms)) / sqrt(count);
    return coefficients;
}

bool tell_fit(const Story *story, Error *err)
{
    int count = story->set.points;
    Arena *arena = arena_new("fit", (size_t)64 << 20);
    Rng rng = rng_stream(story->run->seed, 2);
    double *x = matrix_new(arena, count, 1), *y = matrix_new(arena, count, 1);
    double *fine = matrix_new(arena, FINE, 1), *curve = matrix_new(arena, FINE, 1);
    bool ok = true;
    for (int i = 0; i < count; i++) {
        x[i] = -1 + 2.0 * i / (count - 1);
        y[i] = truth(x[i]) + 0.2 * (double)rng_normal(&rng);
    }
    for (int i = 0; i < FINE; i++) fine[i] = -1 + 2.0 * i / (FINE - 1);
    printf("\nLeast squares: polynomials through %d noisy points\n", count);
    printf("  degree   misses the points by   misses the truth by\n");
    Plot plot = {.title = "Polynomials through noisy points",
                 .x_label = "x",
                 .y_label = "y",
                 .points = true};
    plot_series(&plot, "points", vector_floats(arena, x, (size_t)count),
                vector_floats(arena, y, (size_t)count), (size_t)count);
    for (int d = 0; d < DEGREES && degrees[d] < count; d++) {
        double miss, square = 0;
        const double *coefficients = fit(arena, x, y, count, degrees[d], &miss);
        if (coefficients == NULL) {
            ok = error_set(err, "a polynomial of degree %d: the points do not determine it",
                           degrees[d]);
            break;
        }
        la_matmul(curve, powers(arena, fine, FINE, degrees[d]), coefficients, FINE, 1,
                  degrees[d] + 1);
        for (int i = 0; i < FINE; i++) square += pow(curve[i] - truth(fine[i]), 2) / FINE;
        printf("  %4d     %12.3f           %12.3f\n", degrees[d], miss, sqrt(square));
        metrics_write(
            story->run->metrics, METRICS_FIT + degrees[d],
            METRICS({"degree", degrees[d]}, {"fit_points", miss}, {"fit_truth", sqrt(square)}));
        plot_series(&plot, arena_print(arena, "degree %d", degrees[d]),
                    vector_floats(arena, fine, FINE), vector_floats(arena, curve, FINE), FINE);
    }
    if (ok) run_plot(story->run, &plot, "fit");
    arena_free(arena);
    return ok;
}
