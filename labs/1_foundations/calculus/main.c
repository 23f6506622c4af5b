/* main.c -- the story of the slope: from two close points to a network that learns.
 *
 * 1. slopes by small steps, and by rules     2. polynomials and areas     3. gradients of many
 * numbers     4. ways downhill     5. a wall to walk along     6. two moons, learned on your engine
 */
#include <stdio.h>
#include <string.h>
#include "labs/1_foundations/calculus/curves.h"
#include "labs/1_foundations/calculus/descent.h"
#include "labs/1_foundations/calculus/learning.h"

typedef struct Settings {
    const char *part;    // "all", or one part of the story
    int steps;
    float rate;
} Settings;

static bool has_part(const Settings *set, const char *part)
{
    return strcmp(set->part, "all") == 0 || strcmp(set->part, part) == 0;
}

static void say_what_to_notice(const Settings *set)
{
    printf("\nTo notice\n");
    if (has_part(set, "curves"))
        printf("  slopes    right of the V the curve leaves its chord, left of it digits go;\n"
               "            rules know neither trouble\n"
               "  looks     nobody told the quadrature where the needle stands\n");
    if (has_part(set, "descent"))
        printf("  bowl      gradient descent crosses it at every step, momentum is carried along\n"
               "  valley    down is found at once, along is not; Newton dares to climb first\n"
               "  budget    at the best place the line touches a contour and crosses none\n");
    if (has_part(set, "moons"))
        printf("  moons     a bent boundary, by 205 slopes that nobody worked out by hand\n");
    printf("labs/1_foundations/calculus/README.md is the lesson, with what to try next.\n");
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 30), *step = arena_new("step", (size_t)1 << 30);
    Settings set = {.part = "all", .steps = 1500, .rate = 0.01f};
    Options *options =
        options_new(keep, "calculus",
                    "Takes slopes in four ways, walks down them in four ways, and lets a network "
                    "learn by them.");
    options_group(options, "This lab");
    options_choice(options, "part", 0, &set.part, "all|curves|descent|moons",
                   "the part of the story to tell");
    options_int(options, "steps", 'n', &set.steps, 1, 100000, "steps that the network learns");
    options_float(options, "rate", 'r', &set.rate, 1e-6f, 1.0f, "its learning rate");

    int status;
    Run *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;
    if (run->smoke && !options_given(options, "steps")) set.steps = 100;

    if (has_part(&set, "curves")) {
        curves_slopes(run, step);
        curves_taylor(run, step);
        curves_quadrature(run, step);
        arena_reset(step);
    }
    if (has_part(&set, "descent")) {
        descent_paths(run, step);
        descent_budget(run, step);
    }
    if (has_part(&set, "moons")) {
        learning_modes(run, step);
        learning_moons(run, step, set.steps, (double)set.rate);
    }
    if (!run_interrupted(run)) say_what_to_notice(&set);
    return run_end(run, NULL);
}
