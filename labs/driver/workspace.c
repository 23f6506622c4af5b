#include "labs/driver/workspace.h"
#include "labs/driver/mine.h"
#include "datasets/root.h"
#include <stdio.h>

bool workspace_open(Workspace *workspace, Arena *arena, Error *err)
{
    *workspace = (Workspace){.arena = arena, .console = console_begin()};
    return course_load(arena, root_dir(), &workspace->course, err) &&
           progress_load(arena, &workspace->progress, err);
}

bool workspace_open_to_grade(Workspace *workspace, Arena *arena, Error *err)
{
    *workspace = (Workspace){.arena = arena, .console = console_begin()};
    if (!course_load(arena, root_dir(), &workspace->course, err)) return false;
    if (!progress_load(arena, &workspace->progress, NULL)) workspace->progress = (Progress){0};
    return true;
}

const char *workspace_word(int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        if (argv[i][0] == '-') continue;
        const char *word = argv[i];
        for (; i + 1 < *argc; i++) argv[i] = argv[i + 1];
        argv[--*argc] = NULL;
        return word;
    }
    return NULL;
}

Options *workspace_options(Arena *arena, char **argv, const char *usage, const char *summary)
{
    argv[0] = arena_print(arena, "%s", usage);
    return options_new(arena, usage, summary);
}

Standing workspace_standing(const Workspace *workspace, const Lab *lab)
{
    Standing standing = {0};
    for (int i = 0; i < lab->exercise_count; i++) {
        const Exercise *exercise = &lab->exercises[i];
        ExerciseState state = progress_state(&workspace->progress, lab->id, exercise->id);
        standing.done += state == EXERCISE_DONE;
        standing.wrong += state == EXERCISE_WRONG;
        standing.points += state == EXERCISE_DONE ? exercise->points : 0;
        standing.of_points += exercise->points;
    }
    return standing;
}

const char *workspace_standing_text(const Workspace *workspace, const Lab *lab)
{
    Standing standing = workspace_standing(workspace, lab);
    return arena_print(workspace->arena, "%d of %d exercise%s done, %d of %d points", standing.done,
                       lab->exercise_count, lab->exercise_count == 1 ? "" : "s", standing.points,
                       standing.of_points);
}

const char *workspace_name(const Workspace *workspace, const Lab *lab, int exercise)
{
    return exercise < 0
               ? lab->id
               : arena_print(workspace->arena, "%s.%s", lab->id, lab->exercises[exercise].id);
}

void workspace_next(const Workspace *workspace, const char *command, const Lab *lab, int exercise)
{
    console_command(&workspace->console, "next",
                    arena_print(workspace->arena, "./lab %s %s", command,
                                workspace_name(workspace, lab, exercise)),
                    "");
}

void workspace_next_in(const Workspace *workspace, const Lab *lab)
{
    int exercise = choose_next(lab, &workspace->progress);
    if (!mine_exists(workspace->arena, lab)) workspace_next(workspace, "start", lab, -1);
    else if (exercise >= 0) workspace_next(workspace, "check", lab, exercise);
    else
        console_command(&workspace->console, "next",
                        arena_print(workspace->arena, "./lab run %s --mine", lab->id), "");
}
