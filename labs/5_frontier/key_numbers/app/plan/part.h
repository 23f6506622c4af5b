/* part.h -- the parts of an answer, in their order, and which of them a quantity belongs to.
 *
 *     part_of("kv_cache.bytes")              // PART_INFERENCE
 *     parts_named("parameters,fit", &err)    // a bit for each
 */
#pragma once
#include "common/error.h"

// Name, word for --show, first words of the paths, title.
#define PART_LIST(X)                                                                               \
    X(PARAMETERS, "parameters", "model|parameters", "Parameters")                                  \
    X(INFERENCE, "inference", "weights|kv_cache|inference", "Memory for inference")                \
    X(TRAINING, "training", "training", "Memory for training")                                     \
    X(COMPUTE, "compute", "compute", "Compute")                                                    \
    X(FIT, "fit", "fit", "Which GPU")

typedef enum PlanPart {
#define X(name, word, prefixes, title) PART_##name,
    PART_LIST(X)
#undef X
        PART_COUNT
} PlanPart;

#define PARTS_ALL ((1u << PART_COUNT) - 1)

extern const char *const part_titles[PART_COUNT];

PlanPart part_of(const char *path);    // PART_COUNT: of none
// The parts that a list of words names; 0 and a sentence when a word is none.
unsigned parts_named(const char *names, Error *err);
