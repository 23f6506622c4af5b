/* hopper.cuh -- Hopper's own instructions, one small function each: TMA, mbarriers, wgmma, setmaxnreg.
 *
 *     const __grid_constant__ TensorMap map;               // a kernel's parameter, made by tensor_map_2d()
 *     mbarrier_init(&full, 1), fence_proxy_async();        // thread 0; then __syncthreads()
 *     mbarrier_expect(&full, bytes);                       // one thread arrives and announces the bytes
 *     tma_load_2d(tile, &map, col, row, &full);            // the same thread: the copy runs by itself
 *     while (!mbarrier_try_wait(&full, parity)) {}         // whoever needs the tile
 *     wgmma_fence();                                       // 128 threads: sum[64,COLS] += a[64,16] b[COLS,16]^T
 *     wgmma<COLS>(sum, wgmma_descriptor(a, stride), wgmma_descriptor(b, stride), true);
 *     wgmma_commit();
 *     wgmma_wait<0>(sum);                                  // sum may be read, a and b may be overwritten
 *
 * By nvcc these are inline PTX and need the target sm_90a (-gencode arch=compute_90a,code=sm_90a; PTX ISA 8.0). Else they
 * are models of what the PTX ISA documents (emulator/hopper.h). Each names its instruction, which is a heading of the
 * PTX ISA.
 */
#pragma once
#include "kernels/cuda/launch.h"
#ifdef __CUDACC__
#include <cuda.h>

typedef CUtensorMap TensorMap;

// ---- the host's part

inline int device_attribute(cudaDeviceAttr which)
{
    int device = 0, value = 0;
    cudaGetDevice(&device);
    return cudaDeviceGetAttribute(&value, which, device) == cudaSuccess ? value : 0;
}

// sm_90a runs on compute capability 9.0 alone.
inline bool device_is_hopper()
{
    return device_attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
           device_attribute(cudaDevAttrComputeCapabilityMinor) == 0;
}

inline int device_multiprocessors()
{
    return device_attribute(cudaDevAttrMultiProcessorCount);
}

// The driver's function, without linking libcuda: programs also run where there is no driver.
inline decltype(&cuTensorMapEncodeTiled) tensor_map_encoder()
{
    void *found = nullptr;
    cudaDriverEntryPointQueryResult result;
#if CUDART_VERSION >= 12050
    const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found,
                                                               12000, cudaEnableDefault, &result);
#else
    const cudaError_t error =
        cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &found, cudaEnableDefault, &result);
#endif
    const bool there = error == cudaSuccess && result == cudaDriverEntryPointSuccess;
    return there ? reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found) : nullptr;
}

// A map of the bfloat16 matrix x: [rows,cols], whose rows begin row_bytes apart, in boxes of box_rows x box_cols that
// are swizzled by 128 bytes. False where the hardware has no such map: x and row_bytes are multiples of 16, a box has at
// most 256 rows of at most 128 bytes (CUDA Driver API, cuTensorMapEncodeTiled).
inline bool tensor_map_2d(TensorMap *map, const void *x, uint64_t rows, uint64_t cols,
                          uint64_t row_bytes, uint32_t box_rows, uint32_t box_cols)
{
    static const auto encode = tensor_map_encoder();
    const cuuint64_t sizes[] = {cols, rows}, strides[] = {row_bytes};
    const cuuint32_t box[] = {box_cols, box_rows}, steps[] = {1, 1};
    return encode != nullptr &&
           encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<void *>(x), sizes, strides,
                  box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                  CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                  CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;    // "none": zeros
}

// ---- mbarriers, in shared memory: a phase ends when all arrivals and all bytes that it expects have come

__device__ inline uint32_t shared_address(const void *shared)
{
    return (uint32_t)__cvta_generic_to_shared(shared);
}

// mbarrier.init: phases of so many arrivals. One thread; the others may use it after a barrier of the block.
__device__ inline void mbarrier_init(uint64_t *barrier, uint32_t arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(arrivals)
                 : "memory");
}

// membar/fence, fence.proxy.async: what this thread wrote is seen by TMA and wgmma, too.
__device__ inline void fence_proxy_async()
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// mbarrier.arrive
__device__ inline void mbarrier_arrive(uint64_t *barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
                 : "memory");
}

// mbarrier.arrive.expect_tx: arrives, and the phase waits for so many bytes more.
__device__ inline void mbarrier_expect(uint64_t *barrier, uint32_t bytes)
{
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
        "r"(bytes)
        : "memory");
}

// mbarrier.try_wait.parity: whether the phase of this parity has ended; the first one's is 0, that "before the first" 1.
__device__ inline bool mbarrier_try_wait(uint64_t *barrier, uint32_t parity)
{
    uint32_t ended;
    asm volatile("{\n"
                 ".reg .pred ended;\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 ended, [%1], %2;\n"
                 "selp.u32 %0, 1, 0, ended;\n"
                 "}"
                 : "=r"(ended)
                 : "r"(shared_address(barrier)), "r"(parity)
                 : "memory");
    return ended != 0;
}

