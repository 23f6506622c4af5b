/* part.h -- vectors of which only the first floats lie in memory.
 *
 *     store_some(y, a * load_some(x, n), n);    // n of them, or all if n is at least LANES
 */
#pragma once
#ifdef __AVX__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif
#include "kernels/cpu/variant.h"

#define INLINED static inline __attribute__((always_inline))

// In a register, whatever the compiler would rather do: load it once more for each use, or change the order of sums
// of whole numbers until they fill more registers than there are.
#ifdef __aarch64__
#define HELD(v) __asm__("" : "+w"(v))
#else
#define HELD(v) __asm__("" : "+v"(v))
#endif

INLINED Vec vec_of(float x)
{
#if LANES == 16
    return _mm512_set1_ps(x);
#elif LANES == 8
    return _mm256_set1_ps(x);
#else
    return (Vec){x, x, x, x};
#endif
}

// x y + z, rounded once on a processor that can and twice on others. Left to the compiler, a sum would have other
// bits where it fuses and where it does not: in another loop, or less optimized.
INLINED Vec vec_fma(Vec x, Vec y, Vec z)
{
#if LANES == 16
    return _mm512_fmadd_ps(x, y, z);
#elif defined __FMA__
    return _mm256_fmadd_ps(x, y, z);
#elif defined __aarch64__
    return (Vec)vfmaq_f32((float32x4_t)z, (float32x4_t)x, (float32x4_t)y);
#else
    return x * y + z;
#endif
}

// The first n < LANES floats of a vector.
INLINED Vec load_part(const float *x, size_t n)
{
#if LANES == 16
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x);
#elif LANES == 8
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane));
#else
    float lane[LANES] = {0};
    for (size_t l = 0; l < n; l++) lane[l] = x[l];
    return vec_load(lane);
#endif
}

INLINED void store_part(float *x, Vec v, size_t n)
{
#if LANES == 16
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), v);
#else
    float lane[LANES];
    vec_store(lane, v);
    for (size_t l = 0; l < n; l++) x[l] = lane[l];
#endif
}

INLINED Vec load_some(const float *x, size_t n)
{
    return n >= LANES ? vec_load(x) : load_part(x, n);
}

INLINED void store_some(float *x, Vec v, size_t n)
{
    if (n >= LANES) vec_store(x, v);
    else store_part(x, v, n);
}
