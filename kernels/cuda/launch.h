/* launch.h -- what a .cu file includes: CUDA from nvcc, or the emulator from any C++ compiler.
 *
 *     LAUNCH(add, blocks, threads, shared_bytes, stream)(y, a, b, n);    // add<<<...>>>(y, a, b, n)
 *     LAUNCH((transpose<32, 8>), grid, block, 0, 0)(y, x, rows, cols);   // parentheses around commas
 *     DYNAMIC_SHARED(float, tile);                                       // float *tile, of shared_bytes
 *     UNROLL                                                             // the loop that follows
 */
#pragma once
#ifdef __CUDACC__
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <mma.h>
#define LAUNCH(kernel, grid, block, shared, stream)                                                \
    kernel<<<grid, block, shared, (stream) ? (stream) : launch_stream>>>
#define DYNAMIC_SHARED(T, name)                                                                    \
    extern __shared__ __align__(128) unsigned char name##_bytes[];                                 \
    T *name = reinterpret_cast<T *>(name##_bytes)
#define UNROLL _Pragma("unroll")
#else
#include "kernels/cuda/emulator/emulator.h"
#define LAUNCH(kernel, grid, block, shared, stream)                                                \
    emulator::prepare(kernel, grid, block, shared, stream)
#define DYNAMIC_SHARED(T, name) T *name = static_cast<T *>(emulator::dynamic_shared())
#define UNROLL
#endif

// What launches on stream 0 run on: the device's own stream (gpu.cu), which can be captured; CUDA's default stream
// where none was opened.
inline cudaStream_t launch_stream;
