#include "common/plot.h"
#include "common/file.h"
#include "common/terminal.h"
#include "common/text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { DEFAULT_SECONDS = 20, TEXT_MAX = 1024 };

// Okabe & Ito 2008, which colour-blind readers can tell apart too, the pale yellow late; then two
// more. Points have shapes besides (gnuplot's numbers), so that ten digits remain ten.
static const struct {
    const char *colour;
    int shape;
} STYLES[] = {{"#0072B2", 7}, {"#D55E00", 5}, {"#009E73", 9}, {"#CC79A7", 11}, {"#E69F00", 13},
              {"#56B4E9", 6}, {"#000000", 4}, {"#F0E442", 7}, {"#8C510A", 10}, {"#999999", 12}};
enum { STYLE_COUNT = sizeof STYLES / sizeof *STYLES };

void plot_shape(Plot *plot, PlotShape shape, const char *name, const float *x, const float *y,
                size_t count)
{
    REQUIRE(plot->count < PLOT_MAX_SERIES, "no room for '%s' after %d series", name, plot->count);
    plot->series[plot->count++] = (PlotSeries){name, x, y, count, shape};
}

void plot_series(Plot *plot, const char *name, const float *x, const float *y, size_t count)
{
    plot_shape(plot, plot->points ? PLOT_POINTS : PLOT_LINE, name, x, y, count);
}

static void clean_into(char *clean, const char *text)
{
    snprintf(clean, TEXT_MAX, "%s", text != NULL ? text : "");
    text_clean(clean);
}

// A field of a CSV file, with quotes doubled.
static void write_field(FILE *stream, const char *text)
{
    char clean[TEXT_MAX];
    clean_into(clean, text);
    fputc('"', stream);
    for (const char *at = clean; *at != '\0'; at++) {
        if (*at == '"') fputc('"', stream);
        fputc(*at, stream);
    }
    fputc('"', stream);
}

// A string of gnuplot's. In single quotes it obeys nothing: no backquotes, no backslash, no @macro.
// An apostrophe is written as U+2019, because gnuplot 5.4 ends a string at two doubled ones in a row.
static void write_string(FILE *stream, const char *text, bool is_format)
{
    char clean[TEXT_MAX];
    clean_into(clean, text);
    fputc('\'', stream);
    for (const char *at = clean; *at != '\0'; at++) {
        if (*at == '\'') fputs("\u2019", stream);
        else if (*at == '%' && is_format) fputs("%%", stream);
        else fputc(*at, stream);
    }
    fputc('\'', stream);
}

static void write_number(FILE *stream, float value)
{
    if (isnan(value)) fputs("nan,", stream);    // and never "-nan"
    else fprintf(stream, "%.9g,", (double)value);
}

static bool write_csv(const Plot *plot, const char *path, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs("x,y,series\n", file.stream);    // the name last: gnuplot stumbles over a doubled quote
    for (int s = 0; s < plot->count; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) {
            write_number(file.stream, plot->series[s].x[i]);
            write_number(file.stream, plot->series[s].y[i]);
            write_field(file.stream, plot->series[s].name);
            fputc('\n', file.stream);
        }
    return file_commit(&file, err);
}

static void write_command(FILE *stream, const char *command, const char *text)
{
    fprintf(stream, "%s ", command);
    write_string(stream, text, false);
    fputc('\n', stream);
}

// Whether the legend is a list of point shapes, which needs more room.
static bool is_cloud(const Plot *plot)
{
    for (int s = 0; s < plot->count; s++)
        if (plot->series[s].shape != PLOT_POINTS) return false;
    return plot->count > 0;
}

static void write_style(FILE *stream, bool cloud, const char *format, const char *picture)
{
    if (strcmp(format, "terminal") == 0) {
        TerminalSize size = terminal_size(STDOUT_FILENO);
        fprintf(stream, "set terminal dumb noenhanced nofeed size %d,%d\nset key below\n",
                size.columns - 1, size.rows < 24 ? size.rows - 1 : 24);
        return;
    }
    fprintf(stream,
            "set terminal %s noenhanced size 800,500 font \"sans,13\" background rgb \"white\"\n",
            strcmp(format, "svg") == 0 ? "svg" : "pngcairo");
    write_command(stream, "set output", picture);
    // Never inside, where a curve may pass.
    fputs(cloud ? "set key outside right top reverse Left samplen 1\n"
                : "set key above left horizontal reverse Left samplen 2\n",
          stream);
    if (!cloud) fputs("set rmargin 5\n", stream);    // half of the last tick's name
    fputs("set style fill solid 0.85 noborder\nset boxwidth 0.7\n"
          "set border 3 linecolor rgb \"#666666\"\n"
          "set tics nomirror textcolor rgb \"#333333\"\n"
          "set grid linecolor rgb \"#DDDDDD\" linewidth 1 linetype 1\n",
          stream);
}

