#include "labs/driver/commands.h"
#include "labs/driver/desk.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

enum { ID_COLUMNS = 16 };

static void print_lab(const Desk *desk, const Lab *lab)
{
    bool all = choose_next(lab, &desk->progress) < 0;
    const char *text =
        arena_print(desk->arena, "%d exercise%s, about %d minutes", lab->exercise_count,
                    lab->exercise_count == 1 ? "" : "s", lab->minutes);
    if (mine_exists(desk->arena, lab) || desk_standing(desk, lab).done > 0)
        text = desk_standing_text(desk, lab);
    page_item(&desk->page, 3, ID_COLUMNS, lab->id, lab->about);
    page_text(&desk->page, all ? PAGE_GOOD : PAGE_DIM, page_column(&desk->page, 3, ID_COLUMNS),
              text);
}

static void print_stage(const Desk *desk, int index)
{
    const Course *course = &desk->course;
    const Stage *stage = &course->stages[index];
    int shown = 0;
    page_text(&desk->page, PAGE_BOLD, 0,
              arena_print(desk->arena, "%d. %s", index + 1, stage->title));
    page_text(&desk->page, PAGE_PLAIN, 3, stage->about);
    for (int i = 0; i < course->lab_count; i++) {
        if (strcmp(course->labs[i].stage, stage->id) != 0) continue;
        print_lab(desk, &course->labs[i]);
        shown++;
    }
    if (shown == 0) page_text(&desk->page, PAGE_DIM, 3, "No lab yet.");
    putchar('\n');
}

// The one that is worked on, unless all of it is done: then the first that is not; the last resort is
// to run what is there.
static const Lab *next_lab(const Desk *desk)
{
    const Course *course = &desk->course;
    const Lab *current = choose_current(course, &desk->progress);
    if (current != NULL && choose_next(current, &desk->progress) >= 0) return current;
    for (int i = 0; i < course->lab_count; i++)
        if (choose_next(&course->labs[i], &desk->progress) >= 0) return &course->labs[i];
    return current != NULL ? current : course->lab_count > 0 ? &course->labs[0] : NULL;
}

static void print_next(const Desk *desk)
{
    const Lab *lab = next_lab(desk);
    if (lab == NULL) return;
    int exercise = choose_next(lab, &desk->progress);
    desk_next_in(desk, lab);
    if (mine_exists(desk->arena, lab) && exercise >= 0)
        page_command(&desk->page, "or",
                     arena_print(desk->arena, "./lab hint %s", desk_name(desk, lab, exercise)),
                     "when stuck");
    page_command(&desk->page, "or", arena_print(desk->arena, "./lab run %s", lab->id),
                 "to see what it is about");
}

int command_roadmap(int argc, char **argv)
{
    Arena *arena = arena_new("roadmap", 64u << 20);
    int status;
    Error err;
    Desk desk;
    Options *options = desk_options(arena, argv, "lab roadmap",
                                    "The stages, their labs, how far you are, and "
                                    "what to type next.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!desk_open(&desk, arena, &err)) return error_report(&err);

    page_text(&desk.page, PAGE_PLAIN, 0,
              "AI Roadmap Labs: the road from linear algebra to large models, in C that you write, "
              "run and measure yourself.");
    putchar('\n');
    for (int i = 0; i < desk.course.stage_count; i++) print_stage(&desk, i);
    print_next(&desk);
    fflush(stdout);
    status = course_tell_damaged(&desk.course) > 0 ? 1 : 0;
    arena_free(arena);
    return status;
}
