/* experiment.h -- what the parts of the story share: options, data, models and their trainings. */
#pragma once
#include "common/story.h"
#include "common/training.h"
#include "datasets/images.h"
#include "labs/2_core/autoencoder/network.h"

enum { PIXELS = 784, CLASSES = 10, FEATURES = 500 };

typedef struct Denoiser {
    Autoencoder net;
    float noise;    // the probability that a pixel is set to 0
} Denoiser;

typedef struct Classifier {
    Linear features, scores;
} Classifier;

typedef struct Experiment {
    // Options.
    const char *hidden;    // units between the pixels and the code: "256", "1000,500,250"
    bool tied;
    int code, epochs, batch, images;
    float learning_rate, noise;

    Run *run;
    Arena *keep, *scratch;
    Images train, test;
    Session session;
    Autoencoder autoencoder, vae;    // 784-256-30-256-784 or as asked; a VAE with a code of two
    Denoiser denoiser;               // 784-500-784
    Classifier scratch_net,
        tuned_net;    // 784-500-10: from scratch, and on the denoiser's features
    Training reconstruct, denoise, from_scratch, pretrained, generate;
} Experiment;

// Makes the models of the parts that will run and plans their trainings.
bool experiment_plan(Experiment *lab, const Story *story, Error *err);

// The parts of the story.
bool part_reconstruct(void *lab, Error *err);
bool part_denoise(void *lab, Error *err);
bool part_generate(void *lab, Error *err);
bool part_losses(void *lab, Error *err);
