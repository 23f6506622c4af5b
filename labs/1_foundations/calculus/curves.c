/* curves.c -- functions of one variable: derivatives, Taylor polynomials, integrals. */
#include <float.h>
#include <math.h>
#include "labs/1_foundations/calculus/experiment.h"

// ---- derivatives ----

static double wave(double x, const void *context)
{
    (void)context;
    return exp(x) * sin(x);
}

static double wave_derivative(double x)
{
    return exp(x) * (sin(x) + cos(x));
}

static double wave_third(double x)
{
    return 2 * exp(x) * (cos(x) - sin(x));
}

static Dual wave_dual(double at)
{
    Dual x = {at, 1}, none = {0, 0};
    return calc_dual(OP_MUL, calc_dual(OP_EXP, x, none), calc_dual(OP_SIN, x, none));
}

enum { PER_DECADE = 12, SIZES = 16 * PER_DECADE };

typedef struct Best {
    double h, error;
} Best;

static void keep_best(Best *best, double h, double error)
{
    if (error < best->error) *best = (Best){h, error};
}

typedef struct Errors {    // relative, of both differences, over the step size
    float h[SIZES], one_sided[SIZES], central[SIZES];
    Best best_one_sided, best_central;
} Errors;

static void measure_errors(Errors *errors, double x, double want)
{
    errors->best_one_sided = errors->best_central = (Best){0, 1};
    for (int i = 0; i < SIZES; i++) {
        double h = pow(10, -(double)i / PER_DECADE);
        double one_sided = fabs((wave(x + h, NULL) - wave(x, NULL)) / h - want) / want;
        double central = fabs(calc_difference(wave, NULL, x, h) - want) / want;
        keep_best(&errors->best_one_sided, h, one_sided);
        keep_best(&errors->best_central, h, central);
        errors->h[i] = (float)h;
        errors->one_sided[i] = one_sided > 0 ? (float)one_sided : NAN;    // a log scale has no 0
        errors->central[i] = central > 0 ? (float)central : NAN;
    }
}

bool part_derivatives(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    const double x = 1, want = wave_derivative(x);
    Errors *errors = arena_alloc(lab->scratch, sizeof *errors);
    measure_errors(errors, x, want);
    double predicted = calc_best_step(DBL_EPSILON / 2 * fabs(wave(x, NULL)), fabs(wave_third(x)));
    double there = fabs(calc_difference(wave, NULL, x, predicted) - want) / want;
    double dual = fabs(wave_dual(x).derivative - want) / want;

    run_print(lab->run, "The derivative of e^x sin x at x = 1 is %.12f.", want);
    Table table = table_new(lab->scratch, "method|step size h|relative error");
    table_row(&table, "one-sided difference, best of %d step sizes|%.1e|%.1e", SIZES,
              errors->best_one_sided.h, errors->best_one_sided.error);
    table_row(&table, "central difference, best of %d step sizes|%.1e|%.1e", SIZES,
              errors->best_central.h, errors->best_central.error);
    table_row(&table, "central difference, predicted optimum|%.1e|%.1e", predicted, there);
    table_row(&table, "dual numbers||%.1e", dual);
    run_table(lab->run, &table);
    metrics_write(lab->run->metrics, 0,
                  METRICS({"predicted_step", predicted}, {"predicted_error", there},
                          {"central_best_error", errors->best_central.error},
                          {"dual_error", dual}));

    float dot[2] = {(float)predicted, (float)fmax(there, 1e-16)};
    Plot plot = {.title = "Finite differences: truncation and rounding error",
                 .x_label = "step size h",
                 .y_label = "relative error of the derivative",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "one-sided difference", errors->h, errors->one_sided, SIZES);
    plot_series(&plot, "central difference", errors->h, errors->central, SIZES);
    plot_series(&plot, "predicted optimal step size", &dot[0], &dot[1], 1);
    run_plot(lab->run, &plot, "finite_differences");
    return true;
}

// ---- Taylor polynomials ----

bool part_taylor(void *argument, Error *err)
{
    enum { COUNT = 401, HIGHEST = 21, DEGREES = 6 };
    static const int degrees[DEGREES] = {1, 3, 5, 9, 13, HIGHEST};
    (void)err;
    Experiment *lab = argument;
    Arena *scratch = lab->scratch;
    double derivative[HIGHEST + 1];    // of the sine at 0: 0, 1, 0, -1, and again
    for (int k = 0; k <= HIGHEST; k++) derivative[k] = k % 2 == 0 ? 0 : k % 4 == 1 ? 1 : -1;

    run_print(lab->run, "Absolute error of the Taylor polynomials of sin x around 0:");
    Table table = table_new(scratch, "x|degree 1|degree 3|degree 5|degree 9|degree 13|degree 21");
    for (int at = 1; at <= 9; at += 4) {
        double error[DEGREES];
        for (int d = 0; d < DEGREES; d++)
            error[d] = fabs(calc_taylor(derivative, degrees[d], at) - sin(at));
        table_row(&table, "%d|%.1e|%.1e|%.1e|%.1e|%.1e|%.1e", at, error[0], error[1], error[2],
                  error[3], error[4], error[5]);
    }
    run_table(lab->run, &table);

    Plot plot = {.title = "Taylor polynomials of sin x around 0",
                 .x_label = "x",
                 .y_label = "polynomial (cut off beyond 2)"};
    float *x = arena_alloc(scratch, sizeof *x * COUNT);
    float *sine = arena_alloc(scratch, sizeof *sine * COUNT);
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(-10 + 20.0 * i / (COUNT - 1));
        sine[i] = sinf(x[i]);
    }
    for (int d = 0; d < DEGREES; d++) {
        float *y = arena_alloc(scratch, sizeof *y * COUNT);
        for (int i = 0; i < COUNT; i++) {
            double value = calc_taylor(derivative, degrees[d], (double)x[i]);
            y[i] = fabs(value) <= 2 ? (float)value : NAN;
        }
        plot_series(&plot, arena_print(scratch, "degree %d", degrees[d]), x, y, COUNT);
    }
    plot_series(&plot, "sin x", x, sine, COUNT);
    run_plot(lab->run, &plot, "taylor");
    return true;
}

