/* onednn.h -- Intel's oneDNN as a backend: what our kernels are measured against (--device onednn).
 *
 *     const char *why;
 *     const Kernels *table = kernels_onednn(&why);    // NULL: it does not load, why says so
 *
 * It fills conv2d with its gradients, and matmul; the rest is cpu's, and so are products whose strides it
 * cannot take. Its headers are needed to build it (Debian's libdnnl-dev 2.6), the library only where it
 * is asked for: no other program loads it.
 */
#pragma once
#include "kernels/kernels.h"

const Kernels *kernels_onednn(const char **why);
