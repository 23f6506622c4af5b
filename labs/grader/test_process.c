#include "labs/grader/test_process.h"
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include "common/todo.h"
#include "labs/grader/sandbox.h"
#include "labs/grader/crash_handler.h"

// Static, because cmocka and LAB_TODO call back without an argument of ours.
static const TestProcess *process;
static bool returned;              // the case ran to its end
static FILE *own_out, *own_err;    // the submission's, while cmocka writes to its own
static FILE *cmocka_out, *cmocka_err;
static char *cmocka_text;
static size_t cmocka_length;
static char report[4096];    // what the case says of a comparison that failed
static size_t reported;

static void to_cmocka(void)
{
    fflush(NULL);
    stdout = cmocka_out;
    stderr = cmocka_err;
}

static void to_submission(void)
{
    stdout = own_out;
    stderr = own_err;
}

static void not_written_yet(const char *exercise)
{
    shared_result_end(process->result, VERDICT_TODO, 0, "%s is not written yet", exercise);
}

static int before(void **state)
{
    to_submission();
    return process->test->setup_func ? process->test->setup_func(state) : 0;
}

static void during(void **state)
{
    crash_handler_install();    // where the sandbox let cmocka install its own
    crash_handler_track_leaks(true);
    process->test->test_func(state);
    crash_handler_track_leaks(false);
    returned = true;
}

static int after(void **state)
{
    int status = process->test->teardown_func ? process->test->teardown_func(state) : 0;
    to_cmocka();
    return status;
}

// Replaces cmocka's function of this name, which writes to standard error: that belongs to the
// submission and may be closed. The program's own symbols are found first.
void print_error(const char *const format, ...)
{
    va_list args;
    va_start(args, format);
    if (stderr == cmocka_err) {    // the case is over, and cmocka speaks
        vfprintf(cmocka_err, format, args);
    } else {
        int length = vsnprintf(report + reported, sizeof report - reported, format, args);
        if (length > 0) reported += (size_t)length;
        if (reported > sizeof report - 1) reported = sizeof report - 1;
    }
    va_end(args);
}

// Without the newlines at its end.
static void trim(char *text)
{
    for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n';) text[--n] = '\0';
}

// cmocka says "[  ERROR   ] --- a == b\n[   LINE   ] --- check.c:12: error: Failure!"
static _Noreturn void end_wrong(void)
{
    fflush(cmocka_err);
    char *place = strstr(cmocka_text, "[   LINE   ] --- "), *text = strstr(cmocka_text, " --- ");
    if (!shared_result_unlock(process->result)) _exit(1);
    if (place != NULL) {
        *place = '\0';
        place += strlen("[   LINE   ] --- ");
        place[strcspn(place, "\n")] = '\0';
        char *end = strstr(place, ": error: ");
        if (end != NULL) *end = '\0';
        snprintf(process->result->detail, sizeof process->result->detail, "%s", place);
    }
    text = text != NULL ? text + strlen(" --- ") : cmocka_text;
    trim(text);
    trim(report);
    const char *own = strncmp(report, "ERROR: ", 7) == 0 ? report + 7 : report;
    if (own[0] != '\0') shared_result_end(process->result, VERDICT_WRONG, 0, "%s", own);
    shared_result_end(process->result, VERDICT_WRONG, 0, "expected %s", text);
}

static void load_submission(void)
{
    if (dlopen(process->submission, RTLD_LAZY | RTLD_GLOBAL) != NULL) return;
    const char *why = dlerror(), *symbol = strstr(why, "undefined symbol: ");
    if (symbol != NULL)
        shared_result_end(process->result, VERDICT_COMPILE, 0,
                          "uses %s, which is not defined anywhere",
                          symbol + strlen("undefined symbol: "));
    if (strstr(why, "failed to map segment") || strstr(why, "cannot allocate memory"))
        shared_result_end(process->result, VERDICT_MEMORY, 0,
                          "its static arrays take more memory than the limit, %d GB",
                          MEMORY_LIMIT_MB >> 10);
    shared_result_end(process->result, VERDICT_COMPILE, 0, "the submission cannot be loaded: %s",
                      why);
}

// clang's OpenMP runtime makes a file in /dev/shm for each process that uses it, when it first does.
// The sandbox would refuse that; nothing else needs the file.
static void start_openmp(void)
{
#if defined __clang__ && defined _OPENMP
    char name[64];
    (void)omp_get_max_threads();
    snprintf(name, sizeof name, "/__KMP_REGISTERED_LIB_%d_%d", (int)getpid(), (int)getuid());
    shm_unlink(name);
#endif
}

_Noreturn void test_process_run(const TestProcess *given)
{
    process = given;
    process->result->owner = getpid();
    shared_result_lock(process->result);
    own_out = stdout;
    own_err = stderr;
    cmocka_out = fopen("/dev/null", "w");
    cmocka_err = open_memstream(&cmocka_text, &cmocka_length);
    if (cmocka_out == NULL || cmocka_err == NULL) _exit(1);
    todo_hook = not_written_yet;

    crash_handler_init(process);
    start_openmp();
    sandbox_enter(process->seconds);
    crash_handler_track_leaks(true);
    load_submission();
    crash_handler_track_leaks(false);
    shared_result_set_phase(process->result, PHASE_RUNNING);

    struct CMUnitTest test = {process->test->name, during, before, after,
                              process->test->initial_state};
    to_cmocka();
    int failed = _cmocka_run_group_tests("case", &test, 1, NULL, NULL);
    crash_handler_install();
    if (failed == 0 && returned) {
        crash_handler_check_leaks();
        shared_result_end(process->result, VERDICT_PASS, 0, "%s", "");
    }
    if (failed == 0)
        shared_result_end(process->result, VERDICT_SKIPPED, 0, "the case skipped itself");
    end_wrong();
}
