/* Runs: what a lab's main gets from the command line, where results go, and Ctrl-C. Each run is a
 * process of its own, since its signals and its output are the process's. */
#include "common/run.h"
#include "kernels/device.h"
#include <inttypes.h>
#include <omp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>
#include <cmocka.h>

static char folder[] = "/tmp/test_run_XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    unsetenv("LAB_OUT");
    unsetenv("LAB_COMMAND");
    unsetenv("LAB_DATA");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -r %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

typedef struct Ended {
    int status;    // as a shell shows it
    char output[4096];
} Ended;

// The exit status of a process that parses `words` and, when there is a run, does `rest` with it.
static Ended run_words(int (*rest)(Run *run), const char **words)
{
    FILE *caught = tmpfile();
    assert_non_null(caught);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(caught), STDOUT_FILENO);
        dup2(fileno(caught), STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL);    // cmocka's handler would go on here
        int status, count = 0;
        Arena *keep = arena_new("keep", 1u << 20);
        Options *options = options_new(keep, "tiny", "A lab for the tests.");
        while (words[count] != NULL) count++;
        Run *run = run_begin(keep, options, count, (char **)words, &status);
        if (run != NULL) status = rest(run);
        fflush(NULL);
        _exit(status);
    }
    Ended ended = {0};
    assert_int_equal(waitpid(child, &ended.status, 0), child);
    ended.status =
        WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 128 + WTERMSIG(ended.status);
    rewind(caught);
    ended.output[fread(ended.output, 1, sizeof ended.output - 1, caught)] = '\0';
    fclose(caught);
    return ended;
}
#define RUN(rest, ...) run_words(rest, (const char *[]){"tiny", __VA_ARGS__})

static void assert_output(const Ended *ended, int status, const char *part)
{
    if (ended->status != status || strstr(ended->output, part) == NULL)
        fail_msg("ended with %d, got \"%s\"; expected %d, \"%s\"", ended->status, ended->output,
                 status, part);
}

static int write_steps(Run *run)
{
    for (long step = 1; step <= 3; step++)
        metrics_write(run->metrics, step, METRICS({"loss", 1.0 / (double)step}));
    return run_end(run, "checkpoint");
}

static int resume_at_two(Run *run)
{
    Error err;
    if (!run_resumed(run, 2, &err)) return error_report(&err);
    metrics_write(run->metrics, 3, METRICS({"loss", 9.0}));
    return run_end(run, "checkpoint");
}

static int print_settings(Run *run)
{
    printf("%d %" PRIu64 " %s %d|%s|%s|%s|%s|%s\n", run->smoke, run->seed, device->name,
           omp_get_max_threads(), run->out, run->data ? run->data : "-", run->plot,
           run->resume ? run->resume : "-", run_path(run, "x"));
    return run_end(run, NULL);
}

static int print_to_a_full_disk(Run *run)
{
    if (freopen("/dev/full", "w", stdout) == NULL) return 52;
    run_print(run, "a line");
    return run_end(run, NULL);
}

static int press_at_once(Run *run)
{
    if (run_interrupted(run)) return 50;
    raise(SIGINT);
    if (!run_interrupted(run)) return 51;
    return run_end(run, "check point");
}

static int save_and_press(Run *run)
{
    fclose(fopen(run_path(run, "check point"), "w"));
    return press_at_once(run);
}

static int send_term(Run *run)
{
    fclose(fopen(run_path(run, "checkpoint"), "w"));
    raise(SIGTERM);
    return run_interrupted(run) ? run_end(run, "checkpoint") : 51;
}

static int send_hup(Run *run)
{
    raise(SIGHUP);
    return run_interrupted(run) ? run_end(run, NULL) : 51;
}

static int press_twice(Run *run)
{
    raise(SIGINT);
    raise(SIGINT);
    return run_end(run, NULL);
}

static int plot_something(Run *run)
{
    Plot plot = {.title = "Loss"};
    plot_series(&plot, "a", (float[]){1, 2}, (float[]){3, 4}, 2);
    run_plot(run, &plot, "loss");
    return run_end(run, NULL);
}

