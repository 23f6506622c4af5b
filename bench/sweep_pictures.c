#include "bench/sweep_pictures.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "common/file.h"
#include "common/plot.h"
#include "common/report.h"

enum { LABELS_MAX = 24, CURVES_MAX = 10 };

// ---- what the rows say ----

const SweepRow *sweep_largest(const Sweep *sweep, const Subject *subject)
{
    const SweepRow *largest = NULL;
    for (int i = 0; i < sweep->count; i++)
        if (sweep->rows[i].subject == subject) largest = &sweep->rows[i];
    return largest;
}

static bool is_largest(const Sweep *sweep, const SweepRow *row)
{
    return sweep_largest(sweep, row->subject) == row;
}

Crossing sweep_crossing(const Sweep *sweep, const Subject *subject, int d, bool transfers)
{
    double sizes[WORK_SIZES], ratios[WORK_SIZES];
    int count = 0;
    for (int i = 0; i < sweep->count; i++) {
        const SweepRow *row = &sweep->rows[i];
        const double ratio = transfers ? row->faster_with_transfers[d] : row->faster[d];
        if (row->subject != subject || ratio <= 0) continue;
        sizes[count] = row->n;
        ratios[count++] = ratio;
    }
    return crossing_of(sizes, ratios, count);
}

static bool is_kernel(const SweepRow *row)
{
    return strcmp(row->subject->kind, "kernel") == 0;
}

// A device's name in a file's: "cuda:0" is cuda-0.
static const char *file_word(Arena *keep, const char *name)
{
    char *word = arena_print(keep, "%s", name);
    for (char *at = word; *at != '\0'; at++)
        if (*at == ':') *at = '-';
    return word;
}

static const char *meaningless(const SweepDevice *on)
{
    return on->emulated ? " (emulated: times mean nothing)" : "";
}

// ---- drawn ----

typedef struct Show {
    const Sweep *sweep;
    Report *report;
    const char *folder, *format;
} Show;

static void draw(const Show *show, const Plot *plot, const char *title, const char *name)
{
    Error err;
    Arena *keep = show->sweep->keep;
    const char *path = arena_print(keep, "%s/%s", show->folder, name);
    if (strcmp(show->format, "none") != 0 && strcmp(show->format, "terminal") != 0 &&
        plot_save(plot, path, show->format, &err)) {
        const char *file = arena_print(keep, "%s.%s", path, show->format);
        printf("%s: %s\n", title, file_shown(keep, file));
        report_file(show->report, title, file);
    } else if (strcmp(show->format, "svg") == 0 || strcmp(show->format, "png") == 0)
        printf("%s: no picture: %s\n", title, err.message);
    else plot_save(plot, path, show->format, &err);
}

// ---- roofline ----

static const char *const families[SIZE_KINDS] = {
    [SIZE_ELEMENTS] = "elements", [SIZE_ROWS] = "rows",     [SIZE_SQUARE] = "matrix product",
    [SIZE_IMAGES] = "images",     [SIZE_TOKENS] = "tokens", [SIZE_BATCH] = "layers",
};

typedef struct Point {
    const SweepRow *row;
    float x, y;    // FLOPs a byte, GFLOP/s
    double share;
    SizeKind family;
} Point;

// Kernels that compute, at their largest size.
static int points_of(const Sweep *sweep, int d, Point *points)
{
    int count = 0;
    for (int i = 0; i < sweep->count; i++) {
        const SweepRow *row = &sweep->rows[i];
        if (!is_kernel(row) || row->flops == 0 || !is_largest(sweep, row)) continue;
        points[count++] = (Point){
            row, (float)(row->flops / row->bytes), (float)(1e-9 * row->flops / row->seconds[d]),
            sweep_share(sweep, row, d), ((const KernelWork *)row->subject->what)->size};
    }
    return count;
}

// Whether a word there would lie on another.
static bool is_crowded(const PlotLabel *labels, int count, const Point *point)
{
    for (int i = 0; i < count; i++)
        if (fabs(log10(labels[i].y / (double)point->y)) < 0.2 &&
            fabs(log10(labels[i].x / (double)point->x)) < 1.3)
            return true;
    return false;
}

// Names the points that are farthest below the roof, then, where there is room, the others.
static int name_points(Arena *keep, const Point *points, int count, PlotLabel *labels)
{
    bool named[SWEEP_ROWS] = {false};
    int label_count = 0;
    for (int turn = 0; turn < count && label_count < LABELS_MAX; turn++) {
        int lowest = 0;
        while (named[lowest]) lowest++;
        for (int i = lowest + 1; i < count; i++)
            if (!named[i] && points[i].share < points[lowest].share) lowest = i;
        named[lowest] = true;
        const Point *point = &points[lowest];
        if (!is_crowded(labels, label_count, point))
            labels[label_count++] = (PlotLabel){(double)point->x, (double)point->y,
                                                subject_title(keep, point->row->subject)};
    }
    return label_count;
}

