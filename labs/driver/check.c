#include "labs/driver/check.h"
#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "labs/driver/results.h"
#include "labs/driver/verdicts.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

// ---- one check ----

static void record(Arena *arena, const Lab *lab, Grade *grade, Progress *progress)
{
    Error err;
    for (int e = 0; e < lab->exercise_count; e++) {
        const char *id = lab->exercises[e].id;
        Verdict verdict = grade->exercises[e].verdict;
        ExerciseState state = progress_state(progress, lab->id, id);
        const char *event = verdict == VERDICT_PASS   ? "done"
                            : verdict == VERDICT_TODO ? "reset"
                                                      : "wrong";
        bool graded = verdict != VERDICT_COMPILE && verdict != VERDICT_MISSING;
        if (!grade->exercises[e].asked || verdict == VERDICT_SKIPPED) continue;
        if (grade->problem != NULL || (!graded && state == EXERCISE_DONE)) continue;
        if (progress_record(arena, progress, lab->id, id, event, &err)) continue;
        grade->unrecorded = arena_print(arena, "%s", err.message);
        return;
    }
}

// Marks what the exercise calls, itself or through others, and what was not asked for.
static void add_called(const Lab *lab, const Grade *grade, int exercise, bool *also)
{
    for (int e = 0; e < lab->exercise_count; e++) {
        if (also[e] || grade->exercises[e].asked || !source_calls(lab, grade->source, exercise, e))
            continue;
        also[e] = true;
        add_called(lab, grade, e, also);
    }
}

// An exercise that is wrong because of one that it calls: that one is graded as well.
static bool grade_called(Arena *arena, const Lab *lab, const Source *mine, Grade *grade, Error *err)
{
    size_t count = (size_t)lab->exercise_count;
    bool *also = arena_zeros(arena, count * sizeof *also), any = false;
    Grade called;
    for (int e = 0; e < lab->exercise_count; e++)
        if (grade->exercises[e].asked && grade->exercises[e].verdict != VERDICT_PASS)
            add_called(lab, grade, e, also);
    for (int e = 0; e < lab->exercise_count; e++) any = any || also[e];
    if (!any || grade->problem != NULL) return true;
    if (!grade_submission(arena, lab, mine, also, &called, err)) return false;
    for (int e = 0; e < lab->exercise_count; e++)
        if (also[e]) {
            grade->exercises[e] = called.exercises[e];
            grade->exercises[e].asked = false;
        }
    return true;
}

bool check_once(Arena *arena, const Lab *lab, const bool *asked, Progress *progress, Grade *grade,
                Error *err)
{
    Source *mine = arena_alloc(arena, sizeof *mine);    // the grade shows its lines later on
    if (!mine_read(arena, lab, mine, err) ||
        !grade_submission(arena, lab, mine, asked, grade, err) ||
        !grade_called(arena, lab, mine, grade, err))
        return false;
    record(arena, lab, grade, progress);
    return true;
}

// ---- lab check ----

typedef struct CheckOptions {
    const char *word;    // LAB[.EXERCISE], or NULL
    bool json;
    const char *json_path, *junit;    // NULL: standard output; no file
    VerdictsShown shown;
} CheckOptions;

// Takes out the lab's name and --json, which takes the next argument only if that is a file name; the
// others are left to the options.
static void take_arguments(CheckOptions *asked, int *argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const char *dot = i + 1 < *argc ? strrchr(argv[i + 1], '.') : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            asked->json = true;
            if (dot != NULL && strcmp(dot, ".json") == 0) asked->json_path = argv[++i];
        } else if (strncmp(argv[i], "--json=", 7) == 0) {
            asked->json = true;
            asked->json_path = argv[i] + 7;
        } else if (strcmp(argv[i], "--junit") == 0 && i + 1 < *argc) {
            argv[kept++] = argv[i++];
            argv[kept++] = argv[i];
        } else if (argv[i][0] != '-' && asked->word == NULL) {
            asked->word = argv[i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *argc = kept;
}

static bool read_options(Arena *arena, int argc, char **argv, CheckOptions *asked, int *status)
{
    bool json = false;
    Options *options =
        workspace_options(arena, argv, "lab check [LAB[.EXERCISE]]",
                          "Compiles your copy with sanitizers and runs the lab's cases on it. "
                          "The exit status is 0 only if every requested exercise passes.");
    options_flag(options, "all", 'a', &asked->shown.all, "print every failing case in full");
    options_flag(options, "verbose", 'v', &asked->shown.verbose,
                 "also print the output of the compiler or sanitizer");
    options_flag(
        options, "json", 0, &json,
        "the results as JSON and nothing else; --json FILE.json or --json=FILE: into a file");
    options_string(options, "junit", 0, &asked->junit, "FILE", "the results as JUnit XML");
    take_arguments(asked, &argc, argv);
    return options_parse(options, argc, argv, status);
}

static bool write_results(Arena *arena, const Lab *lab, const Grade *grade,
                          const CheckOptions *asked, Error *err)
{
    return (asked->junit == NULL || results_junit(arena, lab, grade, asked->junit, err)) &&
           (!asked->json || results_json(arena, lab, grade, asked->json_path, err));
}

int command_check(int argc, char **argv)
{
    Arena *arena = arena_new("check", 256u << 20);
    CheckOptions asked = {0};
    Workspace workspace;
    Choice choice;
    Grade grade;
    Error err;
    int status;
    if (!read_options(arena, argc, argv, &asked, &status)) return status;
    if (!workspace_open_to_grade(&workspace, arena, &err)) return error_report(&err);
    if (!choose(&workspace.course, &workspace.progress, asked.word, &choice)) return 2;

    const Lab *lab = choice.lab;
    bool *only = arena_zeros(arena, (size_t)lab->exercise_count * sizeof *only);
    if (choice.exercise >= 0) only[choice.exercise] = true;
    if (choice.exercise < 0) only = NULL;
    if (!check_once(arena, lab, only, &workspace.progress, &grade, &err)) {
        Error unwritten;    // so that a classroom's script finds a result for everyone
        grade_unreadable(arena, lab, only, err.message, &grade);
        if (!write_results(arena, lab, &grade, &asked, &unwritten)) error_report(&unwritten);
        return error_report(&err);
    }
    bool written = write_results(arena, lab, &grade, &asked, &err);
    if (!asked.json || asked.json_path != NULL) {
        verdicts_show(&workspace.console, arena, lab, &grade, asked.shown);
        verdicts_next(&workspace.console, arena, lab, &grade, &workspace.progress);
    }
    if (grade.unrecorded != NULL) error_print("not recorded: %s", grade.unrecorded);
    if (!written) return error_report(&err);
    bool passes = grade_passes(lab, &grade);
    arena_free(arena);
    return passes ? 0 : 1;
}
