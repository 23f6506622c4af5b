/* Value iteration in the terminal, sweep by sweep. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "common/terminal.h"
#include "labs/2_core/mdp/story.h"

enum { FRAMES = 60 };    // at most, at a sweep each; the rest is done without a picture

static bool can_show(const World *world)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 && world->rows > 0 &&
           2 * world->rows + 2 < terminal_size(STDOUT_FILENO).rows;
}

void story_animate(const Run *run, Arena *arena, const World *world)
{
    const Mdp *mdp = &world->mdp;
    double *v = story_zeros(arena, mdp->states, 1), *next = story_zeros(arena, mdp->states, 1);
    Console console = console_begin();
    const struct timespec pause = {.tv_nsec = 150000000};
    MdpSweeps sweep = {0, INFINITY};
    if (!can_show(world)) return;
    for (int k = 1, lines = 0; k <= FRAMES && sweep.change > 1e-3 && !run_interrupted(run); k++) {
        ArenaMark mark = arena_mark(arena);
        sweep = mdp_value_iteration(v, mdp, 0, 1, next);
        if (lines > 0) printf("\033[%dA\033[J", lines);    // up, and clear what is below
        printf("  Sweep %d: largest change %.3g\n", k, sweep.change);
        lines = 1 + draw_map(&console, world, v, story_greedy(arena, mdp, v));
        fflush(stdout);
        nanosleep(&pause, NULL);
        arena_rewind(arena, mark);
    }
}
