#include "labs/2_core/mdp/curves.h"
#include <math.h>
#include <omp.h>

static void measure_one(const Run *run, uint64_t stream, int index, CurveRun *one,
                        const void *context, Arena *scratch, double *y)
{
    Rng rng = rng_stream(run->seed, stream << 32 | (uint64_t)index);
    one(context, &rng, scratch, y);
    arena_reset(scratch);
}

Curve curve_measure(const Run *run, Arena *arena, uint64_t stream, int runs, int points,
                    CurveRun *one, const void *context)
{
    size_t width = (size_t)points;
    double *all = arena_zeros(arena, (size_t)runs * width * sizeof *all);    // [runs,points]
    // The first by itself: what is not written yet, or crashes, does so on the program's own thread.
    Arena *first = arena_new("run", (size_t)64 << 20);
    measure_one(run, stream, 0, one, context, first, all);
    arena_free(first);
#pragma omp parallel num_threads(run->threads)
    {
        Arena *scratch = arena_new("run", (size_t)64 << 20);
#pragma omp for schedule(dynamic)
        for (int r = 1; r < runs; r++)
            if (!run_interrupted(run))
                measure_one(run, stream, r, one, context, scratch, all + (size_t)r * width);
        arena_free(scratch);
    }
    Curve curve = {.points = points,
                   .mean = arena_zeros(arena, width * sizeof(double)),
                   .error = arena_zeros(arena, width * sizeof(double))};
    for (size_t p = 0; p < width; p++) {
        double squares = 0;
        for (int r = 0; r < runs; r++) curve.mean[p] += all[(size_t)r * width + p] / runs;
        for (int r = 0; r < runs; r++)
            squares += pow(all[(size_t)r * width + p] - curve.mean[p], 2);
        if (runs > 1) curve.error[p] = sqrt(squares / (runs - 1) / runs);
    }
    return curve;
}

void curve_add(Arena *arena, Plot *plot, const char *name, const Curve *curve, const double *x,
               double low, double high)
{
    size_t n = (size_t)curve->points, edge = 0;
    float *at = arena_alloc(arena, n * sizeof *at), *mean = arena_alloc(arena, n * sizeof *mean);
    float *band_x = arena_alloc(arena, 2 * n * sizeof *band_x);    // along above, back below
    float *band_y = arena_alloc(arena, 2 * n * sizeof *band_y);
    for (size_t p = 0; p < n; p++) {
        bool inside = curve->mean[p] >= low && curve->mean[p] <= high;
        at[p] = x != NULL ? (float)x[p] : (float)(p + 1);
        mean[p] = inside ? (float)curve->mean[p] : NAN;
    }
    for (size_t i = 0; i < 2 * n; i++) {
        size_t p = i < n ? i : 2 * n - 1 - i;
        double y = curve->mean[p] + (i < n ? 1.96 : -1.96) * curve->error[p];
        if (isnan(mean[p])) continue;
        band_x[edge] = at[p];
        band_y[edge++] = (float)fmin(high, fmax(low, y));
    }
    plot_shape(plot, PLOT_BAND, arena_print(arena, "%s, 95 %% interval", name), band_x, band_y,
               edge);
    plot_series(plot, name, at, mean, n);
}
