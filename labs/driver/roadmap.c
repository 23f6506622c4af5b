#include "labs/driver/commands.h"
#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

enum { ID_COLUMNS = 16 };

static void print_lab(const Workspace *workspace, const Lab *lab)
{
    bool all = choose_next(lab, &workspace->progress) < 0;
    const char *text =
        arena_print(workspace->arena, "%d exercise%s, about %d minutes", lab->exercise_count,
                    lab->exercise_count == 1 ? "" : "s", lab->minutes);
    if (mine_exists(workspace->arena, lab) || workspace_standing(workspace, lab).done > 0)
        text = workspace_standing_text(workspace, lab);
    console_item(&workspace->console, 3, ID_COLUMNS, lab->id, lab->about);
    console_text(&workspace->console, all ? CONSOLE_GOOD : CONSOLE_DIM,
                 console_column(&workspace->console, 3, ID_COLUMNS), text);
}

static void print_stage(const Workspace *workspace, int index)
{
    const Course *course = &workspace->course;
    const Stage *stage = &course->stages[index];
    int shown = 0;
    console_text(&workspace->console, CONSOLE_BOLD, 0,
                 arena_print(workspace->arena, "%d. %s", index + 1, stage->title));
    console_text(&workspace->console, CONSOLE_PLAIN, 3, stage->about);
    for (int i = 0; i < course->lab_count; i++) {
        if (strcmp(course->labs[i].stage, stage->id) != 0) continue;
        print_lab(workspace, &course->labs[i]);
        shown++;
    }
    if (shown == 0) console_text(&workspace->console, CONSOLE_DIM, 3, "No lab yet.");
    putchar('\n');
}

// The current lab unless it is done, then the first that is not done, else any lab, to run it.
static const Lab *next_lab(const Workspace *workspace)
{
    const Course *course = &workspace->course;
    const Lab *current = choose_current(course, &workspace->progress);
    if (current != NULL && choose_next(current, &workspace->progress) >= 0) return current;
    for (int i = 0; i < course->lab_count; i++)
        if (choose_next(&course->labs[i], &workspace->progress) >= 0) return &course->labs[i];
    return current != NULL ? current : course->lab_count > 0 ? &course->labs[0] : NULL;
}

static void print_next(const Workspace *workspace)
{
    const Lab *lab = next_lab(workspace);
    if (lab == NULL) return;
    int exercise = choose_next(lab, &workspace->progress);
    workspace_next_in(workspace, lab);
    if (mine_exists(workspace->arena, lab) && exercise >= 0)
        console_command(&workspace->console, "or",
                        arena_print(workspace->arena, "./lab hint %s",
                                    workspace_name(workspace, lab, exercise)),
                        "when stuck");
    console_command(&workspace->console, "or",
                    arena_print(workspace->arena, "./lab run %s", lab->id), "to see it run");
}

int command_roadmap(int argc, char **argv)
{
    Arena *arena = arena_new("roadmap", 64u << 20);
    int status;
    Error err;
    Workspace workspace;
    Options *options = workspace_options(arena, argv, "lab roadmap",
                                         "The stages, their labs, your progress, and "
                                         "what to type next.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!workspace_open(&workspace, arena, &err)) return error_report(&err);

    console_text(
        &workspace.console, CONSOLE_PLAIN, 0,
        "AI Roadmap Labs: from linear algebra to large language models, in C that you write, "
        "run and measure yourself.");
    putchar('\n');
    for (int i = 0; i < workspace.course.stage_count; i++) print_stage(&workspace, i);
    print_next(&workspace);
    fflush(stdout);
    status = course_report_damaged(&workspace.course) > 0 ? 1 : 0;
    arena_free(arena);
    return status;
}
