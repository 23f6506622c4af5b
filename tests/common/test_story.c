/* Stories: which parts run, what is output at the end, and how a run that fails or is stopped ends. Each is
 * a process of its own, since its output and its signals are the process's. */
#include "common/story.h"
#include "common/todo.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/test_story_XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    unsetenv("LAB_OUT");
    unsetenv("LAB_COMMAND");
    unsetenv("LAB_CHECK");
    setenv("COLUMNS", "80", 1);
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -r %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

// ---- a lab of four parts ----

// What goes wrong in the first part.
typedef struct How {
    bool fails, is_stopped, is_unwritten;
    int crash;           // a signal
    const char *only;    // the part that runs in place of the others
} How;

typedef struct Lab {
    Run *run;
    Arena *step;
    How how;
    size_t used;    // of the step arena when the latest part began
} Lab;

static bool run_first(void *data, Error *err)
{
    Lab *lab = data;
    arena_alloc(lab->step, 1000);
    run_print(lab->run, "first runs");
    if (lab->how.is_stopped) raise(SIGINT);
    if (lab->how.is_unwritten) todo_reached("svd", "tiny.c", 7);
    if (lab->how.crash != 0) raise(lab->how.crash);
    return !lab->how.fails || error_set(err, "first: the world is not as it was");
}

static bool run_second(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    lab->used = arena_used(lab->step);
    Table table = table_new(lab->step, "n|square");
    table_row(&table, "%d|%d", 3, 9);
    run_table(lab->run, &table);
    return true;
}

static bool run_curves(void *data, Error *err)
{
    (void)err;
    run_print(((Lab *)data)->run, "curves run");
    return true;
}

static bool run_own(void *data, Error *err)
{
    (void)err;
    Lab *lab = data;
    const float x[] = {1, 2};
    run_print(lab->run, "own file");
    run_picture(lab->run, picture_new(lab->step, 3, 2), "A picture", "white");
    Plot plot = {.title = "A plot"};
    plot_series(&plot, "x", x, x, 2);
    run_plot(lab->run, &plot, "line");
    return true;
}

static const Part parts[] = {
    {"first", "The first part", run_first,
     .notices = {{"first.svg", "a thing"}, {"x", "another thing"}}},
    {"second", "The second part", run_second, .notices = {{"second", "the square"}}},
    {"second", NULL, run_curves, .notices = {{NULL, NULL}}},
    {NULL, NULL, run_curves, .notices = {{"curves", "the end"}}},
    {"own", "A file", run_own, .unlisted = true},
};

typedef struct Ended {
    int status;
    char output[8192];
} Ended;

static Ended run_tiny(How how, const char **words)
{
    FILE *caught = tmpfile();
    assert_non_null(caught);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(caught), STDOUT_FILENO);
        dup2(fileno(caught), STDERR_FILENO);
        int status, count = 0;
        while (words[count] != NULL) count++;
        Arena *keep = arena_new("keep", 1u << 20), *step = arena_new("step", 1u << 20);
        Lab lab = {.step = step, .how = how};
        signal(SIGSEGV, SIG_DFL);    // cmocka's handler would go on here
        Story story = {parts, sizeof parts / sizeof *parts, .lesson = "labs/tiny/README.md",
                       .step = step};
        Options *options = options_new(keep, "tiny", "A lab for the tests.");
        lab.run = story_begin(&story, keep, options, count, (char **)words, &status);
        if (lab.run != NULL) {
            printf("has first %d, second %d\n", story_has(&story, "first"),
                   story_has(&story, "second"));
            if (how.only != NULL) story_only(&story, how.only);
            status = story_run(&story, &lab);
            printf("used %zu\n", lab.used);
        }
        fflush(NULL);
        _exit(status);
    }
    Ended ended = {0};
    assert_int_equal(waitpid(child, &ended.status, 0), child);
    ended.status = WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 1000;
    rewind(caught);
    ended.output[fread(ended.output, 1, sizeof ended.output - 1, caught)] = '\0';
    fclose(caught);
    return ended;
}
#define RUN_TINY(how, ...) run_tiny(how, (const char *[]){"tiny", __VA_ARGS__, NULL})

static void expect(const Ended *ended, int status, const char *text)
{
    if (ended->status != status || strstr(ended->output, text) == NULL)
        fail_msg("ended with %d, output:\n%s\nexpected %d and: %s", ended->status, ended->output,
                 status, text);
}

static void expect_not(const Ended *ended, const char *text)
{
    if (strstr(ended->output, text) != NULL)
        fail_msg("output:\n%s\nunexpected: %s", ended->output, text);
}

static const char *page(void)
{
    static char text[65536];
    FILE *stream = fopen("out/tiny/report.html", "r");
    if (stream == NULL) fail_msg("there is no report");
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void all_parts_run_in_their_order(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){0}, "--threads=1");
    expect(&ended, 0,
           "\nThe first part\n  first runs\n"
           "\nThe second part\n  n   square\n  3        9\n"
           "  curves run\n"
           "  curves run\n"
           "\nTo notice\n"
           "  first.svg  a thing\n"
           "  x          another thing\n"
           "  second     the square\n"
           "  curves     the end\n"
           "labs/tiny/README.md is the lesson, with what to try next.\n"
           "out/tiny/report.html shows this run as a page.\n");
    expect(&ended, 0, "has first 1, second 1\n");
    expect_not(&ended, "own file");
}

