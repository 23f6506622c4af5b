#include "common/gpu.h"
#include <dlfcn.h>

// From cuda.h, which a machine without the toolkit does not have.
enum {
    CLOCK_KHZ = 13,
    PROCESSORS = 16,
    INTEGRATED = 18,
    MEMORY_KHZ = 36,
    MEMORY_BUS_BITS = 37,
    CAPABILITY_MAJOR = 75,
    CAPABILITY_MINOR = 76
};

typedef struct Cuda {
    int (*init)(unsigned flags);
    int (*count)(int *count);
    int (*name)(char *name, int bytes, int device);
    int (*memory)(size_t *bytes, int device);
    int (*attribute)(int *value, int attribute, int device);
} Cuda;

// 0 where the driver does not know it.
static int attribute(const Cuda *cuda, int which, int device)
{
    int value = 0;
    return cuda->attribute(&value, which, device) == 0 ? value : 0;
}

static int list(const Cuda *cuda, Gpu gpus[GPU_MAX])
{
    int count = 0;
    if (cuda->init(0) != 0 || cuda->count(&count) != 0) return 0;
    if (count > GPU_MAX) count = GPU_MAX;
    for (int i = 0; i < count; i++) {
        gpus[i] = (Gpu){.name = "unnamed"};
        cuda->name(gpus[i].name, (int)sizeof gpus[i].name, i);
        cuda->memory(&gpus[i].bytes, i);
        gpus[i].major = attribute(cuda, CAPABILITY_MAJOR, i);
        gpus[i].minor = attribute(cuda, CAPABILITY_MINOR, i);
        gpus[i].processors = attribute(cuda, PROCESSORS, i);
        gpus[i].clock_khz = attribute(cuda, CLOCK_KHZ, i);
        gpus[i].memory_khz = attribute(cuda, MEMORY_KHZ, i);
        gpus[i].bus_bits = attribute(cuda, MEMORY_BUS_BITS, i);
        gpus[i].integrated = attribute(cuda, INTEGRATED, i) != 0;
    }
    return count;
}

int gpu_list(Gpu gpus[GPU_MAX])
{
    void *library = dlopen("libcuda.so.1", RTLD_LAZY);
    if (library == NULL) return 0;
    Cuda cuda = {0};
    // Through void **, as POSIX shows for dlsym: ISO C has no cast from void * to a function.
    *(void **)&cuda.init = dlsym(library, "cuInit");
    *(void **)&cuda.count = dlsym(library, "cuDeviceGetCount");
    *(void **)&cuda.name = dlsym(library, "cuDeviceGetName");
    *(void **)&cuda.memory = dlsym(library, "cuDeviceTotalMem_v2");
    *(void **)&cuda.attribute = dlsym(library, "cuDeviceGetAttribute");
    bool complete = cuda.init && cuda.count && cuda.name && cuda.memory && cuda.attribute;
    return complete ? list(&cuda, gpus) : 0;
}
