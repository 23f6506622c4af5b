/* kernels.c -- which table is in use, and how a sparse one is completed. */
#include "kernels/kernels.h"
#include <string.h>

Kernels kernels = {
    .backend = "none",
};
