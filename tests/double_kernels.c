// core_double has one backend: the plain loops, read in double precision.
#include "kernels/cpu/cpu.h"

const Kernels *kernels_cpu(void)
{
    return &kernels_ref;
}

const char *cpu_variant_refused(void)
{
    return NULL;
}
