/* functions.h -- exp and its relatives without branches, so that a loop over them becomes vectors.
 *
 *     #pragma omp simd
 *     for (size_t i = 0; i < n; i++)
 *         y[i] = fast_exp(x[i]);
 *
 * Largest errors against the true value, swept in tests/kernels/test_functions.c: fast_exp 1 ulp,
 * fast_sigmoid and fast_tanh 3, fast_log1p 2 on [0,1]. NaN stays NaN, infinities have their limits,
 * what overflows is infinite and what underflows becomes denormal, then 0.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// x = n ln 2 + r with |r| <= ln 2 / 2. Returns exp(r) - 1; *low and *high multiply to 2^n: two
// factors, because 2^n alone has no float where exp(x) is denormal or just below overflow.
INLINE float reduced_expm1(float x, float *low, float *high)
{
    const float magic = 0x1.8p23f;    // adding it rounds to an integer, in the lowest bits
    const float shifted = x * 0x1.715476p0f + magic;
    const float n = shifted - magic;
    const float r = (x - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f;    // n ln2's head is exact

    const int32_t exponent = (int32_t)(bits_of_float(shifted) - bits_of_float(magic));
    const int32_t half = exponent >> 1;
    *low = float_from_bits((uint32_t)(half + 127) << 23);
    *high = float_from_bits((uint32_t)(exponent - half + 127) << 23);

    // Cephes expf (Moshier 1989): a minimax polynomial of exp(r) = 1 + r + r^2 p(r).
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

// Comparisons are written so that NaN passes through the clamp.
INLINE float fast_exp(float x)
{
    float low, high;
    x = x > 89.0f ? 89.0f : x;        // exp is infinite from 88.73
    x = x < -104.0f ? -104.0f : x;    // and 0 from -103.98
    const float p = reduced_expm1(x, &low, &high);
    return (p + 1.0f) * low * high;
}

// 2^x for x <= 0, or hardly above: at least a normal number, or 0. A minimax polynomial on half a unit around 0.
INLINE float fast_exp2_negative(float x)
{
    const float magic = 0x1.8p23f, shifted = x + magic, r = x - (shifted - magic);
    float p = 0x1.41fbbcp-13f;
    p = p * r + 0x1.5f3e54p-10f;
    p = p * r + 0x1.3b2d4cp-7f;
    p = p * r + 0x1.c6aee8p-5f;
    p = p * r + 0x1.ebfbdcp-3f;
    p = p * r + 0x1.62e430p-1f;
    p = p * r + 1.0f;
    p *= float_from_bits((bits_of_float(shifted) << 23) + bits_of_float(1.0f));    // 2^(x - r)
    return x < -126.0f ? 0.0f : p;
}

// exp(x) - 1 for x <= 0, also where it is tiny.
INLINE float fast_expm1_negative(float x)
{
    float low, high;
    x = x < -30.0f ? -30.0f : x;    // -1 to the last bit
    const float p = reduced_expm1(x, &low, &high), power = low * high;
    return p * power + (power - 1.0f);
}

// Only exp of a negative number is taken, so that nothing overflows.
INLINE float fast_sigmoid(float x)
{
    const float e = fast_exp(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

INLINE float fast_tanh(float x)
{
    const float e = fast_expm1_negative(-2.0f * fabsf(x));
    return copysignf(-e / (2.0f + e), x);
}

// log(1 + x) for 0 <= x <= 1, as 2 atanh(s) with s = x / (2 + x) <= 1/3: the odd series of atanh.
INLINE float fast_log1p(float x)
{
    const float s = x / (2.0f + x), t = s * s;
    float p = 1.0f / 15.0f;
    p = p * t + 1.0f / 13.0f;
    p = p * t + 1.0f / 11.0f;
    p = p * t + 1.0f / 9.0f;
    p = p * t + 1.0f / 7.0f;
    p = p * t + 1.0f / 5.0f;
    p = p * t + 1.0f / 3.0f;
    return 2.0f * (s + s * (t * p));
}
