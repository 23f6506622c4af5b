#include "labs/driver/commands.h"
#include "labs/driver/choose.h"
#include "labs/driver/launch.h"
#include "labs/driver/mine.h"
#include "datasets/root.h"

// The calculator of the lab key_numbers, without the lab around it.
int command_keynumbers(int argc, char **argv)
{
    bool mine = mine_asked(&argc, argv);
    Arena *arena = arena_new("keynumbers", 64u << 20);
    Error err;
    Course course;
    Choice choice;
    if (mine) {
        if (!course_load(arena, root_dir(), &course, &err)) return error_report(&err);
        // Standard output may be JSON: the line that names the file goes to standard error.
        if (!choose(&course, &(Progress){0}, "key_numbers", &choice) ||
            !launch_on_mine(arena, choice.lab, stderr))
            return 1;
    }
    return launch(arena, "keynumbers", mine ? "./lab keynumbers --mine" : "./lab keynumbers", argv);
}
