/* rungs.h -- the rungs of the ladder as the story runs them: each with its work and the least that it needs.
 *
 *     const Rung *rung = &rungs[0];
 *     Work work = rung->run(step, 96);
 *     const EmulatorReport *report = emulator_report();
 */
#pragma once
#include "common/arena.h"
#include "labs/2_core/gpu_kernels/launch.h"

typedef struct Work {
    const char *size;    // "[96,128]"
    double flops;        // that the result needs
    double bytes;        // of the inputs and outputs, each once
} Work;

typedef struct Rung {
    const char *name;    // the exercise's
    const char *part;
    Work (*run)(Arena *step, int size);    // one launch, counted by the emulator
    bool tensor_cores;
} Rung;

extern const Rung rungs[];
extern const int rung_count;
