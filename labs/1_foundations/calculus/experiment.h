/* experiment.h -- what the parts of the story share: options, the network on the scalar engine. */
#pragma once
#include "common/story.h"
#include "common/training.h"
#include "labs/1_foundations/calculus/engine.h"
#include "labs/1_foundations/calculus/moons.h"

enum { POINTS = 400, BATCH = 32 };

// A model in double with a training step of its own: your engine's gradient and your Adam.
typedef struct Network {
    Engine *engine;
    Moons train, test;
    double initial[NET_WEIGHTS], weights[NET_WEIGHTS], m[NET_WEIGHTS], v[NET_WEIGHTS];
    Record records[3];
} Network;

typedef struct Experiment {
    int steps;
    float learning_rate;
    Run *run;
    Arena *scratch;
    Session session;
    Training training;
    Network network;
} Experiment;

void experiment_plan(Experiment *lab);    // before the parts that train

bool part_derivatives(void *lab, Error *err);    // curves.c
bool part_taylor(void *lab, Error *err);
bool part_quadrature(void *lab, Error *err);
bool part_descent(void *lab, Error *err);    // descent.c
bool part_lagrange(void *lab, Error *err);
bool part_gradients(void *lab, Error *err);    // learning.c
bool part_classifier(void *lab, Error *err);
