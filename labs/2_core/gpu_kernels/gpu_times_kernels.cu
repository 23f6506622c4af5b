// gpu_times_kernels.cu -- the reference's kernels and their launches by nvcc, with the GPU's own clock; cuBLAS is loaded
// where it is installed.
#include "labs/2_core/gpu_kernels/gpu_times.h"
#include <cuda_runtime.h>
#include <dlfcn.h>
#include "kernels/cuda/wgmma.h"
#include "labs/2_core/gpu_kernels/gpu_kernels.cu"

static int timed_repeats;
static double timed_seconds;

// Starts once, to warm up, then again and again between two events.
template <class Call> static void timed(int repeats, Call call)
{
    cudaEvent_t from, to;
    float ms = 0;
    call();
    cudaEventCreate(&from);
    cudaEventCreate(&to);
    cudaEventRecord(from);
    for (int i = 0; i < repeats; i++) call();
    cudaEventRecord(to);
    cudaEventSynchronize(to);
    cudaEventElapsedTime(&ms, from, to);
    cudaEventDestroy(from);
    cudaEventDestroy(to);
    timed_seconds = 1e-3 * ms / repeats;
}
#define START(kernel, grid, block, ...)                                                            \
    timed(timed_repeats, [=] { kernel<<<grid, block>>>(__VA_ARGS__); })
#include "labs/2_core/gpu_kernels/launch.cu"

bool gpu_times_begin(int repeats)
{
    int count = 0;
    timed_repeats = repeats;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

double launch_seconds(void)
{
    return timed_seconds;
}

// ---- inputs: numbers of which no two are alike, as a GPU that multiplies equal ones takes less power and runs faster ----

template <class T> static __global__ void fill(T *x, size_t count)
{
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        unsigned bits = (unsigned)i * 0x9e3779b9u;
        bits = (bits ^ bits >> 15) * 0x85ebca6bu;
        x[i] = (T)((float)(bits ^ bits >> 13) * 0x1p-31f - 1);
    }
}

static void square(void **x, int n, ProductType type)
{
    const size_t count = (size_t)n * (size_t)n;
    if (cudaMalloc(x, count * (type == PRODUCT_FLOAT ? 4 : 2)) != cudaSuccess) return;
    if (type == PRODUCT_FLOAT) fill<<<1024, 256>>>(static_cast<float *>(*x), count);
    else if (type == PRODUCT_HALF) fill<<<1024, 256>>>(static_cast<__half *>(*x), count);
    else fill<<<1024, 256>>>(static_cast<__nv_bfloat16 *>(*x), count);
}

double gpu_times_wgmma(int n, int repeats)
{
    void *a, *b, *c;
    if (cuda_wgmma_missing() != nullptr) return 0;
    square(&a, n, PRODUCT_BFLOAT16);
    square(&b, n, PRODUCT_BFLOAT16);
    square(&c, n, PRODUCT_FLOAT);
    bool done = true;
    timed(repeats, [&] {
        done &= cuda_wgmma_product(static_cast<float *>(c), n, static_cast<uint16_t *>(a), n,
                                   static_cast<uint16_t *>(b), n, n, n, n, 0);
    });
    done &= cudaGetLastError() == cudaSuccess;
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
    return done ? timed_seconds : 0;
}

// ---- cuBLAS: from its documentation, without its header ----

typedef int Create(void **handle);
typedef int Gemm(void *handle, int transpose_a, int transpose_b, int m, int n, int k,
                 const void *alpha, const void *a, int type_a, int lda, const void *b, int type_b,
                 int ldb, const void *beta, void *c, int type_c, int ldc, int compute,
                 int algorithm);

double gpu_times_cublas(int n, ProductType type, int repeats)
{
    enum {
        R_32F = 0,
        R_16F = 2,
        R_16BF = 14,
        COMPUTE_32F = 68,
        DEFAULT = -1
    };                                                    // cudaDataType, cublasComputeType_t
    static const int types[] = {R_32F, R_16F, R_16BF};    // by ProductType
    static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};
    void *library = nullptr, *handle = nullptr, *a, *b, *c;
    for (const char *name : names)
        if (library == nullptr) library = dlopen(name, RTLD_NOW);
    if (library == nullptr) return 0;
    Create *create = reinterpret_cast<Create *>(dlsym(library, "cublasCreate_v2"));
    Gemm *gemm = reinterpret_cast<Gemm *>(dlsym(library, "cublasGemmEx"));
    if (create == nullptr || gemm == nullptr || create(&handle) != 0) return 0;
    const float one = 1, zero = 0;
    const int transposed = type == PRODUCT_BFLOAT16;    // by columns: b's rows times a's
    square(&a, n, type);
    square(&b, n, type);
    square(&c, n, PRODUCT_FLOAT);
    int failed = 0;
    timed(repeats, [&] {
        failed |= gemm(handle, transposed, 0, n, n, n, &one, a, types[type], n, b, types[type], n,
                       &zero, c, R_32F, n, COMPUTE_32F, DEFAULT);
    });
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
    return failed ? 0 : timed_seconds;
}
