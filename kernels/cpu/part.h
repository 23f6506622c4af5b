/* part.h -- vectors of which only the first floats lie in memory.
 *
 *     store_some(y, a * load_some(x, n), n);    // n of them, or all if n is at least LANES
 */
#pragma once
#ifdef __AVX__
#include <immintrin.h>
#endif
#include "kernels/cpu/variant.h"

#define INLINED static inline __attribute__((always_inline))

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
