/* variant.h -- what the sources of the `cpu` backend share. They are compiled once for each
 * instruction set (kernels/CMakeLists.txt), so their functions carry its name.
 *
 *     void CPU(relu)(float *y, const float *x, size_t n)    // cpu_avx2_relu, ...
 *
 * Nothing else may leave these files: an inline function that two variants share could end up
 * in the program in its AVX-512 form and be called on a processor that has none. Hence `static`
 * everywhere, and vectors written with the compiler's extension instead of headers of intrinsics.
 */
#pragma once
#include "kernels/kernels.h"

#define CPU_JOIN(variant, name)   cpu_##variant##_##name
#define CPU_EXPAND(variant, name) CPU_JOIN(variant, name)
#define CPU(name)                 CPU_EXPAND(CPU_VARIANT, name)

#define X(name, prototype, arguments, work) void CPU(name) prototype;
KERNEL_LIST(X)
#undef X

// The variant whose kernels this one has where it has none of its own.
#define BASE(name)                          CPU_EXPAND(CPU_BASE, name)
#define X(name, prototype, arguments, work) void BASE(name) prototype;
KERNEL_LIST(X)
#undef X
extern const Kernels CPU(table);

// Floats in the widest register.
#if defined __AVX512F__
#define LANES 16
#elif defined __AVX__
#define LANES 8
#else
#define LANES 4
#endif

typedef float Vec __attribute__((vector_size(4 * LANES)));
typedef int IntVec __attribute__((vector_size(4 * LANES)));
typedef unsigned UintVec __attribute__((vector_size(4 * LANES)));

// The same in memory: aligned only as a float is.
typedef float VecInMemory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline Vec vec_load(const float *x)
{
    return *(const VecInMemory *)x;
}

static inline void vec_store(float *x, Vec v)
{
    *(VecInMemory *)x = v;
}

// What the compiler may take for granted.
#define KNOWN(fact)                                                                                \
    if (!(fact)) __builtin_unreachable()

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
