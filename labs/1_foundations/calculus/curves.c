#include "labs/1_foundations/calculus/curves.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include "labs/1_foundations/calculus/calculus.h"

// ---- slopes ----

static double wave(double x, const void *context)
{
    (void)context;
    return exp(x) * sin(x);
}

static double wave_slope(double x)
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

typedef struct Best {
    double step, error;
} Best;

static void keep_best(Best *best, double step, double error)
{
    if (error < best->error) *best = (Best){step, error};
}

enum { PER_DECADE = 12, STEPS = 16 * PER_DECADE };

typedef struct Vee {    // the error over the step, for both differences
    float h[STEPS], one[STEPS], two[STEPS];
    Best one_best, two_best;
} Vee;

static void measure_vee(Vee *vee, double x, double want)
{
    vee->one_best = vee->two_best = (Best){0, 1};
    for (int i = 0; i < STEPS; i++) {
        double size = pow(10, -(double)i / PER_DECADE);
        double forward = fabs((wave(x + size, NULL) - wave(x, NULL)) / size - want) / want;
        double central = fabs(calc_difference(wave, NULL, x, size) - want) / want;
        keep_best(&vee->one_best, size, forward);
        keep_best(&vee->two_best, size, central);
        vee->h[i] = (float)size;
        vee->one[i] = forward > 0 ? (float)forward : NAN;    // a logarithm has no place for 0
        vee->two[i] = central > 0 ? (float)central : NAN;
    }
}

void curves_slopes(Run *run, Arena *step)
{
    const double x = 1, want = wave_slope(x);
    Vee *vee = arena_alloc(step, sizeof *vee);
    measure_vee(vee, x, want);
    double predicted = calc_best_step(DBL_EPSILON / 2 * fabs(wave(x, NULL)), fabs(wave_third(x)));
    double there = fabs(calc_difference(wave, NULL, x, predicted) - want) / want;
    double dual = fabs(wave_dual(x).slope - want) / want;

    printf("\nSlopes: e^x sin x at x = 1 rises by %.12f\n", want);
    printf("  one-sided difference   best of %d steps %8.1e   relative error %8.1e\n", STEPS,
           vee->one_best.step, vee->one_best.error);
    printf("  central difference     best of %d steps %8.1e   relative error %8.1e\n", STEPS,
           vee->two_best.step, vee->two_best.error);
    printf("                           predicted step %8.1e   relative error %8.1e\n", predicted,
           there);
    printf("  dual numbers                      no step            relative error %8.1e\n", dual);
    metrics_write(run->metrics, 0,
                  METRICS({"predicted_step", predicted}, {"predicted_error", there},
                          {"central_best_error", vee->two_best.error}, {"dual_error", dual}));

    float dot[2] = {(float)predicted, (float)fmax(there, 1e-16)};
    Plot plot = {.title = "Smaller steps are better, until they are worse",
                 .x_label = "step h",
                 .y_label = "relative error of the slope",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "one-sided difference", vee->h, vee->one, STEPS);
    plot_series(&plot, "central difference", vee->h, vee->two, STEPS);
    plot_series(&plot, "predicted best step", &dot[0], &dot[1], 1);
    run_plot(run, &plot, "slopes");
}

// ---- Taylor polynomials ----

void curves_taylor(Run *run, Arena *step)
{
    enum { COUNT = 401, HIGHEST = 21 };
    static const int degrees[] = {1, 3, 5, 9, 13, HIGHEST};
    double derivative[HIGHEST + 1];    // of the sine at 0: 0, 1, 0, -1, and again
    for (int k = 0; k <= HIGHEST; k++) derivative[k] = k % 2 == 0 ? 0 : k % 4 == 1 ? 1 : -1;

    Plot plot = {.title = "The sine, known only by its derivatives at 0",
                 .x_label = "x",
                 .y_label = "polynomial (cut off beyond 2)"};
    float *x = arena_alloc(step, sizeof *x * COUNT),
          *sine = arena_alloc(step, sizeof *sine * COUNT);
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(-10 + 20.0 * i / (COUNT - 1));
        sine[i] = sinf(x[i]);
    }
    printf("\nTaylor: the sine from its derivatives at 0\n  error at  ");
    for (int d = 0; d < 6; d++) printf("  degree %2d", degrees[d]);
    for (int at = 1; at <= 9; at += 4) {
        printf("\n  x = %d     ", at);
        for (int d = 0; d < 6; d++)
            printf("  %9.1e", fabs(calc_taylor(derivative, degrees[d], at) - sin(at)));
    }
    printf("\n");
    for (int d = 0; d < 6; d++) {
        float *y = arena_alloc(step, sizeof *y * COUNT);
        for (int i = 0; i < COUNT; i++) {
            double value = calc_taylor(derivative, degrees[d], (double)x[i]);
            y[i] = fabs(value) <= 2 ? (float)value : NAN;
        }
        plot_series(&plot, arena_print(step, "degree %d", degrees[d]), x, y, COUNT);
    }
    plot_series(&plot, "sin x", x, sine, COUNT);
    run_plot(run, &plot, "taylor");
}

