#include "labs/driver/commands.h"
#include "labs/driver/desk.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include <stdio.h>
#include <string.h>

static const char *const level_names[LAB_HINTS] = {"idea", "formula", "almost code"};

// What was read before, as its beginning in one line.
static const char *shortened(const Desk *desk, const char *text, int columns)
{
    if ((int)strlen(text) <= columns) return text;
    int end = columns - 4;
    while (end > 0 && text[end] != ' ') end--;
    return arena_print(desk->arena, "%.*s ...", end, text);
}

static void show(const Desk *desk, const Lab *lab, int index, int level)
{
    const Exercise *exercise = &lab->exercises[index];
    const Page *page = &desk->page;
    page_text(page, PAGE_BOLD, 0,
              arena_print(desk->arena, "%s: hint %d of %d, %s", desk_name(desk, lab, index), level,
                          LAB_HINTS, level_names[level - 1]));
    for (int i = 0; i < level - 1; i++)
        page_text(page, PAGE_DIM, 2,
                  arena_print(desk->arena, "%d. %s", i + 1,
                              shortened(desk, exercise->hints[i], page->columns - 5)));
    if (level > 1) putchar('\n');
    page_text(page, PAGE_PLAIN, 2, exercise->hints[level - 1]);
    putchar('\n');
}

static int hint(Desk *desk, const Lab *lab, int index)
{
    const Exercise *exercise = &lab->exercises[index];
    int seen = progress_hints(&desk->progress, lab->id, exercise->id);
    int level = seen < LAB_HINTS ? seen + 1 : LAB_HINTS;
    const char *name = desk_name(desk, lab, index);
    Error err;
    if (seen < LAB_HINTS && !progress_record(desk->arena, &desk->progress, lab->id, exercise->id,
                                             arena_print(desk->arena, "hint %d", level), &err))
        return error_report(&err);
    show(desk, lab, index, level);
    if (mine_exists(desk->arena, lab)) desk_next(desk, "check", lab, index);
    else desk_next(desk, "start", lab, -1);
    if (level < LAB_HINTS)
        page_command(&desk->page, "or", arena_print(desk->arena, "./lab hint %s", name),
                     "tells more");
    else
        page_command(&desk->page, "or",
                     arena_print(desk->arena, "./lab solution %s --give-up", name),
                     "shows the reference, which is recorded");
    return 0;
}

int command_hint(int argc, char **argv)
{
    Arena *arena = arena_new("hint", 64u << 20);
    const char *word = desk_word(&argc, argv);
    int status;
    Error err;
    Desk desk;
    Choice choice;
    Options *options =
        desk_options(arena, argv, "lab hint [LAB[.EXERCISE]]",
                     "One hint more at every call: the idea, the formula, almost the "
                     "code. Without an exercise: the next that is not done.");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!desk_open(&desk, arena, &err)) return error_report(&err);
    if (!choose(&desk.course, &desk.progress, word, &choice)) return 2;
    int index = choice.exercise >= 0 ? choice.exercise : choose_next(choice.lab, &desk.progress);
    if (index >= 0) {
        status = hint(&desk, choice.lab, index);
    } else {
        page_text(&desk.page, PAGE_PLAIN, 0,
                  arena_print(arena, "All of %s is done. ./lab hint %s.EXERCISE shows one's hints.",
                              choice.lab->id, choice.lab->id));
        desk_next_in(&desk, choice.lab);
        status = 0;
    }
    arena_free(arena);
    return status;
}
