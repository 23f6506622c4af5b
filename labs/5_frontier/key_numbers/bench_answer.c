/* keynumbers -- how long a planner waits for an answer of the Key Numbers calculator.
 *
 * The whole program as a shell starts it, beside a program that does nothing (the floor), and what it
 * spends its time on: the model found in the catalogue and laid out, and the answer with its JSON.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/command.h"
#include "bench/report.h"
#include "labs/5_frontier/key_numbers/app/report/report.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"

extern char **environ;

typedef struct Work {
    Arena *step;
    const char *name;
    const Model *model;
    Question question;
} Work;

// Runs it without input and drops its output; whether it succeeded.
static bool run_program(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status = -1, failed = posix_spawn(&child, argv[0], &actions, NULL, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 && waitpid(child, &status, 0) == child && status == 0;
}

static double run_keynumbers(void *argument, long calls, Error *err)
{
    const Work *work = argument;
    const char *const argv[] = {LAB_KEYNUMBERS, work->name, "--json", NULL};
    double start = bench_now();
    for (long i = 0; i < calls; i++)
        if (!run_program(argv))
            return error_set(err, "%s %s --json failed", argv[0], argv[1]), -1.0;
    return bench_now() - start;
}

static double run_nothing(void *argument, long calls, Error *err)
{
    const char *const argv[] = {"/bin/true", NULL};
    double start = bench_now();
    (void)argument;
    for (long i = 0; i < calls; i++)
        if (!run_program(argv)) return error_set(err, "/bin/true failed"), -1.0;
    return bench_now() - start;
}

static double run_open(void *argument, long calls, Error *err)
{
    Work *work = argument;
    double start = bench_now();
    for (long i = 0; i < calls; i++) {
        arena_reset(work->step);
        if (catalogue_model(work->step, work->name, err) == NULL) return -1;
    }
    return bench_now() - start;
}

static double run_answer(void *argument, long calls, Error *err)
{
    Work *work = argument;
    double start = bench_now();
    for (long i = 0; i < calls; i++) {
        arena_reset(work->step);
        const Rows *rows = report_of(work->step, work->model, &work->question, err);
        if (rows == NULL || rows_json(rows)[0] != '{') return -1;
    }
    return bench_now() - start;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"gpt2", "llama-3.1-8b", "gemma-3-27b-it", "deepseek-v3"};
    Error err = {""};
    int status;
    Command command = {.peers = false};
    Arena *keep = arena_new("keep", 256u << 20);
    Options *options = command_options(keep, &command, "keynumbers",
                                       "Answers of the Key Numbers calculator: the goal is 10 ms.");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;
    BenchReport *report = bench_report_new(keep, "keynumbers", "");
    printf("\nAn answer with all its parts, as JSON\n"
           "  model            whole program   an empty one   model found   answer and JSON\n");
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        Work work = {arena_new("step", 256u << 20), names[m], catalogue_model(keep, names[m], &err),
                     question_default()};
        if (work.model == NULL || !question_settle(&work.question, keep, &err))
            return error_report(&err);
        const Contender contenders[] = {{"keynumbers", run_keynumbers, &work},
                                        {"/bin/true", run_nothing, &work},
                                        {"model", run_open, &work},
                                        {"answer", run_answer, &work}};
        Timing timings[4];
        if (!bench_compare(contenders, 4, command.plan, timings, &err)) return error_report(&err);
        cJSON *row = bench_report_row(report);
        cJSON_AddStringToObject(row, "model", names[m]);
        for (int i = 0; i < 4; i++) bench_report_timing(row, &timings[i]);
        printf("  %-16s %10.2f ms  %10.2f ms  %9.2f ms  %13.2f ms%s\n", names[m],
               1e3 * timings[0].seconds.median, 1e3 * timings[1].seconds.median,
               1e3 * timings[2].seconds.median, 1e3 * timings[3].seconds.median,
               bench_noisy(timings[0].seconds) ? " ~" : "");
        arena_free(work.step);
    }
    puts("(~ noisy)");
    return bench_report_end(report, command.json, &err) ? 0 : error_report(&err);
}
