/* crossing.h -- from which size on one device is faster than another.
 *
 *     double sizes[] = {64, 256, 1024}, faster[] = {0.5, 2, 8};    // seconds of the CPU over the GPU's
 *     Crossing crossing = crossing_of(sizes, faster, 3);           // at 128
 *
 * Between two sizes the ratio is a straight line in logarithms. The crossing is the last one: from there on
 * every larger size that was measured is at least as fast.
 */
#pragma once
#include "common/arena.h"

typedef enum CrossingKind {
    CROSSING_NONE,      // no size was measured
    CROSSING_ALWAYS,    // at every size
    CROSSING_NEVER,     // not at the largest one
    CROSSING_AT
} CrossingKind;

typedef struct Crossing {
    CrossingKind kind;
    double at;    // the size; of ALWAYS the smallest and of NEVER the largest that was measured
} Crossing;

// Sizes ascend; ratios are above 0.
Crossing crossing_of(const double *sizes, const double *ratios, int count);

const char *crossing_text(Arena *arena,
                          Crossing crossing);    // "128", "always, from 64", "not up to 1024"
