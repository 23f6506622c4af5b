#include "labs/driver/commands.h"
#include "labs/driver/beside.h"
#include "labs/driver/desk.h"
#include "labs/driver/mine.h"
#include "common/options.h"
#include "common/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Wider than a page: code is not wrapped, and a wide terminal shows both side by side.
static int columns(void)
{
    const char *given = getenv("COLUMNS");
    int width = given != NULL ? atoi(given) : 0;
    return width > 0 ? width : terminal_size(STDOUT_FILENO).columns;
}

// The function without its marks.
static bool read_answer(const Desk *desk, const Lab *lab, int index, const char **answer,
                        Error *err)
{
    Source reference, clean;
    if (!source_read_reference(desk->arena, lab, &reference, err)) return false;
    const char *text = source_skeleton(desk->arena, lab, &reference, lab->exercise_count);
    source_parse(desk->arena, lab, reference.path, text, &clean);
    *answer = clean.functions[index].text;
    return true;
}

static void show(const Desk *desk, const Lab *lab, int index, const char *answer)
{
    const char *function = lab->exercises[index].function;
    Source mine;
    Error err;
    if (!mine_read(desk->arena, lab, &mine, &err)) page_text(&desk->page, PAGE_DIM, 0, err.message);
    else if (mine.functions[index].text == NULL)
        page_text(&desk->page, PAGE_DIM, 0,
                  arena_print(desk->arena, "%s has no function %s.",
                              mine_shown(desk->arena, mine.path), function));
    else {
        const char *yours =
            arena_print(desk->arena, "yours, %s:%d", mine_shown(desk->arena, mine.path),
                        mine.functions[index].first_line);
        beside_print(desk->arena, &desk->page, columns(), yours, mine.functions[index].text,
                     "the reference", answer);
        return;
    }
    page_text(&desk->page, PAGE_BOLD, 0, "the reference");
    fputs(answer, stdout);
}

static int solution(Desk *desk, const Lab *lab, int index, bool give_up)
{
    const char *id = lab->exercises[index].id, *name = desk_name(desk, lab, index), *answer;
    bool done = progress_state(&desk->progress, lab->id, id) == EXERCISE_DONE;
    Error err;
    if (!done && !give_up && !progress_gave_up(&desk->progress, lab->id, id)) {
        fprintf(stderr,
                "lab: %s is not done yet, and its solution is shown afterwards\n"
                "next  ./lab check %s                 tells whether it is\n"
                "or    ./lab solution %s --give-up    shows it now, and records that\n",
                name, name, name);
        return 1;
    }
    if (!read_answer(desk, lab, index, &answer, &err)) return error_report(&err);
    if (!done && !progress_record(desk->arena, &desk->progress, lab->id, id, "gave up", &err))
        return error_report(&err);
    show(desk, lab, index, answer);
    putchar('\n');
    if (done) desk_next_in(desk, lab);
    else if (mine_exists(desk->arena, lab)) desk_next(desk, "check", lab, index);
    else desk_next(desk, "start", lab, -1);
    return 0;
}

int command_solution(int argc, char **argv)
{
    Arena *arena = arena_new("solution", 64u << 20);
    const char *word = desk_word(&argc, argv);
    bool give_up = false;
    int status;
    Error err;
    Desk desk;
    Choice choice;
    Options *options = desk_options(arena, argv, "lab solution LAB.EXERCISE",
                                    "The reference's function beside yours, once yours is done.");
    options_flag(options, "give-up", 0, &give_up, "show it before; this is recorded");
    if (!options_parse(options, argc, argv, &status)) return status;
    if (!desk_open(&desk, arena, &err)) return error_report(&err);
    if (!choose(&desk.course, &desk.progress, word, &choice)) return 2;
    if (choice.exercise < 0) {
        int next = choose_next(choice.lab, &desk.progress);
        fprintf(stderr, "lab: which exercise? ./lab solution %s, for example\n",
                desk_name(&desk, choice.lab, next >= 0 ? next : 0));
        return 2;
    }
    status = solution(&desk, choice.lab, choice.exercise, give_up);
    arena_free(arena);
    return status;
}
