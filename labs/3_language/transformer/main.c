/* main.c -- a transformer: what its parts compute. */
#include "common/story.h"
#include "labs/3_language/transformer/by_hand.h"

typedef struct Lab {
    Run *run;
    Arena *keep, *scratch;
} Lab;

static bool part_by_hand(void *argument, Error *err)
{
    Lab *lab = argument;
    return by_hand_compare(lab->run, lab->keep, lab->scratch, err);
}

static const Part parts[] = {
    {"by_hand", "The exercises beside the kernel table", part_by_hand,
     .notices = {{"exercises", "the same loss and gradients; what makes the difference in time?"}}},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)4 << 30), *scratch = arena_new("step", (size_t)1 << 30);
    Lab lab = {.keep = keep, .scratch = scratch};
    Options *options = options_new(keep, "transformer", "A GPT and a LLaMA by hand.");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/3_language/transformer/README.md",
                   .step = scratch};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    return lab.run == NULL ? status : story_run(&story, &lab);
}