// Which of the styles: a band takes that of the series after it.
static int style_of(const Plot *plot, int index)
{
    int bands = 0;
    for (int s = 0; s < index; s++) bands += plot->series[s].shape == PLOT_BAND;
    return (index - bands) % STYLE_COUNT;
}

// `first` is the series' first row in the CSV.
static void write_series(FILE *stream, const Plot *plot, int index, const char *csv, size_t first)
{
    const PlotSeries *series = &plot->series[index];
    int style = style_of(plot, index);
    write_string(stream, csv, false);
    fprintf(stream, " using 1:2 every ::%zu::%zu ", first, first + series->count - 1);
    // A line through one point is not seen, nor where few points of a line are.
    bool marked =
        series->shape == PLOT_POINTS || (series->shape == PLOT_LINE && series->count < 20);
    switch (series->shape) {
    case PLOT_POINTS:
        fprintf(stream, "with points pointsize %s",
                series->count > 300 ? "0.5"
                : series->count > 2 ? "0.9"
                                    : "1.8");
        break;
    case PLOT_LINE:
        fputs(marked ? "with linespoints linewidth 2 pointsize 0.7" : "with lines linewidth 2",
              stream);
        break;
    case PLOT_AREA: fputs("with filledcurves y1=0", stream); break;
    case PLOT_BARS: fputs("with boxes", stream); break;
    case PLOT_FRAMES: fputs("with boxes fill empty border linewidth 1.5", stream); break;
    case PLOT_LIMIT: fputs("with lines linewidth 2 dashtype 2", stream); break;
    case PLOT_BAND:
        fputs("with filledcurves closed fill transparent solid 0.2 noborder", stream);
        break;
    }
    bool against = series->shape == PLOT_FRAMES || series->shape == PLOT_LIMIT;
    if (marked) fprintf(stream, " pointtype %d", STYLES[style].shape);
    fprintf(stream, " linecolor rgb \"%s\"", against ? "#333333" : STYLES[style].colour);
    if (series->shape == PLOT_BAND) {
        fputs(" notitle", stream);
        return;
    }
    fputs(" title ", stream);
    write_string(stream, series->name, false);
}

static bool has(const Plot *plot, PlotShape shape)
{
    for (int s = 0; s < plot->count; s++)
        if (plot->series[s].shape == shape) return true;
    return false;
}

// A filled shape is read by its area: it begins at 0. A bar is as wide as the way between two ticks.
static void write_ranges(FILE *stream, const Plot *plot)
{
    bool bars = has(plot, PLOT_BARS);
    if (bars || has(plot, PLOT_AREA)) fputs("set yrange [0:*]\n", stream);
    if (plot->tick_count == 0) return;
    double margin = bars ? 0.6 : 0, first = plot->ticks[0].at,
           last = plot->ticks[plot->tick_count - 1].at;
    if (bars || last > first)
        fprintf(stream, "set xrange [%.9g:%.9g]\n", first - margin, last + margin);
}

static void write_ticks(FILE *stream, const Plot *plot)
{
    const char *before = "(";
    fputs(plot->tick_count > 10 ? "set xtics rotate by 40 right " : "set xtics ", stream);
    for (int t = 0; t < plot->tick_count; t++) {
        fputs(before, stream);
        // The name of a tick is a format: %g would be where it stands.
        write_string(stream, plot->ticks[t].name, true);
        fprintf(stream, " %.9g", plot->ticks[t].at);
        before = ", ";
    }
    fputs(")\n", stream);
}

static void write_labels(FILE *stream, const Plot *plot)
{
    for (int l = 0; l < plot->label_count; l++) {
        fputs("set label ", stream);
        write_string(stream, plot->labels[l].text, false);
        fprintf(stream,
                " at %.9g,%.9g left offset 0.8,0.3 font \",10\" textcolor rgb \"#333333\"\n",
                plot->labels[l].x, plot->labels[l].y);
    }
}