// ---- quadrature ----

enum { DEPTH = 40, SIMPSON_MAX = 14, ADAPTIVE_MAX = 12, EVALUATIONS_MAX = 100000 };

// A narrow Lorentzian peak on a smooth curve, which counts how often it is evaluated.
typedef struct Peak {
    double center, width;
    long *evaluations;
    double *points;    // where it was evaluated, or NULL; room for EVALUATIONS_MAX
} Peak;

static double peak_value(double x, const void *context)
{
    const Peak *peak = context;
    if (peak->points != NULL && *peak->evaluations < EVALUATIONS_MAX)
        peak->points[*peak->evaluations] = x;
    (*peak->evaluations)++;
    double away = (x - peak->center) / peak->width;
    return 1 / (1 + away * away) + 0.3 * sin(3 * x);
}

static double peak_integral(const Peak *peak)
{
    return peak->width *
               (atan((1 - peak->center) / peak->width) + atan(peak->center / peak->width)) +
           0.1 * (1 - cos(3.0));
}

static void draw_evaluations(Experiment *lab, const Peak *of, double tolerance)
{
    enum { LINE = 2001 };
    Arena *scratch = lab->scratch;
    long evaluations = 0, ignored = 0;
    Peak watched = *of, plain = *of;
    watched.evaluations = &evaluations;
    watched.points = arena_alloc(scratch, sizeof(double) * EVALUATIONS_MAX);
    plain.evaluations = &ignored;
    calc_adaptive(peak_value, &watched, 0, 1, tolerance, DEPTH);
    size_t count = (size_t)(evaluations < EVALUATIONS_MAX ? evaluations : EVALUATIONS_MAX);
    float *x = arena_alloc(scratch, sizeof *x * 3 * count);
    float *y = arena_alloc(scratch, sizeof *y * 3 * count);
    float *line_x = arena_alloc(scratch, sizeof *x * LINE);
    float *line_y = arena_alloc(scratch, sizeof *y * LINE);
    for (size_t i = 0; i < count; i++) {    // a stroke below the axis for each, and a gap
        x[3 * i] = x[3 * i + 1] = x[3 * i + 2] = (float)watched.points[i];
        y[3 * i] = -0.05f;
        y[3 * i + 1] = -0.25f;
        y[3 * i + 2] = NAN;
    }
    for (int i = 0; i < LINE; i++) {
        line_x[i] = (float)i / (LINE - 1);
        line_y[i] = (float)peak_value((double)line_x[i], &plain);
    }
    Plot plot = {
        .title = "Adaptive quadrature: function evaluations", .x_label = "x", .y_label = "f(x)"};
    plot_series(&plot, "f(x)", line_x, line_y, LINE);
    plot_series(&plot, arena_print(scratch, "the %zu evaluation points", count), x, y, 3 * count);
    run_plot(lab->run, &plot, "evaluations");
}

bool part_quadrature(void *argument, Error *err)
{
    (void)err;
    Experiment *lab = argument;
    Arena *scratch = lab->scratch;
    long evaluations = 0;
    Peak peak = {.center = 0.3, .width = 0.002, .evaluations = &evaluations};
    double want = peak_integral(&peak);
    float *sx = arena_alloc(scratch, sizeof *sx * SIMPSON_MAX);
    float *sy = arena_alloc(scratch, sizeof *sy * SIMPSON_MAX);
    float *ax = arena_alloc(scratch, sizeof *ax * ADAPTIVE_MAX);
    float *ay = arena_alloc(scratch, sizeof *ay * ADAPTIVE_MAX);
    run_print(lab->run, "A smooth curve with a peak %g wide; the integral from 0 to 1 is %.12f.",
              peak.width, want);
    Table table = table_new(scratch, "rule|function evaluations|error|tolerance");
    for (int i = 0; i < SIMPSON_MAX; i++) {
        evaluations = 0;
        double error = fabs(calc_simpson(peak_value, &peak, 0, 1, 2 << i) - want);
        sx[i] = (float)evaluations;
        sy[i] = (float)fmax(error, 1e-17);
        if (i % 3 == 1) table_row(&table, "Simpson|%ld|%.1e|", evaluations, error);
    }
    for (int i = 0; i < ADAPTIVE_MAX; i++) {
        evaluations = 0;
        double tolerance = pow(10, -2 - i);
        double error = fabs(calc_adaptive(peak_value, &peak, 0, 1, tolerance, DEPTH) - want);
        ax[i] = (float)evaluations;
        ay[i] = (float)fmax(error, 1e-17);
        if (i % 3 == 1)
            table_row(&table, "adaptive Simpson|%ld|%.1e|%.0e", evaluations, error, tolerance);
    }
    run_table(lab->run, &table);
    Plot plot = {.title = "Quadrature of a narrow peak",
                 .x_label = "function evaluations",
                 .y_label = "absolute error",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "Simpson, equal intervals", sx, sy, SIMPSON_MAX);
    plot_series(&plot, "adaptive Simpson", ax, ay, ADAPTIVE_MAX);
    run_plot(lab->run, &plot, "quadrature");
    draw_evaluations(lab, &peak, 1e-5);
    return true;
}