static void draw_roofline(const Show *show, int d)
{
    const Sweep *sweep = show->sweep;
    Arena *keep = sweep->keep;
    const SweepDevice *on = &sweep->devices[d];
    Point *points = arena_alloc(keep, SWEEP_ROWS * sizeof *points);
    const int count = points_of(sweep, d, points);
    if (count == 0) return;
    float least = INFINITY, most = 0;
    for (int i = 0; i < count; i++)
        least = fminf(least, points[i].x), most = fmaxf(most, points[i].x);
    const float ridge = (float)limits_ridge(on->limits), peak = (float)on->limits.gflops;
    const float first = 0.7f * fminf(least, ridge), last = 2 * fmaxf(most, ridge);
    const float roof_x[] = {first, ridge, last}, roof_y[] = {first * peak / ridge, peak, peak};
    PlotLabel labels[LABELS_MAX];
    Plot plot = {.title = arena_print(
                     keep,
                     "Roofline of %s: %.4g GFLOP/s, %.3g GB/s; kernels at their largest size%s",
                     on->name, on->limits.gflops, on->limits.copy_gbs, meaningless(on)),
                 .x_label = "arithmetic intensity [FLOPs per byte read or written]",
                 .y_label = "GFLOP/s",
                 .log_x = true,
                 .log_y = true,
                 .labels = labels,
                 .label_count = name_points(keep, points, count, labels)};
    for (int family = 0; family < SIZE_KINDS; family++) {
        float *x = arena_alloc(keep, (size_t)count * sizeof *x),
              *y = arena_alloc(keep, (size_t)count * sizeof *y);
        size_t members = 0;
        for (int i = 0; i < count; i++)
            if (points[i].family == (SizeKind)family)
                x[members] = points[i].x, y[members++] = points[i].y;
        if (members > 0) plot_shape(&plot, PLOT_POINTS, families[family], x, y, members);
    }
    plot_shape(&plot, PLOT_LIMIT, "limit, measured", roof_x, roof_y, 3);
    draw(show, &plot, plot.title, arena_print(keep, "roofline-%s", file_word(keep, on->name)));
    report_notice(
        show->report, "the dashed line",
        "no kernel can be above it while its operands come from memory: on its slope memory is the "
        "limit, where it is flat the multiply-add units. A point above the slope had its operands "
        "in "
        "a cache. Kernels that compute nothing (fill, embedding, paged_write, paged_copy) have no "
        "place here.");
}

// ---- crossing ----

// Of kernels those that show the range, where they were timed; else what was.
static bool is_shown(const Sweep *sweep, const Subject *subject)
{
    static const char *const names[] = {"matmul",    "conv2d",     "attention", "softmax_rows",
                                        "add",       "layer_norm", "adam_step", "row_product",
                                        "embedding", "lstm_gates"};
    int subjects = 0;
    for (int i = 0; i < sweep->count; i++)
        subjects += is_kernel(&sweep->rows[i]) && is_largest(sweep, &sweep->rows[i]);
    if (subjects <= CURVES_MAX) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(subject->name, names[i]) == 0 && strcmp(subject->form, "q8_0") != 0) return true;
    return false;
}

