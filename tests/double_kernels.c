// core_double has one backend: the plain loops, read in double precision.
#include <string.h>
#include "kernels/cpu/cpu.h"

const Kernels *kernels_cpu(void)
{
    return &kernels_ref;
}

const char *cpu_variant_refused(void)
{
    return NULL;
}

// ---- numbers in a file's types: only our own

bool dtype_to_floats(DType type, float *out, const void *in, size_t count)
{
    if (type == DTYPE_F32 && count > 0) memcpy(out, in, count * sizeof *out);
    return type == DTYPE_F32;
}

bool dtype_from_floats(DType type, void *out, const float *in, size_t count)
{
    if (type == DTYPE_F32 && count > 0) memcpy(out, in, count * sizeof *in);
    return type == DTYPE_F32;
}
