#include "labs/driver/commands.h"
#include "labs/driver/side_by_side.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include "common/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Wider than a console: code is not wrapped, and a wide terminal shows both side by side.
static int columns(void)
{
    const char *given = getenv("COLUMNS");
    int width = given != NULL ? atoi(given) : 0;
    return width > 0 ? width : terminal_size(STDOUT_FILENO).columns;
}

// The function without its marks.
static bool read_solution(const Workspace *workspace, const Lab *lab, int index,
                          const char **solution, Error *err)
{
    Source reference, clean;
    if (!source_read_reference(workspace->arena, lab, &reference, err)) return false;
    const char *text = source_skeleton(workspace->arena, lab, &reference, lab->exercise_count);
    source_parse(workspace->arena, lab, reference.path, text, &clean);
    *solution = clean.functions[index].text;
    return true;
}

static void show(const Workspace *workspace, const Lab *lab, int index, const char *solution)
{
    const char *function = lab->exercises[index].function;
    Source mine;
    Error err;
    if (!mine_read(workspace->arena, lab, &mine, &err))
        console_text(&workspace->console, CONSOLE_DIM, 0, err.message);
    else if (mine.functions[index].text == NULL)
        console_text(&workspace->console, CONSOLE_DIM, 0,
                     arena_print(workspace->arena, "%s has no function %s.",
                                 console_keep(mine_shown(workspace->arena, mine.path)), function));
    else {
        const char *yours =
            arena_print(workspace->arena, "yours, %s:%d", mine_shown(workspace->arena, mine.path),
                        mine.functions[index].first_line);
        side_by_side_print(workspace->arena, &workspace->console, columns(), yours,
                           mine.functions[index].text, "the reference", solution);
        return;
    }
    console_text(&workspace->console, CONSOLE_BOLD, 0, "the reference");
    fputs(solution, stdout);
}

static int solution(Workspace *workspace, const Lab *lab, int index, bool give_up)
{
    const char *id = lab->exercises[index].id, *name = workspace_name(workspace, lab, index),
               *solution;
    bool done = progress_state(&workspace->progress, lab->id, id) == EXERCISE_DONE;
    Error err;
    if (!done && !give_up && !progress_gave_up(&workspace->progress, lab->id, id)) {
        fprintf(stderr,
                "lab: %s is not done yet; its solution is shown when it is\n"
                "next  ./lab check %s                 checks whether it is\n"
                "or    ./lab solution %s --give-up    shows it now, and records that\n",
                name, name, name);
        return 1;
    }
    if (!read_solution(workspace, lab, index, &solution, &err)) return error_report(&err);
    if (!done &&
        !progress_record(workspace->arena, &workspace->progress, lab->id, id, "gave up", &err))
        return error_report(&err);
    show(workspace, lab, index, solution);
    putchar('\n');
    if (done) workspace_next_in(workspace, lab);
    else if (mine_exists(workspace->arena, lab)) workspace_next(workspace, "check", lab, index);
    else workspace_next(workspace, "start", lab, -1);
    return 0;
}

int command_solution(int argc, char **argv)
{
    Arena *arena = arena_new("solution", 64u << 20);
    const char *word = workspace_word(&argc, argv);
    bool give_up = false;
    int status;
    Error err;
    Workspace workspace;
    Choice choice;
    Options *options =
        workspace_options(arena, argv, "lab solution LAB.EXERCISE",
                          "The reference's function beside yours, once yours is done.");
    options_flag(options, "give-up", 0, &give_up, "show it now; this is recorded");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);
    if (!choose(&workspace.course, &workspace.progress, word, &choice)) return 2;
    if (choice.exercise < 0) {
        int next = choose_next(choice.lab, &workspace.progress);
        fprintf(stderr, "lab: which exercise? ./lab solution %s, for example\n",
                workspace_name(&workspace, choice.lab, next >= 0 ? next : 0));
        return 2;
    }
    status = solution(&workspace, choice.lab, choice.exercise, give_up);
    arena_free(arena);
    return status;
}
