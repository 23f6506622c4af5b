/* kernels.c -- choosing the table in use, and completing a sparse one. */
#include "kernels/kernels.h"
#include <string.h>

Kernels kernels_complete(const Kernels *sparse)
{
    Kernels all = *sparse;
#define X(name, args) \
    if (!all.name) all.name = kernels_ref.name;
    KERNEL_LIST(X)
#undef X
    return all;
}

bool kernels_use(const char *backend, const char **why)
{
    if (!backend || strcmp(backend, "cpu") == 0)
        kernels = kernels_complete(kernels_cpu());
    else if (strcmp(backend, "ref") == 0)
        kernels = kernels_ref;
    else {
        *why = strcmp(backend, "cuda") == 0 ? "this build has no CUDA backend; expected cpu or ref"
                                            : "unknown backend; expected cpu or ref";
        return false;
    }
    return true;
}
