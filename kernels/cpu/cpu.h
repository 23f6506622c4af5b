/* cpu.h -- the instruction sets that the `cpu` backend was built for.
 *
 *     for (int i = 0; i < CPU_VARIANTS; i++)
 *         if (cpu_variants[i].can_run()) check(cpu_variants[i].table);    // the tests
 *
 * kernels_cpu() picks the first that can run: the list goes from the widest to the plainest, which
 * runs everywhere.
 */
#pragma once
#include "kernels/kernels.h"

#ifdef LAB_CPU_X86
enum { CPU_VARIANTS = 3 };
#else
enum { CPU_VARIANTS = 1 };
#endif

typedef struct CpuVariant {
    const Kernels *table;
    bool (*can_run)(void);
} CpuVariant;

extern const CpuVariant cpu_variants[CPU_VARIANTS];
