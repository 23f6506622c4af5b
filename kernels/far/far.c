/* far.c -- a device for tests: ref's arithmetic on memory that the host cannot touch.
 *
 * A reservation is two halves of one mapping. The program gets addresses of the first, which is closed
 * to all; the numbers lie as far into the second, where put, get and the kernels find them. The second
 * opens page by page, as it is committed. So a host that reads a number, a kernel that is given the
 * host's memory and one that leaves what is committed are caught at once and on any machine. The
 * kernels are made from the list: each gets its pointers moved over and calls ref's.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kernels/device.h"
#include "kernels/map.h"

enum { REGIONS_MAX = 256 };

typedef struct Region {
    char *base;
    size_t bytes, committed;
} Region;

static Region regions[REGIONS_MAX];

static Region *region_of(const void *address, const char *who)
{
    const char *p = address;
    for (int i = 0; i < REGIONS_MAX; i++)
        if (regions[i].base != NULL && p >= regions[i].base &&
            p <= regions[i].base + regions[i].bytes)
            return &regions[i];
    device_refuse("far", who, "was given an address that is not the device's");
}

// Where the numbers of a far address really lie.
static void *moved(const void *address, size_t bytes, const char *who)
{
    if (address == NULL) return NULL;
    const Region *region = region_of(address, who);
    size_t offset = (size_t)((const char *)address - region->base);
    if (offset + bytes > region->committed)
        device_refuse("far", who, "was given memory that is not committed");
    return region->base + region->bytes + offset;
}

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

static void *far_reserve(size_t bytes)
{
    Region *region = regions;
    while (region < regions + REGIONS_MAX && region->base != NULL) region++;
    if (region == regions + REGIONS_MAX) return NULL;
    bytes = bytes > 0 ? whole_pages(bytes) : whole_pages(1);
    char *base =
        mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return NULL;
    *region = (Region){base, bytes, 0};
    return base;
}

static void far_commit(void *base, size_t from, size_t to)
{
    Region *region = region_of(base, "commit");
    if (from > region->committed || to > region->bytes)
        device_refuse("far", "commit", "was given what was not reserved");
    if (to <= region->committed) return;
    if (mprotect(region->base + region->bytes, whole_pages(to), PROT_READ | PROT_WRITE) != 0)
        device_refuse("far", "commit", "has no memory");
    region->committed = to;
}

static void far_release(void *base, size_t bytes)
{
    (void)bytes;
    if (base == NULL) return;
    Region *region = region_of(base, "release");
    if (region->base != base) device_refuse("far", "release", "was given what was not reserved");
    munmap(region->base, 2 * region->bytes);
    *region = (Region){NULL, 0, 0};
}

static void far_put(void *to, const void *host, size_t bytes)
{
    if (bytes > 0) memcpy(moved(to, bytes, "put"), host, bytes);
}

static void far_get(void *host, const void *from, size_t bytes)
{
    if (bytes > 0) memcpy(host, moved(from, bytes, "get"), bytes);
}

static void far_copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0) memmove(moved(to, bytes, "copy"), moved(from, bytes, "copy"), bytes);
}

// ---- the kernels

static void move_pointer(void *argument, const char *function)
{
    void *address;
    memcpy(&address, argument, sizeof address);
    address = moved(address, 0, function + strlen("far_"));
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
