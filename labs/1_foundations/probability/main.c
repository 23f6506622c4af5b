/* main.c -- the story of chance: made, looked at, weighed, and put to work.
 *
 * 1. generators, shapes and games     2. what means come to     3. what a sample says, and how sure
 * is     4. areas, walks and letters
 */
#include <stdio.h>
#include <string.h>
#include "labs/1_foundations/probability/story.h"

typedef struct Part {
    const char *name;
    void (*tell)(const Story *story);
    const char *notice;    // at the end; NULL for nothing
} Part;

static const Part parts[] = {
    {"draws", tell_generators,
     "planes         RANDU's triples lie on 15 planes; alone and in pairs they look fine"},
    {"draws", tell_samplers,
     "shapes         three ways from flat to any shape; what does each need to know?"},
    {"draws", tell_games, "birthdays      what was played lies on the curve that was computed"},
    {"limits", tell_large_numbers,
     "large_numbers  a mean settles, unless there is no mean to settle at"},
    {"limits", tell_central_limit,
     "central_limit  the tail is the last to become normal: see the shares beyond 2"},
    {"samples", tell_horse_kicks, NULL},
    {"samples", tell_sleep, NULL},
    {"samples", tell_coverage, "coverage       5 of a hundred miss, and nothing tells which"},
    {"samples", tell_chance_alone,
     "p_values       flat where there is nothing to find; who may stop when he likes finds it "
     "anyway"},
    {"samples", tell_bootstrap,
     "bootstrap      the median's replicas jump: it is always one of few numbers"},
    {"samples", tell_belief,
     "belief         broad and wrong first, then narrow; how many tosses for a digit?"},
    {"chance", tell_area,
     "area           a straight line of slope -1/2, for any function in any dimension"},
    {"chance", tell_walk,
     "ways, hills    too short a step never crosses; too long a one hardly moves"},
    {"chance", tell_letters, NULL},
};
enum { PARTS = sizeof parts / sizeof *parts };

static bool is_told(const char *part, const Part *candidate)
{
    return strcmp(part, "all") == 0 || strcmp(part, candidate->name) == 0;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)64 << 20), *step = arena_new("step", (size_t)1 << 30);
    const char *part = "all";
    const char *csv = NULL, *columns = NULL;
    int experiments = 10000;
    Options *options =
        options_new(keep, "probability",
                    "Makes chance, looks at samples, says how sure they are, and lets "
                    "chance compute.");
    options_group(options, "This lab");
    options_choice(options, "part", 0, &part, "all|draws|limits|samples|chance",
                   "the part of the story to tell");
    options_int(options, "experiments", 'n', &experiments, 100, 1000000,
                "experiments that a share is counted over");
    options_string(options, "csv", 0, &csv, "FILE",
                   "your own numbers, looked at instead of the story");
    options_string(options, "columns", 0, &columns, "A,B",
                   "columns of that file: one is described, two are compared");

    int status;
    Run *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;
    if (run->smoke && !options_given(options, "experiments")) experiments = 300;

    if (columns != NULL && csv == NULL) {
        fprintf(stderr, "probability: --columns %s: expected --csv FILE with it\n", columns);
        return 2;
    }
    Story story = {run, step, experiments};
    Error err = {""};
    if (csv != NULL)
        return tell_columns(&story, csv, columns, &err) ? run_end(run, NULL) : error_report(&err);
    for (int i = 0; i < PARTS && !run_interrupted(run); i++) {
        if (!is_told(part, &parts[i])) continue;
        parts[i].tell(&story);
        arena_reset(step);
    }
    if (!run_interrupted(run)) {
        printf("\nTo notice\n");
        for (int i = 0; i < PARTS; i++)
            if (is_told(part, &parts[i]) && parts[i].notice) printf("  %s\n", parts[i].notice);
        printf("labs/1_foundations/probability/README.md is the lesson, with what to try next.\n");
    }
    return run_end(run, NULL);
}
