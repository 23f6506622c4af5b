#include "labs/driver/commands.h"
#include "labs/driver/desk.h"
#include "labs/driver/mine.h"
#include "datasets/root.h"
#include "common/file.h"
#include "common/options.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// What clangd takes from the folder it finds a file in: the flags that an answer is
// built with (answer.cmake).
static const char *editor_flags(Arena *arena, const Lab *lab)
{
    return arena_print(arena,
                       "-std=gnu17\n-D_GNU_SOURCE\n-iquote%s\n-I%s\n-Wall\n-Wextra\n"
                       "-Wno-unused-parameter\n-Wno-unused-function\n"
                       "-Werror=implicit-function-declaration\n",
                       lab->folder, root_dir());
}

// What is there already is left as it is.
static bool write_new(const char *path, const char *text, Error *err)
{
    return access(path, F_OK) == 0 || file_write(path, text, err);
}

// For a learner who keeps mine/ in git: two machines' progress is merged by keeping both, and what
// only this machine can use stays out.
static bool write_for_git(Arena *arena, Error *err)
{
    return write_new(arena_print(arena, "%s/.gitattributes", mine_dir()), "progress merge=union\n",
                     err) &&
           write_new(arena_print(arena, "%s/.gitignore", mine_dir()),
                     ".build/\ncompile_flags.txt\n", err);
}

static const char *flags_path(Arena *arena, const Lab *lab)
{
    return arena_print(arena, "%s/%s/compile_flags.txt", mine_dir(), lab->id);
}

// The learner's file last: where it stands, all is there. What was made for nothing goes again.
static bool lay_out(Arena *arena, const Lab *lab, const char *skeleton, Error *err)
{
    const char *folder = arena_print(arena, "%s/%s", mine_dir(), lab->id);
    const char *flags = flags_path(arena, lab);
    bool made = access(folder, F_OK) != 0;
    if (!file_make_folder(folder, err)) return false;
    bool laid = write_for_git(arena, err) && file_write(flags, editor_flags(arena, lab), err) &&
                file_write(mine_path(arena, lab), skeleton, err);
    if (!laid && made) {
        unlink(flags);
        rmdir(folder);
    }
    return laid;
}

static const char *needs_text(const Desk *desk, const Lab *lab)
{
    const char *text = "";
    for (int i = 0; i < lab->need_count; i++) {
        const char *state = "not in this course";
        for (int j = 0; j < desk->course.lab_count; j++)
            if (strcmp(desk->course.labs[j].id, lab->needs[i]) == 0)
                state = choose_next(&desk->course.labs[j], &desk->progress) < 0 ? "done"
                                                                                : "not done yet";
        text =
            arena_print(desk->arena, "%s%s%s (%s)", text, i > 0 ? ", " : "", lab->needs[i], state);
    }
    return text;
}

// The head's own words are shown as they stand there: they are code.
static void show_exercise(const Desk *desk, const Lab *lab, int index)
{
    const Exercise *exercise = &lab->exercises[index];
    const char *promise = source_promise(desk->arena, lab, index);
    page_item(&desk->page, 0, 6, "task",
              arena_print(desk->arena, "%s, %d point%s: write %s. %s.h says of it:", exercise->id,
                          exercise->points, exercise->points == 1 ? "" : "s", exercise->function,
                          lab->id));
    putchar('\n');
    if (promise != NULL) page_lines(&desk->page, PAGE_PLAIN, 4, promise, INT_MAX);
    putchar('\n');
}

static void show_lesson(const Desk *desk, const Lab *lab)
{
    int first = choose_next(lab, &desk->progress);
    page_text(&desk->page, PAGE_BOLD, 0, lab->title);
    page_text(&desk->page, PAGE_PLAIN, 0, lab->about);
    putchar('\n');
    page_item(&desk->page, 0, 6, "read",
              mine_shown(desk->arena, arena_print(desk->arena, "%s/README.md", lab->folder)));
    if (lab->need_count > 0) page_item(&desk->page, 0, 6, "need", needs_text(desk, lab));
    show_exercise(desk, lab, first >= 0 ? first : 0);
}

static int start(const Desk *desk, const Lab *lab)
{
    Arena *arena = desk->arena;
    const char *shown = mine_shown(arena, mine_path(arena, lab));
    Source reference;
    Error err;
    if (mine_exists(arena, lab)) {    // from another machine, perhaps
        if (!write_new(flags_path(arena, lab), editor_flags(arena, lab), &err))
            return error_report(&err);
        page_text(&desk->page, PAGE_PLAIN, 0,
                  arena_print(arena, "%s is there already and stays as it is: %s.", shown,
                              desk_standing_text(desk, lab)));
        putchar('\n');
        desk_next_in(desk, lab);
        page_command(&desk->page, "or", arena_print(arena, "./lab reset %s", lab->id),
                     "begins anew, and keeps a copy");
        return 0;
    }
    Progress progress = desk->progress;
    if (!source_read_reference(arena, lab, &reference, &err) ||
        !progress_record(arena, &progress, lab->id, "", "start", &err) ||
        !lay_out(arena, lab, source_skeleton(arena, lab, &reference, 0), &err))
        return error_report(&err);
    page_text(&desk->page, PAGE_GOOD, 0,
              arena_print(arena, "%s is yours: %d function%s to write, about %d minutes.", shown,
                          lab->exercise_count, lab->exercise_count == 1 ? "" : "s", lab->minutes));
    putchar('\n');
    show_lesson(desk, lab);
    desk_next_in(desk, lab);
    page_command(&desk->page, "or", arena_print(arena, "./lab watch %s", lab->id),
                 "checks whenever you save");
    return 0;
}

// What to answer to `lab start` alone.
static int ask_which(const Desk *desk)
{
    for (int i = 0; i < desk->course.lab_count; i++)
        if (!mine_exists(desk->arena, &desk->course.labs[i])) {
            fprintf(stderr, "lab: which one? ./lab start %s, for example; lab list names them\n",
                    desk->course.labs[i].id);
            return 2;
        }
    fprintf(stderr, "lab: which one? All are started; ./lab list names them\n");
    return 2;
}

int command_start(int argc, char **argv)
{
    Arena *arena = arena_new("start", 64u << 20);
    const char *word = desk_word(&argc, argv);
    int status;
    Error err;
    Desk desk;
    Choice choice;
    Options *options = desk_options(arena, argv, "lab start LAB",
                                    "Writes mine/LAB/LAB.c with the exercises blank, and shows the "
                                    "first. A file that is there already is never overwritten.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!desk_open(&desk, arena, &err)) return error_report(&err);
    if (word == NULL) return ask_which(&desk);
    if (!choose(&desk.course, &desk.progress, word, &choice)) return 2;
    status = start(&desk, choice.lab);
    arena_free(arena);
    return status;
}
