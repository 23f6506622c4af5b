/* intrinsics.h -- CUDA's mathematical and bit intrinsics. The fast ones (__expf) are exact here, so that a
 * kernel's tolerance has to be tried on a GPU; the rounding of __fadd_rn and its like is IEEE's on both.
 */
#pragma once
#include <cassert>
#include <cstdio>
#include <cstdlib>

// The C library declares functions of these names, and has none.
#define __expf      expf
#define __logf      logf
#define __log2f     log2f
#define __log10f    log10f
#define __sinf      sinf
#define __cosf      cosf
#define __tanf      tanf
#define __powf      powf
#define __exp10f(x) powf(10.0f, x)

#define EMULATOR_FUNCTION(RESULT, NAME, PARAMETERS, EXPRESSION)                                    \
    static inline RESULT NAME PARAMETERS                                                           \
    {                                                                                              \
        return EXPRESSION;                                                                         \
    }

// clang-format off
EMULATOR_FUNCTION(float, __fdividef, (float x, float y), x / y)
EMULATOR_FUNCTION(float, __saturatef, (float x), x >= 1 ? 1.0f : x > 0 ? x : 0.0f)
EMULATOR_FUNCTION(float, rsqrtf, (float x), (float)(1 / sqrt((double)x)))
EMULATOR_FUNCTION(double, rsqrt, (double x), 1 / sqrt(x))
EMULATOR_FUNCTION(float, __frsqrt_rn, (float x), (float)(1 / sqrt((double)x)))
EMULATOR_FUNCTION(float, __frcp_rn, (float x), 1 / x)
EMULATOR_FUNCTION(float, __fsqrt_rn, (float x), sqrtf(x))
EMULATOR_FUNCTION(float, __fadd_rn, (float x, float y), x + y)
EMULATOR_FUNCTION(float, __fsub_rn, (float x, float y), x - y)
EMULATOR_FUNCTION(float, __fmul_rn, (float x, float y), x * y)
EMULATOR_FUNCTION(float, __fdiv_rn, (float x, float y), x / y)
EMULATOR_FUNCTION(float, __fmaf_rn, (float x, float y, float z), fmaf(x, y, z))
EMULATOR_FUNCTION(double, __fma_rn, (double x, double y, double z), fma(x, y, z))
EMULATOR_FUNCTION(double, __dadd_rn, (double x, double y), x + y)
EMULATOR_FUNCTION(double, __dmul_rn, (double x, double y), x * y)

EMULATOR_FUNCTION(int, __popc, (unsigned x), __builtin_popcount(x))
EMULATOR_FUNCTION(int, __popcll, (unsigned long long x), __builtin_popcountll(x))
EMULATOR_FUNCTION(int, __ffs, (int x), __builtin_ffs(x))
EMULATOR_FUNCTION(int, __ffsll, (long long x), __builtin_ffsll(x))
EMULATOR_FUNCTION(int, __clz, (int x), x ? __builtin_clz((unsigned)x) : 32)
EMULATOR_FUNCTION(int, __clzll, (long long x), x ? __builtin_clzll((unsigned long long)x) : 64)
EMULATOR_FUNCTION(unsigned, __umulhi, (unsigned x, unsigned y), (unsigned)((uint64_t)x * y >> 32))
EMULATOR_FUNCTION(int, __mulhi, (int x, int y), (int)((int64_t)x * y >> 32))
EMULATOR_FUNCTION(int, __float2int_rn, (float x), (int)lrintf(x))
EMULATOR_FUNCTION(int, __float2int_rz, (float x), (int)x)
EMULATOR_FUNCTION(int, __float2int_rd, (float x), (int)floorf(x))
EMULATOR_FUNCTION(int, __float2int_ru, (float x), (int)ceilf(x))
EMULATOR_FUNCTION(float, __int2float_rn, (int x), (float)x)
EMULATOR_FUNCTION(float, __uint2float_rn, (unsigned x), (float)x)
// clang-format on

namespace emulator
{
template <class To, class From> To bit_cast(From from)
{
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
}    // namespace emulator

// clang-format off
EMULATOR_FUNCTION(int, __float_as_int, (float x), emulator::bit_cast<int>(x))
EMULATOR_FUNCTION(unsigned, __float_as_uint, (float x), emulator::bit_cast<unsigned>(x))
EMULATOR_FUNCTION(float, __int_as_float, (int x), emulator::bit_cast<float>(x))
EMULATOR_FUNCTION(float, __uint_as_float, (unsigned x), emulator::bit_cast<float>(x))
EMULATOR_FUNCTION(long long, __double_as_longlong, (double x), emulator::bit_cast<long long>(x))
EMULATOR_FUNCTION(double, __longlong_as_double, (long long x), emulator::bit_cast<double>(x))
// clang-format on
#undef EMULATOR_FUNCTION

static inline unsigned __brev(unsigned x)
{
    unsigned reversed = 0;
    for (int i = 0; i < 32; i++) reversed |= (x >> i & 1u) << (31 - i);
    return reversed;
}

// c plus the products of four signed bytes each.
static inline int __dp4a(int a, int b, int c)
{
    for (int i = 0; i < 32; i += 8) c += (int8_t)(a >> i) * (int8_t)(b >> i);
    return c;
}

#define EMULATOR_MIN_MAX(T)                                                                        \
    static inline T min(T a, T b)                                                                  \
    {                                                                                              \
        return b < a ? b : a;                                                                      \
    }                                                                                              \
    static inline T max(T a, T b)                                                                  \
    {                                                                                              \
        return a < b ? b : a;                                                                      \
    }
EMULATOR_MIN_MAX(int)
EMULATOR_MIN_MAX(unsigned)
EMULATOR_MIN_MAX(long)
EMULATOR_MIN_MAX(unsigned long)
EMULATOR_MIN_MAX(long long)
EMULATOR_MIN_MAX(unsigned long long)
#undef EMULATOR_MIN_MAX
static inline float min(float a, float b)
{
    return fminf(a, b);
}
static inline float max(float a, float b)
{
    return fmaxf(a, b);
}

// Loads and stores that name a cache: a plain access here.
template <class T> __forceinline__ T __ldg(const T *p)
{
    return *p;
}
template <class T> __forceinline__ T __ldcs(const T *p)
{
    return *p;
}
template <class T> __forceinline__ void __stcs(T *p, T value)
{
    *p = value;
}
