/* figure.h -- lines for plots, made from functions, from numbers, and from samples.
 *
 *     Plot plot = {.title = "Waiting times", .x_label = "minutes"};
 *     figure_add(&plot, "sample", figure_histogram(arena, x, n, 0, 8, 40));
 *     figure_add(&plot, "density", figure_curve(arena, density, &rate, 0, 8));
 *     run_plot(run, &plot, "waiting");
 */
#pragma once
#include "common/arena.h"
#include "common/plot.h"
#include "labs/1_foundations/probability/probability.h"

typedef struct Line {
    float *x, *y;
    size_t count;
} Line;

Line line_new(Arena *arena, size_t room);         // empty
void line_add(Line *line, double x, double y);    // appends a point; NaN leaves a gap

// The histogram of a sample, scaled so that its area is the share that lies in [from, to).
Line figure_histogram(Arena *arena, const double *x, size_t n, double from, double to, int bins);
Line figure_curve(Arena *arena, PrFunction *f, const void *context, double from, double to);
void figure_add(Plot *plot, const char *name, Line line);
void figure_add_exact(Plot *plot, const char *name,
                      Line line);    // dashed: what samples should match
