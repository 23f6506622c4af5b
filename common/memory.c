#include "common/memory.h"
#include <stdio.h>
#include <unistd.h>
#include "kernels/device.h"

size_t memory_total(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

size_t memory_available(void)
{
    char line[128];
    size_t kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    if (file == NULL) return 0;
    while (kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %zu", &kib) != 1) kib = 0;
    fclose(file);
    return kib << 10;
}

bool memory_suffices(double bytes, const char *what, Error *err)
{
    const size_t available = memory_available();
    const double most = (double)(available > 0 ? available : memory_total());
    return !device->on_host || bytes <= most ||
           error_set(err, "%s: needs about %.1f GB of memory, and %.1f GB are free", what,
                     1e-9 * bytes, 1e-9 * most);
}
