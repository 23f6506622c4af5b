/* memory_limit.h -- how much of a GPU's memory there is to fill. */
#pragma once

typedef struct MemoryLimit {
    double memory;         // bytes of one GPU
    double utilisation;    // the share of them that an engine may use
    double
        overhead_gib;    // on each GPU for CUDA context, graphs and libraries; below 0: the runtime's
} MemoryLimit;

// In bytes.
static inline double memory_usable(const MemoryLimit *limit)
{
    return limit->memory * limit->utilisation;
}
