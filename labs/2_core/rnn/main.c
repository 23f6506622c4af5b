/* main.c -- recurrent networks: how far a gradient reaches, and what gates and attention do about it. */
#include <inttypes.h>
#include <stdlib.h>
#include "labs/2_core/rnn/lab.h"

static const Part parts[] = {
    {"gradient", "Backpropagation through time: vanishing and exploding gradients", part_gradient,
     .notices =
         {{"gradient",
           "each step back multiplies by the same matrix: a straight line on this scale, down or "
           "up; clipping moves the line and does not bend it"},
          {"forget bias", "along an LSTM's memory the factor is its forget gate, which can be "
                          "nearly 1"}}},
    {"adding", "The adding problem: what can be remembered", part_adding,
     .notices = {{"adding",
                  "an Elman cell stays at 1/6, the answer without having remembered; gates "
                  "leave the plateau all at once"}}},
    {"characters", "Character model: loss against the entropy of the source", part_characters,
     .notices = {{"characters", "how far above the entropy does it end? What is left is chance"},
                 {"temperature", "0 repeats the likeliest; 2 makes words that are none"}}},
    {"names", "Conditional character model: names by language", part_names,
     .notices = {{"names",
                  "one model, told the language first, draws names of each; turned round by "
                  "Bayes it tells the languages apart"}}},
    {"dates", "Sequence to sequence with attention: dates", part_dates,
     .notices = {{"alignment.png",
                  "most digits are copied from where they stand, the month is read from letters of "
                  "its name; where a digit is nearly always the same, the decoder looks about"}}},
};

static bool prepare(Lab *lab, const Story *story, Error *err)
{
    Run *run = lab->run;
    lab->session = (Session){.run = run};
    if (story_has(story, "adding")) adding_plan(lab);
    if (story_has(story, "characters") && !characters_plan(lab, err)) return false;
    if (story_has(story, "names") && !names_plan(lab, err)) return false;
    if (story_has(story, "dates")) dates_plan(lab);
    lab->session.config = arena_print(
        lab->keep,
        "part %s, %s, length %d, steps %d %d %d %d, layers %d, hidden %d, context %d, batch "
        "%d, rate %g, clip %g, dropout %g, seed %" PRIu64 ", text of %zu characters",
        story->chosen, lab->cell, lab->length, lab->adding_steps, lab->steps, lab->name_steps,
        lab->date_steps, lab->layers, lab->hidden, lab->context, lab->batch,
        (double)lab->learning_rate, (double)lab->clip, (double)lab->dropout, run->seed,
        lab->text.length);
    return session_resume(&lab->session, err);
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", ROOM), *step = arena_new("step", (size_t)4 << 30);
    static Lab lab;
    lab = (Lab){.keep = keep,
                .step = step,
                .cell = "lstm",
                .ops = getenv("LAB_CHECK") != NULL ? "exercises" : "kernels",    // --mine
                .length = 40,
                .adding_steps = 1000,
                .layers = 1,
                .hidden = 128,
                .context = 64,
                .batch = 32,
                .steps = 1200,
                .name_steps = 400,
                .date_steps = 500,
                .learning_rate = 4e-3f,
                .clip = 1,
                .temperature = 0.8f,
                .text = {.stories = 1000000}};
    Options *options =
        options_new(keep, "rnn",
                    "Recurrent networks: gradients through time, LSTM and GRU, a "
                    "character model, names by language, translation with attention.");
    options_group(options, "This lab");
    options_choice(options, "ops", 0, &lab.ops, "kernels|exercises",
                   "who computes the character model and the decoder; --mine: the exercises");
    options_choice(options, "cell", 0, &lab.cell, "elman|lstm|gru", "of the character model");
    options_int(options, "layers", 'l', &lab.layers, 1, LAYERS_MAX, "of the character model");
    options_int(options, "hidden", 0, &lab.hidden, 1, 4096, "its numbers in a state");
    options_int(options, "context", 'c', &lab.context, 1, 100000, "characters of a window");
    options_int(options, "batch", 'b', &lab.batch, 1, 65536, "windows in a step");
    options_int(options, "steps", 'n', &lab.steps, 1, 10000000,
                "of the character model's training");
    options_float(options, "rate", 'r', &lab.learning_rate, 1e-7f, 1.0f,
                  "its learning rate; it ends at a tenth");
    options_float(options, "clip", 0, &lab.clip, 0.0f, 1e6f,
                  "its largest norm of the gradients; 0: no clipping");
    options_float(options, "dropout", 0, &lab.dropout, 0.0f, 0.95f, "behind each of its layers");
    options_float(options, "temperature", 0, &lab.temperature, 0.0f, 100.0f,
                  "of its samples while it learns, and of names");
    options_int(options, "length", 0, &lab.length, 2, 10000, "numbers of the adding problem");
    options_int(options, "adding-steps", 0, &lab.adding_steps, 1, 10000000,
                "of training on the adding problem");
    options_int(options, "name-steps", 0, &lab.name_steps, 1, 10000000, "of training on names");
    options_int(options, "date-steps", 0, &lab.date_steps, 1, 10000000, "of training on dates");
    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/rnn/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke) {
        struct {
            const char *name;
            int *value, small;
        } sizes[] = {{"hidden", &lab.hidden, 24},        {"context", &lab.context, 16},
                     {"batch", &lab.batch, 4},           {"steps", &lab.steps, 10},
                     {"length", &lab.length, 8},         {"adding-steps", &lab.adding_steps, 10},
                     {"name-steps", &lab.name_steps, 5}, {"date-steps", &lab.date_steps, 5}};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (!options_given(options, sizes[i].name)) *sizes[i].value = sizes[i].small;
        lab.text.stories = 20000;
    }
    Error err = {""};
    if (!prepare(&lab, &story, &err)) return run_fail(lab.run, &err);
    return story_run(&story, &lab);
}
