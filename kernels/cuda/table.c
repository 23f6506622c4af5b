// table.c -- the CUDA kernels that are there, as a table. What is NULL is missing.
#include "kernels/cuda/cuda.h"

#define X(name, prototype, arguments, work) .name = cuda_##name,
const Kernels kernels_cuda = {.variant = "cuda", KERNEL_LIST(X)};
#undef X
