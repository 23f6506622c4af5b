#include "kernels/far/memory.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kernels/device.h"

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
    device_refuse(device->name, who, "was given an address that is not the device's");
}

void *far_moved(const void *address, size_t bytes, const char *who)
{
    if (address == NULL) return NULL;
    const Region *region = region_of(address, who);
    size_t offset = (size_t)((const char *)address - region->base);
    if (offset + bytes > region->committed)
        device_refuse(device->name, who, "was given memory that is not committed");
    return region->base + region->bytes + offset;
}

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *far_reserve(size_t bytes)
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

void far_commit(void *base, size_t from, size_t to)
{
    Region *region = region_of(base, "commit");
    if (from > region->committed || to > region->bytes)
        device_refuse(device->name, "commit", "was given what was not reserved");
    if (to <= region->committed) return;
    if (mprotect(region->base + region->bytes, whole_pages(to), PROT_READ | PROT_WRITE) != 0)
        device_refuse(device->name, "commit", "has no memory");
    region->committed = to;
}

void far_release(void *base, size_t bytes)
{
    (void)bytes;
    if (base == NULL) return;
    Region *region = region_of(base, "release");
    if (region->base != base)
        device_refuse(device->name, "release", "was given what was not reserved");
    munmap(region->base, 2 * region->bytes);
    *region = (Region){NULL, 0, 0};
}

void far_put(void *to, const void *host, size_t bytes)
{
    if (bytes > 0) memcpy(far_moved(to, bytes, "put"), host, bytes);
}

void far_get(void *host, const void *from, size_t bytes)
{
    if (bytes > 0) memcpy(host, far_moved(from, bytes, "get"), bytes);
}

void far_copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0) memmove(far_moved(to, bytes, "copy"), far_moved(from, bytes, "copy"), bytes);
}