// cp.async.bulk.tensor: copies the box at (col, row), zeros outside of the matrix; then its bytes count at the barrier.
__device__ inline void tma_load_2d(void *to, const TensorMap *map, int col, int row,
                                   uint64_t *barrier)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
                 " [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(to)),
                 "l"(map), "r"(col), "r"(row), "r"(shared_address(barrier))
                 : "memory");
}

// ---- registers

// setmaxnreg: registers of each thread of this warpgroup from here on, which it gives back or waits for.
template <int COUNT> __device__ inline void registers_decrease()
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}
template <int COUNT> __device__ inline void registers_increase()
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

// ---- wgmma: products by the four warps of a warpgroup. Operands lie in shared memory, sums in registers.

// wgmma.fence: orders what threads did to the sums' registers before the products that follow.
__device__ inline void wgmma_fence()
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

// wgmma.commit_group: the products since the last one are a group.
__device__ inline void wgmma_commit()
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

// wgmma.wait_group: until at most so many groups are not done.
template <int GROUPS> __device__ inline void wgmma_wait()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(GROUPS) : "memory");
}

// The same for the sums: the compiler may not read them before.
template <int GROUPS, int COUNT> __device__ inline void wgmma_wait(float (&sum)[COUNT])
{
    wgmma_wait<GROUPS>();
    UNROLL
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(sum[i])::"memory");
}

// wgmma.mma_async, m64nNk16, bfloat16: the operands %0 to %(N/2 - 1) are a thread's sums.
#define EIGHT(tens)                                                                                \
    "%" #tens "0, %" #tens "1, %" #tens "2, %" #tens "3, %" #tens "4, %" #tens "5, %" #tens        \
    "6, %" #tens "7, "
#define TEN(tens)     EIGHT(tens) "%" #tens "8, %" #tens "9, "
#define SIXTY         EIGHT() "%8, %9, " TEN(1) TEN(2) TEN(3) TEN(4) TEN(5)
#define SUMS_4(s, i)  "+f"(s[i]), "+f"(s[i + 1]), "+f"(s[i + 2]), "+f"(s[i + 3])
#define SUMS_16(s, i) SUMS_4(s, i), SUMS_4(s, i + 4), SUMS_4(s, i + 8), SUMS_4(s, i + 12)
#define SUMS_64(s, i) SUMS_16(s, i), SUMS_16(s, i + 16), SUMS_16(s, i + 32), SUMS_16(s, i + 48)
#define WGMMA(shape, list, a, b, add)                                                              \
    "{\n.reg .pred add;\nsetp.ne.b32 add, " add ", 0;\n"                                           \
    "wgmma.mma_async.sync.aligned." shape ".f32.bf16.bf16 {" list "}, " a ", " b                   \
    ", add, 1, 1, 0, 0;\n}"    // operands times 1, both with k side by side (not transposed)

// sum = a b^T, or sum += a b^T with add; sum: [64,COLS] in all threads of the warpgroup. A thread has sum[i] of row
// 16 warp + 8 (i / 2 % 2) + lane / 4 and column 8 (i / 4) + 2 (lane % 4) + i % 2 (there, "Register Fragments").
template <int COLS>
__device__ inline void wgmma(float (&sum)[COLS / 2], uint64_t a, uint64_t b, bool add)
{
    static_assert(COLS == 128 || COLS == 256, "the shapes that are written out");
    if constexpr (COLS == 128)
        asm volatile(WGMMA("m64n128k16", SIXTY "%60, %61, %62, %63", "%64", "%65", "%66")
                     : SUMS_64(sum, 0)
                     : "l"(a), "l"(b), "r"((int)add));
    else
        asm volatile(WGMMA("m64n256k16",
                           SIXTY TEN(6) TEN(7) TEN(8) TEN(9) TEN(10)
                               TEN(11) "%120, %121, %122, %123, %124, %125, %126, %127",
                           "%128", "%129", "%130")
                     : SUMS_64(sum, 0), SUMS_64(sum, 64)
                     : "l"(a), "l"(b), "r"((int)add));
}
#undef EIGHT
#undef TEN
#undef SIXTY
#undef SUMS_4
#undef SUMS_16
#undef SUMS_64
#undef WGMMA
#else
#include "kernels/cuda/emulator/hopper.h"
#endif

// Matrix Descriptor Format, of wgmma: a tile in shared memory whose rows are 128 bytes, swizzled by 128 bytes, and 8 of
// which begin `stride` bytes after the 8 before. Bits 0-13: address; 16-29: leading offset, unused with this swizzle;
// 32-45: stride; each in units of 16 bytes; 62-63: 1, the swizzle.
__device__ inline uint64_t wgmma_descriptor(const void *tile, uint32_t stride)
{
    return (uint64_t)(shared_address(tile) & 0x3ffff) >> 4 | (uint64_t)1 << 16 |
           (uint64_t)(stride >> 4) << 32 | (uint64_t)1 << 62;
}

// So many bytes further along a tile's rows.
__device__ inline uint64_t wgmma_descriptor_along(uint64_t descriptor, uint32_t bytes)
{
    return descriptor + (bytes >> 4);
}
