/* gpu.h -- the CUDA devices, asked of the driver's own library: no toolkit is needed for that.
 *
 *     Gpu gpus[GPU_MAX];
 *     int count = gpu_list(gpus);    // 0: none, or no driver
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { GPU_MAX = 8 };

typedef struct Gpu {
    char name[96];
    int major, minor;    // compute capability
    size_t bytes;
    int processors;    // streaming multiprocessors
    int clock_khz;     // at most; 0 where the driver does not say, here and below
    int memory_khz;    // each line carries two bits a cycle
    int bus_bits;
    bool integrated;    // its memory is the host's
} Gpu;

int gpu_list(Gpu gpus[GPU_MAX]);
