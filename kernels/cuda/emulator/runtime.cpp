// runtime.cpp -- the runtime's functions: allocations, copies, errors.
#include <sys/mman.h>
#include <unistd.h>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
// A guard page behind it stops a program that is not checked, too, if it goes far enough.
cudaError_t allocate(void **address, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (bytes + page - 1) / page * page;
    *address = nullptr;
    if (capture_refuses()) return cudaErrorStreamCaptureUnsupported;
    if (bytes == 0) return cudaSuccess;
    char *base = whole < bytes ? nullptr : static_cast<char *>(memory_reserve(whole + page));
    if (!base || mprotect(base + whole, page, PROT_NONE) != 0) return cudaErrorMemoryAllocation;
    char name[96];
    snprintf(name, sizeof name, "an allocation of %zu bytes", bytes);
    memory_add(base, bytes, SPACE_GLOBAL, name);
    *address = base;
    return cudaSuccess;
}

void memory_release(Memory *memory)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(memory->base, (memory->bytes + page - 1) / page * page + page);
    memory_remove(memory);
}

// Where a copy of the host's ends; false where it does not lie in one allocation.
static bool host_writes(void *to, size_t bytes)
{
    Memory *memory = memory_at(reinterpret_cast<uintptr_t>(to));
    const size_t offset = memory ? (size_t)(static_cast<char *>(to) - memory->base) : 0;
    if (!memory || bytes > memory->bytes - offset) return false;
    if (checking) memory_set_written(memory, offset, bytes);
    return true;
}

static cudaError_t last_error;

void set_last_error(cudaError_t error)
{
    last_error = error;
}
}    // namespace emulator

using namespace emulator;

cudaError_t cudaFree(void *address)
{
    refuse_on_device("cudaFree", __builtin_return_address(0));
    if (capture_refuses()) return cudaErrorStreamCaptureUnsupported;
    if (!address) return cudaSuccess;
    Memory *memory = memory_at(reinterpret_cast<uintptr_t>(address));
    if (!memory || memory->base != address || memory->of_kernel) return cudaErrorInvalidValue;
    memory_release(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    refuse_on_device("cudaMemcpy", __builtin_return_address(0));
    if (capture_refuses()) return cudaErrorStreamCaptureUnsupported;
    if (bytes == 0) return cudaSuccess;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const Memory *source = from_device ? memory_at(reinterpret_cast<uintptr_t>(from)) : nullptr;
    if (from_device &&
        (!source || bytes > (size_t)(source->base + source->bytes - (const char *)from)))
        return cudaErrorInvalidValue;
    if (to_device && !host_writes(to, bytes)) return cudaErrorInvalidValue;
    memmove(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemset(void *to, int value, size_t bytes)
{
    refuse_on_device("cudaMemset", __builtin_return_address(0));
    if (capture_refuses()) return cudaErrorStreamCaptureUnsupported;
    if (bytes == 0) return cudaSuccess;
    if (!host_writes(to, bytes)) return cudaErrorInvalidValue;
    memset(to, value, bytes);
    return cudaSuccess;
}

cudaError_t cudaGetLastError()
{
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError()
{
    return last_error;
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorAssert: return "device-side assert triggered";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorStreamCaptureUnsupported:
        return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
        return "operation failed due to a previous error during capture";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    }
    return "unknown error";
}
