/* lab.h -- what the parts of the story share. */
#pragma once
#include "common/story.h"
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

bool part_lasso(void *lab, Error *err);
bool part_learn(void *lab, Error *err);
bool part_denoise(void *lab, Error *err);
bool part_inpaint(void *lab, Error *err);
