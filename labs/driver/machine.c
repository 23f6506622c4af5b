#include "labs/driver/machine.h"
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "common/memory.h"

// The first line of the file that begins so, into `line`; false when there is none.
static bool find_line(const char *path, const char *start, char *line, int bytes)
{
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, bytes, file) != NULL)
        found = strncmp(line, start, strlen(start)) == 0;
    if (file != NULL) fclose(file);
    return found;
}

// "max 100000" or "150000 100000": microseconds of processor time in each period (cgroup v2).
static double quota(void)
{
    char line[64];
    double used, period;
    if (!find_line("/sys/fs/cgroup/cpu.max", "", line, sizeof line)) return 0;
    return sscanf(line, "%lf %lf", &used, &period) == 2 && period > 0 ? used / period : 0;
}

static void processor(char *name, size_t bytes)
{
    char line[256];
    if (!find_line("/proc/cpuinfo", "model name", line, sizeof line)) strcpy(line, ": unknown");
    const char *colon = strchr(line, ':');
    snprintf(name, bytes, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
}

static int cores(int online)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return online;
}

Machine machine_inspect(const char *folder)
{
    Machine machine = {.online = (int)sysconf(_SC_NPROCESSORS_ONLN),
                       .memory = memory_total(),
                       .memory_free = memory_available(),
                       .quota = quota()};
    struct statvfs disk;
    if (statvfs(folder, &disk) == 0) machine.disk_free = disk.f_bavail * disk.f_frsize;
    machine.cores = cores(machine.online);
    processor(machine.processor, sizeof machine.processor);
    return machine;
}
