/* gpu_times.h -- the clock of a GPU for gpu_times.c, which has no other CUDA in it. */
#pragma once
#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif

// From here on each run_...() of launch.h starts its kernel so many times more and keeps the time. False: no GPU.
bool gpu_times_begin(int repeats);
double launch_seconds(void);    // of one launch, of the last run_...()

// Seconds of cuBLAS for c = a b of n x n, in float32 or in halves; 0 where cuBLAS is not installed.
double gpu_times_cublas(int n, bool half, int repeats);

#ifdef __cplusplus
}
#endif
