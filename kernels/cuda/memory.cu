// memory.cu -- the device's memory, for callers in C.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

void *cuda_new(size_t bytes)
{
    void *memory = nullptr;
    return cudaMalloc(&memory, bytes) == cudaSuccess ? memory : nullptr;
}

void cuda_free(void *memory)
{
    cudaFree(memory);
}

void cuda_put(void *to, const void *host, size_t bytes)
{
    cudaMemcpy(to, host, bytes, cudaMemcpyHostToDevice);
}

void cuda_get(void *host, const void *from, size_t bytes)
{
    if (bytes == 0) cudaDeviceSynchronize();    // waits for queued work, as ever
    else cudaMemcpy(host, from, bytes, cudaMemcpyDeviceToHost);
}

void *cuda_workspace(size_t bytes)
{
    static void *workspace;
    static size_t size;
    if (bytes > size) {
        cudaFree(workspace);    // waits for the kernels that use it
        workspace = cuda_new(bytes);
        size = workspace ? bytes : 0;
    }
    return workspace;
}

const char *cuda_finish(void)
{
    const cudaError_t ran = cudaDeviceSynchronize(), launched = cudaGetLastError();
    const cudaError_t error = ran != cudaSuccess ? ran : launched;
    return error != cudaSuccess ? cudaGetErrorString(error) : nullptr;
}

const char *cuda_failed(void)
{
    const cudaError_t error = cudaGetLastError();
    return error != cudaSuccess ? cudaGetErrorString(error) : nullptr;
}
