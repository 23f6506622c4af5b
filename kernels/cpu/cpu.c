/* cpu.c -- the table of the instruction set that this processor has. */
#include "kernels/kernels.h"

static const Kernels plain = {.backend = "cpu", .variant = "plain"};

const Kernels *kernels_cpu(void)
{
    return &plain;
}
