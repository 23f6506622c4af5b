/* curves.h -- a quantity over many independent runs of an experiment: its mean and a 95 % interval.
 *
 *     static void episode_returns(const void *context, Rng *rng, Arena *scratch, double *y) { ... }
 *     Curve curve = curve_measure(lab->run, step, 7, runs, 500, episode_returns, &setting);
 *     curve_add(step, &plot, "SARSA", &curve, NULL, -100, 0);    // a line and its band
 *
 * Run i draws from a stream of its own, so that the curve is the same whatever the number of threads.
 */
#pragma once
#include "common/rng.h"
#include "common/run.h"

typedef struct Curve {
    int points;
    double *mean, *error;    // [points]: the mean over the runs, and its standard error
} Curve;

// One run: writes y [points]. scratch is empty again after it. It runs on several threads at a time.
typedef void CurveRun(const void *context, Rng *rng, Arena *scratch, double *y);

// `stream` tells apart what draws from the same seed; curves that share one have the same numbers drawn.
Curve curve_measure(const Run *run, Arena *arena, uint64_t stream, int runs, int points,
                    CurveRun *one, const void *context);

// x [points], or NULL for 1, 2, ...; what lies outside [low, high] is left out.
void curve_add(Arena *arena, Plot *plot, const char *name, const Curve *curve, const double *x,
               double low, double high);