static void each_part_begins_with_an_empty_step_arena(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){0}, "--threads=1");
    expect(&ended, 0, "used 0\n");
}

static void the_parts_asked_for_run_with_those_that_always_do(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){0}, "--part=second");
    expect(&ended, 0, "has first 0, second 1\n\nThe second part\n");
    expect(&ended, 0, "To notice\n  second  the square\n  curves  the end\n");
    expect_not(&ended, "first runs");
    ended = RUN_TINY((How){0}, "--part=second,first");
    expect(&ended, 0, "first runs\n\nThe second part");
}

static void an_unknown_part_is_refused_with_the_nearest(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){0}, "--part", "first,secnd");
    expect(&ended, 2, "'secnd' is not one of all|first|second; did you mean 'second'?");
    ended = RUN_TINY((How){0}, "--part", "own");
    expect(&ended, 2, "'own' is not one of all|first|second");
    ended = RUN_TINY((How){0}, "--part", "first,");
    expect(&ended, 2, "'' is not one of");
    ended = RUN_TINY((How){0}, "--help");
    expect(&ended, 0, "--part=NAME,...");
}

static void a_lab_without_a_checkpoint_refuses_to_resume(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){0}, "--resume=gone.safetensors");
    expect(&ended, 1, "--resume: this lab has no checkpoint to go on from\n");
    expect_not(&ended, "first runs");
}

static void a_part_that_is_not_listed_runs_alone(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){.only = "own"}, "--plot=none");
    expect(&ended, 0, "\nA file\n  own file\n");
    expect_not(&ended, "first runs");
}

static void a_picture_is_saved_and_a_plot_without_a_drawing_is_linked(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){.only = "own"}, "--plot=none");
    expect(&ended, 0, "A picture: out/tiny/white.png\nA plot: out/tiny/line.csv\n");
    assert_int_equal(access("out/tiny/white.png", F_OK), 0);
    assert_non_null(strstr(page(), "<img alt=\"A picture\" src=\"data:image/png;base64,"));
    assert_non_null(strstr(page(), "<a href=\"line.csv\">"));
}

static void a_part_that_fails_ends_the_run_with_its_message(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){.fails = true}, "--threads=1");
    expect(&ended, 1, "first: the world is not as it was");
    expect_not(&ended, "The second part");
    expect_not(&ended, "To notice");
    assert_non_null(strstr(page(), "Failed: first: the world is not as it was."));
    assert_null(strstr(page(), "http-equiv=\"refresh\""));
}

static void ctrl_c_ends_the_run_after_the_part(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){.is_stopped = true}, "--threads=1");
    expect(&ended, 130, "\nStopped by Ctrl-C.\n");
    expect_not(&ended, "The second part");
    expect_not(&ended, "To notice");
    assert_non_null(strstr(page(), "Stopped by Ctrl-C."));
    assert_null(strstr(page(), "http-equiv=\"refresh\""));
}

static void an_exercise_that_is_not_written_yet_is_named_on_the_page(void **state)
{
    (void)state;
    Ended ended = RUN_TINY((How){.is_unwritten = true}, "--threads=1");
    expect(&ended, 1, "svd is not written yet");
    assert_non_null(strstr(page(), "Stopped: svd is not written yet."));
    assert_null(strstr(page(), "http-equiv=\"refresh\""));
}

static void after_a_crash_or_a_second_ctrl_c_the_page_does_not_reload(void **state)
{
    (void)state;
    setenv("LAB_CHECK", "./lab check tiny", 1);
    RUN_TINY((How){.crash = SIGSEGV}, "--threads=1");
    unsetenv("LAB_CHECK");
    assert_null(strstr(page(), "http-equiv=\"refresh\""));
    assert_non_null(strstr(page(), "The run was stopped before its end."));
    RUN_TINY(((How){.is_stopped = true, .crash = SIGINT}), "--threads=1");
    assert_null(strstr(page(), "http-equiv=\"refresh\""));
    assert_null(strstr(page(), ".cut { display: none }"));
}

static void the_page_has_the_parts_with_what_to_notice(void **state)
{
    (void)state;
    RUN_TINY((How){0}, "--threads=1");
    const char *at = page();
    const char *wanted[] = {"The first part</h2>",  "first runs", "<b>first.svg</b>: a thing",
                            "The second part</h2>", ">9</td>",    "<b>curves</b>: the end"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((at = strstr(at, wanted[i])) == NULL) fail_msg("missing or too early: %s", wanted[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_run_in_their_order),
        cmocka_unit_test(each_part_begins_with_an_empty_step_arena),
        cmocka_unit_test(the_parts_asked_for_run_with_those_that_always_do),
        cmocka_unit_test(an_unknown_part_is_refused_with_the_nearest),
        cmocka_unit_test(a_lab_without_a_checkpoint_refuses_to_resume),
        cmocka_unit_test(a_part_that_is_not_listed_runs_alone),
        cmocka_unit_test(a_picture_is_saved_and_a_plot_without_a_drawing_is_linked),
        cmocka_unit_test(a_part_that_fails_ends_the_run_with_its_message),
        cmocka_unit_test(ctrl_c_ends_the_run_after_the_part),
        cmocka_unit_test(an_exercise_that_is_not_written_yet_is_named_on_the_page),
        cmocka_unit_test(after_a_crash_or_a_second_ctrl_c_the_page_does_not_reload),
        cmocka_unit_test(the_page_has_the_parts_with_what_to_notice),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
