#include "labs/driver/commands.h"
#include "labs/driver/answer.h"
#include "labs/driver/ccode.h"
#include "labs/driver/choose.h"
#include "labs/driver/course.h"
#include "labs/driver/mine.h"
#include "labs/driver/nearest.h"
#include "labs/driver/page.h"
#include "datasets/root.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The lab that is called so, or the only one whose name begins so; otherwise NULL and a sentence.
static const char *choose_name(const char *word, const char *const *names, int count)
{
    const char *chosen = NULL;
    int         starts = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], word) == 0) return names[i];
        if (strncmp(names[i], word, strlen(word)) != 0) continue;
        chosen = names[i];
        starts++;
    }
    if (starts == 1) return chosen;
    const char *near = nearest(word, names, count);
    if (starts > 1)
        fprintf(stderr, "lab: %d labs begin with '%s'; lab list names them\n", starts, word);
    else if (near != NULL)
        fprintf(stderr, "lab: there is no lab '%s'; did you mean '%s'?\n", word, near);
    else
        fprintf(stderr, "lab: there is no lab '%s'; lab list names them\n", word);
    return NULL;
}

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
            fprintf(stderr, "%s: %s is gone, the function of %s; ./lab reset %s.%s brings it back\n",
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
static bool put_mine_first(Arena *arena, const char *name, int *status)
{
    Error  err;
    Course course;
    Choice choice;
    Source mine;
    Answer answer;
    *status = EXIT_FAILURE;
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err), false;
    if (!choose(&course, &(Progress){0}, name, &choice)) return false;
    const Lab  *lab    = choice.lab;
    const char *folder = answer_folder(arena, lab, ANSWER_FAST);
    if (!mine_read(arena, lab, &mine, &err) ||
        !answer_build(arena, lab, &mine, ANSWER_FAST, folder, &answer, &err))
        return error_report(&err), false;
    if (complain(arena, lab, &mine, &answer) > 0) return false;

    printf("On your code: %s\n", mine_shown(arena, mine.path));
    name_the_unwritten(arena, lab, &mine);
    fflush(stdout);
    const char *path = getenv("LD_LIBRARY_PATH"), *out = getenv("LAB_OUT");
    bool        more = path != NULL && path[0] != '\0', elsewhere = out != NULL && out[0] != '\0';
    setenv("LD_LIBRARY_PATH", arena_print(arena, "%s%s%s", folder, more ? ":" : "", more ? path : ""),
           1);
    setenv("LAB_OUT", arena_print(arena, "%s/mine", elsewhere ? out : "out"), 1);
    setenv("LAB_CHECK", arena_print(arena, "./lab check %s", name), 1);    // for when it fails
    return true;
}

int command_run(int argc, char **argv)
{
    bool mine = mine_asked(&argc, argv);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "lab: which one? lab run LAB [options]; lab list names them\n");
        return 2;
    }
    Arena       *arena = arena_new("run", 64u << 20);
    const char **names;
    int          status, count = course_folders(arena, root_dir(), &names);
    for (int i = 0; i < count; i++) names[i] = strchr(names[i], '/') + 1;
    const char *name = choose_name(argv[1], names, count);
    if (name == NULL) return 2;
    if (mine && !put_mine_first(arena, name, &status)) return status;

    // The lab takes this process over: its exit status, signals and terminal are its own.
    argv[1] = arena_print(arena, "%s/labs/%s", LAB_BUILD_DIR, name);
    setenv("LAB_COMMAND", arena_print(arena, "./lab run %s%s", name, mine ? " --mine" : ""), 1);
    execv(argv[1], argv + 1);
    fprintf(stderr, "lab: %s: %s\n", argv[1], strerror(errno));
    return 1;
}
