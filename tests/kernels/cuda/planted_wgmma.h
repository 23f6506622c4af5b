/* planted_wgmma.h -- kernels/cuda/wgmma.cu with one mistake each (planted_wgmma.cmake): what the emulator has to say. */
#pragma once
#include "kernels/cuda/emulator/report.h"
#include "kernels/cuda/wgmma.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct PlantedWgmma {
    const char *name;
    FaultKind kind;    // FAULT_KINDS: the result is wrong
    bool (*multiply)(float *c, size_t c_row, const uint16_t *a, size_t a_row, const uint16_t *b,
                     size_t b_row, int m, int n, int k, float beta);
} PlantedWgmma;

extern const PlantedWgmma planted_wgmma[];
extern const size_t planted_wgmma_count;

// Each instruction alone (hopper.cu): how many of the checks failed.
int hopper_features_that_fail(void);

#ifdef __cplusplus
}
#endif
