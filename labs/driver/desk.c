#include "labs/driver/desk.h"
#include "labs/driver/mine.h"
#include "datasets/root.h"
#include <stdio.h>

bool desk_open(Desk *desk, Arena *arena, Error *err)
{
    *desk = (Desk){.arena = arena, .page = page_begin()};
    return course_load(arena, root_dir(), &desk->course, err) &&
           progress_load(arena, &desk->progress, err);
}

const char *desk_word(int *argc, char **argv)
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

Options *desk_options(Arena *arena, char **argv, const char *usage, const char *summary)
{
    argv[0] = arena_print(arena, "%s", usage);
    return options_new(arena, usage, summary);
}

Standing desk_standing(const Desk *desk, const Lab *lab)
{
    Standing standing = {0};
    for (int i = 0; i < lab->exercise_count; i++) {
        const Exercise *exercise = &lab->exercises[i];
        ExerciseState state = progress_state(&desk->progress, lab->id, exercise->id);
        standing.done += state == EXERCISE_DONE;
        standing.wrong += state == EXERCISE_WRONG;
        standing.points += state == EXERCISE_DONE ? exercise->points : 0;
        standing.of_points += exercise->points;
    }
    return standing;
}

const char *desk_standing_text(const Desk *desk, const Lab *lab)
{
    Standing standing = desk_standing(desk, lab);
    return arena_print(desk->arena, "%d of %d exercise%s done, %d of %d points", standing.done,
                       lab->exercise_count, lab->exercise_count == 1 ? "" : "s", standing.points,
                       standing.of_points);
}

const char *desk_name(const Desk *desk, const Lab *lab, int exercise)
{
    return exercise < 0 ? lab->id
                        : arena_print(desk->arena, "%s.%s", lab->id, lab->exercises[exercise].id);
}

void desk_next(const Desk *desk, const char *command, const Lab *lab, int exercise)
{
    page_command(&desk->page, "next",
                 arena_print(desk->arena, "./lab %s %s", command, desk_name(desk, lab, exercise)),
                 "");
}

void desk_next_in(const Desk *desk, const Lab *lab)
{
    int exercise = choose_next(lab, &desk->progress);
    if (!mine_exists(desk->arena, lab)) desk_next(desk, "start", lab, -1);
    else if (exercise >= 0) desk_next(desk, "check", lab, exercise);
    else
        page_command(&desk->page, "next", arena_print(desk->arena, "./lab run %s --mine", lab->id),
                     "");
}
