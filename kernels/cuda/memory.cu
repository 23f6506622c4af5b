// memory.cu -- the device's memory, for callers in C.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

void *cuda_new(size_t bytes)
{
    cuda_record_interrupt();
    void *memory = nullptr;
    return cudaMalloc(&memory, bytes) == cudaSuccess ? memory : nullptr;
}

void cuda_free(void *memory)
{
    cuda_record_interrupt();
    cudaFree(memory);
}

void cuda_put(void *to, const void *host, size_t bytes)
{
    cuda_record_interrupt();
    cudaMemcpy(to, host, bytes, cudaMemcpyHostToDevice);
}

void cuda_get(void *host, const void *from, size_t bytes)
{
    cuda_record_interrupt();
    if (bytes == 0) cudaDeviceSynchronize();    // waits for queued work, as ever
    else cudaMemcpy(host, from, bytes, cudaMemcpyDeviceToHost);
}

static long moves;

void *cuda_workspace(size_t bytes)
{
    static void *workspace;
    static size_t size;
    if (bytes > size) {
        cuda_free(workspace);    // waits for the kernels that use it
        workspace = cuda_new(bytes);
        size = workspace ? bytes : 0;
        moves++;
    }
    return workspace;
}

long cuda_workspace_moves(void)
{
    return moves;
}

const char *cuda_finish(void)
{
    cuda_record_interrupt();
    const cudaError_t ran = cudaDeviceSynchronize(), launched = cudaGetLastError();
    const cudaError_t error = ran != cudaSuccess ? ran : launched;
    return error != cudaSuccess ? cudaGetErrorString(error) : nullptr;
}

const char *cuda_failed(void)
{
    const cudaError_t error = cudaGetLastError();
    return error != cudaSuccess ? cudaGetErrorString(error) : nullptr;
}

void *cuda_stream(void)
{
    return launch_stream;
}

int cuda_release_number(void)
{
#ifdef CUDART_VERSION
    return CUDART_VERSION / 1000;
#else
    return 0;
#endif
}
