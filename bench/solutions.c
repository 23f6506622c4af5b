#include "bench/solutions.h"
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIGHT = 81, WRONG = 82 };    // how a test ends; not what a program's exit() usually says

void solutions_options(Options *options, Solutions *solutions)
{
    options_group(options, "Exercises");
    options_string(options, "only", 'o', &solutions->only, "EXERCISE", "this one alone");
    options_string(options, "mine", 'm', &solutions->mine, "LIBRARY",
                   "your solutions, built; --mine alone builds them (./lab bench)");
    options_string(options, "left-out", 0, &solutions->left_out, "LIST",
                   "of yours, not to be timed, and why: FIRST=wrong,SECOND=crashed");
}

void solutions_add(Solutions *solutions, const char *exercise, const char *function)
{
    REQUIRE(solutions->count < SOLUTIONS_MAX, "over %d exercises to time", SOLUTIONS_MAX);
    solutions->all[solutions->count++] = (Solved){.exercise = exercise, .function = function};
}

bool solutions_asked(const Solutions *solutions, int index)
{
    return solutions->only == NULL || strcmp(solutions->only, solutions->all[index].exercise) == 0;
}

// ---- libraries ----

// Its names stay its own: both define the same functions.
static void *open_library(const char *path, Error *err)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) error_set(err, "%s", dlerror());
    return library;
}

static Solution *find(void *library, const char *function)
{
    Solution *solution;
    *(void **)&solution = dlsym(library, function);    // as POSIX shows
    return solution;
}

static bool find_references(Solutions *solutions, const char *path, Error *err)
{
    void *library = open_library(path, err);
    if (library == NULL) return false;
    for (int i = 0; i < solutions->count; i++) {
        Solved *solved = &solutions->all[i];
        if (solved->function == NULL) continue;
        solved->reference = find(library, solved->function);
        if (solved->reference == NULL)
            return error_set(err, "%s: has no %s", path, solved->function);
    }
    return true;
}

// ---- tests before the timing ----

static _Noreturn void run_test(const Solutions *solutions, int index, SolutionTest *test,
                               const void *context, FILE *printed)
{
    dup2(fileno(printed), STDOUT_FILENO);
    dup2(fileno(printed), STDERR_FILENO);
    alarm((unsigned)solutions->test_seconds);
    bool right = test(context, index, solutions->all[index].own);
    fflush(stdout);
    _exit(right ? RIGHT : WRONG);
}

static const char *try(Arena *keep, const Solutions *solutions, int index, SolutionTest *test,
                       const void *context)
{
    FILE *printed = tmpfile();
    if (printed == NULL) return "no room to try it";
    fflush(NULL);
    int status = 0;
    pid_t child = fork();
    if (child == 0) run_test(solutions, index, test, context, printed);
    bool ended = child > 0 && waitpid(child, &status, 0) == child;
    struct stat entry;
    bool prints = fstat(fileno(printed), &entry) == 0 && entry.st_size > 0;
    fclose(printed);
    if (!ended) return "it could not be tried";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return arena_print(keep, "takes over %d s at this size", solutions->test_seconds);
    if (WIFSIGNALED(status)) return "crashes at this size";
    if (WEXITSTATUS(status) == WRONG) return "wrong at this size";
    if (WEXITSTATUS(status) != RIGHT) return "ends the program";
    return prints ? "prints, and printing takes time" : NULL;
}

// "wrong" of "kl=wrong,loss=not written yet" for kl.
static const char *left_out(Arena *keep, const Solutions *solutions, const char *exercise)
{
    size_t length = strlen(exercise);
    for (const char *item = solutions->left_out; item != NULL && *item != '\0';) {
        size_t bytes = strcspn(item, ",");
        if (strncmp(item, exercise, length) == 0 && item[length] == '=')
            return arena_print(keep, "%.*s", (int)(bytes - length - 1), item + length + 1);
        item += bytes + (item[bytes] == ',');
    }
    return NULL;
}

bool solutions_open(Arena *keep, Solutions *solutions, SolutionTest *test, const void *context,
                    Error *err)
{
    bool any = false;
    for (int i = 0; i < solutions->count; i++) any = any || solutions_asked(solutions, i);
    if (!any)
        return error_set(err, "%s has no exercise '%s' to time", solutions->lab, solutions->only);
    const char *path =
        arena_print(keep, LAB_BINARY_DIR "/labs/libexercises_%s" LAB_LIBRARY_ENDS, solutions->lab);
    if (!find_references(solutions, path, err)) return false;
    void *library = NULL;
    if (solutions->mine != NULL && (library = open_library(solutions->mine, err)) == NULL)
        return false;
    for (int i = 0; library != NULL && i < solutions->count; i++) {
        Solved *solved = &solutions->all[i];
        if (solved->function == NULL || !solutions_asked(solutions, i)) continue;
        solved->own = find(library, solved->function);
        solved->why_not = left_out(keep, solutions, solved->exercise);
        if (solved->own == NULL && solved->why_not == NULL) solved->why_not = "function is missing";
        if (solved->why_not == NULL) solved->why_not = try(keep, solutions, i, test, context);
        if (solved->why_not != NULL) solved->own = NULL;
    }
    return true;
}
