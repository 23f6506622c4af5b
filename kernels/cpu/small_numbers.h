/* small_numbers.h -- numbers of 16 and of 8 bits as vectors of floats.
 *
 *     const Vec x = load_halves(in);    // LANES halves, at any alignment
 */
#pragma once
#include <string.h>
#include "kernels/cpu/part.h"

INLINED UintVec vec_from_shorts(const uint8_t *x)
{
#if LANES == 16
    return (UintVec)_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)x));
#elif LANES == 8
    return (UintVec)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)x));
#else
    typedef uint16_t Shorts __attribute__((vector_size(2 * LANES), aligned(1), may_alias));
    return __builtin_convertvector(*(const Shorts *)x, UintVec);
#endif
}

INLINED Vec vec_from_halves(UintVec x)    // in the lower bits of each lane
{
    const UintVec magnitude = (x & 0x7fff) << 13;
    const UintVec special = (UintVec)(magnitude > 0x0f7fffff) & 0x7f800000;
    const Vec value = (Vec)magnitude * 0x1p112f;    // exact, and right for subnormal numbers too
    return (Vec)((UintVec)value | special | (x & 0x8000) << 16);
}

// The two halves of each lane: out[0] is of the lower ones.
INLINED void split_halves(Vec out[2], UintVec x)
{
#if LANES == 16
    typedef uint16_t Shorts __attribute__((vector_size(64)));
    const Shorts order = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                          1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
    const __m512i apart = _mm512_permutexvar_epi16((__m512i)order, (__m512i)x);
    out[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(apart));
    out[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(apart, 1));
#elif LANES == 8
    const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0,
                                           1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m256i apart = _mm256_permute4x64_epi64(_mm256_shuffle_epi8((__m256i)x, order), 0xD8);
    out[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(apart));
    out[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(apart, 1));
#else
    out[0] = vec_from_halves(x & 0xffff);
    out[1] = vec_from_halves(x >> 16);
#endif
}

INLINED Vec load_halves(const uint8_t *x)
{
#if LANES == 16
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i_u *)x));
#elif LANES == 8
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i_u *)x));
#else
    return vec_from_halves(vec_from_shorts(x));
#endif
}

INLINED IntVec load_bytes(const uint8_t *x)
{
#if LANES == 16
    return (IntVec)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i_u *)x));
#elif LANES == 8
    return (IntVec)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i_u *)x));
#else
    IntVec out = {0};
    for (int l = 0; l < LANES; l++) out[l] = (x[l] ^ 128) - 128;
    return out;
#endif
}

INLINED float load_half(const uint8_t *x)
{
    uint16_t bits;
    memcpy(&bits, x, sizeof bits);
#ifdef __F16C__
    return _cvtsh_ss(bits);
#else
    return vec_from_halves((UintVec){bits})[0];
#endif
}
