#include "labs/driver/launch.h"
#include "labs/driver/submission.h"
#include "labs/driver/ccode.h"
#include "labs/driver/mine.h"
#include "common/console.h"
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

static void name_the_unwritten(Arena *arena, const Lab *lab, const Source *mine)
{
    const char *names = "";
    for (int i = 0; i < lab->exercise_count; i++)
        if (strstr(code_only(arena, mine->functions[i].text), "LAB_TODO") != NULL)
            names = arena_print(arena, "%s%s%s", names, *names != '\0' ? ", " : "",
                                lab->exercises[i].id);
    if (*names == '\0') return;
    Console console = console_begin();
    console_text(&console, CONSOLE_PLAIN, 0,
                 arena_print(arena,
                             "Not written yet: %s. The run stops where it needs one of them.",
                             names));
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
    if (notes == stdout) name_the_unwritten(arena, lab, &mine);
    const char *path = getenv("LD_LIBRARY_PATH"), *out = getenv("LAB_OUT");
    bool more = path != NULL && path[0] != '\0', elsewhere = out != NULL && out[0] != '\0';
    setenv("LD_LIBRARY_PATH",
           arena_print(arena, "%s%s%s", folder, more ? ":" : "", more ? path : ""), 1);
    setenv("LAB_OUT", arena_print(arena, "%s/mine", elsewhere ? out : "out"), 1);
    setenv("LAB_CHECK", arena_print(arena, "./lab check %s", lab->id), 1);    // for when it fails
    return true;
}

int launch(Arena *arena, const char *program, const char *command, char **argv)
{
    argv[0] = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, program);
    setenv("LAB_COMMAND", command, 1);
    fflush(stdout);
    execv(argv[0], argv);
    error_print("%s: %s", argv[0], strerror(errno));
    return 1;
}
