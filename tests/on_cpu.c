// Linked into a test, it puts the cpu backend's kernels in use from the start, as a lab does.
#include <stdlib.h>
#include "kernels/device.h"

__attribute__((constructor)) static void use_cpu(void)
{
    const char *why;
    if (!device_use("cpu", &why)) abort();
}
