#include "labs/driver/launch.h"
#include "labs/driver/submission.h"
#include "labs/driver/ccode.h"
#include "labs/driver/choose.h"
#include "labs/driver/mine.h"
#include "common/console.h"
#include "common/file.h"
#include "datasets/root.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Prints what keeps the lab from running at all, one message each. Returns how many there are.
static int complain(Arena *arena, const Lab *lab, const Source *mine, const Submission *submission)
{
    const char *file = mine_shown(arena, mine->path);
    int count = 0;
    const char *exercise = NULL;
    if (submission->stray != NULL && submission->library == NULL) {
        fprintf(stderr, "%s:%d: does not compile: %s\n", file, submission->stray->line,
                submission->stray->message);
        count++;
    }
    for (int i = 0; i < lab->exercise_count; i++) {
        const Exercise *e = &lab->exercises[i];
        const Complaint *broken = submission->broken[i];
        if (broken == NULL && mine->functions[i].text != NULL) continue;
        if (broken != NULL)
            fprintf(stderr, "%s:%d: %s does not compile: %s\n", file,
                    broken->line > 0 ? broken->line : mine->functions[i].first_line, e->id,
                    broken->message);
        else
            fprintf(stderr,
                    "%s: %s is missing, the function of %s; ./lab reset %s.%s shows its skeleton\n",
                    file, e->function, e->id, lab->id, e->id);
        if (exercise == NULL) exercise = e->id;
        count++;
    }
    if (count > 0)
        fprintf(stderr, "next  ./lab check %s%s%s\n", lab->id, exercise != NULL ? "." : "",
                exercise != NULL ? exercise : "");
    return count;
}

static bool is_unwritten(Arena *arena, const Source *mine, int exercise)
{
    return strstr(code_only(arena, mine->functions[exercise].text), "LAB_TODO") != NULL;
}

// The ids of the exercises that are written, or of those that are not, with `between` between them.
static const char *names(Arena *arena, const Lab *lab, const Source *mine, bool written,
                         const char *between)
{
    const char *all = "";
    for (int i = 0; i < lab->exercise_count; i++)
        if (is_unwritten(arena, mine, i) != written)
            all = arena_print(arena, "%s%s%s", all, *all != '\0' ? between : "",
                              lab->exercises[i].id);
    return all;
}

static void name_the_unwritten(Arena *arena, const Lab *lab, const Source *mine, FILE *notes)
{
    const char *missing = names(arena, lab, mine, false, ", "),
               *written = names(arena, lab, mine, true, ", ");
    if (*missing == '\0' && !lab->fills) return;
    Console console = console_begin();
    if (*missing == '\0') fprintf(notes, "Yours: all %d exercises.\n", lab->exercise_count);
    else if (!lab->fills)
        console_text(&console, CONSOLE_PLAIN, 0,
                     arena_print(arena,
                                 "Not written yet: %s. The run stops where it needs one of them.",
                                 missing));
    else
        fprintf(notes, "Yours: %s. Not written yet, so the lab's own: %s.\n",
                *written != '\0' ? written : "none", missing);
}

// The library of the file in which the reference's functions take the place of those that are not written.
static bool build_filled(Arena *arena, const Lab *lab, Source mine, const char **folder)
{
    Error err;
    Source reference, clean;
    Submission submission;
    *folder = arena_print(arena, "%s/filled", *folder);
    if (!source_read_reference(arena, lab, &reference, &err)) return error_report(&err), false;
    source_parse(arena, lab, reference.path,
                 source_skeleton(arena, lab, &reference, lab->exercise_count), &clean);
    for (int i = 0; i < lab->exercise_count; i++)
        if (is_unwritten(arena, &mine, i))
            source_parse(arena, lab, mine.path,
                         source_replace(arena, &mine, i, clean.functions[i].text), &mine);
    if (!submission_build(arena, lab, &mine, SUBMISSION_FAST, *folder, &submission, &err))
        return error_report(&err), false;
    const Complaint *fault = submission.stray;
    for (int i = 0; i < lab->exercise_count && fault == NULL; i++) fault = submission.broken[i];
    if (fault == NULL) return true;
    error_print("%s: the reference's functions do not compile in place of those that are not "
                "written yet: %s; is a helper function gone?",
                mine_shown(arena, mine.path), fault->message);
    return false;
}

bool launch_on_mine(Arena *arena, const Lab *lab, FILE *notes)
{
    Error err;
    Source mine;
    Submission submission;
    const char *folder = submission_folder(arena, lab, SUBMISSION_FAST);
    if (!mine_read(arena, lab, &mine, &err) ||
        !submission_build(arena, lab, &mine, SUBMISSION_FAST, folder, &submission, &err))
        return error_report(&err), false;
    if (complain(arena, lab, &mine, &submission) > 0) return false;

    fprintf(notes, "On your code: %s\n", mine_shown(arena, mine.path));
    if (notes == stdout || lab->fills) name_the_unwritten(arena, lab, &mine, notes);
    if (lab->fills && *names(arena, lab, &mine, false, ", ") != '\0' &&
        !build_filled(arena, lab, mine, &folder))
        return false;
    const char *path = getenv("LD_LIBRARY_PATH");
    bool more = path != NULL && path[0] != '\0';
    setenv("LD_LIBRARY_PATH",
           arena_print(arena, "%s%s%s", folder, more ? ":" : "", more ? path : ""), 1);
    setenv("LAB_OUT", launch_results(arena, true), 1);
    setenv("LAB_WRITTEN", names(arena, lab, &mine, true, " "), 1);
    setenv("LAB_CHECK", arena_print(arena, "%s check %s", console_lab(), lab->id),
           1);    // for when it fails
    return true;
}

int launch_engine(const char *program, int argc, char **argv)
{
    Arena *arena = arena_new(program, 64u << 20);
    const bool mine = mine_asked(&argc, argv);
    Error err;
    Course course;
    Choice choice;
    if (mine) {
        if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
        if (!choose(&course, &(Progress){0}, "paged_kv", &choice)) return 2;
        if (!launch_on_mine(arena, choice.lab, stderr)) return 1;
    }
    return launch(arena, program, arena_print(arena, "./lab %s%s", program, mine ? " --mine" : ""),
                  argv);
}

const char *launch_results(Arena *arena, bool mine)
{
    const char *out = getenv("LAB_OUT");
    if (out == NULL || out[0] == '\0')
        out = file_shown(arena, arena_print(arena, "%s/out", root_dir()));
    return mine ? arena_print(arena, "%s/mine", out) : out;
}

int launch(Arena *arena, const char *program, const char *command, char **argv)
{
    argv[0] = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, program);
    setenv("LAB_COMMAND", arena_print(arena, "%s%s", console_lab(), command + strlen("./lab")), 1);
    setenv("LAB_OUT", launch_results(arena, false), 1);
    setenv("LAB_ROOT", root_dir(), 1);
    fflush(stdout);
    execv(argv[0], argv);
    error_print("%s: %s", argv[0], strerror(errno));
    return 1;
}
