// gpu_times_kernels.cu -- the reference's kernels and their launches by nvcc, with the GPU's own clock; cuBLAS is loaded
// where it is installed.
#include "labs/2_core/gpu_kernels/gpu_times.h"
#include <cuda_runtime.h>
#include <dlfcn.h>
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

// ---- cuBLAS: from its documentation, without its header ----

typedef int Create(void **handle);
typedef int Gemm(void *handle, int transpose_a, int transpose_b, int m, int n, int k,
                 const void *alpha, const void *a, int type_a, int lda, const void *b, int type_b,
                 int ldb, const void *beta, void *c, int type_c, int ldc, int compute,
                 int algorithm);

double gpu_times_cublas(int n, bool half, int repeats)
{
    enum {
        R_32F = 0,
        R_16F = 2,
        COMPUTE_32F = 68,
        DEFAULT = -1
    };    // cudaDataType, cublasComputeType_t
    static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};
    void *library = nullptr, *handle = nullptr, *a, *b, *c;
    for (const char *name : names)
        if (library == nullptr) library = dlopen(name, RTLD_NOW);
    if (library == nullptr) return 0;
    Create *create = reinterpret_cast<Create *>(dlsym(library, "cublasCreate_v2"));
    Gemm *gemm = reinterpret_cast<Gemm *>(dlsym(library, "cublasGemmEx"));
    if (create == nullptr || gemm == nullptr || create(&handle) != 0) return 0;
    const size_t bytes = (size_t)n * (size_t)n * sizeof(float);
    const float one = 1, zero = 0;
    const int type = half ? R_16F : R_32F;
    cudaMalloc(&a, bytes);
    cudaMalloc(&b, bytes);
    cudaMalloc(&c, bytes);
    // Of size 1/2 to 1 and both signs, as floats or as two halves: equal numbers would take less power, and less time.
    std::vector<unsigned> words((size_t)n * (size_t)n);
    unsigned word = 1;
    for (unsigned &each : words) {
        word = 1664525 * word + 1013904223;
        each = half ? 0x38003800 | (word & 0x83ff83ff) : 0x3f000000 | (word & 0x807fffff);
    }
    cudaMemcpy(a, words.data(), bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(b, words.data(), bytes, cudaMemcpyHostToDevice);
    int failed = 0;
    timed(repeats, [&] {
        failed |= gemm(handle, 0, 0, n, n, n, &one, a, type, n, b, type, n, &zero, c, R_32F, n,
                       COMPUTE_32F, DEFAULT);
    });
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
    return failed ? 0 : timed_seconds;
}
