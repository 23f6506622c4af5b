/* main.c -- convolutional networks: train one on small images, and look inside. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "labs/2_core/cnn/experiment.h"
#include "labs/2_core/cnn/model.h"
#include "common/text.h"

static const Part parts[] = {
    {"train", "Training", part_train,
     .notices = {{"accuracy", "most of it comes in the first epoch; what do the others add?"},
                 {"loss", "where the test loss rises again, the network overfits"}}},
    {"errors", "Confusion matrix and hardest images", part_errors,
     .notices = {{"confusion.png", "errors come in pairs: which classes are taken for each other?"},
                 {"hardest.png", "would you have read them? Is the label right?"}}},
    {"inside", "Filters, feature maps, saliency", part_inside,
     .notices =
         {{"filters.png",
           "which look for an edge in one direction, and which are still as random as at first?"},
          {"feature_maps.png",
           "first strokes in some direction, then parts of a digit, coarse in place"},
          {"saliency.png",
           "the pixels that matter lie on the stroke and where another digit would have one"}}},
    {"by_hand", "The exercises beside the kernel table", part_by_hand,
     .notices = {{"exercises", "the same loss and gradients; what makes the difference in time?"}}},
};

static bool prepare(Experiment *lab, Error *err)
{
    Run *run = lab->run;
    ImagesSource source = {.data_dir = run->data,
                           .folder = lab->folder,
                           .seed = run->seed,
                           .train = lab->images,
                           .test = (lab->images + 4) / 5};    // 0 for all
    if (!images_load(lab->keep, &lab->train, &lab->test, source, err)) return false;
    run_print(run, "Training set: %d image%s, test set: %d image%s, %d classes: %s",
              lab->train.count, text_plural(lab->train.count), lab->test.count,
              text_plural(lab->test.count), lab->train.classes, lab->train.origin);
    lab->session =
        (Session){.run = run,
                  .config = arena_print(
                      lab->keep,
                      "%s, layers by %s, epochs %d, batch %d, rate %g, decay %g, dropout "
                      "%g%s, seed %" PRIu64 ", %d training images with CRC-32 %08lx",
                      lab->net, lab->layers, lab->epochs, lab->batch, (double)lab->learning_rate,
                      (double)lab->decay, (double)lab->dropout, lab->augment ? ", augmented" : "",
                      run->seed, lab->train.count, images_crc32(&lab->train))};
    experiment_plan(lab);
    return session_resume(&lab->session, err);
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)4 << 30), *scratch = arena_new("step", (size_t)1 << 30);
    Experiment lab = {.keep = keep,
                      .scratch = scratch,
                      .net = "lenet",
                      .layers = getenv("LAB_CHECK") != NULL ? "exercises" : "kernels",    // --mine
                      .epochs = 10,
                      .batch = 64,
                      .learning_rate = 0.02f,
                      .decay = 5e-4f};
    Options *options = options_new(keep, "cnn",
                                   "Convolutional networks on images of 28x28 pixels: LeNet and a "
                                   "residual network, their errors, and what is inside.");
    options_group(options, "This lab");
    options_choice(options, "net", 'n', &lab.net, NETWORKS, "the network");
    options_int(options, "epochs", 'e', &lab.epochs, 1, 1000, "passes over the training set");
    options_int(options, "batch", 'b', &lab.batch, 1, 1024, "batch size");
    options_float(
        options, "rate", 'r', &lab.learning_rate, 1e-6f, 1.0f,
        "learning rate at the start, 0.05 for resnet: SGD with momentum 0.9, along half a "
        "cosine to 0");
    options_float(options, "decay", 0, &lab.decay, 0.0f, 1.0f, "weight decay");
    options_float(options, "dropout", 0, &lab.dropout, 0.0f, 0.95f,
                  "before the last layers, the probability that a value is set to 0");
    options_flag(options, "augment", 'a', &lab.augment,
                 "train on images that are shifted, turned and scaled a little");
    options_string(options, "images", 0, &lab.folder, "DIR",
                   "train on PNGs: a folder for each class");
    options_int(options, "limit", 0, &lab.images, 0, IMAGES_MAX,
                "size of the training set; 0 for all there are, or 20000 generated");
    options_choice(options, "layers", 0, &lab.layers, "kernels|exercises",
                   "who computes; --mine: the exercises, your functions");
    options_string(options, "classify", 'c', &lab.picture, "FILE",
                   "say what a PNG shows, by a model that was trained before");
    options_string(options, "model", 'm', &lab.model, "FILE", "that model");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/2_core/cnn/README.md",
                   .checkpoint = CHECKPOINT,
                   .step = scratch};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (strcmp(lab.net, "resnet") == 0 && !options_given(options, "rate"))
        lab.learning_rate = 0.05f;
    if (lab.run->smoke && !options_given(options, "epochs")) lab.epochs = 1;
    if (lab.run->smoke && !options_given(options, "limit")) lab.images = 150;

    Error err = {""};
    if (lab.picture != NULL) {
        const char *model = lab.model != NULL ? lab.model : run_path(lab.run, MODEL_FILE);
        bool classified = model_classify(lab.run, model, lab.picture, &err);
        return classified ? run_end(lab.run, NULL) : run_fail(lab.run, &err);
    }
    if (lab.folder != NULL && options_given(options, "data")) {
        error_print("--images and --data: expected one of them");
        return 2;
    }
    if (lab.model != NULL) {
        error_print("--model %s: expected --classify FILE with it", lab.model);
        return 2;
    }
    if (!prepare(&lab, &err)) return run_fail(lab.run, &err);
    return story_run(&story, &lab);
}
