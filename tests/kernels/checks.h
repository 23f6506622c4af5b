/* checks.h -- for every kernel, how a table's is held against ref's.
 *
 *     check_relu(kernels_cpu());    // fails the cmocka case where the two differ
 *
 * Made from KERNEL_LIST: a kernel without a check does not link.
 */
#pragma once
#include "kernels/kernels.h"

#define X(name, prototype, arguments, work) void check_##name(const Kernels *table);
KERNEL_LIST(X)
#undef X
