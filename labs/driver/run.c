#include "labs/driver/commands.h"
#include "labs/driver/choose.h"
#include "labs/driver/launch.h"
#include "labs/driver/mine.h"
#include "common/console.h"
#include "datasets/root.h"
#include <stdio.h>
#include <string.h>

int command_run(int argc, char **argv)
{
    static const char usage[] = "./lab run LAB [--mine] [options]; ./lab run LAB --help lists them";
    bool mine = mine_asked(&argc, argv);
    Arena *arena = arena_new("run", 64u << 20);
    Error err;
    Course course;
    Choice choice;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return console_help(usage), 0;
    if (argc < 2 || argv[1][0] == '-') {
        error_print("which one? %s", usage);
        return 2;
    }
    if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
    if (!choose(&course, &(Progress){0}, argv[1], &choice)) return 2;
    const char *name = choice.lab->id;
    if (choice.exercise >= 0) {
        error_print("run takes a lab, not an exercise: ./lab run %s", name);
        return 2;
    }
    if (mine && !launch_on_mine(arena, choice.lab, stdout)) return 1;
    return launch(arena, name, arena_print(arena, "./lab run %s%s", name, mine ? " --mine" : ""),
                  argv + 1);
}
