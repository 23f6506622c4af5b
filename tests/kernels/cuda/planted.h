/* planted.h -- kernels with one fault each, and kernels whose cost is known: what the emulator has to say.
 *
 * The line of a fault ends with `// <- its name`; where two threads are at fault, the other line with
 * `// <- its name, other`.
 */
#pragma once
#include "kernels/cuda/emulator/report.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct Planted {
    const char *name;
    FaultKind kind;
    void (*launch)(void);
} Planted;

extern const Planted planted[];
extern const size_t planted_count;

// Lane i of one warp reads element index[i], for as many lanes as there are. Marked `// <- global` and so on.
void cost_global_1(const int *index, int lanes);    // of 1 byte
void cost_global_2(const int *index, int lanes);
void cost_global_4(const int *index, int lanes);
void cost_global_8(const int *index, int lanes);
void cost_global_16(const int *index, int lanes);
void cost_shared_1(const int *index, int lanes);
void cost_shared_2(const int *index, int lanes);
void cost_shared_4(const int *index, int lanes);
void cost_shared_8(const int *index, int lanes);
void cost_shared_16(const int *index, int lanes);
void cost_shared_atomic(const int *index, int lanes);
void cost_loop(const int *trips, int lanes);    // lane i reads trips[i] times: `// <- loop`

// Everything in the emulator's headers that has an exact answer; returns how many of the checks failed.
int features_that_fail(void);

// Kernels as they are written for GPUs, without fault; the same.
int kernels_that_fail(void);

#ifdef __cplusplus
}
#endif
