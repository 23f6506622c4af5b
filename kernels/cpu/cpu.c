/* cpu.c -- which of the backend's tables this processor can run, and LAB_CPU allows. */
#include "kernels/cpu/cpu.h"
#include <stdlib.h>
#include <string.h>

extern const Kernels cpu_plain_table;

static bool always(void)
{
    return true;
}

#ifdef LAB_CPU_X86
#include <cpuid.h>

extern const Kernels cpu_avx2_table, cpu_avx2vnni_table, cpu_avx512_table, cpu_avx512vnni_table;

#define EXPECTED "plain, avx2, avx2vnni, avx512 or avx512vnni"

// Not all compilers' lists have these.
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
}

static bool has_avxvnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

// These also ask whether the operating system saves the wide registers.
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static bool has_avx2vnni(void)
{
    return has_avx2() && has_avxvnni();
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
#else
#define EXPECTED "plain"
#endif

const CpuVariant cpu_variants[CPU_VARIANTS] = {
#ifdef LAB_CPU_X86
    {&cpu_avx512vnni_table, has_avx512vnni},
    {&cpu_avx512_table, has_avx512},
    {&cpu_avx2vnni_table, has_avx2vnni},
    {&cpu_avx2_table, has_avx2},
#endif
    {&cpu_plain_table, always},
};

// The variant that LAB_CPU names: -1 when it is not set, CPU_VARIANTS when there is none of that name.
static int variant_asked_for(void)
{
    const char *name = getenv("LAB_CPU");
    if (name == NULL || *name == '\0') return -1;
    int i = 0;
    while (i < CPU_VARIANTS && strcmp(cpu_variants[i].table->variant, name) != 0) i++;
    return i;
}

const Kernels *kernels_cpu(void)
{
    int i = variant_asked_for();
    if (i < 0 || i == CPU_VARIANTS) i = 0;
    while (!cpu_variants[i].can_run()) i++;
    return cpu_variants[i].table;
}

const char *cpu_variant_refused(void)
{
    int i = variant_asked_for();
    if (i == CPU_VARIANTS) return "LAB_CPU names an unknown instruction set; expected " EXPECTED;
    if (i >= 0 && !cpu_variants[i].can_run())
        return "LAB_CPU names an instruction set that this processor does not have";
    return NULL;
}
