/* gpu_times.h -- the clock of a GPU for gpu_times.c, which has no other CUDA in it. */
#pragma once
#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif

// From here on each run_...() of launch.h starts its kernel so many times more and keeps the time. False: no GPU.
bool gpu_times_begin(int repeats);
double launch_seconds(void);    // of one launch, of the last run_...()

// The inputs of a product; its sums are float32.
typedef enum ProductType { PRODUCT_FLOAT, PRODUCT_HALF, PRODUCT_BFLOAT16 } ProductType;

// Seconds of cuBLAS for c = a b of n x n; of bfloat16 for c = a b^T. 0 where cuBLAS is not installed.
double gpu_times_cublas(int n, ProductType type, int repeats);

// Of kernels/cuda/wgmma.cu for c = a b^T of bfloat16; 0 where the GPU is not of compute capability 9.0.
double gpu_times_wgmma(int n, int repeats);

#ifdef __cplusplus
}
#endif
