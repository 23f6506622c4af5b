/* device.c -- the devices whose numbers lie in the host's memory, and the choice among all. */
#include "kernels/device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "kernels/cpu/cpu.h"
#ifdef LAB_CUDA
#include "kernels/cuda/device.h"
#endif
#include "kernels/map.h"
#ifdef LAB_ONEDNN
#include "kernels/onednn/onednn.h"
#endif
#include "kernels/trace.h"

_Noreturn void device_refuse(const char *device_name, const char *kernel, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "device %s: kernels.%s: %s\n", device_name, kernel, what);
    abort();
}

// ---- the host's memory

static void *host_reserve(size_t bytes)
{
    if (bytes == 0) bytes = 1;    // an address like any other
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(base, bytes, MADV_HUGEPAGE);    // fewer page faults and TLB misses where the system can
#endif
    return base;
}

static void host_commit(void *base, size_t from, size_t to)
{
    (void)base, (void)from, (void)to;    // a page comes when it is touched
}

static void host_release(void *base, size_t bytes)
{
    if (base != NULL) munmap(base, bytes > 0 ? bytes : 1);
}

static void host_put(void *to, const void *host, size_t bytes)
{
    if (bytes > 0) memcpy(to, host, bytes);
}

static void host_copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0) memmove(to, from, bytes);
}

#define ON_HOST                                                                                    \
    .on_host = true, .reserve = host_reserve, .commit = host_commit, .release = host_release,      \
    .put = host_put, .get = host_put, .copy = host_copy

static Kernels cpu_kernels;    // complete; filled when it is first asked for
static const Device device_cpu = {.name = "cpu", .kernels = &cpu_kernels, ON_HOST};
static const Device device_ref = {.name = "ref", .kernels = &kernels_ref, ON_HOST};
const Device *device = &device_ref;

Kernels kernels_complete(const Kernels *sparse)
{
    Kernels all = *sparse;
#define X(name, prototype, arguments, work)                                                        \
    if (!all.name) all.name = kernels_ref.name;
    KERNEL_LIST(X)
#undef X
    return all;
}

static const Kernels *cpu_table(void)
{
    if (cpu_kernels.variant == NULL) cpu_kernels = kernels_complete(kernels_cpu());
    return &cpu_kernels;
}

// NULL and a sentence where this build or this machine has none.
static const Device *onednn_device(const char **why)
{
#ifdef LAB_ONEDNN
    static Kernels complete;
    static const Device device_onednn = {.name = "onednn", .kernels = &complete, ON_HOST};
    const Kernels *table = kernels_onednn(why);
    if (table == NULL) return NULL;
    complete = kernels_complete(table);
    return &device_onednn;
#else
    *why = "this build has no oneDNN; ./lab setup --peers brings libdnnl-dev, then build again";
    return NULL;
#endif
}

#ifdef LAB_CUDA
static bool is_cuda(const char *name)
{
    if (strncmp(name, "cuda:", 5) != 0)
        return strcmp(name, "cuda") == 0 || strcmp(name, "emulated") == 0;
    const size_t digits = strspn(name + 5, "0123456789");
    return digits > 0 && digits < 4 && name[5 + digits] == '\0';
}
#endif

// ---- the choice

#define IGNORED(x)       (void)(x)
#define ALL_IGNORED(...) MAP(IGNORED, __VA_ARGS__)
#define X(kernel, prototype, arguments, work)                                                      \
    static void missing_##kernel prototype                                                         \
    {                                                                                              \
        ALL_IGNORED arguments;                                                                     \
        device_refuse(device->name, #kernel, "this device has no such kernel");                    \
    }
KERNEL_LIST(X)
#undef X

// The table in use, seen through the profiler where that is on.
static void put_in_use(const Kernels *table)
{
    Kernels all = *table;
#define X(name, prototype, arguments, work)                                                        \
    if (!all.name) all.name = missing_##name;
    KERNEL_LIST(X)
#undef X
    kernels = trace_around(&all);
}

void device_put_in_use(const Device *chosen)
{
    device = chosen;
    put_in_use(device->kernels);
}

bool device_use(const char *name, const char **why)
{
    const Device *chosen = NULL;
    const char *wrong;
    if (name == NULL || strcmp(name, "cpu") == 0) {
        if ((wrong = cpu_variant_refused()) != NULL) {
            *why = wrong;
            return false;
        }
        cpu_table();
        chosen = &device_cpu;
    } else if (strcmp(name, "ref") == 0) chosen = &device_ref;
    else if (strcmp(name, "far") == 0) chosen = &device_far;
    else if (strcmp(name, "onednn") == 0) chosen = onednn_device(why);
#ifdef LAB_CUDA
    else if (is_cuda(name)) chosen = cuda_device(name, why);
#endif
    else
        *why = "unknown device; expected cpu, ref, far, emulated, onednn, cuda or cuda:1 and so on";
    if (chosen == NULL) return false;
    device_put_in_use(chosen);
    return true;
}

static int host_depth;    // device_enter_host() without its device_leave_host()

void device_enter_host(void)
{
    if (host_depth++ == 0 && !device->on_host)
        put_in_use(device->host_kernels ? device->host_kernels : cpu_table());
}

void device_leave_host(void)
{
    if (--host_depth == 0 && !device->on_host) put_in_use(device->kernels);
}

bool device_is_host(void)
{
    return device->on_host || host_depth > 0;
}
