/* experiment.h -- what the parts of the story share: options, data, the network and its training. */
#pragma once
#include "common/story.h"
#include "common/training.h"
#include "datasets/images.h"
#include "labs/2_core/cnn/network.h"

typedef struct Experiment {
    // Options.
    const char *net, *layers;       // "lenet" or "resnet", by "kernels" or "exercises"
    const char *folder;             // of PNGs; NULL for the run's data
    const char *picture, *model;    // to classify, and by what
    int epochs, batch, images;
    float learning_rate, decay, dropout;
    bool augment;

    Run *run;
    Arena *keep, *scratch;
    Images train, test;
    Session session;
    Params *params;
    Network network;
    Training training;
    float *probabilities;    // [test images,classes], after the training; NULL before
} Experiment;

// Makes the network and plans its training.
void experiment_plan(Experiment *lab);

// The parts of the story.
bool part_train(void *lab, Error *err);
bool part_errors(void *lab, Error *err);
bool part_inside(void *lab, Error *err);
bool part_by_hand(void *lab, Error *err);
