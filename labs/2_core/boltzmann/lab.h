/* lab.h -- what the parts of the story share: options, data, models and their trainings. */
#pragma once
#include "common/story.h"
#include "common/training.h"
#include "common/layers.h"
#include "labs/2_core/boltzmann/rbm.h"

enum { CLASSES = 10, TILES = 10, PICTURES = 4, POINTS_MAX = 1000 };

// Addresses for what a user's sizes ask for; what is not touched is not used.
#define ROOM ((size_t)16 << 30)

// What is measured while an RBM learns, at the end of an epoch: a resumed run has the later ones only.
typedef struct Trace {
    struct Lab *lab;
    const RbmModel *model;
    int count;
    float epoch[POINTS_MAX], value[POINTS_MAX];      // log pseudo-likelihood, or log-likelihood
    float *filters[PICTURES], *samples[PICTURES];    // [TILES,PIXELS]
} Trace;

static inline double trace_last(const Trace *trace)
{
    return trace->count > 0 ? (double)trace->value[trace->count - 1] : 0;
}

typedef struct Learner {
    RbmModel model;
    Training training;
    Trace trace;
} Learner;

typedef struct Classifier {
    Linear scores;
    Training training;
} Classifier;

typedef struct Lab {
    // Options.
    int hidden, small, epochs, batch, images, chains;
    float learning_rate;

    Run *run;
    Arena *keep, *step;
    Images train, test;
    Session session;
    Source pixels, pixels_test;        // gray levels
    Source binary, binary_test;        // 0 and 1: what has a likelihood
    Source features, features_test;    // of the RBM
    Source deep, deep_test;            // of the two layers
    Learner cd, pcd, small_cd, small_pcd, second;
    Classifier on_pixels, on_features, on_deep;
    bool cd_ended;        // part learn or classify, whichever came first
    const float *base;    // [PIXELS] the visible biases at the start of AIS
} Lab;

void lab_plan(Lab *lab, const Story *story);

// The parts. Each has random streams of its own, so that leaving one out changes none of the others.
bool part_machine(void *lab, Error *err);
bool part_hopfield(void *lab, Error *err);
bool part_ising(void *lab, Error *err);
bool part_learn(void *lab, Error *err);
bool part_likelihood(void *lab, Error *err);
bool part_classify(void *lab, Error *err);

// on_point of the small RBMs' trainings, and of the large ones': its context is the Trace.
void likelihood_point(void *context, const Training *training, long done);
void learning_point(void *context, const Training *training, long done);

// Trains the RBM whose features are classified, unless it is.
bool lab_train_cd(Lab *lab, Error *err);
