/* gpu.cu -- a GPU's memory as a device's: addresses are reserved at once, and memory is mapped there as it is
 * committed. cudaMalloc would take all that an arena may ever need from the start, or move what grows.
 *
 * The driver's functions for it (cuMemMap, ...) are looked up when a GPU is chosen, so that the library loads
 * where there is no driver.
 */
#include <cuda.h>
#include <dlfcn.h>
#include <map>
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

#define FUNCTIONS(X)                                                                               \
    X(cuMemGetAllocationGranularity)                                                               \
    X(cuMemAddressReserve)                                                                         \
    X(cuMemAddressFree)                                                                            \
    X(cuMemCreate)                                                                                 \
    X(cuMemMap)                                                                                    \
    X(cuMemSetAccess)                                                                              \
    X(cuMemUnmap)                                                                                  \
    X(cuMemRelease)

#define X(name) static decltype(&name) p_##name;
FUNCTIONS(X)
#undef X

static CUmemAllocationProp memory_of_gpu;
static size_t granularity;

const char *cuda_open(int gpu)
{
    static char why[160];
    int driver = 0, count = 0;
    cudaDriverGetVersion(&driver);    // the newest CUDA that it can run; 0: there is none
    if (driver == 0) return "no NVIDIA driver was found: libcuda.so.1 is not there";
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver) {
        snprintf(why, sizeof why,
                 "the driver is too old: it runs CUDA %d.%d, and this was built with %d.%d",
                 driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
                 CUDART_VERSION % 1000 / 10);
        return why;
    }
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
        return "no NVIDIA GPU was found";
    if (error != cudaSuccess) return cudaGetErrorString(error);
    if (gpu >= count) {
        snprintf(why, sizeof why, "there is no GPU %d; the GPUs of this machine are 0 to %d", gpu,
                 count - 1);
        return why;
    }
    const cudaError_t failed = cudaSetDevice(gpu), started = cudaFree(nullptr);
    if (failed != cudaSuccess) return cudaGetErrorString(failed);
    if (started != cudaSuccess) return cudaGetErrorString(started);

    if (launch_stream) cudaStreamDestroy(launch_stream);    // of the GPU before
    // It waits for the default stream and that waits for it, so that a copy is in order.
    if (cudaStreamCreate(&launch_stream) != cudaSuccess) return "this GPU cannot make a stream";

    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) return "libcuda.so.1 cannot be loaded";
#define X(name)                                                                                    \
    p_##name = reinterpret_cast<decltype(p_##name)>(dlsym(library, #name));                        \
    if (!p_##name) return "the driver lacks " #name ": it is too old";
    FUNCTIONS(X)
#undef X
    memory_of_gpu.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    memory_of_gpu.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    memory_of_gpu.location.id = gpu;
    if (p_cuMemGetAllocationGranularity(&granularity, &memory_of_gpu,
                                        CU_MEM_ALLOC_GRANULARITY_MINIMUM) != CUDA_SUCCESS)
        return "this GPU cannot map memory";
    return nullptr;
}

// ---- reservations

struct Reservation {
    size_t bytes, mapped;
};

static std::map<void *, Reservation> reservations;

static size_t whole_pages(size_t bytes)
{
    return (bytes + granularity - 1) / granularity * granularity;
}

void *cuda_reserve(size_t bytes)
{
    CUdeviceptr base = 0;
    const size_t whole = whole_pages(bytes > 0 ? bytes : 1);
    if (whole < bytes || p_cuMemAddressReserve(&base, whole, 0, 0, 0) != CUDA_SUCCESS)
        return nullptr;
    void *address = reinterpret_cast<void *>(base);
    reservations[address] = {whole, 0};
    return address;
}

const char *cuda_commit(void *base, size_t, size_t to)
{
    cuda_record_interrupt();
    const auto found = reservations.find(base);
    if (found == reservations.end() || to > found->second.bytes)
        return "was given what was not reserved";
    Reservation &reservation = found->second;
    const size_t mapped = reservation.mapped, more = whole_pages(to) - mapped;
    if (whole_pages(to) <= mapped) return nullptr;
    CUmemGenericAllocationHandle memory;
    const CUdeviceptr start = reinterpret_cast<CUdeviceptr>(base) + mapped;
    if (p_cuMemCreate(&memory, more, &memory_of_gpu, 0) != CUDA_SUCCESS) return "has no memory";
    const CUresult error = p_cuMemMap(start, more, 0, memory, 0);
    p_cuMemRelease(memory);    // lives as long as it is mapped
    if (error != CUDA_SUCCESS) return "cannot map memory";
    reservation.mapped += more;
    CUmemAccessDesc access = {};
    access.location = memory_of_gpu.location;
    access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    if (p_cuMemSetAccess(start, more, &access, 1) != CUDA_SUCCESS) return "cannot open memory";
    cudaMemset(reinterpret_cast<void *>(start), 0, more);
    return nullptr;
}

void cuda_release(void *base, size_t)
{
    const auto found = reservations.find(base);
    if (found == reservations.end()) return;
    cuda_record_interrupt();
    const CUdeviceptr start = reinterpret_cast<CUdeviceptr>(base);
    cudaDeviceSynchronize();    // kernels may still use it
    if (found->second.mapped > 0) p_cuMemUnmap(start, found->second.mapped);
    p_cuMemAddressFree(start, found->second.bytes);
    reservations.erase(found);
}

void cuda_copy(void *to, const void *from, size_t bytes)
{
    if (bytes == 0 || to == from) return;
    cuda_record_interrupt();
    const char *first = static_cast<const char *>(from);
    if (to < first + bytes && first < static_cast<char *>(to) + bytes) {
        void *between = cuda_workspace(bytes);
        cudaMemcpyAsync(between, from, bytes, cudaMemcpyDeviceToDevice);
        from = between;
    }
    cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice);
}