static void a_run_without_arguments_prints_its_setup(void **state)
{
    (void)state;
    Ended ended = RUN(write_steps, "--threads=1", NULL);
    assert_output(&ended, 0, "tiny: seed 42, cpu (");
    assert_output(&ended, 0, "), 1 thread, results in out/tiny\n");
    char text[256];
    FILE *file = fopen("out/tiny/metrics.jsonl", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(
        text,
        "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":0.5}\n{\"step\":3,\"loss\":0.333333333}\n");
}

static void every_option_arrives(void **state)
{
    (void)state;
    Ended ended = RUN(print_settings, "--smoke", "--seed=7", "--device=ref", "--threads=3",
                      "--out=a/b/c", "--data=d", "--plot=none", "--resume=r", NULL);
    assert_output(&ended, 0, "\n1 7 ref 3|a/b/c|d|none|r|a/b/c/x\n");
}

static void the_environment_moves_results_and_data(void **state)
{
    (void)state;
    setenv("LAB_OUT", "elsewhere", 1);
    setenv("LAB_DATA", "real", 1);
    Ended moved = RUN(print_settings, NULL),
          given = RUN(print_settings, "--out=here", "--data=there", NULL);
    unsetenv("LAB_OUT");
    unsetenv("LAB_DATA");
    assert_output(&moved, 0, "|elsewhere/tiny|real|");
    assert_output(&given, 0, "|here|there|");
}

static void invalid_options_are_refused(void **state)
{
    (void)state;
    Ended cuda = RUN(write_steps, "--device=cuda", NULL),
          made = RUN(write_steps, "--out=/proc/no/such", NULL);
    assert_output(&cuda, 1, "--device cuda: ");
    assert_output(&made, 1, "/proc/no: the folder cannot be made");
    Ended wrong = RUN(write_steps, "--threads=0", NULL), help = RUN(write_steps, "--help", NULL);
    assert_output(&wrong, 2, "--threads: '0' is not a whole number from 1 to 1024");
    assert_output(&help, 0, "Every lab:");
}

static void a_new_run_starts_the_metrics_anew_and_a_resumed_one_keeps_them(void **state)
{
    (void)state;
    RUN(write_steps, NULL);
    RUN(resume_at_two, "--resume=out/tiny/checkpoint", NULL);
    char text[256];
    FILE *file = fopen("out/tiny/metrics.jsonl", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(
        text, "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":0.5}\n{\"step\":3,\"loss\":9}\n");
}

static void the_first_interrupt_stops_the_loop(void **state)
{
    (void)state;
    Ended ended = RUN(save_and_press, "--seed", "7", "--out=a b", NULL);
    assert_output(
        &ended, 130,
        "Stopped by Ctrl-C. To go on: tiny --seed 7 '--out=a b' --resume 'a b/check point'\n");
    ended = RUN(save_and_press, "--out=it's", NULL);
    assert_output(&ended, 130, "tiny '--out=it'\\''s' --resume 'it'\\''s/check point'\n");
}

static void a_profile_that_cannot_be_written_does_not_hide_how_to_resume(void **state)
{
    (void)state;
    assert_int_equal(system("mkdir -p full/profile.jsonl"),
                     0);    // a folder: no file can take its place
    Ended ended = RUN(save_and_press, "--out=full", "--profile", NULL);
    assert_output(&ended, 1, "full/profile.jsonl: cannot be written");
    assert_output(
        &ended, 1,
        "Stopped by Ctrl-C. To go on: tiny --out=full --profile --resume 'full/check point'\n");
    assert_null(strstr(ended.output, "Also in"));
}

static void a_resumed_run_says_to_resume_once(void **state)
{
    (void)state;
    Ended ended = RUN(save_and_press, "--resume", "old", "--resume=older", "--seed=7", NULL);
    assert_output(&ended, 130,
                  "Stopped by Ctrl-C. To go on: tiny --seed=7 --resume 'out/tiny/check point'\n");
}

static void no_checkpoint_is_named_that_this_run_has_not_saved(void **state)
{
    (void)state;
    struct utimbuf yesterday = {.actime = 1e9, .modtime = 1e9};
    Ended none = RUN(press_at_once, "--out=empty", NULL);
    RUN(save_and_press, "--out=old", NULL);
    assert_int_equal(utime("old/check point", &yesterday), 0);
    Ended old = RUN(press_at_once, "--out=old", NULL),
          resumed = RUN(press_at_once, "--out=empty", "--resume=old/check", NULL);
    assert_output(&none, 130, "Stopped by Ctrl-C before the first checkpoint.\n");
    assert_output(&old, 130, "Stopped by Ctrl-C before the first checkpoint.\n");
    assert_output(&resumed, 130, "To go on: tiny --out=empty --resume old/check\n");
}

static void the_command_to_type_is_the_one_that_was_typed(void **state)
{
    (void)state;
    setenv("LAB_COMMAND", "./lab run tiny", 1);
    Ended ended = RUN(save_and_press, "--seed=7", NULL);
    unsetenv("LAB_COMMAND");
    assert_output(
        &ended, 130,
        "Stopped by Ctrl-C. To go on: ./lab run tiny --seed=7 --resume 'out/tiny/check point'\n");
}

static void the_second_interrupt_ends_the_program(void **state)
{
    (void)state;
    Ended ended = RUN(press_twice, NULL);
    assert_int_equal(ended.status, 128 + SIGINT);
    assert_null(strstr(ended.output, "Stopped"));
}

static void sigterm_and_sighup_stop_the_loop_as_an_interrupt_does(void **state)
{
    (void)state;
    Ended ended = RUN(send_term, "--out=term", NULL);
    assert_output(&ended, 128 + SIGTERM,
                  "Stopped by SIGTERM. To go on: tiny --out=term --resume term/checkpoint\n");
    ended = RUN(send_hup, "--out=hup", NULL);
    assert_output(&ended, 128 + SIGHUP, "Stopped by SIGHUP.\n");
}

static void an_ignored_sighup_stays_ignored(void **state)
{
    (void)state;
    signal(SIGHUP, SIG_IGN);    // as under nohup
    Ended ended = RUN(send_hup, "--out=hup", NULL);
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(ended.status, 51);
}

static int fail_hard(Run *run)
{
    return raise(run->seed == 6 ? SIGABRT : SIGSEGV);
}

static int descend(Run *run)    // until there is no stack left
{
    volatile char frame[4096];
    frame[0] = run->seed == 0 ? 0 : (char)descend(run);
    return frame[0];
}

static void a_crash_in_learner_code_suggests_lab_check(void **state)
{
    (void)state;
    Ended silent = RUN(fail_hard, NULL);
    assert_int_equal(silent.status, 128 + SIGSEGV);
    assert_null(strstr(silent.output, "look closer"));
    setenv("LAB_CHECK", "./lab check tiny", 1);
    Ended crashed = RUN(fail_hard, NULL), aborted = RUN(fail_hard, "--seed=6", NULL);
    Ended endless = RUN(descend, NULL);
    unsetenv("LAB_CHECK");
    const char sentence[] = "\nThe lab crashed on your code; to look closer: ./lab check tiny\n";
    assert_output(&crashed, 128 + SIGSEGV, sentence);
    assert_output(&aborted, 128 + SIGABRT, sentence);
    assert_output(&endless, 128 + SIGSEGV, sentence);
}

static void output_that_is_lost_is_an_error(void **state)
{
    (void)state;
    Ended ended = RUN(print_to_a_full_disk, "--out=lost", NULL);
    assert_output(&ended, 1, "standard output could not be written: No space left on device");
}

static void a_plot_says_where_it_is(void **state)
{
    (void)state;
    Ended ended = RUN(plot_something, "--plot=none", NULL);
    assert_output(&ended, 0, "Loss: out/tiny/loss.csv\n");
    setenv("PATH", "/nowhere", 1);
    ended = RUN(plot_something, NULL);
    assert_output(
        &ended, 0,
        "Loss: the numbers are in out/tiny/loss.csv without a plot: gnuplot is not installed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_without_arguments_prints_its_setup),
        cmocka_unit_test(every_option_arrives),
        cmocka_unit_test(the_environment_moves_results_and_data),
        cmocka_unit_test(invalid_options_are_refused),
        cmocka_unit_test(a_new_run_starts_the_metrics_anew_and_a_resumed_one_keeps_them),
        cmocka_unit_test(the_first_interrupt_stops_the_loop),
        cmocka_unit_test(a_profile_that_cannot_be_written_does_not_hide_how_to_resume),
        cmocka_unit_test(a_resumed_run_says_to_resume_once),
        cmocka_unit_test(no_checkpoint_is_named_that_this_run_has_not_saved),
        cmocka_unit_test(the_command_to_type_is_the_one_that_was_typed),
        cmocka_unit_test(the_second_interrupt_ends_the_program),
        cmocka_unit_test(sigterm_and_sighup_stop_the_loop_as_an_interrupt_does),
        cmocka_unit_test(an_ignored_sighup_stays_ignored),
        cmocka_unit_test(a_crash_in_learner_code_suggests_lab_check),
        cmocka_unit_test(output_that_is_lost_is_an_error),
        cmocka_unit_test(a_plot_says_where_it_is),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