// The files are named relative to the script's folder, in which gnuplot runs.
static bool write_script(const Plot *plot, const char *path, const char *format, const char *csv,
                         const char *picture, Error *err)
{
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs("set datafile separator comma\n", file.stream);
    write_style(file.stream, is_cloud(plot), format, picture);
    write_command(file.stream, "set title", plot->title);
    write_command(file.stream, "set xlabel", plot->x_label);
    write_command(file.stream, "set ylabel", plot->y_label);
    write_ranges(file.stream, plot);
    if (plot->tick_count > 0) write_ticks(file.stream, plot);
    if (plot->log_x) fputs("set logscale x\n", file.stream);
    if (plot->log_y) fputs("set logscale y\n", file.stream);
    write_labels(file.stream, plot);
    size_t row = 1;    // 0 is the CSV's heading
    const char *before = "plot ";
    for (int s = 0; s < plot->count; row += plot->series[s++].count) {
        bool drawn = plot->series[s].shape != PLOT_BAND || strcmp(format, "terminal") != 0;
        if (plot->series[s].count == 0 || !drawn) continue;    // letters cannot be pale
        fputs(before, file.stream);
        write_series(file.stream, plot, s, csv, row);
        before = ", \\\n     ";
    }
    fputc('\n', file.stream);
    return file_commit(&file, err);
}

// Waits, but not for ever: what has not ended in time is killed.
static bool wait_for(pid_t child, int seconds, int *status)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    for (long tick = 0; tick < seconds * 200L; tick++) {
        if (waitpid(child, status, WNOHANG) == child) return true;
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, status, 0);
    return false;
}

// Runs in `folder`, silent but for what the terminal format shows on stdout.
static bool run_gnuplot(const char *folder, const char *script, bool shows, int seconds, Error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!shows) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    fflush(stdout);
    pid_t child;
    int status = 0;
    int failed = posix_spawnp(&child, "gnuplot", &actions, NULL,
                              (char *[]){(char[]){"gnuplot"}, (char *)script, NULL}, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) return error_set(err, "gnuplot is not installed");
    if (failed != 0) return error_set(err, "gnuplot cannot be started: %s", strerror(failed));
    if (!wait_for(child, seconds, &status))
        return error_set(err, "gnuplot took more than %d seconds", seconds);
    if (status != 0)
        return error_set(err, "gnuplot failed; `cd %s && gnuplot %s` shows why", folder, script);
    return true;
}

// On a full disk gnuplot writes what there is room for, and ends as if that were all.
static bool check_whole(const char *picture, const char *format, Error *err)
{
    char end[16] = "";
    const char *last = strcmp(format, "svg") == 0 ? "</svg>" : "IEND";
    FILE *file = file_open(picture, err);
    if (file == NULL) return false;
    bool read = fseek(file, -(long)sizeof end, SEEK_END) == 0 &&
                fread(end, 1, sizeof end, file) == sizeof end;
    fclose(file);
    if (read && memmem(end, sizeof end, last, strlen(last)) != NULL) return true;
    return error_set(err, "%s: gnuplot wrote only a part of it; is the disk full?", picture);
}

bool plot_save(const Plot *plot, const char *path, const char *format, Error *err)
{
    char csv[PATH_MAX], script[PATH_MAX], picture[PATH_MAX], folder[PATH_MAX];
    if (strlen(path) + 16 > PATH_MAX) return error_set(err, "%.80s...: the path is too long", path);
    snprintf(csv, sizeof csv, "%s.csv", path);
    snprintf(script, sizeof script, "%s.gp", path);
    snprintf(picture, sizeof picture, "%s.%s", path, format);
    const char *slash = strrchr(path, '/');
    int names = slash ? (int)(slash - path) + 1 : 0;    // where the file names begin
    snprintf(folder, sizeof folder, "%.*s", slash ? names : 1, slash ? path : ".");

    if (!write_csv(plot, csv, err)) return false;
    if (strcmp(format, "none") == 0) return true;
    size_t points = 0;
    for (int s = 0; s < plot->count; s++) points += plot->series[s].count;
    if (points == 0) return error_set(err, "%s: there are no points to draw", csv);
    if (!write_script(plot, script, format, csv + names, picture + names, err)) return false;
    bool shows = strcmp(format, "terminal") == 0;
    int seconds = plot->seconds > 0 ? plot->seconds : DEFAULT_SECONDS;
    if (run_gnuplot(folder, script + names, shows, seconds, err) &&
        (shows || check_whole(picture, format, err)))
        return true;
    unlink(picture);    // half of one, perhaps
    return error_wrap(err, "the numbers are in %s without a plot", csv);
}
