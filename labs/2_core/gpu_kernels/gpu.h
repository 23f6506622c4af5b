/* gpu.h -- the peaks of some GPUs, for the roofline.
 *
 *     const Gpu *gpu = gpu_find("h200");    // NULL: not in the table
 *     GpuPeaks peaks = gpu_peaks(gpu, false);
 *
 * A multiprocessor does `lanes` fused multiply-adds and one wavefront of shared memory in a clock. The tensor
 * cores' peak is of half operands with float sums, dense. gpu.c names the source of each number.
 */
#pragma once
#include "kernels/cuda/emulator/roofline.h"

// Names for an option.
#define GPU_NAMES "t4|l4|rtx-3060|rtx-4090|rtx-5090|a100|h100|h200"

typedef struct Gpu {
    const char *id, *name;
    int capability, multiprocessors, lanes;
    double clock, bandwidth, tensor;    // GHz, GB/s, TFLOP/s
} Gpu;

const Gpu *gpu_find(const char *id);
GpuPeaks gpu_peaks(const Gpu *gpu, bool tensor_cores);
