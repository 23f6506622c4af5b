#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "datasets/root.h"
#include "common/file.h"
#include "common/options.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// compile_flags.txt, which clangd reads: the flags that a submission is built with (submission.cmake).
static const char *editor_flags(Arena *arena, const Lab *lab)
{
    if (lab->cuda)
        return arena_print(arena,
                           "-xc++\n-std=gnu++17\n-D_GNU_SOURCE\n-iquote%s\n-I%s\n-Wall\n-Wextra\n"
                           "-Wno-unused-parameter\n-Wno-unused-function\n",
                           lab->folder, root_dir());
    return arena_print(arena,
                       "-std=gnu17\n-D_GNU_SOURCE\n-iquote%s\n-I%s\n-Wall\n-Wextra\n"
                       "-Wno-unused-parameter\n-Wno-unused-function\n"
                       "-Werror=implicit-function-declaration\n",
                       lab->folder, root_dir());
}

// Existing files are left unchanged.
static bool write_new(const char *path, const char *text, Error *err)
{
    return access(path, F_OK) == 0 || file_write(path, text, err);
}

// For a learner who keeps mine/ in git: a merge keeps the progress of both sides, and files that only
// this machine can use are ignored.
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

// The learner's file is written last: if it exists, everything does. A failure removes the new folder.
static bool create_files(Arena *arena, const Lab *lab, const char *skeleton, Error *err)
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

static const char *needs_text(const Workspace *workspace, const Lab *lab)
{
    const char *text = "";
    for (int i = 0; i < lab->need_count; i++) {
        const char *state = "not in this course";
        for (int j = 0; j < workspace->course.lab_count; j++)
            if (strcmp(workspace->course.labs[j].id, lab->needs[i]) == 0)
                state = choose_next(&workspace->course.labs[j], &workspace->progress) < 0
                            ? "done"
                            : "not done yet";
        text = arena_print(workspace->arena, "%s%s%s (%s)", text, i > 0 ? ", " : "", lab->needs[i],
                           state);
    }
    return text;
}

// The comment and the prototype of the header are printed verbatim: they are code.
static void show_exercise(const Workspace *workspace, const Lab *lab, int index)
{
    const Exercise *exercise = &lab->exercises[index];
    const char *promise = source_promise(workspace->arena, lab, index);
    console_item(&workspace->console, 0, 6, "task",
                 arena_print(workspace->arena, "%s, %d point%s: write %s. From %s.h:", exercise->id,
                             exercise->points, exercise->points == 1 ? "" : "s", exercise->function,
                             lab->id));
    putchar('\n');
    if (promise != NULL) console_lines(&workspace->console, CONSOLE_PLAIN, 4, promise, INT_MAX);
    putchar('\n');
}

static void show_lesson(const Workspace *workspace, const Lab *lab)
{
    int first = choose_next(lab, &workspace->progress);
    console_text(&workspace->console, CONSOLE_BOLD, 0, lab->title);
    console_text(&workspace->console, CONSOLE_PLAIN, 0, lab->about);
    putchar('\n');
    const char *lesson = arena_print(workspace->arena, "%s/README.md", lab->folder);
    console_command(&workspace->console, "read",
                    options_quoted(workspace->arena, mine_shown(workspace->arena, lesson)), "");
    if (lab->need_count > 0)
        console_item(&workspace->console, 0, 6, "need", needs_text(workspace, lab));
    show_exercise(workspace, lab, first >= 0 ? first : 0);
}

// Inside the checkout the work is ignored by its git, and `git clean -fdx` deletes it, except where it is a
// repository of its own.
static void show_how_to_keep(const Workspace *workspace)
{
    Arena *arena = workspace->arena;
    const char *mine = mine_dir(), *root = root_dir();
    size_t length = strlen(root);
    bool inside = strncmp(mine, root, length) == 0 && mine[length] == '/';
    if (!inside || access(arena_print(arena, "%s/.git", mine), F_OK) == 0) return;
    console_command(
        &workspace->console, "keep",
        arena_print(arena, "git init %s", options_quoted(arena, file_shown(arena, mine))),
        "or git clean -fdx deletes it");
}

static int start(const Workspace *workspace, const Lab *lab)
{
    Arena *arena = workspace->arena;
    const char *shown = console_keep(mine_shown(arena, mine_path(arena, lab)));
    Source reference;
    Error err;
    if (!mine_exists(arena, lab) && access(mine_path(arena, lab), F_OK) == 0)    // a folder, a pipe
        return source_read(arena, lab, mine_path(arena, lab), &reference, &err), error_report(&err);
    if (mine_exists(arena, lab)) {    // from another machine, perhaps
        if (!write_new(flags_path(arena, lab), editor_flags(arena, lab), &err))
            return error_report(&err);
        console_text(&workspace->console, CONSOLE_PLAIN, 0,
                     arena_print(arena, "%s already exists and was not changed: %s.", shown,
                                 workspace_standing_text(workspace, lab)));
        putchar('\n');
        workspace_next_in(workspace, lab);
        console_command(&workspace->console, "or", arena_print(arena, "./lab reset %s", lab->id),
                        "starts over, with a backup");
        return 0;
    }
    Progress progress = workspace->progress;
    if (!source_read_reference(arena, lab, &reference, &err) ||
        !progress_record(arena, &progress, lab->id, "", "start", &err) ||
        !create_files(arena, lab, source_skeleton(arena, lab, &reference, 0), &err))
        return error_report(&err);
    console_text(&workspace->console, CONSOLE_GOOD, 0,
                 arena_print(arena, "%s is yours: %d function%s to write, about %d minutes.", shown,
                             lab->exercise_count, lab->exercise_count == 1 ? "" : "s",
                             lab->minutes));
    show_how_to_keep(workspace);
    putchar('\n');
    show_lesson(workspace, lab);
    workspace_next_in(workspace, lab);
    console_command(&workspace->console, "or", arena_print(arena, "./lab watch %s", lab->id),
                    "checks whenever you save");
    return 0;
}

// The message for `lab start` without a lab.
static int ask_which(const Workspace *workspace)
{
    for (int i = 0; i < workspace->course.lab_count; i++)
        if (!mine_exists(workspace->arena, &workspace->course.labs[i])) {
            fprintf(stderr, "lab: which one? ./lab start %s, for example; ./lab list shows them\n",
                    workspace->course.labs[i].id);
            return 2;
        }
    fprintf(stderr, "lab: which one? All are started; ./lab list shows them\n");
    return 2;
}

int command_start(int argc, char **argv)
{
    Arena *arena = arena_new("start", 64u << 20);
    const char *word = workspace_word(&argc, argv);
    int status;
    Error err;
    Workspace workspace;
    Choice choice;
    Options *options =
        workspace_options(arena, argv, "lab start LAB",
                          "Writes mine/LAB/LAB.c (or .cu) with the exercises blank, and shows the "
                          "first. An existing file is never overwritten.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
    if (word == NULL) return ask_which(&workspace);
    if (!choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    status = start(&workspace, choice.lab);
    arena_free(arena);
    return status;
}
