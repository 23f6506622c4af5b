/* wgmma.h -- matrix products of bfloat16 on Hopper's tensor cores: TMA, mbarriers, wgmma (wgmma.cu).
 *
 *     if (cuda_wgmma_missing() == NULL) cuda_matmul_wgmma(c, ..., beta);    // true: queued
 *
 * Inputs are rounded to bfloat16 or are of it, sums are float32. For GPUs of compute capability 9.0 (H100, H200) and an
 * nvcc that knows sm_90a, 12.0 or later; and for the emulator, on a model of the instructions (emulator/hopper.h).
 * Compiled for sm_90a, and has never run on a GPU; tests/kernels/cuda/test_wgmma.c holds it against ref, emulated.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "kernels/kernels.h"
#ifdef __cplusplus
extern "C" {
#endif

const char *cuda_wgmma_missing(void);    // NULL: it can run here; else why not, a static sentence

// c[i,j] = beta c[i,j] + sum_p a[i,p] b[j,p]; a: [m,k], b: [n,k], bfloat16 on the device, rows as many numbers apart as
// the strides say. False, and nothing was queued: k is 0, an address or a row's bytes are no multiple of 16, as TMA has it.
bool cuda_wgmma_product(float *c, size_t c_row, const uint16_t *a, size_t a_row, const uint16_t *b,
                        size_t b_row, int m, int n, int k, float beta);

// As kernels.matmul, for one product: a and b are rounded to bfloat16 in the workspace. False: as above, or no room.
bool cuda_matmul_wgmma(float *c, size_t c_row, Mat a, Mat b, int m, int n, int k, float beta);

#ifdef __cplusplus
}
#endif
