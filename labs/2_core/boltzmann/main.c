/* main.c -- Boltzmann machines: energy, sampling, and learning without labels. */
#include <inttypes.h>
#include "common/memory.h"
#include "common/text.h"
#include "labs/2_core/boltzmann/lab.h"

static const Part parts[] = {
    {"machine", "Boltzmann machine: enumeration and Gibbs sampling", part_machine,
     .notices = {{"gibbs",
                  "a hundred times the sweeps for a tenth of the error; with large weights the "
                  "chain stays in one mode for long, and the error with it"}}},
    {"hopfield", "Hopfield network: recall of a damaged pattern", part_hopfield,
     .notices = {{"hopfield.png", "every pixel votes on every other; the second sweep changes "
                                  "nothing any more"},
                 {"capacity", "recall breaks down near 0.138 patterns a unit, the more sharply the "
                              "larger the network"}}},
    {"ising", "Ising model: the phase transition", part_ising,
     .notices = {{"ising.png", "at the critical temperature there are clusters of every size"},
                 {"magnetization", "a lattice follows Onsager's curve up to the transition, which "
                                   "a small one rounds off"},
                 {"binder", "the curves of two sizes cross near Onsager's 2.269"}}},
    {"learn", "Restricted Boltzmann machine: CD-1 and PCD", part_learn,
     .notices = {{"filters.png", "filters begin as noise and become strokes, ends and holes"},
                 {"samples.png, chains.png",
                  "CD-1 was trained one step away from the data: a long chain leaves them for "
                  "images that are no digits; PCD's chains have been there"},
                 {"reconstruction, pseudo_likelihood",
                  "both prefer CD-1, whose samples are no digits: they look one step or one pixel "
                  "far, the likelihood looks everywhere"}}},
    {"likelihood", "Exact log-likelihood, and annealed importance sampling", part_likelihood,
     .notices = {{"likelihood", "with as many units and epochs PCD ends at the better model"},
                 {"ais", "with few temperatures the estimate is too low, and its error bar does "
                         "not say so: it knows only what the runs have seen"}}},
    {"classify", "Deep belief network: classification on features", part_classify,
     .notices = {{"accuracy",
                  "no label was used to learn the features, and a linear classifier on them "
                  "misclassifies fewer digits than on pixels"}}},
};

// Weights of two RBMs and of the layer on top, with gradient, momentum and first values; a batch's gradients and
// layers.
static bool fits(const Lab *lab, Error *err)
{
    const double H = lab->hidden, rows = lab->batch > lab->chains ? lab->batch : lab->chains,
                 weights = H * (2 * PIXELS + H);
    return memory_suffices(sizeof(float) *
                               (4 * weights + H * (H + PIXELS) + rows * (6 * H + 6 * PIXELS)),
                           arena_print(lab->keep, "--hidden %d --batch %d --chains %d", lab->hidden,
                                       lab->batch, lab->chains),
                           err);
}

static bool prepare(Lab *lab, const Story *story, Error *err)
{
    if (!fits(lab, err)) return false;
    Run *run = lab->run;
    ImagesSource source = {.data_dir = run->data,
                           .seed = run->seed,
                           .train = lab->images,
                           .test = (lab->images + 4) / 5};    // 0 for all
    if (!images_load(lab->keep, &lab->train, &lab->test, source, err)) return false;
    if (lab->train.classes > CLASSES)
        return error_set(err, "%s: has %d classes, this lab takes at most %d", lab->train.origin,
                         lab->train.classes, CLASSES);
    run_print(run, "Training set: %d image%s, test set: %d image%s: %s", lab->train.count,
              text_plural(lab->train.count), lab->test.count, text_plural(lab->test.count),
              lab->train.origin);
    lab->session = (Session){
        .run = run,
        .config = arena_print(lab->keep,
                              "part %s, hidden %d, small %d, epochs %d, batch %d, chains %d, "
                              "rate %g, seed %" PRIu64 ", %d training images with CRC-32 %08lx",
                              story->chosen, lab->hidden, lab->small, lab->epochs, lab->batch,
                              lab->chains, (double)lab->learning_rate, run->seed, lab->train.count,
                              images_crc32(&lab->train))};
    lab_plan(lab, story);
    return session_resume(&lab->session, err);
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", ROOM), *step = arena_new("step", (size_t)2 << 30);
    static Lab lab;
    lab = (Lab){.keep = keep,
                .step = step,
                .hidden = 500,
                .small = 12,
                .epochs = 10,
                .batch = 100,
                .chains = 100,
                .learning_rate = 0.1f};
    Options *options = options_new(keep, "boltzmann",
                                   "Boltzmann machines: Hopfield, Ising, and restricted ones that "
                                   "learn digits without labels.");
    options_group(options, "This lab");
    options_int(options, "hidden", 0, &lab.hidden, 1, 20000, "hidden units of the RBMs");
    options_int(options, "small", 0, &lab.small, 1, 20,
                "hidden units of the RBM whose likelihood is exact");
    options_int(options, "epochs", 'e', &lab.epochs, 1, POINTS_MAX, "passes over the training set");
    options_int(options, "batch", 'b', &lab.batch, 1, 10000, "batch size");
    options_int(options, "chains", 'c', &lab.chains, 1, 10000, "persistent chains of PCD");
    options_float(options, "rate", 'r', &lab.learning_rate, 1e-6f, 1.0f,
                  "learning rate of CD-1 at the start; PCD has half");
    options_int(options, "images", 'i', &lab.images, 0, IMAGES_MAX,
                "size of the training set; 0 for all there are, or 20000 generated");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/boltzmann/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke) {
        if (!options_given(options, "epochs")) lab.epochs = 1;
        if (!options_given(options, "images")) lab.images = 300;
        if (!options_given(options, "hidden")) lab.hidden = 24;
        if (!options_given(options, "small")) lab.small = 4;
    }
    Error err = {""};
    if (!prepare(&lab, &story, &err)) return run_fail(lab.run, &err);
    return story_run(&story, &lab);
}
