/* emulator.h -- CUDA kernels on the CPU: what <cuda_runtime.h> and nvcc are to a GPU.
 *
 *     __global__ void twice(float *y, const float *x, int n)
 *     {
 *         int i = blockIdx.x * blockDim.x + threadIdx.x;
 *         if (i < n) y[i] = 2 * x[i];
 *     }
 *     LAUNCH(twice, (n + 255) / 256, 256, 0, 0)(y, x, n);    // through kernels/cuda/launch.h
 *
 * The blocks of a grid run one after another. The threads of a block are fibers: each runs until it has
 * to wait for others (__syncthreads, a shuffle), then the next one runs. Shared memory is thread_local,
 * as if the thread of the CPU were a multiprocessor. One thread of the host launches.
 *
 * Compiled with -fsanitize=thread -fsanitize-coverage=trace-pc, every access calls the checker
 * (checker.cpp), and report.h has what it found. The source is the same.
 *
 * Hopper's wgmma, TMA and mbarriers are functions with a model here (hopper.cuh, hopper.h).
 *
 * Not here: grid-wide synchronisation, thread block clusters, textures, device-side launches, inline PTX, new and
 * delete in kernels, and loops that spin until another block writes.
 */
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include "kernels/cuda/emulator/vector.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __shared__      __attribute__((used)) thread_local    // used: kept if never written
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__    __attribute__((noinline))
#define __align__(n)    __attribute__((aligned(n)))
#define __launch_bounds__(...)

#if defined(__SANITIZE_THREAD__)
#define EMULATOR_CHECKED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EMULATOR_CHECKED
#endif
#endif

// Large structures: gcc says what it copies; clang calls memcpy, which therefore is the checker's.
#if defined(EMULATOR_CHECKED) && defined(__clang__) && defined(__ELF__)
asm(".set memcpy, emulator_memcpy\n.set memmove, emulator_memmove\n.set memset, emulator_memset");
#endif

// Of functions whose own accesses are not the kernel's.
#if defined(__clang__)
#define EMULATOR_UNCHECKED __attribute__((noinline, no_sanitize("thread", "coverage")))
#else
#define EMULATOR_UNCHECKED __attribute__((noinline, no_sanitize("thread"), no_sanitize_coverage))
#endif

namespace emulator
{
struct Position {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
extern __thread Position here;    // of the running thread

void *dynamic_shared();

// ---- launches

struct Captured {    // a launch with its arguments
    virtual void run() const = 0;
    virtual ~Captured() = default;
};
bool capturing();    // whether launches are collected for a graph (graph.cpp)
void capture(const Captured *launch);

// The arrays of the next launch, for messages: the kernel's parameters in their order.
void parameters_launch(const void *const *pointers, size_t count);

template <class T> __forceinline__ const void *pointer_of(T *pointer)
{
    return pointer;
}
template <class T> __forceinline__ const void *pointer_of(const T &)
{
    return nullptr;
}
template <class... Parameters> __forceinline__ void name_parameters(const Parameters &...arguments)
{
    const void *const pointers[] = {nullptr, pointer_of(arguments)...};
    parameters_launch(pointers + 1, sizeof...(arguments));
}

template <class... Parameters> struct Launch {
    void (*kernel)(Parameters...);
    dim3 grid, block;
    size_t shared;

    void operator()(Parameters... arguments) const
    {
        if (!capturing()) {
            now(arguments...);
            return;
        }
        const Launch launch = *this;
        auto again = [=]() EMULATOR_UNCHECKED { launch.now(arguments...); };
        struct Again : Captured {
            decltype(again) launch;
            Again(decltype(again) what) : launch(what)
            {
            }
            void run() const override
            {
                launch();
            }
        };
        capture(new Again(again));
    }

    void now(Parameters... arguments) const
    {
        name_parameters(arguments...);
        auto call = [&]() EMULATOR_UNCHECKED {
            kernel(arguments...);
        };    // not inlined: the kernel is checked
        run([](void *that) { (*static_cast<decltype(call) *>(that))(); }, &call);
    }

  private:
    void run(void (*thread)(void *), void *that) const;
};

void launch(const void *kernel, dim3 grid, dim3 block, size_t shared, void (*thread)(void *),
            void *that);

template <class... Parameters>
void Launch<Parameters...>::run(void (*thread)(void *), void *that) const
{
    launch(reinterpret_cast<const void *>(kernel), grid, block, shared, thread, that);
}

template <class... Parameters>
Launch<Parameters...> prepare(void (*kernel)(Parameters...), dim3 grid, dim3 block,
                              size_t shared = 0, const void * = nullptr)
{
    return {kernel, grid, block, shared};
}
}    // namespace emulator

#define threadIdx (emulator::here.thread)
#define blockIdx  (emulator::here.block)
#define blockDim  (emulator::here.block_size)
#define gridDim   (emulator::here.grid_size)
static constexpr int warpSize = 32;

// ---- a block's barrier, and fences

// Two calls in the branches of an if stay two calls, so that the checker can tell them apart.
#if defined(__clang__)
#define EMULATOR_NOT_MERGED __attribute__((nomerge))
#else
#define EMULATOR_NOT_MERGED
#endif

EMULATOR_NOT_MERGED void __syncthreads();
EMULATOR_NOT_MERGED int __syncthreads_count(int predicate);
EMULATOR_NOT_MERGED int __syncthreads_and(int predicate);
EMULATOR_NOT_MERGED int __syncthreads_or(int predicate);
void __threadfence();
static inline void __threadfence_block()
{
}

#include "kernels/cuda/emulator/atomic.h"
#include "kernels/cuda/emulator/half.h"
#include "kernels/cuda/emulator/intrinsics.h"
#include "kernels/cuda/emulator/runtime.h"
#include "kernels/cuda/emulator/device.h"
#include "kernels/cuda/emulator/warp.h"
#include "kernels/cuda/emulator/groups.h"
#include "kernels/cuda/emulator/wmma.h"
