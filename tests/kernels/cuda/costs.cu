// costs.cu -- accesses whose transactions and bank conflicts are known.
#include "kernels/cuda/launch.h"
#include "tests/kernels/cuda/planted.h"

enum { ELEMENTS = 4096 };

template <class T> __device__ float first(const T &x)
{
    return (float)x;
}

__device__ float first(const float4 &x)
{
    return x.x + x.y + x.z + x.w;
}

template <class T> __global__ void read_global(float *y, const T *x, const int *index)
{
    const int i = index[threadIdx.x];
    const T number = x[i];    // <- global
    y[threadIdx.x] = first(number);
}

template <class T> __global__ void read_shared(float *y, const T *x, const int *index)
{
    DYNAMIC_SHARED(T, tile);
    for (int i = threadIdx.x; i < ELEMENTS; i += blockDim.x) tile[i] = x[i];
    __syncthreads();
    const int i = index[threadIdx.x];
    const T number = tile[i];    // <- shared
    y[threadIdx.x] = first(number);
}

__global__ void add_shared(float *y, const int *x, const int *index)
{
    DYNAMIC_SHARED(int, tile);
    for (int i = threadIdx.x; i < ELEMENTS; i += blockDim.x) tile[i] = x[i];
    __syncthreads();
    const int i = index[threadIdx.x];
    // An operation that no other file here has for int: libbacktrace loses lines where two files share a function.
    const int before = atomicXor(&tile[i], 1);    // <- atomic
    y[threadIdx.x] = (float)before;
}

__global__ void read_in_a_loop(float *y, const float *x, const int *trips)
{
    float sum = 0;
    const int n = trips[threadIdx.x];
    for (int i = 0; i < n; i++) sum += x[32 * i + threadIdx.x];    // <- loop
    y[threadIdx.x] = sum;
}

template <class T>
static void run(void (*kernel)(float *, const T *, const int *), size_t shared, const int *index,
                int lanes)
{
    float *y;
    T *x;
    int *device_index;
    cudaMalloc(&y, 32 * sizeof *y);
    cudaMalloc(&x, ELEMENTS * sizeof *x);
    cudaMalloc(&device_index, lanes * sizeof *index);
    cudaMemset(x, 0, ELEMENTS * sizeof *x);
    cudaMemcpy(device_index, index, lanes * sizeof *index, cudaMemcpyHostToDevice);
    LAUNCH(kernel, 1, (unsigned)lanes, shared, 0)(y, x, device_index);
    cudaFree(y);
    cudaFree(x);
    cudaFree(device_index);
}

#define COSTS(bytes, T)                                                                            \
    void cost_global_##bytes(const int *index, int lanes)                                          \
    {                                                                                              \
        run(read_global<T>, 0, index, lanes);                                                      \
    }                                                                                              \
    void cost_shared_##bytes(const int *index, int lanes)                                          \
    {                                                                                              \
        run(read_shared<T>, ELEMENTS *bytes, index, lanes);                                        \
    }

COSTS(1, signed char)
COSTS(2, __half)
COSTS(4, float)
COSTS(8, double)
COSTS(16, float4)

void cost_shared_atomic(const int *index, int lanes)
{
    run(add_shared, ELEMENTS * sizeof(int), index, lanes);
}

void cost_loop(const int *trips, int lanes)
{
    run(read_in_a_loop, 0, trips, lanes);
}
