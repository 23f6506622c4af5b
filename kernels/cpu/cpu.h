/* cpu.h -- the instruction sets that the `cpu` backend was built for.
 *
 *     for (int i = 0; i < CPU_VARIANTS; i++)
 *         if (cpu_variants[i].can_run()) check(cpu_variants[i].table);    // the tests
 *
 * kernels_cpu() picks the first that can run: the list goes from the widest to the plainest, which
 * runs everywhere. LAB_CPU = plain, avx2, avx2vnni, avx512 or avx512vnni in the environment names the widest that it may
 * pick; after a value that cpu_variant_refused() complains about, it picks as well as it can.
 */
#pragma once
#include "kernels/kernels.h"

#ifdef LAB_CPU_X86
enum { CPU_VARIANTS = 5 };
#else
enum { CPU_VARIANTS = 1 };
#endif

typedef struct CpuVariant {
    const Kernels *table;
    bool (*can_run)(void);
} CpuVariant;

extern const CpuVariant cpu_variants[CPU_VARIANTS];

// What is wrong with the value of LAB_CPU, in a static sentence; NULL when nothing is.
const char *cpu_variant_refused(void);
