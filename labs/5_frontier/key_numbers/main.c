/* main.c -- the story of a model's key numbers: counted, stored, remembered, trained, asked.
 *
 * 1. parameters, held against published counts   2. bytes by format   3. the cache, and how many requests
 * 4. memory to train   5. FLOPs and what bounds them   6. a budget: how large, on how much
 */
#include <stdio.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/story.h"

typedef struct Part {
    const char *name;
    bool (*tell)(const Story *story, Error *err);
    const char *notice;
} Part;

static const Part parts[] = {
    {"counting", tell_counting,
     "counting     a layer by your formula, times the layers: not near the published count but "
     "equal to it"},
    {"storing", tell_storing,
     "storing      a 4-bit model never takes 4 bits: scales, norms and embeddings do the rest"},
    {"remembering", tell_remembering,
     "remembering  where a cache's line bends, a window is full; where it is low, heads share"},
    {"training", tell_training,
     "training     the weights are the smallest part of what training keeps"},
    {"answering", tell_answering,
     "answering    who shares keys and values finds room for more requests, and reads less for "
     "each"},
    {"budget", tell_budget, NULL},
};
enum { PARTS = sizeof parts / sizeof *parts };

static bool is_told(const char *part, const Part *candidate)
{
    return strcmp(part, "all") == 0 || strcmp(part, candidate->name) == 0;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)64 << 20), *step = arena_new("step", (size_t)1 << 30);
    Question question = question_default();
    const char *part = "all";
    Options *options =
        options_new(keep, "key_numbers",
                    "Counts models to the last parameter, and says what it costs to keep, to "
                    "train and to ask them. `lab keynumbers MODEL` does it for any one.");
    options_group(options, "This lab");
    options_choice(options, "part", 0, &part,
                   "all|counting|storing|remembering|training|answering|budget",
                   "the part of the story to tell");
    options_string(options, "gpu", 0, &question.gpu, "GPU", "of ./lab keynumbers --list gpus");
    int status;
    Run *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;

    Error err = {""};
    if (!question_settle(&question, keep, &err)) {
        error_report(&err);
        return 2;
    }
    Story story = {run, step, question};
    for (int i = 0; i < PARTS && !run_interrupted(run); i++) {
        if (!is_told(part, &parts[i])) continue;
        if (!parts[i].tell(&story, &err)) return error_report(&err);
        arena_reset(step);
    }
    if (!run_interrupted(run)) {
        printf("\nTo notice\n");
        for (int i = 0; i < PARTS; i++)
            if (is_told(part, &parts[i]) && parts[i].notice) printf("  %s\n", parts[i].notice);
        printf("labs/5_frontier/key_numbers/README.md is the lesson; ./lab keynumbers --help is "
               "the calculator.\n");
    }
    return run_end(run, NULL);
}
