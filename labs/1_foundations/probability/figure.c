#include "labs/1_foundations/probability/figure.h"

enum { CURVE_POINTS = 301 };

Line line_new(Arena *arena, size_t room)
{
    return (Line){arena_alloc(arena, room * sizeof(float)),
                  arena_alloc(arena, room * sizeof(float)), 0};
}

void line_add(Line *line, double x, double y)
{
    line->x[line->count] = (float)x;
    line->y[line->count++] = (float)y;
}

Line figure_histogram(Arena *arena, const double *x, size_t n, double from, double to, int bins)
{
    Line line = line_new(arena, 2 * (size_t)bins + 2);
    double width = (to - from) / bins;
    int *counts = arena_zeros(arena, (size_t)bins * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        if (x[i] >= from && x[i] < to) {
            int bin = (int)((x[i] - from) / width);
            counts[bin < bins ? bin : bins - 1]++;
        }
    line_add(&line, from, 0);
    for (int b = 0; b < bins; b++) {
        double height = counts[b] / ((double)n * width);
        line_add(&line, from + b * width, height);
        line_add(&line, from + (b + 1) * width, height);
    }
    line_add(&line, to, 0);
    return line;
}

Line figure_curve(Arena *arena, PrFunction *f, const void *context, double from, double to)
{
    Line line = line_new(arena, CURVE_POINTS);
    for (int i = 0; i < CURVE_POINTS; i++) {
        double x = from + (to - from) * i / (CURVE_POINTS - 1);
        line_add(&line, x, f(x, context));
    }
    return line;
}

void figure_add(Plot *plot, const char *name, Line line)
{
    plot_series(plot, name, line.x, line.y, line.count);
}

void figure_add_exact(Plot *plot, const char *name, Line line)
{
    plot_shape(plot, PLOT_LIMIT, name, line.x, line.y, line.count);
}
