#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "common/file.h"
#include "common/options.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A new file, named by the time in UTC; a second one in the same second gets a number.
static int open_backup(Arena *arena, const Lab *lab, const char **path, Error *err)
{
    const char *folder = arena_print(arena, "%s/%s/backup", mine_dir(), lab->id);
    char when[32];
    struct tm utc;
    time_t now = time(NULL);
    if (!file_make_folder(folder, err)) return -1;
    strftime(when, sizeof when, "%Y-%m-%dT%H.%M.%SZ", gmtime_r(&now, &utc));
    for (int number = 1;; number++) {
        const char *more = number == 1 ? "" : arena_print(arena, "-%d", number);
        *path = arena_print(arena, "%s/%s-%s%s.%s", folder, lab->id, when, more, lab_suffix(lab));
        int fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) return fd;
        if (errno != EEXIST) {
            error_set(err, "%s: cannot be written: %s", *path, strerror(errno));
            return -1;
        }
    }
}

// Byte for byte, whatever the file contains.
static bool back_up(Arena *arena, const Lab *lab, const char **path, Error *err)
{
    const char *from = mine_path(arena, lab);
    char bytes[1 << 14];
    ssize_t got = -1;
    int whole = open(from, O_RDONLY | O_CLOEXEC);
    if (whole < 0) return error_set(err, "%s: %s", from, strerror(errno));
    int fd = open_backup(arena, lab, path, err);
    bool kept = fd >= 0;
    while (kept && (got = read(whole, bytes, sizeof bytes)) > 0)
        kept = write(fd, bytes, (size_t)got) == got;
    if (fd >= 0) {
        kept = kept && got == 0 && fsync(fd) == 0;
        if (!kept) error_set(err, "%s: cannot be written: %s", *path, strerror(errno));
        kept = close(fd) == 0 && kept;
        if (!kept) unlink(*path);
    }
    close(whole);
    return kept;
}

// The skeleton, or the learner's file with one function blank; NULL when it has no such function.
static const char *blank(Arena *arena, const Lab *lab, int index, const char *skeleton,
                         const Source *mine)
{
    Source empty;
    if (index < 0) return skeleton;
    source_parse(arena, lab, "skeleton", skeleton, &empty);
    const char *text = source_replace(arena, mine, index, empty.functions[index].text);
    if (text == NULL || strstr(text, "\"common/todo.h\"") != NULL) return text;
    return arena_print(arena, "#include \"common/todo.h\"\n%s", text);    // for LAB_TODO
}

static int report_missing(const Workspace *workspace, const Lab *lab, int index,
                          const char *skeleton)
{
    Source empty;
    source_parse(workspace->arena, lab, "skeleton", skeleton, &empty);
    fprintf(
        stderr,
        "lab: %s has no function %s, so nothing was changed. Put this back and write it:\n\n%s\n"
        "or reset the whole lab, with a backup:  ./lab reset %s\n",
        mine_shown(workspace->arena, mine_path(workspace->arena, lab)),
        lab->exercises[index].function, empty.functions[index].text, lab->id);
    return 1;
}

static bool record(Workspace *workspace, const Lab *lab, int index, Error *err)
{
    for (int i = 0; i < lab->exercise_count; i++)
        if ((index < 0 || i == index) &&
            !progress_record(workspace->arena, &workspace->progress, lab->id, lab->exercises[i].id,
                             "reset", err))
            return false;
    return true;
}

static int reset(Workspace *workspace, const Lab *lab, int index)
{
    Arena *arena = workspace->arena;
    const char *name = workspace_name(workspace, lab, index), *backup = "";
    Source reference, mine = {.text = ""};
    Error err;
    if (!mine_exists(arena, lab)) {
        mine_read(arena, lab, &mine, &err);
        return error_report(&err);
    }
    // A file that is not text can still be saved as a whole.
    if (!source_read_reference(arena, lab, &reference, &err) ||
        (!mine_read(arena, lab, &mine, &err) && index >= 0))
        return error_report(&err);
    const char *skeleton = source_skeleton(arena, lab, &reference, 0);
    const char *text = blank(arena, lab, index, skeleton, &mine);
    if (text == NULL) return report_missing(workspace, lab, index, skeleton);
    if (strcmp(text, mine.text) == 0) {
        console_text(&workspace->console, CONSOLE_PLAIN, 0,
                     arena_print(arena, "%s is already blank.", name));
    } else {
        if (!back_up(arena, lab, &backup, &err) || !file_write(mine_path(arena, lab), text, &err))
            return error_report(&err);
        console_text(&workspace->console, CONSOLE_PLAIN, 0,
                     arena_print(arena, "%s is blank again. Your file was saved as", name));
        printf("  %s\n", mine_shown(arena, backup));
    }
    if (!record(workspace, lab, index, &err)) return error_report(&err);
    putchar('\n');
    workspace_next(workspace, "check", lab, index >= 0 ? index : 0);
    return 0;
}

int command_reset(int argc, char **argv)
{
    Arena *arena = arena_new("reset", 64u << 20);
    const char *word = workspace_word(&argc, argv);
    int status;
    Error err;
    Workspace workspace;
    Choice choice;
    Options *options =
        workspace_options(arena, argv, "lab reset LAB[.EXERCISE]",
                          "Makes one exercise of a lab blank again, or all of them. Your file "
                          "is kept in mine/LAB/backup.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
    if (word == NULL) {
        fprintf(stderr,
                "lab: which one? ./lab reset LAB.EXERCISE, or ./lab reset LAB for all of it\n");
        return 2;
    }
    if (!choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    status = reset(&workspace, choice.lab, choice.exercise);
    arena_free(arena);
    return status;
}