// ---- areas ----

enum { DEPTH = 40, SIMPSON_MAX = 14, ADAPTIVE_MAX = 12, SEEN_MAX = 100000 };

// A needle on a hill, and what it is asked for.
typedef struct Needle {
    double place, width;
    long *looks;
    double *seen;    // where it was asked for, or NULL; room for SEEN_MAX
} Needle;

static double needle(double x, const void *context)
{
    const Needle *n = context;
    if (n->seen != NULL && *n->looks < SEEN_MAX) n->seen[*n->looks] = x;
    (*n->looks)++;
    double away = (x - n->place) / n->width;
    return 1 / (1 + away * away) + 0.3 * sin(3 * x);
}

static double needle_area(const Needle *n)
{
    return n->width * (atan((1 - n->place) / n->width) + atan(n->place / n->width)) +
           0.1 * (1 - cos(3.0));
}

static void draw_looks(Run *run, Arena *step, const Needle *needle_of, double tolerance)
{
    enum { LINE = 2001 };
    long looks = 0;
    Needle watch = *needle_of;
    watch.looks = &looks;
    watch.seen = arena_alloc(step, sizeof(double) * SEEN_MAX);
    calc_adaptive(needle, &watch, 0, 1, tolerance, DEPTH);
    size_t count = (size_t)(looks < SEEN_MAX ? looks : SEEN_MAX);
    long quiet = 0;
    Needle plain = *needle_of;
    plain.looks = &quiet;
    float *x = arena_alloc(step, sizeof *x * 3 * count),
          *y = arena_alloc(step, sizeof *y * 3 * count),
          *line_x = arena_alloc(step, sizeof *x * LINE),
          *line_y = arena_alloc(step, sizeof *y * LINE);
    for (size_t i = 0; i < count; i++) {    // a stroke below the axis for each, and a gap
        x[3 * i] = x[3 * i + 1] = x[3 * i + 2] = (float)watch.seen[i];
        y[3 * i] = -0.05f;
        y[3 * i + 1] = -0.25f;
        y[3 * i + 2] = NAN;
    }
    for (int i = 0; i < LINE; i++) {
        line_x[i] = (float)i / (LINE - 1);
        line_y[i] = (float)needle((double)line_x[i], &plain);
    }
    Plot plot = {.title = "Where adaptive quadrature looked", .x_label = "x", .y_label = "f(x)"};
    plot_series(&plot, "the curve", line_x, line_y, LINE);
    plot_series(&plot, arena_print(step, "the %zu places where it was looked at", count), x, y,
                3 * count);
    run_plot(run, &plot, "looks");
}

void curves_quadrature(Run *run, Arena *step)
{
    long looks = 0;
    Needle of = {.place = 0.3, .width = 0.002, .looks = &looks};
    double want = needle_area(&of);
    float *sx = arena_alloc(step, sizeof *sx * SIMPSON_MAX),
          *sy = arena_alloc(step, sizeof *sy * SIMPSON_MAX),
          *ax = arena_alloc(step, sizeof *ax * ADAPTIVE_MAX),
          *ay = arena_alloc(step, sizeof *ay * ADAPTIVE_MAX);
    printf("\nAreas: a needle 0.002 wide on a hill; its area is %.12f\n", want);
    for (int i = 0; i < SIMPSON_MAX; i++) {
        looks = 0;
        double error = fabs(calc_simpson(needle, &of, 0, 1, 2 << i) - want);
        sx[i] = (float)looks;
        sy[i] = (float)fmax(error, 1e-17);
        if (i % 3 == 1) printf("  Simpson's rule   %6ld looks   error %8.1e\n", looks, error);
    }
    for (int i = 0; i < ADAPTIVE_MAX; i++) {
        looks = 0;
        double tolerance = pow(10, -2 - i);
        double error = fabs(calc_adaptive(needle, &of, 0, 1, tolerance, DEPTH) - want);
        ax[i] = (float)looks;
        ay[i] = (float)fmax(error, 1e-17);
        if (i % 3 == 1)
            printf("  adaptive         %6ld looks   error %8.1e   asked for %.0e\n", looks, error,
                   tolerance);
    }
    Plot plot = {.title = "The area under a needle",
                 .x_label = "looks at the curve",
                 .y_label = "error",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "Simpson's rule, equal pieces", sx, sy, SIMPSON_MAX);
    plot_series(&plot, "adaptive", ax, ay, ADAPTIVE_MAX);
    run_plot(run, &plot, "areas");
    draw_looks(run, step, &of, 1e-5);
}
