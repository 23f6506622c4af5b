#include "kernels/cuda/device.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kernels/cuda/blas.h"
#include "kernels/cuda/cuda.h"
#include "kernels/far/memory.h"
#include "kernels/map.h"

// ---- the libraries

#define RECORDS(X) X(record_begin) X(record_end) X(record_interrupt) X(record_free) X(replay)
#define RANKS(X)   X(ranks_join) X(ranks_sum) X(ranks_state)
#define OF_BOTH(X) X(failed) X(multiply_adds) RECORDS(X) RANKS(X)
#define MEMORY(X)  X(open) X(reserve) X(commit) X(release) X(put) X(get) X(copy)
#define BLAS(X)    X(blas_open) X(blas_name) X(blas_matmul) X(blas_row_product)
#define OF_GPU(X)  OF_BOTH(X) MEMORY(X) BLAS(X)
#define X(name)    __typeof__(&cuda_##name) name;
static struct {
    const Kernels *kernels;
    OF_BOTH(X)
} emulated;
static struct {
    const Kernels *kernels;
    Kernels products;    // the same, with cuBLAS
    OF_GPU(X)
} gpu;
#undef X

// In the folder of the program or the one above it: build/ for build/labs/cnn.
static void *open_beside_program(const char *file)
{
    char folder[PATH_MAX] = "", path[PATH_MAX + 64];
    const ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    void *library = NULL;
    for (int up = 0; up < 2 && length > 0 && library == NULL; up++) {
        char *end = strrchr(folder, '/');
        if (end != NULL) *end = '\0';
        snprintf(path, sizeof path, "%s/%s", folder, file);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (library != NULL) return library;
    snprintf(path, sizeof path, "%s/%s", LAB_BUILD_FOLDER, file);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

#define FIND(name)                                                                                 \
    *(void **)&found->name = dlsym(library, "cuda_" #name);                                        \
    if (found->name == NULL) return false;

static bool load_emulated(void)
{
    __typeof__(emulated) *found = &emulated;
    void *library = open_beside_program("liblab_emulated.so");
    if (library == NULL) return false;
    OF_BOTH(FIND)
    return (found->kernels = dlsym(library, "kernels_cuda")) != NULL;
}

static bool load_gpu(void)
{
    __typeof__(gpu) *found = &gpu;
    void *library = open_beside_program("liblab_cuda.so");
    if (library == NULL) return false;
    OF_GPU(FIND)
    const Kernels *own = dlsym(library, "kernels_cuda");
    if (own == NULL) return false;
    gpu.products = *own;
    gpu.products.matmul = gpu.blas_matmul;
    gpu.products.row_product = gpu.blas_row_product;
    gpu.kernels = &gpu.products;
    return true;
}

// ---- emulated

static void move_pointer(void *argument, const char *function)
{
    void *address;
    memcpy(&address, argument, sizeof address);
    address = far_moved(address, 0, function + strlen("emulated_"));
    memcpy(argument, &address, sizeof address);
}

static void must(const char *failed, const char *kernel)
{
    if (failed != NULL) device_refuse(device->name, kernel, failed);
}

#define RECORDER(of)                                                                               \
    static void of##_record_begin(void)                                                            \
    {                                                                                              \
        of.record_begin();                                                                         \
    }                                                                                              \
    static void *of##_record_end(void)                                                             \
    {                                                                                              \
        void *recording = of.record_end();                                                         \
        must(of.failed(), "record");                                                               \
        return recording;                                                                          \
    }                                                                                              \
    static bool of##_replay(void *recording)                                                       \
    {                                                                                              \
        const bool valid = of.replay(recording);                                                   \
        must(of.failed(), "replay");                                                               \
        return valid;                                                                              \
    }                                                                                              \
    static void of##_record_free(void *recording)                                                  \
    {                                                                                              \
        of.record_free(recording);                                                                 \
    }                                                                                              \
    static const DeviceRecorder of##_recorder = {of##_record_begin, of##_record_end, of##_replay,  \
                                                 of##_record_free};

static double emulated_multiply_adds(int blocks, int rounds)
{
    const double flops = emulated.multiply_adds(blocks, rounds);
    must(emulated.failed(), "multiply_adds");
    return flops;
}

#define X(name, prototype, arguments, work)                                                        \
    static void emulated_##name prototype                                                          \
    {                                                                                              \
        emulated.kernels->name ALL_MOVED arguments;                                                \
        must(emulated.failed(), #name);                                                            \
    }
KERNEL_LIST(X)
#undef X

// Its memory is no allocation of the emulator's; a recording ends all the same.
static void emulated_commit(void *base, size_t from, size_t to)
{
    emulated.record_interrupt();
    far_commit(base, from, to);
}

static void emulated_put(void *to, const void *host, size_t bytes)
{
    emulated.record_interrupt();
    far_put(to, host, bytes);
}

static void emulated_get(void *host, const void *from, size_t bytes)
{
    emulated.record_interrupt();
    far_get(host, from, bytes);
}

static void emulated_copy(void *to, const void *from, size_t bytes)
{
    emulated.record_interrupt();
    far_copy(to, from, bytes);
}

static const char *emulated_ranks_join(int rank, int count, DeviceShare *share)
{
    return emulated.ranks_join(open_beside_program("liblab_emulated_nccl.so"), rank, count, share);
}

static void emulated_ranks_sum(float *values, size_t count)
{
    emulated.ranks_sum(far_moved(values, count * sizeof *values, "ranks_sum"), count);
}

static int emulated_ranks_state(void)
{
    return emulated.ranks_state();
}

RECORDER(emulated)
static const DeviceSums emulated_sums = {emulated_ranks_join, emulated_ranks_sum,
                                         emulated_ranks_state};
static Kernels emulated_kernels = {.variant = "cuda"};
static const Device device_emulated = {.name = "emulated",
                                       .kernels = &emulated_kernels,
                                       .reserve = far_reserve,
                                       .commit = emulated_commit,
                                       .release = far_release,
                                       .put = emulated_put,
                                       .get = emulated_get,
                                       .copy = emulated_copy,
                                       .recorder = &emulated_recorder,
                                       .sums = &emulated_sums,
                                       .multiply_adds = emulated_multiply_adds};

// ---- a GPU

static void gpu_commit(void *base, size_t from, size_t to)
{
    must(gpu.commit(base, from, to), "commit");
}

static void gpu_put(void *to, const void *host, size_t bytes)
{
    if (bytes > 0) gpu.put(to, host, bytes);
    must(gpu.failed(), "put");
}

static void gpu_get(void *host, const void *from, size_t bytes)
{
    gpu.get(host, from, bytes);
    must(gpu.failed(), "get");
}

static void gpu_copy(void *to, const void *from, size_t bytes)
{
    gpu.copy(to, from, bytes);
    must(gpu.failed(), "copy");
}

static double gpu_multiply_adds(int blocks, int rounds)
{
    const double flops = gpu.multiply_adds(blocks, rounds);
    must(gpu.failed(), "multiply_adds");
    return flops;
}

// A launch that cannot be is known at once; what goes wrong on the GPU, at a later call.
#define X(name, prototype, arguments, work)                                                        \
    static void gpu_##name prototype                                                               \
    {                                                                                              \
        gpu.kernels->name arguments;                                                               \
        must(gpu.failed(), #name);                                                                 \
    }
KERNEL_LIST(X)
#undef X

static const char *gpu_ranks_join(int rank, int count, DeviceShare *share)
{
    return gpu.ranks_join(dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL), rank, count, share);
}

static void gpu_ranks_sum(float *values, size_t count)
{
    gpu.ranks_sum(values, count);
    must(gpu.failed(), "ranks_sum");
}

static int gpu_ranks_state(void)
{
    return gpu.ranks_state();
}

RECORDER(gpu)
static const DeviceSums gpu_sums = {gpu_ranks_join, gpu_ranks_sum, gpu_ranks_state};
static char gpu_name[32];
static Kernels gpu_kernels;
static Device device_gpu = {.name = gpu_name,
                            .kernels = &gpu_kernels,
                            .commit = gpu_commit,
                            .put = gpu_put,
                            .get = gpu_get,
                            .copy = gpu_copy,
                            .recorder = &gpu_recorder,
                            .sums = &gpu_sums,
                            .multiply_adds = gpu_multiply_adds};

static const Device *open_gpu(int number, const char **why)
{
    const char *failed = load_gpu()
                             ? gpu.open(number)
                             : "this build has no CUDA device: install the CUDA Toolkit, then "
                               "build again; or use --device emulated";
    if (failed == NULL) failed = gpu.blas_open(getenv("LAB_CUDA_PRODUCTS"));
    if (failed != NULL) {
        *why = failed;
        return NULL;
    }
    gpu_kernels.variant = gpu.blas_name();
#define X(name, prototype, arguments, work)                                                        \
    if (gpu.kernels->name) gpu_kernels.name = gpu_##name;
    KERNEL_LIST(X)
#undef X
    snprintf(gpu_name, sizeof gpu_name, "cuda:%d", number);
    device_gpu.reserve = gpu.reserve;
    device_gpu.release = gpu.release;
    return &device_gpu;
}

static const Device *open_emulated(const char **why)
{
    if (!load_emulated()) {
        *why = "liblab_emulated.so is not beside this program, or another version's; build again";
        return NULL;
    }
#define X(name, prototype, arguments, work)                                                        \
    if (emulated.kernels->name) emulated_kernels.name = emulated_##name;
    KERNEL_LIST(X)
#undef X
    return &device_emulated;
}

const Device *cuda_device(const char *name, const char **why)
{
    if (strcmp(name, "emulated") == 0) return open_emulated(why);
    return open_gpu(name[strlen("cuda")] == ':' ? atoi(name + strlen("cuda:")) : 0, why);
}
