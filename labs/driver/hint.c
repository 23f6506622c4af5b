#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

static const char *const level_names[LAB_HINTS] = {"idea", "formula", "almost code"};

// A hint that was read before: its beginning, in one line.
static const char *shortened(const Workspace *workspace, const char *text, int columns)
{
    if ((int)strlen(text) <= columns) return text;
    int end = columns - 4;
    while (end > 0 && text[end] != ' ') end--;
    return arena_print(workspace->arena, "%.*s ...", end, text);
}

static void show(const Workspace *workspace, const Lab *lab, int index, int level)
{
    const Exercise *exercise = &lab->exercises[index];
    const Console *console = &workspace->console;
    console_text(console, CONSOLE_BOLD, 0,
                 arena_print(workspace->arena, "%s: hint %d of %d, %s",
                             workspace_name(workspace, lab, index), level, LAB_HINTS,
                             level_names[level - 1]));
    for (int i = 0; i < level - 1; i++)
        console_text(console, CONSOLE_DIM, 2,
                     arena_print(workspace->arena, "%d. %s", i + 1,
                                 shortened(workspace, exercise->hints[i], console->columns - 5)));
    if (level > 1) putchar('\n');
    console_text(console, CONSOLE_PLAIN, 2, exercise->hints[level - 1]);
    putchar('\n');
}

static int hint(Workspace *workspace, const Lab *lab, int index)
{
    const Exercise *exercise = &lab->exercises[index];
    int seen = progress_hints(&workspace->progress, lab->id, exercise->id);
    int level = seen < LAB_HINTS ? seen + 1 : LAB_HINTS;
    const char *name = workspace_name(workspace, lab, index);
    Error err;
    bool recorded = seen == LAB_HINTS ||
                    progress_record(workspace->arena, &workspace->progress, lab->id, exercise->id,
                                    arena_print(workspace->arena, "hint %d", level), &err);
    show(workspace, lab, index, level);
    if (mine_exists(workspace->arena, lab)) workspace_next(workspace, "check", lab, index);
    else workspace_next(workspace, "start", lab, -1);
    if (level < LAB_HINTS)
        console_command(&workspace->console, "or",
                        arena_print(workspace->arena, "./lab hint %s", name),
                        "shows the next hint");
    else
        console_command(&workspace->console, "or",
                        arena_print(workspace->arena, "./lab solution %s --give-up", name),
                        "shows the reference, which is recorded");
    return recorded ? 0 : error_print("not recorded: %s", err.message);
}

int command_hint(int argc, char **argv)
{
    Arena *arena = arena_new("hint", 64u << 20);
    const char *word = workspace_word(&argc, argv);
    int status;
    Error err;
    Workspace workspace;
    Choice choice;
    Options *options =
        workspace_options(arena, argv, "lab hint [LAB[.EXERCISE]]",
                          "Prints the next hint at every call: the idea, the formula, almost "
                          "the code. The default is the first exercise that is not done.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
    if (!choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    int index =
        choice.exercise >= 0 ? choice.exercise : choose_next(choice.lab, &workspace.progress);
    if (index >= 0) {
        status = hint(&workspace, choice.lab, index);
    } else {
        console_text(
            &workspace.console, CONSOLE_PLAIN, 0,
            arena_print(
                arena,
                "All exercises of %s are done. ./lab hint %s.EXERCISE shows the hints of one.",
                choice.lab->id, choice.lab->id));
        workspace_next_in(&workspace, choice.lab);
        status = 0;
    }
    arena_free(arena);
    return status;
}
