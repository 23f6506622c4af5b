#include "common/host.h"
#include "common/error.h"
#include "kernels/device.h"

Host host_begin(Arena *arena)
{
    device_enter_host();
    return (Host){.arena = arena, .mark = arena_mark(arena)};
}

static float *copy_of(Host *host, const float *x, size_t n, bool read)
{
    float *copy = arena_alloc(host->arena, n * sizeof *copy);
    if (read) device->get(copy, x, n * sizeof *copy);
    return copy;
}

const float *host_in(Host *host, const float *x, size_t n)
{
    return device->on_host || x == NULL ? x : copy_of(host, x, n, true);
}

static float *returned(Host *host, float *x, size_t n, bool read)
{
    if (device->on_host || x == NULL) return x;
    REQUIRE(host->count < HOST_MAX, "more than %d arrays go back to the device", HOST_MAX);
    float *copy = copy_of(host, x, n, read);
    host->back[host->count].to = x;
    host->back[host->count].from = copy;
    host->back[host->count++].bytes = n * sizeof *copy;
    return copy;
}

float *host_out(Host *host, float *x, size_t n)
{
    return returned(host, x, n, false);
}

float *host_inout(Host *host, float *x, size_t n)
{
    return returned(host, x, n, true);
}

void host_end(Host *host)
{
    device_leave_host();
    for (int i = 0; i < host->count; i++)
        device->put(host->back[i].to, host->back[i].from, host->back[i].bytes);
    host->mark.numbers = arena_mark(host->arena).numbers;
    arena_rewind(host->arena, host->mark);
}
