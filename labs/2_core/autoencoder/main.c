/* main.c -- autoencoders: what a latent code of a few numbers can hold of an image of a digit. */
#include <inttypes.h>
#include "labs/2_core/autoencoder/experiment.h"
#include "common/text.h"

static const Part parts[] = {
    {"reconstruct", "Reconstruction: the squeeze", part_reconstruct,    // image: squeeze
     .notices = {{"reconstructions.png",
                  "PCA leaves gray ghosts around a stroke; the autoencoder, with a code as small, "
                  "knows that ink is ink. Which digits does it reconstruct as others?"}}},
    {"denoise", "Denoising: the repair", part_denoise,    // image: repair
     .notices = {{"denoised.png",
                  "strokes continue where pixels were set to 0: nothing in the input said so"}}},
    {"generate", "Generation: the imagination of a VAE", part_generate,
     .notices = {{"latent", "the encoder saw no labels, and yet the digits form clusters"},
                 {"samples.png", "between two clusters lie digits that are in no data set"}}},
    {NULL, "Training and test loss", part_losses,
     .notices = {{"losses, classifiers",
                  "where the test loss stops falling and the training loss does not, the network "
                  "overfits: it memorizes its training set"}}},
};

static bool prepare(Experiment *lab, const Story *story, Error *err)
{
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
    lab->session =
        (Session){.run = run,
                  .config = arena_print(
                      lab->keep,
                      "part %s, code %d, hidden %s%s, epochs %d, batch %d, rate %g, noise %g, "
                      "seed %" PRIu64 ", %d training images with CRC-32 %08lx",
                      story->chosen, lab->code, lab->hidden, lab->tied ? " tied" : "", lab->epochs,
                      lab->batch, (double)lab->learning_rate, (double)lab->noise, run->seed,
                      lab->train.count, images_crc32(&lab->train))};
    return experiment_plan(lab, story, err) && session_resume(&lab->session, err);
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)4 << 30), *scratch = arena_new("step", (size_t)1 << 30);
    Experiment lab = {.keep = keep,
                      .scratch = scratch,
                      .hidden = "256",
                      .code = 30,
                      .epochs = 10,
                      .batch = 128,
                      .learning_rate = 3e-3f,
                      .noise = 0.3f};
    Options *options = options_new(keep, "autoencoder",
                                   "Autoencoders of handwritten digits: reconstruction from a "
                                   "small latent code, denoising, and generation with a VAE.");
    options_group(options, "This lab");
    options_int(options, "code", 'c', &lab.code, 1, PIXELS,
                "dimensions of the latent code of reconstruct");
    options_string(options, "hidden", 0, &lab.hidden, "UNITS",
                   "hidden layers before the code, such as 1000,500,250");
    options_flag(options, "tied", 0, &lab.tied, "tied weights: the decoder uses the encoder's");
    options_int(options, "epochs", 'e', &lab.epochs, 1, 1000, "passes over the training set");
    options_int(options, "batch", 'b', &lab.batch, 1, 10000, "batch size");
    options_float(options, "rate", 'r', &lab.learning_rate, 1e-6f, 1.0f,
                  "Adam's learning rate at the start");
    options_float(options, "noise", 'n', &lab.noise, 0.0f, 0.95f,
                  "masking noise: the share of pixels set to 0");
    options_int(options, "images", 'i', &lab.images, 0, IMAGES_MAX,
                "size of the training set; 0 for all there are, or 20000 generated");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/autoencoder/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = scratch};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "epochs")) lab.epochs = 1;
    if (lab.run->smoke && !options_given(options, "images")) lab.images = 500;

    Error err = {""};
    if (!prepare(&lab, &story, &err)) return run_fail(lab.run, &err);
    return story_run(&story, &lab);
}
