#include "labs/driver/commands.h"
#include "labs/driver/course.h"
#include "datasets/root.h"
#include "labs/driver/page.h"
#include <stdio.h>
#include <string.h>

static void print_lab(const Page *page, Arena *arena, const Lab *lab)
{
    page_item(page, 3, 14, lab->id, lab->about);
    page_text(page, PAGE_DIM, page_column(page, 3, 14),
              arena_print(arena, "%d exercise%s, about %d minutes", lab->exercise_count,
                          lab->exercise_count == 1 ? "" : "s", lab->minutes));
}

static void print_stage(const Page *page, Arena *arena, const Course *course, int index)
{
    const Stage *stage = &course->stages[index];
    int          shown = 0;
    page_text(page, PAGE_BOLD, 0, arena_print(arena, "%d. %s", index + 1, stage->title));
    page_text(page, PAGE_PLAIN, 3, stage->about);
    for (int i = 0; i < course->lab_count; i++) {
        if (strcmp(course->labs[i].stage, stage->id) != 0) continue;
        print_lab(page, arena, &course->labs[i]);
        shown++;
    }
    if (shown == 0) page_text(page, PAGE_DIM, 3, "No lab yet.");
    putchar('\n');
}

int command_roadmap(int argc, char **argv)
{
    (void)argc, (void)argv;
    Arena *arena = arena_new("roadmap", 64u << 20);
    Error  err;
    Course course;
    Page   page = page_begin();
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);

    page_text(&page, PAGE_PLAIN, 0,
              "AI Roadmap Labs: the road from linear algebra to large models, in C that you write, "
              "run and measure yourself.");
    putchar('\n');
    for (int i = 0; i < course.stage_count; i++) print_stage(&page, arena, &course, i);
    if (course.lab_count > 0)
        page_item(&page, 0, 6, "next", arena_print(arena, "./lab run %s", course.labs[0].id));
    arena_free(arena);
    return 0;
}