static void draw_crossing(const Show *show, int d, bool of_kernels, bool transfers)
{
    const Sweep *sweep = show->sweep;
    Arena *keep = sweep->keep;
    const char *first = sweep->devices[0].name, *name = sweep->devices[d].name;
    Plot plot = {.title = arena_print(
                     keep, "%s: %s over %s, %s transfers%s", of_kernels ? "Kernels" : "Loops", name,
                     first, transfers ? "with" : "without", meaningless(&sweep->devices[d])),
                 .x_label = of_kernels ? "bytes read and written by a call [KB]"
                                       : "images or tokens of a step",
                 .y_label = arena_print(keep, "times as fast as %s", first),
                 .log_x = true,
                 .log_y = true};
    float least = INFINITY, most = 0;
    for (int i = 0; i < sweep->count && plot.count < PLOT_MAX_SERIES - 1; i++) {
        const SweepRow *row = &sweep->rows[i];
        if (is_kernel(row) != of_kernels || !is_largest(sweep, row) ||
            (of_kernels && !is_shown(sweep, row->subject)))
            continue;
        float *x = arena_alloc(keep, WORK_SIZES * sizeof *x),
              *y = arena_alloc(keep, WORK_SIZES * sizeof *y);
        size_t count = 0;
        for (int j = 0; j < sweep->count; j++) {
            const SweepRow *other = &sweep->rows[j];
            const double ratio = transfers ? other->faster_with_transfers[d] : other->faster[d];
            if (other->subject != row->subject || ratio <= 0) continue;
            x[count] = of_kernels ? (float)(1e-3 * other->bytes) : (float)other->n;
            least = fminf(least, x[count]), most = fmaxf(most, x[count]);
            y[count++] = (float)ratio;
        }
        if (count > 0) plot_shape(&plot, PLOT_LINE, subject_title(keep, row->subject), x, y, count);
    }
    if (plot.count == 0) return;
    const float even_x[] = {least, most}, even_y[] = {1, 1};
    plot_shape(&plot, PLOT_LIMIT, "equally fast", even_x, even_y, 2);
    draw(show, &plot, plot.title,
         arena_print(keep, "crossing-%s-%s%s", of_kernels ? "kernels" : "loops",
                     file_word(keep, name), transfers ? "-with-transfers" : ""));
    report_notice(show->report, "where a curve crosses the dashed line",
                  "from that size on the device is worth its use; to the left the launch costs "
                  "more than the work");
}

// ---- tables of the page ----

static void show_tables(const Show *show)
{
    const Sweep *sweep = show->sweep;
    Arena *keep = sweep->keep;
    for (int d = 0; d < sweep->device_count; d++) {
        const SweepDevice *on = &sweep->devices[d];
        Table table = table_new(keep, "what|n|time [us]|GFLOP/s|GB/s|of the limit [%]|bound by");
        for (int i = 0; i < sweep->count; i++) {
            const SweepRow *row = &sweep->rows[i];
            if (!is_largest(sweep, row)) continue;
            table_row(&table, "%s|%d|%.2f|%.4g|%.4g|%.0f|%s", subject_title(keep, row->subject),
                      row->n, 1e6 * row->seconds[d], 1e-9 * row->flops / row->seconds[d],
                      1e-9 * row->bytes / row->seconds[d], 100 * sweep_share(sweep, row, d),
                      limits_bound(on->limits, row->flops, row->bytes));
        }
        report_heading(show->report, arena_print(keep, "At the largest size, on %s", on->name));
        report_text(show->report,
                    arena_print(keep, "%s: %.5g GFLOP/s, %.4g GB/s measured%s", on->what,
                                on->limits.gflops, on->limits.copy_gbs, meaningless(on)));
        report_table(show->report, &table);
    }
}

static void show_crossings(const Show *show, int d)
{
    const Sweep *sweep = show->sweep;
    Arena *keep = sweep->keep;
    Table table = table_new(keep, "what|unit|faster from|with transfers");
    for (int i = 0; i < sweep->count; i++) {
        const SweepRow *row = &sweep->rows[i];
        if (!is_largest(sweep, row)) continue;
        table_row(&table, "%s|%s|%s|%s", subject_title(keep, row->subject), row->subject->unit,
                  crossing_text(keep, sweep_crossing(sweep, row->subject, d, false)),
                  crossing_text(keep, sweep_crossing(sweep, row->subject, d, true)));
    }
    const char *title =
        arena_print(keep, "From which size on %s is faster than %s%s", sweep->devices[d].name,
                    sweep->devices[0].name, meaningless(&sweep->devices[d]));
    printf("\n%s\n", title);
    table_print(&table, 2, stdout);
    report_heading(show->report, title);
    report_table(show->report, &table);
}

void sweep_show(const Sweep *sweep, const char *folder, const char *format, const char *command)
{
    Error err;
    if (sweep->count == 0) return;
    if (!file_make_folder(folder, &err)) {
        error_report(&err);
        return;
    }
    Arena *keep = sweep->keep;
    const char *page = arena_print(keep, "%s/report.html", folder);
    Show show = {sweep, report_new(page, "bench", "kernels and loops on each device", command),
                 folder, format};
    report_heading(show.report, "Kernels beside the limit of their device");
    for (int d = 1; d < sweep->device_count; d++) show_crossings(&show, d);
    putchar('\n');
    for (int d = 0; d < sweep->device_count; d++) draw_roofline(&show, d);
    for (int d = 1; d < sweep->device_count; d++)
        for (int i = 0; i < 4; i++) draw_crossing(&show, d, i < 2, i % 2 == 1);
    show_tables(&show);
    if (!report_end(show.report, "Finished.", &err)) error_report(&err);
    else printf("All on one page: %s\n", file_shown(keep, page));
}
