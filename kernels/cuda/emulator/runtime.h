/* runtime.h -- the part of the CUDA runtime's interface that our host code calls. Work is done when it is
 * asked for, so that streams and events have nothing to wait for.
 */
#pragma once

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorIllegalAddress = 700,
    cudaErrorAssert = 710,
    cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
typedef struct EmulatorStream *cudaStream_t;

namespace emulator
{
cudaError_t allocate(void **address, size_t bytes);
EMULATOR_NOT_MERGED void refuse_on_device(const char *function);    // only the host may call it
}    // namespace emulator

cudaError_t cudaFree(void *address);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemset(void *to, int value, size_t bytes);
cudaError_t cudaGetLastError();    // of the launches before; and forgets it
cudaError_t cudaPeekAtLastError();
const char *cudaGetErrorString(cudaError_t error);

template <class T> __forceinline__ cudaError_t cudaMalloc(T **address, size_t bytes)
{
    emulator::refuse_on_device("cudaMalloc");
    return emulator::allocate(reinterpret_cast<void **>(address), bytes);
}

static inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                                          cudaMemcpyKind kind, cudaStream_t = nullptr)
{
    return cudaMemcpy(to, from, bytes, kind);
}

static inline cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t = nullptr)
{
    return cudaMemset(to, value, bytes);
}

template <class T>
cudaError_t cudaMemcpyToSymbol(T &symbol, const void *from, size_t bytes, size_t offset = 0,
                               cudaMemcpyKind = cudaMemcpyHostToDevice)
{
    memcpy(reinterpret_cast<char *>(&symbol) + offset, from, bytes);
    return cudaSuccess;
}

__forceinline__ cudaError_t cudaDeviceSynchronize()
{
    emulator::refuse_on_device("cudaDeviceSynchronize");
    return cudaPeekAtLastError();
}

static inline cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return cudaPeekAtLastError();
}

template <class F> cudaError_t cudaFuncSetAttribute(F *, cudaFuncAttribute, int)
{
    return cudaSuccess;
}
