#include "labs/driver/commands.h"
#include "labs/driver/answer.h"
#include "labs/driver/ccode.h"
#include "labs/driver/choose.h"
#include "labs/driver/mine.h"
#include "common/page.h"
#include "datasets/root.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What keeps the lab from running at all, a sentence each. Returns how many there are.
static int complain(Arena *arena, const Lab *lab, const Source *mine, const Answer *answer)
{
    const char *file     = mine_shown(arena, mine->path);
    int         count    = 0;
    const char *exercise = NULL;
    if (answer->stray != NULL && answer->library == NULL) {
        fprintf(stderr, "%s:%d: does not compile: %s\n", file, answer->stray->line,
                answer->stray->message);
        count++;
    }
    for (int i = 0; i < lab->exercise_count; i++) {
        const Exercise  *e      = &lab->exercises[i];
        const Complaint *broken = answer->broken[i];
        if (broken == NULL && mine->functions[i].text != NULL) continue;
        if (broken != NULL)
            fprintf(stderr, "%s:%d: %s does not compile: %s\n", file,
                    broken->line > 0 ? broken->line : mine->functions[i].first_line, e->id,
                    broken->message);
        else
            fprintf(stderr, "%s: %s is gone, the function of %s; ./lab reset %s.%s shows how it began\n",
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
    Page page = page_begin();
    page_text(&page, PAGE_PLAIN, 0,
              arena_print(arena, "Not written yet: %s. The run ends where it needs one of them.",
                          names));
}

// Makes the learner's library and puts it before the reference for the program that is to start.
static bool put_mine_first(Arena *arena, const Lab *lab)
{
    Error       err;
    Source      mine;
    Answer      answer;
    const char *folder = answer_folder(arena, lab, ANSWER_FAST);
    if (!mine_read(arena, lab, &mine, &err) ||
        !answer_build(arena, lab, &mine, ANSWER_FAST, folder, &answer, &err))
        return error_report(&err), false;
    if (complain(arena, lab, &mine, &answer) > 0) return false;

    printf("On your code: %s\n", mine_shown(arena, mine.path));
    name_the_unwritten(arena, lab, &mine);
    const char *path = getenv("LD_LIBRARY_PATH"), *out = getenv("LAB_OUT");
    bool        more = path != NULL && path[0] != '\0', elsewhere = out != NULL && out[0] != '\0';
    setenv("LD_LIBRARY_PATH", arena_print(arena, "%s%s%s", folder, more ? ":" : "", more ? path : ""),
           1);
    setenv("LAB_OUT", arena_print(arena, "%s/mine", elsewhere ? out : "out"), 1);
    setenv("LAB_CHECK", arena_print(arena, "./lab check %s", lab->id), 1);    // for when it fails
    return true;
}

int command_run(int argc, char **argv)
{
    static const char usage[] = "./lab run LAB [--mine] [options]; ./lab run LAB --help names them";
    bool              mine    = mine_asked(&argc, argv);
    Arena            *arena   = arena_new("run", 64u << 20);
    Error             err;
    Course            course;
    Choice            choice;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return puts(usage) < 0;
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "lab: which one? %s\n", usage);
        return 2;
    }
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    if (!choose(&course, &(Progress){0}, argv[1], &choice)) return 2;
    const char *name = choice.lab->id;
    if (choice.exercise >= 0) {
        fprintf(stderr, "lab: a lab runs as a whole: ./lab run %s\n", name);
        return 2;
    }
    if (mine && !put_mine_first(arena, choice.lab)) return 1;

    // The lab takes this process over: its exit status, signals and terminal are its own.
    argv[1] = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, name);
    setenv("LAB_COMMAND", arena_print(arena, "./lab run %s%s", name, mine ? " --mine" : ""), 1);
    fflush(stdout);
    execv(argv[1], argv + 1);
    fprintf(stderr, "lab: %s: %s\n", argv[1], strerror(errno));
    return 1;
}
