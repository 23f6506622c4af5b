/* plot.h -- lines, points, areas and bars, drawn by gnuplot from a CSV file that stays.
 *
 *     Plot plot = {.title = "Loss", .x_label = "step", .y_label = "squared error", .log_y = true};
 *     plot_series(&plot, "train", steps, train, count);
 *     plot_series(&plot, "test", steps, test, count);
 *     if (!plot_save(&plot, "out/autoencoder/loss", "svg", &err)) puts(err.message);
 *     // out/autoencoder/loss.csv, loss.gp (run it again with `gnuplot loss.gp`) and loss.svg
 *
 * A NaN in a line leaves a gap. Without gnuplot, or when it fails or hangs, the CSV is written all
 * the same and the message says where: a plot is never a reason to stop. Everything is borrowed
 * until plot_save() returns.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "common/error.h"

enum { PLOT_MAX_SERIES = 16 };

// For options_choice(): files beside the CSV, text on stdout as wide as the terminal, or the CSV only.
#define PLOT_FORMATS "svg|png|terminal|none"

typedef enum PlotShape {
    PLOT_LINE,
    PLOT_POINTS,
    PLOT_AREA,    // filled down to 0; painted in order, so that of a stack the tallest comes first
    PLOT_BARS,    // one at each x, filled down to 0
    PLOT_FRAMES,    // the same, empty: what bars before them are held against
    PLOT_LIMIT,     // a dashed line that others are held against
    PLOT_BAND       // what its points surround, pale, in the colour of the next series
} PlotShape;

typedef struct PlotSeries {
    const char *name;    // in the legend
    const float *x, *y;
    size_t count;
    PlotShape shape;
} PlotSeries;

typedef struct PlotTick {
    double at;
    const char *name;
} PlotTick;

// A word beside a point.
typedef struct PlotLabel {
    double x, y;
    const char *text;
} PlotLabel;

typedef struct Plot {
    const char *title, *x_label, *y_label;    // labels with their unit: "time [s]"; NULL for none
    bool log_x, log_y;
    bool points;    // plot_series() adds a dot for each pair rather than a line through them
    const PlotTick
        *ticks;    // of the x axis, instead of numbers, and where it ends; NULL for numbers
    int tick_count;
    const PlotLabel *labels;    // or NULL
    int label_count;
    int seconds;    // that gnuplot may take before it is ended; 0 means 20
    int count;
    PlotSeries series[PLOT_MAX_SERIES];
} Plot;

void plot_series(Plot *plot, const char *name, const float *x, const float *y, size_t count);
void plot_shape(Plot *plot, PlotShape shape, const char *name, const float *x, const float *y,
                size_t count);

// `path` has no ending; `format` is one of PLOT_FORMATS.
bool plot_save(const Plot *plot, const char *path, const char *format, Error *err);
