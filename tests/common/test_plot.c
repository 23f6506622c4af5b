/* Plots: the CSV is always there; gnuplot draws from it, or is missing, fails or hangs. */
#include "common/plot.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/skip.h"

static char folder[] = "/tmp/test_plot_XXXXXX", base[64], *real_path;
static float ones[] = {1.0f, 2.0f, 3.0f}, twos[] = {0.1f, NAN, 4.0f};

static const char *beside(const char *ending)
{
    static char text[80];
    snprintf(text, sizeof text, "%s%s", base, ending);
    return text;
}

static const char *in_folder(const char *name)
{
    static char text[80];
    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static int make_folder(void **state)
{
    (void)state;
    real_path = strdup(getenv("PATH"));
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(base, sizeof base, "%s/loss", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    free(real_path);
    unlink(beside(".csv"));
    unlink(beside(".gp"));
    unlink(beside(".svg"));
    unlink(beside(".png"));
    return rmdir(folder);    // fails when anything else was left behind
}

static int restore_path(void **state)
{
    (void)state;
    char fake[80];
    snprintf(fake, sizeof fake, "%s/gnuplot", folder);
    unlink(fake);
    return setenv("PATH", real_path, 1);
}

// From here on, gnuplot is this shell script.
static void replace_gnuplot(const char *script)
{
    char fake[80], search[512];
    snprintf(fake, sizeof fake, "%s/gnuplot", folder);
    FILE *file = fopen(fake, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    assert_int_equal(chmod(fake, 0755), 0);
    snprintf(search, sizeof search, "%s:%s", folder, real_path);
    setenv("PATH", search, 1);
}

static const char *content(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("%s is not there", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static Plot some_plot(void)
{
    Plot plot = {.title = "Loss of a \"model\"",
                 .x_label = "step",
                 .y_label = "squared error",
                 .log_y = true,
                 .seconds = 1};
    plot_series(&plot, "train_loss", ones, twos, 3);
    plot_series(&plot, "nothing yet", NULL, NULL, 0);
    plot_series(&plot, "test, \"clean\"", ones, ones, 2);
    return plot;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void the_csv_holds_every_point(void **state)
{
    (void)state;
    Plot plot = some_plot();
    Error err = {""};
    assert_true(plot_save(&plot, base, "none", &err));
    assert_string_equal(content(beside(".csv")), "x,y,series\n"
                                                 "1,0.100000001,\"train_loss\"\n"
                                                 "2,nan,\"train_loss\"\n"
                                                 "3,4,\"train_loss\"\n"
                                                 "1,1,\"test, \"\"clean\"\"\"\n"
                                                 "2,2,\"test, \"\"clean\"\"\"\n");
    assert_int_not_equal(access(beside(".gp"), F_OK), 0);
}

static void the_script_names_each_series_and_its_rows(void **state)
{
    (void)state;
    replace_gnuplot("echo '<svg> drawn </svg>' > loss.svg");
    Plot plot = some_plot();
    Error err = {""};
    assert_true(plot_save(&plot, base, "svg", &err));
    const char *script = content(beside(".gp"));
    const char *parts[] = {"set output 'loss.svg'",  "set title 'Loss of a \"model\"'",
                           "set xlabel 'step'",      "set ylabel 'squared error'",
                           "set logscale y",         "'loss.csv' using 1:2 every ::1::3 with lines",
                           "title 'train_loss'",     "every ::4::5",
                           "title 'test, \"clean\"'"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(script, parts[i]);
    assert_null(strstr(script, "logscale x"));
    assert_null(strstr(script, "nothing yet"));
}

static void areas_bars_and_limits_are_drawn_as_such(void **state)
{
    (void)state;
    replace_gnuplot("echo '<svg> drawn </svg>' > loss.svg");
    const PlotTick ticks[] = {{1, "1K"}, {2, "\"2K\""}};
    Plot plot = {.title = "memory", .ticks = ticks, .tick_count = 2, .seconds = 1};
    Error err = {""};
    plot_shape(&plot, PLOT_AREA, "cache", ones, twos, 3);
    plot_shape(&plot, PLOT_BARS, "need", ones, twos, 3);
    plot_shape(&plot, PLOT_LIMIT, "GPU", ones, ones, 2);
    plot_shape(&plot, PLOT_POINTS, "here", ones, ones, 1);
    assert_true(plot_save(&plot, base, "svg", &err));
    const char *script = content(beside(".gp"));
    const char *parts[] = {
        "set xtics ('1K' 1, '\"2K\"' 2)", "every ::1::3 with filledcurves y1=0 ",
        "every ::4::6 with boxes ",       "set yrange [0:*]",
        "set xrange [0.4:2.6]",           "every ::7::8 with lines linewidth 2 dashtype 2",
        "every ::9::9 with points "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(script, parts[i]);
}

static void a_band_has_the_colour_of_the_next_series_and_no_title(void **state)
{
    (void)state;
    replace_gnuplot("echo '<svg> drawn </svg>' > loss.svg");
    Plot plot = {.title = "bands", .seconds = 1};
    Error err = {""};
    plot_shape(&plot, PLOT_BAND, "one, 95 % interval", ones, twos, 3);
    plot_series(&plot, "one", ones, ones, 3);
    plot_shape(&plot, PLOT_BAND, "two, 95 % interval", ones, twos, 3);
    plot_series(&plot, "two", ones, ones, 3);
    assert_true(plot_save(&plot, base, "svg", &err));
    const char *script = content(beside(".gp"));
    const char *const colours[] = {"#0072B2", "#D55E00"};
    for (int i = 0; i < 2; i++) {
        char band[160], line[160];
        snprintf(band, sizeof band,
                 "every ::%d::%d with filledcurves closed fill transparent solid 0.2 noborder "
                 "linecolor rgb \"%s\" notitle",
                 6 * i + 1, 6 * i + 3, colours[i]);
        snprintf(line, sizeof line, "linecolor rgb \"%s\" title '%s'", colours[i],
                 i == 0 ? "one" : "two");
        assert_has(script, band);
        assert_has(script, line);
    }
    assert_true(plot_save(&plot, base, "terminal", &err));    // letters cannot be pale
    assert_null(strstr(content(beside(".gp")), "closed"));
}

static void gnuplot_draws_what_the_script_says(void **state)
{
    (void)state;
    Plot plot = some_plot();
    Error err = {""};
    plot.seconds = 60;
    if (!plot_save(&plot, base, "svg", &err)) {
        if (strstr(err.message, "not installed")) SKIP("no gnuplot", "./lab setup");
        fail_msg("%s", err.message);
    }
    const char *parts[] = {"<svg", "Loss of a", "train_loss", "squared error", "</svg>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_has(content(beside(".svg")), parts[i]);
    plot.points = true;
    if (!plot_save(&plot, base, "png", &err)) fail_msg("%s", err.message);
    assert_memory_equal(content(beside(".png")), "\x89PNG\r\n\x1a\n", 8);
}

// Each of these was once a way to have gnuplot run a command, read a file or lay out text.
static const char HOSTILE[] =
    "a`touch pwned`b'c''d\"e\\f$g!h@i{j}k^l_m%d%n\n!touch pwned\r\033[31m\xff\\";

static void text_is_data_in_every_place(void **state)
{
    (void)state;
    const PlotTick ticks[] = {{1, HOSTILE}, {2, "'"}};
    Plot plot = {.title = HOSTILE,
                 .x_label = HOSTILE,
                 .y_label = HOSTILE,
                 .ticks = ticks,
                 .tick_count = 2,
                 .seconds = 60};
    Error err = {""};
    plot_series(&plot, HOSTILE, ones, ones, 3);
    const char *formats[] = {"png", "terminal", "svg"};
    for (int f = 0; f < 3; f++) {
        if (!plot_save(&plot, base, formats[f], &err)) {
            if (strstr(err.message, "not installed")) SKIP("no gnuplot", "./lab setup");
            fail_msg("%s", err.message);
        }
        assert_int_not_equal(access(in_folder("pwned"), F_OK), 0);
        const char *script = content(beside(".gp"));
        assert_has(
            script,
            "'a`touch pwned`b\u2019c\u2019\u2019d\"e\\f$g!h@i{j}k^l_m%d%n?!touch pwned??[31m?\\'");
        assert_has(script, "k^l_m%%d%%n?!touch");    // the tick's
        assert_null(strchr(script, '\033'));
        assert_null(strstr(script, "\n!"));
    }
    const char *drawn[] = {"a`touch pwned`b", "d\"e\\f$g!h@i{j}k^l_m%d%n?!touch pwned??[31m?\\"};
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        assert_has(content(beside(".svg")), drawn[i]);
}

static void without_gnuplot_the_numbers_are_there(void **state)
{
    (void)state;
    Plot plot = some_plot();
    Error err = {""};
    setenv("PATH", "/nowhere", 1);
    assert_false(plot_save(&plot, base, "svg", &err));
    assert_has(err.message, "loss.csv without a plot: gnuplot is not installed");
    assert_has(content(beside(".csv")), "3,4,\"train_loss\"\n");
}

static void a_gnuplot_that_fails_leaves_no_half_picture(void **state)
{
    (void)state;
    replace_gnuplot("echo '<svg' > loss.svg; echo trouble >&2; exit 3");
    Plot plot = some_plot();
    Error err = {""};
    assert_false(plot_save(&plot, base, "svg", &err));
    assert_has(err.message, "loss.csv without a plot: gnuplot failed; `cd ");
    assert_has(err.message, "gnuplot loss.gp` shows why");
    assert_int_not_equal(access(beside(".svg"), F_OK), 0);
}

static void half_a_picture_of_a_gnuplot_that_ends_well_is_removed(void **state)
{
    (void)state;
    replace_gnuplot("echo '<svg> drawn up to here' > loss.svg");    // as on a full disk
    Plot plot = some_plot();
    Error err = {""};
    assert_false(plot_save(&plot, base, "svg", &err));
    assert_has(err.message, "loss.svg: gnuplot wrote only a part of it; is the disk full?");
    assert_int_not_equal(access(beside(".svg"), F_OK), 0);
}

static void a_gnuplot_that_hangs_is_ended(void **state)
{
    (void)state;
    replace_gnuplot("echo $$ > pid; exec sleep 1000");
    Plot plot = some_plot();
    Error err = {""};
    assert_false(plot_save(&plot, base, "png", &err));
    assert_has(err.message, "gnuplot took more than 1 seconds");
    char pid[80];
    snprintf(pid, sizeof pid, "%s/pid", folder);
    assert_int_equal(kill(atoi(content(pid)), 0), -1);    // it is gone
    unlink(pid);
}

static void a_plot_of_nothing_says_so(void **state)
{
    (void)state;
    Plot plot = {.title = "empty"};
    Error err = {""};
    plot_series(&plot, "none", NULL, NULL, 0);
    assert_false(plot_save(&plot, base, "svg", &err));
    assert_has(err.message, "there are no points to draw");
    assert_string_equal(content(beside(".csv")), "x,y,series\n");
}

static void a_missing_folder_is_reported(void **state)
{
    (void)state;
    Plot plot = some_plot();
    Error err = {""};
    assert_false(plot_save(&plot, "/no/such/folder/loss", "svg", &err));
    assert_string_equal(err.message,
                        "/no/such/folder/loss.csv: cannot be written: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_csv_holds_every_point),
        cmocka_unit_test_teardown(the_script_names_each_series_and_its_rows, restore_path),
        cmocka_unit_test_teardown(a_band_has_the_colour_of_the_next_series_and_no_title,
                                  restore_path),
        cmocka_unit_test_teardown(areas_bars_and_limits_are_drawn_as_such, restore_path),
        cmocka_unit_test(gnuplot_draws_what_the_script_says),
        cmocka_unit_test(text_is_data_in_every_place),
        cmocka_unit_test_teardown(without_gnuplot_the_numbers_are_there, restore_path),
        cmocka_unit_test_teardown(a_gnuplot_that_fails_leaves_no_half_picture, restore_path),
        cmocka_unit_test_teardown(half_a_picture_of_a_gnuplot_that_ends_well_is_removed,
                                  restore_path),
        cmocka_unit_test_teardown(a_gnuplot_that_hangs_is_ended, restore_path),
        cmocka_unit_test(a_plot_of_nothing_says_so),
        cmocka_unit_test(a_missing_folder_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
