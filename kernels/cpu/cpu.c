/* cpu.c -- which of the backend's tables this processor can run. */
#include "kernels/cpu/cpu.h"

extern const Kernels cpu_plain_table;

static bool always(void)
{
    return true;
}

#ifdef LAB_CPU_X86
extern const Kernels cpu_avx2_table, cpu_avx512_table;

// These also ask whether the operating system saves the wide registers.
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const CpuVariant cpu_variants[CPU_VARIANTS] = {
#ifdef LAB_CPU_X86
    {&cpu_avx512_table, has_avx512},
    {&cpu_avx2_table, has_avx2},
#endif
    {&cpu_plain_table, always},
};

const Kernels *kernels_cpu(void)
{
    int i = 0;
    while (!cpu_variants[i].can_run())
        i++;
    return cpu_variants[i].table;
}
