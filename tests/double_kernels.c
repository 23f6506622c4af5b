// core_double has one backend: the plain loops, read in double precision.
#include "kernels/kernels.h"

const Kernels *kernels_cpu(void)
{
    return &kernels_ref;
}
