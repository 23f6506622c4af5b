/* lab.h -- what the parts of the story share. */
#pragma once
#include "common/story.h"
#include "common/text.h"
#include "labs/2_core/sparse_coding/dictionary.h"
#include "labs/2_core/sparse_coding/patches.h"
#include "labs/2_core/sparse_coding/sparse_coding.h"

typedef struct Lab {
    Run *run;
    Arena *keep, *step;
    int atoms, patches, epochs;
    float lambda, noise, missing;
    Images train, test;
    double *learned;    // [atoms,PATCH]; NULL until it is learned
} Lab;

// Learns lab->learned, unless that is done; false when it is interrupted.
bool learned(Lab *lab, bool shown);

// Random patches of the training images: [count,PATCH].
double *training_patches(const Lab *lab, Arena *arena, int count, Rng *rng);

bool part_lasso(void *lab, Error *err);
bool part_planted(void *lab, Error *err);
bool part_learn(void *lab, Error *err);
bool part_lista(void *lab, Error *err);
bool part_denoise(void *lab, Error *err);
bool part_inpaint(void *lab, Error *err);
