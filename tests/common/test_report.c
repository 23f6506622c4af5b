/* Reports: what stands on the page, that it is escaped, and when the page reloads itself. */
#include "common/report.h"
#include "common/file.h"
#include "common/picture.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/test_report_XXXXXX";
static Arena *arena;
static Error err;

static int enter_folder(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)64 << 20);
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -r %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static int setup(void **state)
{
    (void)state;
    unlink("report.html");
    err = (Error){""};
    return 0;
}

static Report *tiny_report(void)
{
    return report_new("report.html", "tiny", "seed 42, cpu (ref), 1 thread", "./lab run tiny ");
}

static const char *read_page(void)
{
    FILE *stream = fopen("report.html", "rb");
    if (stream == NULL) fail_msg("there is no report.html");
    static char text[1 << 20];
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

#define expect_on_page(text)                                                                       \
    do {                                                                                           \
        if (strstr(read_page(), text) == NULL)                                                     \
            fail_msg("the page has no %s:\n%s", text, read_page());                                \
    } while (0)
#define expect_not_on_page(text)                                                                   \
    do {                                                                                           \
        if (strstr(read_page(), text) != NULL) fail_msg("the page has %s", text);                  \
    } while (0)

static const char reload[] = "http-equiv=\"refresh\"";

static void the_page_has_what_was_added_in_its_order(void **state)
{
    (void)state;
    Report *report = tiny_report();
    Table table = table_new(arena, "degree|RMSE");
    table_row(&table, "3|0.196");
    report_heading(report, "Least squares");
    report_text(report, "25 points");
    report_table(report, &table);
    report_notice(report, "fit", "the error falls");
    assert_true(report_end(report, "Finished in 3.0 s.", &err));
    const char *at = read_page();
    const char *wanted[] = {"<h1>tiny</h1>",
                            "./lab run tiny",
                            "seed 42, cpu (ref), 1 thread",
                            "Finished in 3.0 s.",
                            "<a href=\"#part1\">Least squares</a>",
                            "<h2 id=\"part1\">Least squares</h2>",
                            "<p>25 points</p>",
                            "<th class=\"number\">degree</th>",
                            "<td class=\"number\">3</td><td class=\"number\">0.196</td>",
                            "<aside><b>fit</b>: the error falls</aside>"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((at = strstr(at, wanted[i])) == NULL) fail_msg("missing or too early: %s", wanted[i]);
}

static void text_is_escaped_wherever_it_stands(void **state)
{
    (void)state;
    const char *bad = "<script>alert(\"1\")</script>&'\033[31m";
    const char *safe = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";
    Report *report = report_new("report.html", bad, bad, bad);
    Table table = table_new(arena, bad);
    table_row(&table, "%s", bad);
    assert_true(file_write("odd.txt", "x", &err));
    report_heading(report, bad);
    report_text(report, bad);
    report_notice(report, bad, bad);
    report_table(report, &table);
    report_file(report, bad, "odd.txt");
    report_progress(report, bad, bad, 0, 10, METRICS({bad, 1.0}));
    int count = 0;
    expect_on_page("<progress");
    for (const char *at = read_page(); (at = strstr(at, safe)) != NULL; at++) count++;
    assert_int_equal(count, 2 + 2 + 2 + 1 + 2 + 2 + 1 + 3);    // head, heading, ..., progress
    expect_not_on_page("<script");
    expect_not_on_page("\033");
    assert_true(report_end(report, bad, &err));
    expect_not_on_page("<script");
}

static void pictures_and_plots_are_embedded(void **state)
{
    (void)state;
    Report *report = tiny_report();
    assert_true(picture_save(picture_new(arena, 3, 2), "white.png", &err));
    assert_true(file_write("plot.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", &err));
    report_file(report, "White \"tiles\"", "white.png");
    report_file(report, "Plot", "plot.svg");
    assert_true(report_end(report, "Finished.", &err));
    // Every PNG begins with these bytes: 89 50 4e 47 0d 0a 1a 0a.
    expect_on_page("<img alt=\"White &quot;tiles&quot;\" src=\"data:image/png;base64,iVBORw0KGgo");
    // RFC 4648 of the SVG above, whose 41 bytes leave two over.
    expect_on_page("data:image/svg+xml;base64,"
                   "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=\"");
}

static void other_files_and_missing_ones_are_linked(void **state)
{
    (void)state;
    Report *report = tiny_report();
    assert_true(file_write("a \"b\"&.csv", "x,y\n", &err));
    report_file(report, "Numbers", "a \"b\"&.csv");
    report_file(report, "Gone", "gone.png");
    assert_true(report_end(report, "Finished.", &err));
    expect_on_page("a%20%22b%22%26.csv\">a &quot;b&quot;&amp;.csv</a>");
    expect_on_page("<p>Gone: gone.png</p>");
}

static void a_file_that_is_too_large_is_linked(void **state)
{
    (void)state;
    FILE *stream = fopen("large.png", "wb");
    assert_int_equal(ftruncate(fileno(stream), 5 << 20), 0);
    fclose(stream);
    Report *report = tiny_report();
    report_file(report, "Large", "large.png");
    assert_true(report_end(report, "Finished.", &err));
    expect_on_page("large.png\">large.png</a>");
    expect_not_on_page("<img");
}

static void the_page_reloads_itself_until_the_end(void **state)
{
    (void)state;
    Report *report = tiny_report();
    report_heading(report, "Part");
    expect_on_page(reload);
    assert_true(report_end(report, "Stopped by Ctrl-C.", &err));
    expect_not_on_page(reload);
    expect_on_page("Stopped by Ctrl-C.");
    assert_true(report_end(report, "again", &err));    // the first word counts
    expect_not_on_page("again");
}

// Steps of a loop until the page has the text: it is written about once a second.
static void step_until(Report *report, const char *text, double loss)
{
    long done = 100;
    do {
        usleep(20000);
        if (++done == 1000) fail_msg("after 900 steps the page has no %s:\n%s", text, read_page());
        report_progress(report, "codes", "images", done, 1000,
                        METRICS({"loss", loss / (double)done}, {"learning rate", 0.001}));
    } while (strstr(read_page(), text) == NULL);
}

static void a_loop_is_followed_from_its_first_step(void **state)
{
    (void)state;
    Report *report = tiny_report();
    report_heading(report, "Part");
    report_progress(report, "codes", "images", 100, 1000,
                    METRICS({"loss", 0.25}, {"learning rate", 0.001}));
    expect_on_page("<b>codes</b>: 100 of 1000 images");
    expect_on_page("<progress value=\"100\" max=\"1000\">");
    expect_on_page("loss 0.25");
    expect_on_page("learning rate 0.001");
    report_heading(report, "The next part");
    expect_not_on_page("<progress value");
    report_end(report, "Finished.", NULL);
}

static void a_loop_that_goes_on_has_speed_time_left_and_a_curve(void **state)
{
    (void)state;
    Report *report = tiny_report();
    step_until(report, "<polyline points=\"0.0,0.0 ", 1);    // falls: it begins at the top
    expect_on_page("images/s</span>");
    expect_on_page(" left</span>");
    report_end(report, "Finished.", NULL);
    expect_not_on_page("<progress value");
}

static void a_loop_without_finite_values_has_no_curve(void **state)
{
    (void)state;
    Report *report = tiny_report();
    step_until(report, " left</span>", (double)NAN);
    expect_on_page("loss nan");
    expect_not_on_page("<polyline points");
    report_end(report, "Finished.", NULL);
}

static void nothing_added_writes_nothing(void **state)
{
    (void)state;
    Report *report = tiny_report();
    assert_true(report_end(report, "Finished.", &err));
    assert_int_equal(access("report.html", F_OK), -1);
}

static void a_last_page_that_cannot_be_written_leaves_one_that_no_longer_reloads(void **state)
{
    (void)state;
    Report *report = tiny_report();
    report_heading(report, "Part");
    struct rlimit all, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    none = all;
    none.rlim_cur = 1000;    // as a full disk
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    bool ended = report_end(report, "Finished.", &err);
    setrlimit(RLIMIT_FSIZE, &all);
    assert_false(ended);
    expect_not_on_page(reload);
    expect_on_page("The run was stopped before its end.");
}

static void a_page_that_cannot_be_written_is_reported_at_the_end(void **state)
{
    (void)state;
    Report *report = report_new("no/such/folder/report.html", "tiny", "", "");
    report_heading(report, "Part");
    assert_false(report_end(report, "Finished.", &err));
    assert_non_null(strstr(err.message, "no/such/folder/report.html: cannot be written"));
}

static void what_stops_before_a_heading_leaves_the_page_of_before(void **state)
{
    (void)state;
    Report *report = tiny_report();
    report_heading(report, "Part");
    assert_true(report_end(report, "Finished.", &err));
    report_text(tiny_report(), "Training set: 3 images");
    report_stop("Failed: no such checkpoint.");
    expect_on_page("Finished.");
    expect_not_on_page("Training set");
    report_heading(tiny_report(), "Part");
    report_stop("Failed: the disk is full.");
    expect_on_page("Failed: the disk is full.");
}

// A process that ends without report_end(), by `how`.
static void leave(void (*how)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        report_heading(tiny_report(), "Part");
        how();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void exit_early(void)
{
    exit(3);
}

static void a_process_that_exits_early_leaves_a_page_that_says_so(void **state)
{
    (void)state;
    leave(exit_early);
    expect_not_on_page(reload);
    expect_on_page("The run was stopped before its end.");
}

static void a_page_that_is_cut_short_no_longer_reloads_and_says_so(void **state)
{
    (void)state;
    leave(report_cut_short);
    expect_not_on_page(reload);
    expect_not_on_page(".cut { display: none }");    // which hides "The run was stopped ..."
    expect_on_page("<style>.runs { display: none }</style>");
    expect_on_page("<h2 id=\"part1\">Part</h2>");
    report_cut_short();    // no report in this process: nothing happens
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_page_has_what_was_added_in_its_order, setup),
        cmocka_unit_test_setup(text_is_escaped_wherever_it_stands, setup),
        cmocka_unit_test_setup(pictures_and_plots_are_embedded, setup),
        cmocka_unit_test_setup(other_files_and_missing_ones_are_linked, setup),
        cmocka_unit_test_setup(a_file_that_is_too_large_is_linked, setup),
        cmocka_unit_test_setup(the_page_reloads_itself_until_the_end, setup),
        cmocka_unit_test_setup(a_loop_is_followed_from_its_first_step, setup),
        cmocka_unit_test_setup(a_loop_that_goes_on_has_speed_time_left_and_a_curve, setup),
        cmocka_unit_test_setup(a_loop_without_finite_values_has_no_curve, setup),
        cmocka_unit_test_setup(nothing_added_writes_nothing, setup),
        cmocka_unit_test_setup(a_last_page_that_cannot_be_written_leaves_one_that_no_longer_reloads,
                               setup),
        cmocka_unit_test_setup(a_page_that_cannot_be_written_is_reported_at_the_end, setup),
        cmocka_unit_test_setup(what_stops_before_a_heading_leaves_the_page_of_before, setup),
        cmocka_unit_test_setup(a_process_that_exits_early_leaves_a_page_that_says_so, setup),
        cmocka_unit_test_setup(a_page_that_is_cut_short_no_longer_reloads_and_says_so, setup),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
