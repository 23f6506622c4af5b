/* far.c -- a device for tests: ref's arithmetic on memory that the host cannot touch (memory.h). The kernels are
 * made from the list: each gets its pointers moved to where the numbers lie, and calls ref's.
 */
#include <string.h>
#include "kernels/device.h"
#include "kernels/far/memory.h"
#include "kernels/map.h"

static void move_pointer(void *argument, const char *function)
{
    void *address;
    memcpy(&address, argument, sizeof address);
    address = far_moved(address, 0, function + strlen("far_"));
    memcpy(argument, &address, sizeof address);
}

#define X(name, prototype, arguments, work)                                                        \
    static void far_##name prototype                                                               \
    {                                                                                              \
        kernels_ref.name ALL_MOVED arguments;                                                      \
    }
KERNEL_LIST(X)
#undef X

#define X(name, prototype, arguments, work) .name = far_##name,
static const Kernels far_kernels = {.variant = "ref", KERNEL_LIST(X)};
#undef X

const Device device_far = {.name = "far",
                           .kernels = &far_kernels,
                           .host_kernels = &kernels_ref,    // so that all figures are ref's
                           .reserve = far_reserve,
                           .commit = far_commit,
                           .release = far_release,
                           .put = far_put,
                           .get = far_get,
                           .copy = far_copy};
